"""Unicode: the equations in plain characters, for a terminal or a mail."""

from __future__ import annotations

from nn2eq.emit.cases import has_cases
from nn2eq.emit.options import Options
from nn2eq.emit.typeset.texts import comments, emitter_of, typeset
from nn2eq.emit.typeset.unicode import display
from nn2eq.forms.program import Program


def write(program: Program, options: Options) -> str:
    """Write a Program in plain characters; matrices stand beside the equations, drawn with brackets."""
    whole = program.layout == "matrix" and not has_cases(program)
    found = typeset(program, options, numbers="matrix" if whole else "inline")
    return comments(found, "#") + "\n" + "\n\n".join(map(display, found.displays)) + "\n"


EMITTER = emitter_of("unicode", ".txt", write, "#")
