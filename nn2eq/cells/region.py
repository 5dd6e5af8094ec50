"""One region of a network: where it is, and the affine map that holds there; floats, or exact fractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.decider import Decider
from nn2eq.cells.faces import Ids
from nn2eq.cells.parts import Part

Numbers = NDArray[Any]
"""Floats, or Fractions where exact ones were asked for."""


@dataclass(frozen=True, eq=False)
class Region:
    """One affine piece: y = matrix @ x + vector wherever the units are on the pieces of `pattern`.

    pattern: the piece of every unit, layer after layer, counted from 0. matrix (outputs, inputs); vector
    (outputs,); interior (inputs,). interval (2,) with one input; vertices (corners, inputs) in order around
    with two, infinite where the region has no end; halfspaces (facets, inputs + 1): rows a, b with
    a·x + b <= 0, none of them redundant. parts: what a merged region is made of, which with several inputs
    need not be convex; its pattern has None where theirs differ.
    """

    pattern: tuple[int | None, ...]
    matrix: Numbers
    vector: Numbers
    interior: Numbers
    interval: Numbers | None = None
    vertices: Numbers | None = None
    halfspaces: Numbers | None = None
    parts: tuple[Region, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, infinity as None and fractions as text."""
        found: dict[str, Any] = {"pattern": list(self.pattern)}
        found |= {"matrix": plain(self.matrix), "vector": plain(self.vector)}
        if self.interval is not None:
            return {**found, "interval": plain(self.interval), "interior": plain(self.interior)}
        if self.vertices is not None:
            found["vertices"] = plain(self.vertices)
        # The corners of a polygon without end do not tell where its sides go.
        if self.halfspaces is not None and (self.vertices is None or not _is_finite(self.vertices)):
            found["halfspaces"] = plain(self.halfspaces)
        if self.parts:
            found["parts"] = [part.as_dict() for part in self.parts]
        return {**found, "interior": plain(self.interior)}


def plain(numbers: Numbers) -> list[Any]:
    """Return an array as lists, infinity as None, fractions and the whole numbers beside them as text."""
    return [plain(row) if isinstance(row, np.ndarray) else _number(row) for row in numbers]


def _number(number: Any) -> Any:
    if isinstance(number, (Fraction, int)):
        return str(number)
    return float(number) + 0.0 if np.isfinite(number) else None


def _is_finite(corners: Numbers) -> bool:
    return len(corners) > 0 and bool(np.isfinite(corners.astype(float)).all())


def region(part: Part, cell: int) -> Region:
    """Return a cell as a region in floating point."""
    state, (rows, real) = part.state, part.halfspaces
    own = part.rows(cell)
    corners = None
    if state.inputs <= 2:
        corner = _true_corners(part, cell)
        far = state.vertices.far[corner]
        corners = np.where(far != 0, np.copysign(np.inf, far), state.vertices.point[corner] + 0.0)
    answer = state.maps.values[cell]
    return Region(
        tuple(part.patterns[cell].tolist()),
        answer[:-1].T,
        answer[-1],
        part.interiors[cell],
        *_bounded(corners),
        rows[own[real[own]]],
    )


def _bounded(corners: Numbers | None) -> tuple[Numbers | None, Numbers | None]:
    """Return the corners as what they are, an interval or a polygon."""
    if corners is None:
        return None, None
    return (corners.ravel(), None) if corners.shape[1] == 1 else (None, corners)


def _true_corners(part: Part, cell: int) -> Ids:
    """Return the corners in order, without those in which only ends of an endless domain meet."""
    corner = part.corners(cell)
    if part.state.inputs == 1:
        return corner
    tight = part.state.planes.far[part.state.vertices.tight[corner]]
    true: Ids = corner[(tight == 0).any(axis=1)]
    return true


def exact_region(part: Part, cell: int, decider: Decider) -> Region:
    """Return a cell as a region in fractions; its half-spaces are whole numbers."""
    state, pattern = part.state, part.patterns[cell]
    answer = decider.exact.answer(pattern).fractions()
    corners = _exact_corners(part, cell, decider) if state.inputs <= 2 else None
    own = part.rows(cell)
    rows = [
        [-int(side) * number for number in (*plane.normal, plane.offset)]
        for facet, side in zip(part.facets[1][own], part.facets[2][own], strict=True)
        for plane in [decider.plane(state, int(part.facet_planes[facet]))]
        if not plane.far
    ]
    halfspaces = np.array(rows, dtype=object).reshape(len(rows), state.inputs + 1)
    return Region(
        tuple(pattern.tolist()),
        answer[:-1].T,
        answer[-1],
        _exact_interior(part, cell, halfspaces, decider),
        *_bounded(corners),
        halfspaces,
    )


def _exact_corners(part: Part, cell: int, decider: Decider) -> Numbers:
    corners = _true_corners(part, cell)
    found = [decider.vertex(part.state, part.state.vertices.tight[corner]) for corner in corners]
    rows = [
        [
            np.copysign(np.inf, far) if far else at
            for far, at in zip(vertex.far, vertex.coordinates, strict=True)
        ]
        for vertex in found
    ]
    return np.array(rows, dtype=object).reshape(len(rows), part.state.inputs)


def _exact_interior(part: Part, cell: int, halfspaces: Numbers, decider: Decider) -> Numbers:
    """Return the mean of the vertices, moved inward from those that are nowhere until every half-space holds."""
    state = part.state
    vertices = [decider.vertex(state, state.vertices.tight[vertex]) for vertex in part.vertices(cell)]
    points = np.array([[vertex.coordinates, vertex.directions] for vertex in vertices], dtype=object)
    point, far = points.sum(axis=0) / Fraction(len(vertices))
    if not far.any():
        return np.asarray(point)
    start, pace = halfspaces[:, :-1] @ point + halfspaces[:, -1], halfspaces[:, :-1] @ far
    needed = [Fraction(one) / -many for one, many in zip(start, pace, strict=True) if many]
    return np.asarray(point + far * (max([0, *needed]) + 1))


def merged(parts: Sequence[Region]) -> Region:
    """Return neighbours with the same map as one region; with one input they are given from left to right."""
    first = parts[0]
    if len(parts) == 1:
        return first
    pattern = tuple(
        one[0] if len(set(one)) == 1 else None for one in zip(*(p.pattern for p in parts), strict=True)
    )
    if first.interval is None:
        return Region(pattern, first.matrix, first.vector, first.interior, parts=tuple(parts))
    ends = [part.interval for part in parts if part.interval is not None]
    whole = np.array([ends[0][0], ends[-1][1]], dtype=first.interval.dtype)
    return Region(pattern, first.matrix, first.vector, first.interior, whole, parts=tuple(parts))
