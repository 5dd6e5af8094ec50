"""Unicode: the equations in plain characters, for a terminal or a mail."""

from __future__ import annotations

from nn2eq.emit.cases import has_cases
from nn2eq.emit.options import Options
from nn2eq.emit.typeset.texts import Notation, latex
from nn2eq.emit.typeset.unicode import displays
from nn2eq.forms.program import Program

NOTATION = Notation(displays, "#", between="\n\n")


def write(program: Program, options: Options) -> str:
    """Write a Program in plain characters; matrices stand beside the equations, drawn with brackets."""
    whole = program.layout == "matrix" and not has_cases(program)
    text = latex(program, options, numbers="matrix" if whole else "inline")
    return f"{NOTATION.comments(text)}\n{NOTATION.body(text)}\n"


EMITTER = NOTATION.emitter("unicode", ".txt", write)
