"""One prediction in C, one thread, float32: nn2eq beside keras2c and Keras' model(x).

keras2c 2.0 is measured where KERAS2C names a folder with its C sources in `include/` (a clone of
github.com/f0uriest/keras2c) and its package beside them or installed:

    git clone https://github.com/f0uriest/keras2c && pip install --no-deps --target keras2c 'keras2c==2.0' 'pydantic<2'
    KERAS2C=keras2c python benchmarks/run.py c
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import NN2EQ, PYTHON, table
from networks import write_h5

SIZES = (8, 16, 32, 64, 128, 256)
TIMER = """
#include <stdio.h>
#include <time.h>
{declared}

static float x[{d}], y[1];

int main(void) {{
    double best = 1e9;
    for (int j = 0; j < {d}; ++j) x[j] = 0.01f * (float)j;
    for (int turn = 0; turn < 15; ++turn) {{
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        for (int k = 0; k < {repeats}; ++k) {{
            {call}
            x[0] += 1e-9f * y[0]; /* the next one has to wait for this one */
        }}
        clock_gettime(CLOCK_MONOTONIC, &b);
        const double took = ((double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec)) / {repeats};
        if (took < best) best = took;
    }}
    printf("%.9g\\n", 1e6 * best);
    return 0;
}}
"""
OURS = {"declared": "void predict(const float *x, float *y);", "call": "predict(x, y);"}
THEIRS = {
    "declared": '#include "model.h"',
    "call": "k2c_tensor in = {{x, 1, {d}, {{{d}, 1, 1, 1, 1}}}}, out = {{y, 1, 1, {{1, 1, 1, 1, 1}}}};\n"
    "            model(&in, &out);",
}
KERAS2C = """
import sys; sys.path.insert(0, {folder!r})
import keras, nn2eq; from keras2c import keras2c_main
Dense = keras.layers.Dense
model = keras.Sequential([keras.Input(({d},)), Dense({d}, "tanh"), Dense({d}, "tanh"), Dense(1)])
model.set_weights([w for layer in nn2eq.read({model!r}).layers for w in layer.weights.values()])
keras2c_main.model2c(model, "model", malloc=False, verbose=False)
"""
KERAS = """
import time, keras, numpy
model = keras.saving.load_model({model!r}, compile=False)
x = numpy.zeros((1, {d}), "float32")
best = 1e9
for _ in range(30):
    start = time.perf_counter(); model(x).numpy(); best = min(best, time.perf_counter() - start)
print(1e6 * best)
"""


def ours(model: Path, folder: Path, d: int, dtype: str = "float32") -> float:
    """Return the microseconds that a text of nn2eq takes."""
    subprocess.run(
        [NN2EQ, str(model), "-f", "c", "--dtype", dtype, "-o", "ours.c"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    real = "float" if dtype == "float32" else "double"
    timer = (
        TIMER.format(d=d, repeats=_repeats(d), **OURS)
        .replace("float *", f"{real} *")
        .replace("static float x", f"static {real} x")
    )
    return _timed(folder, timer, ["ours.c"])


def keras2c(model: Path, folder: Path, d: int) -> float | None:
    """Return the microseconds that a text of keras2c takes, None if it is not there."""
    place = os.environ.get("KERAS2C")
    if place is None:
        return None
    script = KERAS2C.format(folder=os.path.abspath(place), model=str(model), d=d)
    subprocess.run([PYTHON, "-c", script], cwd=folder, check=True, capture_output=True)
    if not (folder / "include").exists():
        (folder / "include").symlink_to(Path(place).resolve() / "include")
    sources = ["model.c", *(str(path) for path in sorted((folder / "include").glob("*.c")))]
    call = {
        key: text.replace("{{", "{").replace("}}", "}").replace("{d}", str(d)) for key, text in THEIRS.items()
    }
    return _timed(folder, TIMER.format(d=d, repeats=_repeats(d), **call), sources)


def keras(model: Path, d: int) -> float:
    """Return the microseconds of Keras' model(x)."""
    done = subprocess.run(
        [PYTHON, "-c", KERAS.format(model=str(model), d=d)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def _repeats(d: int) -> int:
    return max(20, 4_000_000 // (d * d))


def _timed(folder: Path, timer: str, sources: list[str]) -> float:
    (folder / "timer.c").write_text(timer)
    build = [
        "gcc",
        "-O3",
        "-std=c99",
        "-D_POSIX_C_SOURCE=200809L",
        "-I.",
        "timer.c",
        *sources,
        "-o",
        "timer",
        "-lm",
    ]
    subprocess.run(build, cwd=folder, check=True, capture_output=True)
    return float(subprocess.run(["./timer"], cwd=folder, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure tanh networks d-d-d-1."""
    rows = []
    for d in SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            model = write_h5(folder / "model.h5", (d, d, d, 1), "tanh")
            mine, double, peer, python = (
                ours(model, folder, d),
                ours(model, folder, d, "float64"),
                keras2c(model, folder, d),
                keras(model, d),
            )
        times = f"{peer / mine:.1f}" if peer else "-"
        rows.append(
            (
                f"{d}-{d}-{d}-1",
                f"{d * d * 2 + 3 * d + 1:,}",
                f"{peer:.2f}" if peer else "-",
                f"{mine:.2f}",
                times,
                f"{double:.2f}",
                f"{python:.0f}",
            )
        )
    head = (
        "tanh network",
        "parameters",
        "keras2c 2.0",
        "nn2eq float32",
        "times faster",
        "nn2eq float64",
        "Keras model(x)",
    )
    table("C: microseconds for one input, gcc -O3, one thread", head, rows)
    if "KERAS2C" not in os.environ:
        print("\nkeras2c was not measured: KERAS2C names no folder (see this file).", file=sys.stderr)


if __name__ == "__main__":
    main()
