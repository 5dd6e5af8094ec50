"""Where a network is compared: ordinary inputs, large ones, and inputs on either side of its breakpoints.

The samples lie where the network was made for: what a scaler or a Normalization layer in front makes standard
normal. They are the same ones each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.network import Affine, Map, Network, Selected
from nn2eq.proof.rounding import widened

Array = NDArray[np.float64]

MOST, FEWEST = 400, 24
"""How many samples there are, the data's rows apart: a large network is not asked as often."""
MULTIPLICATIONS = 10_000_000
"""What all samples together may cost in one evaluation."""
DATA_ROWS = 200
"""How many rows of the data are taken, evenly spaced, and of a large network fewer."""
LARGE = (10.0, 100.0, 1000.0)
MULTIPLICATIONS_TO_BEND = 200_000
"""How deep into a network breakpoints are looked for."""
LINES = 4
"""Lines through the space of inputs along which breakpoints are looked for."""
ALONG = np.concatenate([-np.geomspace(1e6, 0.01, 17), [0.0], np.geomspace(0.01, 1e6, 17)])
"""Where a line is looked at first."""
BISECTIONS = 60
ASIDE = 2.0**-24
"""How far beside a breakpoint the network is asked too, relative to the place on the line."""


def samples(network: Network, data: Array | None = None, *, seed: int = 0) -> Array:
    """Return inputs (n, inputs) to compare answers at; `data` (rows, inputs) gives some of them.

    Inputs that the network has no finite answer to, such as those outside a logarithm's domain, are left out.
    """
    wide, random = widened(network), np.random.default_rng(seed)
    place = natural_range(wide)
    count = _count(wide)
    ordinary = random.standard_normal((count // 3, wide.inputs))
    signs = random.choice([-1.0, 1.0], (2 * len(LARGE), wide.inputs))
    large = np.concatenate([[1.0, -1.0]] * len(LARGE))[:, None] * np.repeat(LARGE, 2)[:, None] * signs
    near = breakpoints(wide, random, count // 8)
    parts = [
        np.zeros((1, wide.inputs)),
        place(np.zeros((1, wide.inputs))),
        place(ordinary),
        place(large),
        near,
    ]
    if data is not None and len(data):
        parts.append(np.asarray(data, dtype=np.float64)[_spaced(len(data), min(DATA_ROWS, count))])
    found = np.concatenate(parts)
    return found[_is_finite_throughout(wide, found)]


def _is_finite_throughout(network: Network, x: Array) -> NDArray[np.bool_]:
    """Return the samples (n,) that have a finite answer, without an infinity on the way there."""
    finite = np.isfinite(x).all(axis=1)
    with np.errstate(all="ignore"):
        for step in network.maps:
            x = step(x)
            finite &= np.isfinite(x).all(axis=1)
    return np.asarray(finite)


def _count(network: Network) -> int:
    return int(np.clip(MULTIPLICATIONS // max(_multiplications(network.maps), 1), FEWEST, MOST))


def _multiplications(maps: Iterable[Map]) -> int:
    return sum(step.kernel.size * step.repeat for step in maps if isinstance(step, Affine))


def _spaced(rows: int, count: int) -> NDArray[np.intp]:
    """Return which rows to take, evenly spaced, if at most `count` can be taken."""
    return np.unique(np.linspace(0, rows - 1, min(rows, count)).astype(np.intp))


# ------------------------------------------------------------------------------------------ the natural range


def natural_range(network: Network) -> Callable[[Array], Array]:
    """Return the map from standard normal numbers (n, inputs) to inputs that the network was made for.

    It is the inverse of the scalers, transforms and normalizations in front.
    """
    front = tuple(takewhile(_can_be_undone, network.maps))

    def place(numbers: Array) -> Array:
        for step in reversed(front):
            numbers = _inverse(step, numbers)
        return numbers

    return place


def _can_be_undone(step: Map) -> bool:
    if isinstance(step, Affine):
        return step.is_diagonal and bool(step.kernel.all())
    return isinstance(step, Selected)


def _inverse(step: Map, target: Array) -> Array:
    with np.errstate(all="ignore"):
        if isinstance(step, Affine):
            bias = 0.0 if step.bias is None else np.tile(step.bias, step.repeat)
            return np.asarray((target - bias) / np.tile(step.kernel, step.repeat))
        assert isinstance(step, Selected)
        result, chosen = target.copy(), list(step.units)
        result[:, chosen] = _solved(step.activation, target[:, chosen])
        return result


def _solved(function: Activation, target: Array) -> Array:
    """Return where a function has these values; where it has none, or none is found, the values themselves.

    It is taken to be monotonic, if not in all its domain then among positive numbers.
    """
    low, high = function.domain
    for start in (low, max(low, 0.0)):
        found = _bisected(function, target, start, high)
        if (np.abs(function(found) - target) <= 1e-6 * (1 + np.abs(target))).all():
            return found
    return target


def _bisected(function: Activation, target: Array, start: float, end: float) -> Array:
    """Return where a monotonic function crosses these values.

    Halving the inverse hyperbolic sine finds 1e-9 as fast as 1e9.
    """
    low, high = (np.full(target.shape, np.arcsinh(np.clip(place, -1e300, 1e300))) for place in (start, end))
    falls = function(np.sinh(low)) > function(np.sinh(high))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = (function(np.sinh(middle)) < target) != falls
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(np.sinh(high))


# -------------------------------------------------------------------------------------------- the breakpoints


def breakpoints(network: Network, random: np.random.Generator, count: int) -> Array:
    """Return inputs (n, inputs) at which a unit is at a breakpoint of its activation, four for each.

    The first two are on either side, as near as floating point can tell; the others lie a little aside. At
    most `count` breakpoints are taken, wherever random lines through the inputs meet them.
    """
    network = _shallow(network)
    columns, levels = _places(network, count)
    if not len(columns):
        return np.empty((0, network.inputs))
    lines = _Lines(natural_range(network), *random.standard_normal((2, LINES, network.inputs)))
    which, line, low, high = _crossings(network, lines, columns, levels)
    if not len(which):
        return np.empty((0, network.inputs))
    columns, levels, each = columns[which], levels[which], np.arange(len(which))

    def above(along: Array) -> NDArray[np.bool_]:
        return np.asarray(_bending(network, lines.at(line, along))[each, columns] > levels)

    below = above(low)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        same = above(middle) == below
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    aside = ASIDE * (1 + np.abs(low))
    return np.concatenate([lines.at(line, along) for along in (low, high, low - aside, high + aside)])


@dataclass(frozen=True, eq=False)
class _Lines:
    """Lines in standard normal numbers, starts and directions (lines, inputs), and the map to inputs."""

    place: Callable[[Array], Array]
    starts: Array
    directions: Array

    def at(self, line: NDArray[np.intp], along: Array) -> Array:
        """Return a point on each of some lines (n,), so far along: (n, inputs)."""
        return self.place(self.starts[line] + along[:, None] * self.directions[line])


def _shallow(network: Network) -> Network:
    """Return the first layers of the network, those in which breakpoints can be looked for at some speed."""
    so_far = np.cumsum([_multiplications(layer.maps) for layer in network.layers])
    return replace(
        network, layers=network.layers[: int(np.searchsorted(so_far, MULTIPLICATIONS_TO_BEND, "right"))]
    )


def _places(network: Network, count: int) -> tuple[NDArray[np.intp], Array]:
    """Return the columns of `_bending` and the levels of all breakpoints, or of `count`, evenly spaced."""
    columns: list[int] = []
    levels: list[float] = []
    first = 0
    for activation, z in _bent(network, np.zeros((1, network.inputs))):
        for level in activation.breakpoints:
            columns += range(first, first + z.shape[1])
            levels += [level] * z.shape[1]
        first += z.shape[1]
    chosen = _spaced(len(columns), count)
    return np.array(columns, dtype=np.intp)[chosen], np.array(levels)[chosen]


def _bent(network: Network, x: Array) -> Iterator[tuple[Activation, Array]]:
    """Yield the activations that have breakpoints, unit by unit, each with its pre-activations (n, units)."""
    for step in network.maps:
        if isinstance(step, Activation) and not step.row.coupled and step.breakpoints:
            yield step, x
        x = step(x)


def _bending(network: Network, x: Array) -> Array:
    """Return the pre-activations of all units that have breakpoints, (n, units), for x (n, inputs)."""
    return np.concatenate([z for _, z in _bent(network, x)], axis=1)


def _crossings(
    network: Network, lines: _Lines, columns: NDArray[np.intp], levels: Array
) -> tuple[NDArray[np.intp], NDArray[np.intp], Array, Array]:
    """Find for each place the crossing nearest to a line's start: places, their lines, and between what."""
    line, along = np.repeat(np.arange(LINES), len(ALONG)), np.tile(ALONG, LINES)
    with np.errstate(all="ignore"):
        above = (_bending(network, lines.at(line, along))[:, columns] > levels).reshape(LINES, len(ALONG), -1)
    distance = np.abs(ALONG[1:] + ALONG[:-1])[None, :, None]
    distance = np.where(above[:, 1:] != above[:, :-1], distance, np.inf).reshape(-1, len(columns))
    which = np.flatnonzero(np.isfinite(distance.min(axis=0)))
    found, gap = np.divmod(distance.argmin(axis=0)[which], len(ALONG) - 1)
    return which, found, ALONG[gap], ALONG[gap + 1]
