r"""Numbers put in for the symbols of a formula: x_0 W_{x_0,r_0} + b_{r_0} becomes 0.5 \cdot 1.25 - 0.75."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from nn2eq.emit.latex.pieces import LINE, OPERATOR, Piece, Place, newline, width

_MATRIX = r"\begin{"
_BROKEN = re.compile(r" ?\\\\(?:\[[^\]]*\])?\n&(?:\\quad)* ?(?:\{\})?")
_COLOUR = r"\\textcolor\{[a-z]+\}\{"
_ALONE = re.compile(rf"^{_COLOUR}([^{{}}]*(?:\{{[^{{}}]*(?:\{{[^{{}}]*\}}[^{{}}]*)*\}})?[^{{}}]*)\}}$")
_INDEX = r"(?:_(?:\{(?:[^{}]|\{[^{}]*\})*\}|\\[A-Za-z]+|\w))"
_SYMBOL = rf"(?:\\operatorname\{{\w+\}}|\\[A-Za-z]+|[A-Za-z])'*(?:\^\{{\(\d+\)\}})?{_INDEX}?'*"
_PARTIAL = r"\\frac\{\\partial [^{}]*(?:\{[^{}]*\}[^{}]*)*\}\{\\partial [^{}]*(?:\{[^{}]*\}[^{}]*)*\}"
_PASSED = re.compile(
    r"\\(?:frac|odot|otimes|cdot|times|bigl|bigr|Bigl|Bigr|biggl|biggr|Biggl|Biggr|left|right|lvert|rvert|pi)|e(?=\^)"
)
"""What is no symbol."""
_TALL = re.compile(r"([(\[])(\\begin\{bmatrix\}[^()]*?\\end\{bmatrix\})([)\]])")
"""A matrix in brackets, which must grow with it."""
_ENDS = (")", "]", "}", r"\rvert")


def put_in(formula: Piece, numbers: Mapping[str, Piece]) -> tuple[Piece, set[str]] | None:
    """Return a formula with numbers in place of its symbols, and these; None if one has no number, or it is but one.

    numbers: by symbol, calls of functions among them; functions that are applied to a number stay.
    """
    text = _BROKEN.sub(" ", formula.text)
    if not numbers or _ALONE.sub(r"\1", text) in numbers:
        return None
    filling = _Filling(text, numbers)
    return (filling.piece(formula.tall), filling.used) if filling.done() else None


class _Filling:
    """Goes through a formula from the left to the right."""

    def __init__(self, text: str, numbers: Mapping[str, Piece]) -> None:
        known = "|".join(map(re.escape, sorted(numbers, key=len, reverse=True)))
        self._token = re.compile(
            rf"(?P<known>(?:{known})(?![A-Za-z_']))|(?P<colour>{_COLOUR})|(?P<partial>{_PARTIAL})"
            rf"|(?P<symbol>{_SYMBOL})|(?P<number>\d+(?:\.\d+)?)|(?P<space>\s+)|(?P<other>\\?.)",
            re.DOTALL,
        )
        self._text, self._numbers = text, numbers
        self.used: set[str] = set()
        self._parts: list[str] = []
        self._before = ""
        self._braces: list[bool] = []
        self._width = 0.0

    def done(self) -> bool:
        """Put all numbers in; return whether there is one for every symbol, and anything to calculate."""
        found = [self._take(match) for match in self._token.finditer(self._text)]
        return all(found)

    def piece(self, tall: int) -> Piece:
        """Return what became of the formula, over several lines if it is wider than there is room."""
        text = _TALL.sub(r"\\left\1\2\\right\3", "".join(self._parts))
        if self._width <= LINE or _MATRIX in text:
            return Piece(text, self._width, tall=tall)
        return Piece(_filled(text), LINE, tall=tall, broken=True)

    def _take(self, match: re.Match[str]) -> bool:
        token, kind = match[0], match.lastgroup
        if kind == "known":
            self.used.add(token)
            self._number(self._numbers[token], match.end())
        elif kind == "colour":
            self._dot()
            self._braces.append(True)
            self._parts.append(token)
        elif kind == "partial":
            return False
        elif kind == "symbol":
            is_called = self._text[match.end() : match.end() + 1] in ("(", "[")
            macro = token.startswith("\\") and self._text[match.end() : match.end() + 5] in (
                r"\bigl",
                r"\Bigl",
            )
            if not (is_called or macro or _PASSED.match(self._text, match.start())):
                return False
            if is_called or macro:
                self._dot(only_digits=True)
            self._add(token, token)
        elif kind == "space":
            self._parts.append(" ")
        else:
            self._other(token)
        return True

    def _other(self, token: str) -> None:
        """Take a sign, a bracket or a number."""
        if token == "{":
            self._braces.append(False)
        if token == "}" and self._braces.pop():
            self._parts.append(token)  # the end of a colour, which says nothing
            return
        self._add(token, token)

    def _add(self, text: str, before: str) -> None:
        self._parts.append(text)
        self._before = before
        self._width += OPERATOR if text in ("+", "-") else width(text)

    def _dot(self, *, only_digits: bool = False) -> None:
        """Put a dot between a factor and the number that follows; only_digits: between a number and a function."""
        if (self._before in _ENDS and not only_digits) or self._before[-1:].isdigit():
            self._parts.append(r"\cdot " if self._parts[-1] == " " else r" \cdot ")
            self._before = r"\cdot"
            self._width += OPERATOR

    def _number(self, number: Piece, end: int) -> None:
        text, follows = number.text, self._text[end : end + 1]
        if not text.startswith(_MATRIX):
            self._dot()
            is_power = follows == "^" and (text.startswith("-") or " " in text)
            if text.startswith("-") and self._before == "+" and not is_power:
                self._parts[max(k for k, part in enumerate(self._parts) if part == "+")] = "-"
                text = text[1:]
            elif is_power or (text.startswith("-") and self._before not in ("", "(", "[", "{")):
                text = f"({text})"
        self._parts.append(text)
        self._before = "0" if not text.startswith(_MATRIX) else "]"
        self._width += number.width


def _filled(text: str) -> str:
    """Break a long sum at its signs, be they outside of brackets or within one pair."""
    lines, at = [""], 0.0
    for part in _terms(text):
        wide = width(part) + OPERATOR * (1 + part.count(r"\cdot"))
        if at and at + wide > LINE:
            lines.append("{}")
            at = 0.0
        lines[-1] += part if lines[-1] not in ("", "{}") else part.lstrip()
        at += wide
    return f" {newline(Place())}".join(line.rstrip() for line in lines)


def _terms(text: str) -> Iterator[str]:
    """Cut a text in front of the signs between its terms."""
    depth, start = 0, 0
    for match in re.finditer(r"[({\[]|[)}\]]| [-+] ", text):
        depth += (match[0] in "({[") - (match[0] in ")}]")
        if match[0].strip() in ("+", "-") and depth < 2:
            yield text[start : match.start()]
            start = match.start()
    yield text[start:]
