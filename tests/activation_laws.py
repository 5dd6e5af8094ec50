"""The laws that every row of the activation table obeys; none of them names an activation.

The exact witness is the textbook formula, evaluated by mpmath in 450 digits: 1 + exp(-1000) is not 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations import ROWS, Activation, Row, filled

Array = NDArray[np.float64]

TOLERANCE = 1e-12  # of every text that is run, relative to the natural scale
REFERENCE = 1e-14  # of the NumPy evaluation, relative to what an ulp of z does to the answer
FLOOR = 1e-300  # below it float64 has no digits to compare
EXTREMES = (20.0, 40.0, 100.0, 745.0, 1000.0, 1e6)
DIGITS = 450


# ------------------------------------------------------------------------------ formulas in other arithmetics

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
}  # fmt: skip
_ARITHMETIC: Mapping[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "**": lambda a, b: a**b, "neg": lambda a: -a, "abs": abs, "max": max, "min": min,
}  # fmt: skip
_NAMED = ("exp", "expm1", "log", "log1p", "log10", "tanh", "sqrt", "erf")
PYTHON = {**_ARITHMETIC, **_COMPARISONS, **{name: getattr(math, name) for name in _NAMED}}
EXACT = {**_ARITHMETIC, **_COMPARISONS, **{name: getattr(mpmath, name) for name in _NAMED}}


def scalar(node: fm.Node, known: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    """Evaluate as a scalar language does: one number at a time, and of a conditional the branch taken.

    `known` maps names to numbers, `z[]` to the z of every unit, an index in scope to the unit where it is.
    """
    if node.op == "number":
        return node.value
    if node.op == "name":
        return known[node.value]
    if node.op == "unit":
        text, index = node.value
        return known[f"{text}[]"][known[index]]
    if node.op == "where":
        condition, yes, no = node.args
        return scalar(yes if scalar(condition, known, functions) else no, known, functions)
    if node.op in fm.REDUCTIONS:
        places = range(int(known["count"]))
        parts = [scalar(node.args[0], {**known, node.value: place}, functions) for place in places]
        return max(parts) if node.op == "largest" else sum(parts[1:], parts[0])
    return functions[node.op](*(scalar(arg, known, functions) for arg in node.args))


def exact(node: fm.Node, known: Mapping[str, Any]) -> Any:
    """Evaluate a formula in 450 digits."""
    with mpmath.workdps(DIGITS):
        return scalar(node, {key: _wide(value) for key, value in known.items()}, EXACT)


def _wide(value: Any) -> Any:
    return [mpmath.mpf(float(v)) for v in value] if np.ndim(value) else mpmath.mpf(value)


def python(node: fm.Node, known: Mapping[str, Any]) -> float:
    """Evaluate a formula with `math`; what it finds too large is infinite, as in every other language."""
    try:
        return float(scalar(node, known, PYTHON))
    except OverflowError:
        return math.inf


# --------------------------------------------------------------------------------------------------- samples


def examples() -> Iterator[Activation]:
    """Fill every row: with its defaults, other numbers, and negative ones where they are allowed."""
    for row in ROWS.values():
        for first in (None, 0.7, 2.5, -0.4) if row.parameters else (None,):
            values = {
                key: default if first is None and default is not None else (first or 0.6) + 0.9 * place
                for place, (key, default) in enumerate(row.parameters.items())
            }
            if all(fm.evaluate(fm.parse(condition), values) for condition in row.require):
                yield filled(row, values)


def name(activation: Activation) -> str:
    """Name an example in a test's id."""
    return "-".join([activation.row.name, *(f"{value:g}" for value in activation.parameters.values())])


def points(activation: Activation) -> Array:
    """Sample the domain: a grid, tiny numbers, extremes, every breakpoint and either side of it."""
    places = [*np.linspace(-12.0, 12.0, 97), 1e-3, -1e-3, 1e-9, -1e-9, *EXTREMES, *(-z for z in EXTREMES)]
    for place in (*activation.breakpoints, *(end for end in activation.domain if np.isfinite(end))):
        places += [
            place,
            *(np.nextafter(place, side) for side in (-np.inf, np.inf)),
            place - 1e-6,
            place + 1e-6,
        ]
    low, high = activation.domain
    inside = np.array(sorted(set(places)))
    inside = inside[(inside >= low) & (inside <= high)]
    return np.asarray(inside[np.isfinite(activation(inside))])


