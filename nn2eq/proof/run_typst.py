"""Typst read back: its mathematics to LaTeX, and that evaluated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.latex.names import upright
from nn2eq.proof import latex_reader
from nn2eq.proof.runners import Answer
from nn2eq.proof.typeset_text import (
    as_latex,
    display,
    function,
    letter,
    number,
    said,
    sign,
    unreadable,
    upright_names,
)

_TOKEN = re.compile(
    r"\s*(?:(?P<newline>\\(?=\s|$))|\\(?P<escaped>.)|\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z]{2,}(?:\.[a-z]+)?)|(?P<letter>[^\W\d_])|(?P<other>\S))"
)
_EQUATION = re.compile(r"^\$ (.*?) \$$", re.DOTALL | re.MULTILINE)
SPACES = frozenset({"quad", "wide", "thin"})
ACCENTS = {
    "hat": "hat", "dot": "dot", "dot.double": "ddot", "macron": "bar", "tilde": "tilde", "arrow": "vec",
    "acute": "acute", "grave": "grave", "circle": "mathring",
}  # fmt: skip


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Read the equations of a text, and evaluate them at x (n, inputs). Raises BadRequest."""
    return latex_reader.run(latex(text), x)


def latex(text: str) -> str:
    """Return the equations of a text as LaTeX. Raises BadRequest."""
    known = said(line[2:] for line in text.splitlines() if line.startswith("//"))
    names = upright_names(known)

    def displays(part: str) -> str:
        body = "\n".join(line for line in part.splitlines() if not line.startswith("//"))
        return display(row for found in _EQUATION.findall(body) for row in _Reader(found, names).rows())

    return as_latex(text, "//", known, displays)


