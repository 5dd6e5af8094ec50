"""Networks of ReLU and its kind, and what their pieces are held against: brute force and the network itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.optimize import linprog

from nn2eq.activations import ROWS, Activation
from nn2eq.cells import Regions
from nn2eq.network import Affine, Layer, Network

AGREES = 1e-12  # relative to the sum of the magnitudes in the last affine map
RELU = Activation(ROWS["relu"])


def dense(kernel: object, bias: object, activation: Activation | None = RELU) -> Layer:
    """A Dense layer: kernel (inputs, units), bias (units,)."""
    affine = Affine(np.array(kernel, dtype=np.float64), np.array(bias, dtype=np.float64))
    return Layer("dense", "Dense", (affine.outputs,), (affine, activation) if activation else (affine,))


def network(*layers: Layer) -> Network:
    first = layers[0].maps[0]
    assert isinstance(first, Affine)
    return Network(layers, (first.inputs,))


def random_network(widths: Sequence[int], seed: int, activation: Activation = RELU) -> Network:
    """A network as PyTorch and Keras start them: weights of float32, uniform."""
    rng = np.random.default_rng(seed)
    layers = []
    for index, (inputs, units) in enumerate(itertools.pairwise(widths)):
        draw = rng.uniform(-1, 1, (inputs + 1, units)).astype(np.float32) * np.sqrt(3 / inputs)
        layers.append(dense(draw[1:], draw[0], activation if index < len(widths) - 2 else None))
    return network(*layers)


def integer_network(widths: Sequence[int], numbers: Iterator[int], activation: Activation = RELU) -> Network:
    layers = []
    for index, (inputs, units) in enumerate(itertools.pairwise(widths)):
        draw = np.array(list(itertools.islice(numbers, (inputs + 1) * units)), dtype=float)
        draw = draw.reshape(inputs + 1, units)
        layers.append(dense(draw[1:], draw[0], activation if index < len(widths) - 2 else None))
    return network(*layers)


PIECEWISE = sorted(name for name, row in ROWS.items() if row.pieces and name != "linear")
PARAMETERS = {"max_value": 1.25, "negative_slope": 0.3, "threshold": 0.4, "default_value": -0.7}


def made(name: str, units: int) -> Activation:
    row = ROWS[name]
    given = {key: PARAMETERS[key] for key in row.parameters if key in PARAMETERS}
    if "alpha" in row.parameters:
        given["alpha"] = np.linspace(-0.5, 1.5, units)
    return Activation(row, given)


def check(net: Network, found: Regions, samples: int = 200, seed: int = 0, reach: float = 3.0) -> None:
    """Each sample lies in one region, unless on a border, and that region's map answers as the network."""
    assert found.proof is not None
    rng = np.random.default_rng(seed)
    low, high = np.nan_to_num(found.domain, posinf=reach, neginf=-reach).T
    points = np.concatenate([rng.uniform(low, high, (samples, len(low))), _inside(found)])
    expected = net.evaluate(points)
    covered = np.zeros(len(points), dtype=int)
    for region in found:
        rows = region.halfspaces.astype(float)
        values = points @ rows[:, :-1].T + rows[:, -1]
        scale = np.abs(points) @ np.abs(rows[:, :-1]).T + np.abs(rows[:, -1])
        inside = (values < -1e-9 * scale).all(axis=1)
        covered += inside
        assert_equal_answers(region.matrix, region.vector, points[inside], expected[inside])
        if region.interval is not None:
            x = points[inside, 0]
            assert ((region.interval[0] < x) & (x < region.interval[1])).all()
    assert (covered <= 1).all()
    assert covered.mean() > 0.97 or found.count > 1


def _inside(found: Regions) -> np.ndarray:
    return found.interiors[:200]


def assert_equal_answers(matrix: np.ndarray, vector: np.ndarray, x: np.ndarray, expected: np.ndarray) -> None:
    matrix, vector = matrix.astype(float), vector.astype(float)
    scale = np.abs(x) @ np.abs(matrix).T + np.abs(vector)
    assert (np.abs(x @ matrix.T + vector - expected) <= AGREES * (1 + scale)).all()


def brute_force(net: Network, domain: Sequence[tuple[float, float]] | None) -> set[tuple[int, ...]]:
    """All activation patterns of a ReLU network that have room, a linear program for each of all signs."""
    patterns: list[tuple[tuple[int, ...], np.ndarray, np.ndarray, np.ndarray]] = [
        ((), np.zeros((0, net.inputs + 1)), np.eye(net.inputs), np.zeros(net.inputs))
    ]
    for layer in net.layers:
        affine = layer.maps[0]
        assert isinstance(affine, Affine)
        found = []
        for pattern, rows, matrix, vector in patterns:
            z = affine.kernel.T @ matrix
            c = affine.kernel.T @ vector + affine.bias
            if len(layer.maps) == 1:
                found.append((pattern, rows, z, c))
                continue
            for signs in itertools.product((0, 1), repeat=len(c)):
                s = np.array(signs, dtype=float)
                new = np.concatenate([(1 - 2 * s)[:, None] * z, ((1 - 2 * s) * c)[:, None]], axis=1)
                both = np.concatenate([rows, new])
                if has_room(both, domain):
                    found.append((pattern + signs, both, s[:, None] * z, s * c))
        patterns = found
    return {pattern for pattern, *_ in patterns}


def has_room(rows: np.ndarray, domain: Sequence[tuple[float, float]] | None) -> bool:
    """Whether a·x + b <= 0 has an inner point: HiGHS looks for the widest ball."""
    inputs = rows.shape[1] - 1
    width = np.linalg.norm(rows[:, :-1], axis=1)
    flat = width < 1e-12
    if (rows[flat, -1] > 1e-12).any():
        return False
    rows, width = rows[~flat] / width[~flat, None], np.ones((~flat).sum())
    ends = [(None, None)] * inputs if domain is None else list(domain)
    box = [] if domain is None else [
        [*(sign * (np.arange(inputs) == axis)), -sign * end]
        for axis, pair in enumerate(domain) for sign, end in zip((-1, 1), pair, strict=True)
    ]  # fmt: skip
    rows = np.concatenate([rows, np.array(box).reshape(-1, inputs + 1)])
    width = np.ones(len(rows))
    answer = linprog(
        [*[0.0] * inputs, -1.0],
        A_ub=np.concatenate([rows[:, :-1], width[:, None]], axis=1),
        b_ub=-rows[:, -1],
        bounds=[*ends, (None, 1.0)],
    )
    return bool(answer.status == 0 and answer.x[-1] > 1e-9)


def edges(patterns: np.ndarray, pairs: np.ndarray) -> set[frozenset[tuple[int, ...]]]:
    rows = list(map(tuple, patterns.tolist()))
    return {frozenset((rows[a], rows[b])) for a, b in pairs.tolist()}
