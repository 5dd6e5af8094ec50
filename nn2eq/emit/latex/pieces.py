"""Pieces of typeset mathematics, and the sums that join them, broken into lines that fit the page.

Widths are estimated in points of a ten point text. A text that holds line breaks stands inside an `align*`,
so no group in braces may hold one: fractions and exponents are flat, and what does not fit is written with
brackets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from nn2eq.emit.printing import ATOM, SIGN, SUM

LINE = 410.0
"""The width of the right-hand sides: with the left-hand side less than the 16 cm of a usual A4 page."""
QUAD = 10.0
START = 85.0
"""Room for what stands before an inner sum on its first line: a sign, a coefficient, a function's name."""
SHORT = 25.0
"""What may stand in front of a broken argument without a line break between them: the 0 of a maximum."""
DEEPEST = 12
"""Sums within sums that are indented one by one."""
BREAK = "\\\\"
OPERATOR, DIGIT, BRACKETS, POWER_OF_TEN = 12.2, 5.0, 8.0, 9.0
"""How wide a sign between terms is with the room around it, a digit, two brackets, what a power of ten adds."""

SIZES = ("", r"\big", r"\Big", r"\bigg", r"\Bigg")
MATRIX = 100
"""How tall a matrix is: brackets around it grow with it, since it never stands in a text that is broken."""
_MACRO = re.compile(r"\\(?:times|operatorname|mathrm|quad)|\\[A-Za-z]+|[{}\\_^ ]")


class Piece(NamedTuple):
    """A text, how strongly it binds, and how it is set.

    width: of a flat piece; of a broken one, where its last line ends, from the left edge of the right-hand
    sides. tall: which of SIZES the brackets around it need.
    """

    text: str
    width: float
    strength: int = ATOM
    tall: int = 0
    broken: bool = False

    def within(self, strength: int) -> Piece:
        """Return the piece, in brackets where the place binds more strongly."""
        return self if self.strength >= strength else bracketed("", self)


class Place(NamedTuple):
    """Where a piece will stand: inside of how many sums, which indent it, and behind how much on its line."""

    level: int = 0
    start: float = 0.0

    def outside(self) -> Place:
        """Return the place around a sum."""
        return Place(max(0, self.level - 1), self.start)


TOP = Place()


class Equation(NamedTuple):
    """Left and right-hand side."""

    left: Piece
    right: Piece


class Term(NamedTuple):
    """A summand and its sign."""

    negative: bool
    piece: Piece


def width(text: str) -> float:
    """Estimate how wide a short text is set."""
    digits = len(_MACRO.sub("", text)) + sum(
        len(name) <= 8 and name.isalpha() for name in text.split("\\")[1:]
    )
    return DIGIT * digits - 1.8 * text.count("_") * 2 + POWER_OF_TEN * text.count(r"\times")


def symbol(text: str) -> Piece:
    """Return a name as a piece."""
    return Piece(text, width(text))


def bracketed(name: str, arg: Piece, opening: str = "(", closing: str = ")") -> Piece:
    """Return name(arg), the brackets large enough."""
    if arg.tall >= MATRIX:
        left, right = rf"\left{opening}", rf"\right{closing}"
    else:
        size = SIZES[min(arg.tall, len(SIZES) - 1)]
        left, right = (f"{size}l{opening}", f"{size}r{closing}") if size else (opening, closing)
    around = width(name) + BRACKETS
    return Piece(f"{name}{left}{arg.text}{right}", arg.width + around, ATOM, arg.tall + 1, arg.broken)


def times(factor: str, piece: Piece) -> Piece:
    """Return a coefficient, "1" or any text that may stand in front, times a piece that is no sum."""
    if factor == "1":
        return piece
    dot = between(factor, piece.text)
    around = 0.0 if piece.broken else width(factor) + (DIGIT if dot != " " else 1.5)
    return Piece(f"{factor}{dot}{piece.text}", piece.width + around, SIGN, piece.tall, piece.broken)


def between(left: str, right: str) -> str:
    r"""Return what stands between two factors: a dot before a number, a little room beside words, 2 \, \mathrm{age}."""
    if starts_with_digit(right):
        return r" \cdot "
    return r" \, " if right.startswith((r"\frac", *_WORDS)) or left.startswith(_WORDS) else " "