class _Reader:
    """Reads an equation, token by token, and writes it as LaTeX."""

    def __init__(self, text: str, names: Mapping[str, str]) -> None:
        self._text = text
        self._names = names
        self._at = 0
        self._open_bars = 0
        self._deep = 0

    def rows(self) -> Iterator[str]:
        """Yield the lines."""
        while self._peek() is not None:
            yield self._until(frozenset({"newline"}))
            self._next()

    def _peek(self) -> re.Match[str] | None:
        return _TOKEN.match(self._text, self._at)

    def _next(self) -> re.Match[str] | None:
        token = self._peek()
        self._at = token.end() if token else len(self._text)
        return token

    def _until(self, stops: frozenset[str]) -> str:
        """Read up to one of some signs outside brackets, which is left; or to the end of a line, "newline"."""
        found = ""
        while (token := self._peek()) is not None:
            if (token["newline"] is not None and "newline" in stops) or token["other"] in stops:
                break
            self._next()
            found += self._one(token) + " "
        return found

    def _one(self, token: re.Match[str]) -> str:
        if token["quoted"] is not None:
            return rf"\text{{{token['quoted']} }}" if token["quoted"] else ""
        if token["number"]:
            return number(token["number"])
        if token["letter"]:
            return letter(token["letter"])
        if token["word"]:
            return self._word(token["word"])
        if token["escaped"]:
            return token["escaped"] if token["escaped"] in ",;/" else sign(token["escaped"])
        if token["other"] == "#":  # what follows is a function of Typst's
            return ""
        if token["other"] in ("_", "^"):
            return f"{token['other']}{{{self._group()}}}"
        if token["other"] == "(" and self._deep:
            return f"({self._inside()})"
        return token["other"] if token["other"] == "&" else sign(token["other"])

    def _group(self) -> str:
        """Read what stands in the brackets of an index."""
        opening = self._next()
        if opening is None or opening["other"] != "(":
            raise unreadable("an index without brackets")
        return self._inside()

    def _inside(self) -> str:
        """Read up to the bracket that closes; elsewhere it may stand in a later line."""
        self._deep += 1
        inner = self._until(frozenset(")"))
        self._deep -= 1
        self._next()
        return inner

    def _word(self, word: str) -> str:
        if word in SPACES:
            return ""
        if word == "bar.v":
            self._open_bars ^= 1
            return r"\lvert " if self._open_bars else r"\rvert "
        if word in _CALLS:
            opening = self._next()
            if opening is None or opening["other"] != "(":
                raise unreadable(f"{word} without brackets")
            return _CALLS[word](self)
        return function(word)

    def _string(self) -> str:
        token = self._next()
        if token is None or token["quoted"] is None:
            raise unreadable("a name without quotation marks")
        return re.sub(r"\\(.)", r"\1", token["quoted"])

    def _arguments(self, between: str = ",") -> list[str]:
        """Read arguments up to the closing bracket."""
        found = []
        self._deep += 1
        while True:
            found.append(self._until(frozenset({between, ")"})))
            token = self._next()
            if token is None:
                raise unreadable("a bracket that is not closed")
            if token["other"] == ")":
                self._deep -= 1
                return found

    def fraction(self) -> str:
        """Read a fraction."""
        top, bottom = self._arguments()
        return rf"\frac{{{top}}}{{{bottom}}}"

    def root(self) -> str:
        """Read a root."""
        return rf"\sqrt{{{self._arguments()[0]}}}"

    def named(self) -> str:
        """Read the name of a function."""
        name = self._string()
        self._next()
        return function(name)

    def upright(self) -> str:
        """Read an upright name."""
        name = self._string()
        self._next()
        return self._names.get(name) or upright(name)

    def bold(self) -> str:
        """Read a bold letter."""
        return rf"\mathbf{{{self._arguments()[0].strip()}}}"

    def accent(self) -> str:
        """Read a letter and its accent."""
        base = self._until(frozenset(","))
        self._next()
        token = self._next()
        self._next()
        if token is None or token["word"] not in ACCENTS:
            raise unreadable("an accent that is not known here")
        return f"\\{ACCENTS[token['word']]}{{{base}}}"

    def coloured(self) -> str:
        """Read what stands in a colour."""
        self._until(frozenset("$"))
        self._next()
        inner = self._until(frozenset("$"))
        self._next()
        self._next()
        return inner

    def cases(self) -> str:
        """Read rows in a brace."""
        rows = " \\\\ ".join(self._arguments())
        return rf"\begin{{cases}} {rows} \end{{cases}}"

    def matrix(self) -> str:
        """Read a matrix: of plain numbers, or of anything."""
        head = re.compile(r'delim: "\[", ').match(self._text, self._at)
        if head is None:
            raise unreadable("a matrix without square brackets")
        self._at = head.end()
        if plain := re.compile(r"([−\d.,; ]+)\)").match(self._text, self._at):
            self._at = plain.end()
            rows = [" & ".join(map(number, row.split(","))) for row in plain[1].split(";")]
        else:
            rows = [row.replace("\0", " & ") for row in self._rows_of_matrix()]
        body = " \\\\\n".join(rows)
        return f"\\begin{{bmatrix}}\n{body}\n\\end{{bmatrix}}"

    def _rows_of_matrix(self) -> Iterator[str]:
        row: list[str] = []
        self._deep += 1
        while True:
            row.append(self._until(frozenset({",", ";", ")"})))
            token = self._next()
            if token is None:
                raise unreadable("a bracket that is not closed")
            if token["other"] in (";", ")"):
                yield "\0".join(row)
                row = []
            if token["other"] == ")":
                self._deep -= 1
                return


_CALLS: Mapping[str, Callable[[_Reader], str]] = {
    "frac": _Reader.fraction, "sqrt": _Reader.root, "op": _Reader.named, "upright": _Reader.upright,
    "bold": _Reader.bold, "accent": _Reader.accent, "cases": _Reader.cases, "mat": _Reader.matrix,
    "text": _Reader.coloured,
}  # fmt: skip
