"""What the texts of other notations have in common: the equations as LaTeX has them, and what is said beside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nn2eq.emit import Emitter
from nn2eq.emit.header import escaped
from nn2eq.emit.latex.document import write as as_latex
from nn2eq.emit.latex.functions import by_options
from nn2eq.emit.options import Options
from nn2eq.emit.typeset.tree import Document, document
from nn2eq.forms.program import Program

_OPTIONS = frozenset({"name", "activations", "digits", "latex_names"})
"""What means something to a notation that is set as LaTeX is."""
SAID = ("inputs", "numbers", "kernels")
"""What must be known to read a text back."""
WIDE = "one of more than nine digits the float64"
"""How a float64 among float32 numbers is told, where braces would be seen or lost."""
IN_WORDS = {
    "a decimal is the float32 nearest to it, one in braces the float64": (
        "A decimal stands for the float32 nearest to it, or the float64 if it has over nine digits."
    ),
    "a decimal is the float64 nearest to it": "A decimal stands for the float64 nearest to it.",
}


def typeset(program: Program, options: Options, *, numbers: str = "inline") -> Document:
    """Return a program's equations as a tree. numbers: in them, or as matrices beside symbols."""
    return document(latex(program, options, numbers=numbers))


def latex(program: Program, options: Options, *, numbers: str = "inline") -> str:
    """Return a program as LaTeX."""
    return as_latex(program, replace(options, numbers=numbers))


def comments(found: Document, opening: str, closing: str = "", *, wide: str = WIDE) -> str:
    """Return what is said of names and numbers, a comment each."""
    end = f" {closing}" if closing else ""
    said = ((key, text.replace("one in braces the float64", wide)) for key, text in found.said if key in SAID)
    lines = ((key, text.replace(r"^\top", "ᵀ") if key == "kernels" else text) for key, text in said)
    return "".join(f"{opening} {key}: {escaped(text)}{end}\n" for key, text in lines)


def legend(found: Document) -> str:
    """Return how decimals are meant, in a sentence."""
    said = dict(found.said).get("numbers", "")
    rule, _, rounded = said.partition(", rounded to ")
    return IN_WORDS.get(rule, "") + (f" Numbers are rounded to {rounded}." if rounded else "")


def emitter_of(
    name: str, suffix: str, write: Callable[[Program, Options], str], comment: str, comment_end: str = ""
) -> Emitter:
    """Return the emitter of a notation for people that is written from LaTeX."""
    return Emitter(
        name=name, suffix=suffix, comment=comment, comment_end=comment_end, layouts=("nested", "layered", "matrix"),
        write=write, spelling=by_options, options=_OPTIONS, for_people=True, fractions=True, derivatives=("layered",),
        merged=True,
    )  # fmt: skip
