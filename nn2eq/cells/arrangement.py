"""All cuts of a step at once, where they lie in general position: every vertex on as many as it must be.

A point in which m cuts meet within a face of dimension m lies on a segment of it in which m - 1 of them meet,
and that ends in the border of the face, where m - 1 cuts meet too. So the vertices are found from below, and
all other faces follow from their signs (`lattice`). Where a vertex lies on more cuts than that, they are made
one by one instead (`layer`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.decider import Decider
from nn2eq.cells.faces import Faces, Ids, Signs, members, places
from nn2eq.cells.lattice import Ground, Longs, Named, lattice, told_apart
from nn2eq.cells.state import State
from nn2eq.cells.vertices import Vertices, meet

Order = NDArray[np.intp]
Flags = NDArray[np.bool_]
BLOCK = 2048
"""Vertices whose signs are computed at a time."""


class Room(NamedTuple):
    """How many cells there may be, and how many pairs of a face and what bounds it."""

    cells: int
    pairs: int

    def points(self, cuts: int, inputs: int) -> int:
        """Return how many points may be those in which so many cuts meet.

        Each is a corner of 2^cuts cells, which have 2^inputs corners or so; and it is a system of equations to solve.
        """
        many = self.pairs * 16 // max(16, inputs * inputs) >> cuts
        return self.cells if cuts == inputs else min(self.cells << (inputs - cuts), many)


class _Points(NamedTuple):
    """Vertices in which m cuts meet: their carriers of dimension m, those cuts (points, m), ascending, signs."""

    carrier: Longs
    cuts: Order
    at: Vertices
    signs: Signs


class _Segments(NamedTuple):
    """Where m - 1 cuts meet in faces of dimension m: the faces, the cuts, and the rows of both ends."""

    carrier: Longs
    cuts: Order
    ends: tuple[Order, Order]


def subdivide(state: State, decider: Decider, room: Room) -> State | None:
    """Make all cuts that are left; None if they are not in general position, or there is no room."""
    made, signs = state.within.made, state.within.signs
    if not signs[:, made:].all():
        return None
    ground = Ground.of(state.faces)
    crossed, owned = _crossed(state, ground)
    if state.faces.cells + crossed > room.cells:
        return None
    site = _Site.of(state, decider, ground, owned)
    stages = [_Points(np.arange(len(signs)), np.zeros((len(signs), 0), dtype=np.intp), state.vertices, signs)]
    for _ in range(state.inputs):
        points = site.risen(stages[-1], room)
        if points is None:
            return None
        stages.append(points)
    carrier, signs = (np.concatenate([getattr(p, name) for p in stages]) for name in ("carrier", "signs"))
    found = lattice(Named.of(carrier, signs[:, made:]), ground)
    if found is None:
        return None
    decider.tally.arranged(state.step, made, found[1][-1].carrier, found[1][-1].signs)
    return site.built(*found, Vertices.all_of([points.at for points in stages]), signs)


def _crossed(state: State, ground: Ground) -> tuple[int, Flags]:
    """Count which cuts divide which cells, and tell which do in which owners of faces, (owners, cuts)."""
    cuts = state.within
    ends = cuts.signs[state.faces.ends]
    row, cut = places(ends[:, 0] * ends[:, 1] < 0)
    owned = np.zeros((len(cuts.functions), cuts.count), dtype=bool)
    owned[state.owner[1][row], cut] = True
    for k in range(2, state.inputs + 1):
        pair, place = members(ground.start, ground.first[k - 1] + row)
        found = np.zeros((state.faces.count(k), cuts.count), dtype=bool)
        found[ground.above[place] - ground.first[k], cut[pair]] = True
        row, cut = places(found)
        owned[state.owner[k][row], cut] = True
    return len(row), owned


@dataclass(frozen=True, eq=False)
class _Site:
    """Where it is built: the complex as it was, with a plane for each cut of a cell.

    plane (cells, cuts): their numbers, cells counted as at the beginning of the step.
    """

    state: State
    decider: Decider
    ground: Ground
    plane: Ids

    @classmethod
    def of(cls, state: State, decider: Decider, ground: Ground, owned: Flags) -> _Site:
        """Add the planes."""
        cuts, planes = state.within, state.planes
        cell, cut = places(owned)
        new = cuts.functions.planes(state.step, cell, cut)
        number = np.full(owned.shape, -1, dtype=np.int32)
        number[cell, cut] = np.arange(len(planes.offset), len(planes.offset) + len(cell))
        return cls(replace(state, planes=planes.joined(new)), decider, ground, number)

    def risen(self, below: _Points, room: Room) -> _Points | None:
        """Return the points in which one cut more meets; None if more meet there, or there is no room."""
        state, made, m = self.state, self.state.within.made, below.cuts.shape[1] + 1
        segments = _segments(below, self.ground)
        if segments is None:
            return None
        one, two = (below.signs[end] for end in segments.ends)
        crossing = one * two < 0
        last = segments.cuts[:, -1:] if m > 1 else -1
        row, cut = places(crossing & (np.arange(crossing.shape[1]) > last))
        if len(row) > room.points(m, state.inputs):
            return None
        carrier, cuts = segments.carrier[row], np.concatenate([segments.cuts[row], cut[:, None]], axis=1)
        face = carrier - self.ground.first[m]
        owner = state.owner[m][face]
        tight = np.concatenate([state.tight[m][face], self.plane[owner[:, None], cuts]], axis=1)
        at = self.decider.mended(state, meet(state.planes, tight))
        signs = np.sign(one + two)[row]
        signs[np.arange(len(row)), cut] = 0
        crossing = crossing[row]
        crossing[np.arange(len(row)), cut] = False
        for start in range(0, len(row), BLOCK):
            block = slice(start, start + BLOCK)
            self._settle(signs[block], crossing[block], owner[block], at[block])
        simple = np.count_nonzero(signs[:, made:]) == len(row) * (signs.shape[1] - made - m)
        return _Points(carrier, cuts, at, signs) if simple else None

    def _settle(self, signs: Signs, wanted: Flags, owner: Ids, at: Vertices) -> None:
        """Put in the signs (points, cuts) that are wanted."""
        cuts, some = self.state.within, places(wanted)
        own = owner[some[0]]
        found = cuts.functions.sides(at, own, some)
        signs[some] = self.decider.settle(self.state, found, at.tight, own, some)

    def built(self, faces: Faces, named: list[Named], vertices: Vertices, signs: Signs) -> State:
        """Return the complex with what hangs on its faces."""
        state, cuts, first = self.state, self.state.within, self.ground.first
        owner, tight = list(state.owner), list(state.tight)
        owners = np.concatenate(state.owner[1:])
        for k in range(1, state.inputs + 1):
            owner[k] = owners[named[k].carrier - first[1]]
            tight[k] = self._tight(named[k], k, owner[k])
        cell = named[-1].carrier - first[-2]
        facet = named[-2].carrier - first[-3]
        torn = np.where(facet < len(state.seam), state.seam[np.minimum(facet, len(state.seam) - 1)], -1)
        cell_sides = np.concatenate([cuts.sides[cell, : cuts.made], named[-1].signs], axis=1)
        return replace(
            state,
            faces=faces,
            vertices=vertices,
            owner=tuple(owner),
            tight=tuple(tight),
            seam=torn.astype(np.int32),
            cuts=replace(cuts, signs=signs, sides=cell_sides, made=cuts.count),
        )

    def _tight(self, named: Named, k: int, owner: Ids) -> Ids:
        """Return the planes in which faces of dimension k lie: those of their carriers, and cuts."""
        state, first, (row, cut) = self.state, self.ground.first, named.on
        planes, many = self.plane[owner[row], cut + state.within.made], np.bincount(row, minlength=len(owner))
        start = np.cumsum(many) - many
        found = np.empty((len(owner), state.inputs - k), dtype=np.int32)
        for m in range(k, state.inputs + 1):
            rows = np.flatnonzero(many == m - k)
            found[rows, : state.inputs - m] = state.tight[m][named.carrier[rows] - first[m]]
            found[rows, state.inputs - m :] = planes[start[rows, None] + np.arange(m - k)]
        return found


def _segments(points: _Points, ground: Ground) -> _Segments | None:
    """Return the segments that end in points; None if some do not have two ends."""
    row, place = members(ground.start, points.carrier)
    names = np.vstack([ground.above[place], points.cuts[row].T])
    told = told_apart(names)
    if told is None:
        return None
    order, new = told
    if len(order) % 2 or not new[::2].all() or new[1::2].any():
        return None
    one, two = order[::2], order[1::2]
    carrier, cuts = names[0], names[1:].T
    return _Segments(carrier[one], cuts[one], (row[one], row[two]))
