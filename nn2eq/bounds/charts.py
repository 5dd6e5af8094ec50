"""Charts: proved knowledge of one function of one variable, cell by cell, ready for arithmetic on arrays.

Arb proves, once a function, its Taylor coefficients at the middle of each cell and bounds of them over the
cell. All that follows is +, -, × on doubles, whose rounding is accounted for; no library's exp or tanh has to
be believed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.bounds.balls import Undecided, expansions, rounded, upper
from nn2eq.formula import Node, number, parse, substitute, walk

Array = NDArray[np.float64]
Cells = NDArray[np.intp]

ORDER = 13
"""Taylor coefficients kept, from 0."""
_MORE = 11
"""Coefficients beyond them from which their bounds over a cell are made."""
_UNIT = 2.0**-53
_REFINED = 128.0
"""Beyond this a cell is taken as it is: functions are flat or straight there, or nothing is known."""
_DEPTH = 40
_FARTHEST = 2.0**64
"""Beyond this nothing is proved of a curve."""
_SAME = 2.0**-90


@dataclass(frozen=True, eq=False)
class Chart:
    """A function over cells between edges.

    edges (cells + 1,), beyond which nothing is known; centres (cells,). coefficients, errors (order + 1,
    cells): Taylor's at the centre, and how far from the truth they may be once shifted to any point of the
    cell. largest (order + 2, cells): bounds of each |coefficient| over the cell. stretch (cells,): a number
    that changes where the function is not smooth. jumps: whether it may jump somewhere.
    """

    edges: Array
    centres: Array
    coefficients: Array
    errors: Array
    largest: Array
    stretch: NDArray[np.intp]
    jumps: bool

    @property
    def order(self) -> int:
        """The highest Taylor coefficient kept."""
        return len(self.coefficients) - 1

    @cached_property
    def kinks(self) -> tuple[float, ...]:
        """Where the function is not smooth, or jumps."""
        return tuple(float(edge) for edge in self.edges[1:-1][np.diff(self.stretch) != 0])

    @cached_property
    def corners(self) -> tuple[float, ...]:
        """Those kinks at which the function or its slope jumps."""
        places = np.array(self.kinks)
        left, right = (np.searchsorted(self.edges, places, side) - 1 for side in ("left", "right"))
        sides = [self.taylor(places, cell) for cell in (left, right)]
        gaps = np.abs(sides[0][0][:2] - sides[1][0][:2])
        same = (gaps <= sides[0][1][:2] + sides[1][1][:2]).all(axis=0)
        return tuple(float(place) for place in places[~same])

    @cached_property
    def is_affine(self) -> bool:
        """Whether it is affine in every cell."""
        return not np.any(self.largest[2:])

    def cells(self, low: Array, high: Array) -> tuple[Cells, Cells]:
        """Return the first and last cell that intervals meet; at an edge the inner ones, all if it jumps."""
        first = np.searchsorted(self.edges, low, "left" if self.jumps else "right") - 1
        last = np.searchsorted(self.edges, high, "right" if self.jumps else "left") - 1
        top = len(self.centres) - 1
        return np.clip(first, 0, top), np.clip(last, 0, top)

    def between(self, low: Array, high: Array, count: int) -> Array:
        """Return points from low to high, (count, n), denser where cells are smaller: there it bends."""
        span = self.edges[1:] - self.edges[:-1]
        first, last = self.cells(low, high)
        last = np.maximum(first, last)
        start = first + (low - self.edges[first]) / span[first]
        stop = last + (high - self.edges[last]) / span[last]
        place = start + (stop - start) * np.linspace(0.0, 1.0, count)[:, None]
        cell = np.clip(place.astype(np.intp), first, last)
        points = np.clip(self.edges[cell] + (place - cell) * span[cell], low, high)
        points[0], points[-1] = low, high
        return np.maximum.accumulate(points, axis=0)

    def taylor(self, at: Array, cell: Cells) -> tuple[Array, Array]:
        """Return coefficients at points of cells, (order + 1, n), and their errors."""
        shift = at - self.centres[cell]
        found = self.coefficients[:, cell]
        for start in range(self.order):
            for k in range(self.order - 1, start - 1, -1):
                found[k] += shift * found[k + 1]
        return found, self.errors[:, cell]

    def value(self, at: Array, cell: Cells) -> tuple[Array, Array]:
        """Return the value at points of cells and its error."""
        shift = at - self.centres[cell]
        total = self.coefficients[self.order][cell]
        for k in range(self.order - 1, -1, -1):
            total = total * shift + self.coefficients[k][cell]
        return total, self.errors[0][cell]

    def bound(self, k: int, first: Cells, last: Cells) -> Array:
        """Bound |coefficient k| over ranges of cells; only of affine pieces are there too few of them."""
        if k >= len(self.largest):
            return np.zeros(first.shape)
        first, last = np.minimum(first, last), np.maximum(first, last)
        level = _LOG2[last - first + 1]
        table = self._tables[k]
        return np.asarray(np.maximum(table[level, first], table[level, last - (1 << level) + 1]))

    @cached_property
    def _tables(self) -> Array:
        """The largest of 2^level consecutive cells: (order + 2, levels, cells)."""
        levels = [self.largest]
        width = 1
        while 2 * width <= self.largest.shape[1]:
            wider = levels[-1].copy()
            wider[:, :-width] = np.maximum(levels[-1][:, :-width], levels[-1][:, width:])
            levels.append(wider)
            width *= 2
        return np.stack(levels, axis=1)

    @cached_property
    def derivative(self) -> Chart:
        """The chart of the derivative; it jumps where this one has a corner."""
        factors = np.arange(1.0, self.order + 1)[:, None]
        more = np.arange(1.0, self.order + 2)[:, None]
        values = factors * self.coefficients[1:]
        errors = (factors * self.errors[1:] + 2 * _UNIT * np.abs(values)) * (1 + 8 * _UNIT)
        largest = more * self.largest[1:] * (1 + 8 * _UNIT)
        return Chart(self.edges, self.centres, values, errors, largest, self.stretch, bool(self.corners))


_LOG2 = np.concatenate([[0], np.log2(np.arange(1, 1 << 14)).astype(np.intp)])


# ----------------------------------------------------------------------------------------------- their making


def of(activation: Activation, unit: int = 0) -> Chart:
    """Return the chart of a scalar row, where parameters differ by unit that of one unit."""
    parameters = {key: number(float(data[unit])) for key, data in activation.per_unit.items()}
    if activation.row.pieces:
        segments = activation.segments
        return _of_pieces(tuple((s.start, _at(s.slope, unit), _at(s.intercept, unit)) for s in segments))
    formula = substitute(activation.stable, parameters)
    return of_formula(formula, activation.breakpoints, activation.domain)


def of_primitive(op: str) -> Chart:
    """Return the chart of a primitive of the formula language, or of 1 / z for "/"."""
    text = "1 / z" if op == "/" else f"{op}(z)"
    domain = (0.0, math.inf) if op in ("log", "log10", "sqrt") else (-math.inf, math.inf)
    return of_formula(parse(text), (), (-1.0, math.inf) if op == "log1p" else domain)


@cache
def of_formula(formula: Node, breakpoints: tuple[float, ...], domain: tuple[float, float]) -> Chart:
    """Prove a chart of a formula in z; `breakpoints` are the places where it may decide otherwise."""
    assert {node.value for node in walk(formula) if node.op == "name"} <= {"z"}, formula
    found = [
        cell for low, high in _coarse(breakpoints, domain) for cell in _refined(formula, low, high, _DEPTH)
    ]
    borders = [_Border.between(formula, *pair) for pair in pairwise(found)]
    return Chart(
        np.array([found[0].low, *(cell.high for cell in found)]),
        np.array([cell.centre for cell in found]),
        np.array([cell.coefficients for cell in found]).T.copy(),
        np.array([cell.errors for cell in found]).T.copy(),
        np.array([cell.largest for cell in found]).T.copy(),
        np.cumsum([0, *(not border.is_smooth for border in borders)]),
        any(border.jumps for border in borders),
    )


def _at(values: Array, unit: int) -> float:
    return float(values[unit]) if np.ndim(values) else float(values)


@cache
def _of_pieces(pieces: tuple[tuple[float, float, float], ...]) -> Chart:
    """Take the pieces at their word, give or take the rounding of the constants that they are made of."""
    edges = sorted({*_powers_of_two(1022, 16), *(start for start, _, _ in pieces[1:])})
    starts = np.array([start for start, _, _ in pieces])
    low, high = np.array(edges[:-1]), np.array(edges[1:])
    # The last of the pieces that start at or before the cell; an empty one starts where the next does.
    place = np.searchsorted(starts, low, "right") - 1
    slope, intercept = (np.array([piece[k] for piece in pieces])[place] for k in (1, 2))
    centres = low / 2 + high / 2
    reach = np.maximum(np.abs(low), np.abs(high))
    value = intercept + slope * centres
    fuzz = 8 * _UNIT * np.array([abs(slope) * reach + np.abs(intercept), np.abs(slope)])
    same = (np.diff(slope) == 0) & (np.diff(intercept) == 0)
    at = low[1:]
    jumps = np.abs((slope[1:] - slope[:-1]) * at + intercept[1:] - intercept[:-1])
    scale = np.abs(slope[1:] * at) + np.abs(slope[:-1] * at) + np.abs(intercept[1:]) + np.abs(intercept[:-1])
    return Chart(
        np.array(edges), centres, np.array([value, slope]),
        np.where(slope == 0, fuzz * (intercept != 0), fuzz),
        np.array([np.abs(slope) * reach + np.abs(intercept), np.abs(slope) * (1 + 8 * _UNIT), 0.0 * slope]),
        np.cumsum([0, *~same]), bool(np.any(jumps > 16 * _UNIT * scale)),
    )  # fmt: skip


def _powers_of_two(last: int, step: int) -> list[float]:
    powers = [2.0**k for k in (*range(8), *range(8, last, step), last)]
    return [*(-power for power in reversed(powers)), 0.0, *powers]


def _coarse(breakpoints: tuple[float, ...], domain: tuple[float, float]) -> Iterator[tuple[float, float]]:
    edges = {*_powers_of_two(64, 1), *breakpoints, *(float(k) for k in range(-16, 17))}
    low, high = max(domain[0], -_FARTHEST), min(domain[1], _FARTHEST)
    inside = sorted({low, high} | {edge for edge in edges if low < edge < high})
    return pairwise(inside)


@dataclass(frozen=True)
class _Cell:
    low: float
    high: float
    centre: float
    coefficients: Array
    errors: Array
    largest: Array
    is_sharp: bool
    decisions: tuple[int, ...] | None = None


def _refined(formula: Node, low: float, high: float, depth: int) -> Iterator[_Cell]:
    """Halve a cell until its bounds are sharp."""
    cell = _cell(formula, low, high)
    middle = low / 2 + high / 2
    if cell.is_sharp or depth == 0 or not (low < middle < high) or max(-low, high) > _REFINED:
        yield cell
        return
    yield from _refined(formula, low, middle, depth - 1)
    yield from _refined(formula, middle, high, depth - 1)


def _cell(formula: Node, low: float, high: float) -> _Cell:
    centre, count = low / 2 + high / 2, ORDER + _MORE + 1
    radius = max(centre - low, high - centre) * (1 + 4 * _UNIT)
    try:
        at, over, decisions = expansions(formula, low, high, centre, count)
    except (Undecided, ValueError, ZeroDivisionError):
        unknown = np.full(ORDER + 2, math.inf)
        return _Cell(low, high, centre, np.zeros(ORDER + 1), unknown[:-1], unknown, False)
    middles, spreads = np.array([rounded(ball) for ball in at[:count]]).T
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = np.append(np.abs(middles) + spreads, upper(over[count]))
        powers = radius ** np.arange(count + 1.0)
        largest = np.array([_shifted(sizes, powers, k) for k in range(ORDER + 2)])
        errors = np.array([_error(middles, spreads, sizes, powers, k) for k in range(ORDER + 1)])
        rest = math.comb(count, ORDER + 1) * sizes[-1] * powers[_MORE]
    largest, errors = (np.where(np.isnan(array), math.inf, array) for array in (largest, errors))
    sharp = rest <= largest[ORDER + 1] / 2 or rest * 0.25**ORDER < 1e-15 * max(sizes[0], 1e-15)
    sharp = sharp and errors[0] <= 2.0**-49 * max(sizes[0], sizes[1] * radius, 1e-15)
    return _Cell(low, high, centre, middles[: ORDER + 1], errors, largest, bool(sharp), decisions)


def _shifted(sizes: Array, powers: Array, k: int) -> float:
    """Bound coefficient k anywhere in the cell by Σ C(j, k) |t_j| r^(j - k), the last t_j over the cell."""
    total = sum(math.comb(j, k) * sizes[j] * powers[j - k] for j in range(k, len(sizes)) if sizes[j])
    return float(total * (1 + 2.0**-40))


def _error(middles: Array, spreads: Array, sizes: Array, powers: Array, k: int) -> float:
    """Bound what shifting the kept coefficients leaves out: their spread, rounding, and the later ones."""
    total = 0.0
    for j in range(k, len(sizes)):
        weight = math.comb(j, k) * powers[j - k]
        if j > ORDER:
            total += weight * sizes[j] if sizes[j] else 0.0
        else:
            # On its way from j down to k a term meets two roundings a step and one in each of k + 1 passes;
            # the shift itself is rounded once a power.
            exact = j == k and not np.any(middles[k + 1 :])
            rounding = 0.0 if exact else (4 * (j - k) + 2 * k + 4) * _UNIT
            total += weight * (spreads[j] + rounding * abs(middles[j]))
    return float(total * (1 + 2.0**-40))


@dataclass(frozen=True)
class _Border:
    """How the function is where two cells meet."""

    is_smooth: bool
    jumps: bool

    @classmethod
    def between(cls, formula: Node, left: _Cell, right: _Cell) -> _Border:
        """Compare the two sides' formulas: the same decisions, or the same coefficients to 2^-90."""
        unknown = (
            left.decisions is None or right.decisions is None
        )  # what is bounded by nothing hides any kink
        if unknown or left.decisions == right.decisions:
            return cls(True, False)
        edge = left.high
        before = expansions(formula, left.low, edge, edge, ORDER + 1)[0]
        after = expansions(formula, edge, right.high, edge, ORDER + 1)[0]
        same = [upper(a - b) <= _SAME * max(1.0, upper(a)) for a, b in zip(before, after, strict=True)]
        return cls(all(same), not same[0])
