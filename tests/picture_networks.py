"""Networks for the tests of pictures: of every size that matters, with weights from a seed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from nn2eq.activations import ROWS, filled
from nn2eq.network import Activation, Affine, Layer, Network, Source

HOSTILE = ('$x_1$ & <b>"]', "a\nb\\input{z}%#|-->;{}", "naïve ☃ _^~ \u202e")
"""Names that mean something to LaTeX, XML, DOT, Mermaid or a terminal."""


def dense(
    *sizes: int, activation: str = "relu", last: str = "", seed: int = 0, names: tuple[str, ...] = ()
) -> Network:
    """Return a chain of dense layers with random float32 weights, `last` the activation of the last."""
    random = np.random.default_rng(seed)
    layers = []
    for number, (inputs, units) in enumerate(pairwise(sizes), start=1):
        kernel = (random.normal(size=(inputs, units)) * 1.2 / np.sqrt(inputs)).astype(np.float32)
        bias = (0.6 * random.normal(size=units)).astype(np.float32)
        row = last if number == len(sizes) - 1 else activation
        maps: list[Affine | Activation] = [Affine(kernel, bias)]
        maps += [filled(ROWS[row], {})] if row else []
        layers.append(
            Layer(f"dense_{number}", "Dense", (units,), tuple(maps), {"kernel": kernel, "bias": bias})
        )
    return Network(tuple(layers), (sizes[0],), input_names=names, source=Source(f"{len(sizes)}-{seed}.keras"))
