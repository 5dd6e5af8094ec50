"""Branch and bound over boxes: every part of the domain is covered by a box of which a bound is proved.

What stands for the whole is always the widest bound of the boxes that cover it, so that stopping early, at a
gap or a time, leaves it proved, only wider. Values that the function certainly takes say how much wider at
most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nn2eq.bounds import charts
from nn2eq.bounds.duals import Dual
from nn2eq.bounds.models import Array, Model
from nn2eq.bounds.tape import Applied, Tape
from nn2eq.bounds.walk import Sides, Walked, walk
from nn2eq.series import Truncation, truncation

Progress = Callable[[float, float], None]
"""Told how much of the domain is settled (0 to 1) and the gap that is left."""

_ABSOLUTE = 1e-10
_RELATIVE = 1e-3
_MEMORY = 3_000_000
_PROBES = 4


@dataclass(frozen=True)
class Effort:
    """When to stop: at a gap (None: a thousandth of the range), after some seconds, at so many boxes.

    within: instead of at a gap, once all is proved to lie within ± this, or something certainly does not.
    """

    gap: float | None = None
    seconds: float = 10.0
    boxes: int = 2_000_000
    progress: Progress | None = None
    within: float | None = None


@dataclass(frozen=True, eq=False)
class Found:
    """Proved bounds and the extreme values that are certainly taken, (quantities,) each; how many boxes."""

    low: Array
    high: Array
    reached_low: Array
    reached_high: Array
    boxes: int

    @property
    def gap(self) -> float:
        """How far a bound may still exceed the true range."""
        with np.errstate(invalid="ignore"):
            gaps = np.maximum(self.high - self.reached_high, self.reached_low - self.low)
            gaps = np.minimum(gaps, self.high - self.low)  # the true range is somewhere in between
        return float(np.max(np.where(np.isnan(gaps), np.inf, gaps), initial=0.0))


@dataclass(frozen=True, eq=False)
class _Boxes:
    """Boxes (boxes, inputs), sides of corners assumed (boxes, units), what is proved (boxes, quantities)."""

    centre: Array
    radius: Array
    sides: NDArray[np.int8]
    low: Array
    high: Array
    scores: Array
    crossing: NDArray[np.intp]

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> _Boxes:
        return _Boxes(*(getattr(self, key)[index] for key in self.__dataclass_fields__))

    @classmethod
    def together(cls, parts: list[_Boxes]) -> _Boxes:
        return cls(*(np.concatenate([getattr(p, k) for p in parts]) for k in cls.__dataclass_fields__))


class Walker(Protocol):
    """What is bounded: walks boxes centre ± radius, (boxes, inputs) each, in a truncation's monomials."""

    @property
    def slopes(self) -> bool:
        """Whether derivatives are meant."""

    @property
    def corners(self) -> Mapping[int, tuple[float, ...]]:
        """By operation, where its function or its slope jumps."""

    def __call__(self, centre: Array, radius: Array, space: Truncation, sides: Sides | None) -> Walked:
        """Return models of the answer over the boxes."""


@dataclass(frozen=True, eq=False)
class Walks:
    """A tape's outputs, or with `slopes` their derivatives."""

    tape: Tape
    slopes: bool = False

    @cached_property
    def corners(self) -> Mapping[int, tuple[float, ...]]:
        """Where each operation's function has corners, the same for all units."""
        return {
            number: charts.of(op.activation).corners
            for number, op in enumerate(self.tape.ops)
            if isinstance(op, Applied) and not op.activation.row.coupled and not op.activation.per_unit
        }

    def __call__(self, centre: Array, radius: Array, space: Truncation, sides: Sides | None) -> Walked:
        """Walk boxes through the tape."""
        return walk(self.tape, centre, radius, space, slopes=self.slopes, sides=sides)


