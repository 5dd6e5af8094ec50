"""Proved ranges: how sharp and how fast, beside interval arithmetic and CROWN.

No bound is narrower than the values themselves, and in some networks these fill more than half of CROWN's width.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from measure import ROOT, table
from networks import write_h5
from numpy.typing import NDArray

from nn2eq.bounds import bounds
from nn2eq.forms.distance import difference_bound
from nn2eq.forms.rounded import rounded
from nn2eq.forms.straight import matrix
from nn2eq.network import Affine, Network
from nn2eq.reading import read

Array = NDArray[np.float64]
MODELS = sorted((ROOT / "models").glob("*.keras"))
DEEP = ROOT / "models" / "dense_4-16-16-16-1_tanh.keras"


def main() -> None:
    """Print the tables."""
    ranges()
    against_crown()
    drawn()
    distances()


def ranges() -> None:
    """Every shipped model on [-1, 1]^n: proved range against the widest that a search of values finds."""
    rows = []
    for path in MODELS:
        network = read(str(path))
        start = time.perf_counter()
        found = bounds(network, (-1.0, 1.0), jacobian=False, seconds=10.0)
        values = time.perf_counter() - start
        start = time.perf_counter()
        slopes = bounds(network, (-1.0, 1.0), seconds=10.0)
        both = f"{time.perf_counter() - start:.2f}"
        low, high = reached(network)
        proved = np.array([[output.low, output.high] for output in found.outputs])
        times = np.max((proved[:, 1] - proved[:, 0]) / (high - low))
        widest = max(entry.high - entry.low for line in slopes.jacobian for entry in line)
        gap = f"{slopes.jacobian_gap / max(widest, 1e-12):.1e}"
        rows.append((name(path), f"{times:.4f}", f"{values:.2f}", f"{found.boxes:,}", gap, both))
    head = (
        "model",
        "proved / seen",
        "seconds",
        "boxes",
        "gap of the gradient / its range",
        "seconds with it",
    )
    table("Ranges on [-1, 1]^n", head, rows)


def against_crown() -> None:
    """The 4-16-16-16-1 tanh network on [-1, 1]^4."""
    network = read(str(DEEP))
    low, high = reached(network)
    seen = float((high - low)[0])
    rows = [("values seen", f"{seen:.4f}", "1", "")]
    for what, work in (("interval arithmetic", intervals), ("CROWN", crown)):
        start = time.perf_counter()
        bottom, top = work(network, -np.ones(4), np.ones(4))
        width = float(top[0] - bottom[0])
        rows.append((what, f"{width:.4f}", f"{width / seen:.3f}", f"{time.perf_counter() - start:.3f}"))
    for seconds in (0.1, 1.0, 10.0):
        start = time.perf_counter()
        output = bounds(network, (-1.0, 1.0), jacobian=False, seconds=seconds).outputs[0]
        width = output.high - output.low
        took = f"{time.perf_counter() - start:.3f}"
        rows.append((f"nn2eq, at most {seconds:g} s", f"{width:.4f}", f"{width / seen:.3f}", took))
    table("4-16-16-16-1 tanh on [-1, 1]^4", ("what", "width", "times the values seen", "seconds"), rows)


def drawn(count: int = 5) -> None:
    """Networks of the same sizes with weights drawn at random: what is proved in 10 s, of CROWN's width."""
    rows = []
    for seed in range(count):
        with tempfile.TemporaryDirectory() as folder:
            network = read(str(write_h5(Path(folder) / "model.h5", (4, 16, 16, 16, 1), "tanh", seed=seed)))
        (bottom,), (top,) = crown(network, -np.ones(4), np.ones(4))
        (low,), (high,) = reached(network)
        start = time.perf_counter()
        output = bounds(network, (-1.0, 1.0), jacobian=False, seconds=10.0).outputs[0]
        took = f"{time.perf_counter() - start:.1f}"
        of_crown = [f"{width / (top - bottom):.3f}" for width in (high - low, output.high - output.low)]
        rows.append((str(seed), *of_crown, took))
    head = ("seed", "values seen / CROWN", "proved / CROWN", "seconds")
    table("4-16-16-16-1 tanh, drawn at random, on [-1, 1]^4", head, rows)


def distances() -> None:
    """Every shipped model rounded to three digits: the proved distance beside the worst that is seen."""
    rows = []
    for path in MODELS:
        network = read(str(path))
        program = rounded(matrix(network), 3)
        start = time.perf_counter()
        found = difference_bound(network, program, (-1.0, 1.0), seconds=10.0)
        seconds = time.perf_counter() - start
        points = samples(network)
        seen = np.abs(network.evaluate(points) - program.evaluate(points)).max()
        rows.append((name(path), f"{found.proved:.4g}", f"{seen:.4g}", f"{seconds:.2f}"))
    table("Rounded to three digits, on [-1, 1]^n", ("model", "proved", "seen", "seconds"), rows)


