"""Truncated power series in several variables: formulas expanded around the value each unit has at a point.

A series is an array (terms, ...): the coefficients of the monomials of total degree up to the order, in the
order of `Truncation.exponents`, for any number of units at once. A primitive of the formula language has one
rule, its Taylor coefficients at a number; all else follows, so that no row of the activation table needs a
line of its own. Where a formula decides (where, max, min, abs), the side on which the point lies decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial, reduce
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.errors import TooLarge
from nn2eq.formula import REDUCTIONS, Node

Array = NDArray[np.float64]
Indices = tuple[str, ...]

TERMS_LIMIT = 200_000
"""Monomials that a truncation may have."""
WORK_LIMIT = 100_000_000
"""Products of terms that expanding one function of one unit may take."""
_AT_ONCE = 4_000_000
"""Products of terms that are held at a time."""
_LOOP_FROM = 512
"""Units from which on a loop over pairs of terms is faster than gathering them."""


@dataclass(frozen=True, eq=False)
class Truncation:
    """The monomials of total degree <= order; exponents (terms, variables), lowest degree first."""

    variables: int
    order: int
    exponents: NDArray[np.int64]

    @property
    def terms(self) -> int:
        """How many monomials there are."""
        return len(self.exponents)

    @cached_property
    def degrees(self) -> NDArray[np.int64]:
        """The total degree of each monomial, (terms,)."""
        return np.asarray(self.exponents.sum(axis=1))

    @cached_property
    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Factor, factor and product of every product that is kept, sorted by the product."""
        fit = np.searchsorted(
            self.degrees, self.order - self.degrees, "right"
        )  # what each may be multiplied by
        left = np.repeat(np.arange(self.terms), fit)
        right = np.arange(len(left)) - np.repeat(np.cumsum(fit) - fit, fit)
        place = {row.tobytes(): number for number, row in enumerate(self.exponents)}
        product = np.array([place[row.tobytes()] for row in self.exponents[left] + self.exponents[right]])
        sorting = np.argsort(product, kind="stable")
        return left[sorting], right[sorting], product[sorting]

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where the pairs of each product begin."""
        return np.searchsorted(self.pairs[2], np.arange(self.terms))

    def constant(self, value: Array | float) -> Array:
        """Return the series of a constant."""
        series = np.zeros((self.terms, *np.shape(value)))
        series[0] = value
        return series

    def point(self, at: Array) -> Array:
        """Return the variables themselves around a point, (terms, variables)."""
        series = self.constant(at)
        if self.order:
            series[1 : 1 + self.variables] = np.eye(self.variables)
        return series

    def multiply(self, a: Array, b: Array) -> Array:
        """Multiply two series, dropping what is above the order."""
        left, right, product = self.pairs
        units = max(a[0].size, b[0].size)
        if a[0].size * b[0].size == 0 or units < _LOOP_FROM:
            blocks = self._blocks(_AT_ONCE // max(units, 1))
            sums = [np.add.reduceat(a[left[of]] * b[right[of]], at, axis=0) for of, at in blocks]
            return np.asarray(sums[0] if len(sums) == 1 else np.concatenate(sums))
        out = np.zeros((self.terms, *np.broadcast_shapes(a.shape[1:], b.shape[1:])))
        for i, j, k in zip(left, right, product, strict=True):
            out[k] += a[i] * b[j]
        return out

    def _blocks(self, most: int) -> Iterator[tuple[slice, NDArray[np.int64]]]:
        """Yield pairs, about so many at a time, and where those of each product begin among them."""
        firsts = np.unique(np.searchsorted(self.starts, np.arange(0, len(self.pairs[0]), max(most, 1))))
        for first, last in pairwise([*firsts[firsts < self.terms].tolist(), self.terms]):
            start = int(self.starts[first])
            stop = int(self.starts[last]) if last < self.terms else len(self.pairs[0])
            yield slice(start, stop), self.starts[first:last] - start

    def compose(self, coefficients: Array, inner: Array) -> Array:
        """Return Σ coefficients[k] (inner - inner[0])ᵏ by Horner's rule; coefficients (order + 1, ...)."""
        inner = inner.copy()
        inner[0] = 0.0
        total = self.constant(coefficients[self.order])
        for k in range(self.order - 1, -1, -1):
            total = self.multiply(total, inner) if k < self.order - 1 else coefficients[self.order] * inner
            total[0] += coefficients[k]
        return total


