"""Programs fitted to a network on a box: their coefficients moved until the worst error at samples is small.

Least squares first (Levenberg and Marquardt), then with weights that grow where the error is large (Lawson's
iteration), which leads towards the smallest worst error. What is found here is proved elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.coefficients import vector, with_vector
from nn2eq.forms.program import Program
from nn2eq.forms.sensitivity import count, sensitivity
from nn2eq.forms.work import Work
from nn2eq.network import Network

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_GRIDS = {1: 160, 2: 18}
"""Points a side by the number of inputs; more inputs are sampled."""
_SAMPLED = 1500
_DENSER = {1: 1201, 2: 61}
_SAMPLED_DENSER = 6_000
_RELATIVE = 1e-9
"""How far the normal equations are kept from being singular."""
_STANDSTILL, _PATIENCE = 1e-3, 4
"""The share of the squares by which a round must lessen them, and how often in a row it may fail to."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What is to be fitted: the network's answers (n, outputs) at x (n, inputs), and the work it may take.

    More samples, at which the fit is looked at but not made, are in `denser`.
    """

    network: Network
    domain: tuple[tuple[float, float], ...]
    work: Work = field(default_factory=Work)

    @cached_property
    def x(self) -> Array:
        """Samples of the box, denser at its ends."""
        return self._samples(_GRIDS, _SAMPLED, 0)

    @cached_property
    def answers(self) -> Array:
        """What the network answers."""
        return self.network.evaluate(self.x)

    @cached_property
    def denser(self) -> tuple[Array, Array]:
        """Many more samples, and the answers."""
        x = np.concatenate([self.x, self._samples(_DENSER, _SAMPLED_DENSER, 1)])
        return x, self.network.evaluate(x)

    def shorter(self, share: float) -> Fit:
        """Return the same task with a share of the work that is left."""
        return replace(self, work=self.work.part(share))

    @property
    def is_over(self) -> bool:
        """Whether no work is left."""
        return self.work.is_done

    def worst(self, program: Program) -> float:
        """Return the largest error at the many samples."""
        x, answers = self.denser
        self.work.take(len(x) * count(program))
        with np.errstate(all="ignore"):
            apart = np.abs(program.evaluate(x) - answers)
        return float(apart.max()) if np.all(np.isfinite(apart)) else np.inf

    def errors(self, program: Program) -> Array:
        """Return the errors at the samples, (n, outputs)."""
        self.work.take(len(self.x) * count(program))
        with np.errstate(all="ignore"):
            return np.asarray(program.evaluate(self.x) - self.answers)

    def slopes(self, program: Program, free: Mask) -> Array:
        """Return how the errors change with the coefficients that are free, (n * outputs, free)."""
        rows, columns = self.answers.size, int(free.sum())
        self.work.take(rows * count(program) * (2 + columns // 8))
        return sensitivity(program, self.x)[:, :, free].reshape(rows, columns)

    def _samples(self, grids: dict[int, int], scattered: int, seed: int) -> Array:
        low, high = np.array(self.domain).T
        inputs = len(low)
        if inputs in grids:
            line = np.cos(np.linspace(0.0, np.pi, grids[inputs]))
            t = np.stack(np.meshgrid(*[line] * inputs, indexing="ij"), axis=-1).reshape(-1, inputs)
        else:
            rng = np.random.default_rng(seed)
            t = np.clip(rng.uniform(-1.3, 1.3, size=(scattered, inputs)), -1.0, 1.0)  # faces and corners too
        return np.asarray(low / 2 + high / 2 + t * (high / 2 - low / 2))


def refitted(
    program: Program,
    fit: Fit,
    free: Mask | None = None,
    *,
    rounds: int = 12,
    sharp: int = 12,
    hopeless: float = np.inf,
) -> Program:
    """Return the program with the coefficients that are free (those not 0) moved to where the worst error is smallest.

    rounds: of least squares, at most; sharp: with the weights. hopeless: leave the latter out where the errors are
    above this on the average already.
    """
    numbers = vector(program)
    free = numbers != 0 if free is None else free
    if not np.any(free):
        return program
    start = _Place(numbers, fit.errors(program).ravel(), 1e-3, numbers)
    found = _squared(program, fit, free, start, rounds)
    if np.sqrt((found.errors**2).mean()) <= hopeless:
        found = _sharpened(program, fit, free, found, sharp)
    return with_vector(program, found.best)


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a descent is: the numbers, the errors with them, its damping, and the best numbers so far.

    moved: whether the last step led anywhere.
    """

    numbers: Array
    errors: Array
    damping: float
    best: Array
    smallest: float = np.inf
    moved: bool = True

    def at(self, numbers: Array, errors: Array, damping: float) -> _Place:
        """Return the place after a step."""
        worst = _largest(errors)
        best, smallest = (numbers, worst) if worst < self.smallest else (self.best, self.smallest)
        return _Place(numbers, errors, damping, best, smallest)


def _squared(program: Program, fit: Fit, free: Mask, place: _Place, rounds: int) -> _Place:
    """Lessen the squares, until that gets nowhere for some rounds."""
    weights, patience = np.ones(fit.answers.size), _PATIENCE
    place = place.at(place.numbers, place.errors, place.damping)
    for _ in range(rounds):
        if fit.is_over or not patience:
            break
        before = float((place.errors**2).sum())
        place = _step(program, fit, free, place, weights)
        still = float((place.errors**2).sum()) > (1 - _STANDSTILL) * before
        patience = patience - 1 if still else _PATIENCE
    return place


def _sharpened(program: Program, fit: Fit, free: Mask, place: _Place, rounds: int) -> _Place:
    """Lessen the worst error: squares weighted more and more where the error is large."""
    weights = np.ones(fit.answers.size)
    for _ in range(rounds):
        if fit.is_over:
            break
        sizes = np.abs(place.errors)
        weights = weights * (sizes / max(sizes.max(), 1e-300) + 0.02)
        weights /= weights.mean()
        place = _step(program, fit, free, place, weights)
        if not place.moved:
            break
    return place


def _step(program: Program, fit: Fit, free: Mask, place: _Place, weights: Array) -> _Place:
    """Take one step down, with as much damping as it takes; stay if there is none."""
    slopes, errors = fit.slopes(with_vector(program, place.numbers), free), place.errors
    weighted = slopes * weights[:, None]
    normal, gradient = slopes.T @ weighted, weighted.T @ errors
    stay = replace(place, moved=False)
    if not (np.all(np.isfinite(normal)) and np.all(np.isfinite(gradient))):
        return stay
    before, damping = float(weights @ errors**2), place.damping
    size = np.diag(normal).copy()
    size += _RELATIVE * size.max(initial=0.0) + 1e-300
    for _ in range(6):
        step = np.linalg.solve(normal + np.diag(damping * size + 1e-14 * size.max()), gradient)
        moved = place.numbers.copy()
        moved[free] -= step
        after = fit.errors(with_vector(program, moved)).ravel()
        if float(weights @ after**2) < before:
            return place.at(moved, after, max(damping / 8, 1e-12))
        damping = min(damping * 6, 1e9)
    return replace(stay, damping=damping)


def _largest(errors: Array) -> float:
    return float(np.abs(errors).max(initial=0.0)) if np.all(np.isfinite(errors)) else np.inf