class Search:
    """Bounds of what a walker answers over the box low ... high, (inputs,) each."""

    def __init__(self, walker: Walker, low: Array, high: Array, order: int) -> None:
        self.walker, self.slopes = walker, walker.slopes
        self.space = truncation(len(low), order)
        self.centre = low / 2 + high / 2
        self.radius = np.maximum(high - self.centre, self.centre - low)
        self.radius = self.radius + 2.0**-52 * (np.abs(self.centre) + self.radius) * (self.radius > 0)
        self.corners = walker.corners
        self.layout: Mapping[int, slice] = {}
        self.reached_low = self.reached_high = np.zeros(0)

    def run(self, effort: Effort) -> Found:
        """Halve the boxes that stand in the way until the gap is reached, or the time is up."""
        with np.errstate(all="ignore"):  # what is infinite or no number stands for what is not known
            return self._run(effort)

    def _run(self, effort: Effort) -> Found:
        end = time.monotonic() + effort.seconds
        opened = self._first()
        low, high = np.full_like(self.reached_low, np.inf), np.full_like(self.reached_low, -np.inf)
        count, batch, rounds = 1, 16, 0
        while True:
            excess = self._excess(opened, effort)
            settled = opened.take(excess <= 0)
            low = np.minimum(low, settled.low.min(axis=0, initial=np.inf))
            high = np.maximum(high, settled.high.max(axis=0, initial=-np.inf))
            opened, excess = opened.take(~(excess <= 0)), excess[~(excess <= 0)]
            now = time.monotonic()
            if effort.progress:
                effort.progress(self._settled(opened), self._found(opened, low, high, count).gap)
            if not len(excess) or now > end or count >= effort.boxes or self._is_outside(effort):
                return self._found(opened, low, high, count)
            worst = np.argsort(-excess)[:batch]
            rest = np.ones(len(excess), dtype=bool)
            rest[worst] = False
            if rounds % 4 == 0:
                self._probe(opened.take(worst))
            rounds += 1
            children = self._children(opened.take(worst))
            opened = _Boxes.together([opened.take(rest), *children])
            count += sum(len(part.centre) for part in children)
            batch = self._batch(batch, time.monotonic() - now, end - now)

    def _batch(self, batch: int, took: float, left: float) -> int:
        """Take more boxes at a time within memory, as long as much time is left: the same ones on any machine."""
        units = 32 * self.space.terms * (len(self.centre) if self.slopes else 1)
        most = max(4, _MEMORY // units)
        return max(4, min(most, batch * 2 if took < left / 20 else batch))

    def _found(self, opened: _Boxes, low: Array, high: Array, count: int) -> Found:
        return Found(
            np.minimum(low, opened.low.min(axis=0, initial=np.inf)),
            np.maximum(high, opened.high.max(axis=0, initial=-np.inf)),
            self.reached_low, self.reached_high, count,
        )  # fmt: skip

    def _settled(self, opened: _Boxes) -> float:
        """Return the share of the domain that is settled; assumed sides count as halves."""
        free = self.radius > 0
        shares = np.prod(opened.radius[:, free] / self.radius[free], axis=1)
        return float(max(0.0, 1.0 - np.sum(shares * 0.5 ** (opened.sides >= 0).sum(axis=1))))

    def _is_outside(self, effort: Effort) -> bool:
        if effort.within is None:
            return False
        return bool(max(self.reached_high.max(), -self.reached_low.min()) > effort.within)

    def _excess(self, boxes: _Boxes, effort: Effort) -> Array:
        """Return by how much each box stands in the way, relative to the range; at most 0 if it does not."""
        if effort.within is not None:
            beyond = np.maximum(boxes.high, -boxes.low).max(axis=1) - effort.within
            return np.where(np.isnan(beyond), np.inf, beyond)
        width = self.reached_high - self.reached_low
        allowed = (
            np.maximum(_RELATIVE * width, _ABSOLUTE)
            if effort.gap is None
            else np.full_like(width, effort.gap)
        )
        allowed = np.maximum(allowed, 1e-13 * np.maximum(np.abs(self.reached_high), np.abs(self.reached_low)))
        with np.errstate(invalid="ignore"):
            beyond = np.maximum(boxes.high - self.reached_high, self.reached_low - boxes.low) - allowed
            excess = np.max(beyond / np.maximum(width, _ABSOLUTE), axis=1)
        empty = (boxes.low > boxes.high).all(axis=1)
        return np.where(empty, -1.0, np.where(np.isnan(excess), np.inf, excess))

    # --------------------------------------------------------------------------------------------- boxes

    def _first(self) -> _Boxes:
        walked = self.walker(self.centre[None], self.radius[None], self.space, None)
        start, layout = 0, {}
        for number, crosses in walked.crosses.items():
            if self.corners.get(number):
                layout[number] = slice(start, start + crosses.shape[1])
                start += crosses.shape[1]
        self.layout = layout
        quantities = self._quantities(walked.answer)
        self.reached_low = np.full(quantities.error.shape[1], np.inf)
        self.reached_high = -self.reached_low
        sides = np.full((1, start), -1, dtype=np.int8)
        return self._judged(walked, self.centre[None], self.radius[None], sides)

    def _quantities(self, answer: Dual) -> Model:
        """Lay what is bounded out as (boxes, quantities): outputs, or derivatives output by output."""
        if not self.slopes:
            return answer.value
        assert answer.slope is not None
        model = answer.slope
        arrays = (np.swapaxes(getattr(model, k), -1, -2) for k in ("terms", "error", "low", "high"))
        return Model(model.space, *arrays).shaped(model.error.shape[1] * model.error.shape[2])

    def _walked(self, centre: Array, radius: Array, sides: NDArray[np.int8]) -> _Boxes:
        assumed = {number: sides[:, place].astype(np.intp) for number, place in self.layout.items()}
        walked = self.walker(centre, radius, self.space, assumed)
        return self._judged(walked, centre, radius, sides)

    def _judged(self, walked: Walked, centre: Array, radius: Array, sides: NDArray[np.int8]) -> _Boxes:
        """Read bounds off the models, note values that are reached, and see where it pays to halve."""
        model = self._quantities(walked.answer)
        low, high = model.range()
        low, high = (
            np.where(walked.empty[:, None], np.inf, low),
            np.where(walked.empty[:, None], -np.inf, high),
        )
        self._note(model, ~walked.empty & walked.whole)
        crosses = [walked.crosses[number] for number in self.layout]
        meets = np.concatenate(crosses, axis=1) if crosses else np.zeros_like(sides, dtype=bool)
        meets &= sides < 0
        count = meets.sum(axis=1)
        chosen = meets.argmax(axis=1) if meets.shape[1] else np.zeros(len(sides), dtype=np.intp)
        # Assume sides only for derivatives, where halving never gets rid of a jump, and few units meet one.
        split = self.slopes & (count > 0) & (count <= max(2, len(self.centre)))
        return _Boxes(
            centre, radius, sides, low, high, self._scores(model, radius), np.where(split, chosen, -1)
        )

    def _note(self, model: Model, free: NDArray[np.bool_]) -> None:
        """Note values that are certainly taken: at the middle, and at the corner that looks best."""
        if not np.any(free):
            return
        rounding = (self.space.terms + 4) * 2.0**-52 * model.size[free]
        terms, error = model.terms[:, free], model.error[free] + rounding
        corners = self._at_corners(terms)
        with np.errstate(invalid="ignore"):
            highest = np.fmax(terms[0] - error, corners[0] - error).max(axis=0)
            lowest = np.fmin(terms[0] + error, corners[1] + error).min(axis=0)
        self.reached_high, self.reached_low = (
            np.fmax(self.reached_high, highest),
            np.fmin(self.reached_low, lowest),
        )

    def _probe(self, boxes: _Boxes) -> None:
        """Look at the corners of a few boxes to which the middle's slopes point; a point's model is sharp."""
        few = boxes.take(np.arange(min(len(boxes.centre), _PROBES)))
        here = self._quantities(self.walker(few.centre, few.radius, self.space, None).answer)
        if self.space.order == 0:
            return
        linear = here.terms[1 : 1 + self.space.variables]
        points = [
            few.centre + sign * np.where(linear[:, :, quantity].T >= 0, 1.0, -1.0) * few.radius
            for quantity in range(min(linear.shape[2], _PROBES))
            for sign in (-1.0, 1.0)
        ]
        centre = np.clip(np.concatenate(points), self.centre - self.radius, self.centre + self.radius)
        walked = self.walker(centre, np.zeros_like(centre), self.space, None)
        self._note(self._quantities(walked.answer), np.ones(len(centre), dtype=bool))

    def _at_corners(self, terms: Array) -> tuple[Array, Array]:
        """Evaluate polynomials at the corners to which their linear terms point, and at the opposite."""
        if self.space.order == 0:
            return terms[0], terms[0]
        count = self.space.variables
        signs = np.where(terms[1 : 1 + count] >= 0, 1.0, -1.0)
        above, below = np.zeros_like(terms[0]), np.zeros_like(terms[0])
        for exponents, degree, term in zip(self.space.exponents, self.space.degrees, terms, strict=True):
            sign = np.prod(signs[exponents % 2 == 1], axis=0)
            above += sign * term
            below += sign * term * (-1.0) ** degree
        return above, below

    def _scores(self, model: Model, radius: Array) -> Array:
        """Say how much each variable adds, (boxes, inputs): by its terms, and its share of the rest."""
        sizes = np.abs(model.terms)
        width = np.maximum(self.reached_high - self.reached_low, _ABSOLUTE)
        used = self.space.exponents.T > 0
        shares = radius / np.where(self.radius > 0, self.radius, np.inf)
        shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-300)
        through = np.stack([(sizes[mask] / width).sum(axis=(0, 2)) for mask in used], axis=1)
        rest = (model.error / width).sum(axis=1, keepdims=True)
        return np.asarray(np.where(np.isfinite(through + rest), through + rest * shares, shares))

    def _children(self, boxes: _Boxes) -> list[_Boxes]:
        """Halve each box across its variable of most weight, or take it apart by the sides of a kink."""
        apart = boxes.crossing >= 0
        parts = [self._halved(boxes.take(~apart))] if not np.all(apart) else []
        return parts + ([self._apart(boxes.take(apart))] if np.any(apart) else [])

    def _halved(self, boxes: _Boxes) -> _Boxes:
        rows = np.arange(len(boxes.centre))
        axis = np.argmax(np.where(boxes.radius > 0, boxes.scores + 1e-300, -1.0), axis=1)
        half = boxes.radius.copy()
        half[rows, axis] *= 0.5
        centres = []
        for sign in (-1.0, 1.0):
            centre = boxes.centre.copy()
            centre[rows, axis] += sign * half[rows, axis]
            centres.append(centre)
        # Rounding of the middle must not leave a sliver between the halves.
        half[rows, axis] += 2.0**-52 * (np.abs(boxes.centre[rows, axis]) + half[rows, axis])
        twice = boxes.take(np.concatenate([rows, rows]))
        return self._no_wider(
            self._walked(np.concatenate(centres), np.concatenate([half, half]), twice.sides), twice
        )

    def _apart(self, boxes: _Boxes) -> _Boxes:
        """Take each side of a kink for itself."""
        most = max(len(kinks) for kinks in self.corners.values()) + 1
        copies = boxes.take(np.repeat(np.arange(len(boxes.centre)), most))
        sides = copies.sides.copy()
        side = np.tile(np.arange(most, dtype=np.int8), len(boxes.centre))
        sides[np.arange(len(sides)), copies.crossing] = side
        last = np.concatenate(
            [np.full(p.stop - p.start, len(self.corners[n])) for n, p in self.layout.items()]
        )
        real = side <= last[copies.crossing]
        copies, sides = copies.take(real), sides[real]
        return self._no_wider(self._walked(copies.centre, copies.radius, sides), copies)

    def _no_wider(self, boxes: _Boxes, parents: _Boxes) -> _Boxes:
        """Keep what was proved of the whole where it says more; an empty part stays empty."""
        arrays = {key: getattr(boxes, key) for key in boxes.__dataclass_fields__}
        arrays["low"], arrays["high"] = (
            np.maximum(boxes.low, parents.low),
            np.minimum(boxes.high, parents.high),
        )
        return _Boxes(**arrays)
