"""Functions that are affine on every cell, one a cut and zero on it: their planes, and their signs at vertices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

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

    def sides(self, at: Vertices, cells: Order, some: tuple[Order, Order] | None = None) -> Signs:
        """Return on which side of functions vertices lie, -1, 0 or 1, or UNSURE.

        All functions of cells (vertices,) are meant, (vertices, cuts), or some: rows of vertices and cuts, (n,) each,
        of cells (n,). The side is that of the far part wherever it is not zero.
        """
        with np.errstate(all="ignore"):
            found = self._signs(at.point, at.error, cells, some, offset=True)
            if at.far.any() or at.far_error.any():
                endless = at.far.any(axis=1) | (at.far_error > 0)
                if some is None:
                    chosen = np.flatnonzero(endless)
                    beyond = self._signs(
                        at.far[chosen], at.far_error[chosen], cells[chosen], None, offset=False
                    )
                else:
                    chosen = np.flatnonzero(endless[some[0]])
                    rows, cuts = some
                    which = rows[chosen], cuts[chosen]
                    beyond = self._signs(at.far, at.far_error, cells[chosen], which, offset=False)
                found[chosen] = np.where(beyond == 0, found[chosen], beyond)
        return found

    def _signs(
        self, point: Array, error: Array, cells: Order, some: tuple[Order, Order] | None, *, offset: bool
    ) -> Signs:
        columns = np.vstack([point.T, error, largest(point)])
        *x, error, size = columns[:, :, None] if some is None else columns.take(some[0], axis=1)
        of = _Chosen(cells, None if some is None else some[1])
        z = of.row(self.values, -1) if offset else 0.0
        bound = of.row(self.slack, -1) if offset else 0.0
        for axis, coordinate in enumerate(x):
            z = z + coordinate * of.row(self.values, axis)
        bound = bound + size * of.row(self._doubt) + error * of.row(self._steep)
        certain = (np.abs(z) > bound) | ((z == 0) & (bound == 0))
        found: Signs = np.where(certain, np.sign(z), UNSURE).astype(np.int8)
        return found


class _Chosen(NamedTuple):
    """All cuts of some cells, or one cut each."""

    cells: Order
    cuts: Order | None

    def row(self, table: Array, row: int | None = None) -> Array:
        """Return what stands there in a table (cells, cuts), or in a row of one (cells, rows, cuts)."""
        if self.cuts is None:
            return (table if row is None else table[:, row])[self.cells]
        begin = 0 if row is None else row % table.shape[1] * table.shape[-1]
        found: Array = table.ravel().take(self.cells * table[0].size + self.cuts + begin)
        return found
