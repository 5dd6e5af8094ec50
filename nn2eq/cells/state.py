"""A cell complex on its way through a network: faces, vertices, planes, and the maps of the cells."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.faces import Faces, Ids, Signs
from nn2eq.cells.functions import Functions
from nn2eq.cells.maps import Maps
from nn2eq.cells.vertices import Planes, Vertices

Pieces = NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Past:
    """What is known of torn facets: a label (facets,) that both sides share, signs (facets, cuts) since."""

    label: NDArray[np.int64]
    signs: Signs

    @classmethod
    def empty(cls) -> Past:
        """Return the past of no facet."""
        return cls(np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.int8))

    def labelled(self, labels: NDArray[np.int64]) -> Past:
        """Return it with more facets, whose signs so far do not tell them apart."""
        blank = np.zeros((len(labels), self.signs.shape[1]), dtype=np.int8)
        return Past(np.concatenate([self.label, labels]), np.concatenate([self.signs, blank]))

    def onward(self, rows: Ids, signs: Signs) -> Past:
        """Return the past of facets that come from those in `rows`, with their signs in one more step."""
        return Past(self.label[rows], np.concatenate([self.signs[rows], signs], axis=1))


@dataclass(frozen=True, eq=False)
class Cuts:
    """The cuts of the step in hand.

    functions: one a cut, on each of the cells there were when the step began. signs (vertices, cuts): on
    which side the vertices lie. sides (cells, cuts): on which side the cells do, as far as the cuts are made.
    made: how many are.
    """

    functions: Functions
    signs: Signs
    sides: Signs
    made: int = 0

    @property
    def count(self) -> int:
        """How many cuts there are."""
        return int(self.signs.shape[1])


@dataclass(frozen=True, eq=False)
class State:
    """A complex before step `step`, or within it if there are `cuts`.

    owner[k]: for every face of dimension k >= 1 the cell, as cells were when the step began, that it lies in.
    tight[k]: as many planes as make its span, (faces, inputs - k). (Both are empty for vertices, which know
    better.) maps: of those cells. prefixes: at the beginning of each step, the pieces of the cells so far,
    (cells, units). seam: for facets along which the complex was torn, their row in `past`, else -1.
    """

    step: int
    faces: Faces
    vertices: Vertices
    planes: Planes
    owner: tuple[Ids, ...]
    tight: tuple[Ids, ...]
    maps: Maps
    prefixes: tuple[Pieces, ...]
    seam: Ids
    past: Past
    cuts: Cuts | None = None

    @property
    def inputs(self) -> int:
        """The dimension of the space."""
        return int(self.vertices.point.shape[1])

    @property
    def within(self) -> Cuts:
        """The cuts in hand."""
        assert self.cuts is not None
        return self.cuts

    def compact(self) -> State:
        """Drop the maps of cells that went elsewhere when work was split."""
        own = self.owner[-1]
        if len(own) == len(self.maps.values):
            return self
        prefixes = (*self.prefixes[:-1], self.prefixes[-1][own])
        return replace(self, maps=self.maps.of(own), prefixes=prefixes, owner=owners(self.faces))


def owners(faces: Faces) -> tuple[Ids, ...]:
    """Return, for faces of every dimension, a cell that contains them."""
    found = [np.arange(faces.cells, dtype=np.int32)]
    for level in reversed(faces.above):
        below = np.zeros(int(level.sub.max()) + 1, dtype=np.int32)
        below[level.sub] = found[-1][level.face]
        found.append(below)
    return (np.zeros(0, dtype=np.int32), *reversed(found))
