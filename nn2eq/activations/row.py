"""What one row of the activation table holds, and a row with its parameters filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm

Array = NDArray[np.float64]

BOTH = (2, 3)
"""The generations of Keras that say a row by name: both (Keras 1 says the same as 2)."""
THROUGH_A_LAYER = NOT_IN_KERAS = ()
"""None: a layer of Keras leads to the row, or nothing in Keras does."""


@dataclass(frozen=True)
class Piece:
    """From `start` (a text in the parameters) on, or only beyond it if `open`: slope z + intercept."""

    start: str
    slope: str
    intercept: str = "0"
    open: bool = False


@dataclass(frozen=True, eq=False)
class Row:
    r"""An activation: everything that is particular about it, in one place.

    Formulas are texts of nn2eq.formula in `z` (the pre-activation) and the names of `parameters`;
    `derivative` may also use `a`, the value itself. A *coupled* row (softmax) mixes the units of one
    group and says so with reductions; a row with `halves` (glu) has half as many outputs as units and calls
    the unit n/2 further `partner`.

    name           Keras' identifier
    formula        the textbook form: to read and to differentiate
    numpy          float64 evaluation, accurate at any z, independent of `formula`; units on the last axis
    derivative     in z and a, safe to run at any z; at breakpoints TensorFlow's convention (empty if coupled)
    inverse        where it only rises: z in terms of its value a, "" if that is no formula
    stable         the form to run, accurate and without overflow at |z| = 1000 (empty: `formula` is)
    symbol         how LaTeX writes the function by name, an operator such as \tanh
    parameters     argument names with the defaults of Keras' *function*; None: must be given
    require        what the parameters must satisfy, each a comparison
    domain         from where to where it is defined
    turning        where it may change direction, or jump: interval bounds look here besides at the ends
    kinks          where it is not smooth and has no affine pieces that say so
    pushed         of a coupled row: what its answers move by when the units move by `t`, in z, a and t
    pulled         of a coupled row: the slopes by its units, given the slopes `d` by its answers, in z, a and d
    pieces         exact affine pieces, left to right, the first from "-inf"; () if it is not piecewise affine
    mirror         p, q, r with f(-z) = p f(z) + q z + r, texts in the parameters; () if there are none
    range          of a coupled row: bounds of every output, texts in `low` and `high`, the bounds of z
    steepest       of a coupled row: the most that an output moves when no unit moves by more than 1
    roundings      that an implementation in float32 costs, relative to 1 + |answer|: TensorFlow's logistic function
                   goes through 0.5 + 0.5 tanh(z / 2), so that a small answer has an error relative to 1
    aliases        other names by which Keras knows it
    keras          the generations of Keras whose files say it by name; other rows are reached through a layer
    transform      its name as a transformation of an input
    """

    name: str
    formula: str
    numpy: Callable[..., Array]
    derivative: str = ""
    inverse: str = ""
    stable: str = ""
    symbol: str = ""
    parameters: Mapping[str, float | None] = field(default_factory=dict)
    require: tuple[str, ...] = ()
    domain: tuple[str, str] = ("-inf", "inf")
    turning: tuple[str, ...] = ()
    kinks: tuple[str, ...] = ()
    pieces: tuple[Piece, ...] = ()
    mirror: tuple[str, ...] = ()
    range: tuple[str, str] = ("-inf", "inf")
    steepest: float = np.inf
    roundings: float = 2.0
    aliases: tuple[str, ...] = ()
    keras: tuple[int, ...] = (3,)
    transform: str = ""
    coupled: bool = False
    halves: bool = False
    pushed: str = ""
    pulled: tuple[str, ...] = ()

    @property
    def runnable(self) -> str:
        """The form to run: `stable` where there is one, else the textbook form."""
        return self.stable or self.formula


@dataclass(frozen=True, eq=False)
class Segment:
    """A piece with its parameters filled in: numbers, or arrays (units,) where each unit has its own."""

    start: float
    slope: Array
    intercept: Array
    open: bool = False


@dataclass(frozen=True, eq=False)
class Activation:
    """A row with its parameters: numbers, or arrays (units,) where each unit has its own (PReLU).

    Applied to the last axis; a coupled row works on `groups` equal, consecutive groups of units.
    """

    row: Row
    parameters: Mapping[str, float | NDArray[Any]] = field(default_factory=dict)
    groups: int = 1

    @cached_property
    def numbers(self) -> Mapping[str, fm.Node]:
        """The parameters that are plain numbers, ready to substitute."""
        return {key: fm.number(float(value)) for key, value in self.parameters.items() if np.ndim(value) == 0}

    @cached_property
    def per_unit(self) -> Mapping[str, NDArray[Any]]:
        """The parameters of which each unit has its own, (units,) each."""
        return {key: np.asarray(value) for key, value in self.parameters.items() if np.ndim(value) == 1}

    def node(self, text: str) -> fm.Node:
        """Parse one of the row's formulas with the numbers filled in; per-unit parameters stay names."""
        return fm.tidied(fm.substitute(fm.parse(text), self.numbers))

    @cached_property
    def formula(self) -> fm.Node:
        """The textbook formula."""
        return self.node(self.row.formula)

    @cached_property
    def stable(self) -> fm.Node:
        """The formula to run."""
        return self.node(self.row.runnable)

    @cached_property
    def derivative(self) -> fm.Node | None:
        """The derivative in z and a, safe to run; None for a coupled row."""
        return self.node(self.row.derivative) if self.row.derivative else None

    @cached_property
    def pushed(self) -> fm.Node:
        """What the answers move by when the units of a coupled row move by t."""
        return self.node(self.row.pushed)

    @cached_property
    def pulled(self) -> tuple[fm.Node, ...]:
        """The slopes by the units of a coupled row, given those by its answers."""
        return tuple(map(self.node, self.row.pulled))

    @property
    def mentions(self) -> int:
        """How often z stands in the textbook formula: k in the size law of the nested form."""
        return fm.mentions(self.formula, "z") + fm.mentions(self.formula, "partner")

    @property
    def is_linear(self) -> bool:
        """Whether this is the identity."""
        return self.formula == fm.name("z")

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The exact affine pieces from left to right, if any; an empty one starts where the next does."""
        return tuple(
            Segment(float(self._value(p.start)), self._value(p.slope), self._value(p.intercept), p.open)
            for p in self.row.pieces
        )

    @cached_property
    def breakpoints(self) -> tuple[float, ...]:
        """Where pieces meet, where it kinks, turns or jumps: to be sampled on purpose."""
        places = {*(piece.start for piece in self.row.pieces), *self.row.turning, *self.row.kinks}
        return tuple(sorted({float(self._value(place)) for place in places - {"-inf"}}))

    @cached_property
    def domain(self) -> tuple[float, float]:
        """Where it is defined."""
        low, high = self.row.domain
        return float(self._value(low)), float(self._value(high))

    @cached_property
    def mirror(self) -> tuple[Array, ...]:
        """The p, q, r with f(-z) = p f(z) + q z + r, () if there are none: numbers, or arrays (units,)."""
        return tuple(self._value(text) for text in self.row.mirror)

    @cached_property
    def is_homogeneous(self) -> bool:
        """Whether f(c z) = c f(z) for every c > 0."""
        return bool(self.segments) and all(
            piece.start in (-np.inf, 0.0) and not np.any(piece.intercept) for piece in self.segments
        )

    def _value(self, text: str) -> Array:
        """Evaluate a text in the parameters alone."""
        return fm.evaluate(fm.parse(text), {"inf": np.inf, **self.parameters})

    def outputs(self, units: int) -> int:
        """Return how many values come out for so many units."""
        return units // 2 if self.row.halves else units

    def __call__(self, z: Array) -> Array:
        """Evaluate in float64: z (..., units) to (..., outputs)."""
        z = np.asarray(z, dtype=np.float64)
        with np.errstate(all="ignore"):
            if self.groups == 1:
                return self.row.numpy(z, **self.parameters)
            grouped = z.reshape(*z.shape[:-1], self.groups, -1)
            return self.row.numpy(grouped, **self.parameters).reshape(*z.shape[:-1], -1)

    def bounds(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Bound the values over boxes low <= z <= high, (..., units) each: two arrays (..., outputs).

        Wider than the true range by a few units in the last place, so that rounding never narrows them; NaN
        where a box leaves the domain.
        """
        low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
        return self._coupled_bounds(low, high) if self.row.coupled else self._scalar_bounds(low, high)

    def _scalar_bounds(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Look at the ends, at every breakpoint between them, and just beside it in case it jumps there."""
        first, last = self.domain
        low = np.maximum(low - _FEW * np.abs(low), np.minimum(low, first))
        high = np.minimum(high + _FEW * np.abs(high), np.maximum(high, last))
        beside = [
            np.nextafter(place, side) for place in self.breakpoints for side in (-np.inf, place, np.inf)
        ]
        values = [self(low), self(high), *(self(np.clip(place, low, high)) for place in beside)]
        # An affine piece that is 0 is exactly 0; anything else may have been rounded down to it.
        least = 0.0 if self.row.pieces else _TINY
        return _outward(np.minimum.reduce(values), np.maximum.reduce(values), least)

    def _coupled_bounds(self, low: Array, high: Array) -> tuple[Array, Array]:
        split = (*low.shape[:-1], self.groups, -1)
        ends = {"low": low.reshape(split), "high": high.reshape(split)}
        units = ends["low"].shape[-1]
        shape = (*ends["low"].shape[:-1], self.outputs(units))
        if self.row.halves:
            ends = {key: value[..., : units // 2] for key, value in ends.items()}
        bounds = (
            fm.evaluate(self.node(text), {"inf": np.inf, "count": units, **ends}) for text in self.row.range
        )
        lower, upper = (np.broadcast_to(bound, shape).reshape(*low.shape[:-1], -1) for bound in bounds)
        return _outward(lower, upper, 0.0)


_FEW = 8 * np.finfo(np.float64).eps
_TINY = 8 * np.finfo(np.float64).smallest_subnormal


def _outward(lower: Array, upper: Array, least: float) -> tuple[Array, Array]:
    slack = (np.where(np.isinf(end), 0.0, _FEW * np.abs(end) + least) for end in (lower, upper))
    return lower - next(slack), upper + next(slack)
