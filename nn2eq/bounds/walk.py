"""A tape over boxes: models of every value, from the input to the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.bounds import charts, coupled
from nn2eq.bounds.charts import Chart
from nn2eq.bounds.duals import Dual, Mask, constant
from nn2eq.bounds.models import Array, Model, joined
from nn2eq.bounds.tape import Applied, Powers, Sum, Tape
from nn2eq.series import Truncation

Sides = Mapping[int, NDArray[np.intp]]
"""By operation: between which corners of its function each unit is assumed, (boxes, units); -1 for any."""


@dataclass(frozen=True, eq=False)
class Walked:
    """The answer over boxes, and by operation which units meet a kink, (boxes, units).

    empty, whole (boxes,): whether what was assumed holds nowhere in the box, or certainly everywhere.
    """

    answer: Dual
    crosses: Mapping[int, Mask]
    empty: Mask
    whole: Mask


@dataclass
class _Walk:
    tape: Tape
    sides: Sides
    values: list[Dual]
    empty: Mask
    whole: Mask
    crosses: dict[int, Mask] = field(default_factory=dict)


def walk(
    tape: Tape,
    centre: Array,
    radius: Array,
    space: Truncation,
    *,
    slopes: bool = False,
    sides: Sides | None = None,
) -> Walked:
    """Walk boxes centre ± radius, (boxes, inputs) each, through a tape; `slopes`: with its derivatives.

    sides: assumptions; the answer then holds for the points of a box that fulfil them, `empty` where none
    can.
    """
    value = Model.variables(space, centre, radius)
    boxes, inputs = centre.shape
    slope = None
    if slopes:
        terms = space.constant(np.broadcast_to(np.eye(inputs), (boxes, inputs, inputs)))
        slope = Model(space, terms, np.zeros((boxes, inputs, inputs)), terms[0], terms[0])
    state = _Walk(
        tape, sides or {}, [Dual(value, slope)], np.zeros(boxes, dtype=bool), np.ones(boxes, dtype=bool)
    )
    for number, op in enumerate(tape.ops):
        if isinstance(op, Sum):
            state.values.append(_sum(op, state.values))
        elif isinstance(op, Applied):
            state.values.append(_applied(op, state, number))
        else:
            state.values.append(_polynomial(op, state.values[op.arg]))
    return Walked(state.values[-1], state.crosses, state.empty, state.whole)


def _sum(op: Sum, values: list[Dual]) -> Dual:
    parts: list[Dual] = []
    for arg, kernel in op.terms:
        bias = op.bias if not parts else None
        value = values[arg]
        if op.spreads:
            spread = op.spreads[len(parts)]
            parts.append(value.affine(kernel, bias).unsure(value, spread, None if parts else op.bias_spread))
        elif op.repeat == 1:
            parts.append(value.affine(kernel, bias))
        else:
            units = value.value.error.shape[-1] // op.repeat
            parts.append(
                value.shaped(op.repeat, units).affine(kernel, bias).shaped(op.repeat * kernel.shape[-1])
            )
    return reduce(Dual.__add__, parts)


def _applied(op: Applied, state: _Walk, number: int) -> Dual:
    z = state.values[op.arg]
    if not op.units:
        return _function(op.activation, z, state, number)
    units = list(op.units)
    changed = _function(op.activation, z.take((units,)), state, number)
    return _put(z, changed, units)


def _function(activation: Activation, z: Dual, state: _Walk, number: int) -> Dual:
    if activation.row.coupled:
        return coupled.apply(activation, z)
    units = z.value.error.shape[-1]
    sides = state.sides.get(number)
    if not activation.per_unit:
        return _through(charts.of(activation), z, sides, state, number)
    # Parameters that differ by unit: a chart each.
    parts: list[Dual] = []
    crosses: list[Mask] = []
    for unit in range(units):
        side = sides[:, unit : unit + 1] if sides is not None else None
        parts.append(
            _through(charts.of(activation, unit), z.take((slice(unit, unit + 1),)), side, state, number)
        )
        crosses.append(state.crosses[number])
    state.crosses[number] = np.concatenate(crosses, axis=1)
    return _side_by_side(parts)


def _through(chart: Chart, z: Dual, sides: NDArray[np.intp] | None, state: _Walk, number: int) -> Dual:
    limits = None
    if sides is not None and chart.corners:
        edges = np.array([-np.inf, *chart.corners, np.inf])
        place = np.clip(sides, 0, len(edges) - 2)
        limits = (np.where(sides < 0, -np.inf, edges[place]), np.where(sides < 0, np.inf, edges[place + 1]))
        low, high = z.value.range()
        state.empty |= ((low > limits[1]) | (high < limits[0])).any(axis=1)
        state.whole &= ((low >= limits[0]) & (high <= limits[1])).all(axis=1)
    found, state.crosses[number] = z.through(chart, limits)
    return found


def _side_by_side(parts: list[Dual]) -> Dual:
    slopes = [part.slope for part in parts if part.slope is not None]
    return Dual(joined([part.value for part in parts]), joined(slopes) if slopes else None)


def _put(whole: Dual, changed: Dual, units: list[int]) -> Dual:
    """Replace some units."""

    def put(model: Model | None, new: Model | None) -> Model | None:
        if model is None or new is None:
            return None
        arrays = []
        for key in ("terms", "error", "low", "high"):
            array = getattr(model, key).copy()
            array[..., units] = getattr(new, key)
            arrays.append(array)
        return Model(model.space, *arrays)

    value = put(whole.value, changed.value)
    assert value is not None
    return Dual(value, put(whole.slope, changed.slope))


def _polynomial(op: Powers, x: Dual) -> Dual:
    """Work a polynomial out, and divide it by its denominator."""
    found = _powers(op, x)
    above = found.affine(op.coefficients)
    if op.denominator is None:
        return above
    inverse, _ = found.affine(op.denominator).through(charts.of_primitive("/"))
    return above * inverse


def _powers(op: Powers, x: Dual) -> Dual:
    """Work the monomials out: each variable's powers, each monomial from one that it extends."""
    factor = 1.0 / op.scale.astype(np.float64)
    t = _moved(x, op.centre.astype(np.float64), factor, op.scale.astype(np.float64))
    highest = op.exponents.max(axis=0, initial=0)
    one = constant(x.take((slice(1),)), 1.0)
    single = [_ladder(t.take((slice(i, i + 1),)), one, int(top), op.basis) for i, top in enumerate(highest)]
    known: dict[tuple[int, ...], Dual] = {}

    def monomial(exponents: tuple[int, ...]) -> Dual:
        if exponents not in known:
            used = [i for i, power in enumerate(exponents) if power]
            if not used:
                known[exponents] = one
            elif len(used) == 1:
                known[exponents] = single[used[0]][exponents[used[0]]]
            else:
                last = used[-1]
                rest = (*exponents[:last], 0, *exponents[last + 1 :])
                known[exponents] = monomial(rest) * single[last][exponents[last]]
        return known[exponents]

    monomials = [_with_slope(monomial(tuple(int(power) for power in row)), x) for row in op.exponents]
    return _side_by_side(monomials)


