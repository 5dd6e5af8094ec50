"""Formulas as spreadsheets have them: their functions, their numbers of 15 digits, and what one cell may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit.code.routines import multiplied
from nn2eq.emit.options import Options
from nn2eq.emit.printing import Infix, Text, number
from nn2eq.emit.pythonic import depth
from nn2eq.errors import CannotEmit
from nn2eq.forms.size import Spelling

LONGEST = 8_192
"""Characters that Excel reads in one formula."""
DEEPEST = 64
"""Functions within functions that it reads."""
MOST = 255
"""Arguments that it reads of one function."""
SMALLEST, LARGEST = 2.2250738585072014e-308, 9.99999999999999e307
"""The numbers, 0 and signs apart, that it knows."""
DIGITS = 15
"""Significant digits that it reads of a number in a formula; the rest it takes for zeros."""

_LOG1P = fm.parse("where(abs((1 + z) - 1) > 0, log(1 + z) * (z / ((1 + z) - 1)), z)")
_EXPM1 = fm.parse("tanh(z / 2) * (exp(z) + 1)")
_LACKED: Mapping[str, fm.Node] = {"log1p": _LOG1P, "expm1": _EXPM1}
"""Functions that a spreadsheet lacks, as formulas that are accurate where z is small."""


def literal(value: float) -> str:
    """Write a number so that 15 digits of each part give all of it: (0.100000001490116+1.19E-16).

    Raises CannotEmit for a number that a spreadsheet does not know.
    """
    require_known(value)
    first = float(f"{value:.{DIGITS}g}")
    if first == value:
        return _short(value)
    rest = value - first  # exact: the two are close
    digits = next(digits for digits in range(1, DIGITS + 1) if first + float(f"{rest:.{digits}g}") == value)
    return f"({_short(first)}{_signed(float(f'{rest:.{digits}g}'))})"


def require_known(value: float) -> None:
    """Raise CannotEmit for a number that a spreadsheet does not know: one too large, too small, or none."""
    if value != 0.0 and not SMALLEST <= abs(value) <= LARGEST:
        what = f"a spreadsheet cannot hold the number {value!r}"
        raise CannotEmit(what, code="number-range", way_out="use another format")


def _short(value: float) -> str:
    text = number(value).upper()
    return text.removesuffix(".0")


def _signed(value: float) -> str:
    text = _short(value)
    return text if text.startswith("-") else f"+{text}"


class _Cells(Infix):
    """Formulas over cells: the largest of many numbers is one function of all of them."""

    def write(self, node: fm.Node, names: Mapping[str, Text]) -> Text:
        if node.op in ("max", "min"):
            texts = [self.write(part, names).text for part in _flat(node, node.op)]
            if len(texts) <= MOST:
                return Text(f"{node.op.upper()}({', '.join(texts)})")
        return super().write(node, names)


def _flat(node: fm.Node, op: str) -> Iterator[fm.Node]:
    if node.op != op:
        yield node
        return
    for arg in node.args:
        yield from _flat(arg, op)


CELLS = _Cells(
    {
        **{name: f"{name.upper()}({{0}})" for name in ("exp", "log10", "sqrt", "tanh", "abs", "erf")},
        "log": "LN({0})", "max": "MAX({0}, {1})", "min": "MIN({0}, {1})", "where": "IF({0}, {1}, {2})",
    },
    number=literal,
    power="POWER({0}, {1})",
    operators={"==": "="},
)  # fmt: skip


def spelling_of(options: Options) -> Spelling:
    """Return how activations are written."""
    return spelled


def spelled(activation: Activation) -> fm.Node:
    """Spell an activation by the formula to run, in the functions that a spreadsheet has."""
    return in_cells(activation.stable)


def in_cells(node: fm.Node) -> fm.Node:
    """Return a formula in the functions that a spreadsheet has."""
    node = multiplied(node)
    args = tuple(in_cells(arg) for arg in node.args)
    if node.op in _LACKED:
        return multiplied(fm.substitute(_LACKED[node.op], {"z": args[0]}))
    return fm.Node(node.op, args, node.value)


def fits(text: str) -> bool:
    """Whether Excel reads a formula in one cell."""
    return len(text) < LONGEST and depth(text) <= DEEPEST


def column(index: int) -> str:
    """Return the letters of a column, counted from 0: A ... Z, AA ..."""
    letters = ""
    while index >= 0:
        letters, index = chr(ord("A") + index % 26) + letters, index // 26 - 1
    return letters
