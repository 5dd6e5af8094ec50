"""One step of a network, taken by a whole complex: signs at the vertices, cuts one by one, pieces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nn2eq.cells.decider import Decider
from nn2eq.cells.faces import Division, Ids, Signs, divide, places
from nn2eq.cells.functions import Functions
from nn2eq.cells.state import Cuts, Past, State, owners
from nn2eq.cells.vertices import Planes, Vertices, meet

BLOCK = 4096
"""Vertices whose signs are computed at a time."""


def begin(state: State, decider: Decider) -> State:
    """Enter a step: carry the maps through its kernel and find on which side of its cuts all vertices lie."""
    step, state = decider.steps[state.step], state.compact()
    state = replace(state, maps=state.maps.through(step))
    if step.bend is None or not step.bend.cut_units.size:
        return state
    functions = state.maps.minus(step.bend)
    owner = np.zeros(state.faces.vertices, dtype=np.int32)
    owner[state.faces.ends] = state.owner[1][:, None]
    blocks = [slice(at, at + BLOCK) for at in range(0, len(owner), BLOCK)]
    signs = np.concatenate([_signs(state, decider, functions, owner, block) for block in blocks])
    undecided = np.zeros((state.faces.cells, signs.shape[1]), dtype=np.int8)
    return replace(state, cuts=Cuts(functions, signs, undecided))


def _signs(state: State, decider: Decider, functions: Functions, owner: Ids, block: slice) -> Signs:
    """Return the signs of all cuts at some vertices, each within a cell that owns it."""
    cell, at = owner[block], state.vertices[block]
    return decider.settle_all(state, functions.sides(at, cell), at.tight, cell)


def end(state: State, decider: Decider) -> State:
    """Leave a step: every cell is on one piece of every unit now."""
    bend, prefix = decider.steps[state.step].bend, state.prefixes[state.step]
    if bend is None:
        return replace(state, step=state.step + 1, prefixes=(*state.prefixes, prefix))
    cell_sides = state.cuts.sides if state.cuts else np.zeros((state.faces.cells, 0), dtype=np.int8)
    owner, pieces = state.owner[-1], bend.pieces(cell_sides)
    seam, past = _remembered(state)
    return replace(
        state,
        step=state.step + 1,
        maps=state.maps.bent(bend, owner, pieces),
        prefixes=(*state.prefixes, np.concatenate([prefix[owner], pieces], axis=1)),
        owner=owners(state.faces),
        seam=seam,
        past=past,
        cuts=None,
    )


def _remembered(state: State) -> tuple[Ids, Past]:
    """Return seam and past behind a step, with the signs of torn facets in it."""
    rows = np.flatnonzero(state.seam >= 0).astype(np.int32)
    seam = np.full(len(state.seam), -1, dtype=np.int32)
    seam[rows] = np.arange(rows.size, dtype=np.int32)
    if state.cuts is None:
        return seam, state.past.onward(state.seam[rows], np.zeros((rows.size, 0), dtype=np.int8))
    if not rows.size:
        return seam, state.past.onward(rows, state.cuts.signs[:0])
    return seam, state.past.onward(state.seam[rows], state.faces.facet_signs(state.cuts.signs)[rows])


def cut(state: State, decider: Decider) -> State:
    """Make the next cut of the step in hand."""
    cuts = state.within
    division = divide(state.faces, cuts.signs[:, cuts.made])
    parents = division.divided[-1]
    cell_sides = np.concatenate([cuts.sides, cuts.sides[parents]])
    cell_sides[:, cuts.made] = division.sides
    after = replace(cuts, sides=cell_sides, made=cuts.made + 1)
    if not parents.size:
        return replace(state, cuts=after)
    decider.tally.divided(state.step, cuts.made, parents.size)
    return _divided(state, division, decider, after)


def _divided(state: State, division: Division, decider: Decider, after: Cuts) -> State:
    """Follow a division with what hangs on the faces: owners, planes, new vertices and their signs."""
    parents, top = division.divided, state.inputs
    planes, plane = _with_planes(state, [state.owner[k][parents[k]] for k in range(1, top + 1)])
    owner, tight = list(state.owner), list(state.tight)
    for k in range(1, top + 1):
        own, tighter = [owner[k], owner[k][parents[k]]], [tight[k], tight[k][parents[k]]]
        if k < top:
            above = parents[k + 1]
            own.append(state.owner[k + 1][above])
            tighter.append(_tightened(state, k + 1, above, plane))
        owner[k], tight[k] = np.concatenate(own), np.concatenate(tighter)
    state = replace(state, planes=planes)
    new = decider.mended(state, meet(planes, _tightened(state, 1, parents[1], plane)))
    signs = np.concatenate([state.within.signs, _signs_of_new(state, decider, parents[1], new)])
    return replace(
        state,
        faces=division.faces,
        vertices=state.vertices.joined(new),
        owner=tuple(owner),
        tight=tuple(tight),
        seam=_seams(state, division),
        cuts=replace(after, signs=signs),
    )


def _with_planes(state: State, owner: list[Ids]) -> tuple[Planes, Ids]:
    """Return the planes with those of the cut in hand in these cells, and their numbers by cell."""
    cuts = state.within
    has = np.zeros(len(cuts.functions), dtype=bool)
    for some in owner:
        has[some] = True
    cells = np.flatnonzero(has)
    new = cuts.functions.planes(state.step, cells, cuts.made)
    number = np.zeros(len(has), dtype=np.int32)
    number[cells] = len(state.planes.offset) + np.arange(len(cells), dtype=np.int32)
    return state.planes.joined(new), number


def _tightened(state: State, k: int, parents: Ids, plane: Ids) -> Ids:
    return np.concatenate([state.tight[k][parents], plane[state.owner[k][parents]][:, None]], axis=1)


def _seams(state: State, division: Division) -> Ids:
    """Halves of a torn facet are torn; what lies on the cut is not."""
    dimension = state.inputs - 1
    kept = state.seam[division.divided[dimension]]
    fresh = division.faces.count(dimension) - len(state.seam) - len(kept)
    return np.concatenate([state.seam, kept, np.full(fresh, -1, dtype=np.int32)])


def _signs_of_new(state: State, decider: Decider, edges: Ids, new: Vertices) -> Signs:
    """Return signs at new vertices; only those are computed that change along the divided edge."""
    cuts = state.within
    ends = cuts.signs[state.faces.ends[edges]]
    found: Signs = np.sign(ends[:, 0] + ends[:, 1])
    row, cut = places(ends[:, 0] * ends[:, 1] < 0)
    other = cut != cuts.made
    row, cut = row[other], cut[other]
    owner = state.owner[1][edges[row]]
    computed = cuts.functions.sides(new, owner, (row, cut))
    found[row, cut] = decider.settle(state, computed, new.tight, owner, (row, cut))
    return found