def smooth_points(activation: Activation) -> Array:
    """Sample away from the breakpoints and the ends of the domain."""
    z = points(activation)
    corners = [*activation.breakpoints, *activation.domain]
    return np.asarray(z[np.min([np.abs(z - corner) for corner in corners], axis=0) > 1e-8])


def vectors() -> Iterator[Array]:
    """Sample groups of units for coupled rows: usual ones, ties, a single pair, and the extremes."""
    random = np.random.default_rng(7)
    yield from (random.normal(size=size) * scale for size, scale in product((2, 4, 6), (0.1, 1.0, 30.0)))
    yield np.zeros(4)
    yield np.array([1.5, -0.5, 1.5, 1.5])
    yield np.array([1000.0, -1000.0, 745.0, -745.0])
    yield np.array([1e6, 999999.61, -1e6, 999999.7])


# ---------------------------------------------------------------------------------------- laws of scalar rows


def natural_scale(activation: Activation, z: Array, a: Array) -> Array:
    """What errors are measured by: the answer, what z's last digit does to it, z itself where it is small."""
    slope = np.where(z == 0, 0.0, derivative(activation, z, a))
    return np.asarray(
        np.maximum(np.abs(a), np.maximum(np.abs(z * slope), np.minimum(1.0, np.abs(z)))) + FLOOR
    )


def derivative(activation: Activation, z: Array, a: Array) -> Array:
    """Evaluate the row's derivative."""
    assert activation.derivative is not None
    return np.broadcast_to(
        fm.evaluate(activation.derivative, {"z": z, "a": a, **activation.per_unit}), z.shape
    )


def formula_is_numpy(activation: Activation) -> None:
    """The NumPy evaluation is the textbook formula to the last few digits, at the extremes too."""
    z = points(activation)
    a = activation(z)
    expected = np.array([float(exact(activation.formula, {"z": value})) for value in z])
    # An ulp further, where the last digit of z counts for much.
    beside = np.array([float(exact(activation.formula, {"z": value})) for value in np.nextafter(z, 0.0)])
    close(a, expected, REFERENCE * np.abs(expected) + 8 * np.abs(expected - beside) + FLOOR, z)


def stable_is_numpy(activation: Activation) -> None:
    """The form to run agrees wherever it is run: over arrays, and by a scalar language."""
    z = points(activation)
    a = activation(z)
    allowed = TOLERANCE * natural_scale(activation, z, a)
    close(fm.evaluate(activation.stable, {"z": z}), a, allowed, z)
    close(np.array([python(activation.stable, {"z": float(value)}) for value in z]), a, allowed, z)


def derivative_is_slope(activation: Activation) -> None:
    """The derivative is the slope of the textbook formula, over arrays and by a scalar language."""
    z = smooth_points(activation)
    a = activation(z)
    with mpmath.workdps(DIGITS):
        slopes = [_slope(activation.formula, mpmath.mpf(value)) for value in z]
    expected = np.array([float(slope) for slope in slopes])
    allowed = TOLERANCE * np.maximum(1.0, np.abs(expected))
    close(derivative(activation, z, a), expected, allowed, z)
    assert activation.derivative is not None
    run = [python(activation.derivative, {"z": float(v), "a": float(w)}) for v, w in zip(z, a, strict=True)]
    close(np.array(run), expected, allowed, z)


def _slope(node: fm.Node, z: Any) -> Any:
    step = mpmath.mpf("1e-30")
    above, below = (scalar(node, {"z": place}, EXACT) for place in (z + step, z - step))
    return (above - below) / (2 * step)


def bounds_hold(activation: Activation, low: float, high: float) -> None:
    """Bounds contain a dense sample of the interval, its breakpoints and their sides among it."""
    sample = np.append(np.linspace(low, high, 301), [p for p in points(activation) if low <= p <= high])
    values = activation(sample)
    lower, upper = activation.bounds(np.array(low), np.array(high))
    assert lower <= values.min(), f"{lower} is above the value {values.min()} in [{low}, {high}]"
    assert upper >= values.max(), f"{upper} is below the value {values.max()} in [{low}, {high}]"


