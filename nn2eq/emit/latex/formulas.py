"""Formulas of the activation table as LaTeX: quotients, exponents, cases, sums over units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import NamedTuple

from nn2eq import formula as fm
from nn2eq.emit.latex.pieces import (
    DIGIT,
    LINE,
    OPERATOR,
    TOP,
    Piece,
    Place,
    Term,
    bracketed,
    listed,
    negated,
    newline,
    symbol,
    times,
    total,
)  # fmt: skip
from nn2eq.emit.printing import ATOM, COMPARE, POWER, SIGN, SUM

RELATIONS: Mapping[str, str] = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "="}
FUNCTIONS: Mapping[str, str] = {
    "log": r"\ln", "log10": r"\log_{10}", "tanh": r"\tanh", "erf": r"\operatorname{erf}", "max": r"\max",
    "min": r"\min",
}  # fmt: skip
REDUCTIONS: Mapping[str, str] = {"sum": r"\sum", "largest": r"\max"}
WIDEST_FRACTION = 0.8 * LINE
WIDEST_EXPONENT = 190.0


class Units(NamedTuple):
    """The units of a group, which sums run over.

    under: what stands under a sum sign for an index; name: the unit that an index means. written: or else
    every unit by itself, and sums are written out. size: how many there are.
    """

    size: Piece
    under: Callable[[str], str] = str
    name: Callable[[str], Piece] = symbol
    written: tuple[Piece, ...] = ()


NO_UNITS = Units(symbol("n"))


class Writer(NamedTuple):
    """Writes a formula's tree as a piece, names replaced by pieces.

    place: where it will stand. at: the unit of each index while a sum is written out.
    """

    number: Callable[[float], str]
    names: Mapping[str, Piece]
    units: Units = NO_UNITS
    place: Place = TOP
    at: Mapping[str, Piece] | None = None

    def write(self, node: fm.Node) -> Piece:
        """Write a formula."""
        if node.op in _WRITE:
            return _WRITE[node.op](self, node)
        return bracketed(FUNCTIONS[node.op], self.listed(node.args))

    def listed(self, nodes: Sequence[fm.Node]) -> Piece:
        """Write arguments with commas between them."""
        pieces = [self.write(node) for node in nodes]
        return pieces[0] if len(pieces) == 1 else listed(pieces, self.place)


def _number(writer: Writer, node: fm.Node) -> Piece:
    text = writer.number(abs(node.value))
    piece = Piece(text, DIGIT * len(text))
    return total([Term(True, piece)]) if node.value < 0 else piece


def _name(writer: Writer, node: fm.Node) -> Piece:
    return writer.units.size if node.value == "count" else writer.names[node.value]


def _unit(writer: Writer, node: fm.Node) -> Piece:
    text = node.value[1]
    return writer.at[text] if writer.at and text in writer.at else writer.units.name(text)


def _sum(writer: Writer, node: fm.Node) -> Piece:
    """Write a sum with its signs merged: a - b, not a + -b."""
    return total([Term(negative, writer.write(part)) for negative, part in _signed(node)], writer.place)


def _signed(node: fm.Node, negative: bool = False) -> list[tuple[bool, fm.Node]]:
    match node:
        case fm.Node("+" | "-" as op, (left, right)):
            return [*_signed(left, negative), *_signed(right, negative != (op == "-"))]
        case fm.Node("neg", (inner,)) if inner.op not in "+-":
            return _signed(inner, not negative)
        case fm.Node("number", value=value) if value < 0:
            return [(not negative, fm.number(-value))]
        case fm.Node("*"):
            factors = sorted(_factors(node), key=lambda factor: factor.op != "number")
            for factor in factors:
                negative ^= _is_negative(factor)
            return [(negative, reduce(_times, map(_magnitude, factors)))]
    return [(negative, node)]


def _factors(node: fm.Node) -> list[fm.Node]:
    return [factor for arg in node.args for factor in _factors(arg)] if node.op == "*" else [node]


def _times(left: fm.Node, right: fm.Node) -> fm.Node:
    return fm.Node("*", (left, right))


def _is_negative(node: fm.Node) -> bool:
    return node.op == "number" and node.value < 0


def _magnitude(node: fm.Node) -> fm.Node:
    return fm.number(-node.value) if _is_negative(node) else node


def _negative(writer: Writer, node: fm.Node) -> Piece:
    inner = writer.write(node.args[0])
    return negated(inner) or total([Term(True, inner.within(SIGN))], writer.place)


def _product(writer: Writer, node: fm.Node) -> Piece:
    """Write factors side by side, numbers first; a dot where two of them would run together."""
    [(negative, node)] = _signed(node)
    if negative:
        return total([Term(True, _product(writer, node))], writer.place)
    left, right = (writer.write(arg).within(SIGN) for arg in node.args)
    if left.broken or right.broken or left.width + right.width > LINE - 2 * OPERATOR:
        return _broken_product(writer, left, right)
    return replace_strength(
        times(left.text, right)._replace(tall=max(left.tall, right.tall)), left.width + right.width
    )


def replace_strength(piece: Piece, width: float) -> Piece:
    """Return a product: it binds like one, whatever its factors do."""
    return piece._replace(strength=SIGN, width=width + DIGIT)


def _broken_product(writer: Writer, left: Piece, right: Piece) -> Piece:
    text = rf"{left.text} {newline(writer.place)}{{}}\cdot {right.text}"
    return Piece(text, right.width, SIGN, max(left.tall, right.tall), broken=True)


def _quotient(writer: Writer, node: fm.Node) -> Piece:
    top, bottom = (writer.write(arg) for arg in node.args)
    return fraction(top, bottom, writer.place)


def fraction(top: Piece, bottom: Piece, place: Place) -> Piece:
    """Return a fraction, written in one line with a slash if it is too wide for another."""
    if not (top.broken or bottom.broken) and max(top.width, bottom.width) < WIDEST_FRACTION:
        width = max(top.width, bottom.width) + 4
        return Piece(
            rf"\frac{{{top.text}}}{{{bottom.text}}}", width, ATOM, max(3, top.tall + 1, bottom.tall + 1)
        )
    top, bottom = top.within(SIGN), bottom.within(ATOM)
    text = f"{top.text} {newline(place)}{{}}/ {bottom.text}"
    return Piece(text, bottom.width, SIGN, max(top.tall, bottom.tall), broken=True)


def _power(writer: Writer, node: fm.Node) -> Piece:
    base, exponent = (writer.write(arg) for arg in node.args)
    if base.strength < ATOM or base.tall:
        base = bracketed("", base)
    return Piece(
        f"{base.text}^{{{exponent.text}}}", base.width + 0.7 * exponent.width, POWER, base.tall, base.broken
    )


def _exponential(writer: Writer, node: fm.Node) -> Piece:
    """Write e^z, or exp(z) where z is too long or too tall for an exponent."""
    exponent = writer.write(node.args[0])
    if exponent.broken or exponent.tall > 1 or exponent.width > WIDEST_EXPONENT:
        return bracketed(r"\exp", exponent)
    return Piece(f"e^{{{exponent.text}}}", DIGIT + 0.7 * exponent.width, POWER)


def _plus_one(sign: str, writer: Writer, node: fm.Node) -> Piece:
    one = fm.number(1)
    if sign == "+":
        return writer.write(fm.Node("log", (fm.Node("+", (one, node.args[0])),)))
    return writer.write(fm.Node("-", (fm.Node("exp", node.args), one)))


def _root(writer: Writer, node: fm.Node) -> Piece:
    inner = writer.write(node.args[0])
    if inner.broken:
        return bracketed("", inner)._replace(text=bracketed("", inner).text + r"^{1/2}", strength=POWER)
    return Piece(rf"\sqrt{{{inner.text}}}", inner.width + 9, ATOM, inner.tall + 1)


def _absolute(writer: Writer, node: fm.Node) -> Piece:
    return bracketed("", writer.write(node.args[0]), r"\lvert ", r"\rvert ")


def _comparison(writer: Writer, node: fm.Node) -> Piece:
    left, right = (writer.write(arg) for arg in node.args)
    text = f"{left.text} {RELATIONS[node.op]} {right.text}"
    return Piece(text, left.width + right.width + OPERATOR, COMPARE, max(left.tall, right.tall))


def _cases(writer: Writer, node: fm.Node) -> Piece:
    """Write where(c, a, where(d, b, e)) as one brace with three rows."""
    rows: list[str] = []
    widest = 0.0
    while node.op == "where":
        condition, value = (writer.write(arg) for arg in node.args[:2])
        rows.append(rf"{value.text} & \text{{if }} {condition.text}")
        widest = max(widest, value.width + condition.width + 30)
        node = node.args[2]
    rows.append(rf"{writer.write(node).text} & \text{{otherwise}}")
    text = r" \\ ".join(rows)
    return Piece(rf"\begin{{cases}} {text} \end{{cases}}", widest + 10, SIGN, 4)


def _reduction(writer: Writer, node: fm.Node) -> Piece:
    if writer.units.written:
        return _written_out(writer, node)
    inner = writer.write(node.args[0])
    if node.op == "largest" or inner.strength < SIGN:
        inner = bracketed("", inner)
    sign = rf"{REDUCTIONS[node.op]}_{{{writer.units.under(node.value)}}}"
    return Piece(f"{sign} {inner.text}", inner.width + 20, SUM, max(3, inner.tall))


def _written_out(writer: Writer, node: fm.Node) -> Piece:
    at = writer.at or {}
    parts = [
        writer._replace(at={**at, node.value: unit}).write(node.args[0]) for unit in writer.units.written
    ]
    if node.op == "sum":
        return total([Term(False, part.within(SIGN)) for part in parts], writer.place)
    return bracketed(FUNCTIONS["max"], listed(parts, writer.place))


_WRITE: Mapping[str, Callable[[Writer, fm.Node], Piece]] = {
    "number": _number, "name": _name, "unit": _unit, "+": _sum, "-": _sum, "neg": _negative, "*": _product,
    "/": _quotient, "**": _power, "exp": _exponential,
    "log1p": partial(_plus_one, "+"), "expm1": partial(_plus_one, "-"),
    "sqrt": _root, "abs": _absolute, "where": _cases, **dict.fromkeys(fm.COMPARISONS, _comparison),
    **dict.fromkeys(fm.REDUCTIONS, _reduction),
}  # fmt: skip
