"""Complexes taken apart, and what must be known to find the facets that belong together again.

A complex is torn where a unit jumps, since neighbours no longer agree there on later cuts, and where work is
split up.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.decider import Decider
from nn2eq.cells.faces import Faces, Ids, Incidence, joined
from nn2eq.cells.state import State, owners

Parents = tuple[Ids, ...]
"""For every dimension, which face of the former complex each face is, or is a copy of."""


def tear(state: State, decider: Decider) -> State:
    """Give every cell faces of its own, between two steps."""
    cofaces = np.bincount(_facet_pairs(state.faces), minlength=state.faces.count(state.inputs - 1))
    marked = _marked(state, decider, np.flatnonzero((cofaces == 2) & (state.seam < 0)))
    faces, parents = _torn(state.faces)
    return replace(_followed(marked, faces, parents), owner=owners(faces))


def split(state: State, decider: Decider) -> tuple[State, State]:
    """Return the first half of the cells and the second, each a complex of its own."""
    first = np.arange(state.faces.cells) < state.faces.cells // 2
    cells, facets = _cell_column(state.faces), _facet_pairs(state.faces)
    count = state.faces.count(state.inputs - 1)
    here, there = (np.bincount(facets[chosen[cells]], minlength=count) for chosen in (first, ~first))
    marked = _marked(state, decider, np.flatnonzero((here > 0) & (there > 0) & (state.seam < 0)))
    one, two = (_followed(marked, *part_of(state.faces, chosen)) for chosen in (first, ~first))
    return one, two


def keep(state: State, count: int) -> State:
    """Return the first cells of a complex alone; their facets on the others are left without twins."""
    kept = _followed(state, *part_of(state.faces, np.arange(state.faces.cells) < count))
    return kept.compact() if kept.cuts is None else kept


def _cell_column(faces: Faces) -> Ids:
    return faces.above[-1].face if faces.above else np.repeat(np.arange(len(faces.ends), dtype=np.int32), 2)


def _facet_pairs(faces: Faces) -> Ids:
    return faces.above[-1].sub if faces.above else faces.ends.ravel()


def _marked(state: State, decider: Decider, facets: NDArray[np.intp]) -> State:
    seam = state.seam.copy()
    seam[facets] = len(state.past.label) + np.arange(facets.size, dtype=np.int32)
    return replace(state, seam=seam, past=state.past.labelled(decider.labels(facets.size)))


def _followed(state: State, faces: Faces, parents: Parents) -> State:
    """Take along what hangs on the faces."""
    cuts = state.cuts
    return replace(
        state,
        faces=faces,
        vertices=state.vertices[parents[0]],
        owner=tuple(owner[parents[k]] if k else owner for k, owner in enumerate(state.owner)),
        tight=tuple(tight[parents[k]] if k else tight for k, tight in enumerate(state.tight)),
        seam=state.seam[parents[-2]],
        cuts=cuts and replace(cuts, signs=cuts.signs[parents[0]], sides=cuts.sides[parents[-1]]),
    )


def part_of(faces: Faces, chosen: NDArray[np.bool_]) -> tuple[Faces, Parents]:
    """Return the cells chosen (cells,) with all their faces."""
    keep, parents = chosen, [np.flatnonzero(chosen).astype(np.int32)]
    levels: list[Incidence] = []
    for k, level in zip(range(len(faces.above), 0, -1), reversed(faces.above), strict=True):
        rows = np.flatnonzero(keep[level.face])
        below = np.zeros(faces.count(k), dtype=bool)
        below[level.sub[rows]] = True
        side = level.side[rows] if level.side.size else level.side
        levels.append(
            Incidence(
                int(keep.sum()),
                _renumbered(keep)[level.face[rows]],
                _renumbered(below)[level.sub[rows]],
                side,
            )
        )
        keep = below
        parents.append(np.flatnonzero(keep).astype(np.int32))
    ends = faces.ends[keep]
    used = np.zeros(faces.vertices, dtype=bool)
    used[ends] = True
    parents.append(np.flatnonzero(used).astype(np.int32))
    return Faces(int(used.sum()), _renumbered(used)[ends], tuple(reversed(levels))), tuple(reversed(parents))


def _renumbered(keep: NDArray[np.bool_]) -> Ids:
    return (np.cumsum(keep) - 1).astype(np.int32)


def _torn(faces: Faces) -> tuple[Faces, Parents]:
    """Return the same cells, none of which shares a face with another."""
    cell = parent = np.arange(faces.cells, dtype=np.int32)
    parents, levels = [parent], list[Incidence]()
    for level in reversed(faces.above):
        top = not levels
        face, sub = (
            (level.face, level.sub)
            if top
            else joined(np.arange(len(parent), dtype=np.int32), parent, level.face, level.sub)
        )
        count = len(parent)
        cell, parent, own = _own(cell[face], sub)
        levels.append(Incidence(count, face, own, level.side))
        parents.append(parent)
    ends = faces.ends[parent]
    cell, vertex, own = _own(np.repeat(cell, 2), ends.ravel())
    return Faces(len(vertex), own.reshape(-1, 2), tuple(reversed(levels))), tuple(
        reversed([*parents, vertex])
    )


def _own(cell: Ids, face: Ids) -> tuple[Ids, Ids, Ids]:
    """Return the distinct pairs of a cell and a face, and which of them each pair is."""
    keys, own = np.unique(cell.astype(np.int64) << 32 | face, return_inverse=True)
    return (keys >> 32).astype(np.int32), (keys & 0xFFFFFFFF).astype(np.int32), own.astype(np.int32)
