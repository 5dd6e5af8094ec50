"""A finished complex as arrays: patterns, maps, half-spaces, interior points, neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.faces import Faces, Ids, grouped, joined
from nn2eq.cells.state import State

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """A finished complex: all regions of a network, or those of one part of its domain."""

    state: State

    @property
    def cells(self) -> int:
        """How many regions it has."""
        return self.state.faces.cells

    @property
    def patterns(self) -> NDArray[np.int16]:
        """The piece of every unit, (cells, units)."""
        return self.state.prefixes[-1]

    @property
    def matrices(self) -> Array:
        """The linear part of every region's map, (cells, outputs, inputs)."""
        return self.state.maps.values[:, :-1].transpose(0, 2, 1)

    @property
    def vectors(self) -> Array:
        """The constant part of every region's map, (cells, outputs)."""
        return self.state.maps.values[:, -1]

    @cached_property
    def facets(self) -> tuple[Ids, Ids, NDArray[np.int8]]:
        """Cell, facet, and the sign of the facet's plane within the cell, for every facet of every cell."""
        faces = self.state.faces
        if faces.above:
            return faces.above[-1].face, faces.above[-1].sub, faces.above[-1].side
        return np.repeat(np.arange(faces.cells, dtype=np.int32), 2), faces.ends.ravel(), self._line_sides()

    def _line_sides(self) -> NDArray[np.int8]:
        """With one input, a plane is positive to the right of its vertex if its slope is."""
        planes = self.state.vertices.tight[:, 0]
        rises = np.sign(self.state.planes.normal[planes, 0]).astype(np.int8)
        sides: NDArray[np.int8] = rises[self.state.faces.ends] * np.array([1, -1], dtype=np.int8)
        return sides.ravel()

    @cached_property
    def _by_cell(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows of `facets` in order of cells and facets, and where those of each cell begin."""
        cells, facets, _ = self.facets
        return np.lexsort((facets, cells)), grouped(cells, self.cells)[1]

    def rows(self, cell: int) -> NDArray[np.intp]:
        """Return the rows of `facets` that are a cell's."""
        order, start = self._by_cell
        return order[start[cell] : start[cell + 1]]

    @cached_property
    def facet_planes(self) -> Ids:
        """The plane of each facet."""
        state = self.state
        planes: Ids = state.tight[-2][:, 0] if state.inputs > 1 else state.vertices.tight[:, 0]
        return planes

    @cached_property
    def halfspaces(self) -> tuple[Array, NDArray[np.bool_]]:
        """Rows a, b with a·x + b <= 0, one for each row of `facets`, and which of them are really there."""
        _, facet, side = self.facets
        plane, planes = self.facet_planes[facet], self.state.planes
        rows = np.concatenate([planes.normal[plane], planes.offset[plane][:, None]], axis=1)
        return rows * -side[:, None], planes.far[plane] == 0

    @cached_property
    def interiors(self) -> Array:
        """A point within each region, (cells, inputs)."""
        state = self.state
        point, far = (_centres(state.faces, values) for values in (state.vertices.point, state.vertices.far))
        reach = np.zeros(self.cells)
        endless = far.any(axis=1)
        if endless.any():
            rows, real = self.halfspaces
            cell = self.facets[0]
            rows, cell = rows[real], cell[real]
            start = np.einsum("ni,ni->n", rows[:, :-1], point[cell]) + rows[:, -1]
            pace = np.einsum("ni,ni->n", rows[:, :-1], far[cell])
            scale = np.abs(rows[:, :-1]) @ np.ones(state.inputs) * np.abs(far[cell]).max(axis=1)
            moves = pace < -1e-9 * scale
            needed = np.where(moves, start / np.where(moves, -pace, 1.0), 0.0)
            np.maximum.at(reach, cell, needed)
            reach = np.where(endless, 2 * reach + 1, 0.0)
        return point + far * reach[:, None]

    @cached_property
    def neighbours(self) -> Ids:
        """Pairs of cells that share a facet, (pairs, 2)."""
        cell, facet, side = self.facets
        both = np.full((2, len(self.facet_planes)), -1, dtype=np.int32)
        for row, chosen in zip(both, (side < 0, side > 0), strict=True):
            row[facet[chosen]] = cell[chosen]
        both = both[:, (both[0] >= 0) & (both[1] >= 0)]
        return np.stack([both.min(axis=0), both.max(axis=0)], axis=1)

    @cached_property
    def facet_boxes(self) -> Array:
        """The low and the high ends, (2, facets, inputs), of the boxes around the facets, some infinite."""
        vertices, faces = self.state.vertices, self.state.faces
        places = np.where(vertices.far == 0, vertices.point, np.copysign(np.inf, vertices.far))
        both = places[faces.ends]
        low, high = both.min(axis=1), both.max(axis=1)
        for level in faces.above[:-1]:
            below, above = low, high
            low, high = (np.full((level.count, low.shape[1]), end) for end in (np.inf, -np.inf))
            np.minimum.at(low, level.face, below[level.sub])
            np.maximum.at(high, level.face, above[level.sub])
        return np.stack([low, high])

    @cached_property
    def _vertices_by_cell(self) -> tuple[Ids, NDArray[np.intp]]:
        """The vertices of all cells, cell by cell, and where those of each begin."""
        faces = self.state.faces
        cell = sub = np.arange(self.cells, dtype=np.int32)
        for level in reversed(faces.above):
            cell, sub = _distinct(*joined(cell, sub, level.face, level.sub))
        cell, sub = _distinct(np.repeat(cell, 2), faces.ends[sub].ravel())
        return sub, grouped(cell, self.cells)[1]

    def vertices(self, cell: int) -> Ids:
        """Return the vertices of a cell, in no order."""
        found, start = self._vertices_by_cell
        return found[start[cell] : start[cell + 1]]

    def corners(self, cell: int) -> Ids:
        """Return the vertices of a cell of a plane or a line, in order around it."""
        faces = self.state.faces
        if not faces.above:
            ends: Ids = faces.ends[cell]
            return ends
        return _around(faces.ends[self.facets[1][self.rows(cell)]])


def _distinct(cell: Ids, sub: Ids) -> tuple[Ids, Ids]:
    """Return pairs in order, each once."""
    keys = np.unique(cell.astype(np.int64) << 32 | sub)
    return (keys >> 32).astype(np.int32), (keys & 0xFFFFFFFF).astype(np.int32)


def _centres(faces: Faces, points: Array) -> Array:
    """Return the mean of the means ... of the vertices: it lies within, and costs no list of vertices."""
    found = (points[faces.ends[:, 0]] + points[faces.ends[:, 1]]) / 2
    for level in faces.above:
        counts = np.bincount(level.face, minlength=level.count)
        sums = [
            np.bincount(level.face, weights=column[level.sub], minlength=level.count) for column in found.T
        ]
        found = np.stack(sums, axis=1) / counts[:, None]
    return found


def _around(ends: Ids) -> Ids:
    """Chain edges (edges, 2) into one loop of vertices."""
    links: dict[int, list[int]] = {}
    for a, b in ends.tolist():
        links.setdefault(a, []).append(b)
        links.setdefault(b, []).append(a)
    loop = [int(ends[0, 0]), int(ends[0, 1])]
    while len(loop) < len(ends):
        one, two = links[loop[-1]]
        loop.append(two if one == loop[-2] else one)
    return np.array(loop, dtype=np.int32)