@cache
def truncation(variables: int, order: int) -> Truncation:
    """Return the truncation at a total degree. Raises TooLarge if it has too many monomials."""
    terms, products = math.comb(variables + order, order), math.comb(2 * variables + order, order)
    if terms > TERMS_LIMIT or order * products > WORK_LIMIT:
        raise TooLarge(
            f"order {_count(order)} in {variables} inputs has {_count(terms)} coefficients, each function of a unit "
            f"takes {_count(order * products)} products",
            code="too-large",
            way_out=f"the limits are {TERMS_LIMIT:,} and {WORK_LIMIT:,}; take a lower --order",
        )
    rows = [row for degree in range(order + 1) for row in _of_degree(variables, degree)]
    exponents = np.zeros((terms, variables), dtype=np.int64)
    for row, powers in zip(exponents, rows, strict=True):
        for variable, power in powers:
            row[variable] = power
    exponents.setflags(write=False)
    return Truncation(variables, order, exponents)


def _count(number: int) -> str:
    """Write how many there are, in short where that is beyond all counting."""
    return f"{number:,}" if number < 10**15 else f"about 10^{math.floor(math.log10(number))}"


Powers = tuple[tuple[int, int], ...]


def _of_degree(variables: int, degree: int, first: int = 0) -> list[Powers]:
    """List the monomials of one degree, x1² before x1 x2, each as its (variable, power > 0)."""
    if degree == 0:
        return [()]
    return [
        ((variable, power), *rest)
        for variable in range(first, variables)
        for power in range(degree, 0, -1)
        for rest in _of_degree(variables, degree - power, variable + 1)
    ]


# ------------------------------------------------------------ one rule a primitive: Taylor coefficients


def _exp(c: Array, order: int) -> Array:
    return np.asarray(np.exp(c) * _along([1 / math.factorial(k) for k in range(order + 1)], c))


def _expm1(c: Array, order: int) -> Array:
    return _with_value(_exp(c, order), np.expm1(c))


def _log(c: Array, order: int) -> Array:
    powers = (-1.0 / c) ** _along(range(1, order + 1), c)
    return np.concatenate([np.log(c)[None], -powers / _along(range(1, order + 1), c)])


def _log1p(c: Array, order: int) -> Array:
    return _with_value(_log(1.0 + c, order), np.log1p(c))


def _log10(c: Array, order: int) -> Array:
    return _with_value(_log(c, order) / math.log(10.0), np.log10(c))


def _tanh(c: Array, order: int) -> Array:
    """Use t' = s and s' = -2 t s, where s = 1 - tanh² keeps its digits far out."""
    small = np.exp(-2.0 * np.abs(c))
    t, s = np.empty((2, order + 1, *c.shape))
    t[0], s[0] = np.tanh(c), 4.0 * small / (1.0 + small) ** 2
    for k in range(order):
        t[k + 1] = s[k] / (k + 1)
        s[k + 1] = np.einsum("k...,k...->...", t[: k + 1], s[k::-1]) * (-2.0 / (k + 1))
    return np.asarray(t)


def _erf(c: Array, order: int) -> Array:
    """Use erf' = g and g' = -2 z g."""
    t, g = np.empty((2, order + 2, *c.shape))
    t[0], g[0], g[1] = _value_of_erf(c), 2.0 / math.sqrt(math.pi) * np.exp(-c * c), 0.0
    for k in range(order):
        t[k + 1] = g[k] / (k + 1)
        g[k + 1] = -2.0 * (c * g[k] + (g[k - 1] if k else 0.0)) / (k + 1)
    return np.asarray(t[: order + 1])


def _value_of_erf(c: Array) -> Array:
    from nn2eq.erf import erf

    return erf(c)


