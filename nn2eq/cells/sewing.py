"""Which facets belong together where a complex was torn or split, and the proof that none is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.faces import joined
from nn2eq.cells.parts import Part
from nn2eq.errors import Disagreement

Pairs = NDArray[np.int64]


class Hem(NamedTuple):
    """One side of a torn facet: the region (counted over all parts), its part, cell, facet and side."""

    region: int
    part: Part
    cell: int
    facet: int
    side: int


@dataclass(frozen=True)
class Completeness:
    """What the proof looked at.

    inner: facets between two regions, each seen from both sides; outer: facets on the border of the domain;
    by_filter and exactly: how many signs floating point decided beyond doubt, and how many needed whole
    numbers.
    """

    inner: int
    outer: int
    by_filter: int = 0
    exactly: int = 0


def sewn(parts: tuple[Part, ...], *, jumps: bool, complete: bool = True) -> Pairs:
    """Return the pairs of regions that share a facet where parts were torn.

    Raises Disagreement if one of `complete` parts has no twin.
    """
    found = [pair for hems in _groups(parts, jumps).values() for pair in _matched(hems, complete)]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _groups(parts: tuple[Part, ...], jumps: bool) -> dict[tuple[int, bytes], list[Hem]]:
    """Group torn facets by label and, as long as both sides were divided alike, by their signs since."""
    groups: dict[tuple[int, bytes], list[Hem]] = defaultdict(list)
    first = 0
    for part in parts:
        past, seam = part.state.past, part.state.seam
        cells, facets, sides = part.facets
        for index in np.flatnonzero(seam[facets] >= 0):
            row = seam[facets[index]]
            key = int(past.label[row]), b"" if jumps else past.signs[row].tobytes()
            cell = int(cells[index])
            groups[key].append(Hem(first + cell, part, cell, int(facets[index]), int(sides[index])))
        first += part.cells
    return groups


def _matched(hems: list[Hem], complete: bool) -> Iterator[tuple[int, int]]:
    one, two = ([hem for hem in hems if hem.side == side] for side in (1, -1))
    if complete and not (one and two):
        raise _incomplete(f"{len(hems)} facets of region {hems[0].region} have no twin")
    if len(one) == len(two) == 1:
        yield one[0].region, two[0].region
        return
    if not (one and two):
        return
    apart = _boxes_apart(one, two)
    for row, a in enumerate(one):
        near = [b for column, b in enumerate(two) if not apart[row, column] and _overlap(a, b)]
        if complete and not near:
            raise _incomplete(f"a facet of region {a.region} has no twin")
        yield from ((a.region, b.region) for b in near)


def _boxes_apart(one: list[Hem], two: list[Hem]) -> NDArray[np.bool_]:
    """Return for which pairs of facets, (one, two), the boxes around them do not meet."""
    (low, high), (start, stop) = (_boxes(hems) for hems in (one, two))
    with np.errstate(invalid="ignore"):
        margin = 1e-9 * (1 + np.abs(high[:, None]) + np.abs(stop))
        beside = (low[:, None] > stop + margin) | (start > high[:, None] + margin)
    apart: NDArray[np.bool_] = beside.any(axis=2)
    return apart


def _boxes(hems: list[Hem]) -> NDArray[np.float64]:
    """Return the low and the high ends, (2, hems, inputs), of the boxes around facets."""
    boxes = {id(hem.part): hem.part.facet_boxes for hem in hems}
    return np.stack([boxes[id(hem.part)][:, hem.facet] for hem in hems], axis=1)


def _overlap(a: Hem, b: Hem) -> bool:
    """Tell whether two facets in one plane share more than borders: the widest ball in both has a radius."""
    from scipy.optimize import linprog

    rows = np.concatenate([_others(a), _others(b)])
    plane, planes = a.part.facet_planes[a.facet], a.part.state.planes
    width = np.linalg.norm(rows[:, :-1], axis=1)
    inputs = rows.shape[1] - 1
    answer = linprog(
        [*[0.0] * inputs, -1.0],
        A_ub=np.concatenate([rows[:, :-1], width[:, None]], axis=1),
        b_ub=-rows[:, -1],
        A_eq=[[*planes.normal[plane], 0.0]],
        b_eq=[-planes.offset[plane]],
        bounds=[*[(None, None)] * inputs, (None, 1.0)],
        method="highs",
    )
    return bool(answer.status == 0 and answer.x[-1] > _THIN * (1 + np.abs(answer.x[:-1]).max()))


_THIN = 1e-10
"""Where parts jump, facets whose overlap is thinner than this, relative to its place, count as apart."""


def _others(hem: Hem) -> NDArray[np.float64]:
    """Return the half-spaces of a facet's cell, but for the facet's own."""
    rows, real = hem.part.halfspaces
    own = hem.part.rows(hem.cell)
    others: NDArray[np.float64] = rows[own[real[own] & (hem.part.facets[1][own] != hem.facet)]]
    return others


def prove(parts: tuple[Part, ...], *, by_filter: int = 0, exactly: int = 0) -> Completeness:
    """Prove that the regions cover the domain once: every inner facet has its twin, every border is closed.

    Signs were decided exactly when facets were made; what is left is counting. With `sewn` this covers torn
    facets too. Raises Disagreement.
    """
    inner = outer = 0
    for part in parts:
        cells, facets, sides = part.facets
        count = len(part.facet_planes)
        seen, balance = (
            np.bincount(facets, minlength=count),
            np.bincount(facets, weights=sides, minlength=count),
        )
        border = part.state.planes.source[part.facet_planes, 0] < 0
        torn = part.state.seam >= 0
        lone = np.flatnonzero((seen != np.where(border | torn, 1, 2)) & (seen > 0))
        if lone.size:
            cell = cells[np.flatnonzero(facets == lone[0])[0]]
            raise _incomplete(
                f"a facet of the region with pattern {part.patterns[cell].tolist()} has no twin"
            )
        if (balance[~border & ~torn] != 0).any():
            raise _incomplete("two regions lie on the same side of their common facet")
        _closed(part)
        inner += int(2 * (seen == 2).sum() + (seen[torn & ~border] > 0).sum())
        outer += int((seen[border] > 0).sum())
    _distinct(parts)
    return Completeness(inner // 2, outer, by_filter, exactly)


def _closed(part: Part) -> None:
    """Check that each cell's facets meet in pairs: every ridge of it lies in exactly two of them."""
    faces = part.state.faces
    cells, facets, _ = part.facets
    if not faces.above:
        return
    if len(faces.above) == 1:
        ridge_cells, ridges = np.repeat(cells, 2), faces.ends[facets].ravel()
    else:
        below = faces.above[-2]
        ridge_cells, ridges = joined(cells, facets, below.face, below.sub)
    keys = np.sort(ridge_cells.astype(np.int64) << 32 | ridges)
    if len(keys) % 2 or (keys[::2] != keys[1::2]).any() or (keys[1:-1:2] == keys[2::2]).any():
        raise _incomplete("the border of a region is not closed")


def _distinct(parts: tuple[Part, ...]) -> None:
    """Check that no two regions have one pattern: they are convex, so they then overlap nowhere."""
    patterns = np.ascontiguousarray(np.concatenate([part.patterns for part in parts]))
    alike = patterns.view(f"V{patterns[0].nbytes}").ravel().tolist() if patterns.size else [()]
    if len(set(alike)) < len(patterns):
        raise _incomplete("two regions have the same pattern")


def _incomplete(what: str) -> Disagreement:
    return Disagreement(f"the pieces do not fit together: {what}", code="incomplete")
