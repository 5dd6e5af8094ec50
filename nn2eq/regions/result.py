"""The regions of a network: what is found, region by region, and as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.regions.decider import Decider
from nn2eq.regions.parts import Part
from nn2eq.regions.sewing import Completeness

Array = NDArray[np.float64]
Numbers = NDArray[Any]
"""Floats, or Fractions where exact ones were asked for."""


@dataclass(frozen=True, eq=False)
class Region:
    """One affine piece: y = matrix @ x + vector wherever the units are on the pieces of `pattern`.

    pattern: the piece of every unit, layer after layer, counted from 0. matrix (outputs, inputs); vector
    (outputs,); interior (inputs,). interval (2,) with one input; vertices (corners, inputs) in order around
    with two, infinite where the region has no end; halfspaces (facets, inputs + 1): rows a, b with a·x + b <=
    0, none of them redundant.
    """

    pattern: tuple[int, ...]
    matrix: Numbers
    vector: Numbers
    interior: Numbers
    interval: Numbers | None
    vertices: Numbers | None
    halfspaces: Numbers

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, infinity as None and fractions as text."""
        plain: dict[str, Any] = {
            "pattern": list(self.pattern),
            "matrix": _plain(self.matrix),
            "vector": _plain(self.vector),
        }
        if self.interval is not None:
            plain["interval"] = _plain(self.interval)
        if self.vertices is not None:
            plain["vertices"] = _plain(self.vertices)
        if self.interval is None and (
            self.vertices is None or not np.isfinite(self.vertices.astype(float)).all()
        ):
            plain["halfspaces"] = _plain(self.halfspaces)
        plain["interior"] = _plain(self.interior)
        return plain


def _plain(numbers: Numbers) -> list[Any]:
    return [_plain(row) if isinstance(row, np.ndarray) else _number(row) for row in numbers]


def _number(number: Any) -> Any:
    if isinstance(number, Fraction):
        return str(number)
    return float(number) + 0.0 if np.isfinite(number) else None


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
    that share a facet. story: layer by layer. proof: that nothing is missing; None if the search was stopped.
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
        index = range(self.count)[index]
        part, cell = self._place(index)
        if self.exact:
            return _exact_region(part, cell, self.decider)
        rows, real = part.halfspaces
        own = part.rows(cell)
        corners = _corners(part, cell) if len(self.domain) <= 2 else None
        return Region(
            tuple(self.patterns[index].tolist()),
            self.matrices[index],
            self.vectors[index],
            self.interiors[index],
            corners.ravel() if corners is not None and len(self.domain) == 1 else None,
            corners if len(self.domain) == 2 else None,
            rows[own[real[own]]],
        )

    def _place(self, index: int) -> tuple[Part, int]:
        for part in self.parts:
            if index < part.cells:
                return part, index
            index -= part.cells
        raise IndexError(index)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data; merged regions are lists of what they are made of."""
        plain = [region.as_dict() for region in self]
        return {
            "count": self.count,
            "merged": self.merged,
            "complete": self.complete,
            "domain": _plain(self.domain),
            "regions": plain,
            "adjacency": self.adjacency.tolist(),
            "layers": [chapter.as_dict() for chapter in self.story],
        }


def _corners(part: Part, cell: int) -> Array:
    """Return the corners of an interval or a polygon in order; coordinates without end are infinite.

    Where a side of the polygon would lie wholly at infinity, its corners say only in which direction.
    """
    corner, vertices = part.corners(cell), part.state.vertices
    far = vertices.far[corner]
    endless = np.abs(far) > 0
    return np.where(endless, np.copysign(np.inf, far), vertices.point[corner] + 0.0)


def _exact_region(part: Part, cell: int, decider: Decider) -> Region:
    """Return a region in fractions; its half-spaces are whole numbers."""
    state, pattern = part.state, part.patterns[cell]
    answer = decider.exact.answer(pattern).fractions()
    inputs = state.inputs
    corners = _exact_corners(part, cell, decider) if inputs <= 2 else None
    own = part.rows(cell)
    rows = [
        [-int(side) * number for number in (*plane.normal, plane.offset)]
        for facet, side in zip(part.facets[1][own], part.facets[2][own], strict=True)
        for plane in [decider.plane(state, int(part.facet_planes[facet]))]
        if not plane.far
    ]
    return Region(
        tuple(pattern.tolist()),
        answer[:-1].T,
        answer[-1],
        _exact_interior(part, cell, corners),
        corners.ravel() if corners is not None and inputs == 1 else None,
        corners if inputs == 2 else None,
        np.array(rows, dtype=object).reshape(len(rows), inputs + 1),
    )


def _exact_corners(part: Part, cell: int, decider: Decider) -> Numbers:
    found = [decider.vertex(part.state, part.state.vertices.tight[corner]) for corner in part.corners(cell)]
    rows = [
        [
            np.copysign(np.inf, far) if far else place
            for far, place in zip(vertex.far, vertex.coordinates, strict=True)
        ]
        for vertex in found
    ]
    return np.array(rows, dtype=object)


def _exact_interior(part: Part, cell: int, corners: Numbers | None) -> Numbers:
    """Return the mean of the corners where all are finite, else the point that floating point chose."""
    if corners is not None and np.isfinite(corners.astype(float)).all():
        mean: Numbers = corners.sum(axis=0) / Fraction(len(corners))
        return mean
    return np.array([Fraction(number) for number in part.interiors[cell].tolist()], dtype=object)