def _moved(x: Dual, centre: Array, factor: Array, scale: Array) -> Dual:
    """Return (x - centre) / scale; the rounding of 1 / scale counts too."""
    if np.all(scale == 1.0):
        return x.affine(np.ones(len(centre)), -centre)
    moved = x.affine(np.ones(len(centre)), -centre).affine(factor)
    inexact = 2.0**-52 * (np.abs(moved.value.terms).sum(axis=0) + moved.value.error)
    value = Model.of(moved.value.space, moved.value.terms, moved.value.error + inexact)
    if moved.slope is None:
        return Dual(value)
    inexact = 2.0**-52 * (np.abs(moved.slope.terms).sum(axis=0) + moved.slope.error)
    return Dual(value, Model.of(value.space, moved.slope.terms, moved.slope.error + inexact))


def _ladder(t: Dual, one: Dual, top: int, basis: str) -> list[Dual]:
    """Return t^0 ... t^top, or Chebyshev's T_0 ... T_top, each from two of half its degree.

    T_(j + k) = 2 T_j T_k - T_(k - j): errors grow by a factor each time the degree doubles, not each time it rises.
    """
    steps = [one, t]
    while len(steps) <= top:
        half = len(steps) // 2
        rest = len(steps) - half
        product = steps[half] * steps[rest]
        steps.append(product if basis == "power" else product.affine(np.full(1, 2.0)) - steps[rest - half])
    return steps


def _with_slope(found: Dual, x: Dual) -> Dual:
    if x.slope is None or found.slope is not None:
        return Dual(found.value, found.slope)
    zero = x.slope.take((slice(None), slice(None), slice(1))).scaled(0.0)
    return Dual(found.value, zero)
