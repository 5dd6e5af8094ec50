"""MathML: the equations as elements that a browser, a word processor or a screen reader understands."""

from __future__ import annotations

from nn2eq.emit import Emitter
from nn2eq.emit.latex.functions import by_options
from nn2eq.emit.options import Options
from nn2eq.emit.typeset.mathml import display
from nn2eq.emit.typeset.texts import OPTIONS, comments, typeset
from nn2eq.forms.program import Program


def write(program: Program, options: Options) -> str:
    """Write a Program as <math> elements, ready to be put into a page."""
    found = typeset(program, options)
    return comments(found, "<!--", "-->") + "\n".join(map(display, found.displays)) + "\n"


EMITTER = Emitter(
    name="mathml",
    suffix=".mml",
    comment="<!--",
    comment_end="-->",
    layouts=("nested", "layered", "matrix"),
    write=write,
    spelling=by_options,
    options=OPTIONS,
    for_people=True,
    fractions=True,
    derivatives=("layered",),
    merged=True,
)
