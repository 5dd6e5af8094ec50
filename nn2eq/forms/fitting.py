"""Near-minimax fits: the sum of columns, or the ratio of two, whose largest error at samples is about the least.

Lawson's iteration: least squares, again and again, each sample weighted by the error that it had (Lawson 1961;
Cline, "Rate of convergence of Lawson's algorithm", 1972). A ratio is made linear by the denominator of the
round before (Sanathanan and Koerner 1963).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUNDS = 80
"""Rounds of reweighting; a fit is within about a hundredth of the best by then."""
LARGE = 8_000
"""Numbers in the columns of a task from which on time matters more than the last hundredth."""
_MANY = 40
"""Coefficients from which on the normal equations are solved: quicker, and exact enough for what is rounded."""
_CLOSE = 1.01
"""The error over its lower bound at which there is nothing to be gained."""
LOWEST = 0.02
"""What a denominator, 1 at its constant term, must stay above at every sample."""


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be fitted at samples: target (samples,), by above @ a / (1 + below @ b).

    above (samples, n), below (samples, m) with m = 0 for a plain sum. Coefficients are a and b in one vector.
    """

    above: Array
    below: Array
    target: Array

    @property
    def size(self) -> int:
        """How many coefficients there are."""
        return int(self.above.shape[1] + self.below.shape[1])

    @property
    def is_large(self) -> bool:
        """Whether it takes long to fit."""
        return self.above.size + self.below.size > LARGE

    def take(self, kept: Sequence[int]) -> Task:
        """Return the task with some of its columns, counted over above and below."""
        count = self.above.shape[1]
        above, below = [k for k in kept if k < count], [k - count for k in kept if k >= count]
        return Task(self.above[:, above], self.below[:, below], self.target)

    def at(self, samples: NDArray[np.intp]) -> Task:
        """Return the task at some of its samples."""
        return Task(self.above[samples], self.below[samples], self.target[samples])

    def sides(self, coefficients: Array) -> tuple[Array, Array]:
        """Return the numerator and the denominator at the samples, (samples,) each."""
        count = self.above.shape[1]
        return self.above @ coefficients[:count], 1.0 + self.below @ coefficients[count:]

    def residual(self, coefficients: Array) -> Array:
        """Return answer - target at the samples; infinite where the denominator comes near 0."""
        return self.apart(*self.sides(coefficients))

    def apart(self, above: Array, below: Array) -> Array:
        """Return above / below - target, (samples, ...); infinite where the denominator comes near 0."""
        target = self.target.reshape(-1, *(1,) * (above.ndim - 1))
        if not self.below.shape[1]:
            return np.asarray(above - target)
        return np.where(below > LOWEST, above / np.where(below > LOWEST, below, 1.0) - target, np.inf)

    def linear(self, denominator: Array) -> tuple[Array, Array]:
        """Return columns and target of the linear task that a known denominator makes of it."""
        columns = np.concatenate([self.above, -self.target[:, None] * self.below], axis=1)
        return columns / denominator[:, None], self.target / denominator


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients (size,), their largest error; the weights and denominator, (samples,), of the last squares.

    least: what no coefficients' largest error is below, 0 where that is not known.
    """

    coefficients: Array
    error: float
    weights: Array
    denominator: Array
    least: float = 0.0


def near_minimax(
    task: Task,
    enough: float = 0.0,
    rounds: int = 0,
    start: Fit | None = None,
    *,
    hopeless: float = np.inf,
) -> Fit:
    """Fit with about the least error; stop as soon as it is `enough`, or certainly cannot become so.

    rounds: at most, 0 for as many as suit the task's size. start: the fit of a task much like it. hopeless: stop
    where the error certainly stays above this, however small it may become.

    The weighted mean of the squared errors is never above the least possible largest one, so that it tells when
    to stop; of a ratio it is an estimate only, which is not relied upon.
    """
    samples = len(task.target)
    rounds = rounds or (ROUNDS // 4 if task.is_large else ROUNDS)
    weights, denominator = np.full(samples, 1.0 / samples), np.ones(samples)
    if start is not None:
        weights, denominator = start.weights, start.denominator
    best, bound = Fit(np.zeros(task.size), float("inf"), weights, denominator), 0.0
    hopeless = min(hopeless, enough or np.inf)
    for _ in range(rounds):
        columns, target = task.linear(denominator)
        coefficients = _least_squares(columns, target, weights)
        sizes = np.abs(task.residual(coefficients))
        error = float(sizes.max())
        if error < best.error:
            best = Fit(coefficients, error, weights, denominator)
        if task.below.shape[1]:
            sizes, denominator = _lifted(sizes), np.maximum(task.sides(coefficients)[1], LOWEST)
        least = float(np.sqrt(np.sum(weights * sizes**2)))
        bound = bound if task.below.shape[1] else max(bound, least)
        if best.error <= max(enough, _CLOSE * least) or bound > hopeless:
            break
        weights = weights * sizes
        weights = weights / weights.sum()
    return replace(best, least=bound)


def _least_squares(columns: Array, target: Array, weights: Array) -> Array:
    """Solve with columns scaled to the same size, so that none is lost beside another."""
    roots = np.sqrt(weights)
    weighted = columns * roots[:, None]
    sizes = np.sqrt((weighted**2).sum(axis=0))
    sizes[sizes == 0.0] = 1.0
    matrix, side = weighted / sizes, target * roots
    if matrix.shape[1] > _MANY:
        matrix, side = matrix.T @ matrix, matrix.T @ side
    return np.asarray(np.linalg.lstsq(matrix, side, rcond=None)[0] / sizes)


def _lifted(sizes: Array) -> Array:
    """Where the denominator fails, go on with twice the largest error that can be told."""
    known = sizes[np.isfinite(sizes)]
    return np.where(np.isfinite(sizes), sizes, 2.0 * float(known.max(initial=1.0)))
