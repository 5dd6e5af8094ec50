"""Taylor models whose numbers are Arb's balls: functions over a box as polynomials and what they are off by at most.

An independent way to the bounds of `nn2eq.bounds`, for those who verify them: slower, and all of it here. The box
is -1 ... 1 in each variable. A function of one variable is expanded at the middle, and what is left is bounded by
its next coefficient over the whole range (Taylor, Lagrange). Where it cannot be told on which side of a corner a unit
is, |z| is between two parallel lines, and what is chosen is halfway between the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, reduce

from flint import arb, arb_mat, arb_poly, arb_series, ctx

from nn2eq.series import Truncation

BITS = 80
_FURTHER = 12
"""How many coefficients more than a model has terms are taken of a function of one variable, before one is bounded."""
_PART, _MOST_PARTS = 0.5, 8
"""How wide a part of a range is over which that is bounded, and how many there may be."""


class Undecided(Exception):
    """A formula decides differently in different parts of the box."""


@contextmanager
def precision(order: int) -> Iterator[None]:
    """Compute with so many terms and some behind them, and with bits to spare."""
    before = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = BITS, order + _FURTHER + 2
    try:
        yield
    finally:
        ctx.prec, ctx.cap = before


@dataclass(frozen=True, eq=False)
class Line:
    """A function of one variable: its series at a point, or over a ball of points."""

    series: arb_series

    @property
    def range(self) -> arb:
        """A ball that holds its values."""
        return self.series[0]

    def like(self, value: arb) -> Line:
        """Return a number."""
        return Line(arb_series([value]))

    def __add__(self, other: Line) -> Line:
        """Return the sum."""
        return Line(self.series + other.series)

    def __sub__(self, other: Line) -> Line:
        """Return the difference."""
        return Line(self.series - other.series)

    def __neg__(self) -> Line:
        """Return the negative."""
        return Line(-self.series)

    def __mul__(self, other: Line) -> Line:
        """Return the product."""
        return Line(self.series * other.series)

    def through(self, function: Callable[[arb_series], arb_series]) -> Line:
        """Apply a function of one variable, given as what it makes of Arb's own series."""
        return Line(function(self.series))

    def bent(self) -> Line:
        """Refuse |self| around a corner, where there is no series."""
        raise Undecided

    def halfway(self, other: Line) -> Line:
        """Refuse one of two, it cannot be told which."""
        raise Undecided


@dataclass(frozen=True, eq=False)
class Model:
    """Σ terms · monomials of a truncation, off by at most the rest, all over the box -1 ... 1."""

    space: Truncation
    terms: Sequence[arb]
    rest: arb

    @property
    def range(self) -> arb:
        """A ball that holds its values."""
        return self.terms[0] + arb(0, 1) * (sum(self.sizes, arb(0)) + self.rest)

    @property
    def sizes(self) -> list[arb]:
        """By degree from 1 on, what the terms come to at most."""
        found = [arb(0)] * self.space.order
        for degree, term in zip(_degrees(self.space), self.terms, strict=True):
            if degree:
                found[degree - 1] += abs(term)
        return [arb(size.abs_upper()) for size in found]

    def like(self, value: arb) -> Model:
        """Return a number."""
        return Model(self.space, [value, *[arb(0)] * (self.space.terms - 1)], arb(0))

    def __add__(self, other: Model) -> Model:
        """Return the sum."""
        terms = [a + b for a, b in zip(self.terms, other.terms, strict=True)]
        return Model(self.space, terms, self.rest + other.rest)

    def __sub__(self, other: Model) -> Model:
        """Return the difference."""
        return self + -other

    def __neg__(self) -> Model:
        """Return the negative."""
        return Model(self.space, [-term for term in self.terms], self.rest)

    def scaled(self, factor: arb) -> Model:
        """Return the product with a number."""
        return Model(self.space, [factor * term for term in self.terms], abs(factor) * self.rest)

    def __mul__(self, other: Model) -> Model:
        """Return the product."""
        one, two = ([abs(model.terms[0]), *model.sizes] for model in (self, other))
        high = (a * b for i, a in enumerate(one) for b in two[self.space.order + 1 - i :])
        rest = sum(one, arb(0)) * other.rest + sum(two, arb(0)) * self.rest + self.rest * other.rest
        rest += sum(high, arb(0))
        terms = _product(self.space, self.space.order, self.terms, other.terms)
        return Model(self.space, terms, arb(rest.abs_upper()))

    def through(self, function: Callable[[arb_series], arb_series]) -> Model:
        """Apply a function of one variable, given as what it makes of Arb's own series.

        Raises Undecided where the function decides differently over the range.
        """
        sizes, order = self.sizes, self.space.order
        reach = sum(sizes, arb(0)) + self.rest
        try:
            last = _steepest(function, self.terms[0], reach, order + _FURTHER + 1)
            outer = function(arb_series([self.terms[0], 1]))
        except (ValueError, ZeroDivisionError):  # not defined all over the range
            return Model(self.space, self.terms, arb("inf"))
        moved = [arb(0), *self.terms[1:]]
        total = [arb(0)] * self.space.terms
        for k in range(order, -1, -1):
            total = _product(self.space, order - k, total, moved)
            total[0] += outer[k]
        # What is left out of the powers is at most what is left out of those of the sizes.
        power, whole, rest = arb_poly([1]), arb(1), arb(0)
        for k in range(1, order + _FURTHER + 1):
            whole = whole * reach
            power = power * arb_poly([0, *sizes]) if k <= order else arb_poly([])
            rest += abs(outer[k]) * (whole - sum(list(power)[: order + 1], arb(0)))
        return Model(self.space, total, arb((rest + last * whole * reach).abs_upper()))

    def bent(self) -> Model:
        """Return |self| where the sign is not known: halfway between two parallel lines."""
        low, high = arb(self.range.lower()), arb(self.range.upper())
        slope, half = (low + high) / (high - low), -low * high / (high - low)
        found = self.scaled(slope) + self.like(half)
        return Model(self.space, found.terms, arb((found.rest + half).abs_upper()))

    def halfway(self, other: Model) -> Model:
        """Return what is one of two, it cannot be told which."""
        apart = (self - other).range
        found = (self + other).scaled(arb(0.5))
        return Model(self.space, found.terms, arb((found.rest + abs(apart) / 2).abs_upper()))

    @property
    def largest(self) -> arb:
        """A bound of |function| over the box."""
        return arb((abs(self.terms[0]) + sum(self.sizes, arb(0)) + self.rest).abs_upper())


