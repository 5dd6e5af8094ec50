"""Taylor models: over each of many boxes a polynomial, and a proved bound of how far the function is from it.

A box is centre + radius ξ with |ξ| <= 1 in every variable, so that a monomial is at most 1 in size. Every
operation bounds what it cuts off and what its own rounding adds: a sum or inner product of n terms in any
order is off by at most n u / (1 - n u) times the sum of their sizes (u = 2^-53; Higham, "Accuracy and
Stability of Numerical Algorithms", 2002, section 3.1), an underflow by far less than `_TINY`. `_UP` covers
the rounding of the bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.bounds.charts import Chart
from nn2eq.bounds.relaxation import relax
from nn2eq.series import Truncation

Array = NDArray[np.float64]

_UNIT = 2.0**-53
_UP = 1.0 + 2.0**-32
_TINY = 1e-290


@dataclass(frozen=True, eq=False)
class Model:
    """terms (terms, boxes, ..., units) in the monomials of `space`; error (boxes, ..., units).

    low, high: bounds of the function that do not come from the polynomial, infinite where there are none.
    """

    space: Truncation
    terms: Array
    error: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, space: Truncation, terms: Array, error: Array) -> Model:
        """Return a model of which nothing else is known."""
        return cls(space, terms, error, np.full(error.shape, -np.inf), np.full(error.shape, np.inf))

    @classmethod
    def variables(cls, space: Truncation, centre: Array, radius: Array) -> Model:
        """Return the variables over boxes, (boxes, variables) each."""
        terms = space.constant(centre)
        error = np.zeros_like(centre)
        count = centre.shape[1]
        if space.order:
            terms[1 : 1 + count, :, :] = np.eye(count)[:, None, :] * radius
        else:
            error = radius.copy()
        return cls(space, terms, error, -np.inf + 0 * centre, np.inf + 0 * centre)

    @property
    def size(self) -> Array:
        """Σ |coefficient|."""
        return np.asarray(np.abs(self.terms).sum(axis=0))

    def range(self) -> tuple[Array, Array]:
        """Bound the function: an even monomial is never negative."""
        even = (self.space.exponents % 2 == 0).all(axis=1)
        even[0] = False
        odd = np.abs(self.terms[1:][~even[1:]]).sum(axis=0)
        up = odd + np.maximum(self.terms[even], 0.0).sum(axis=0) + self.error
        down = odd - np.minimum(self.terms[even], 0.0).sum(axis=0) + self.error
        slack = 4 * _UNIT * np.abs(self.terms[0]) + _TINY
        with np.errstate(invalid="ignore"):
            low = np.maximum(self.terms[0] - down * _UP - slack, self.low)
            high = np.minimum(self.terms[0] + up * _UP + slack, self.high)
        return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)

    @property
    def reach(self) -> Array:
        """A bound of the function's size."""
        low, high = self.range()
        return np.asarray(np.maximum(np.abs(low), np.abs(high)))

    def widened(self, by: Array) -> Model:
        """Return what holds every function that is at most so far from this one."""
        by = by * (1 + 2.0**-40)
        return Model(self.space, self.terms, self.error + by, self.low - by, self.high + by)

    def shaped(self, *shape: int) -> Model:
        """Lay the axes behind the boxes out anew."""
        lead = self.error.shape[0]
        arrays = (array.reshape(lead, *shape) for array in (self.error, self.low, self.high))
        return Model(self.space, self.terms.reshape(len(self.terms), lead, *shape), *arrays)

    def take(self, index: Any) -> Model:
        """Choose by an index into the axes behind the terms."""
        arrays = (array[index] for array in (self.error, self.low, self.high))
        every = index if isinstance(index, tuple) else (index,)
        return Model(self.space, self.terms[(slice(None), *every)], *arrays)

    # ------------------------------------------------------------------------------------------ arithmetic

    def affine(self, kernel: NDArray[Any], bias: NDArray[Any] | None = None) -> Model:
        """Return x @ kernel + bias over the last axis; a kernel (units,) is a diagonal one."""
        wide = kernel.astype(np.float64)
        terms = _product(self.terms, wide)
        sizes = np.abs(wide)
        gamma = (len(wide) + 4) * 2 * _UNIT
        error = _product(self.error + gamma * self.size, sizes)
        low, high = _interval_product(self.low, self.high, wide)
        if bias is not None:
            shift = bias.astype(np.float64)
            terms[0] += shift
            error = error + gamma * np.abs(shift)
            slack = gamma * np.abs(shift)
            low, high = low + shift - slack, high + shift + slack
        return Model(self.space, terms, error * _UP + _TINY, low, high)

    def __add__(self, other: Model) -> Model:
        """Return the sum."""
        terms = self.terms + other.terms
        error = (self.error + other.error + 2 * _UNIT * np.abs(terms).sum(axis=0)) * _UP + _TINY
        with np.errstate(invalid="ignore"):
            return Model(self.space, terms, error, *_outward(self.low + other.low, self.high + other.high))

    def __neg__(self) -> Model:
        """Return the negative, which is exact."""
        return Model(self.space, -self.terms, self.error, -self.high, -self.low)

    def __sub__(self, other: Model) -> Model:
        """Return the difference."""
        return self + (-other)

    def __mul__(self, other: Model) -> Model:
        """Return the product; what lies above the order is bounded by the sizes of each degree."""
        terms = self.space.multiply(self.terms, other.terms)
        mine, theirs = self._sizes_by_degree(), other._sizes_by_degree()
        a, b = mine.sum(axis=0), theirs.sum(axis=0)
        gamma = (self.space.terms + 4) * 2 * _UNIT
        with np.errstate(invalid="ignore", over="ignore"):
            error = a * other.error + self.error * b + self.error * other.error + gamma * a * b
            for degree in range(1, len(mine)):
                error = error + mine[degree] * theirs[len(mine) - degree :].sum(axis=0)
        error = np.where(np.isnan(error), np.inf, error) * _UP + _TINY
        return Model(self.space, terms, error, *_times((self.low, self.high), (other.low, other.high)))

    def scaled(self, factor: Array | float) -> Model:
        """Return the product with numbers, one for all or one a unit."""
        terms = self.terms * factor
        error = (self.error * np.abs(factor) + 2 * _UNIT * np.abs(terms).sum(axis=0)) * _UP + _TINY
        return Model(self.space, terms, error, *_times((self.low, self.high), (factor, factor)))

    def shifted(self, by: Array | float) -> Model:
        """Return the sum with numbers."""
        terms = self.terms.copy()
        terms[0] = terms[0] + by
        error = (self.error + 2 * _UNIT * np.abs(terms[0])) * _UP
        return Model(self.space, terms, error, *_outward(self.low + by, self.high + by))

    def sum(self) -> Model:
        """Return the sum over the last axis."""
        return self.affine(np.ones((self.error.shape[-1], 1))).take((..., 0))

    def _sizes_by_degree(self) -> Array:
        sizes = np.zeros((self.space.order + 1, *self.error.shape))
        for degree, term in zip(self.space.degrees, self.terms, strict=True):
            sizes[degree] += np.abs(term)
        return sizes

    # ------------------------------------------------------------------------------------------ functions

    def through(
        self, chart: Chart, limits: tuple[Array, Array] | None = None
    ) -> tuple[Model, NDArray[np.bool_]]:
        """Apply a function of one variable, and say over which boxes it meets a kink.

        limits: an interval to which the argument is known to be confined besides.
        """
        low, high = self.range()
        if limits is not None:
            low, high = np.maximum(low, limits[0]), np.minimum(high, limits[1])
        shape = self.error.shape
        relaxed = relax(chart, low.ravel(), high.ravel(), self.space.order)
        middle, radius = relaxed.middle.reshape(shape), relaxed.radius.reshape(shape)
        polynomial = relaxed.polynomial.reshape(-1, *shape)
        distance = relaxed.distance.reshape(shape)
        with np.errstate(invalid="ignore", over="ignore"):
            model = _composed(polynomial, self.shifted(-middle).scaled(1.0 / radius))
        error = np.where(np.isfinite(distance), model.error + distance, np.inf) * _UP
        bounds = (relaxed.low.reshape(shape), relaxed.high.reshape(shape))
        return Model(self.space, model.terms, error, *bounds), relaxed.crosses.reshape(shape)