def _power(exponent: float, c: Array, order: int) -> Array:
    """Return the binomial series of z to a power."""
    t = np.empty((order + 1, *c.shape))
    t[0] = c**exponent
    for k in range(order):
        t[k + 1] = t[k] * (exponent - k) / ((k + 1) * c)
    return t


Rule = Callable[[Array, int], Array]
RULES: Mapping[str, Rule] = {
    "exp": _exp, "expm1": _expm1, "log": _log, "log1p": _log1p, "log10": _log10, "tanh": _tanh, "erf": _erf,
    "sqrt": partial(_power, 0.5),
}  # fmt: skip
"""The Taylor coefficients at c of every primitive that is smooth: (c, order) to (order + 1, ...)."""


def _along(values: Sequence[float], c: Array) -> Array:
    return np.array(values, dtype=np.float64).reshape(-1, *(1,) * c.ndim)


def _with_value(coefficients: Array, value: Array) -> Array:
    coefficients[0] = value
    return coefficients


# --------------------------------------------------------------------------------------- formulas, expanded


def fold(node: Node, leaf: Callable[[Node, Indices], Any], apply: Callable[[str, list[Any]], Any]) -> Any:
    """Work a formula out from its leaves, a repeated part once; a leaf is told the reductions around it."""
    known: dict[tuple[Node, Indices], Any] = {}

    def visit(part: Node, indices: Indices) -> Any:
        key = (part, indices)
        if key not in known:
            within = (*indices, part.value) if part.op in REDUCTIONS else indices
            args = [visit(arg, within) for arg in part.args]
            known[key] = apply(part.op, args) if args else leaf(part, indices)
        return known[key]

    return visit(node, ())


def spread(value: Array, node: Node, indices: Indices) -> Array:
    """Give a named array (..., units) an axis for each reduction, its units on the one it is indexed by."""
    if node.op == "name":
        return value.reshape(value.shape + (1,) * len(indices))
    shape = [1] * (1 + len(indices))
    shape[1 + indices.index(node.value[1])] = value.shape[-1]
    return value.reshape(*value.shape[:-1], *shape)


@dataclass(frozen=True)
class Expansion:
    """Formulas over series; in one variable what is even at the point is decided on its `side`, -1 or 1."""

    space: Truncation
    side: int = 0

    def __call__(self, formula: Node, values: Mapping[str, Array]) -> Array:
        """Expand a formula; `values` maps names to series (terms, ..., units)."""
        units = next(iter(values.values())).shape[-1]

        def leaf(node: Node, indices: Indices) -> Array:
            if node.op == "number" or node.value == "count":
                return self.space.constant(node.value if node.op == "number" else units)
            return spread(values[node.value if node.op == "name" else node.value[0]], node, indices)

        with np.errstate(all="ignore"):
            return np.asarray(fold(formula, leaf, self._apply))

    def _apply(self, op: str, args: list[Any]) -> Any:
        if op in RULES:
            return self._smooth(RULES[op], args[0])
        return _OPERATIONS[op](self, *self._level(op, args))

    def _level(self, op: str, args: list[Any]) -> list[Any]:
        """Put the terms of all arguments on the same axis: a constant has no others yet."""
        units = max(arg.ndim - (arg.dtype != bool) for arg in args)
        return [_with_axes(arg, 0 if arg.dtype == bool else 1, units) for arg in args]

    def _smooth(self, rule: Rule, inner: Array) -> Array:
        coefficients = rule(inner[0], self.space.order)
        is_variable = self.space.variables == 1 and not np.any(inner[2:]) and np.all(inner[1:2] == 1.0)
        return coefficients if is_variable else self.space.compose(coefficients, inner)

    def _divide(self, a: Array, b: Array) -> Array:
        if not np.any(b[1:]):
            return np.asarray(a / b[0])
        return self.space.multiply(a, self._smooth(partial(_power, -1.0), b))

    def _power(self, base: Array, exponent: Array) -> Array:
        power = float(exponent[0].flat[0])
        if power == int(power) and 0 <= power <= 16:
            one = _with_axes(self.space.constant(1.0), 1, base.ndim - 1)
            return np.asarray(reduce(self.space.multiply, [base] * int(power), one))
        return self._smooth(partial(_power, power), base)

    def _sign(self, series: Array) -> Array:
        """Return the sign at the point, or just beside it on the side that decides."""
        if self.side == 0:
            return np.asarray(np.sign(series[0]))
        beside = np.sign(series) * _along([self.side**k for k in range(len(series))], series[0])
        first = np.argmax(beside != 0, axis=0)
        return np.asarray(np.take_along_axis(beside, first[None], axis=0)[0])

    def _larger(self, a: Array, b: Array) -> Array:
        return np.where(self._sign(a - b) > 0, a, b)

    def _smaller(self, a: Array, b: Array) -> Array:
        return np.where(self._sign(a - b) < 0, a, b)

    def _magnitude(self, a: Array) -> Array:
        return np.where(self._sign(a) < 0, -a, a)

    def _largest(self, a: Array) -> Array:
        place = np.argmax(a[0], axis=-1)[None, ..., None]
        return np.asarray(
            np.take_along_axis(a, np.broadcast_to(place, (len(a), *place.shape[1:])), axis=-1)[..., 0]
        )


