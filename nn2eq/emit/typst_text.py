"""Typst: the equations in its mathematical mode."""

from __future__ import annotations

from nn2eq.emit.options import Options
from nn2eq.emit.typeset.texts import Notation, in_words, latex
from nn2eq.emit.typeset.typst import displays, pages
from nn2eq.forms.program import Program

NOTATION = Notation(displays, "//", between="\n\n", heading=lambda sentence: f"{in_words(sentence)}\n\n")


def write(program: Program, options: Options) -> str:
    """Write a Program as Typst, ready to be put into a document."""
    text = latex(program, options)
    body = NOTATION.body(text)
    return f"{NOTATION.comments(text)}{pages(body)}{body}\n"


EMITTER = NOTATION.emitter("typst", ".typ", write)
