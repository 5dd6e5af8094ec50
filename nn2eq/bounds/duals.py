"""Models with their derivatives: what is walked through a tape, and through the formulas of coupled rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.bounds.charts import Chart
from nn2eq.bounds.models import Array, Model

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Dual:
    """A model (boxes, ...) and its derivative by each input, (boxes, inputs, ...); None: none is wanted."""

    value: Model
    slope: Model | None = None

    def _each(self, change: Callable[[Model], Model]) -> Dual:
        """Apply what is linear to both."""
        return Dual(change(self.value), change(self.slope) if self.slope else None)

    def affine(self, kernel: NDArray[Any], bias: NDArray[Any] | None = None) -> Dual:
        """Return x @ kernel + bias."""
        return Dual(self.value.affine(kernel, bias), self.slope.affine(kernel) if self.slope else None)

    def unsure(self, like: Dual, kernel_spread: NDArray[Any], bias_spread: NDArray[Any] | None) -> Dual:
        """Return what holds like @ kernel + bias for all kernels and biases that are so far from these."""
        by = like.value.reach @ kernel_spread
        value = self.value.widened(by if bias_spread is None else by + bias_spread)
        if self.slope is None or like.slope is None:
            return Dual(value, self.slope)
        return Dual(value, self.slope.widened(like.slope.reach @ kernel_spread))

    def __add__(self, other: Dual) -> Dual:
        """Return the sum; a constant has no slope."""
        slopes = [dual.slope for dual in (self, other) if dual.slope is not None]
        slope = slopes[0] + slopes[1] if len(slopes) == 2 else (slopes[0] if slopes else None)
        return Dual(self.value + other.value, slope)

    def __neg__(self) -> Dual:
        """Return the negative."""
        return self._each(lambda model: -model)

    def __sub__(self, other: Dual) -> Dual:
        """Return the difference."""
        return self + (-other)

    def __mul__(self, other: Dual) -> Dual:
        """Return the product, by Leibniz's rule."""
        parts = [
            _beside(one.value) * two.slope
            for one, two in ((self, other), (other, self))
            if two.slope is not None
        ]
        slope = parts[0] + parts[1] if len(parts) == 2 else (parts[0] if parts else None)
        return Dual(self.value * other.value, slope)

    def sum(self) -> Dual:
        """Return the sum over the last axis."""
        return self._each(Model.sum)

    def through(self, chart: Chart, limits: tuple[Array, Array] | None = None) -> tuple[Dual, Mask]:
        """Apply a function of one variable; say where it meets a kink."""
        value, crosses = self.value.through(chart, limits)
        if self.slope is None:
            return Dual(value), crosses
        factor, _ = self.value.through(chart.derivative, limits)
        return Dual(value, _beside(factor) * self.slope), crosses

    def take(self, index: tuple[Any, ...]) -> Dual:
        """Choose by an index into the axes behind the boxes."""
        slope = self.slope.take((slice(None), slice(None), *index)) if self.slope else None
        return Dual(self.value.take((slice(None), *index)), slope)

    def shaped(self, *shape: int) -> Dual:
        """Lay the axes behind the boxes out anew."""
        slope = self.slope.shaped(self.slope.error.shape[1], *shape) if self.slope else None
        return Dual(self.value.shaped(*shape), slope)


def _beside(model: Model) -> Model:
    """Give a model an axis for the inputs by which one differentiates."""
    return model.take((slice(None), None))


def constant(like: Dual, value: float) -> Dual:
    """Return a number as a model over the same boxes."""
    space, boxes = like.value.space, like.value.error.shape[0]
    axes = (1,) * (like.value.error.ndim - 1)
    terms = space.constant(np.full((boxes, *axes), value))
    return Dual(Model(space, terms, np.zeros((boxes, *axes)), terms[0], terms[0]))


def hull(first: Dual, second: Dual) -> Dual:
    """Return what holds both functions."""
    one, two = first.slope, second.slope
    if one is None and two is None:
        return Dual(_hull(first.value, second.value))
    one, two = one or two.scaled(0.0), two or one.scaled(0.0)  # type: ignore[union-attr]
    return Dual(_hull(first.value, second.value), _hull(one, two))


def _hull(first: Model, second: Model) -> Model:
    middle = (first + second).scaled(0.5)
    low, high = (first - second).scaled(0.5).range()
    return Model(
        middle.space, middle.terms, middle.error + np.maximum(np.abs(low), np.abs(high)),
        np.minimum(first.low, second.low), np.maximum(first.high, second.high),
    )  # fmt: skip


def chosen(mask: Mask, first: Dual, second: Dual) -> Dual:
    """Take the first where the mask holds, else the second."""

    def pick(one: Model | None, two: Model | None, where: Mask) -> Model | None:
        if one is None and two is None:
            return None
        one, two = one or two.scaled(0.0), two or one.scaled(0.0)  # type: ignore[union-attr]
        arrays = (
            np.where(where, getattr(one, k), getattr(two, k)) for k in ("terms", "error", "low", "high")
        )
        return Model(one.space, *arrays)

    value = pick(first.value, second.value, mask)
    assert value is not None
    return Dual(value, pick(first.slope, second.slope, mask[:, None]))