_WORDS = (r"\mathrm{", r"\text{")


def starts_with_digit(text: str) -> bool:
    """Whether a number in front of the text would run into it."""
    return text.lstrip("{")[:1].isdigit()


def total(terms: Sequence[Term], place: Place = TOP, *, own_line: bool = False) -> Piece:
    """Return the sum of terms, over several lines if it is wider than there is room.

    own_line: begin on a new line if the first term is broken itself, lest what stands before them adds up.
    """
    if not terms:
        return Piece("0", DIGIT)
    if len(terms) == 1 and not terms[0].negative:
        return terms[0].piece
    pieces = [term.piece for term in terms]
    tall = max(piece.tall for piece in pieces)
    if _width(pieces) > LINE - QUAD * place.level - place.start or any(piece.broken for piece in pieces):
        text, end = _filled(terms, place, own_line=own_line and place.start > 0 and pieces[0].broken)
        return Piece(text, end, SUM, tall, "\n" in text)
    return flat(terms)


def negated(piece: Piece) -> Piece | None:
    """Return a sum of plain products with all its signs changed, None for any other piece."""
    if piece.broken or _COMPOSED.search(piece.text) or piece.strength != SUM:
        return None
    text = piece.text.replace(" + ", "\0").replace(" - ", " + ").replace("\0", " - ")
    return piece._replace(text=text[1:] if text.startswith("-") else "-" + text)


_COMPOSED = re.compile(r"[(]|\\(?:frac|sqrt|begin|sum|[lr]vert)|\{[^{}]* [-+] ")


def flat(terms: Sequence[Term]) -> Piece:
    """Return the sum of terms on one line, however long it is."""
    pieces = [term.piece for term in terms]
    if len(terms) == 1 and not terms[0].negative:
        return pieces[0]
    return Piece(_flat(terms), _width(pieces), SUM, max(piece.tall for piece in pieces))


def _width(pieces: Sequence[Piece]) -> float:
    return sum(piece.width for piece in pieces) + OPERATOR * (len(pieces) - 1)


def _flat(terms: Sequence[Term]) -> str:
    text = "".join((" - " if negative else " + ") + piece.text for negative, piece in terms)
    return "-" + text[3:] if terms[0].negative else text[3:]


def _filled(terms: Sequence[Term], place: Place, *, own_line: bool) -> tuple[str, float]:
    """Fill lines with terms; return the text and where its last line ends."""
    line = " " + newline(place) + "{}"
    left = QUAD * (place.level + 1)
    parts: list[str] = []
    at = left if own_line else place.start
    for negative, piece in terms:
        if not parts:
            parts.append((newline(place) if own_line else "") + ("-" if negative else ""))
        elif piece.broken or at + piece.width + OPERATOR > LINE:
            parts.append(line + ("- " if negative else "+ "))
            at = left
        else:
            parts.append(" - " if negative else " + ")
        parts.append(piece.text)
        at = piece.width if piece.broken else at + piece.width + OPERATOR
    return "".join(parts), at


def newline(place: Place) -> str:
    """Break a line, and indent the next by as many sums as it stands inside of, and one."""
    return f"{BREAK}\n&" + "\\quad" * min(place.level + 1, DEEPEST) + " "


def listed(pieces: Sequence[Piece], place: Place = TOP) -> Piece:
    """Return pieces with commas between them, over several lines if need be."""
    line = ", " + newline(place)
    at, tall = place.start + pieces[0].width, max(piece.tall for piece in pieces)
    parts, broken = [pieces[0].text], pieces[0].broken
    for piece in pieces[1:]:
        text = piece.text
        if text.startswith(BREAK):  # it begins on a line of its own: a little apart from the one before
            parts.append(f", {BREAK}[1ex]")
            text = text[len(BREAK) :]
        elif (broken or at > place.start + SHORT) and (piece.broken or at + piece.width > LINE):
            parts.append(line)
            at, broken = QUAD * (place.level + 1), True
        else:
            parts.append(", ")
        parts.append(text)
        at = piece.width if piece.broken else at + piece.width + DIGIT
        broken |= piece.broken
    return Piece("".join(parts), at if broken else at - place.start, SUM, tall, broken)
