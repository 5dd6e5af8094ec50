"""Neighbouring regions on which the network is the same affine map, decided exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.decider import Decider
from nn2eq.cells.parts import Part

Array = NDArray[np.float64]


def groups(parts: tuple[Part, ...], adjacency: NDArray[np.int64], decider: Decider) -> NDArray[np.int64]:
    """Return the group of every region, (regions,), numbered in order of their first regions."""
    values = np.concatenate([part.state.maps.values for part in parts])
    slack = np.concatenate([part.state.maps.slack for part in parts])
    patterns = np.concatenate([part.patterns for part in parts])
    one, two = adjacency.T
    apart = (np.abs(values[one] - values[two]) > slack[one] + slack[two]).any(axis=(1, 2)) & decider.trusting
    leader = list(range(len(values)))
    for a, b in adjacency[~apart].tolist():
        a, b = _leader(leader, a), _leader(leader, b)
        if a != b and _same(decider, patterns[a], patterns[b]):
            leader[max(a, b)] = min(a, b)
    found = np.array([_leader(leader, region) for region in range(len(leader))], dtype=np.int64)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def _leader(leader: list[int], region: int) -> int:
    while leader[region] != region:
        leader[region] = leader[leader[region]]
        region = leader[region]
    return region


def _same(decider: Decider, one: NDArray[np.int16], two: NDArray[np.int16]) -> bool:
    first, second = decider.exact.answer(one), decider.exact.answer(two)
    return bool((first.numbers * second.below == second.numbers * first.below).all())
