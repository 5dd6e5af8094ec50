"""The numbers beside the symbols: each by its own symbol, as matrices, or as booktabs tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.latex.listing import ROWS
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import DIGIT, LINE, OPERATOR, Equation, Piece, symbol
from nn2eq.emit.latex.symbolic.naming import Naming
from nn2eq.emit.latex.symbolic.notations import Perceptron
from nn2eq.emit.latex.symbolic.style import Style
from nn2eq.emit.latex.weights import matrix

LABEL = 50.0
"""The width of a table's first column."""
GAP = 25.0
"""Between two equations side by side."""


@dataclass(frozen=True, eq=False)
class Beside:
    """Writes one text's numbers; spelled: matrices that the text spells out row by row are given row by row."""

    style: Style
    numbers: Numbers
    spelled: bool = True

    @property
    def _naming(self) -> Naming:
        return self.style.naming

    def singly(self) -> list[Equation]:
        """Return an equation a number, layer after layer, unit after unit."""
        layers = range(1, self._naming.depth + 1)
        return [equation for layer in layers for equation in self._singles(layer)]

    def _singles(self, layer: int) -> Iterator[Equation]:
        naming, link = self._naming, self._naming.link(layer)
        if link.kernel is not None:
            data = link.kernel.data
            for unit in range(link.sums.size):
                if link.offset is not None and naming.bias_first:
                    yield self._one(naming.bias(layer, unit), link.offset.data[unit])
                for arg in range(link.arg.size) if link.is_dense else (unit,):
                    number = data[arg, unit] if link.is_dense else data[unit]
                    yield self._one(naming.weight(layer, arg, unit), number)
                if link.offset is not None and not naming.bias_first:
                    yield self._one(naming.bias(layer, unit), link.offset.data[unit])
        yield from self._parameters(layer)

    def _parameters(self, layer: int) -> Iterator[Equation]:
        apply = self._naming.link(layer).apply
        for key, constant in apply.parameters.items() if apply else ():
            for unit, number in enumerate(constant.data):
                yield self._one(self._naming.parameter(layer, key, unit), number)

    def _one(self, name: str, number: Any) -> Equation:
        [text] = self.numbers.written(np.asarray(number).reshape(1))
        return Equation(symbol(name), Piece(text, DIGIT * len(text)))

    # ------------------------------------------------------------------------------------------------ matrices

    def matrices(self) -> list[list[Equation]]:
        """Return matrices, a block a layer: of symbols and numbers, or of the vectors' equations' own symbols."""
        layers = range(1, self._naming.depth + 1)
        if self.style.view != "vector":
            return [list(self._tables_of_symbols(layer)) for layer in layers]
        return [block for layer in layers for block in self._wholes(layer)]

    def _wholes(self, layer: int) -> Iterator[list[Equation]]:
        """Yield a layer's constants; where its matrix is spelled out, what stands in it."""
        naming = self._naming
        if self.spelled and isinstance(naming, Perceptron) and naming.is_spelled(layer):
            yield from self._lines(naming, layer)
        else:
            yield list(self._kernel_and_offset(layer))

    def _kernel_and_offset(self, layer: int) -> Iterator[Equation]:
        naming, link = self._naming, self._naming.link(layer)
        if link.kernel is not None:
            data = link.kernel.data
            kernel = data if data.ndim == 2 and naming.has_rows_of_inputs(layer) else data.T
            yield Equation(symbol(naming.kernel(layer)), self.array(kernel))
            if link.offset is not None:
                yield Equation(symbol(naming.offset(layer)), self.array(link.offset.data))
        yield from self._vectors(layer)

    def _vectors(self, layer: int) -> Iterator[Equation]:
        """Yield the vectors of an activation's parameters."""
        apply = self._naming.link(layer).apply
        for key, constant in apply.parameters.items() if apply else ():
            yield Equation(symbol(self._naming.parameters(layer, key)), self.array(constant.data))

    def _lines(self, naming: Perceptron, layer: int) -> Iterator[list[Equation]]:
        link = naming.link(layer)
        assert link.kernel is not None
        columns = enumerate(link.kernel.data.T)
        yield [
            Equation(symbol(naming.line(layer, unit)), self._matrix(one[:, None])) for unit, one in columns
        ]
        if link.offset is not None:
            biases = enumerate(link.offset.data)
            yield [self._one(naming.bias(layer, unit), number) for unit, number in biases]
        yield list(self._vectors(layer))

    def array(self, data: NDArray[Any]) -> Piece:
        """Write a matrix, or a vector as a column or a row."""
        vector = data[None, :] if self.style.row else data[:, None]
        return self._matrix(vector if data.ndim == 1 else data)

    def _matrix(self, data: NDArray[Any]) -> Piece:
        """Write a matrix; a single number stands by itself."""
        return self._one("", data.ravel()[0]).right if data.size == 1 else self._full(data)

    def _full(self, data: NDArray[Any]) -> Piece:
        """Write a matrix, be it of one number."""
        texts = self._texts(data)
        return matrix(map(" & ".join, texts), data.shape[1], max(len(text) for row in texts for text in row))

    def _tables_of_symbols(self, layer: int) -> Iterator[Equation]:
        """Yield a matrix of symbols and what it is, a row an input and a column a unit; the biases below."""
        naming, link = self._naming, self._naming.link(layer)
        if link.kernel is not None and link.is_dense:
            rows = [
                " & ".join(naming.weight(layer, arg, unit) for unit in range(link.sums.size))
                for arg in range(link.arg.size)
            ]
            yield Equation(matrix(rows, link.sums.size), self._full(link.kernel.data))
        elif link.kernel is not None:
            symbols = [naming.weight(layer, unit, unit) for unit in range(link.sums.size)]
            yield Equation(matrix([" & ".join(symbols)], len(symbols)), self._full(link.kernel.data[None, :]))
        if link.offset is not None:
            symbols = [naming.bias(layer, unit) for unit in range(link.sums.size)]
            yield Equation(matrix([" & ".join(symbols)], len(symbols)), self._full(link.offset.data[None, :]))
        yield from self._parameters(layer)

    # -------------------------------------------------------------------------------------------------- tables

    def tables(self) -> str:
        """Return a table a layer: a row an input, a column a unit, the biases in a row of their own."""
        naming = self._naming
        dense = (layer for layer in range(1, naming.depth + 1) if naming.link(layer).is_dense)
        blocks = (table for layer in dense for table in self._layer_tables(layer))
        return "".join(f"\\begin{{center}}\n{table}\\end{{center}}\n" for table in blocks)

    def loose(self) -> list[Equation]:
        """Return the numbers that no table holds, an equation each: of diagonal maps and of activations."""
        found: list[Equation] = []
        for layer in range(1, self._naming.depth + 1):
            is_dense, in_vectors = self._naming.link(layer).is_dense, self.style.view == "vector"
            if in_vectors:
                found += self._vectors(layer) if is_dense else self._kernel_and_offset(layer)
            else:
                found += self._parameters(layer) if is_dense else self._singles(layer)
        return found

    def _layer_tables(self, layer: int) -> Iterator[str]:
        """Cut a layer into tables that fit a page."""
        link = self._naming.link(layer)
        assert link.kernel is not None
        kernel = self._texts(link.kernel.data)
        bias = self._texts(link.offset.data[None, :]) if link.offset is not None else []
        widest = max(len(text) for row in [*kernel, *bias] for text in row)
        columns = max(1, int((LINE - LABEL) / (widest * DIGIT + OPERATOR)))
        for left in range(0, link.sums.size, columns):
            for top in range(0, len(kernel), ROWS):
                last = bias if top + ROWS >= len(kernel) else []
                yield self._table(layer, (top, left), kernel[top : top + ROWS], last, left + columns)

    def _texts(self, data: NDArray[Any]) -> list[list[str]]:
        texts = self.numbers.written(np.ascontiguousarray(data).ravel())
        return [texts[start : start + data.shape[1]] for start in range(0, len(texts), data.shape[1])]

    def _table(
        self, layer: int, at: tuple[int, int], kernel: list[list[str]], bias: list[list[str]], right: int
    ) -> str:
        """Write one table, what it holds in the corner, and what i and j are at the head of rows and columns."""
        naming, (top, left) = self._naming, at
        across, down = ("i", "j") if naming.units_first else ("j", "i")
        weight, offset = self._corner(layer)
        right = min(right, naming.link(layer).sums.size)
        units, args = list(range(left, right)), list(range(top, top + len(kernel)))
        heads = _headed(across, [self._head(layer, unit) for unit in units])
        labels = _headed(down, [self._head(layer - 1, arg) for arg in args])
        rows = [_row(label, row[left:right]) for label, row in zip(labels, kernel, strict=True)]
        below = [_row(f"${offset}$", row[left:right]) for row in bias]
        lines = [
            rf"\begin{{tabular}}{{l{'r' * len(units)}}}", r"\toprule", " & ".join([f"${weight}$", *heads]) + r" \\",
            r"\midrule", *rows, *([r"\midrule"] if below else []), *below, r"\bottomrule", r"\end{tabular}",
        ]  # fmt: skip
        return "\n".join(lines) + "\n"

    def _corner(self, layer: int) -> tuple[str, str]:
        """Return what a table holds: any weight and any bias, or a whole matrix, a row an input, and its vector."""
        naming = self._naming
        if self.style.view != "vector":
            return naming.template(layer)
        kernel = naming.kernel(layer) if naming.has_rows_of_inputs(layer) else naming.turned(layer)
        return kernel, naming.offset(layer)

    def _head(self, layer: int, unit: int) -> str:
        naming = self._naming
        return str(unit + naming.first) if self.style.view == "vector" else naming.head(layer, unit)


def _headed(letter: str, heads: list[str]) -> list[str]:
    return [f"${letter} = {heads[0]}$", *(f"${head}$" for head in heads[1:])]


def _row(label: str, cells: list[str]) -> str:
    return " & ".join([label, *(f"${cell}$" for cell in cells)]) + r" \\"


def side_by_side(equations: list[Equation]) -> str:
    """Set short equations several to a line."""
    if not equations:
        return ""
    widest = max(left.width + right.width for left, right in equations) + OPERATOR + GAP
    columns = max(1, min(6, int(LINE / widest), len(equations)))
    lines = [
        r" &\qquad ".join(
            f"{left.text} &= {right.text}" for left, right in equations[start : start + columns]
        )
        for start in range(0, len(equations), columns)
    ]
    body = " \\\\\n".join(lines)
    return f"\\begin{{alignat*}}{{{columns}}}\n{body}\n\\end{{alignat*}}\n"
