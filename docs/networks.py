"""Fit the small networks of the gallery again: `python docs/networks.py`.

ReLU classifiers of two spirals with 5, 15 and 50 units, and a deeper one of two layers of 8. Each is fitted by
L-BFGS from a few seeded starts in float64, rounded to float32, and written as nn2eq's own network JSON.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from nn2eq.activations import ROWS, filled
from nn2eq.network import Affine, Layer, Map, Network, Source
from nn2eq.reading.own_json import write_network

Array = NDArray[np.float64]
HERE = Path(__file__).parent / "networks"
SIZES = ((2, 5, 1), (2, 15, 1), (2, 50, 1), (2, 8, 8, 1))
STARTS = 4
DECAY = 1e-4


def spirals(count: int = 100) -> tuple[Array, Array]:
    """Return points (2 count, 2) on two spirals in one another, and on which each lies, 0 or 1."""
    random = np.random.default_rng(0)
    turn = np.sqrt(np.linspace(0.02, 1.0, count)) * 2.3 * np.pi
    arm = np.stack([turn * np.cos(turn), turn * np.sin(turn)], axis=1) / turn.max()
    x = np.concatenate([arm, -arm]) + random.normal(scale=0.03, size=(2 * count, 2))
    return np.round(x, 4), np.repeat([0.0, 1.0], count)


def unpacked(weights: Array, sizes: tuple[int, ...]) -> list[tuple[Array, Array]]:
    """Return the kernel and bias of each layer as views of one vector."""
    found, start = [], 0
    for inputs, units in pairwise(sizes):
        kernel = weights[start : start + inputs * units].reshape(inputs, units)
        start += inputs * units
        found.append((kernel, weights[start : start + units]))
        start += units
    return found


def loss(weights: Array, sizes: tuple[int, ...], x: Array, y: Array) -> tuple[float, Array]:
    """Return the mean cross-entropy with a penalty on the weights, and its gradient, by backpropagation."""
    layers, gradient = unpacked(weights, sizes), np.zeros_like(weights)
    values = [x]
    for kernel, bias in layers[:-1]:
        values.append(np.maximum(values[-1] @ kernel + bias, 0.0))
    z = (values[-1] @ layers[-1][0] + layers[-1][1])[:, 0]
    delta = ((1.0 / (1.0 + np.exp(-z)) - y) / len(y))[:, None]
    for (kernel, _), (into, onto), value in reversed(
        list(zip(layers, unpacked(gradient, sizes), values, strict=True))
    ):
        into[:], onto[:] = value.T @ delta, delta.sum(axis=0)
        delta = (delta @ kernel.T) * (value > 0)
    entropy = float(np.mean(np.logaddexp(0.0, z) - y * z))
    return entropy + DECAY * float(weights @ weights), gradient + 2 * DECAY * weights


def fitted(sizes: tuple[int, ...], x: Array, y: Array) -> Network:
    """Return the best of a few fits, as a network."""
    count = sum(inputs * units + units for inputs, units in pairwise(sizes))
    starts = [np.random.default_rng(seed).normal(size=count) for seed in range(STARTS)]
    fits = [minimize(loss, start, (sizes, x, y), jac=True, options={"maxiter": 400}) for start in starts]
    weights = min(fits, key=lambda fit: float(fit.fun)).x.astype(np.float32)
    layers = []
    for number, (kernel, bias) in enumerate(unpacked(weights, sizes)):
        row = "sigmoid" if number == len(sizes) - 2 else "relu"
        maps: tuple[Map, ...] = (Affine(kernel, bias), filled(ROWS[row], {}))
        named = {"kernel": kernel, "bias": bias}
        layers.append(Layer(f"dense_{number + 1}", "Dense", (len(bias),), maps, named))
    return Network(tuple(layers), (sizes[0],), source=Source(name_of(sizes) + ".json"))


def name_of(sizes: tuple[int, ...]) -> str:
    """Return the name of a network, which is its architecture."""
    return f"spirals_{'-'.join(map(str, sizes))}_relu"


def main() -> None:
    """Write the data and every network."""
    HERE.mkdir(exist_ok=True)
    x, y = spirals()
    rows = "".join(f"{a:.4f},{b:.4f},{int(c)}\n" for (a, b), c in zip(x, y, strict=True))
    (HERE / "spirals.csv").write_text("x1,x2,y\n" + rows)
    for sizes in SIZES:
        network = fitted(sizes, x, y)
        right = np.mean((network.evaluate(x)[:, 0] > 0.5) == y)
        (HERE / f"{name_of(sizes)}.json").write_bytes(write_network(network))
        print(f"{name_of(sizes)}: {100 * right:.1f}% right")


if __name__ == "__main__":
    main()
