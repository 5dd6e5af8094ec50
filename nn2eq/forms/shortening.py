"""Every number of a Program rounded to as few digits as an error allows.

How much a number matters tells how far it may be rounded. With `compensated` the numbers that are not rounded
yet make up for each one that is (the update of Hassibi and Stork's optimal brain surgeon, of which pruning is the
case that a number is rounded to 0).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.characters import characters
from nn2eq.forms.coefficients import vector, with_vector
from nn2eq.forms.program import Program
from nn2eq.forms.refitting import Fit, refitted
from nn2eq.forms.rounded import short
from nn2eq.forms.sensitivity import most

Array = NDArray[np.float64]

_HALVINGS = 9
_BATCHES = 14
_MOST_POLISHED = 60
_FEW_INPUTS = 2
"""Inputs up to which samples are so dense that the last digit is worth haggling for."""


def shortened(program: Program, fit: Fit, allowed: float, *, compensated: bool = False) -> Program | None:
    """Return the program with its numbers rounded so that the worst error at samples is within what is allowed.

    None if even its own numbers are not.
    """
    if fit.worst(program) > allowed:
        return None
    rounding = _compensated(program, fit) if compensated else _each_alone(program, fit)
    low, high, best = 1e-9 * allowed, allowed, program
    for _ in range(_HALVINGS):
        middle = np.sqrt(low * high)
        tried = rounding(float(middle))
        if fit.worst(tried) <= allowed:
            low, best = middle, tried
        else:
            high = middle
        if high < 1.3 * low:
            break
        if best is program:
            high = min(high, middle)
    return _polished(best, fit, allowed)


def _each_alone(program: Program, fit: Fit) -> Callable[[float], Program]:
    """Round each number so far that it alone moves no answer by more than a budget."""
    numbers = vector(program)
    matters = most(program, fit.x)

    def rounding(budget: float) -> Program:
        return with_vector(program, _rounded(numbers, budget / np.maximum(matters, 1e-300)))

    return rounding


def _rounded(numbers: Array, by: Array) -> Array:
    return np.array([short(value, most) for value, most in zip(numbers.tolist(), by.tolist(), strict=True)])


def _compensated(program: Program, fit: Fit) -> Callable[[float], Program]:
    def rounding(budget: float) -> Program:
        found, free = program, vector(program) != 0
        batch = max(1, int(np.ceil(free.sum() / _BATCHES)))
        while np.any(free) and not fit.is_over:
            found, free = _batch(found, fit, free, budget, batch)
            if np.any(free):
                found = refitted(found, fit, free, rounds=2, sharp=1)
        return found

    return rounding


def _batch(
    program: Program, fit: Fit, free: NDArray[np.bool_], budget: float, batch: int
) -> tuple[Program, NDArray[np.bool_]]:
    """Round the numbers that matter least, each made up for by the free ones."""
    numbers, places = vector(program), np.flatnonzero(free)
    slopes = fit.slopes(program, free)
    size = np.sqrt((slopes**2).mean(axis=0)) + 1e-300
    normal = (slopes / size).T @ (slopes / size) / len(slopes)
    inverse = np.linalg.inv(normal + 1e-10 * np.eye(len(places)))
    left = np.ones(len(places), dtype=bool)
    for _ in range(min(batch, len(places))):
        matters = size / np.sqrt(np.maximum(np.diag(inverse), 1e-300))
        worth = np.where(left, matters * np.abs(numbers[places]), np.inf)
        k = int(np.argmin(worth))
        by = short(numbers[places[k]], budget / matters[k]) - numbers[places[k]]
        moved = by * size[k] * inverse[:, k] / inverse[k, k] / size
        numbers[places[left]] += moved[left]
        numbers[places[k]] = short(numbers[places[k]], 1e-9 * abs(numbers[places[k]]))
        inverse = inverse - np.outer(inverse[:, k], inverse[k]) / inverse[k, k]
        inverse[k, k] = 1e-300
        left[k] = False
    still = free.copy()
    still[places[~left]] = False
    return with_vector(program, numbers), still


def _polished(program: Program, fit: Fit, allowed: float) -> Program:
    """Take single digits away wherever the error still allows it, the longest numbers first."""
    numbers = vector(program)
    if np.count_nonzero(numbers) > _MOST_POLISHED or fit.network.inputs > _FEW_INPUTS:
        return program
    best, length = program, characters(program)
    again = True
    while again and not fit.is_over:
        again = False
        for place in sorted(np.flatnonzero(numbers).tolist(), key=lambda k: -len(repr(float(numbers[k])))):
            for value in _shorter(float(numbers[place])):
                tried = numbers.copy()
                tried[place] = value
                other = with_vector(program, tried)
                size = characters(other)
                if size < length and fit.worst(other) <= allowed:
                    numbers, best, length, again = tried, other, size, True
                    break
    return best


def _shorter(value: float) -> Iterator[float]:
    """Yield 0, and the neighbours with fewer digits."""
    yield 0.0
    digits = len(f"{abs(value):e}".split("e")[0].rstrip("0")) - 1
    exponent = int(f"{value:.16e}".partition("e")[2])
    for fewer in range(1, max(1, digits)):
        unit = 10.0 ** (exponent - fewer + 1)
        for whole in (np.floor(value / unit), np.ceil(value / unit)):
            yield float(f"{whole * unit:.{fewer - 1}e}")
