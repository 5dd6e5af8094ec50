"""Two functions that are built alike, compared layer by layer: a network and itself rounded, or thinned out.

The difference d of their values is carried along. Through an affine map it is d @ K₂ + z @ (K₂ - K₁) + (b₂ -
b₁); through an activation f it is f(z + d) - f(z), the mean of f' between the two times d. So what the two
share is never subtracted, and a small change of the numbers stays small however wide the box.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce

import numpy as np

from nn2eq.activations import Activation
from nn2eq.bounds import charts, coupled
from nn2eq.bounds import tape as tapes
from nn2eq.bounds.charts import Chart
from nn2eq.bounds.duals import Dual, chosen
from nn2eq.bounds.models import Array, Model
from nn2eq.bounds.tape import Applied, Op, Sum, Tape
from nn2eq.bounds.walk import Sides, Walked
from nn2eq.bounds.walk import walk as walked
from nn2eq.formula import walk
from nn2eq.series import Truncation

_UNIT = 2.0**-53


def alike(first: Tape, second: Tape) -> bool:
    """Whether two tapes make the same values of the same size, one after the other, but for their numbers."""
    one, two = tapes.joined(first), tapes.joined(second)
    if one.inputs != two.inputs or len(one.ops) != len(two.ops):
        return False
    return all(_alike(a, b) for a, b in zip(one.ops, two.ops, strict=True))


def _alike(one: Op, two: Op) -> bool:
    if isinstance(one, Sum) and isinstance(two, Sum):
        return _shapes(one) == _shapes(two)
    if isinstance(one, Applied) and isinstance(two, Applied):
        return one.arg == two.arg and not (one.units or two.units) and _same(one.activation, two.activation)
    return False


def _shapes(op: Sum) -> list[tuple[int, tuple[int, ...]]]:
    return [(arg, kernel.shape) for arg, kernel in op.terms]


def _same(one: Activation, two: Activation) -> bool:
    same = one.row.name == two.row.name and one.groups == two.groups and not (one.per_unit or two.per_unit)
    return same and one.numbers == two.numbers and not may_jump(one)


def may_jump(activation: Activation) -> bool:
    """Whether a row may be discontinuous: its chart says so, or it is coupled and chooses between values."""
    if activation.row.coupled:
        return any(node.op == "where" for node in walk(activation.formula))
    return charts.of(activation).jumps


@dataclass(frozen=True, eq=False)
class Twins:
    """first - second of two tapes that are alike: taken as twins and as strangers, whichever is sharper."""

    first: Tape
    second: Tape
    slopes: bool = False
    corners: Mapping[int, tuple[float, ...]] = field(default_factory=dict)

    @cached_property
    def pairs(self) -> tuple[tuple[Op, Op], ...]:
        """What makes each value: of the second, and of the first."""
        return tuple(zip(tapes.joined(self.second).ops, tapes.joined(self.first).ops, strict=True))

    def __call__(self, centre: Array, radius: Array, space: Truncation, sides: Sides | None) -> Walked:
        """Walk boxes through both."""
        strangers = walked(tapes.difference(self.first, self.second), centre, radius, space)
        twins, other = self._apart(centre, radius, space), strangers.answer.value
        low, high = np.maximum(twins.low, other.low), np.minimum(twins.high, other.high)
        sharper = chosen(twins.error < other.error, Dual(twins), Dual(other)).value
        return replace(strangers, answer=Dual(replace(sharper, low=low, high=high)), crosses={})

    def _apart(self, centre: Array, radius: Array, space: Truncation) -> Model:
        start = Model.variables(space, centre, radius)
        values = [(start, start.scaled(0.0))]
        for mine, other in self.pairs:
            if isinstance(mine, Sum) and isinstance(other, Sum):
                values.append(_summed(mine, other, values))
            else:
                assert isinstance(mine, Applied)
                values.append(_applied(mine.activation, *values[mine.arg]))
        return values[-1][1]


def _summed(mine: Sum, other: Sum, values: list[tuple[Model, Model]]) -> tuple[Model, Model]:
    """Return the second's sum, and how far the first's is from it."""
    z = reduce(Model.__add__, _carried(mine, (values[arg][0] for arg, _ in mine.terms)))
    apart = reduce(Model.__add__, _carried(other, (values[arg][1] for arg, _ in other.terms)))
    changed = _change(mine, other)
    apart = reduce(Model.__add__, _carried(changed, (values[arg][0] for arg, _ in mine.terms)), apart)
    bias, unsure = (np.asarray(mine.bias), np.asarray(mine.bias_spread))
    z = z.shifted(bias).widened(np.broadcast_to(unsure, z.error.shape))
    bias, unsure = (np.asarray(changed.bias), np.asarray(changed.bias_spread))
    return z, apart.shifted(bias).widened(np.broadcast_to(unsure, apart.error.shape))


def _carried(op: Sum, args: Iterator[Model]) -> Iterator[Model]:
    """Yield x @ kernel for each term, for every kernel within its spread."""
    for (_, kernel), spread, x in zip(op.terms, op.spreads, args, strict=True):
        yield x.affine(kernel).widened(x.reach @ spread)


def _change(mine: Sum, other: Sum) -> Sum:
    """Return what the change of the numbers adds: the first's numbers less the second's."""
    terms, spreads = [], []
    pairs = zip(mine.terms, mine.spreads, other.terms, other.spreads, strict=True)
    for (arg, kernel), spread, (_, changed), unsure in pairs:
        terms.append((arg, changed - kernel))
        spreads.append(spread + unsure + 2 * _UNIT * np.abs(changed - kernel))
    bias = np.asarray(other.bias) - np.asarray(mine.bias)
    spread = np.asarray(mine.bias_spread) + np.asarray(other.bias_spread) + 2 * _UNIT * np.abs(bias)
    return Sum(tuple(terms), bias, 1, tuple(spreads), spread)


def _applied(activation: Activation, z: Model, apart: Model) -> tuple[Model, Model]:
    """Return f(z) and f(z + d) - f(z)."""
    half = apart.scaled(0.5)
    between = (z + half).widened(half.reach)
    if activation.row.coupled:
        # The derivative in the direction d, somewhere between the two.
        moved = coupled.apply(activation, Dual(between, apart.take((slice(None), None))))
        assert moved.slope is not None
        found = moved.slope.take((slice(None), 0))
        return coupled.apply(activation, Dual(z)).value, _no_steeper(activation, found, apart)
    chart = charts.of(activation)
    return z.through(chart)[0], _mean_slope(chart, z + half, between, apart) * apart


def _no_steeper(activation: Activation, found: Model, apart: Model) -> Model:
    """Return what is known of f(z + d) - f(z), or what the steepest slope of f says if that is less."""
    size = apart.reach.reshape(len(apart.error), activation.groups, -1).max(axis=2)
    most = activation.row.steepest * np.repeat(size, found.error.shape[1] // activation.groups, axis=1)
    less = ~(found.reach <= most) & np.isfinite(most)
    terms = np.where(less, 0.0, found.terms)
    low, high = np.maximum(found.low, -most), np.minimum(found.high, most)
    return Model(found.space, terms, np.where(less, most, found.error), low, high)


def _mean_slope(chart: Chart, middle: Model, between: Model, apart: Model) -> Model:
    """Return the mean slope from z to z + d: that at the middle, off by at most t3 d² / 4, or, at kinks, any.

    t3 is the third Taylor coefficient, which the chart bounds.
    """
    at_middle = middle.through(chart.derivative)[0]
    anywhere = between.through(chart.derivative)[0]
    first, last = chart.cells(*between.range())
    smooth = chart.stretch[first] == chart.stretch[last]
    with np.errstate(invalid="ignore", over="ignore"):
        error = at_middle.error + chart.bound(3, first, last) * apart.reach**2 / 4 * (1 + 2.0**-40)
    better = smooth & (error < anywhere.error)
    return Model(
        middle.space, np.where(better, at_middle.terms, anywhere.terms),
        np.where(better, error, anywhere.error), anywhere.low, anywhere.high,
    )  # fmt: skip
