"""MathML: the equations as elements that a browser, a word processor or a screen reader understands."""

from __future__ import annotations

from nn2eq.emit.options import Options
from nn2eq.emit.typeset.mathml import displays
from nn2eq.emit.typeset.texts import Notation, latex
from nn2eq.forms.program import Program

NOTATION = Notation(displays, "<!--", "-->")


def write(program: Program, options: Options) -> str:
    """Write a Program as <math> elements, ready to be put into a page."""
    text = latex(program, options)
    return NOTATION.comments(text) + NOTATION.body(text) + "\n"


EMITTER = NOTATION.emitter("mathml", ".mml", write)
