"""The vertices of a cell complex: where planes meet, with a bound on the error.

In a domain without end the box is [-R, R] with an R larger than every number: a vertex is point + far · R.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ids = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Planes:
    """normal · x + offset + far R = 0: normals (planes, inputs), offsets, far (planes,).

    slack (planes, inputs + 1): bounds on the errors of normal and offset. source (planes, 3): step, cell at
    the start of that step, cut; or -1, input, and 0 or 1 for the lower and upper end of the domain.
    """

    normal: Array
    offset: Array
    far: Array
    slack: Array
    source: NDArray[np.int64]

    def joined(self, other: Planes) -> Planes:
        """Return these planes and others behind them."""
        return Planes(
            np.concatenate([self.normal, other.normal]),
            np.concatenate([self.offset, other.offset]),
            np.concatenate([self.far, other.far]),
            np.concatenate([self.slack, other.slack]),
            np.concatenate([self.source, other.source]),
        )


@dataclass(frozen=True, eq=False)
class Vertices:
    """Points (vertices, inputs) with far parts of the same shape; bounds (vertices,) on the errors of both.

    tight (vertices, inputs): independent planes that meet there, which is what a vertex is.
    """

    point: Array
    far: Array
    error: Array
    far_error: Array
    tight: Ids

    def joined(self, other: Vertices) -> Vertices:
        """Return these vertices and others behind them."""
        return Vertices(
            np.concatenate([self.point, other.point]),
            np.concatenate([self.far, other.far]),
            np.concatenate([self.error, other.error]),
            np.concatenate([self.far_error, other.far_error]),
            np.concatenate([self.tight, other.tight]),
        )

    @classmethod
    def all_of(cls, some: Sequence[Vertices]) -> Vertices:
        """Return several together, in order."""
        columns = zip(*((v.point, v.far, v.error, v.far_error, v.tight) for v in some), strict=True)
        return cls(*map(np.concatenate, columns))

    def __getitem__(self, rows: NDArray[Any] | slice) -> Vertices:
        """Return some of them."""
        return Vertices(
            self.point[rows], self.far[rows], self.error[rows], self.far_error[rows], self.tight[rows]
        )


def meet(planes: Planes, tight: Ids) -> Vertices:
    """Solve for the vertices at which planes meet, tight (vertices, inputs), with bounds on the errors.

    With an approximate inverse C of N and |I - C N| <= κ < 1 the error is at most |C r| / (1 - κ), r the
    residual (Rump, Verification methods, 10.3); infinite where that fails.
    """
    with np.errstate(all="ignore"):
        slack = planes.slack[tight].transpose(1, 2, 0)
        system = _System.of(planes.normal[tight], slack[:, :-1])
        point, error = system.solved(planes.offset[tight].T, slack[:, -1])
        far, far_error = np.zeros_like(point), np.zeros_like(error)
        rows = np.flatnonzero(planes.far[tight].any(axis=1))
        if rows.size:
            far[rows], far_error[rows] = system.of_rows(rows).solved(planes.far[tight[rows]].T, np.zeros(1))
    return Vertices(point, far, error, far_error, tight)


def largest(points: Array) -> Array:
    """Return the largest magnitude of each point's coordinates, (points,): by columns, which are long."""
    found: Array = reduce(np.maximum, np.abs(points).T)
    return found


_UNIT = 2.0**-53


class _System(NamedTuple):
    """Many small systems of equations at once, (inputs, inputs, systems): those run along the last axis.

    doubt: bounds on the errors of the matrices, and on those of working with them; inverse: roughly; trust:
    1 / (1 - κ).
    """

    normal: Array
    doubt: Array
    inverse: Array
    trust: Array

    @classmethod
    def of(cls, matrices: Array, slack: Array) -> _System:
        """Take matrices (systems, inputs, inputs) with bounds on their errors, (inputs, inputs, systems)."""
        normal, inverse = np.ascontiguousarray(matrices.transpose(1, 2, 0)), _inverse(matrices)
        doubt = np.abs(normal) * (8 * len(normal) * _UNIT) + slack
        miss = (
            sum(inverse[:, k, None] * normal[k] for k in range(len(normal))) - np.eye(len(normal))[:, :, None]
        )
        kappa = (np.abs(miss).sum(axis=1) + _times(np.abs(inverse), doubt.sum(axis=1))).max(axis=0)
        return cls(normal, doubt, inverse, np.where(kappa < 0.5, 1 / (1 - kappa), np.inf))

    def of_rows(self, rows: NDArray[np.intp]) -> _System:
        """Return some of them."""
        return _System(*(column.take(rows, axis=-1) for column in self))

    def solved(self, offset: Array, offset_slack: Array) -> tuple[Array, Array]:
        """Solve normal @ x + offset = 0, one step of refinement included: x (systems, inputs), error bounds.

        offset, offset_slack (inputs, systems).
        """
        x = -_times(self.inverse, offset)
        x -= _times(self.inverse, _times(self.normal, x) + offset)
        residual = np.abs(_times(self.normal, x) + offset) + _times(self.doubt, np.abs(x))
        residual += np.abs(offset) * (8 * len(x) * _UNIT) + offset_slack
        error = 1.001 * self.trust * _times(np.abs(self.inverse), residual).max(axis=0)
        fine = np.isfinite(x).all(axis=0) & np.isfinite(error)
        return np.ascontiguousarray(x.T), np.where(fine, error, np.inf)


def _times(matrices: Array, vectors: Array) -> Array:
    """Multiply matrices (rows, columns, n) by vectors (columns, n)."""
    product: Array = (matrices * vectors).sum(axis=1)
    return product


def _inverse(matrices: Array) -> Array:
    """Invert (n, d, d) matrices approximately, (d, d, n); what a singular one gives will have no bound."""
    size = matrices.shape[1]
    if size == 1:
        return 1 / matrices.T
    if size == 2:
        (a, b), (c, d) = matrices.transpose(1, 2, 0)
        adjugate: Array = np.array([[d, -b], [-c, a]]) / (a * d - b * c)
        return adjugate
    try:
        inverse = np.linalg.inv(matrices)
    except np.linalg.LinAlgError:
        inverse = np.full_like(matrices, np.nan)
        regular = np.linalg.det(matrices) != 0
        if not regular.all():
            inverse[regular] = _inverse(matrices[regular]).transpose(2, 0, 1)
    return np.ascontiguousarray(inverse.transpose(1, 2, 0))
