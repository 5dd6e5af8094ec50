"""Markdown: the equations as LaTeX between dollar signs, as GitHub, notebooks and wikis set them."""

from __future__ import annotations

import re

from nn2eq.emit.options import Options
from nn2eq.emit.typeset.texts import comments, emitter_of, latex, legend
from nn2eq.emit.typeset.tree import said
from nn2eq.forms.program import Program

_DISPLAY = re.compile(r"\\begin\{(align|alignat)\*\}(\{\d+\})?\n.*?\\end\{\1\*\}", re.DOTALL)


def write(program: Program, options: Options) -> str:
    """Write a Program as Markdown."""
    text = latex(program, options)
    found = said(text)
    blocks = (match[0].replace(f"{{{match[1]}*}}", f"{{{match[1]}ed}}") for match in _DISPLAY.finditer(text))
    body = "\n\n".join(f"$$\n{block}\n$$" for block in blocks)
    return f"{comments(found, '<!--', '-->', wide='one in braces the float64')}\n{body}\n\n{legend(found)}\n"


EMITTER = emitter_of("markdown", ".md", write, "<!--", "-->")
