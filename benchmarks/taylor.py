"""Taylor polynomials: how long they take, how exact they are, beside arb_series, SymPy, JAX where it is."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from flint import arb, arb_series, ctx
from measure import PYTHON, ROOT, table
from networks import write_h5
from numpy.typing import NDArray

from nn2eq.forms.taylor import expand
from nn2eq.network import Affine, Network
from nn2eq.reading import read

Array = NDArray[np.float64]
SMALL = str(ROOT / "models" / "dense_1-10-2-1_tanh.keras")
DEEP = str(ROOT / "models" / "dense_4-16-16-16-1_tanh.keras")
PATIENCE = 60.0
"""Seconds that a peer is waited for."""

SYMPY = """
import sys, time, itertools, sympy, nn2eq
network = nn2eq.read(sys.argv[1])
expression = nn2eq.expressions(network)[0]
start = time.perf_counter()
symbols, at = sorted(expression.free_symbols, key=str), {{}}
found, layer = {{(): expression}}, {{(): expression}}
for order in range({order}):
    layer = {{
        key + (k,): sympy.diff(e, symbols[k])
        for key, e in layer.items() for k in range(len(symbols)) if k >= (key or (0,))[-1]
    }}
    found |= layer
values = [e.subs({{s: 0.0 for s in symbols}}).evalf() for e in found.values()]
print(time.perf_counter() - start)
"""
JET = """
import sys, time, jax, numpy, nn2eq
from jax.experimental.jet import jet
jax.config.update("jax_enable_x64", True)
network = nn2eq.read(sys.argv[1])
weights = [(m.kernel.astype(float), m.bias.astype(float)) for m in network.maps if hasattr(m, "kernel")]
def answer(x):
    for number, (kernel, bias) in enumerate(weights):
        x = x @ kernel + bias
        x = jax.numpy.tanh(x) if number < len(weights) - 1 else x
    return x
series = [numpy.ones(1)] + [numpy.zeros(1)] * 19
for _ in range(2):
    start = time.perf_counter()
    jax.block_until_ready(jet(answer, (numpy.zeros(1),), (series,)))
    print(time.perf_counter() - start)
"""


def main() -> None:
    """Print one table for one input and one for several."""
    one_input()
    several_inputs()


FIRST = """
import sys, time, numpy, nn2eq
from nn2eq.forms.taylor import expand
network, order = nn2eq.read(sys.argv[1]), int(sys.argv[2])
start = time.perf_counter()
expand(network, numpy.zeros(network.inputs), order)
print(time.perf_counter() - start)
"""


def first_call(model: str, order: int, runs: int = 7) -> float:
    """Return the seconds of the first call in a fresh process; the quickest is the one least disturbed."""
    command = [PYTHON, "-c", FIRST, model, str(order)]
    done = (subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(runs))
    return min(float(run.stdout) for run in done)


def best(work: Callable[[], object], runs: int = 20) -> float:
    """Return the seconds of the quickest run."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def one_input() -> None:
    """1-10-2-1 tanh, order 20 at 0."""
    network = read(SMALL)
    found = expand(network, np.zeros(1), 20)[:, 0]
    exact = np.array([float(c.mid()) for c in by_arb(network, 20, 60).coeffs()])
    error = np.abs(found - exact).max() / np.abs(exact).max()
    rows = [
        ("nn2eq, first call", milliseconds(first_call(SMALL, 20)), f"{error:.1e}"),
        ("nn2eq, later calls", milliseconds(best(lambda: expand(network, np.zeros(1), 20))), f"{error:.1e}"),
        ("arb_series, 16 digits", milliseconds(best(lambda: by_arb(network, 20, 16))), "ball"),
        ("SymPy, repeated diff, order 5", process(SYMPY.format(order=5), SMALL), ""),
        *(
            ("JAX jet, first and later call", process(JET, SMALL), "")
            for _ in [0]
            if importlib.util.find_spec("jax")
        ),
    ]
    table("1-10-2-1 tanh, order 20 at 0", ("what", "milliseconds", "error, of the largest term"), rows)


def several_inputs() -> None:
    """Orders in all inputs of deeper networks."""
    with tempfile.TemporaryDirectory() as folder:
        wide = str(write_h5(Path(folder) / "wide.h5", (8, 64, 64, 64, 1), "tanh"))
        rows = [_several("4-16-16-16-1", DEEP, 4), _several("8-64-64-64-1", wide, 3)]
    rows.append(
        ("SymPy, repeated diff, 4-16-16-16-1, order 2", "15", process(SYMPY.format(order=2), DEEP), "")
    )
    table("Several inputs, tanh", ("what", "coefficients", "milliseconds, first", "later"), rows)


def _several(what: str, model: str, order: int) -> tuple[str, str, str, str]:
    network = read(model)
    at = np.zeros(network.inputs)
    terms = len(expand(network, at, order))
    later = best(lambda: expand(network, at, order))
    return (
        f"nn2eq, {what}, order {order}",
        str(terms),
        milliseconds(first_call(model, order)),
        milliseconds(later),
    )


def milliseconds(seconds: float) -> str:
    """Write milliseconds with three digits."""
    return f"{1000 * seconds:.3g}"


def process(script: str, model: str) -> str:
    """Run a peer in a process of its own; it prints seconds."""
    try:
        done = subprocess.run([PYTHON, "-c", script, model], capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"not within {1000 * PATIENCE:,.0f}"
    if done.returncode:
        sys.stderr.write(done.stderr)
        return "failed"
    return ", ".join(milliseconds(float(line)) for line in done.stdout.split())


def by_arb(network: Network, order: int, digits: int) -> arb_series:
    """Expand a tanh network of one input and one output at 0 by Arb's own power series."""
    ctx.dps, ctx.cap = digits, order + 1
    values = [arb_series([0, 1])]
    for step in network.maps:
        if isinstance(step, Affine):
            kernel = step.kernel.astype(np.float64)
            values = [
                sum((arb(w) * v for w, v in zip(column, values, strict=True)), arb_series([arb(b)]))
                for column, b in zip(
                    kernel.T.tolist(), np.asarray(step.bias, dtype=np.float64).tolist(), strict=True
                )
            ]
        else:
            values = [1 - 2 / ((2 * v).exp() + 1) for v in values]
    return values[0]


if __name__ == "__main__":
    main()