def name(path: Path) -> str:
    """What the model is called."""
    return path.stem.removeprefix("dense_")


def samples(network: Network) -> Array:
    """Points of the box: many inside, and corners."""
    rng = np.random.default_rng(0)
    inside = rng.uniform(-1.0, 1.0, size=(200_000, network.inputs))
    return np.concatenate([inside, rng.choice([-1.0, 1.0], size=(5_000, network.inputs))])


def reached(network: Network) -> tuple[Array, Array]:
    """The extreme values that a search finds: samples, then ever closer around the best."""
    ends = []
    for sign in (-1.0, 1.0):
        best, rng = [], np.random.default_rng(1)
        points = samples(network)
        for output in range(network.outputs):
            top = points[np.argmax(sign * network.evaluate(points)[:, output])]
            for closer in np.geomspace(0.3, 1e-6, 25):
                around = np.clip(top + closer * rng.normal(size=(2_000, network.inputs)), -1.0, 1.0)
                around[0] = top
                top = around[np.argmax(sign * network.evaluate(around)[:, output])]
            best.append(network.evaluate(top[None])[0, output])
        ends.append(np.array(best))
    return ends[0], ends[1]


# ------------------------------------------------------------------------------------------------- the peers


def layers(network: Network) -> list[tuple[Array, Array]]:
    """Kernels and biases of a network of Dense layers, tanh in between."""
    maps = (step for step in network.maps if isinstance(step, Affine))
    return [(step.kernel.astype(np.float64), np.asarray(step.bias, dtype=np.float64)) for step in maps]


def intervals(network: Network, low: Array, high: Array) -> tuple[Array, Array]:
    """Bound by interval arithmetic, layer by layer."""
    parts = layers(network)
    for number, (kernel, bias) in enumerate(parts):
        middle, radius = (low + high) / 2 @ kernel + bias, (high - low) / 2 @ np.abs(kernel)
        low, high = middle - radius, middle + radius
        if number < len(parts) - 1:
            low, high = np.tanh(low), np.tanh(high)
    return low, high


def crown(network: Network, low: Array, high: Array) -> tuple[Array, Array]:
    """Bound by CROWN: lines below and above every tanh, carried back to the input.

    H. Zhang et al., "Efficient Neural Network Robustness Certification with General Activation Functions",
    NeurIPS 2018: the bounds of every hidden unit are found in the same way, from the first layer on.
    """
    parts, lines = layers(network), []
    for number in range(len(parts)):
        bottom, top = (_backward(parts[: number + 1], lines, low, high, sign) for sign in (-1.0, 1.0))
        if number == len(parts) - 1:
            return bottom, top
        lines.append(_lines(bottom, top))
    raise AssertionError


Lines = tuple[tuple[Array, Array], tuple[Array, Array]]


def _backward(
    parts: list[tuple[Array, Array]], lines: list[Lines], low: Array, high: Array, sign: float
) -> Array:
    """Carry the last layer's sums back to the input: (units,), the largest for sign 1, else the smallest."""
    kernel, bias = parts[-1]
    weights, constant = sign * kernel.T, sign * bias
    for (before, shift), (below, above) in zip(parts[-2::-1], lines[::-1], strict=True):
        positive, negative = np.maximum(weights, 0.0), np.minimum(weights, 0.0)
        constant = constant + positive @ above[1] + negative @ below[1]
        weights = positive * above[0] + negative * below[0]
        constant, weights = constant + weights @ shift, weights @ before.T
    return sign * (constant + np.maximum(weights, 0.0) @ high + np.minimum(weights, 0.0) @ low)


def _lines(low: Array, high: Array) -> Lines:
    """Return slope and offset of a line below and one above tanh on each interval."""
    above = np.array([_above(a, b) for a, b in zip(low, high, strict=True)])
    below = np.array([_above(-b, -a) for a, b in zip(low, high, strict=True)])
    return (below[:, 0], -below[:, 1]), (above[:, 0], above[:, 1])


def _above(low: float, high: float) -> tuple[float, float]:
    """A line above tanh: tangent where it is concave, the chord where convex, else a tangent from an end."""
    if low >= 0:
        return _tangent((low + high) / 2)
    chord = (np.tanh(high) - np.tanh(low)) / max(high - low, 1e-12)
    if high <= 0 or chord <= 1 - np.tanh(high) ** 2:
        return chord, np.tanh(low) - chord * low
    left, right = 0.0, high
    for _ in range(60):
        middle = (left + right) / 2
        slope = 1 - np.tanh(middle) ** 2
        # The tangent must pass above the lower end.
        left, right = (
            (middle, right) if np.tanh(middle) + slope * (low - middle) < np.tanh(low) else (left, middle)
        )
    return _tangent(right)


def _tangent(at: float) -> tuple[float, float]:
    slope = 1 - np.tanh(at) ** 2
    return slope, np.tanh(at) - slope * at


if __name__ == "__main__":
    main()
