"""Typst: the equations in its mathematical mode."""

from __future__ import annotations

from nn2eq.emit import Emitter
from nn2eq.emit.latex.functions import by_options
from nn2eq.emit.options import Options
from nn2eq.emit.typeset.texts import OPTIONS, comments, typeset
from nn2eq.emit.typeset.typst import display
from nn2eq.forms.program import Program


def write(program: Program, options: Options) -> str:
    """Write a Program as Typst, ready to be put into a document."""
    found = typeset(program, options)
    return comments(found, "//") + "\n\n".join(map(display, found.displays)) + "\n"


EMITTER = Emitter(
    name="typst",
    suffix=".typ",
    comment="//",
    layouts=("nested", "layered", "matrix"),
    write=write,
    spelling=by_options,
    options=OPTIONS,
    for_people=True,
    fractions=True,
    derivatives=("layered",),
    merged=True,
)
