"""Power series whose coefficients are Arb's balls, over a box: functions enclosed by Taylor's theorem, and no more.

An independent way to the bounds of `nn2eq.bounds`, for those who verify them: slower, and all of it in one file. A
series holds its coefficients twice, at the middle of the box and over the whole of it. Those of the highest degree
over the box are the remainder, by Lagrange. Where it cannot be told on which side of a corner a unit is, the unit is
any constant out of its range: at each point of the box it is one of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from flint import arb, arb_mat, arb_series, ctx

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.series import Truncation, fold, spread

BITS = 80


class Undecided(Exception):
    """A formula decides differently in different parts of the box."""


@contextmanager
def precision(order: int) -> Iterator[None]:
    """Compute with so many terms, and with bits to spare."""
    before = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = BITS, order + 1
    try:
        yield
    finally:
        ctx.prec, ctx.cap = before


@dataclass(frozen=True, eq=False)
class Series:
    """Coefficients at the middle of a box and over all of it, in the monomials of a truncation."""

    space: Truncation
    at: Sequence[arb]
    over: Sequence[arb]

    @classmethod
    def constant(cls, space: Truncation, value: arb) -> Series:
        """Return a number, or anything out of a ball."""
        rest = [arb(0)] * (space.terms - 1)
        return cls(space, [value, *rest], [value, *rest])

    def _each(self, other: Series, work: Callable[[Sequence[arb], Sequence[arb]], Sequence[arb]]) -> Series:
        return Series(self.space, work(self.at, other.at), work(self.over, other.over))

    def __add__(self, other: Series) -> Series:
        """Return the sum."""
        return self._each(other, lambda a, b: [x + y for x, y in zip(a, b, strict=True)])

    def __sub__(self, other: Series) -> Series:
        """Return the difference."""
        return self._each(other, lambda a, b: [x - y for x, y in zip(a, b, strict=True)])

    def __neg__(self) -> Series:
        """Return the negative."""
        return Series(self.space, [-x for x in self.at], [-x for x in self.over])

    def __mul__(self, other: Series) -> Series:
        """Return the product."""
        return self._each(other, self._product)

    def _product(self, a: Sequence[arb], b: Sequence[arb]) -> list[arb]:
        found = [arb(0)] * self.space.terms
        for i, j, k in zip(*(places.tolist() for places in self.space.pairs), strict=True):
            found[k] += a[i] * b[j]
        return found

    def through(self, function: Callable[[arb_series], arb_series]) -> Series:
        """Apply a function of one variable, given as what it makes of Arb's own series."""
        order = self.space.order

        def composed(inner: Sequence[arb]) -> Sequence[arb]:
            try:
                outer = function(arb_series([inner[0], 1]))
            except (ValueError, ZeroDivisionError):  # not defined all over the ball
                return [arb("nan")] * self.space.terms
            shifted = [arb(0), *inner[1:]]
            total = [outer[order], *[arb(0)] * (self.space.terms - 1)]
            for k in range(order - 1, -1, -1):
                total = self._product(total, shifted)
                total[0] += outer[k]
            return total

        return Series(self.space, composed(self.at), composed(self.over))

    def largest(self, radius: Sequence[arb]) -> arb:
        """Return a bound of |function| over the box, whose half widths these are."""
        total, order = arb(0), self.space.order
        for exponents, degree, at, over in zip(
            self.space.exponents.tolist(), self.space.degrees.tolist(), self.at, self.over, strict=True
        ):
            size = reduce(lambda a, b: a * b, (r**e for r, e in zip(radius, exponents, strict=True)), arb(1))
            even = not any(power % 2 for power in exponents)
            unit = arb(0.5, 0.5) if even else arb(0, 1)
            total += (over if degree == order else at) * size * (unit if degree else 1)
        return arb(total.abs_upper())


def variables(space: Truncation, low: Sequence[float], high: Sequence[float]) -> list[Series]:
    """Return the inputs over a box low ... high, around its middle."""
    found = []
    for place, (start, end) in enumerate(zip(low, high, strict=True), start=1):
        rest = [arb(int(term == place)) for term in range(1, space.terms)]
        found.append(Series(space, [arb(start / 2 + end / 2), *rest], [arb(start).union(arb(end)), *rest]))
    return found


def affine(values: Sequence[Series], kernel: arb_mat, bias: Sequence[float] | None) -> list[Series]:
    """Return values @ kernel + bias."""
    space, rows = values[0].space, 2 * values[0].space.terms
    columns = [[*value.at, *value.over] for value in values]
    product = (
        arb_mat(rows, len(values), [x for row in zip(*columns, strict=True) for x in row]) * kernel
    ).tolist()
    found = []
    for unit in range(kernel.ncols()):
        column = [row[unit] for row in product]
        if bias is not None:
            column[0] += bias[unit]
            column[space.terms] += bias[unit]
        found.append(Series(space, column[: space.terms], column[space.terms :]))
    return found


# ------------------------------------------------------------------------------------------------- formulas


def activated(activation: Activation, values: Sequence[Series]) -> list[Series]:
    """Apply an activation to all units, group by group."""
    size = len(values) // (activation.groups if activation.row.coupled else len(values))
    found: list[Series] = []
    for start in range(0, len(values), size):
        own = {key: data[start : start + size] for key, data in activation.per_unit.items()}
        found += _of_group(activation, values[start : start + size], own)
    return found


