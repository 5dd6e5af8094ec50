"""How much rounding there must be: what an answer's error is measured against, and what rounding costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.network import Affine, Layer, Map, Network, Selected
from nn2eq.proof.agreement import TEXT_TOLERANCE

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SINGLE, DOUBLE = 2.0**-24, 2.0**-53
"""The unit roundoff of float32 and of float64."""
LARGEST = {2.0**-11: float(np.finfo(np.float16).max), DOUBLE: float(np.finfo(np.float64).max)}
"""The largest number of types that do not have the range of float32, by their roundoff."""
PASSES = 8
"""Perturbed passes: all errors upward, all downward, the others at random."""
SAFETY = 1.5
"""How much larger than a local error the perturbation is that stands for it."""
MARGIN = 1.5
"""How much more than the worst perturbed pass is off at the end is allowed."""
FEW = 16
"""Units of a coupled row whose formula is tried: what some take grows with the third power of their number."""
STEEP = 1e3
"""What counts as a jump of a coupled row: its answers move so much more than its units."""
LEAST_JUMP = 1e-9
"""What counts as a jump: more than a continuous row does between two neighbouring numbers."""


def widened(network: Network) -> Network:
    """Return the network with its weights in float64, so that each evaluation need not widen them again."""
    return replace(
        network, layers=tuple(replace(layer, maps=tuple(map(_wide, layer.maps))) for layer in network.layers)
    )


def _wide(step: Map) -> Map:
    if not isinstance(step, Affine):
        return step
    bias = None if step.bias is None else step.bias.astype(np.float64)
    return Affine(step.kernel.astype(np.float64), bias, step.repeat)


# ----------------------------------------------------------------------------------------- what a text may do


def scale(network: Network, x: Array) -> Array:
    """Return the magnitude that an answer's error is measured against, (n, outputs), at x (n, inputs).

    It is sum |w| |a| + |b| of the last affine step: the order of summation alone moves an answer by some
    1e-16 of that sum, which near a root is arbitrarily much of the answer itself. Several affine maps in a
    row count as the one that they fold into. An activation behind keeps the magnitude, or raises it to the
    answer's own, or to what it makes of a small move by that magnitude (an exponential is steeper than 1).
    """
    maps = [step for step in network.maps if not (isinstance(step, Activation) and step.is_linear)]
    start = _last_affine(maps)
    value = np.asarray(x, dtype=np.float64)
    for step in maps[:start]:
        value = step(value)
    size = np.abs(value)
    for step in maps[start:]:
        answer = step(value)
        size = _absolute(step)(size) if isinstance(step, Affine) else _through(step, value, size, answer)
        value = answer
    return np.maximum(size, np.abs(value))


def measured(network: Network, x: Array, error: Array) -> tuple[Array, Array]:
    """Return what answers at x (n, inputs) are measured against, and how far relative to it they may be off.

    error (n, outputs): what rounding costs. It is all there is where units are just off and nothing else comes in.
    """
    finite = np.where(np.isfinite(error), error, 0.0)
    size = np.maximum(scale(network, x), finite)
    relative = np.divide(finite, size, out=np.zeros_like(size), where=size > 0)
    return size, np.maximum(TEXT_TOLERANCE, relative)


def _last_affine(maps: list[Map]) -> int:
    """Return where the last run of affine maps begins, 0 if there is none."""
    last = max((index for index, step in enumerate(maps) if isinstance(step, Affine)), default=0)
    while last > 0 and isinstance(maps[last - 1], Affine):
        last -= 1
    return last


def _absolute(step: Affine) -> Affine:
    return Affine(np.abs(step.kernel), None if step.bias is None else np.abs(step.bias), step.repeat)


def _through(step: Activation | Selected, value: Array, size: Array, answer: Array) -> Array:
    """Return the magnitude behind an activation: its own, the answer's, or what a part of it comes to."""
    part = 2.0**-20
    moved = [
        np.abs(step(value + part * size * signs) - answer) / part for signs in _directions(value.shape[-1])
    ]
    kept = size
    if _is_coupled(step):
        groups = step.groups if isinstance(step, Activation) else 1
        widest = size.reshape(len(size), groups, -1).max(axis=-1, keepdims=True)
        kept = np.broadcast_to(widest, (len(size), groups, answer.shape[-1] // groups)).reshape(answer.shape)
    return np.asarray(np.maximum.reduce([kept, np.abs(answer), *moved]))


def _directions(units: int, count: int = 4) -> Iterator[Array]:
    """Yield the directions up, down, and some at random, the same ones each time."""
    yield np.ones(units)
    yield -np.ones(units)
    random = np.random.default_rng(0)
    yield from random.choice([-1.0, 1.0], (count - 2, units))


def _is_coupled(step: Map) -> TypeGuard[Activation]:
    return isinstance(step, Activation) and step.row.coupled


# ---------------------------------------------------------------------------------------- what rounding costs


@dataclass(frozen=True, eq=False)
class Rounding:
    """What rounding may cost: the exact answers and the error to allow, (n, outputs), infinite beyond the range.

    at_jump (n,): the samples at which some unit is so near to a jump of its activation that rounding decides
    the side.
    """

    answers: Array
    error: Array
    at_jump: Mask


def rounding(network: Network, x: Array, unit: float = SINGLE) -> Rounding:
    """Estimate what a forward pass at x (n, inputs) may be off in arithmetic of this unit roundoff.

    Beside the exact pass run perturbed ones. After each affine map of n terms they are moved by what a sum of
    n roundings comes to, (sqrt(n) + 2) units of |x| @ |kernel| + |bias|, after each activation by what its
    implementation costs, each several times over; in two passes all to the same side, since alike units err
    alike, in the others at random. What comes of it at the end is allowed. A worst case bound, all errors of
    all units adding up through |kernel| after |kernel|, is 1e8 times too wide for five layers of a thousand
    units.
    """
    value = np.asarray(x, dtype=np.float64)
    random = np.random.default_rng(0)
    coming_in = unit * np.abs(value) if unit > SINGLE else np.zeros(())  # the samples are numbers of float32
    moved = value + coming_in * _signs(random, value.shape)
    at_jump, beyond = np.zeros((2, len(value)), dtype=np.bool_)
    largest = LARGEST.get(unit, float(np.finfo(np.float32).max))
    with np.errstate(all="ignore"):
        for layer in network.layers:
            for step in layer.maps:
                if _is_coupled(step):  # its sums cancel: softmax subtracts the largest, sparsemax a threshold
                    moved = moved + SAFETY * unit * _group_error(step, value) * _signs(random, value.shape)
                widest = np.abs(moved - value).max(axis=0)
                at_jump |= _near_jump(step, value, widest)
                if not isinstance(step, Affine) and not _is_coupled(step):
                    moved[0], moved[1] = value + widest, value - widest  # a bend within reach must be met
                answer = step(value)
                size = SAFETY * np.maximum(
                    unit * _local_error(layer, step, value, answer), _cancelled(step, value, unit)
                )
                beyond |= np.any(size > unit * largest, axis=-1)
                value, moved = answer, _outward(step, moved, answer, size * _signs(random, answer.shape))
        error = MARGIN * np.abs(moved - value).max(axis=0) + 2 * unit * np.abs(value)
    return Rounding(value, np.where(np.isnan(error) | beyond[:, None], np.inf, error), at_jump)


def _outward(step: Map, moved: Array, answer: Array, local: Array) -> Array:
    """Return what a step makes of perturbed passes, with its own errors: in the first two away from the answer.

    Where an activation falls, what came in and what it adds would otherwise make up for one another.
    """
    found = step(moved)
    if not isinstance(step, Affine):
        away = np.sign(found[:2] - answer)
        local[:2] = np.where(away == 0.0, local[:2], away * np.abs(local[:2]))
    return found + local


def _signs(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    signs = random.uniform(-1.0, 1.0, (PASSES, *shape))
    signs[0], signs[1] = 1.0, -1.0
    return signs


def _local_error(layer: Layer, step: Map, value: Array, answer: Array) -> Array:
    """Return what one step adds to the error, in units of roundoff."""
    if isinstance(step, Affine):
        terms = 1 if step.is_diagonal else step.kernel.shape[0]
        size = _absolute(step)(np.abs(value)) + _hidden_offset(layer, step)
        return np.asarray((np.sqrt(terms) + 2) * size)
    if isinstance(step, Selected):
        chosen = np.isin(np.arange(value.shape[-1]), step.units)
        return np.where(chosen, step.activation.row.roundings * (np.abs(answer) + 1), 0.0)
    if step.segments:  # a multiplication and an addition at most
        offset = max(float(np.max(np.abs(piece.intercept))) for piece in step.segments)
        return np.asarray(2 * (np.abs(answer) + offset))
    own = step.row.roundings * (np.abs(answer) + 1)
    if _is_coupled(step):  # TensorFlow's softmax is exp(z - (max + log sum)), as exact as the largest z
        own = own + _largest(step, value, answer) * np.abs(answer)
    return np.asarray(own)


def _is_of_few(step: Map, value: Array) -> TypeGuard[Activation]:
    """Whether a step is a curved function of each unit alone, or of so few that its formula is quickly tried."""
    if not isinstance(step, Activation) or step.segments or step.row.halves:
        return False
    return not step.row.coupled or value.shape[-1] <= FEW * step.groups


def _cancelled(step: Map, value: Array, unit: float) -> Array:
    """Return what the textbook formula may be off around here in this arithmetic, 0 where it overflows.

    Keras computes by such formulas: its squareplus of -1000 is half of what two numbers near 1000 differ by. What
    correct rounding would cost is multiplied: TensorFlow's erf and exp are not rounded correctly.
    """
    if unit <= DOUBLE or not _is_of_few(step, value):
        return np.zeros(())
    random = np.random.default_rng(0)
    near = value * (1 + 4 * unit * random.uniform(-1.0, 1.0, (PASSES, *value.shape)))
    units = value.shape[-1] // step.groups
    split = near.reshape(*near.shape[:-1], step.groups, units) if step.row.coupled else near
    values = {"z": split, **step.per_unit}
    exactly, roughly = (fm.evaluate(step.formula, values, by) for by in (None, lambda a: _rounded(a, unit)))
    off = np.abs(roughly - exactly).reshape(near.shape).max(axis=0)
    return np.where(np.isfinite(off), step.row.roundings * off, 0.0)


def _rounded(answer: Any, unit: float) -> Any:
    """Round numbers to the arithmetic of this unit roundoff, however small or large they are."""
    if np.asarray(answer).dtype.kind != "f":  # whether something holds
        return answer
    digits, power = np.frexp(answer)
    return np.ldexp(np.rint(digits / unit) * unit, power)


def _group_error(step: Activation, value: Array) -> Array:
    """Return what the sums inside a coupled activation add to the error of each pre-activation."""
    return np.asarray((np.sqrt(value.shape[-1] // step.groups) + 2) * _largest(step, value, value))


def _largest(step: Activation, value: Array, like: Array) -> Array:
    """Return the largest size in each group, for each of its units or answers."""
    split = (*value.shape[:-1], step.groups, -1)
    largest = np.abs(value).reshape(split).max(axis=-1, keepdims=True)
    return np.broadcast_to(largest, like.reshape(split).shape).reshape(like.shape)


def _hidden_offset(layer: Layer, step: Affine) -> Array | float:
    """Return the size of what Keras subtracts first: beta - moving_mean * factor may cancel."""
    mean = layer.weights.get("moving_mean")
    if mean is None or not step.is_diagonal or np.size(mean) != step.kernel.size:
        return 0.0
    return 2 * np.tile(np.abs(step.kernel * np.ravel(mean)), step.repeat)


# --------------------------------------------------------------------------------------------- where it jumps


def _near_jump(step: Map, value: Array, error: Array) -> Mask:
    """Return which samples (n,) have a unit whose pre-activation may be on either side of a jump."""
    near = np.zeros(len(value), dtype=np.bool_)
    if _is_coupled(step):  # Keras' sparsemax jumps where its support changes
        limit = STEEP * error.max(axis=-1, keepdims=True)
        for signs in _directions(value.shape[-1], 2 * PASSES):
            near |= np.any(np.abs(step(value + error * signs) - step(value)) > limit, axis=-1)
    for place in _jumps(step):
        if isinstance(step, Selected):
            value, error = value[..., list(step.units)], error[..., list(step.units)]
        near |= np.any(np.abs(value - place) <= error, axis=-1)
    return near


def _jumps(step: Map) -> Iterator[float]:
    """Yield each z at which an activation jumps, at some unit at least."""
    if isinstance(step, Affine) or _is_coupled(step):
        return
    row = step.activation if isinstance(step, Selected) else step
    units = max((len(values) for values in row.per_unit.values()), default=1)
    for place in row.breakpoints:
        nearby = (np.nextafter(place, -np.inf), place, np.nextafter(place, np.inf))
        if np.any(np.ptp([row(np.full(units, number)) for number in nearby], axis=0) > LEAST_JUMP):
            yield place
