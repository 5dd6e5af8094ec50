"""The numbers beside equations in symbols: as matrices, or as booktabs tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import DIGIT, LINE, OPERATOR, Equation, symbol
from nn2eq.emit.latex.weights import bmatrix, entry, name
from nn2eq.forms.program import Affine, Apply, Constant, Function, Step

ROWS = 40
"""Rows of one table, so that it fits on a page."""
LABEL = 50.0
"""The width of a table's first column."""


def matrices(function: Function, numbers: Numbers) -> list[list[Equation]]:
    """Return W_1 = ... and b_1 = ..., a block a layer."""
    layers = _layers(function)
    return [[Equation(symbol(name(c)), bmatrix(numbers, c)) for c in layer] for layer in layers]


def _layers(function: Function) -> Iterator[list[Constant]]:
    """Yield the constants of each step, those that no step before it has used."""
    seen: set[str] = set()
    for step in function.steps:
        found = [constant for constant in _constants(step) if constant.name not in seen]
        seen.update(constant.name for constant in found)
        if found:
            yield found


def _constants(step: Step) -> list[Constant]:
    if isinstance(step, Affine):
        return [*(term.matrix for term in step.terms), *([] if step.offset is None else [step.offset])]
    return list(step.parameters.values()) if isinstance(step, Apply) else []


def tables(function: Function, numbers: Numbers) -> str:
    """Return a table a layer: a row an input, a column a unit, the biases in the last row."""
    blocks = (table for layer in _layers(function) for table in _tables(layer, numbers))
    return "".join(f"\\begin{{center}}\n{table}\\end{{center}}\n" for table in blocks)


def _tables(constants: list[Constant], numbers: Numbers) -> Iterator[str]:
    """Cut a layer into tables that fit a page."""
    texts = {constant.name: _texts(constant, numbers) for constant in constants}
    widest = max(len(text) for rows in texts.values() for row in rows for text in row)
    columns = max(1, int((LINE - LABEL) / (widest * DIGIT + OPERATOR)))
    kernels = [constant for constant in constants if constant.data.ndim == 2]
    vectors = [constant for constant in constants if constant.data.ndim == 1]
    for left in range(0, constants[0].data.shape[-1], columns):
        for kernel in kernels:
            rows = texts[kernel.name]
            for top in range(0, len(rows), ROWS):
                below = vectors if top + ROWS >= len(rows) else []
                yield _table(
                    kernel, rows[top : top + ROWS], below, texts, slice(left, left + columns), top + 1
                )
        if not kernels:
            yield _table(None, [], vectors, texts, slice(left, left + columns), 1)


def _texts(constant: Constant, numbers: Numbers) -> list[list[str]]:
    data: NDArray[Any] = np.atleast_2d(constant.data)
    texts = numbers.written(data.ravel())
    columns = data.shape[1]
    return [texts[start : start + columns] for start in range(0, len(texts), columns)]


def _table(
    kernel: Constant | None,
    rows: list[list[str]],
    vectors: list[Constant],
    texts: Mapping[str, list[list[str]]],
    columns: slice,
    top: int,
) -> str:
    """Write one table: the kernel in the corner, its rows numbered, vectors under it by their symbols."""
    shown = [row[columns] for row in rows]
    last = [texts[vector.name][0][columns] for vector in vectors]
    count = len((shown or last)[0])
    corner = f"${entry(kernel, 'i', 'j')}$" if kernel else ""
    heads = [f"$j = {columns.start + 1}$", *(f"${columns.start + k}$" for k in range(2, count + 1))]
    labels = [f"$i = {top}$", *(f"${top + k}$" for k in range(1, len(shown)))]
    names = [f"${entry(vector, 'j')}$" for vector in vectors]
    between = [r"\midrule"] if shown and last else []
    lines = [
        rf"\begin{{tabular}}{{l{'r' * count}}}", r"\toprule", _row(corner, heads), r"\midrule",
        *(_row(label, _set(row)) for label, row in zip(labels, shown, strict=False)), *between,
        *(_row(label, _set(row)) for label, row in zip(names, last, strict=True)),
        r"\bottomrule", r"\end{tabular}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _row(label: str, cells: list[str]) -> str:
    return " & ".join([label, *cells]) + r" \\"


def _set(texts: list[str]) -> list[str]:
    return [f"${text}$" for text in texts]
