"""What is left of layers without activations: one affine map, as a derivation and as numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.latex.pieces import Equation, Piece, listed, symbol
from nn2eq.emit.latex.symbolic.beside import Beside
from nn2eq.emit.latex.symbolic.links import Link
from nn2eq.emit.latex.symbolic.style import Style
from nn2eq.emit.latex.symbolic.vector import Vectors
from nn2eq.emit.latex.weights import matrix
from nn2eq.forms.rounded import significant

Array = NDArray[np.float64]
Run = tuple[int, int]
"""The first and the last layer of a run."""


def runs(links: tuple[Link, ...]) -> list[Run]:
    """Return where kernels follow one another without an activation between them."""
    found: list[list[int]] = []
    for one, two in pairwise(links):
        if one.apply is None and one.is_dense and two.is_dense:
            if found and found[-1][1] == one.number:
                found[-1][1] = two.number
            else:
                found.append([one.number, two.number])
    return [(first, last) for first, last in found]


@dataclass(frozen=True, eq=False)
class Derivation:
    """Writes what each run amounts to; beside: how numbers are written, None to show symbols alone.

    digits: to how many they are rounded, 0 if they are exact.
    """

    style: Style
    vectors: Vectors
    beside: Beside | None
    digits: int = 0

    def blocks(self) -> list[list[Equation]]:
        """Return a block a run: its matrices if only their entries are known, W and b, and the answer by them."""
        return [list(self._block(run)) for run in runs(self.style.naming.links)]

    def _block(self, run: Run) -> Iterator[Equation]:
        first, last = run
        if self.style.view != "vector":
            for layer in range(first, last + 1):
                yield from self._of_symbols(layer)
        kernel, bias = self._names(run)
        data, offset = self._numbers(run)
        yield Equation(symbol(kernel), self._also(self._product(run), data))
        if offset is not None:
            yield Equation(symbol(bias), self._also(self._sum(run), offset))
        yield self._answer(run, kernel, bias if offset is not None else "")

    def _names(self, run: Run) -> tuple[str, str]:
        """Return the symbols of the one map: W and b where it is the whole network."""
        mark = "" if run == (1, self.style.naming.depth) else rf"_{{{run[0]} \to {run[1]}}}"
        return f"W{mark}", f"b{mark}"

    def _product(self, run: Run) -> str:
        layers = range(run[0], run[1] + 1)
        return " ".join(self._factors(layers))

    def _factors(self, layers: range) -> list[str]:
        """Return matrices in the order in which they stand: rows from the first on, columns from the last."""
        factors = [self._factor(layer) for layer in layers]
        return factors if self.style.row else factors[::-1]

    def _factor(self, layer: int) -> str:
        naming = self.style.naming
        as_it_is = naming.has_rows_of_inputs(layer) == self.style.row
        return naming.kernel(layer) if as_it_is else naming.turned(layer)

    def _sum(self, run: Run) -> str:
        """Write what becomes of each layer's bias in the layers behind it, the first one's first."""
        naming, (first, last) = self.style.naming, run
        terms = []
        for layer in range(first, last + 1):
            if naming.link(layer).offset is not None:
                behind = self._factors(range(layer + 1, last + 1))
                own = naming.offset(layer)
                terms.append(" ".join([own, *behind] if self.style.row else [*behind, own]))
        return " + ".join(terms)

    def _numbers(self, run: Run) -> tuple[Array, Array | None]:
        """Multiply out in float64: the matrix as vectors of this orientation take it, and the bias."""
        kernel, bias = None, None
        for layer in range(run[0], run[1] + 1):
            link = self.style.naming.link(layer)
            assert link.kernel is not None
            own = link.kernel.data.astype(np.float64)
            kernel = own if kernel is None else kernel @ own
            bias = bias if bias is None else bias @ own
            if link.offset is not None:
                bias = link.offset.data.astype(np.float64) + (0.0 if bias is None else bias)
        assert kernel is not None
        return (kernel if self.style.row else kernel.T), bias

    def _also(self, text: str, data: NDArray[Any]) -> Piece:
        """Write what is derived, and if numbers are shown the number that it comes to."""
        derived = symbol(text)
        if self.beside is None:
            return derived
        number = self.beside.array(significant(data, self.digits) if self.digits else data)
        return number._replace(text=f"{derived.text} = {number.text}", width=derived.width + number.width)

    def _answer(self, run: Run, kernel: str, bias: str) -> Equation:
        """Write the last layer's answer once more, from the first layer's arguments."""
        naming, (first, last) = self.style.naming, run
        arg = self._vector(first - 1)
        inner = f"{arg} {kernel}" if self.style.row else f"{kernel} {arg}"
        right = symbol(f"{inner} + {bias}" if bias else inner)
        link = naming.link(last)
        if link.apply is None:
            return Equation(symbol(self._vector(last)), right)
        if not link.is_whole or self.style.view != "vector":
            return Equation(
                self.vectors.stack([naming.pre(last, unit) for unit in range(link.sums.size)]), right
            )
        own = (symbol(naming.parameters(last, key)) for key in link.apply.parameters)
        return Equation(symbol(self._vector(last)), self.vectors.calls.apply(last, listed([right, *own])))

    def _vector(self, layer: int) -> str:
        """Return a layer's vector: by its symbol, or where its units alone have names as a stack of them."""
        naming = self.style.naming
        if self.style.view == "vector" and not (layer == naming.depth and naming.outputs[1:]):
            return naming.whole(layer)
        units = naming.units(layer)
        return units[0] if len(units) == 1 else self.vectors.stack(units).text

    def _of_symbols(self, layer: int) -> Iterator[Equation]:
        """Yield a layer's matrix and bias as arrays of their entries' symbols, unless they are an entry themselves."""
        naming, link = self.style.naming, self.style.naming.link(layer)
        args, units = range(link.arg.size), range(link.sums.size)
        if naming.has_rows_of_inputs(layer):
            rows = [[naming.weight(layer, arg, unit) for unit in units] for arg in args]
        else:
            rows = [[naming.weight(layer, arg, unit) for arg in args] for unit in units]
        if rows != [[naming.kernel(layer)]]:
            yield Equation(symbol(naming.kernel(layer)), matrix(map(" & ".join, rows), len(rows[0])))
        biases = [naming.bias(layer, unit) for unit in units]
        if link.offset is not None and biases != [naming.offset(layer)]:
            yield Equation(symbol(naming.offset(layer)), self.vectors.stack(biases))
