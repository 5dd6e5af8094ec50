"""Coupled rows over models: their formulas worked out with proved bounds, softmax and its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.bounds import charts
from nn2eq.bounds.duals import Dual, chosen, constant, hull
from nn2eq.bounds.models import Model
from nn2eq.formula import Node, number
from nn2eq.series import RULES, fold

Truth = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""Where a comparison certainly holds, and where it may hold."""


def apply(activation: Activation, z: Dual) -> Dual:
    """Apply a coupled row to z (boxes, units): textbook and stable formula, each where it is sharper."""
    units = z.value.error.shape[1]
    grouped = z.shaped(activation.groups, units // activation.groups)
    formulas = dict.fromkeys((_relative(activation.stable), _uncancelled(activation.formula)))
    results = [_worked_out(formula, activation, grouped) for formula in formulas]
    best = results[0]
    for other in results[1:]:
        low, high = np.maximum(best.value.low, other.value.low), np.minimum(best.value.high, other.value.high)
        value = chosen(other.value.error < best.value.error, Dual(other.value), Dual(best.value)).value
        best = Dual(replace(value, low=low, high=high), _sharper(best.slope, other.slope))
    outputs = activation.outputs(units // activation.groups) * activation.groups
    return _within_range(activation, z, best.shaped(outputs))


def _sharper(one: Model | None, two: Model | None) -> Model | None:
    if one is None or two is None:
        return None
    sharper = chosen(two.error < one.error, Dual(two), Dual(one)).value
    return replace(sharper, low=np.maximum(one.low, two.low), high=np.minimum(one.high, two.high))


def _uncancelled(node: Node) -> Node:
    """Write what is divided by, or subtracts, a sum of exponentials so that large exponentials do not cancel.

    exp(u) / Σ exp(v) = 1 / Σ exp(v - u), and u - log(Σ exp(v)) = -log(Σ exp(v - u)).
    """
    match node:
        case Node("/", (Node("exp", (u,)), Node("sum", (Node("exp", (v,)),), index))):
            return Node("/", (number(1.0), _exponentials(v, u, index)))
        case Node("-", (u, Node("log", (Node("sum", (Node("exp", (v,)),), index),)))):
            return Node("neg", (Node("log", (_exponentials(v, u, index),)),))
    return node


def _relative(node: Node) -> Node:
    """Write u - max(v) as -max(v - u), which is seen never to be above 0 where u is one of v."""
    node = Node(node.op, tuple(_relative(arg) for arg in node.args), node.value)
    match node:
        case Node("-", (u, Node("largest", (v,), index))):
            return Node("neg", (Node("largest", (Node("-", (v, u)),), index),))
    return node


def _exponentials(v: Node, u: Node, index: str) -> Node:
    return Node("sum", (Node("exp", (Node("-", (v, u)),)),), index)


def _within_range(activation: Activation, z: Dual, found: Dual) -> Dual:
    """Use the row's own bounds too; where the formula gave nothing, nothing but them."""
    low, high = activation.bounds(*z.value.range())
    model = found.value
    useless = ~np.isfinite(model.error)
    terms = np.where(useless, model.space.constant(low / 2 + high / 2), model.terms)
    error = np.where(useless, (high - low) * (0.5 + 1e-9) + 1e-300, model.error)
    value = Model(model.space, terms, error, np.maximum(model.low, low), np.minimum(model.high, high))
    if found.slope is None and z.slope is not None:  # made of constants alone, between which it jumps
        return Dual(value, z.slope.take((slice(None), slice(None), slice(error.shape[-1]))).scaled(0.0))
    return Dual(value, found.slope)


def _worked_out(formula: Node, activation: Activation, z: Dual) -> Dual:
    units = z.value.error.shape[-1]
    names = {"z": z}
    if activation.row.halves:
        names = {
            "z": z.take((slice(None), slice(units // 2))),
            "partner": z.take((slice(None), slice(units // 2, None))),
        }

    def leaf(node: Node, indices: tuple[str, ...]) -> Dual:
        if node.op == "number" or node.value == "count":
            return constant(z, node.value if node.op == "number" else float(units))
        named = names[node.value if node.op == "name" else node.value[0]]
        place = -1 if node.op == "name" else indices.index(node.value[1])
        return _spread(named, place, len(indices))

    with np.errstate(all="ignore"):
        found: Dual = fold(formula, leaf, _applied)
        return found


def _spread(z: Dual, place: int, depth: int) -> Dual:
    """Lay (groups, units) out as (groups, units, 1 ...), or with the units on the axis of a reduction."""
    groups, units = z.value.error.shape[1:]
    axes = [1] * (1 + depth)
    axes[1 + place] = units
    return z.shaped(groups, *axes)


def _applied(op: str, args: list[Any]) -> Any:
    if op in RULES:
        return args[0].through(charts.of_primitive(op))[0]
    ndim = max(_axes(arg) for arg in args)
    return _OPERATIONS[op](*(_with_axes(arg, ndim) for arg in args))


def _axes(arg: Any) -> int:
    return int(arg.value.error.ndim if isinstance(arg, Dual) else arg[0].ndim)


def _with_axes(arg: Any, ndim: int) -> Any:
    missing = (1,) * (ndim - _axes(arg))
    if isinstance(arg, Dual):
        return arg.shaped(*arg.value.error.shape[1:], *missing) if missing else arg
    return tuple(mask.reshape(*mask.shape, *missing) for mask in arg)


def _power(base: Dual, exponent: Dual) -> Dual:
    power = float(exponent.value.terms[0].flat[0])
    assert power == int(power) > 0, "a row raises to a power that is not a positive whole number"
    if power == 2:
        return base.through(charts.of_formula(_SQUARE, (), (-np.inf, np.inf)))[0]
    result = base
    for _ in range(int(power) - 1):
        result = result * base
    return result


_SQUARE = Node("**", (Node("name", value="z"), Node("number", value=2.0)))


def _divided(a: Dual, b: Dual) -> Dual:
    return a * b.through(charts.of_primitive("/"))[0]


def _larger(a: Dual, b: Dual) -> Dual:
    """Return max(a, b): one of them where that is certain, else b + max(a - b, 0)."""
    gap = a - b
    low, high = gap.value.range()
    rest = b + gap.through(charts.of_formula(_POSITIVE, (0.0,), (-np.inf, np.inf)))[0]
    return chosen(low >= 0, a, chosen(high <= 0, b, rest))


_POSITIVE = Node("max", (Node("name", value="z"), Node("number", value=0.0)))


def _smaller(a: Dual, b: Dual) -> Dual:
    return -_larger(-a, -b)


def _largest(a: Dual) -> Dual:
    """Return the largest over the last axis: the one at the middle of the box, and what others exceed."""
    place = np.argmax(a.value.terms[0], axis=-1)[..., None]

    def picked(model: Model, index: NDArray[np.intp]) -> Model:
        arrays = (np.take_along_axis(array, index, axis=-1) for array in (model.error, model.low, model.high))
        return Model(model.space, np.take_along_axis(model.terms, index[None], axis=-1), *arrays)

    slope = (
        picked(a.slope, np.broadcast_to(place[:, None], (*a.slope.error.shape[:-1], 1))) if a.slope else None
    )
    best = Dual(picked(a.value, place), slope)
    ahead = (a - best).value.range()[1]
    rivals = np.maximum(ahead, 0.0)
    excess = np.max(np.where(np.arange(ahead.shape[-1]) == place, 0.0, rivals), axis=-1)
    half = excess * (0.5 + 1e-9)
    value = best.value.take((..., 0)).shifted(half)
    low, high = a.value.range()
    value = Model(value.space, value.terms, value.error + half, low.max(axis=-1), high.max(axis=-1))
    if a.slope is None or best.slope is None:
        return Dual(value)
    return Dual(value, _rivals(best.slope, a.slope, rivals > 0))


def _rivals(slope: Model, slopes: Model, may_lead: NDArray[np.bool_]) -> Model:
    """Widen a slope so that it holds those of all units that may be the largest."""
    low, high = (slopes - slope).range()
    leads = may_lead[:, None]
    reach = np.where(leads, np.maximum(np.abs(low), np.abs(high)), 0.0).max(axis=-1)
    low, high = slopes.range()
    low, high = np.where(leads, low, np.inf).min(axis=-1), np.where(leads, high, -np.inf).max(axis=-1)
    best = slope.take((..., 0))
    own = best.range()
    return Model(
        slope.space, best.terms, best.error + reach, np.minimum(low, own[0]), np.maximum(high, own[1])
    )


def _where(truth: Truth, a: Dual, b: Dual) -> Dual:
    always, maybe = truth
    shape = np.broadcast_shapes(always.shape, a.value.error.shape, b.value.error.shape)
    always, maybe = np.broadcast_to(always, shape), np.broadcast_to(maybe, shape)
    return chosen(always, a, chosen(~maybe, b, hull(a, b)))


def _compared(holds: Callable[[Any, Any], Any]) -> Callable[[Dual, Dual], Truth]:
    def compare(a: Dual, b: Dual) -> Truth:
        low, high = (a - b).value.range()
        ends = holds(low, 0.0), holds(high, 0.0)
        return ends[0] & ends[1], ends[0] | ends[1]

    return compare


_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "neg": lambda a: -a,
    "*": lambda a, b: a * b,
    "/": _divided,
    "**": _power,
    "abs": lambda a: a.through(charts.of_primitive("abs"))[0],
    "max": _larger,
    "min": _smaller,
    "where": _where,
    "sum": lambda a: a.sum(),
    "largest": _largest,
    "<": _compared(np.less),
    "<=": _compared(np.less_equal),
    ">": _compared(np.greater),
    ">=": _compared(np.greater_equal),
}
