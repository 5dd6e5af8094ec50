"""What rounding the numbers of cases can cost: those of the map, and those that tell which map it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.program import Cases

Array = NDArray[np.float64]
HIGHER = 1.01
"""How much more than to first order is allowed: the sizes are those of the rounded numbers."""


def cost_of_rounding(step: Cases, x: Array, unit: float) -> Array:
    """Return by how much answers (n, outputs) at x (n, inputs) can differ if numbers are off by `unit` of themselves.

    Any case may hold instead whose conditions then may, and each case's map is off by so much of its terms.
    """
    numbers = (step.normals, step.bounds, step.matrices, step.offsets)
    normals, bounds, matrices, offsets = (constant.data.astype(np.float64) for constant in numbers)
    excess, size = x @ normals.T - bounds, np.abs(x) @ np.abs(normals).T + np.abs(bounds)
    worst, doubt = (
        np.stack([of[:, own].max(axis=1, initial=0.0) for own in step.conditions]) for of in (excess, size)
    )
    chosen = worst.argmin(axis=0)
    each = np.arange(len(x))
    possible = worst <= HIGHER * unit * (doubt + doubt[chosen, each])
    if step.ends is not None:
        possible &= _after(step, x, HIGHER * unit)
    maps = np.einsum("ni,kio->kno", x, matrices) + offsets[:, None]
    terms = np.einsum("ni,kio->kno", np.abs(x), np.abs(matrices)) + np.abs(offsets)[:, None]
    off = np.abs(maps - maps[chosen, each]) + HIGHER * unit * terms
    return np.asarray(np.where(possible[:, :, None], off, 0.0).max(axis=0))


def _after(step: Cases, x: Array, unit: float) -> NDArray[np.bool_]:
    """Return which cases of a line may have begun, (cases, n): the one before may have ended by then."""
    assert step.ends is not None
    ends = step.ends.astype(np.float64)[:, None]
    begun = x.T >= ends - unit * np.abs(ends)
    return np.concatenate([np.ones((1, len(x)), dtype=np.bool_), begun])
