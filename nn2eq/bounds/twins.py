"""Two functions that are built alike, compared layer by layer: a network and itself rounded, or thinned out.

The difference d of their values is carried along. Through an affine map it is d @ K₂ + z @ (K₂ - K₁) + (b₂ -
b₁); through an activation f it is f(z + d) - f(z), the mean of f' between the two times d. So what the two
share is never subtracted, and a small change of the numbers stays small however wide the box.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from nn2eq.activations import Activation
from nn2eq.bounds import charts, coupled
from nn2eq.bounds import tape as tapes
from nn2eq.bounds.charts import Chart
from nn2eq.bounds.duals import Dual, chosen
from nn2eq.bounds.models import Array, Model
from nn2eq.bounds.tape import Applied, Sum, Tape
from nn2eq.bounds.walk import Sides, Walked
from nn2eq.bounds.walk import walk as walked
from nn2eq.formula import walk
from nn2eq.series import Truncation

_UNIT = 2.0**-53


@dataclass(frozen=True, eq=False)
class _Stage:
    """x @ kernel + bias, the exact numbers within the errors of these; then maybe an activation."""

    kernel: Array
    kernel_error: Array
    bias: Array
    bias_error: Array
    activation: Activation | None


def alike(first: Tape, second: Tape) -> bool:
    """Whether two tapes have the same activations on as many units, one after the other."""
    if first.inputs != second.inputs:
        return False
    one, two = _stages(first), _stages(second)
    if one is None or two is None or len(one) != len(two):
        return False
    return all(
        a.kernel.shape == b.kernel.shape and _same(a.activation, b.activation)
        for a, b in zip(one, two, strict=True)
    )


def _same(one: Activation | None, two: Activation | None) -> bool:
    if one is None or two is None:
        return one is two
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

    def __call__(self, centre: Array, radius: Array, space: Truncation, sides: Sides | None) -> Walked:
        """Walk boxes through both."""
        strangers = walked(tapes.difference(self.first, self.second), centre, radius, space)
        twins, other = self._apart(centre, radius, space), strangers.answer.value
        low, high = np.maximum(twins.low, other.low), np.minimum(twins.high, other.high)
        sharper = chosen(twins.error < other.error, Dual(twins), Dual(other)).value
        return replace(strangers, answer=Dual(replace(sharper, low=low, high=high)), crosses={})

    def _apart(self, centre: Array, radius: Array, space: Truncation) -> Model:
        one, two = _stages(self.second), _stages(self.first)
        assert one is not None
        assert two is not None
        z = Model.variables(space, centre, radius)
        apart = z.scaled(0.0)
        for mine, other in zip(one, two, strict=True):
            apart = _carried(apart, other) + _changed(z, mine, other)
            z = _carried(z, mine, with_bias=True)
            if mine.activation is not None:
                z, apart = _applied(mine.activation, z, apart)
        return apart


def _carried(x: Model, stage: _Stage, *, with_bias: bool = False) -> Model:
    """Return x @ kernel, for every kernel within its error."""
    found = x.affine(stage.kernel, stage.bias if with_bias else None)
    unsure = _spread(x) @ stage.kernel_error + (stage.bias_error if with_bias else 0.0)
    return _widened(found, unsure)


def _changed(z: Model, mine: _Stage, other: _Stage) -> Model:
    """Return what the change of the numbers makes of z."""
    kernel, bias = other.kernel - mine.kernel, other.bias - mine.bias
    kernel_error = mine.kernel_error + other.kernel_error + 2 * _UNIT * np.abs(kernel)
    bias_error = mine.bias_error + other.bias_error + 2 * _UNIT * np.abs(bias)
    return _widened(z.affine(kernel, bias), _spread(z) @ kernel_error + bias_error)


def _spread(x: Model) -> Array:
    low, high = x.range()
    return np.asarray(np.maximum(np.abs(low), np.abs(high)))


def _widened(model: Model, by: Array) -> Model:
    by = by * (1 + 2.0**-40)
    return Model(model.space, model.terms, model.error + by, model.low - by, model.high + by)


def _applied(activation: Activation, z: Model, apart: Model) -> tuple[Model, Model]:
    """Return f(z) and f(z + d) - f(z)."""
    half = apart.scaled(0.5)
    between = _widened(z + half, _spread(half))
    if activation.row.coupled:
        # The derivative in the direction d, somewhere between the two.
        moved = coupled.apply(activation, Dual(between, apart.take((slice(None), None))))
        assert moved.slope is not None
        return coupled.apply(activation, Dual(z)).value, moved.slope.take((slice(None), 0))
    chart = charts.of(activation)
    return z.through(chart)[0], _mean_slope(chart, z + half, between, apart) * apart


def _mean_slope(chart: Chart, middle: Model, between: Model, apart: Model) -> Model:
    """Return the mean slope from z to z + d: that at the middle, off by at most t3 d² / 4, or, at kinks, any.

    t3 is the third Taylor coefficient, which the chart bounds.
    """
    at_middle = middle.through(chart.derivative)[0]
    anywhere = between.through(chart.derivative)[0]
    first, last = chart.cells(*between.range())
    smooth = chart.stretch[first] == chart.stretch[last]
    with np.errstate(invalid="ignore", over="ignore"):
        error = at_middle.error + chart.bound(3, first, last) * _spread(apart) ** 2 / 4 * (1 + 2.0**-40)
    better = smooth & (error < anywhere.error)
    return Model(
        middle.space, np.where(better, at_middle.terms, anywhere.terms),
        np.where(better, error, anywhere.error), anywhere.low, anywhere.high,
    )  # fmt: skip


def _stages(tape: Tape) -> tuple[_Stage, ...] | None:
    """Return a tape as stages, consecutive sums joined; None if it is no chain of such."""
    found: list[_Stage] = []
    pending: _Stage | None = None
    for number, op in enumerate(tape.ops):
        if isinstance(op, Sum) and len(op.terms) == 1 and op.terms[0][0] == number:
            pending = _joined(pending, _stage(op))
        elif isinstance(op, Applied) and op.arg == number and not op.units and pending is not None:
            found.append(_with(pending, op.activation))
            pending = None
        elif isinstance(op, Applied) and op.arg == number and not op.units and found:
            size = _outputs(found[-1])
            found.append(_with(_identity(size), op.activation))
        else:
            return None
    return (*found, pending) if pending is not None else tuple(found)


def _outputs(stage: _Stage) -> int:
    units = stage.kernel.shape[1]
    return stage.activation.outputs(units) if stage.activation else units


def _with(stage: _Stage, activation: Activation) -> _Stage:
    return _Stage(stage.kernel, stage.kernel_error, stage.bias, stage.bias_error, activation)


def _identity(size: int) -> _Stage:
    return _Stage(np.eye(size), np.zeros((size, size)), np.zeros(size), np.zeros(size), None)


def _stage(op: Sum) -> _Stage:
    stored = op.terms[0][1].astype(np.float64)
    kernel: Array = np.diag(stored) if stored.ndim == 1 else stored
    if op.repeat > 1:
        kernel = np.asarray(np.kron(np.eye(op.repeat), kernel), dtype=np.float64)
    bias = np.zeros(kernel.shape[1]) if op.bias is None else np.tile(op.bias.astype(np.float64), op.repeat)
    return _Stage(kernel, np.zeros_like(kernel), bias, np.zeros_like(bias), None)


def _joined(first: _Stage | None, second: _Stage) -> _Stage:
    """Return second(first(x)) with what rounding leaves unsure."""
    if first is None:
        return second
    gamma = (len(second.kernel) + 4) * 2 * _UNIT
    size = np.abs(second.kernel)
    kernel_error = (first.kernel_error + gamma * np.abs(first.kernel)) @ size
    bias_error = (first.bias_error + gamma * np.abs(first.bias)) @ size + gamma * np.abs(second.bias)
    up = 1 + 2.0**-32
    return _Stage(
        first.kernel @ second.kernel,
        kernel_error * up,
        first.bias @ second.kernel + second.bias,
        bias_error * up,
        None,
    )
