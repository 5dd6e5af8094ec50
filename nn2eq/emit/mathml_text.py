"""MathML: the equations as elements that a browser, a word processor or a screen reader understands."""

from __future__ import annotations

from nn2eq.emit.options import Options
from nn2eq.emit.typeset.mathml import display
from nn2eq.emit.typeset.texts import comments, emitter_of, typeset
from nn2eq.forms.program import Program


def write(program: Program, options: Options) -> str:
    """Write a Program as <math> elements, ready to be put into a page."""
    found = typeset(program, options)
    return comments(found, "<!--", "-->") + "\n".join(map(display, found.displays)) + "\n"


EMITTER = emitter_of("mathml", ".mml", write, "<!--", "-->")
