"""Activations over the models of `balls`: formulas, worked out operation by operation.

A unit's own function of one variable is expanded as a whole; what decides between several, or couples units, is
followed through its formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, cast

import numpy as np
from flint import arb, arb_series

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.proof.balls import Line, Model, Undecided
from nn2eq.series import fold, spread

Own = Mapping[str, Sequence[float]]


def activated(activation: Activation, values: Sequence[Model]) -> list[Model]:
    """Apply an activation to all units, group by group."""
    coupled = activation.row.coupled
    size = len(values) // (activation.groups if coupled else len(values))
    found: list[Model] = []
    for start in range(0, len(values), size):
        own = {key: data[start : start + size].tolist() for key, data in activation.per_unit.items()}
        group = values[start : start + size]
        found += _of_group(activation, group, own) if coupled else [_of_unit(activation, group[0], own)]
    return found


def _of_unit(activation: Activation, z: Model, own: Own) -> Model:
    """Expand the formula to run, then the textbook's; where both are undecided, follow it step by step."""
    for node in (activation.stable, activation.formula):
        try:
            return z.through(lambda series, node=node: _line(node, series, own))  # type: ignore[misc]
        except Undecided:
            continue
    [found] = _evaluated(activation.stable, [z], own, halves=False, decided=False)
    return cast(Model, found)


def _line(node: fm.Node, series: arb_series, own: Own) -> arb_series:
    [found] = _evaluated(node, [Line(series)], own, halves=False, decided=True)
    return cast(Line, found).series


def _of_group(activation: Activation, z: Sequence[Model], own: Own) -> list[Model]:
    halves = activation.row.halves
    for node in (activation.stable, activation.formula):
        try:
            return _evaluated(node, z, own, halves=halves, decided=True)
        except Undecided:
            continue
    return _evaluated(activation.stable, z, own, halves=halves, decided=False)


def _evaluated(node: fm.Node, z: Sequence[Any], own: Own, *, halves: bool, decided: bool) -> list[Any]:
    units = len(z) // 2 if halves else len(z)
    names = {"z": _objects(z[:units]), "partner": _objects(z[units:]) if halves else _objects(z)}
    names |= {key: _objects([z[0].like(arb(float(x))) for x in data]) for key, data in own.items()}

    def leaf(part: fm.Node, indices: tuple[str, ...]) -> Any:
        if part.op == "number" or part.value == "count":
            value = part.value if part.op == "number" else float(units)
            exact = arb.pi() if value == math.pi else arb(value)
            return _objects([z[0].like(exact)]).reshape((1,) * (1 + len(indices)))
        return spread(names[part.value if part.op == "name" else part.value[0]], part, indices)

    found = fold(node, leaf, lambda op, args: _applied(op, args, decided))
    return list(np.broadcast_to(found, (units,)))


def _objects(values: Sequence[Any]) -> Any:
    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array


def _applied(op: str, args: list[Any], decided: bool) -> Any:
    """Work an operation out for arrays of models, reductions over the last axis."""
    if op in fm.REDUCTIONS:
        return np.frompyfunc(_choosing("+" if op == "sum" else "max", decided), 2, 1).reduce(args[0], axis=-1)
    dimensions = max(arg.ndim for arg in args)
    level = [arg.reshape(arg.shape + (1,) * (dimensions - arg.ndim)) for arg in args]
    return np.frompyfunc(_choosing(op, decided), len(args), 1)(*level)


def _choosing(op: str, decided: bool) -> Callable[..., Any]:
    """Return an operation; where it cannot be told what it chooses it is Undecided, or what is known of it."""
    if op in _CHOOSING:
        return lambda *args: _CHOOSING[op](decided, *args)
    return _OPERATIONS[op]


_UNKNOWN = "unknown"


def _compared(test: Callable[[arb], bool], opposite: Callable[[arb], bool]) -> Callable[[Any, Any], Any]:
    def compare(a: Any, b: Any) -> Any:
        difference = (a - b).range
        return True if test(difference) else False if opposite(difference) else _UNKNOWN

    return compare


def _where(decided: bool, condition: Any, a: Any, b: Any) -> Any:
    if condition is not _UNKNOWN:
        return a if condition else b
    if decided:
        raise Undecided
    return a.halfway(b)


def _abs(decided: bool, a: Any) -> Any:
    side = _LESS(a, a.like(arb(0)))
    if side is not _UNKNOWN:
        return -a if side else a
    if decided:
        raise Undecided
    return a.bent()


def _larger(sign: int) -> Callable[[bool, Any, Any], Any]:
    """Return the larger of two, or for -1 the smaller: half their sum, and half their distance."""

    def chosen(decided: bool, a: Any, b: Any) -> Any:
        less = _LESS(a, b)
        if less is not _UNKNOWN:
            return b if less == (sign > 0) else a
        if decided:
            raise Undecided
        half, apart = a.like(arb(0.5)), (a - b).bent()
        return half * (a + b + (apart if sign > 0 else -apart))

    return chosen


_LESS = _compared(lambda d: d < 0, lambda d: d >= 0)


def _tanh(z: arb_series) -> arb_series:
    """Use the exponential that is small, and only once."""
    if z[0].mid() < 0:
        return -_tanh(-z)
    return 2 / (1 + (-2 * z).exp()) - 1


def _power(base: Any, exponent: Any) -> Any:
    power = float(exponent.range.mid())
    if power == int(power) and 0 <= power <= 16:
        return reduce(lambda a, b: a * b, [base] * int(power), base.like(arb(1)))
    return base.through(lambda z: (z.log() * arb(power)).exp())


def reciprocal(model: Any) -> Any:
    """Return 1 / model."""
    return model.through(lambda z: 1 / z)


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
    "<": _LESS,
    "<=": _compared(lambda d: d <= 0, lambda d: d > 0),
    ">": _compared(lambda d: d > 0, lambda d: d <= 0),
    ">=": _compared(lambda d: d >= 0, lambda d: d < 0),
    "==": _compared(lambda d: d == 0, lambda d: d != 0),
}
"""What each operation of a formula makes of models, or of lines."""
_CHOOSING: Mapping[str, Callable[..., Any]] = {
    "where": _where, "abs": _abs, "max": _larger(1), "min": _larger(-1),
}  # fmt: skip
"""Likewise of what chooses; told first whether it must be decided."""
