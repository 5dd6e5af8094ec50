"""The regions of a network: what is found, region by region, and as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.decider import Decider
from nn2eq.cells.parts import Part
from nn2eq.cells.region import Region, exact_region, merged, plain, region
from nn2eq.cells.sewing import Completeness

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Joint:
    """Where units bend with one input: a place, and the names of the units whose joint it is."""

    place: float
    units: tuple[str, ...]


@dataclass(frozen=True)
class Chapter:
    """What one layer adds: how many regions there are behind it, how many each unit added, by name.

    joints: with one input, where its units bend, from left to right.
    """

    layer: int
    count: int
    added: tuple[tuple[str, int], ...]
    joints: tuple[Joint, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        plain = {"layer": self.layer, "count": self.count, "added": dict(self.added)}
        joints = [{"x": joint.place, "units": list(joint.units)} for joint in self.joints]
        return {**plain, "joints": joints} if joints else plain


@dataclass(frozen=True, eq=False)
class Regions:
    """All affine pieces of a network on a domain.

    domain (inputs, 2), infinite where it has no end. patterns (count, units). adjacency (pairs, 2): regions
    that share a facet. story: layer by layer. proof: that nothing is missing; None, and no story, if
    the search was stopped.
    groups (count,): which regions are one where neighbours with the same map are merged, () if that was not
    asked for. exact: whether regions are in fractions.
    """

    domain: Array
    patterns: NDArray[np.int16]
    adjacency: NDArray[np.int64]
    story: tuple[Chapter, ...]
    proof: Completeness | None
    groups: NDArray[np.int64]
    exact: bool
    parts: tuple[Part, ...] = field(repr=False)
    decider: Decider = field(repr=False)

    @cached_property
    def matrices(self) -> Array:
        """The linear part of every map, (count, outputs, inputs)."""
        return self._values[:, :-1].transpose(0, 2, 1)

    @cached_property
    def vectors(self) -> Array:
        """The constant part of every map, (count, outputs)."""
        return self._values[:, -1]

    @cached_property
    def _values(self) -> Array:
        outputs = self.decider.steps[-1].kernel.shape[1]
        none = np.zeros((0, len(self.domain) + 1, outputs))
        return np.concatenate([none, *(part.state.maps.values for part in self.parts)])

    @cached_property
    def interiors(self) -> Array:
        """A point within each region, (count, inputs)."""
        return np.concatenate([np.zeros((0, len(self.domain))), *(part.interiors for part in self.parts)])

    @property
    def count(self) -> int:
        """How many regions there are, before any merging."""
        return len(self.patterns)

    @property
    def merged(self) -> int | None:
        """How many there are after merging, None if that was not asked for."""
        return int(self.groups.max()) + 1 if self.groups.size else None

    @property
    def complete(self) -> bool:
        """Whether these are all, proved."""
        return self.proof is not None

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Region]:
        return (self[index] for index in range(self.count))

    def __getitem__(self, index: int) -> Region:
        """Return one region."""
        part, cell = self._place(range(self.count)[index])
        return exact_region(part, cell, self.decider) if self.exact else region(part, cell)

    def pieces(self) -> Iterator[Region]:
        """Yield the regions, merged ones where that was asked for."""
        if self.merged is None:
            yield from self
            return
        order = np.argsort(self.groups, kind="stable")
        for members in np.split(order, np.cumsum(np.bincount(self.groups))[:-1]):
            yield merged([self[int(index)] for index in members])

    def _place(self, index: int) -> tuple[Part, int]:
        for part in self.parts:
            if index < part.cells:
                return part, index
            index -= part.cells
        raise IndexError(index)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data: the regions, merged ones where that was asked for."""
        return {
            "count": self.count,
            "merged": self.merged,
            "complete": self.complete,
            "domain": plain(self.domain),
            "regions": [piece.as_dict() for piece in self.pieces()],
            "adjacency": self._touching.tolist(),
            "layers": [chapter.as_dict() for chapter in self.story],
        }

    @property
    def _touching(self) -> NDArray[np.int64]:
        """The adjacency of the pieces, merged ones where that was asked for."""
        if self.merged is None:
            return self.adjacency
        pairs = np.sort(self.groups[self.adjacency], axis=1)
        return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
