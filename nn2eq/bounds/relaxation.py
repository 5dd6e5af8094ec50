"""Relaxations: a polynomial and a proved distance that hold a function of one variable over an interval.

In s = (z - middle) / radius, so that |s| <= 1: |f(z) - Σ p_k s^k| <= distance. Where the interval is short
against the nearest singularity the Taylor polynomial is economised (Lanczos: the highest Chebyshev terms are
cut off); where it is long, or holds a kink, a polynomial is fitted and its distance proved between the points
from the second derivative.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from nn2eq.bounds.charts import Cells, Chart

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_UNIT = 2.0**-53
_UP = 1.0 + 2.0**-40
_NODES = 25
_WIDE = 6
"""Cells from which on an interval is sampled in any case."""
_SMALLEST = 1e-100


@dataclass(frozen=True, eq=False)
class Relaxation:
    """Intervals (n,) and what holds the function over each.

    middle, radius (n,): of the intervals, the radius never too small. polynomial (degree + 1, n) in s;
    distance (n,). low, high (n,): bounds of the function itself. crosses (n,): whether a kink lies within.
    """

    middle: Array
    radius: Array
    polynomial: Array
    distance: Array
    low: Array
    high: Array
    crosses: Mask


def relax(chart: Chart, low: Array, high: Array, degree: int) -> Relaxation:
    """Relax a function over intervals low <= z <= high, (n,) each; infinitely far where nothing is known."""
    known = (low >= chart.edges[0]) & (high <= chart.edges[-1]) & (low <= high)
    low, high = np.where(known, low, 0.0), np.where(known, high, 0.0)
    middle = low / 2 + high / 2
    radius = np.maximum(np.maximum(high - middle, middle - low) * (1 + 4 * _UNIT), _SMALLEST)
    first, last = chart.cells(low, high)
    crosses = chart.stretch[first] != chart.stretch[last]
    with np.errstate(all="ignore"):
        polynomial, distance = _economised(chart, middle, radius, first, last, degree)
        curvature = chart.bound(2, first, last) * radius**2
        poor = (
            crosses
            | (last - first >= _WIDE)
            | ~(distance <= 0.1 * curvature + 1e-14 * np.abs(polynomial).sum(axis=0))
        )
        bottom, top = _extremes(polynomial, distance)
        if np.any(poor):
            fitted = _Fit.of(chart, low[poor], high[poor], middle[poor], radius[poor], degree)
            keep = ~crosses[poor] & (distance[poor] <= fitted.distance)
            polynomial[:, poor] = np.where(keep, polynomial[:, poor], fitted.polynomial)
            distance[poor] = np.where(keep, distance[poor], fitted.distance)
            bottom[poor], top[poor] = fitted.low, fitted.high
    unknown = ~known | ~np.isfinite(distance)
    polynomial[:, unknown] = 0.0
    distance, top = (np.where(unknown | np.isnan(array), np.inf, array) for array in (distance, top))
    bottom = np.where(unknown | np.isnan(bottom), -np.inf, bottom)
    return Relaxation(middle, radius, polynomial, distance, bottom, top, crosses)


def _extremes(polynomial: Array, distance: Array) -> tuple[Array, Array]:
    """Bound what is within a distance of a polynomial over |s| <= 1: a parabola, and sizes of the rest."""
    p = np.concatenate([polynomial, np.zeros((max(0, 3 - len(polynomial)), polynomial.shape[1]))])
    vertex = np.where(np.abs(p[1]) < 2 * np.abs(p[2]), -p[1] / (2 * p[2]), 1.0)
    ends = np.stack([p[0] + p[1] * s + p[2] * s * s for s in (-1.0, 1.0, vertex)])
    rest = np.abs(p[3:]).sum(axis=0) + distance + 16 * _UNIT * np.abs(p[:3]).sum(axis=0)
    return ends.min(axis=0) - rest * _UP, ends.max(axis=0) + rest * _UP


# ------------------------------------------------------------------------------------------- short intervals


@cache
def _economy(order: int, degree: int) -> tuple[Array, Array, Array]:
    """Return what cuts s^0 ... s^order to a degree: the map, what it cuts off, weights of its rounding."""
    to_chebyshev = np.array([np.pad(chebyshev.poly2cheb(row), (0, order - k)) for k, row in _powers(order)]).T
    back = np.array([np.pad(chebyshev.cheb2poly(row), (0, degree - k)) for k, row in _powers(degree)]).T
    kept = back @ to_chebyshev[: degree + 1]
    weights = (np.abs(back) @ to_chebyshev[: degree + 1]).sum(axis=0) + 1.0
    return kept, to_chebyshev[degree + 1 :], weights


def _powers(order: int) -> list[tuple[int, list[float]]]:
    return [(k, [0.0] * k + [1.0]) for k in range(order + 1)]


def _economised(
    chart: Chart, middle: Array, radius: Array, first: Cells, last: Cells, degree: int
) -> tuple[Array, Array]:
    """Expand at the middle, cut down to the degree, and bound what was cut and what the expansion leaves."""
    order, last = max(chart.order, degree), np.maximum(first, last)
    inside = np.clip(np.searchsorted(chart.edges, middle, "right") - 1, first, last)
    terms, errors = chart.taylor(middle, inside)
    powers = np.cumprod(np.stack([np.ones_like(radius), *[radius] * (chart.order + 1)]), axis=0)
    scaled = np.zeros((order + 1, len(middle)))
    scaled[: chart.order + 1] = terms * powers[:-1]
    kept, cut, weights = _economy(order, degree)
    beyond = chart.bound(chart.order + 1, first, last)
    rest = np.where(beyond == 0, 0.0, beyond * powers[-1])
    rounding = (4 * order + 8) * _UNIT * (weights @ np.abs(scaled))
    distance = np.abs(cut @ scaled).sum(axis=0) + rest + (errors * powers[:-1]).sum(axis=0) + rounding
    return kept @ scaled, distance * _UP


# -------------------------------------------------------------------------------------------- long intervals


@cache
def _fitting(degree: int, count: int) -> Array:
    """Return the least-squares fit (degree + 1, count) at equally spaced s, the ends weighing more."""
    s = np.linspace(-1.0, 1.0, count)
    weights = (1.05 - s**2) ** -0.25
    return np.linalg.pinv(np.vander(s, degree + 1, increasing=True) * weights[:, None]) * weights


@dataclass(frozen=True, eq=False)
class _Fit:
    """The best of a constant, the chord, and a fit of full degree; bounds of the function (n,)."""

    polynomial: Array
    distance: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, chart: Chart, low: Array, high: Array, middle: Array, radius: Array, degree: int) -> _Fit:
        nodes = np.stack([low, high]) if chart.is_affine else chart.between(low, high, _NODES)
        seen = _Samples.of(chart, nodes, middle, radius)
        bottom, top = seen.extremes(np.zeros((1, len(low))))
        candidates = [_raised(np.array([bottom / 2 + top / 2]), degree)]
        if degree >= 1:
            candidates.append(_raised(_chord(seen), degree))
        if degree >= 2 and not chart.is_affine:
            candidates.append(_fitted(chart, low, high, degree))
        polynomial, distance = _closest(seen, candidates)
        return cls(polynomial, distance, bottom, top)


def _fitted(chart: Chart, low: Array, high: Array, degree: int) -> Array:
    """Fit a polynomial in s; how well is for the samples to say."""
    count = 2 * degree + 3
    points = low + (high - low) * np.linspace(0.0, 1.0, count)[:, None]
    return np.asarray(_fitting(degree, count) @ chart.value(points, chart.cells(points, points)[0])[0])


def _raised(polynomial: Array, degree: int) -> Array:
    return np.concatenate([polynomial, np.zeros((degree + 1 - len(polynomial), polynomial.shape[1]))])


def _chord(seen: _Samples) -> Array:
    first, last = seen.values[0], seen.values[seen.count - 1]
    return np.array([first / 2 + last / 2, last / 2 - first / 2])


def _closest(seen: _Samples, candidates: list[Array]) -> tuple[Array, Array]:
    """Put each candidate midway between its extremes, and take the one that is then nearest."""
    best, nearest = candidates[0], np.full(candidates[0].shape[1], np.inf)
    for candidate in candidates:
        low, high = seen.extremes(candidate)
        shift = low / 2 + high / 2
        candidate = np.concatenate([(candidate[0] + shift)[None], candidate[1:]])
        rounding = 4 * _UNIT * (np.abs(candidate[0]) + np.abs(shift) + np.abs(low) + np.abs(high))
        distance = np.maximum(high - shift, shift - low) + rounding
        nearer = distance < nearest
        best, nearest = np.where(nearer, candidate, best), np.where(nearer, distance, nearest)
    return best, nearest * _UP


@dataclass(frozen=True, eq=False)
class _Samples:
    """Values at nodes, with what can happen between them.

    s, values, errors (nodes, n): the first `count` nodes run from end to end, the others stand on both sides
    of kinks. bends (count - 1, n): how far from its chord the function may be between two nodes; width (count
    - 1, n): in s.
    """

    count: int
    s: Array
    values: Array
    errors: Array
    bends: Array
    width: Array

    @classmethod
    def of(cls, chart: Chart, nodes: Array, middle: Array, radius: Array) -> _Samples:
        low, high = nodes[0], nodes[-1]
        first, last = chart.cells(nodes[:-1], nodes[1:])
        step = (nodes[1:] - nodes[:-1]) * (1 + 8 * _UNIT)
        bends = chart.bound(2, first, last) * (step / 2) ** 2 * _UP
        seen = [(nodes, *chart.value(nodes, np.concatenate([first, last[-1:]])))]
        for kink in chart.kinks:
            place = np.clip(np.full_like(low, kink), low, high)
            for side in ("left", "right"):
                cell = np.clip(np.searchsorted(chart.edges, place, side) - 1, 0, len(chart.centres) - 1)
                value, error = chart.value(place, cell)
                seen.append((place[None], value[None], error[None]))
        places, values, errors = (np.concatenate(part) for part in zip(*seen, strict=True))
        return cls(len(nodes), (places - middle) / radius, values, errors, bends, step / radius)

    def extremes(self, polynomial: Array) -> tuple[Array, Array]:
        """Bound the function minus a polynomial in s: at the nodes, and how far either bends in between."""
        powers = np.arange(len(polynomial))[:, None]
        sizes = np.abs(polynomial)
        model = np.zeros_like(self.s)
        for coefficient in polynomial[::-1]:
            model = model * self.s + coefficient
        # s is rounded twice, the model twice a power, and the difference once.
        slack = (
            self.errors + 2 * _UNIT * np.abs(self.values) + (6 * len(powers) + 6) * _UNIT * sizes.sum(axis=0)
        )
        slack = slack + 4 * _UNIT * (powers * sizes).sum(axis=0)
        between = self.bends + (powers * (powers - 1) * sizes).sum(axis=0) * self.width**2 / 8 * _UP
        low, high = self.values - model - slack, self.values - model + slack
        ends, kinks, widest = slice(self.count), slice(self.count, None), between.max(axis=0)
        lower = np.concatenate([np.minimum(low[ends][:-1], low[ends][1:]) - between, low[kinks] - widest])
        upper = np.concatenate([np.maximum(high[ends][:-1], high[ends][1:]) + between, high[kinks] + widest])
        return lower.min(axis=0), upper.max(axis=0)
