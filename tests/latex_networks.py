"""Networks whose LaTeX the tests write and read back, and how exactly it must be the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from nn2eq.activations import Activation, activation
from nn2eq.network import Affine, Layer, Network, Selected

TOLERANCE = 1e-12
"""Relative to the magnitudes that are summed last: the order of summation alone moves a value near a root."""


def affine(inputs: int, units: int, seed: int, dtype: str = "f4") -> Affine:
    """Return random weights."""
    random = np.random.default_rng(seed)
    return Affine(random.normal(size=(inputs, units)).astype(dtype), random.normal(size=units).astype(dtype))


def dense(*sizes: int, hidden: str = "tanh", last: str = "linear", dtype: str = "f4") -> Network:
    """Return a network of dense layers with these sizes."""
    layers = []
    for number, (inputs, units) in enumerate(pairwise(sizes), start=1):
        name = last if number == len(sizes) - 1 else hidden
        maps = (affine(inputs, units, number, dtype), activation(name))
        layers.append(Layer(f"dense_{number}", "Dense", (units,), maps))
    return Network(tuple(layers), (sizes[0],))


def around(chosen: Activation, units: int) -> Network:
    """Return a network of two layers with this activation between them."""
    first = Layer("first", "Dense", (units,), (affine(2, units, 1), chosen))
    return Network((first, Layer("second", "Dense", (2,), (affine(chosen.outputs(units), 2, 2),))), (2,))


def of(*maps: Affine | Activation | Selected, inputs: int, outputs: int) -> Network:
    """Return a network of one layer with these maps."""
    return Network((Layer("layer", "Custom", (outputs,), maps),), (inputs,))


def renamed(network: Network, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Network:
    """Return the network with other names outside."""
    return replace(network, input_names=inputs, output_names=outputs)


def special() -> Mapping[str, Network]:
    """Return networks in which something is out of the ordinary."""
    log, own = activation("relu"), np.array([0.25, -0.5, 0.1], np.float32)
    some = affine(3, 3, 5)
    diagonal = Affine(np.array([0.5, -2.0, 1e-5], np.float32), np.array([3e10, 0.0, 1.0], np.float32))
    mixed = dense(2, 3, 2)
    wide = Layer("scaled", "Scaling", (2,), (Affine(np.array([0.1, 1 / 3])),))
    sparse = Affine(np.where(np.arange(9).reshape(3, 3) % 2, 0.0, some.kernel).astype("f4"), None)
    return {
        "one of each": dense(1, 1, 1, 1),
        "one unit between": dense(2, 1, 2),
        "many columns": dense(12, 11, 2),
        "float64": dense(2, 3, 1, dtype="f8"),
        "both dtypes": replace(mixed, layers=(wide, *mixed.layers)),
        "softmax in groups": around(activation("softmax", groups=2), 4),
        "softmax of inputs": of(activation("softmax"), inputs=3, outputs=3),
        "softmax at the end": dense(4, 5, 3, hidden="relu", last="softmax"),
        "glu in groups": around(activation("glu", groups=2), 8),
        "one input transformed": of(Selected(log, (1,)), some, inputs=3, outputs=3),
        "each unit its own": around(activation("prelu", {"alpha": own}), 3),
        "diagonal": of(diagonal, activation("sigmoid"), inputs=3, outputs=3),
        "zeros and no bias": of(sparse, activation("tanh"), some, inputs=3, outputs=3),
        "nothing at all": of(inputs=2, outputs=2),
        "activation alone": of(activation("elu"), inputs=2, outputs=2),
        "two kinds of one name": of(
            some,
            activation("leaky_relu"),
            some,
            activation("leaky_relu", {"negative_slope": 0.3}),
            inputs=3,
            outputs=3,
        ),
        "named": renamed(dense(3, 2, 2), ("T_in", "x", "e"), ("p out", "η")),
    }


def samples(network: Network, count: int = 40) -> np.ndarray:
    """Return inputs: usual ones, and some so large that exponentials overflow."""
    random = np.random.default_rng(11)
    usual = random.normal(size=(count, network.inputs)) * 2
    return np.concatenate([usual, usual[:10] * 300, np.zeros((1, network.inputs))])


def scale(network: Network, x: np.ndarray) -> np.ndarray:
    """Return the sum of the magnitudes in the last affine map, at least 1 and the output itself."""
    maps = list(network.maps)
    before, last = maps[:-1], maps[-1] if maps else None
    size = np.maximum(1.0, np.abs(network.evaluate(x)))
    if isinstance(last, Affine):
        value = x
        for step in before:
            value = step(value)
        bias = None if last.bias is None else np.abs(last.bias)
        size = np.maximum(size, Affine(np.abs(last.kernel), bias, last.repeat)(np.abs(value)))
    return size
