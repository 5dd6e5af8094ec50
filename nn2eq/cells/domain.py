"""Where the pieces are looked for: a box, or the whole space as a simplex larger than every number."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.faces import Faces, Ids, Incidence
from nn2eq.cells.maps import Maps
from nn2eq.cells.state import Past, State
from nn2eq.cells.vertices import Planes, meet
from nn2eq.errors import TooLarge

Array = NDArray[np.float64]
Facets = frozenset[int]
MOST_FACES = 70_000
"""Faces of all dimensions that the domain itself may have: 10 inputs for a box, 15 for the whole space."""
_WAY_OUT = "pieces are found with up to 10 inputs on a box, and up to 15 without a domain"


def whole(inputs: int) -> Array:
    """Return the domain without any end."""
    return np.array([[-np.inf, np.inf]] * inputs)


def opening(domain: Array) -> State:
    """Return the one cell that the domain is: domain (inputs, 2), infinite where it has no end."""
    inputs = len(domain)
    unbounded = inputs > 1 and not np.isfinite(domain).any()
    if (2 ** (inputs + 1) if unbounded else 3**inputs) > MOST_FACES:
        raise TooLarge(f"pieces in {inputs} dimensions", code="too-large", way_out=_WAY_OUT)
    planes = _simplex(inputs) if unbounded else _box(domain)
    together = 1 if unbounded else 2  # the two ends of an input never meet
    facets = [tuple(range(at, at + together)) for at in range(0, len(planes.offset), together)]
    levels = [_faces(facets, inputs - k) for k in range(inputs + 1)]
    tight = tuple(
        np.array([sorted(face) for face in level], dtype=np.int32).reshape(len(level), -1) for level in levels
    )
    return State(
        step=0,
        faces=_incidence(levels),
        vertices=meet(planes, tight[0]),
        planes=planes,
        owner=tuple(np.zeros(len(level) if k else 0, dtype=np.int32) for k, level in enumerate(levels)),
        tight=tight,
        maps=Maps.identity(inputs),
        prefixes=(np.zeros((1, 0), dtype=np.int16),),
        seam=np.full(len(levels[-2]), -1, dtype=np.int32),
        past=Past.empty(),
    )


def _box(domain: Array) -> Planes:
    """Return lower and upper end of each input as planes whose inner side is negative."""
    inputs = len(domain)
    outward = np.tile([-1.0, 1.0], inputs)
    normal = np.repeat(np.eye(inputs), 2, axis=0) * outward[:, None]
    ends = domain.ravel()
    finite = np.isfinite(ends)
    offset = np.where(finite, -ends * outward, 0.0)
    return _planes(normal, offset, np.where(finite, 0.0, -1.0))


def _simplex(inputs: int) -> Planes:
    """Return x_i >= -R for every input and the sum of all at most R, likewise."""
    normal = np.vstack([-np.eye(inputs), np.ones((1, inputs))])
    return _planes(normal, np.zeros(inputs + 1), np.full(inputs + 1, -1.0))


def _planes(normal: Array, offset: Array, far: Array) -> Planes:
    count, inputs = normal.shape
    source = np.full((count, 3), -1, dtype=np.int64)
    source[:, 1] = np.arange(count)
    return Planes(normal, offset, far, np.zeros((count, inputs + 1)), source)


def _faces(facets: list[tuple[int, ...]], size: int) -> dict[Facets, int]:
    """Number the faces that lie on `size` facets each, at most one of each group of facets."""
    sets = sorted(chosen for groups in combinations(facets, size) for chosen in product(*groups))
    return {frozenset(chosen): number for number, chosen in enumerate(sets)}


def _incidence(levels: list[dict[Facets, int]]) -> Faces:
    pairs = [_pairs(levels[k], levels[k - 1]) for k in range(1, len(levels))]
    ends = pairs[0][1].reshape(-1, 2)
    top = len(levels) - 1
    above = tuple(
        Incidence(
            len(levels[k]), *pairs[k - 1], np.full(len(pairs[k - 1][0]) if k == top else 0, -1, dtype=np.int8)
        )
        for k in range(2, len(levels))
    )
    return Faces(len(levels[0]), ends, above)


def _pairs(upper: dict[Facets, int], lower: dict[Facets, int]) -> tuple[Ids, Ids]:
    facets = sorted(frozenset().union(*lower))
    found = [
        (number, lower[face | {facet}])
        for face, number in upper.items()
        for facet in facets
        if facet not in face and face | {facet} in lower
    ]
    return tuple(np.array(column, dtype=np.int32) for column in zip(*found, strict=True))  # type: ignore[return-value]
