"""The main job: how long a whole process takes, beside what people do today."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import NN2EQ, PYTHON, ROOT, cost, table
from networks import write_h5

TINY = str(ROOT / "models" / "dense_1-3-2-1_tanh.h5")
DEEP = str(ROOT / "models" / "dense_4-16-16-16-1_tanh.h5")
LARGE = (256, 1024, 1024, 1024, 1024, 16)
KERAS = (
    f"import keras, numpy; model = keras.saving.load_model({TINY!r}, compile=False);"
    "model.predict(numpy.zeros((1, 1)), verbose=0)"
)


def tiny() -> None:
    """A tiny network, whole process: against importing what reading needs, and against Keras."""
    floor = cost([PYTHON, "-c", "import numpy, h5py, click"], runs=15)
    rows = [("import numpy, h5py, click", floor, 15)]
    for language in ("numpy", "latex", "python", "json", "sympy"):
        rows.append((f"nn2eq -f {language}", cost([NN2EQ, TINY, "-f", language], runs=15), 15))
    rows.append(("Keras: load and one predict", cost([PYTHON, "-c", KERAS], runs=2), 2))
    table(
        "A tiny network, whole process",
        ("what", "seconds", "MiB", "times the import"),
        [
            (what, f"{c.seconds:.3f}", f"{c.mebibytes:.0f}", f"{c.seconds / floor.seconds:.2f}")
            for what, c, _ in rows
        ],
    )


def deep() -> None:
    """4-16-16-16-1 tanh as one nested equation, and as SymPy expressions."""
    by_name = [NN2EQ, DEEP, "-f", "latex", "--form", "nested"]
    script = (
        f"import time, sympy, nn2eq; network = nn2eq.read({DEEP!r}); nn2eq.expressions; start = time.perf_counter();"
        "nn2eq.expressions(network); print(time.perf_counter() - start)"
    )
    seconds = float(subprocess.run([PYTHON, "-c", script], capture_output=True, text=True, check=True).stdout)
    rows = [
        ("nn2eq --form nested, by name, read back", f"{cost(by_name, runs=3).seconds:.2f}"),
        ("nn2eq.expressions(), after import", f"{seconds:.3f}"),
        ("SymPy: sum and tanh evaluated as it goes", f"{_sympy_evaluated():.1f}"),
    ]
    table("4-16-16-16-1 tanh, nested", ("what", "seconds"), rows)


def _sympy_evaluated() -> float:
    """Build the same expression the way people do: SymPy evaluates every sum and product."""
    import sympy

    import nn2eq

    network = nn2eq.read(DEEP)
    start = time.perf_counter()
    values = list(sympy.symbols("x1:5"))
    for layer in network.layers:
        if layer.weights:
            kernel, bias = layer.weights.values()
            values = [
                sum(float(w) * v for w, v in zip(column, values, strict=True)) + float(b)
                for column, b in zip(kernel.T, bias, strict=True)
            ]
            if len(layer.maps) > 1:
                values = [sympy.tanh(v) for v in values]
    return time.perf_counter() - start


def large() -> None:
    """256-1024-1024-1024-1024-16: conversion with its proof, import of the text, and its predict."""
    with tempfile.TemporaryDirectory() as folder:
        model = write_h5(Path(folder) / "large.h5", LARGE, "tanh")
        text = Path(folder) / "formula.py"
        converted = cost([NN2EQ, str(model), "-f", "numpy", "-o", str(text)], runs=2)
        imported = cost([PYTHON, "-c", f"import sys; sys.path.insert(0, {folder!r}); import formula"], runs=2)
        ratio = _predict_ratio(folder)
        table(
            f"{'-'.join(map(str, LARGE))}, 3.4 million weights",
            ("what", "seconds", "MiB"),
            [
                ("nn2eq -f numpy with its proof", f"{converted.seconds:.2f}", f"{converted.mebibytes:.0f}"),
                ("import of the text", f"{imported.seconds:.2f}", f"{imported.mebibytes:.0f}"),
                ("predict of the text, times a hand-written pass", f"{ratio:.2f}", ""),
            ],
        )


def _predict_ratio(folder: str) -> float:
    """Time the emitted predict and the shortest NumPy anyone would write, in turn, on a batch of 256."""
    script = f"""
import sys, time, numpy as np, nn2eq
sys.path.insert(0, {folder!r})
import formula
network = nn2eq.read({folder!r} + "/large.h5")
layers = [layer for layer in network.layers if layer.weights]
weights = [tuple(np.asarray(w, np.float64) for w in layer.weights.values()) for layer in layers]
def by_hand(x):
    for kernel, bias in weights[:-1]:
        x = np.tanh(x @ kernel + bias)
    return x @ weights[-1][0] + weights[-1][1]
x = np.random.default_rng(0).normal(size=(256, {LARGE[0]}))
assert np.allclose(by_hand(x), formula.predict(x))
best = [1e9, 1e9]
for _ in range(15):
    for which, run in enumerate((by_hand, formula.predict)):
        start = time.perf_counter(); run(x); best[which] = min(best[which], time.perf_counter() - start)
print(best[1] / best[0])
"""
    return float(subprocess.run([PYTHON, "-c", script], capture_output=True, text=True, check=True).stdout)


SUITES = {"tiny": tiny, "deep": deep, "large": large}

if __name__ == "__main__":
    for name in sys.argv[1:] or SUITES:
        SUITES[name]()
