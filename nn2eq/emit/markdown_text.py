"""Markdown: the equations as LaTeX between dollar signs, as GitHub, notebooks and wikis set them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nn2eq.emit.options import Options
from nn2eq.emit.typeset.texts import Notation, latex, legend
from nn2eq.forms.program import Program

_DISPLAY = re.compile(r"\\begin\{(align|alignat)\*\}(\{\d+\})?\n.*?\\end\{\1\*\}", re.DOTALL)


def displays(equations: str) -> Iterator[str]:
    """Yield LaTeX's displays between dollar signs."""
    for match in _DISPLAY.finditer(equations):
        block = match[0].replace(f"{{{match[1]}*}}", f"{{{match[1]}ed}}")
        yield f"$$\n{block}\n$$"


NOTATION = Notation(
    displays,
    "<!--",
    "-->",
    between="\n\n",
    wide="one in braces the float64",
    heading=lambda sentence: f"\n{sentence}\n\n",
)


def write(program: Program, options: Options) -> str:
    """Write a Program as Markdown."""
    text = latex(program, options)
    return f"{NOTATION.comments(text)}\n{NOTATION.body(text)}\n\n{legend(text)}\n"


EMITTER = NOTATION.emitter("markdown", ".md", write)
