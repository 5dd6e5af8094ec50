"""Programs fitted to a network on a box: their coefficients moved until the worst error at samples is small.

Least squares first (Levenberg and Marquardt), then with weights that grow where the error is large (Lawson's
iteration), which leads towards the smallest worst error. What is found here is proved elsewhere.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.coefficients import vector, with_vector
from nn2eq.forms.program import Program
from nn2eq.forms.sensitivity import sensitivity
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


@dataclass(frozen=True, eq=False)
class Fit:
    """What is to be fitted: the network's answers (n, outputs) at x (n, inputs), and when to stop.

    More samples, at which the fit is looked at but not made, are in `denser`.
    """

    network: Network
    domain: tuple[tuple[float, float], ...]
    until: float = np.inf

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
        """Return the same task with less time, a share of what is left."""
        now = time.monotonic()
        return replace(self, until=now + share * (self.until - now)) if np.isfinite(self.until) else self

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self.until

    def worst(self, program: Program) -> float:
        """Return the largest error at the many samples."""
        x, answers = self.denser
        with np.errstate(all="ignore"):
            apart = np.abs(program.evaluate(x) - answers)
        return float(apart.max()) if np.all(np.isfinite(apart)) else np.inf

    def errors(self, program: Program) -> Array:
        """Return the errors at the samples, (n, outputs)."""
        with np.errstate(all="ignore"):
            return np.asarray(program.evaluate(self.x) - self.answers)

    def _samples(self, grids: dict[int, int], count: int, seed: int) -> Array:
        low, high = np.array(self.domain).T
        inputs = len(low)
        if inputs in grids:
            line = np.cos(np.linspace(0.0, np.pi, grids[inputs]))
            t = np.stack(np.meshgrid(*[line] * inputs, indexing="ij"), axis=-1).reshape(-1, inputs)
        else:
            rng = np.random.default_rng(seed)
            t = np.clip(rng.uniform(-1.3, 1.3, size=(count, inputs)), -1.0, 1.0)  # faces and corners too
        return np.asarray(low / 2 + high / 2 + t * (high / 2 - low / 2))


def refitted(
    program: Program, fit: Fit, free: Mask | None = None, *, rounds: int = 12, sharp: int = 12
) -> Program:
    """Return the program with the coefficients that are free (those not 0) moved to where the worst error is smallest.

    rounds: of least squares; sharp: with the weights.
    """
    numbers = vector(program)
    free = numbers != 0 if free is None else free
    best, smallest = numbers, _largest(fit.errors(program))
    weights, damping = np.ones(fit.answers.size), 1e-3
    for turn in range(rounds + sharp):
        if fit.is_over or not np.any(free):
            break
        errors = fit.errors(with_vector(program, numbers)).ravel()
        if turn >= rounds:
            weights = weights * (np.abs(errors) / max(np.abs(errors).max(), 1e-300) + 0.02)
            weights /= weights.mean()
        slopes = sensitivity(with_vector(program, numbers), fit.x)[:, :, free].reshape(errors.size, -1)
        moved, damping = _moved(program, fit, numbers, free, slopes, errors, weights, damping)
        if moved is None:
            if turn < rounds:
                continue
            break
        numbers = moved
        found = _largest(fit.errors(with_vector(program, numbers)))
        if found < smallest:
            best, smallest = numbers, found
    return with_vector(program, best)


def _moved(
    program: Program, fit: Fit, numbers: Array, free: Mask, slopes: Array, errors: Array, weights: Array,
    damping: float,
) -> tuple[Array | None, float]:  # fmt: skip
    """Take one step down, as long as the damping allows; None if there is none."""
    weighted = slopes * weights[:, None]
    normal, gradient = slopes.T @ weighted, weighted.T @ errors
    if not (np.all(np.isfinite(normal)) and np.all(np.isfinite(gradient))):
        return None, damping
    before = float(weights @ errors**2)
    size = np.diag(normal).copy()
    size += _RELATIVE * size.max(initial=0.0) + 1e-300
    for _ in range(6):
        step = np.linalg.solve(normal + np.diag(damping * size + 1e-14 * size.max()), gradient)
        moved = numbers.copy()
        moved[free] -= step
        after = fit.errors(with_vector(program, moved)).ravel()
        if float(weights @ after**2) < before:
            return moved, max(damping / 8, 1e-12)
        damping = min(damping * 6, 1e9)
    return None, damping


def _largest(errors: Array) -> float:
    return float(np.abs(errors).max(initial=0.0)) if np.all(np.isfinite(errors)) else np.inf