def bounds_are_tight(activation: Activation, low: float, high: float) -> None:
    """Bounds are values that are taken, but for a few units in the last place."""
    sides = [
        np.nextafter(place, side) for place in activation.breakpoints for side in (-np.inf, place, np.inf)
    ]
    ends = [end * (1 + k * 1e-15) for end in (low, high) for k in range(-8, 9)]
    values = activation(np.array([*ends, *(side for side in sides if low <= side <= high)]))
    lower, upper = activation.bounds(np.array(low), np.array(high))
    slack = 1e-13 * (1.0 + np.max(np.abs(values)))
    assert lower >= values.min() - slack
    assert upper <= values.max() + slack


def turns_where_it_says(activation: Activation) -> None:
    """Wherever it changes direction, a turning point stands."""
    low, high = np.clip(activation.domain, -12.0, 12.0)
    z = np.linspace(low, high, 4001)[1:-1]
    rises = np.diff(activation(z))
    rises[np.abs(rises) < 1e-12] = 0.0
    signed = np.flatnonzero(rises)
    turns = np.flatnonzero(np.sign(rises[signed][:-1]) * np.sign(rises[signed][1:]) < 0)
    for turn in turns:
        left, right = z[signed[turn]], z[signed[turn + 1] + 1]
        inside = [place for place in activation.breakpoints if left <= place <= right]
        assert any(_turns(activation, place) for place in inside), f"it turns between {left} and {right}"


def _turns(activation: Activation, place: float) -> bool:
    """Whether the slope vanishes just here, or the slope or the value jumps."""
    z = np.array([place - 1e-7, place + 1e-7])
    a = activation(z)
    slope = derivative(activation, z, a)
    return bool(np.all(np.abs(slope) < 1e-6) or np.ptp(slope) > 1e-3 or np.ptp(a) > 1e-3)


def pieces_reproduce_it(activation: Activation) -> None:
    """The pieces are the function, on their joints too."""
    z = points(activation)
    value = np.full(z.shape, np.nan)
    for segment in activation.segments:
        reached = z > segment.start if segment.open else z >= segment.start
        value = np.where(reached, segment.slope * z + segment.intercept, value)
    scale = max(np.max(np.abs(s.slope)) + np.abs(s.intercept) for s in activation.segments)
    close(value, activation(z), 4e-16 * scale * np.maximum(1.0, np.abs(z)), z)


def has_curvature(activation: Activation) -> None:
    """What has no pieces is curved somewhere, so that no pieces were forgotten."""
    step = 1e-4
    low, high = np.clip(activation.domain, -12.0, 12.0)
    z = np.linspace(low, high, 97)[1:-1]
    bend = np.abs(activation(z - step) - 2 * activation(z) + activation(z + step)) / step**2
    # a joint bends at one or two of these numbers
    assert np.sum(bend > 1e-3) >= 5, "affine piece by piece, and has no pieces"


def mirrors_itself(activation: Activation) -> None:
    """What is said of f(-z) holds, and nothing is said only where nothing can be."""
    z = np.unique(np.abs(points(activation)))
    z = np.concatenate([z, np.linspace(0.1, 12.0, 97)])
    low, high = activation.domain
    z = z[(z <= high) & (-z >= low) & (z > 0)]
    z = np.concatenate([z, -z])
    a, other = activation(z), activation(-z)
    if activation.mirror:
        p, q, r = activation.mirror
        size = np.abs(p * a) + np.abs(q * z) + np.abs(r)
        close(other, p * a + q * z + r, 1e-14 * size + FLOOR, z)
    elif low < -12.0:
        near = np.abs(z) <= 12.0
        known = np.stack([a, z, np.ones(len(z))], axis=1)[near]
        fit, *_ = np.linalg.lstsq(known, other[near], rcond=None)
        assert np.abs(known @ fit - other[near]).max() > 1e-6, "its mirror image is not said"


def each_unit_may_have_its_own(activation: Activation) -> None:
    """A parameter that is an array is one number a unit."""
    z = np.linspace(-3.0, 3.0, 5)[:, np.newaxis] + np.zeros(2)
    for key, value in activation.parameters.items():
        both = np.array([value, value + 0.25])
        together = Activation(activation.row, {**activation.parameters, key: both})
        alone = [Activation(activation.row, {**activation.parameters, key: one}) for one in both]
        expected = np.stack([one(z[:, 0]) for one in alone], axis=-1)
        close(together(z), expected, 1e-15 * (1 + np.abs(expected)), z)
        close(fm.evaluate(together.stable, {"z": z, **together.per_unit}), expected, 1e-12 + 0 * expected, z)


