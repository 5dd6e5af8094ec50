"""What a polynomial is a sum of: monomials of a basis in variables that may be moved, at samples; their length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import comb, floor, log10

import numpy as np
from numpy.typing import NDArray

from nn2eq.domain import Domain
from nn2eq.forms.decimals import rounded_to
from nn2eq.forms.evaluation import monomials
from nn2eq.forms.fitting import Array, Task
from nn2eq.forms.sampled import Samples
from nn2eq.series import truncation

Exponents = NDArray[np.int64]

_NARROW, _WIDE, _FAR = 0.2, 20.0, 1.5
"""How wide a box may be, and how far off in its widths, for powers of the inputs as they are."""
_FILLED = 1.8
"""How much of [-1, 1] a moved variable must fill."""
_FIXED = 1e-300


@dataclass(frozen=True)
class Variable:
    """t = slope x + shift, decimals; x itself if they are 1 and 0."""

    slope: float = 1.0
    shift: float = 0.0


def as_they_are(box: Domain) -> tuple[Variable, ...] | None:
    """Return the inputs themselves, None if their powers would be large, small, or much alike."""
    fit = all(
        _NARROW <= high - low <= _WIDE and max(-low, high) <= _FAR * (high - low)
        for low, high in box
        if not _is_fixed(low, high)
    )
    return (Variable(),) * len(box) if fit else None


def moved(box: Domain) -> tuple[Variable, ...]:
    """Return variables that stay within [-1, 1], by short decimals rather than to its very ends; fixed ones stay."""
    return tuple(_across(low, high) for low, high in box)


def _is_fixed(low: float, high: float) -> bool:
    """Whether an input hardly moves in the box, so that no polynomial speaks of it."""
    return high - low < _FIXED


def _across(low: float, high: float) -> Variable:
    if _is_fixed(low, high):
        return Variable()
    scale = 2.0 / (high - low)
    for digits, less in product(range(1, 17), (0, 1)):
        places = digits - 1 - floor(log10(scale))
        slope = rounded_to(rounded_to(scale, places) - less * 10.0**-places, places)
        shift = rounded_to(-slope * (high + low) / 2, digits)
        ends = sorted([slope * low + shift, slope * high + shift])
        if ends[0] >= -1.0 and ends[1] <= 1.0 and ends[1] - ends[0] >= _FILLED:
            return Variable(slope, shift)
    return Variable(0.9 * scale, -0.9 * scale * (high + low) / 2)


@dataclass(frozen=True, eq=False)
class Columns:
    """The monomials of a basis in moved variables, at samples."""

    samples: Samples
    basis: str
    variables: tuple[Variable, ...]

    @cached_property
    def t(self) -> Array:
        """The moved variables at the samples, (samples, inputs)."""
        slope, shift = np.array([(v.slope, v.shift) for v in self.variables]).T
        return np.asarray(self.samples.x * slope + shift)

    @property
    def outputs(self) -> int:
        """How many outputs there are to fit."""
        return int(self.samples.answers.shape[1])

    @property
    def is_moved(self) -> bool:
        """Whether a variable is another than the input itself."""
        return any(variable != Variable() for variable in self.variables)

    @cached_property
    def free(self) -> list[int]:
        """The inputs that move in the box."""
        return [place for place, ends in enumerate(self.samples.box) if not _is_fixed(*ends)]

    def exponents(self, degree: int) -> Exponents:
        """Return the exponents of a total degree in the inputs that move, (terms, inputs)."""
        found = np.zeros((self.count(degree), len(self.variables)), dtype=np.int64)
        found[:, self.free] = truncation(len(self.free), degree).exponents
        return found

    def count(self, degree: int) -> int:
        """Return how many monomials of a total degree there are."""
        return comb(len(self.free) + degree, degree)

    def task(self, output: int, degree: int, below: int = 0) -> Task:
        """Return the task of fitting an output by a total degree, over a denominator of another."""
        columns = monomials(self.t, self.exponents(max(degree, below)), self.basis)
        above, under = (self.count(k) for k in (degree, below))
        return Task(columns[:, :above], columns[:, 1:under], self.samples.answers[:, output])

    def signs(self, degree: int, below: int = 0) -> list[int]:
        """Count the characters of each monomial, those of the denominator last."""
        inputs = len(self.variables)
        size = 1 if inputs == 1 else 5  # x, x_{1}
        rows = [*self.exponents(degree).tolist(), *self.exponents(below)[1:].tolist()]
        return [sum(_length(self.basis, size, power) for power in row) for row in rows]


def _length(basis: str, name: int, power: int) -> int:
    """Count the characters of x, x^{3}, or T_{3}(x), and of a space between it and the next."""
    if power == 0:
        return 0
    if basis == "power" or power == 1:
        return name + 1 + (0 if power == 1 else 3 + len(str(power)))
    return name + 6 + len(str(power))


def shared(exponents: Sequence[Exponents]) -> Exponents:
    """Return all rows that stand in any of several exponents, lowest degree first."""
    rows = {tuple(row) for some in exponents for row in some.tolist()} or {(0,) * exponents[0].shape[1]}
    ordered = sorted(rows, key=lambda row: (sum(row), tuple(-power for power in row)))
    return np.array(ordered, dtype=np.int64)


def placed(exponents: Exponents, coefficients: Array, rows: Exponents) -> Array:
    """Return coefficients, (terms,), in the places of a larger set of rows."""
    place = {tuple(row): number for number, row in enumerate(rows.tolist())}
    found = np.zeros(len(rows))
    for row, coefficient in zip(exponents.tolist(), coefficients, strict=True):
        found[place[tuple(row)]] = coefficient
    return found
