"""What the texts of other notations have in common: the equations as LaTeX has them, and what is said beside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from nn2eq.emit import Emitter
from nn2eq.emit.header import escaped, unescaped
from nn2eq.emit.latex.display import BATCH
from nn2eq.emit.latex.document import fill
from nn2eq.emit.latex.document import write as as_latex
from nn2eq.emit.latex.functions import by_options
from nn2eq.emit.options import Options
from nn2eq.emit.typeset.tree import batches, said, symbol
from nn2eq.forms.program import Program

LAYOUTS = ("nested", "layered", "matrix", "symbolic", "backprop")
_OPTIONS = frozenset({"name", "activations", "digits", "latex_names"})
"""What means something to a notation that is set as LaTeX is."""
SAID = ("inputs", "answers", "numbers", "kernels", "units", "orientation", "symbols", "probabilities")
"""What must be known to read a text back."""
AGAIN = "one sample again"
"""What ends the equations of a batch."""
WIDE = "one of more than nine digits the float64"
"""How a float64 among float32 numbers is told, where braces would be seen or lost."""
IN_WORDS = {
    "a decimal is the float32 nearest to it, one in braces the float64": (
        "A decimal stands for the float32 nearest to it, or the float64 if it has over nine digits."
    ),
    "a decimal is the float64 nearest to it": "A decimal stands for the float64 nearest to it.",
}


@dataclass(frozen=True)
class Notation:
    """A notation for people that is written from LaTeX.

    displays: how it writes LaTeX's displays, each of its own. comment, comment_end: what a comment starts and ends
    with. between: what stands between displays. wide: how a float64 among float32 numbers is told. heading: how a
    sentence is set above a display, "" where the comment there is seen anyway.
    """

    displays: Callable[[str], Iterable[str]]
    comment: str
    comment_end: str = ""
    between: str = "\n"
    wide: str = WIDE
    heading: Callable[[str], str] = lambda text: ""

    def comments(self, equations: str) -> str:
        """Return what LaTeX's comment says of names and numbers, a comment each."""
        found = ((key, text) for key, text in said(equations).said if key in SAID)
        plain = ("kernels", "orientation", "symbols")
        found = ((key, _plain(text) if key in plain else text) for key, text in found)
        lines = (f"{key}: {text.replace('one in braces the float64', self.wide)}" for key, text in found)
        return "".join(map(self._commented, lines))

    def body(self, equations: str) -> str:
        """Write LaTeX's displays; those of a batch stand between two comments."""
        notes = batches(equations)
        parts = zip(notes, self.displays(equations), strict=True)
        return self.between.join(self._set_apart(text, note) if note else text for note, text in parts)

    def emitter(self, name: str, suffix: str, write: Callable[[Program, Options], str]) -> Emitter:
        """Return the emitter of the notation."""
        return Emitter(
            name=name, suffix=suffix, comment=self.comment, comment_end=self.comment_end, layouts=LAYOUTS, write=write,
            spelling=by_options, options=_OPTIONS, for_people=True, fill=self._filled, fractions=True,
            derivatives=("layered",), merged=True,
        )  # fmt: skip

    def _commented(self, line: str) -> str:
        end = f" {self.comment_end}" if self.comment_end else ""
        return f"{self.comment} {escaped(line)}{end}\n"

    def _set_apart(self, text: str, note: str) -> str:
        return f"{self._commented(note)}{self.heading(BATCH)}{text}\n{self._commented(AGAIN)}".rstrip("\n")

    def _filled(self, text: str, program: Program) -> str:
        """Put a program's numbers beside symbols alone."""
        lines = (line for line in text.splitlines() if line.startswith(self.comment))
        plain = (line.removeprefix(self.comment).removesuffix(self.comment_end).strip() for line in lines)
        head = "".join(f"% {unescaped(line)}\n" for line in plain)
        numbers = fill(head, program).removeprefix(head)
        return f"{text}\n{self.body(numbers)}\n" if numbers else text


def _plain(text: str) -> str:
    """Return what is said in words without LaTeX's commands."""
    text = re.sub(r"\\(\w+)\{(\w+)\}", r"\1 \2", text)  # \hat{y}
    return text.replace(r"^\top", "^T").replace("\\", "").replace("$", "")


def in_words(sentence: str) -> str:
    """Return a sentence with mathematics between its dollar signs in plain characters."""
    from nn2eq.emit.typeset.unicode import write  # which makes a notation of its own of this

    return re.sub(r"\$(.*?)\$", lambda match: write(symbol(match[1])).strip(), sentence)


def latex(program: Program, options: Options, *, numbers: str = "inline") -> str:
    """Return a program as LaTeX. numbers: in the equations, or as matrices beside symbols."""
    return as_latex(program, replace(options, numbers=numbers))


def legend(equations: str) -> str:
    """Return what letters are where that is said, and how decimals are meant, in sentences."""
    known = dict(said(equations).said)
    rule, _, rounded = known.get("numbers", "").partition(", rounded to ")
    decimals = IN_WORDS.get(rule, "") + (f" Numbers are rounded to {rounded}." if rounded else "")
    return " ".join(filter(None, (known.get("symbols", ""), decimals)))
