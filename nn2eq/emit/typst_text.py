"""Typst: the equations in its mathematical mode."""

from __future__ import annotations

from nn2eq.emit.options import Options
from nn2eq.emit.typeset.texts import comments, emitter_of, typeset
from nn2eq.emit.typeset.typst import display
from nn2eq.forms.program import Program


def write(program: Program, options: Options) -> str:
    """Write a Program as Typst, ready to be put into a document."""
    found = typeset(program, options)
    return comments(found, "//") + "\n\n".join(map(display, found.displays)) + "\n"


EMITTER = emitter_of("typst", ".typ", write, "//")
