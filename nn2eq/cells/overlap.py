"""Whether two facets in one plane share more than borders: where units jump, twins need not match."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.decider import Decider
from nn2eq.cells.exact import Plane, Vertex
from nn2eq.cells.faces import Faces, divide
from nn2eq.cells.parts import Part
from nn2eq.cells.seams import part_of

Tight = list[tuple[Plane, ...]]


class Hem(NamedTuple):
    """One side of a torn facet: the region (counted over all parts), its part, cell, facet and side."""

    region: int
    part: Part
    cell: int
    facet: int
    side: int


def pairs(one: Sequence[Hem], two: Sequence[Hem], decider: Decider) -> Iterator[tuple[Hem, Hem]]:
    """Yield which facets on one side of a plane overlap which on the other."""
    near = _boxes_meet(one, two)
    for a, b in zip(*np.nonzero(near), strict=True):
        if _Clipped.facet(one[a], decider).within(two[b], decider):
            yield one[a], two[b]


def _boxes_meet(one: Sequence[Hem], two: Sequence[Hem]) -> NDArray[np.bool_]:
    """Return for which pairs of facets, (one, two), the boxes around them meet, or nearly."""
    (low, high), (start, stop) = (_boxes(hems) for hems in (one, two))
    with np.errstate(invalid="ignore"):
        margin = 1e-6 * (1 + np.abs(high[:, None]) + np.abs(stop))
        beside = (low[:, None] > stop + margin) | (start > high[:, None] + margin)
    meet: NDArray[np.bool_] = ~beside.any(axis=2)
    return meet


def _boxes(hems: Sequence[Hem]) -> NDArray[np.float64]:
    """Return the low and the high ends, (2, hems, inputs), of the boxes around facets."""
    return np.stack([hem.part.facet_boxes[:, hem.facet] for hem in hems], axis=1)


class _Clipped(NamedTuple):
    """What is left of a facet: its faces, its exact vertices, the planes in which each edge and more lies."""

    faces: Faces
    vertices: list[Vertex]
    tight: list[Tight]

    @classmethod
    def facet(cls, hem: Hem, decider: Decider) -> _Clipped:
        """Take a facet out of its complex."""
        state = hem.part.state
        below = Faces(state.faces.vertices, state.faces.ends, state.faces.above[:-1])
        chosen = np.zeros(below.cells, dtype=bool)
        chosen[hem.facet] = True
        faces, parents = part_of(below, chosen)
        vertices = [decider.vertex(state, state.vertices.tight[vertex]) for vertex in parents[0]]
        levels = zip(state.tight[1:], parents[1:], strict=False)
        tight = [
            [tuple(decider.plane(state, int(p)) for p in row) for row in level[own]] for level, own in levels
        ]
        return cls(faces, vertices, [[], *tight])

    def within(self, hem: Hem, decider: Decider) -> bool:
        """Tell whether something of full dimension is left within the cell of a facet in the same plane."""
        left: _Clipped | None = self
        for row in hem.part.rows(hem.cell):
            _, facet, side = (int(column[row]) for column in hem.part.facets)
            if facet != hem.facet and left is not None:
                plane = decider.plane(hem.part.state, int(hem.part.facet_planes[facet]))
                left = left._behind(plane, side, decider)
        return left is not None

    def _behind(self, plane: Plane, side: int, decider: Decider) -> _Clipped | None:
        """Return what lies on one side of a plane, None if nothing but a border does."""
        signs = np.array([vertex.side(plane) * side for vertex in self.vertices], dtype=np.int8)
        if not (signs > 0).any():
            return None
        if not (signs < 0).any():
            return self
        division = divide(self.faces, signs)
        new = [decider.exact.vertex((*self.tight[1][edge], plane)) for edge in division.divided[1]]
        tight: list[Tight] = [[]]
        for k in range(1, len(self.tight)):
            above = division.divided[k + 1] if k + 1 < len(self.tight) else ()
            tight.append(
                [
                    *self.tight[k],
                    *(self.tight[k][face] for face in division.divided[k]),
                    *((*self.tight[k + 1][face], plane) for face in above),
                ]
            )
        faces, parents = part_of(division.faces, division.sides > 0)
        vertices = [*self.vertices, *new]
        return _Clipped(
            faces,
            [vertices[vertex] for vertex in parents[0]],
            [[], *([tight[k][face] for face in parents[k]] for k in range(1, len(tight)))],
        )
