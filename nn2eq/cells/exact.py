"""Exact arithmetic: the affine map of a pattern and the vertices of its cell, in integers.

Floating-point weights are fractions whose denominators are powers of two, so matrices are kept as integers
over one common denominator: no greatest common divisor is ever taken on the way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.steps import Bend, Step

Whole = NDArray[Any]
"""An array of Python integers."""


@dataclass(frozen=True, eq=False)
class Over:
    """An array of fractions: numbers / below, below > 0."""

    numbers: Whole
    below: int

    @classmethod
    def of(cls, values: Iterable[Fraction | float], shape: tuple[int, ...]) -> Over:
        """Bring fractions over their common denominator."""
        ratios = [value.as_integer_ratio() for value in values]
        below = math.lcm(*{ratio[1] for ratio in ratios})
        numbers = np.empty(len(ratios), dtype=object)
        numbers[:] = [above * (below // under) for above, under in ratios]
        return cls(numbers.reshape(shape), below)

    def fractions(self) -> Whole:
        """Return them one by one."""
        found = np.empty(self.numbers.size, dtype=object)
        found[:] = [Fraction(number, self.below) for number in self.numbers.ravel()]
        return found.reshape(self.numbers.shape)


@dataclass(frozen=True)
class Plane:
    """normal · x + offset + far R = 0 in integers, where R is larger than every number."""

    normal: tuple[int, ...]
    offset: int
    far: int = 0

    @classmethod
    def of(cls, normal: Sequence[float], offset: float, far: float) -> Plane:
        """Clear a plane of floats of its denominators."""
        numbers = Over.of([*map(float, normal), float(offset), float(far)], (-1,)).numbers
        return cls(tuple(numbers[:-2]), numbers[-2], numbers[-1])


@dataclass(frozen=True)
class Vertex:
    """(point + far R) / below in integers, below > 0."""

    point: tuple[int, ...]
    far: tuple[int, ...]
    below: int

    def side(self, plane: Plane) -> int:
        """Return the sign of the plane's function here: -1, 0 or 1."""
        beyond = sum(map(_product, plane.normal, self.far)) + plane.far * self.below
        return _sign(beyond) or _sign(
            sum(map(_product, plane.normal, self.point)) + plane.offset * self.below
        )

    @cached_property
    def coordinates(self) -> tuple[Fraction, ...]:
        """The finite part of each coordinate."""
        return tuple(Fraction(number, self.below) for number in self.point)

    @cached_property
    def directions(self) -> tuple[Fraction, ...]:
        """The far part of each coordinate, in units of R."""
        return tuple(Fraction(number, self.below) for number in self.far)