def _steepest(function: Callable[[arb_series], arb_series], middle: arb, reach: arb, order: int) -> arb:
    """Return a bound of a coefficient of a function all over middle ± reach, a part at a time."""
    whole = function(arb_series([middle + arb(0, 1) * reach, 1]))[order]
    width = float(reach.abs_upper())
    parts = min(_MOST_PARTS, 1 + int(width / _PART)) if math.isfinite(width) else 1
    if parts == 1:
        return arb(whole.abs_upper())
    half = reach / parts
    centres = (middle + half * (2 * k + 1 - parts) for k in range(parts))
    found = (function(arb_series([centre + arb(0, 1) * half, 1]))[order] for centre in centres)
    return reduce(lambda a, b: a.max(b), (arb(part.abs_upper()) for part in found))


@cache
def _degrees(space: Truncation) -> list[int]:
    return [int(degree) for degree in space.degrees]


@cache
def _pairs(space: Truncation, degree: int) -> list[tuple[int, int, int]]:
    """Return factor, factor and product of all products up to a degree."""
    degrees = _degrees(space)
    triples = zip(*(places.tolist() for places in space.pairs), strict=True)
    return [(i, j, k) for i, j, k in triples if degrees[k] <= degree]


def _product(space: Truncation, degree: int, a: Sequence[arb], b: Sequence[arb]) -> list[arb]:
    """Return the terms of a product up to a degree."""
    found = [arb(0)] * space.terms
    for i, j, k in _pairs(space, degree):
        found[k] += a[i] * b[j]
    return found


def variables(space: Truncation, low: Sequence[float], high: Sequence[float]) -> list[Model]:
    """Return the inputs over a box low ... high."""
    found = []
    for place, (start, end) in enumerate(zip(low, high, strict=True), start=1):
        middle = arb(start / 2 + end / 2)
        radius = arb((arb(end) - middle).max(middle - arb(start)).abs_upper())
        rest = [radius if term == place else arb(0) for term in range(1, space.terms)]
        found.append(Model(space, [middle, *rest], arb(0)))
    return found


def affine(values: Sequence[Model], kernel: arb_mat, bias: Sequence[float] | None) -> list[Model]:
    """Return values @ kernel + bias."""
    space = values[0].space
    terms = arb_mat(
        space.terms, len(values), [x for row in zip(*(v.terms for v in values), strict=True) for x in row]
    )
    sizes = arb_mat(kernel.nrows(), kernel.ncols(), [abs(x) for x in kernel.entries()])
    rests = (arb_mat(1, len(values), [value.rest for value in values]) * sizes).tolist()[0]
    product = (terms * kernel).tolist()
    found = []
    for unit in range(kernel.ncols()):
        column = [row[unit] for row in product]
        if bias is not None:
            column[0] += bias[unit]
        found.append(Model(space, column, arb(rests[unit].abs_upper())))
    return found