def _of_group(activation: Activation, z: Sequence[Series], own: Mapping[str, Any]) -> list[Series]:
    """Try the formula to run, then the textbook's; where both are undecided, take any constants in range."""
    space = z[0].space
    for node in (activation.stable, activation.formula):
        try:
            return _evaluated(node, z, own, activation.row.halves, decided=True)
        except (Undecided, ZeroDivisionError, ValueError):
            continue
    constants = [Series.constant(space, value.over[0]) for value in z]
    return _evaluated(activation.stable, constants, own, activation.row.halves, decided=False)


def _evaluated(
    node: fm.Node, z: Sequence[Series], own: Mapping[str, Any], halves: bool, *, decided: bool
) -> list[Series]:
    space = z[0].space
    units = len(z) // 2 if halves else len(z)
    names = {"z": _objects(z[:units]), "partner": _objects(z[units:]) if halves else _objects(z)}
    names |= {
        key: _objects([Series.constant(space, arb(float(x))) for x in data]) for key, data in own.items()
    }

    def leaf(part: fm.Node, indices: tuple[str, ...]) -> Any:
        if part.op == "number" or part.value == "count":
            value = part.value if part.op == "number" else float(units)
            exact = arb.pi() if value == math.pi else arb(value)
            return _objects([Series.constant(space, exact)]).reshape((1,) * (1 + len(indices)))
        return spread(names[part.value if part.op == "name" else part.value[0]], part, indices)

    found = fold(node, leaf, lambda op, args: _applied(op, args, decided))
    return list(np.broadcast_to(found, (units,)))


def _objects(values: Sequence[Any]) -> Any:
    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array


def _applied(op: str, args: list[Any], decided: bool) -> Any:
    """Work an operation out for arrays of series, reductions over the last axis."""
    if op in fm.REDUCTIONS:
        return np.frompyfunc(_choosing("+" if op == "sum" else "max", decided), 2, 1).reduce(args[0], axis=-1)
    dimensions = max(arg.ndim for arg in args)
    level = [arg.reshape(arg.shape + (1,) * (dimensions - arg.ndim)) for arg in args]
    return np.frompyfunc(_choosing(op, decided), len(args), 1)(*level)


def _choosing(op: str, decided: bool) -> Callable[..., Any]:
    work = _OPERATIONS[op]

    def applied(*args: Any) -> Any:
        found = work(*args)
        if isinstance(found, _Either):
            if decided:
                raise Undecided
            return found.hull()
        return found

    return applied


@dataclass(frozen=True, eq=False)
class _Either:
    """One of two series, it cannot be told which; of constants a ball that holds the answer."""

    one: Series
    ball: arb

    def hull(self) -> Series:
        """Return any constant out of the ball."""
        return Series.constant(self.one.space, self.ball)


_UNKNOWN = "unknown"


def _compared(
    test: Callable[[arb], bool], opposite: Callable[[arb], bool]
) -> Callable[[Series, Series], Any]:
    def compare(a: Series, b: Series) -> Any:
        difference = (a - b).over[0]
        return True if test(difference) else False if opposite(difference) else _UNKNOWN

    return compare


def _where(condition: Any, a: Series, b: Series, ball: arb | None = None) -> Any:
    if condition is _UNKNOWN:
        return _Either(a, a.over[0].union(b.over[0]) if ball is None else ball)
    return a if condition else b


_LESS = _compared(lambda d: d < 0, lambda d: d >= 0)
_AT_MOST = _compared(lambda d: d <= 0, lambda d: d > 0)
_MORE = _compared(lambda d: d > 0, lambda d: d <= 0)
_AT_LEAST = _compared(lambda d: d >= 0, lambda d: d < 0)
_EQUAL = _compared(lambda d: d == 0, lambda d: d != 0)


def _tanh(z: arb_series) -> arb_series:
    """Use the exponential that is small, and only once."""
    if z[0].mid() < 0:
        return -_tanh(-z)
    return 2 / (1 + (-2 * z).exp()) - 1


def _power(base: Series, exponent: Series) -> Series:
    power = float(exponent.over[0].mid())
    if power == int(power) and 0 <= power <= 16:
        return reduce(lambda a, b: a * b, [base] * int(power), Series.constant(base.space, arb(1)))
    return base.through(lambda z: (z.log() * arb(power)).exp())


def reciprocal(series: Series) -> Series:
    """Return 1 / series."""
    return series.through(lambda z: 1 / z)


_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "neg": lambda a: -a,
    "/": lambda a, b: a * reciprocal(b),
    "**": _power,
    "exp": lambda a: a.through(lambda z: z.exp()),
    "expm1": lambda a: a.through(lambda z: z.exp() - 1),
    "log": lambda a: a.through(lambda z: z.log()),
    "log1p": lambda a: a.through(lambda z: (1 + z).log()),
    "log10": lambda a: a.through(lambda z: z.log() / arb(10).log()),
    "sqrt": lambda a: a.through(lambda z: z.sqrt()),
    "erf": lambda a: a.through(lambda z: z.erf()),
    "tanh": lambda a: a.through(_tanh),
    "<": _LESS, "<=": _AT_MOST, ">": _MORE, ">=": _AT_LEAST, "==": _EQUAL,
    "where": _where,
    "abs": lambda a: _where(_LESS(a, a - a), -a, a, abs(a.over[0])),
    "max": lambda a, b: _where(_LESS(a, b), b, a, a.over[0].max(b.over[0])),
    "min": lambda a, b: _where(_LESS(a, b), a, b, a.over[0].min(b.over[0])),
}  # fmt: skip
"""What each operation of a formula makes of series."""
