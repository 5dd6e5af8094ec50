"""The numbers beside equations in symbols: as matrices, or as booktabs tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.weights import bmatrix, entry, name
from nn2eq.forms.program import Constant, Function

COLUMNS = 5
"""Units that stand side by side in a table: with all their digits they fill a line."""
ROWS = 40
"""Rows of one table, so that it fits on a page."""


def listing(function: Function, numbers: Numbers, kind: str) -> str:
    """Return the numbers of every constant, "" where they stand in the equations."""
    return _LISTINGS[kind](list(function.constants), numbers)


def _inline(constants: list[Constant], numbers: Numbers) -> str:
    return ""


def _matrices(constants: list[Constant], numbers: Numbers) -> str:
    lines = (f"{name(constant)} &= {bmatrix(numbers, constant)}" for constant in constants)
    return "\\begin{align*}\n" + " \\\\[1ex]\n".join(lines) + "\n\\end{align*}\n"


def _tables(constants: list[Constant], numbers: Numbers) -> str:
    return "\n".join(table for constant in constants for table in _blocks(constant, numbers))


def _blocks(constant: Constant, numbers: Numbers) -> Iterator[str]:
    """Cut a constant into tables that fit a page: a row an input, a column a unit."""
    data = np.atleast_2d(constant.data)
    for top in range(0, data.shape[0], ROWS):
        for left in range(0, data.shape[1], COLUMNS):
            yield _table(constant, numbers, data[top : top + ROWS, left : left + COLUMNS], top + 1, left + 1)


def _table(constant: Constant, numbers: Numbers, data: np.ndarray, top: int, left: int) -> str:
    columns = data.shape[1]
    is_vector = constant.data.ndim == 1
    heads = [f"$j = {left}$", *(f"${j}$" for j in range(left + 1, left + columns))]
    corner = f"${entry(constant, 'j') if is_vector else entry(constant, 'i', 'j')}$"
    texts = [f"${text}$" for text in numbers.written(data.ravel())]
    rows = []
    for row in range(len(data)):
        label = "" if is_vector else f"$i = {row + top}$" if row == 0 else f"${row + top}$"
        rows.append(" & ".join([label, *texts[row * columns : (row + 1) * columns]]) + r" \\")
    return "\n".join([
        rf"\begin{{tabular}}{{l{'r' * columns}}}", r"\toprule", " & ".join([corner, *heads]) + r" \\", r"\midrule",
        *rows, r"\bottomrule", r"\end{tabular}", "",
    ])  # fmt: skip


_LISTINGS: Mapping[str, Callable[[list[Constant], Numbers], str]] = {
    "inline": _inline, "matrix": _matrices, "table": _tables,
}  # fmt: skip
