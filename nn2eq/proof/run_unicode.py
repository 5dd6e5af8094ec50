"""Equations in plain characters read back: small digits to indices, words to names, and LaTeX evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.typeset import unicode
from nn2eq.emit.typeset.tree import symbol
from nn2eq.proof import latex_reader
from nn2eq.proof.runners import Answer
from nn2eq.proof.typeset_text import (
    ACCENTS,
    PLAIN,
    as_latex,
    display,
    function,
    letter,
    number,
    said,
    sign,
    symbols,
    unreadable,
)

BELOW = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎₌ᵢⱼₖₙ", "0123456789+-()=ijkn", strict=True))
ABOVE = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ", "0123456789+-()n", strict=True)) | {"ᵀ": r"\top ", "′": r"\prime "}
_LOW, _HIGH = "".join(BELOW), "".join(ABOVE)
_TOKEN = re.compile(
    rf"\s*(?:(?P<below>[{_LOW}]+(?:,[{_LOW}]+)*)|(?P<above>[{_HIGH}]+)|(?P<number>[0-9]+(?:[.][0-9]+)?)"
    rf"|(?P<word>[^\W\d_][\u0300-\u036f\u20d7]|(?![{_LOW}{_HIGH}])[^\W\d_](?:(?![{_LOW}{_HIGH}])[^\W_])*)|(?P<other>\S))"
)
_LAYER = re.compile("⁽[⁰¹²³⁴⁵⁶⁷⁸⁹]+⁾")
_CASE = re.compile(r"\s*[⎧⎨⎪⎩] (.*)")
_MATRIX = re.compile(r"\s*[⎡⎢⎣\[] (.*) [⎤⎥⎦\]]")


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Read the equations of a text, and evaluate them at x (n, inputs). Raises BadRequest."""
    return latex_reader.run(latex(text), x)


def latex(text: str) -> str:
    """Return the equations of a text as LaTeX. Raises BadRequest."""
    known = said(line[1:] for line in text.splitlines() if line.startswith("#"))
    spelled = ((unicode.write(symbol(latex)).strip(), latex) for latex in symbols(known))
    names = {name: latex for name, latex in spelled if name}
    return as_latex(text, "#", known, lambda part: display(_rows(_uncommented(part), names)))


