"""The vertices of a cell complex: where planes meet, with a bound on the error.

In a domain without end the box is [-R, R] with an R larger than every number: a vertex is point + far · R.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    normal, slack = planes.normal[tight], planes.slack[tight]
    with np.errstate(all="ignore"):
        inverse = _inverse(normal)
        spread = np.abs(inverse)
        miss = np.abs(np.eye(normal.shape[1]) - inverse @ normal) + 8 * normal.shape[1] * _UNIT * (
            spread @ np.abs(normal)
        )
        kappa = (miss + spread @ slack[:, :, :-1]).sum(axis=2).max(axis=1)
        trust = np.where(kappa < 0.5, 1 / (1 - kappa), np.inf)
        system = _System(normal, slack[:, :, :-1], inverse, trust)
        point, error = system.solved(planes.offset[tight], slack[:, :, -1])
        far, far_error = np.zeros_like(point), np.zeros_like(error)
        rows = np.flatnonzero(planes.far[tight].any(axis=1))
        if rows.size:
            beyond = _System(normal[rows], slack[rows, :, :-1], inverse[rows], trust[rows])
            far[rows], far_error[rows] = beyond.solved(planes.far[tight[rows]], np.zeros((1, 1)))
    return Vertices(point, far, error, far_error, tight)


_UNIT = 2.0**-53


class _System(NamedTuple):
    """Many small systems of equations: matrices with bounds on their errors, rough inverses, 1 / (1 - κ)."""

    normal: Array
    slack: Array
    inverse: Array
    trust: Array

    def solved(self, offset: Array, offset_slack: Array) -> tuple[Array, Array]:
        """Solve normal @ x + offset = 0, one step of refinement included, with bounds on the errors."""
        x = -_times(self.inverse, offset)
        x -= _times(self.inverse, _times(self.normal, x) + offset)
        size, rounding = np.abs(x), (self.normal.shape[1] + 3) * 2 * _UNIT
        doubt = rounding * (_times(np.abs(self.normal), size) + np.abs(offset))
        residual = np.abs(_times(self.normal, x) + offset) + doubt + _times(self.slack, size) + offset_slack
        error = 1.001 * self.trust * _times(np.abs(self.inverse), residual).max(axis=1)
        return x, np.where(np.isfinite(x).all(axis=1) & np.isfinite(error), error, np.inf)


def _times(matrices: Array, vectors: Array) -> Array:
    product: Array = (matrices @ vectors[:, :, None])[:, :, 0]
    return product


def _inverse(matrices: Array) -> Array:
    """Invert (n, d, d) matrices approximately; whatever a singular one gives, its bound will be infinite."""
    size = matrices.shape[1]
    if size == 1:
        return 1 / matrices
    if size == 2:
        (a, b), (c, d) = matrices.transpose(1, 2, 0)
        adjugate = np.empty_like(matrices)
        adjugate[:, 0, 0], adjugate[:, 0, 1], adjugate[:, 1, 0], adjugate[:, 1, 1] = d, -b, -c, a
        adjugate /= (a * d - b * c)[:, None, None]
        return adjugate
    regular = np.linalg.det(matrices) != 0
    inverse = np.full_like(matrices, np.nan)
    try:
        inverse[regular] = np.linalg.inv(matrices[regular])
    except np.linalg.LinAlgError:
        inverse[:] = np.nan
    return inverse
