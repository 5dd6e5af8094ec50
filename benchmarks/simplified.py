"""Simplified formulas: every shipped model, and beside a fit of symbolic regression at the same error.

pyoperon is not installed with nn2eq: `pip install pyoperon` into some environment, and name its Python in
PYOPERON_PYTHON. It is given the network's answers on [-1, 1] and finds a front of formulas, ever longer and ever
nearer; each is held against ours at the very error that it has, both in characters of LaTeX.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sympy
from measure import ROOT, table

from nn2eq.conversion import Request, convert
from nn2eq.domain import known_domain
from nn2eq.emit import emit
from nn2eq.errors import BadRequest
from nn2eq.forms.program import Program
from nn2eq.forms.simplified import simplified
from nn2eq.forms.straight import layered, nested
from nn2eq.network import Network
from nn2eq.reading import read

MODELS = sorted((ROOT / "models").glob("*.keras"))
FIT = ROOT / "models" / "dense_1-10-2-1_tanh.keras"
WANTED = 150
SECONDS = 5.0
EVALUATIONS = int(os.environ.get("PYOPERON_EVALUATIONS", "2000000"))
COMPARED = 6
"""Formulas of its front that ours are held against."""

PYOPERON = """
import json, sys
import numpy as np
from pyoperon.sklearn import SymbolicRegressor
arrays = np.load(sys.argv[1])
found = SymbolicRegressor(
    allowed_symbols="add,sub,mul,div,square,sin,exp,tanh,constant,variable", max_length=50, max_depth=12,
    population_size=1000, generations=100000, max_evaluations=int(sys.argv[2]), optimizer_iterations=5,
    objectives=["mse", "length"], n_threads=2, random_state=0,
).fit(arrays["x"], arrays["y"])
print(json.dumps([found.get_model_string(each["tree"], 6) for each in found.pareto_front_]))
"""


@dataclass(frozen=True)
class Found:
    """A formula: its characters in LaTeX, and its largest error at samples."""

    text: str
    error: float


def main() -> None:
    """Print the tables; fail where the fit is longer or slower than it may be, or a peer's is shorter."""
    shipped()
    wrong = the_fit()
    wrong |= beside_symbolic_regression()
    if wrong:
        sys.exit("a formula is longer, or took longer, than it may")


def characters(program: Program) -> int:
    """Count the characters of the LaTeX, without the comments in front of it."""
    text = str(emit(program, "latex"))
    return sum(len(line) for line in text.splitlines(keepends=True) if line[0] != "%")


def shipped() -> None:
    """Every shipped model within a thousandth of its range, on the domain of its data or on [-1, 1]^n."""
    rows = []
    for path in MODELS:
        network = read(str(path))
        domain = known_domain(network) or ((-1.0, 1.0),) * network.inputs
        start = time.perf_counter()
        program = simplified(network, domain=domain)
        seconds = time.perf_counter() - start
        exact = min(characters(form(network)) for form in (nested, layered))
        rows.append(
            (
                path.stem.removeprefix("dense_"), f"{exact:,}", f"{characters(program):,}",
                f"{program.told['tolerance']:.3g}", f"{program.proved:.3g}", f"{program.observed:.3g}",
                f"{seconds:.2f}", *program.notes[:1],
            )
        )  # fmt: skip
    head = ("model", "characters", "simplified", "tolerance", "proved", "observed", "seconds", "what it is")
    table("Every shipped model within a thousandth of its range", head, rows)


def the_fit() -> bool:
    """1-10-2-1 tanh on [-1, 1] within 0.001, in LaTeX that is read back and checked; whether it is too long."""
    network = read(str(FIT))
    start = time.perf_counter()
    shape = {"domain": "-1:1", "tolerance": "1e-3", "seconds": repr(SECONDS)}
    conversion = convert(network, Request(form="simplified", shape=shape))
    seconds = time.perf_counter() - start
    count, program = characters(conversion.program), conversion.program
    row = (
        f"{count}",
        f"{WANTED}",
        f"{program.proved:.4g}",
        f"{program.observed:.4g}",
        f"{seconds:.2f}",
        f"{SECONDS:g}",
    )
    table(
        "1-10-2-1 tanh on [-1, 1] within 0.001",
        ("characters", "at most", "proved", "observed", "seconds", "under"), [row],
    )  # fmt: skip
    print("\n".join(line for line in str(conversion.text).splitlines() if line[0] != "%"))
    return count > WANTED or program.proved > 1e-3 or seconds > SECONDS


# ------------------------------------------------------------------------------------------------- the peer


def beside_symbolic_regression() -> bool:
    """Hold ours against each formula that pyoperon finds, at its own error; whether one of its is shorter."""
    python = os.environ.get("PYOPERON_PYTHON")
    if python is None:
        print("\npyoperon: not asked, PYOPERON_PYTHON is not set")
        return False
    network, rows, longer = read(str(FIT)), [], False
    front = sorted(fits(network, python), key=lambda found: -found.error)
    near = [found for found in front if found.error < 0.1]
    places = np.unique(np.linspace(0, len(near) - 1, COMPARED).astype(int)) if near else ()
    for found in (near[place] for place in places):
        try:
            mine = simplified(network, found.error, (-1.0, 1.0))
        except BadRequest:
            continue
        ours, theirs = characters(mine), len(found.text)
        longer |= ours > theirs
        rows.append((f"{found.error:.4g}", f"{theirs}", f"{ours}", f"{mine.proved:.4g}"))
    table("1-10-2-1 tanh on [-1, 1] at the same error", ("error", "pyoperon", "nn2eq", "proved"), rows)
    return longer


def fits(network: Network, python: str) -> Iterator[Found]:
    """Yield the formulas that pyoperon finds, as LaTeX in the same surroundings as ours."""
    x = np.linspace(-1.0, 1.0, 400)[:, None]
    with tempfile.TemporaryDirectory() as folder:
        script, arrays = Path(folder, "run.py"), Path(folder, "data.npz")
        script.write_text(PYOPERON)
        np.savez(arrays, x=x, y=network.evaluate(x)[:, 0])
        command = [python, str(script), str(arrays), str(EVALUATIONS)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    fine = np.linspace(-1.0, 1.0, 20_001)
    answers = network.evaluate(fine[:, None])[:, 0]
    name = sympy.Symbol("x")
    for text in json.loads(done.stdout.splitlines()[-1]):
        formula = rounded(sympy.sympify(text.replace("^", "**"), locals={"X1": name}))
        values = np.broadcast_to(np.asarray(sympy.lambdify(name, formula, "numpy")(fine)), fine.shape)
        error = float(np.abs(values - answers).max())
        if np.isfinite(error):
            yield Found(f"\\begin{{align*}}\ny &= {shown(formula)}\n\\end{{align*}}\n", error)


def rounded(formula: sympy.Expr) -> sympy.Expr:
    """Round its numbers to four digits."""
    return formula.xreplace({number: sympy.Float(number, 4) for number in formula.atoms(sympy.Float)})


def shown(formula: sympy.Expr) -> str:
    """Write a formula as short as SymPy can."""
    return min((str(sympy.latex(each)) for each in (formula, rounded(sympy.expand(formula)))), key=len)


if __name__ == "__main__":
    main()
