"""Samples of a network over a box, denser towards its sides, where fits are hardest; and where a fit is worst."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from nn2eq.domain import Domain
from nn2eq.forms.fitting import Array
from nn2eq.forms.program import Program
from nn2eq.network import Network

_GRIDS = {1: 400, 2: 40, 3: 14}
"""Chebyshev points along each axis, by the number of inputs."""
_SCATTERED = 4_000
_CORNERS = 10
"""Inputs up to which all corners of the box are samples."""
_LOOKED_AT = 20_000
_ADDED = 60


@dataclass(frozen=True, eq=False)
class Samples:
    """Points x (samples, inputs) of a box, and what the network answers there, (samples, outputs)."""

    network: Network
    box: Domain
    x: Array
    answers: Array

    @classmethod
    def of(cls, network: Network, box: Domain) -> Samples:
        """Sample a network over a box."""
        low, high = np.array(box).T
        x = low + (_unit(len(box)) + 1.0) / 2.0 * (high - low)
        x = np.unique(np.clip(x, low, high), axis=0)
        return cls(network, box, x, _answers(network, x))

    def elsewhere(self) -> Samples:
        """Return many other points of the box."""
        low, high = np.array(self.box).T
        if len(low) == 1:
            x = np.linspace(low, high, _LOOKED_AT)
        else:
            rng = np.random.default_rng(0)
            angles = rng.uniform(0.0, np.pi, (_LOOKED_AT, len(low)))
            unit = np.where(rng.random((_LOOKED_AT, 1)) < 0.5, np.cos(angles), 2.0 * angles / np.pi - 1.0)
            x = np.clip(low + (unit + 1.0) / 2.0 * (high - low), low, high)
        return Samples(self.network, self.box, x, _answers(self.network, x))

    def check(self, program: Program) -> tuple[float, Samples]:
        """Return the largest error at many other points, and samples to which the worst of those are added."""
        other = self.elsewhere()
        errors = np.abs(program.evaluate(other.x) - other.answers).max(axis=1)
        worst = np.argsort(-errors, kind="stable")[:_ADDED]
        more = (
            np.concatenate([own, others[worst]])
            for own, others in ((self.x, other.x), (self.answers, other.answers))
        )
        return float(errors.max()), Samples(self.network, self.box, *more)


def _answers(network: Network, x: Array) -> Array:
    with np.errstate(all="ignore"):
        return network.evaluate(x)


def _unit(inputs: int) -> Array:
    """Return points of [-1, 1]^inputs: a grid, or for many inputs scattered ones and the corners."""
    if inputs in _GRIDS:
        count = _GRIDS[inputs]
        line = np.cos(np.pi * np.arange(count) / (count - 1))
        return np.stack(np.meshgrid(*[line] * inputs, indexing="ij"), axis=-1).reshape(-1, inputs)
    angles = np.random.default_rng(1).uniform(0.0, np.pi, (_SCATTERED, inputs))
    corners = list(product((-1.0, 1.0), repeat=inputs)) if inputs <= _CORNERS else []
    return np.concatenate([np.cos(angles), np.array(corners).reshape(-1, inputs)])
