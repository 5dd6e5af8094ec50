"""Programs thinned out: units and single numbers left out as long as the rest can make up for them.

What a group of numbers is worth is what the squared error grows by when they become 0 and all others are moved
to where that hurts least (Hassibi and Stork, "Optimal brain surgeon", 1993).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.coefficients import vector, with_vector
from nn2eq.forms.program import Program
from nn2eq.forms.refitting import Fit, refitted
from nn2eq.forms.units import Places, layers

Array = NDArray[np.float64]

_TRIES = 3
"""Groups that are tried before no more is believed to be possible."""


def thinned(program: Program, fit: Fit, allowed: float) -> Program:
    """Return the program with as few units, then numbers, as keep the worst error at samples within the allowed.

    It keeps its shape: what is left out is 0.
    """
    for groups in (_units, _singles):
        found: Program | None = program
        while found is not None and not fit.is_over:
            program = found
            found = _without_cheapest(program, fit, list(groups(program)), allowed)
    return program


def _units(program: Program) -> Iterator[Places]:
    numbers = vector(program)
    for layer in layers(program):
        for unit in range(layer.step.out.size):
            places = layer.unit(unit)
            if np.any(numbers[places]):
                yield places


def _singles(program: Program) -> Iterator[Places]:
    yield from (np.array([place]) for place in np.flatnonzero(vector(program)))


def _without_cheapest(program: Program, fit: Fit, groups: list[Places], allowed: float) -> Program | None:
    """Leave out one of the groups that are worth least; None if none of the first few can be missed."""
    numbers = vector(program)
    free = numbers != 0
    if not np.any(free):
        return None
    index = np.cumsum(free) - 1
    slopes = fit.slopes(program, free)
    normal = slopes.T @ slopes / len(slopes)
    inverse = np.linalg.inv(
        normal + 1e-9 * np.diag(np.diag(normal)) + 1e-14 * np.diag(normal).max() * np.eye(len(normal))
    )
    priced = []
    for places in groups:
        live = places[numbers[places] != 0]
        own = inverse[np.ix_(index[live], index[live])]
        pull = np.linalg.solve(own, numbers[live])
        priced.append((float(numbers[live] @ pull), live, inverse[:, index[live]] @ pull))
    for _, live, change in sorted(priced, key=lambda each: each[0])[:_TRIES]:
        forecast = numbers.copy()
        forecast[free] -= change
        for start in (forecast, numbers):
            tried = start.copy()
            tried[live] = 0.0
            found = refitted(
                with_vector(program, _settled(program, tried)), fit, rounds=25, sharp=10, hopeless=allowed
            )
            if fit.worst(found) <= allowed:
                return found
        if fit.is_over:
            break
    return None


def _settled(program: Program, numbers: Array) -> Array:
    for layer in layers(program):
        numbers = layer.settled(numbers)
    return numbers
