"""One input: all intervals divided by all units of a layer at once."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.decider import Decider
from nn2eq.cells.faces import Faces, Ids, Signs, places
from nn2eq.cells.state import State
from nn2eq.cells.vertices import Vertices, meet

Order = NDArray[np.intp]


def subdivide(state: State, decider: Decider) -> State:
    """Divide every interval at each breakpoint within it; both stay in order from left to right."""
    cuts = state.within
    left, right = cuts.signs[state.faces.ends[:, 0]], cuts.signs[state.faces.ends[:, 1]]
    cell, cut = places(left * right < 0)
    if not cell.size:
        return replace(state, cuts=replace(cuts, sides=np.sign(left + right), made=cuts.count))
    found, tight = _with_breakpoints(state, cell, cut)
    new = decider.mended(found, meet(found.planes, tight))
    order, repeats = _in_order(found, decider, cell, new)
    cell, cut, new = cell[order], cut[order], new[order]
    once, group = np.flatnonzero(~repeats), np.cumsum(~repeats) - 1
    counts = np.bincount(cell[once], minlength=len(left))
    first = np.cumsum(counts) - counts
    rank = np.zeros(left.shape, dtype=np.int64)
    rank[cell, cut] = group - first[cell] + 1
    decider.tally.joints(state.step, cut, new.point[once[group], 0], once.size)
    faces, own = _chained(state.faces, counts), cell[once]
    fresh = _signs(left[own], right[own], rank[own], np.arange(once.size) - first[own] + 1)
    signs = np.concatenate([cuts.signs, fresh])
    sides = np.sign(signs[faces.ends[:, 0]] + signs[faces.ends[:, 1]])
    return replace(
        found,
        faces=faces,
        vertices=state.vertices.joined(new[once]),
        owner=(state.owner[0], np.repeat(np.arange(len(left), dtype=np.int32), counts + 1)),
        tight=(state.tight[0], np.zeros((faces.cells, 0), dtype=np.int32)),
        seam=np.concatenate([state.seam, np.full(once.size, -1, dtype=np.int32)]),
        cuts=replace(cuts, signs=signs, sides=sides, made=cuts.count),
    )


def _with_breakpoints(state: State, cell: Order, cut: Order) -> tuple[State, Ids]:
    """Add one plane a breakpoint; return also their numbers, (breakpoints, 1)."""
    new = state.within.functions.planes(state.step, cell, cut)
    numbers = len(state.planes.offset) + np.arange(len(cell), dtype=np.int32)
    return replace(state, planes=state.planes.joined(new)), numbers[:, None]


def _in_order(state: State, decider: Decider, cell: Order, new: Vertices) -> tuple[Order, NDArray[np.bool_]]:
    """Return breakpoints sorted by interval and place, and which of them are the same as the one before."""
    x = new.point[:, 0]
    order = np.lexsort((x, cell))
    together = cell[order][1:] == cell[order][:-1]
    gap, doubt = np.diff(x[order]), new.error[order][1:] + new.error[order][:-1]
    unsure = together & (~(gap > doubt) if decider.trusting else True)
    repeats = np.zeros(len(order), dtype=bool)
    decider.tally.decided(int(together.sum()), int(unsure.sum()))
    for start, stop in _runs(unsure):
        exact = {row: decider.vertex(state, new.tight[row]).coordinates[0] for row in order[start:stop]}
        order[start:stop] = run = sorted(exact, key=exact.__getitem__)
        repeats[start + 1 : stop] = [exact[a] == exact[b] for a, b in pairwise(run)]
    return order, repeats


def _runs(unsure: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the ranges of breakpoints that must be compared exactly with one another."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], unsure, [False]])))
    return [(int(start), int(stop) + 1) for start, stop in edges.reshape(-1, 2)]


def _signs(left: Signs, right: Signs, rank: Order, own: Order) -> Signs:
    """Return the signs at new vertices, the `own`-th of their intervals.

    A cut has its left sign before its breakpoint, the `rank`-th of the interval, and its right one behind;
    rank 0 is none.
    """
    place = own[:, None]
    passed = np.where(rank < place, right, np.where(rank > place, left, 0))
    return np.where(rank > 0, passed, np.sign(left + right)).astype(np.int8)


def _chained(faces: Faces, counts: Order) -> Faces:
    """Put so many new vertices, numbered in order, between the ends of each interval."""
    total = int(counts.sum())
    new = faces.vertices + np.arange(total, dtype=np.int32)
    last = np.cumsum(counts + 1) - 1
    ends = np.empty((len(counts) + total, 2), dtype=np.int32)
    inner = np.ones(len(ends), dtype=bool)
    inner[last] = False
    ends[last, 1], ends[inner, 1] = faces.ends[:, 1], new
    ends[last - counts, 0] = faces.ends[:, 0]
    ends[np.flatnonzero(inner) + 1, 0] = new
    return Faces(faces.vertices + total, ends)
