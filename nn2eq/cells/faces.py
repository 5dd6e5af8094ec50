"""The faces of a cell complex and how a cut divides them: incidence alone, no coordinates.

A complex of dimension d has vertices, edges, ... and cells; every face is convex, and every facet of a cell
is a face of its own, shared with the neighbour. A cut is given by its sign at every vertex. Whatever lies on
both sides is divided; where it passes through a vertex or along a face, that is a sign of 0, and no special
case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Signs = NDArray[np.int8]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Incidence:
    """Which subface bounds which face of one dimension: pairs face, sub (pairs,).

    count: how many faces there are. side (pairs,): of a cell's facet, the sign that the facet's plane has
    within the cell; () in other dimensions.
    """

    count: int
    face: Ids
    sub: Ids
    side: Signs


@dataclass(frozen=True, eq=False)
class Faces:
    """All faces: ends (edges, 2) are the vertices of each edge, above[k - 2] the incidence of dimension k."""

    vertices: int
    ends: Ids
    above: tuple[Incidence, ...] = ()

    @property
    def dimension(self) -> int:
        """The dimension of the cells."""
        return len(self.above) + 1

    def count(self, dimension: int) -> int:
        """How many faces of a dimension there are."""
        if dimension == 0:
            return self.vertices
        return len(self.ends) if dimension == 1 else self.above[dimension - 2].count

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.count(self.dimension)

    def facet_signs(self, at_vertices: Signs) -> Signs:
        """Return the sign of every facet from signs (vertices, ...) of functions that cut none."""
        found = at_vertices
        if self.dimension > 1:
            found = np.sign(found[self.ends[:, 0]] + found[self.ends[:, 1]])
        for level in self.above[:-1]:
            order, start = grouped(level.face, level.count)
            summed = np.add.reduceat(found[level.sub[order]], start[:-1], axis=0, dtype=np.int16)
            found = np.sign(summed).astype(np.int8)
        return found


@dataclass(frozen=True, eq=False)
class Division:
    """What a cut did: the faces behind it, and where the new ones come from.

    divided[k]: the faces of dimension k that were divided, empty for vertices. Each keeps its number for what
    lies on the positive side; the negative sides come behind all others, in this order, and behind those what
    lies on the cut, one for each divided face of one dimension more. sides (cells,): on which side of the cut
    each cell now is.
    """

    faces: Faces
    divided: tuple[Ids, ...]
    sides: Signs


def divide(faces: Faces, signs: Signs) -> Division:
    """Cut all cells at once where signs (vertices,) change."""
    positive, negative = _reached(faces, signs > 0), _reached(faces, signs < 0)
    divided = [np.flatnonzero(p & n).astype(np.int32) for p, n in zip(positive, negative, strict=True)]
    kept = np.where(positive[-1], 1, -negative[-1].astype(np.int8)).astype(np.int8)
    if not divided[-1].size:
        return Division(faces, tuple(divided), kept)
    touches = not signs.all()
    # trace[g]: what a face has on the cut, of one dimension less: new if it is divided, else a facet of its
    trace, ends = _edges_cut(faces, signs, divided[1])
    levels: list[Incidence] = []
    for index, level in enumerate(faces.above):
        k = index + 2
        below, own = divided[k - 1], divided[k]
        new = faces.count(k - 1) + below.size + np.arange(own.size, dtype=np.int32)
        cut, boundary = _level_cut(level, own, below, trace, negative[k - 1] & ~positive[k - 1], new)
        if touches:
            boundary = _unique_pairs(*boundary)
        ends, levels = _with_boundary(ends, levels, boundary, own.size)
        levels.append(cut)
        if k < faces.dimension:
            wholly = ~(positive[k - 1] | negative[k - 1]) if touches else None
            trace = _traces(level, own, new, wholly)
    sides = np.concatenate([kept, np.full(divided[-1].size, -1, dtype=np.int8)])
    return Division(Faces(faces.vertices + divided[1].size, ends, tuple(levels)), tuple(divided), sides)


def _reached(faces: Faces, flags: Flags) -> list[Flags]:
    """Return, for every dimension, which faces have a flagged vertex."""
    found = [flags, flags[faces.ends[:, 0]] | flags[faces.ends[:, 1]]]
    for level in faces.above:
        has = np.zeros(level.count, dtype=bool)
        has[level.face[found[-1][level.sub]]] = True
        found.append(has)
    return found


def _edges_cut(faces: Faces, signs: Signs, own: Ids) -> tuple[Ids, Ids]:
    """Return the trace of every edge, and the ends of all edges behind the cut."""
    ends, at = faces.ends, signs[faces.ends]
    new = faces.vertices + np.arange(own.size, dtype=np.int32)
    trace = np.where(at[:, 0] == 0, ends[:, 0], np.where(at[:, 1] == 0, ends[:, 1], -1)).astype(np.int32)
    trace[own] = new
    first_is_positive = at[own, 0] > 0
    kept, lost = ends[own].copy(), ends[own].copy()
    rows = np.arange(own.size)
    kept[rows, first_is_positive.astype(int)] = new
    lost[rows, (~first_is_positive).astype(int)] = new
    after = np.concatenate([ends, lost])
    after[own] = kept
    return trace, after


def _level_cut(
    level: Incidence, own: Ids, below: Ids, trace: Ids, is_negative: Flags, new: Ids
) -> tuple[Incidence, tuple[Ids, Ids]]:
    """Divide the faces of one dimension; return them and the pairs that bound the new faces on the cut.

    trace, is_negative: of the faces of one dimension less, as they were; below: those that were divided.
    """
    place = np.full(level.count, -1, dtype=np.int32)
    place[own] = np.arange(own.size, dtype=np.int32)
    rows = np.flatnonzero(place[level.face] >= 0)
    which, sub = place[level.face[rows]], level.sub[rows]
    behind = level.count + which
    child = np.full(len(trace), -1, dtype=np.int32)
    child[below] = len(trace) + np.arange(below.size, dtype=np.int32)
    both = child[sub] >= 0
    face = level.face.copy()
    lone = is_negative[sub]
    face[rows[lone]] = behind[lone]
    sided = level.side.size > 0
    side = level.side[rows[both]] if sided else level.side
    children = np.arange(level.count, level.count + own.size, dtype=np.int32)
    on_cut = np.ones(own.size, dtype=np.int8)
    cut = Incidence(
        level.count + own.size,
        np.concatenate([face, behind[both], own, children]),
        np.concatenate([level.sub, child[sub[both]], new, new]),
        np.concatenate([level.side, side, on_cut, -on_cut]) if sided else level.side,
    )
    touching = trace[sub]
    meets = touching >= 0
    return cut, (new[which[meets]], touching[meets])


def _with_boundary(
    ends: Ids, levels: list[Incidence], boundary: tuple[Ids, Ids], count: int
) -> tuple[Ids, list[Incidence]]:
    """Add the new faces of one dimension less, each with what bounds it."""
    face, sub = boundary
    if not levels:
        order = np.argsort(face, kind="stable")
        return np.concatenate([ends, sub[order].reshape(count, 2)]), levels
    last = levels[-1]
    longer = np.concatenate([last.face, face]), np.concatenate([last.sub, sub])
    return ends, [*levels[:-1], Incidence(last.count + count, *longer, last.side)]


def _traces(level: Incidence, own: Ids, new: Ids, wholly: Flags | None) -> Ids:
    trace = np.full(level.count, -1, dtype=np.int32)
    if wholly is not None:
        along = np.flatnonzero(wholly[level.sub])
        trace[level.face[along]] = level.sub[along]
    trace[own] = new
    return trace


def _unique_pairs(face: Ids, sub: Ids) -> tuple[Ids, Ids]:
    """Return pairs without repetition, sorted."""
    keys = np.sort(face.astype(np.int64) << 32 | sub)
    keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
    return (keys >> 32).astype(np.int32), (keys & 0xFFFFFFFF).astype(np.int32)


def places(flags: Flags) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of what is set, as np.nonzero does, which takes several times as long."""
    (flat,) = flags.ravel().nonzero()
    rows = flat // flags.shape[1]
    return rows, flat - rows * flags.shape[1]


def grouped(keys: Ids, count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows in order of their keys, 0 to count - 1, and where those of each key begin, (count + 1,)."""
    start = np.zeros(count + 1, dtype=np.intp)
    np.cumsum(np.bincount(keys, minlength=count), out=start[1:])
    if (keys[1:] >= keys[:-1]).all():
        return np.arange(len(keys)), start
    return np.argsort(keys, kind="stable"), start


def members(start: NDArray[np.intp], keys: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return pairs of a row of `keys` and a place among rows in order that start so, for every member."""
    first = start[keys]
    counts = start[keys + 1] - first
    rows = np.repeat(np.arange(len(keys)), counts)
    return rows, np.arange(len(rows)) + (first - np.cumsum(counts) + counts)[rows]


def joined(face: Ids, middle: Ids, above: Ids, sub: Ids) -> tuple[Ids, Ids]:
    """Return the pairs (face, sub) of face ⊃ middle and middle ⊃ sub, the latter given as above, sub."""
    order, start = grouped(above, int(max(above.max(initial=-1), middle.max(initial=-1))) + 1)
    rows, place = members(start, middle)
    return face[rows], sub[order[place]]