def _with_axes(array: Any, lead: int, units: int) -> Any:
    """Give an array so many axes after its leading ones."""
    missing = units + lead - array.ndim
    return array.reshape(*array.shape[:lead], *(1,) * missing, *array.shape[lead:]) if missing > 0 else array


_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "+": lambda _, a, b: a + b,
    "-": lambda _, a, b: a - b,
    "neg": lambda _, a: -a,
    "*": lambda self, a, b: self.space.multiply(a, b),
    "/": Expansion._divide,
    "**": Expansion._power,
    "abs": Expansion._magnitude,
    "max": Expansion._larger,
    "min": Expansion._smaller,
    "where": lambda _, condition, a, b: np.where(condition, a, b),
    "sum": lambda _, a: np.sum(a, axis=-1),
    "largest": Expansion._largest,
    "<": lambda self, a, b: self._sign(a - b) < 0,
    "<=": lambda self, a, b: self._sign(a - b) <= 0,
    ">": lambda self, a, b: self._sign(a - b) > 0,
    ">=": lambda self, a, b: self._sign(a - b) >= 0,
    "==": lambda self, a, b: self._sign(a - b) == 0,
}


# ------------------------------------------------------------------------------------------------ activations


def coefficients(activation: Activation, z: Array, order: int) -> Array:
    """Return the Taylor coefficients of a scalar row at z (units,): (order + 1, units).

    On a breakpoint they are those of the left side, or of the right one where only that has the row's value.
    """
    left = _one_sided(activation, z, order, -1)
    on = np.isin(z, activation.breakpoints)
    if not np.any(on):
        return left
    jumps = on & (np.abs(left[0] - activation(z)) > 1e-9 * (1.0 + np.abs(left[0])))
    return np.where(jumps, _one_sided(activation, z, order, 1), left)


def _one_sided(activation: Activation, z: Array, order: int, side: int) -> Array:
    space = truncation(1, order)
    series = space.constant(z)
    series[1:2] = 1.0
    parameters = {key: space.constant(value) for key, value in activation.per_unit.items()}
    found = Expansion(space, side)(activation.stable, {"z": series, **parameters})
    return np.broadcast_to(found, series.shape)


def apply(activation: Activation, z: Array, space: Truncation) -> Array:
    """Apply an activation to series z (terms, units): (terms, outputs)."""
    if not activation.row.coupled:
        return space.compose(coefficients(activation, z[0], space.order), z)
    grouped = z.reshape(*z.shape[:-1], activation.groups, -1)
    values = {"z": grouped, **{key: space.constant(value) for key, value in activation.per_unit.items()}}
    if activation.row.halves:
        values["z"], values["partner"] = np.split(grouped, 2, axis=-1)
    return Expansion(space)(activation.stable, values).reshape(*z.shape[:-1], -1)
