"""Which facets belong together where a complex was torn or split, and the proof that none is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.decider import Decider
from nn2eq.cells.faces import joined
from nn2eq.cells.overlap import Hem, pairs
from nn2eq.cells.parts import Part
from nn2eq.errors import Disagreement

Pairs = NDArray[np.int64]


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


def sewn(parts: tuple[Part, ...], decider: Decider, *, jumps: bool, complete: bool = True) -> Pairs:
    """Return the pairs of regions that share a facet where parts were torn.

    Raises Disagreement if one of `complete` parts has no twin.
    """
    groups = _groups(parts, jumps).values()
    found = [pair for hems in groups for pair in _matched(hems, decider, complete)]
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


def _matched(hems: list[Hem], decider: Decider, complete: bool) -> Iterator[tuple[int, int]]:
    one, two = ([hem for hem in hems if hem.side == side] for side in (1, -1))
    alone = len(one) == len(two) == 1
    found = [(one[0], two[0])] if alone else list(pairs(one, two, decider)) if one and two else []
    missing = {hem.region for hem in hems} - {hem.region for pair in found for hem in pair}
    if complete and missing:
        raise _incomplete(f"a facet of region {min(missing)} has no twin")
    yield from ((a.region, b.region) for a, b in found)


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