# --------------------------------------------------------------------------------------- laws of coupled rows


def coupled_agrees(activation: Activation) -> None:
    """Formula, form to run and NumPy evaluation of a coupled row are one function."""
    for z in vectors():
        a = activation(z)
        scale = np.maximum(1.0, np.abs(a))
        expected = np.array(
            [float(exact(activation.formula, _known(activation, z, unit))) for unit in range(len(a))]
        )
        close(a, expected, TOLERANCE * scale, a)
        close(_evaluated(activation, z), a, TOLERANCE * scale, a)
        run = [python(activation.stable, _known(activation, z, unit)) for unit in range(len(a))]
        close(np.array(run), a, TOLERANCE * scale, a)


def _known(activation: Activation, z: Array, unit: int) -> dict[str, Any]:
    known: dict[str, Any] = {"z": float(z[unit]), "z[]": [float(v) for v in z], "count": len(z)}
    return known | ({"partner": float(z[unit + len(z) // 2])} if activation.row.halves else {})


def _evaluated(activation: Activation, z: Array) -> Array:
    if not activation.row.halves:
        return fm.evaluate(activation.stable, {"z": z})
    first, second = np.split(z, 2, axis=-1)
    return fm.evaluate(activation.stable, {"z": first, "partner": second})


def coupled_bounds_hold(activation: Activation) -> None:
    """The range of a coupled row contains what it answers in a box."""
    random = np.random.default_rng(3)
    for z in vectors():
        low, high = z - random.uniform(0, 2, z.shape), z + random.uniform(0, 2, z.shape)
        lower, upper = activation.bounds(low, high)
        for corner in (z, low, high, *random.uniform(low, high, (200, len(z))), *_corners(low, high)):
            a = activation(corner)
            assert np.all((lower <= a) & (a <= upper)), f"{a} is outside {lower}, {upper}"


def no_steeper_than_it_says(activation: Activation) -> None:
    """No output of a coupled row moves by more than is said when no unit moves by more than 1."""
    random, most = np.random.default_rng(4), activation.row.steepest
    reached = 0.0
    for z in (*vectors(), *random.normal(size=(40, 4))):
        moves = np.sign(random.normal(size=(200, len(z)))) * 1e-5
        moved = np.abs(activation(z + moves) - activation(z)).max() / 1e-5
        assert moved <= most * (1 + 1e-3), f"{moved} at {z}"
        reached = max(reached, float(moved))
    assert np.isinf(most) or reached >= 0.5 * most


def _corners(low: Array, high: Array) -> Iterator[Array]:
    for one in range(len(low)):
        yield np.where(np.arange(len(low)) == one, high, low)
        yield np.where(np.arange(len(low)) == one, low, high)


def groups_are_apart(activation: Activation) -> None:
    """Groups of units know nothing of one another."""
    z = np.random.default_rng(5).normal(size=(3, 8))
    in_groups = Activation(activation.row, activation.parameters, groups=2)
    apart = [activation(half) for half in np.split(z, 2, axis=-1)]
    np.testing.assert_array_equal(in_groups(z), np.concatenate(apart, axis=-1))


# ---------------------------------------------------------------------------------------------- the two ends


def close(got: Array, expected: Array, allowed: Array, at: Array) -> None:
    """Require that answers are equal (infinities too) or as near as is allowed."""
    with np.errstate(invalid="ignore"):
        wrong = ~((got == expected) | (np.abs(got - expected) <= allowed))
    assert not wrong.any(), f"at {at[wrong][:5]}: {got[wrong][:5]} instead of {expected[wrong][:5]}"


def laws_of(row: Row) -> Sequence[Callable[[Activation], None]]:
    """Return every law that a row must obey."""
    if row.coupled:
        return coupled_agrees, coupled_bounds_hold, groups_are_apart, no_steeper_than_it_says
    shape = pieces_reproduce_it if row.pieces else has_curvature
    return (
        formula_is_numpy, stable_is_numpy, derivative_is_slope, turns_where_it_says, shape, mirrors_itself,
        each_unit_may_have_its_own,
    )  # fmt: skip