def _product(one: int, two: int) -> int:
    return one * two


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def meet(planes: Sequence[Plane]) -> Vertex:
    """Return the one point that d independent planes share, by elimination without fractions."""
    rows = [[*plane.normal, -plane.offset, -plane.far] for plane in planes]
    size, last = len(rows), 1
    for column in range(size):
        pivot = next(row for row in range(column, size) if rows[row][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        head = rows[column]
        for index, row in enumerate(rows):
            if index != column:
                factor = row[column]
                rows[index] = [
                    (head[column] * a - factor * b) // last for a, b in zip(row, head, strict=True)
                ]
        last = head[column]
    below = rows[-1][size - 1]
    numbers = [*(row[size] for row in rows), *(row[size + 1] for row in rows), below]
    common = math.gcd(*numbers) * _sign(below)
    numbers = [number // common for number in numbers]
    return Vertex(tuple(numbers[:size]), tuple(numbers[size : 2 * size]), numbers[-1])


class Exact:
    """The exact maps of a network, each computed once.

    A map is an array (inputs + 1, units): how each unit depends on each input, and its offset in the last
    row. A prefix is the piece of every unit of the first bends, as bytes.
    """

    def __init__(self, steps: tuple[Step, ...], inputs: int) -> None:
        self._steps, self._inputs = steps, inputs
        self._affine = cache(lambda index: _affine(steps[index]))
        self._bends = cache(lambda index: _tables(steps[index].bend))
        self._maps: dict[tuple[int, bytes], Over] = {}
        self._planes: dict[tuple[int, bytes, int], Plane] = {}
        self._vertices: dict[frozenset[Plane], Vertex] = {}

    def before(self, index: int, prefix: NDArray[np.int16]) -> Over:
        """Return the pre-activations of step `index` where the bends before it are on these pieces."""
        key = (index, prefix.tobytes())
        if key not in self._maps:
            self._maps[key] = self._onward(index, self._behind(index - 1, prefix))
        return self._maps[key]

    def answer(self, pattern: NDArray[np.int16]) -> Over:
        """Return the whole network's map where all bends are on these pieces."""
        return self._behind(len(self._steps) - 1, pattern)

    def _behind(self, index: int, prefix: NDArray[np.int16]) -> Over:
        """Return what step `index` answers; -1 is the input itself."""
        if index < 0:
            unit = np.vstack([np.eye(self._inputs, dtype=int), np.zeros((1, self._inputs), dtype=int)])
            return Over(unit.astype(object), 1)
        if self._steps[index].bend is None:
            return self.before(index, prefix)
        units = self._steps[index].kernel.shape[1]
        given, own = self.before(index, prefix[: len(prefix) - units]), prefix[len(prefix) - units :]
        slopes, intercepts, below = self._bends(index)
        bent = given.numbers * slopes[np.arange(units), own]
        bent[-1] += intercepts[np.arange(units), own] * given.below
        return Over(bent, given.below * below)

    def _onward(self, index: int, given: Over) -> Over:
        kernel, bias = self._affine(index)
        # Units that are zero here need not be carried through the kernel: dead regions stay cheap.
        alive = given.numbers.any(axis=0)
        onward = given.numbers[:, alive] @ kernel.numbers[alive]
        if not alive.any():
            onward = np.zeros((len(given.numbers), kernel.numbers.shape[1]), dtype=int).astype(object)
        below = given.below * kernel.below
        scale = math.lcm(below, bias.below)
        onward = onward * (scale // below)
        onward[-1] += bias.numbers * (scale // bias.below)
        return Over(onward, scale)

    def plane(self, index: int, prefix: NDArray[np.int16], cut: int) -> Plane:
        """Return where a unit of step `index` meets a threshold: pre-activation - threshold = 0."""
        key = (index, prefix.tobytes(), cut)
        if key not in self._planes:
            bend = self._steps[index].bend
            assert bend is not None
            given, value = self.before(index, prefix), bend.cut_values[cut]
            column = given.numbers[:, bend.cut_units[cut]]
            offset = column[-1] * value.denominator - value.numerator * given.below
            self._planes[key] = Plane(tuple(column[:-1] * value.denominator), offset)
        return self._planes[key]

    def vertex(self, planes: Sequence[Plane]) -> Vertex:
        """Return where d independent planes meet."""
        key = frozenset(planes)
        if key not in self._vertices:
            self._vertices[key] = meet(planes)
        return self._vertices[key]


def _affine(step: Step) -> tuple[Over, Over]:
    """Return kernel and bias exactly."""
    kernel, bias = step.kernel, step.bias
    return Over.of(kernel.ravel().tolist(), kernel.shape), Over.of(bias.tolist(), bias.shape)


def _tables(bend: Bend | None) -> tuple[Whole, Whole, int]:
    """Return slopes and intercepts, (units, pieces) each, over one denominator."""
    assert bend is not None
    lines = [line for unit in bend.padded for line in unit]
    shape = (2, len(bend.kinds), -1)
    both = Over.of([*(line.slope for line in lines), *(line.intercept for line in lines)], shape)
    return both.numbers[0][bend.kind], both.numbers[1][bend.kind], both.below