def _uncommented(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def _rows(lines: list[str], names: Mapping[str, str]) -> Iterator[str]:
    """Yield rows of LaTeX; a line that ends with = has its matrix below."""
    place = 0
    while place < len(lines):
        line = lines[place].rstrip()
        place += 1
        if not line.endswith("="):
            yield _Reader(line, names).all()
            continue
        rows = []
        while place < len(lines) and (match := _MATRIX.fullmatch(lines[place].rstrip())):
            rows.append(" & ".join(map(_entry, match[1].replace(" × ", "×").split())))
            place += 1
        name = "bmatrix"
        while (
            not (name == "bmatrix" and rows)
            and place < len(lines)
            and (match := _CASE.fullmatch(lines[place]))
        ):
            name = "cases"
            rows.append(_Reader(match[1], names).all())
            place += 1
        body = " \\\\\n".join(rows)
        yield f"{_Reader(line, names).all()} \\begin{{{name}}}\n{body}\n\\end{{{name}}}"


def _entry(text: str) -> str:
    """Return a number of a matrix; one with a power of ten is read like any formula."""
    return _Reader(text, {}).all() if {*text} & {"×", *ABOVE} else number(text)


class _Reader:
    """Reads a line, token by token, and writes it as LaTeX."""

    def __init__(self, text: str, names: Mapping[str, str]) -> None:
        self._text = text
        self._names = names
        self._known = (
            re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True)))) if names else None
        )
        self._at = 0
        self._in_bars = False
        self._deep = 0

    def all(self) -> str:
        """Read the whole line."""
        return self._until("")

    def _peek(self) -> re.Match[str] | None:
        return _TOKEN.match(self._text, self._at)

    def _next(self) -> re.Match[str] | None:
        token = self._peek()
        self._at = token.end() if token else len(self._text)
        return token

    def _until(self, stops: str) -> str:
        """Read up to one of some signs, which is left."""
        found = ""
        while (token := self._peek()) is not None:
            if token["other"] and token["other"] in stops:
                break
            found += (self._named() or self._one()) + " "
        return found

    def _named(self) -> str:
        """Read a name that the comment spells, "" if there is none here."""
        start = re.compile(r"\s*").match(self._text, self._at)
        assert start is not None
        match = self._known.match(self._text, start.end()) if self._known else None
        if match is None:
            return ""
        if re.match(
            rf"(?![{_HIGH}])[\w{_LOW}(\u0300-\u036f\u20d7]|_", self._text[match.end() :]
        ):  # the beginning of a longer name
            return ""
        self._at = match.end()
        return self._names[match[0]]

    def _one(self) -> str:
        token = self._next()
        assert token is not None
        if token["below"]:
            return "_{" + "".join(BELOW.get(char, char) for char in token["below"]) + "}"
        if token["above"]:
            power = token["above"].lstrip("′")
            primes = r"^{\prime}" * (len(token["above"]) - len(power))
            layer = _LAYER.match(power)  # whose transpose may follow
            parts = [power] if layer is None else [layer[0], power[layer.end() :]]
            return primes + "".join(f"^{{{''.join(ABOVE[c] for c in part)}}}" for part in parts if part)
        if token["number"]:
            return number(token["number"])
        if token["word"]:
            return self._word(token["word"])
        return self._sign(token["other"])

    def _sign(self, char: str) -> str:
        if char in "_^":
            return f"{char}{{{self._group()}}}"
        if char == "(" and self._deep:
            return f"({self._inside()})"
        if char in PLAIN:
            return rf"\mathbf{{{PLAIN[char]}}}"
        if char == "∂":
            return self._partial()
        if char == "[":
            return self._applied() if self._follows_name() else self._matrix()
        if char == "{":
            return self._cases()
        if char == "√":
            return rf"\sqrt{{{self._group()}}}"
        if char == "|":
            self._in_bars = not self._in_bars
            return r"\lvert " if self._in_bars else r"\rvert "
        return sign(char)

    def _partial(self) -> str:
        """Read ∂L/∂W, a derivative, or ∂L alone."""
        above = rf"\partial {self._indexed()}"
        match = re.compile("/∂").match(self._text, self._at)
        if match is None:
            return above
        self._at = match.end()
        return rf"\frac{{{above}}}{{\partial {self._indexed()}}}"

    def _indexed(self) -> str:
        """Read a name with its indices."""
        found = self._named() or self._one()
        while (token := self._peek()) and (token["below"] or token["above"] or token["other"] == "_"):
            found += self._one()
        return found

    def _follows_name(self) -> bool:
        """Whether a bracket stands right behind a letter or an index: f[z] is no product."""
        before = self._text[self._at - 2 : self._at - 1]
        return bool(re.match(rf"\w|[{_LOW}′)]", before))

    def _applied(self) -> str:
        if not self._deep:  # it may be closed in a later line
            return "["
        inner = self._until("]")
        self._close("]")
        return f"[{inner}]"

    def _group(self) -> str:
        """Read an index or an exponent: in brackets, or one token."""
        token = self._peek()
        if token is None:
            raise unreadable("an index that is missing")
        if token["other"] != "(":
            return self._one()
        self._next()
        return self._inside()

    def _inside(self) -> str:
        """Read up to the bracket that closes; elsewhere it may stand in a later line."""
        self._deep += 1
        inner = self._until(")")
        self._deep -= 1
        self._close(")")
        return inner

    def _close(self, char: str) -> None:
        token = self._next()
        if token is None or token["other"] != char:
            raise unreadable(f"a bracket without its {char}")

    def _matrix(self) -> str:
        """Read [a, b; c, d]."""
        rows = [""]
        self._deep += 1
        while True:
            rows[-1] += self._until(",;]")
            token = self._next()
            if token is None:
                raise unreadable("a matrix that does not end")
            if token["other"] == "]":
                break
            rows[-1] += " & " if token["other"] == "," else ""
            rows += [""] if token["other"] == ";" else []
        self._deep -= 1
        body = " \\\\\n".join(rows)
        return f"\\begin{{bmatrix}}\n{body}\n\\end{{bmatrix}}"

    def _cases(self) -> str:
        rows = []
        while True:
            rows.append(self._until(";}"))
            token = self._next()
            if token is None:
                raise unreadable("cases that do not end")
            if token["other"] == "}":
                break
        inside = r" \\ ".join(rows)
        return rf"\begin{{cases}} {inside} \end{{cases}}"

    def _word(self, word: str) -> str:
        if word in ("if", "otherwise"):
            return rf"& \text{{{word} }}"
        if len(word) == 2 and word[1] in ACCENTS:
            return f"\\{ACCENTS[word[1]]}{{{letter(word[0])}}}"
        if word in PLAIN:
            return rf"\mathbf{{{PLAIN[word]}}}"
        return letter(word) if len(word) == 1 else function(word)
