"""Derivatives in x: how long their text takes, what they cost beside the network, and SymPy's as a baseline."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measure import table
from networks import write_h5

from nn2eq.emit import LANGUAGES, content, emit, emitter
from nn2eq.errors import CannotEmit, TooLarge
from nn2eq.forms.gradient import gradient
from nn2eq.reading import read

SIZES = (8, 64, 64, 64, 1)
BATCH, RUNS = 1000, 100
PATIENCE = 60.0
SYMPY = """
import nn2eq, sympy, sys
[y] = nn2eq.expressions(nn2eq.read(sys.argv[1]))
[y.diff(x) for x in sorted(y.free_symbols, key=str)]
"""


def main() -> None:
    """Print the tables."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = write_h5(Path(folder) / "network.h5", SIZES, "tanh")
        _texts(path)
        _runs(path)
        _in_c(path, Path(folder))


def _texts(path: Path) -> None:
    network, rows = read(str(path)), []
    for language in LANGUAGES:
        for layout in emitter(language).derivatives:
            program = gradient(network, layout=layout)
            try:
                size = len(content(program, language))
            except (TooLarge, CannotEmit) as error:
                rows.append((language, layout, f"refused: {error.code}", "-"))
                continue
            seconds = min(_seconds(lambda: content(program, language)) for _ in range(2))  # noqa: B023 - at once
            rows.append((language, layout, f"{seconds:.3f}", f"{size:,}"))
    rows.append(("SymPy's diff", "nested", _sympy(path), "-"))
    title = f"The Jacobian of {'-'.join(map(str, SIZES))} tanh"
    table(title, ("language", "layout", "seconds", "characters, bytes"), rows)


def _sympy(path: Path) -> str:
    """Differentiate the nested expression as SymPy does, for as long as patience lasts."""
    start = time.perf_counter()
    try:
        subprocess.run(
            [sys.executable, "-c", SYMPY, str(path)], check=True, capture_output=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return f"not within {PATIENCE:.0f}"
    except subprocess.CalledProcessError as error:
        return f"fails: {error.stderr.decode().strip().splitlines()[-1][:60]}"
    return f"{time.perf_counter() - start:.1f}"


def _runs(path: Path) -> None:
    """Run the NumPy text on a batch, the network alone and with its Jacobian."""
    found: dict[str, Any] = {}
    exec(emit(gradient(read(str(path))), "numpy"), found)
    x = np.random.default_rng(0).normal(size=(BATCH, SIZES[0]))
    times = {
        name: min(_seconds(lambda: found[name](x)) for _ in range(RUNS))  # noqa: B023 - at once
        for name in ("predict", "predict_and_jacobian")
    }
    rows = [(name, f"{1e3 * t:.2f}", f"{t / times['predict']:.2f}") for name, t in times.items()]
    table(f"A batch of {BATCH:,} in NumPy", ("function", "ms", "times predict"), rows)


TIMES = r"""
#include <stdio.h>
#include <time.h>
#include "text.c"
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + 1e-9 * t.tv_nsec; }
int main(void) {
    double x[PREDICT_INPUTS] = {0}, y[PREDICT_OUTPUTS], j[PREDICT_OUTPUTS * PREDICT_INPUTS], best[2] = {1e9, 1e9};
    for (int run = 0; run < 1000; ++run) {
        const double start = now();
        for (int k = 0; k < 50; ++k) { x[0] = 1e-3 * k; predict(x, y); }
        const double middle = now();
        for (int k = 0; k < 50; ++k) { x[0] = 1e-3 * k; predict_and_jacobian(x, y, j); }
        const double end = now();
        best[0] = middle - start < best[0] ? middle - start : best[0];
        best[1] = end - middle < best[1] ? end - middle : best[1];
    }
    printf("%.9g %.9g\n", best[0] / 50, best[1] / 50);
}
"""


def _in_c(path: Path, folder: Path) -> None:
    """Run the C text sample by sample, the network alone and with its Jacobian."""
    (folder / "text.c").write_text(emit(gradient(read(str(path))), "c"))
    (folder / "times.c").write_text(TIMES)
    subprocess.run(["gcc", "-std=gnu99", "-O2", "times.c", "-o", "times", "-lm"], cwd=folder, check=True)
    done = subprocess.run([folder / "times"], check=True, capture_output=True, text=True)
    times = dict(zip(("predict", "predict_and_jacobian"), map(float, done.stdout.split()), strict=True))
    rows = [(name, f"{1e6 * t:.2f}", f"{t / times['predict']:.2f}") for name, t in times.items()]
    table("A sample in C, gcc -O2", ("function", "µs", "times predict"), rows)


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
