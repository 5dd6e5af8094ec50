"""Networks made by hand: random weights, any activations, for tests that need many of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nn2eq.activations import ROWS, Activation, filled
from nn2eq.network import Affine, Layer, Map, Network

ARGUMENTS = {"alpha": 0.3, "threshold": 0.4, "max_value": 2.5, "negative_slope": 0.2, "epsilon": 1e-3}
"""Values for the arguments that must be given."""


def row(name: str) -> Activation:
    """A row of the table, with arguments where it needs some."""
    wanted = {key: ARGUMENTS.get(key, 0.7) for key, value in ROWS[name].parameters.items() if value is None}
    return filled(ROWS[name], wanted)


def dense(sizes: Sequence[int], activations: Sequence[str], *, seed: int = 0, scale: float = 1.0) -> Network:
    """Dense layers of these sizes, each followed by its activation; "linear" for none."""
    rng = np.random.default_rng(seed)
    layers, shape = [], sizes[0]
    for number, (units, name) in enumerate(zip(sizes[1:], activations, strict=True)):
        kernel = (rng.normal(size=(shape, units)) * scale / np.sqrt(shape)).astype(np.float32)
        maps: list[Map] = [Affine(kernel, (rng.normal(size=units) * 0.3).astype(np.float32))]
        activation = row(name)
        if not activation.is_linear:
            maps.append(activation)
        shape = activation.outputs(units)
        layers.append(Layer(f"dense_{number}", "Dense", (shape,), tuple(maps)))
    return Network(tuple(layers), (sizes[0],))
