"""Fits whose coefficients are decimals as short as a tolerance allows, and as few as it allows.

The coefficients are rounded one after the other, the ones not yet rounded making up for it (Babai's nearest
plane, as in Brisebarre and Chevillard, "Efficient polynomial L-infinity approximations", 2007). Then digits are
taken away in random orders, always the same ones, as long as the largest error at the samples allows it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nn2eq.forms.fitting import Array, Fit, Task, near_minimax

WORK = 1e8
"""Products of numbers that one order of taking digits away may take, a second or so."""
_FEWEST, _MOST = 60, 1_500
"""Attempts at the least and at the most, whatever the work."""
_LEVELS = 8
"""How often all digits together are made finer, by half a place each time."""
_WATCHED = 400
"""Samples of largest error on which a change is judged."""
_STEPS = 20
"""Coefficients changed by one in the last place to mend what rounding has spoiled."""
_PLAIN = (1e-4, 1e7)
"""Numbers that are printed without a power of ten."""
_POWER_OF_TEN = 17
_EVEN = 0.01
"""The share of the weights that is the same for all samples, lest some count for nothing."""


@dataclass(frozen=True, eq=False)
class Short:
    """The columns kept, their coefficients (kept,) with so many decimal places, error, and characters taken."""

    kept: tuple[int, ...]
    coefficients: Array
    places: tuple[int, ...]
    error: float
    characters: int

    def with_more(self, characters: int) -> Short:
        """Return the fit with so many characters more around it."""
        return replace(self, characters=self.characters + characters)


def characters(value: float) -> int:
    """Count the characters of a decimal without its sign as it is printed, with a power of ten where it is odd."""
    size = abs(value)
    text = np.format_float_positional(size, trim="-")
    digits = len(text.replace(".", "").strip("0"))
    return len(text) if _PLAIN[0] <= size < _PLAIN[1] else digits + (digits > 1) + _POWER_OF_TEN


def shortest(
    task: Task, signs: Sequence[int], tolerance: float, orders: int = 4, *, seed: int = 0
) -> Short | None:
    """Return a fit of few characters whose error at the samples is within the tolerance, None if there is none.

    signs (size,): how many characters stand beside each coefficient if it is not 0. orders: in how many orders
    digits are taken away.
    """
    search = _Search(task, signs, tolerance)
    rng = np.random.default_rng(seed)
    found = [short for _ in range(orders) if (short := search.descend(rng)) is not None]
    return min(found, key=lambda short: short.characters, default=None)


def rounded_to(value: float, places: int) -> float:
    """Round to so many decimal places, also below 0: the float64 nearest to that decimal."""
    return float(round(value, places)) if math.isfinite(value) else value


class _Search:
    def __init__(self, task: Task, signs: Sequence[int], tolerance: float) -> None:
        self.task, self.signs, self.tolerance = task, tuple(signs), tolerance
        beneath = task.below * np.abs(task.target).max()
        self.largest = np.abs(np.concatenate([task.above, beneath], axis=1)).max(axis=0)
        each = len(task.target) * max(1, task.size)
        self.attempts = int(min(_MOST, max(_FEWEST, WORK / each)))
        self.planes: dict[tuple[int, ...], _Plane] = {}

    def plane(self, kept: tuple[int, ...], wider: _Plane | None = None) -> _Plane:
        """Return what rounding of some columns works on; of many columns, from that of one column more."""
        if kept not in self.planes:
            if wider is None or not self.task.is_large:
                start = wider.fit if wider else None
                self.planes[kept] = _Plane.of(self.task.take(kept), kept, self.tolerance, start)
            else:
                self.planes[kept] = wider.narrowed(self.task.take(kept), kept)
        return self.planes[kept]

    def attempt(self, plane: _Plane, places: Sequence[int]) -> Short | None:
        """Round to so many places; None if the error is then above the tolerance."""
        if plane.fit.least > self.tolerance or not plane.kept or not np.all(np.diag(plane.triangle)):
            return None
        quanta = 10.0 ** -np.array(places, dtype=np.float64)
        rounded = _nearest_plane(plane.triangle, plane.side, quanta)
        mended = _mended(plane.task, rounded, quanta, self.tolerance)
        values = np.array([rounded_to(*pair) for pair in zip(mended.tolist(), places, strict=True)])
        error = float(np.abs(plane.task.residual(values)).max())
        return self._told(plane.kept, values, tuple(places), error) if error <= self.tolerance else None

    def _told(self, kept: tuple[int, ...], values: Array, places: tuple[int, ...], error: float) -> Short:
        """Leave out what has become 0, and count characters."""
        used = np.flatnonzero(values).tolist()
        count = sum(characters(values[k]) + 3 + self.signs[kept[k]] for k in used)
        return Short(tuple(kept[k] for k in used), values[used], tuple(places[k] for k in used), error, count)

    def descend(self, rng: np.random.Generator) -> Short | None:
        """Take digits and columns away in a random order until nothing more can be taken."""
        here = self._first()
        if here is None:
            return None
        live, tried, left = set(here.kept), set[int](), self.attempts
        while live and left:
            left -= 1
            column = int(rng.choice(sorted(live)))
            omit = column not in tried and bool(rng.random() < 0.5)
            found = self._without(here, column) if omit else self._coarser(here, column)
            if omit:
                tried.add(column)
            if found is None:
                live -= set() if omit else {column}
            else:
                here = found
            live &= set(here.kept)
        return here

    def _first(self) -> Short | None:
        """Round all alike: finely where there are few columns, as coarsely as can be where there are many."""
        plane = self.plane(tuple(range(self.task.size)))
        if plane.fit.error > self.tolerance:
            return None
        left = max(self.tolerance - plane.fit.error, self.tolerance / 50) / (2 * self.task.size)
        for finer in range(-_LEVELS if self.task.is_large else 0, _LEVELS):
            share = left * 10.0 ** (-finer / 2)
            places = [_places(share / max(size, 1e-300)) for size in self.largest]
            if found := self.attempt(plane, places):
                return found
        return None

    def _coarser(self, here: Short, column: int) -> Short | None:
        places = [count - (kept == column) for kept, count in zip(here.kept, here.places, strict=True)]
        return self.attempt(self.plane(here.kept, self.planes.get(here.kept)), places)

    def _without(self, here: Short, column: int) -> Short | None:
        kept = tuple(other for other in here.kept if other != column)
        places = [count for other, count in zip(here.kept, here.places, strict=True) if other != column]
        return self.attempt(self.plane(kept, self.plane(here.kept)), places)


@dataclass(frozen=True, eq=False)
class _Plane:
    """Least squares over some columns: the fit, and a triangle and right-hand side of the same solution."""

    task: Task
    kept: tuple[int, ...]
    fit: Fit
    triangle: Array
    side: Array

    @classmethod
    def of(cls, task: Task, kept: tuple[int, ...], tolerance: float, start: Fit | None = None) -> _Plane:
        """Fit a task, and weight its samples as the fit does; not to the end where the tolerance is out of reach."""
        fit = near_minimax(task, start=start, hopeless=tolerance)
        weights = (1 - _EVEN) * fit.weights + _EVEN / len(fit.weights)
        columns, target = task.linear(fit.denominator)
        roots = np.sqrt(weights)
        q, triangle = np.linalg.qr(columns * roots[:, None])
        return cls(task, kept, fit, triangle, q.T @ (target * roots))

    def narrowed(self, task: Task, kept: tuple[int, ...]) -> _Plane:
        """Return the least squares over fewer columns, the weights left as they are."""
        place = [self.kept.index(column) for column in kept]
        q, triangle = np.linalg.qr(self.triangle[:, place])
        return _Plane(task, kept, self.fit, triangle, q.T @ self.side)


def _places(quantum: float) -> int:
    return min(300, math.ceil(-math.log10(quantum)))


def _nearest_plane(triangle: Array, side: Array, quanta: Array) -> Array:
    """Solve a triangular system in multiples of quanta, each making up for those rounded before it."""
    left, found = side.copy(), np.zeros(len(quanta))
    for k in range(len(quanta) - 1, -1, -1):
        found[k] = np.rint(left[k] / triangle[k, k] / quanta[k]) * quanta[k]
        left[: k + 1] -= triangle[: k + 1, k] * found[k]
    return found


def _mended(task: Task, values: Array, quanta: Array, tolerance: float) -> Array:
    """Change single coefficients by one in the last place as long as that lessens an error too large."""
    for _ in range(_STEPS):
        sizes = np.abs(task.residual(values))
        error = float(sizes.max())
        if not tolerance < error < 2 * tolerance:
            break
        errors = _changed(task.at(np.argsort(-sizes)[:_WATCHED]), values, quanta)
        best = int(errors.argmin())
        if errors[best] >= error:
            break
        place = best % len(values)
        values = values.copy()
        values[place] += quanta[place] * (1.0 if best < len(values) else -1.0)
    return values


def _changed(task: Task, values: Array, quanta: Array) -> Array:
    """Return the largest errors if each coefficient is one quantum more, then if it is one less."""
    count = task.above.shape[1]
    above, below = (side[:, None] for side in task.sides(values))
    over, under = task.above * quanta[:count], task.below * quanta[count:]
    parts = [
        task.apart(*sides)
        for sign in (1.0, -1.0)
        for sides in ((above + sign * over, below), (above, below + sign * under))
    ]
    return np.concatenate([np.abs(part).max(axis=0) for part in parts])