def _composed(polynomial: Array, s: Model) -> Model:
    """Return Σ polynomial[k] s^k by Horner's rule."""
    if len(polynomial) == 1:
        return Model.of(s.space, s.space.constant(polynomial[0]), np.zeros_like(s.error))
    total = s.scaled(polynomial[-1]).shifted(polynomial[-2])
    for coefficient in polynomial[-3::-1]:
        total = (total * s).shifted(coefficient)
    return total


def _product(x: Array, matrix: Array) -> Array:
    if matrix.ndim == 1:
        return x * matrix
    # One large product is far quicker than a stack of small ones.
    return np.asarray((x.reshape(-1, len(matrix)) @ matrix).reshape(*x.shape[:-1], matrix.shape[1]))


def _interval_product(low: Array, high: Array, matrix: Array) -> tuple[Array, Array]:
    """Bound x @ matrix for low <= x <= high; nothing is known of a sum that holds an unknown."""
    known = np.isfinite(low).all(axis=-1, keepdims=True) & np.isfinite(high).all(axis=-1, keepdims=True)
    low, high = np.where(known, low, 0.0), np.where(known, high, 0.0)
    middle, radius = low / 2 + high / 2, high / 2 - low / 2
    sizes = np.abs(matrix)
    gamma = (len(matrix) + 8) * 2 * _UNIT
    spread = (_product(radius + gamma * (np.abs(middle) + radius), sizes)) * _UP + _TINY
    centre = _product(middle, matrix)
    return np.where(known, centre - spread, -np.inf), np.where(known, centre + spread, np.inf)


def _times(one: tuple[Any, Any], two: tuple[Any, Any]) -> tuple[Array, Array]:
    """Multiply intervals; nothing is known where 0 meets infinity."""
    with np.errstate(invalid="ignore", over="ignore"):
        ends = np.stack(np.broadcast_arrays(*(a * b for a in one for b in two)))
        return _outward(ends.min(axis=0), ends.max(axis=0))


def _outward(low: Array, high: Array) -> tuple[Array, Array]:
    """Widen an interval by the rounding of its ends."""
    with np.errstate(invalid="ignore"):
        low, high = low - 4 * _UNIT * np.abs(low) - _TINY, high + 4 * _UNIT * np.abs(high) + _TINY
    return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)


def joined(models: Sequence[Model]) -> Model:
    """Put models side by side along the last axis."""
    first = models[0]
    arrays = (
        np.concatenate([getattr(m, k) for m in models], axis=-1) for k in ("terms", "error", "low", "high")
    )
    return Model(first.space, *arrays)
