"""Functions that are affine on every cell, one a cut and zero on it: their planes, and their signs at vertices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.faces import Signs
from nn2eq.cells.vertices import Planes, Vertices, largest

Array = NDArray[np.float64]
Order = NDArray[Any]
UNSURE = 2
"""Stands for a sign that floating point cannot tell."""


@dataclass(frozen=True, eq=False)
class Functions:
    """values (cells, inputs + 1, cuts), the offset in the last row; slack: bounds on their errors."""

    values: Array
    slack: Array

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def _steep(self) -> Array:
        """How fast each can change at most, (cells, cuts), as coordinates do."""
        found: Array = (np.abs(self.values[:, :-1]) + self.slack[:, :-1]).sum(axis=1)
        return found

    @cached_property
    def _doubt(self) -> Array:
        """A bound on the error at points whose coordinates are at most 1, without that of the offset."""
        found: Array = self.slack[:, :-1].sum(axis=1)
        return found

    def planes(self, step: int, cells: Order, cuts: Order | int) -> Planes:
        """Return the planes of some cuts in some cells."""
        values, slack = self.values[cells, :, cuts], self.slack[cells, :, cuts]
        source = np.empty((len(cells), 3), dtype=np.int64)
        source[:, 0], source[:, 1], source[:, 2] = step, cells, cuts
        return Planes(values[:, :-1], values[:, -1], np.zeros(len(cells)), slack, source)

    def sides(self, at: Vertices, cells: Order, cuts: Order | None = None) -> Signs:
        """Return on which side of functions vertices lie, -1, 0 or 1, or UNSURE.

        cells (vertices,): which cell's functions. cuts (vertices,): which of them; without it all are meant,
        and answered in a row for each vertex. The side is that of the far part wherever it is not zero.
        """
        with np.errstate(all="ignore"):
            found = self._signs(at.point, at.error, cells, cuts, offset=True)
            if at.far.any() or at.far_error.any():
                rows = np.flatnonzero(at.far.any(axis=1) | (at.far_error > 0))
                chosen = None if cuts is None else cuts[rows]
                beyond = self._signs(at.far[rows], at.far_error[rows], cells[rows], chosen, offset=False)
                found[rows] = np.where(beyond == 0, found[rows], beyond)
        return found

    def _signs(self, point: Array, error: Array, cells: Order, cuts: Order | None, *, offset: bool) -> Signs:
        where: Any = cells if cuts is None else (cells, cuts)
        columns = np.vstack([point.T, error, largest(point)])
        *x, error, size = columns[:, :, None] if cuts is None else columns
        z = self.values[:, -1][where] if offset else 0.0
        bound = self.slack[:, -1][where] if offset else 0.0
        for axis, coordinate in enumerate(x):
            z = z + coordinate * self.values[:, axis][where]
        bound = bound + size * self._doubt[where] + error * self._steep[where]
        certain = (np.abs(z) > bound) | ((z == 0) & (bound == 0))
        found: Signs = np.where(certain, np.sign(z), UNSURE).astype(np.int8)
        return found
