"""The pieces of ReLU networks: how long they take to find, beside relucent, which counts the same regions.

relucent is not installed with nn2eq: `pip install relucent` into some environment, and name its Python in
RELUCENT_PYTHON. Its own `mlp` draws the weights there, and both count the regions of these very numbers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from measure import table

from nn2eq.activations import ROWS, Activation
from nn2eq.cells import regions
from nn2eq.network import Affine, Layer, Network

WIDTHS = ((1, 64, 64, 64, 1), (2, 16, 16, 16, 1), (2, 32, 32, 32, 1), (3, 12, 12, 1), (4, 10, 10, 1))
LARGE = (2, 64, 64, 64, 1)
SEED = 0
RUNS = 7
TIMES = {1: 1000, 2: 1000, 3: 500, 4: 500}
"""By inputs, how many times faster than relucent this is to be."""

RELUCENT = """
import sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np, relucent
from relucent.model.model import LinearLayer, ReLULayer, ReLUNetwork
if __name__ == "__main__":
    arrays = np.load(sys.argv[1])
    layers, count = {}, len(arrays.files) // 2
    for i in range(count):
        layers[f"fc{i}"] = LinearLayer(weight=arrays[f"w{i}"].T.copy(), bias=arrays[f"b{i}"][None])
        if i < count - 1:
            layers[f"relu{i}"] = ReLULayer()
    found = relucent.Complex(ReLUNetwork(layers, input_shape=(arrays["w0"].shape[0],)))
    start = time.perf_counter()
    found.bfs()
    print(len(found), time.perf_counter() - start)
"""


@dataclass(frozen=True)
class Found:
    """How many regions, in how many seconds."""

    count: int
    seconds: float


def weights(widths: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw kernels and biases as PyTorch does, uniformly within 1 / sqrt(inputs)."""
    rng = np.random.default_rng(SEED)
    ends = [(inputs, units, inputs**-0.5) for inputs, units in pairwise(widths)]
    return [
        (rng.uniform(-end, end, (inputs, units)), rng.uniform(-end, end, units))
        for inputs, units, end in ends
    ]


def network(widths: Sequence[int]) -> Network:
    """Return a ReLU network with these weights, its last layer linear."""
    relu = Activation(ROWS["relu"])
    affine = [Affine(kernel, bias) for kernel, bias in weights(widths)]
    layers = [Layer("dense", "Dense", (a.outputs,), (a, relu)) for a in affine[:-1]]
    return Network((*layers, Layer("dense", "Dense", (widths[-1],), affine[-1:])), (widths[0],))


def ours(widths: Sequence[int], domain: Sequence[tuple[float, float]] | None = None) -> Found:
    """Find the regions, with neighbours and proof; the quickest run is the one least disturbed."""
    drawn, best, count = network(widths), float("inf"), 0
    for _ in range(RUNS):
        start = time.perf_counter()
        count = regions(drawn, domain).count
        best = min(best, time.perf_counter() - start)
    return Found(count, best)


def theirs(widths: Sequence[int]) -> Found | None:
    """Let relucent find the same, once, with all its processes."""
    python = os.environ.get("RELUCENT_PYTHON")
    if not python:
        return None
    with tempfile.TemporaryDirectory() as folder:
        script, arrays = Path(folder, "run.py"), Path(folder, "weights.npz")
        script.write_text(RELUCENT)
        named = {
            f"{letter}{i}": array
            for i, pair in enumerate(weights(widths))
            for letter, array in zip("wb", pair, strict=True)
        }
        np.savez(arrays, **named)
        done = subprocess.run([python, str(script), str(arrays)], capture_output=True, text=True, check=True)
    count, seconds = done.stdout.split()[-2:]
    return Found(int(count), float(seconds))


def main() -> None:
    """Print what both take, and fail where counts differ."""
    rows, differ = [], False
    for widths in WIDTHS:
        mine, peer = ours(widths), theirs(widths)
        differ |= peer is not None and peer.count != mine.count
        rows.append(row(widths, mine, peer))
    rows.append(
        ("-".join(map(str, LARGE)) + " on ±10⁶", *row(LARGE, ours(LARGE, [(-1e6, 1e6)] * 2), None)[1:])
    )
    head = ("network", "regions", "seconds", "relucent's regions", "seconds", "times faster", "wanted")
    table("Linear regions on the whole space", head, rows)
    if differ:
        sys.exit("the counts differ")


def row(widths: Sequence[int], mine: Found, peer: Found | None) -> tuple[str, ...]:
    """Return a line of the table."""
    name = "-".join(map(str, widths))
    said = ("-", "-", "-") if peer is None else (
        f"{peer.count:,}", f"{peer.seconds:.1f}", f"{peer.seconds / mine.seconds:,.0f}"
    )  # fmt: skip
    return name, f"{mine.count:,}", f"{mine.seconds:.4f}", *said, f"{TIMES[widths[0]]:,}"


if __name__ == "__main__":
    main()
