"""SymPy texts, run in this process: the expressions that they build are evaluated over all samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.expressions import evaluate_expressions
from nn2eq.proof.python_code import attempt, executed
from nn2eq.proof.runners import Answer

Array = NDArray[np.float64]


def run(text: str, x: Array, name: str = "") -> Answer:
    """Build a text's expressions, and evaluate its outputs and what its steps name."""
    return Answer(*attempt(lambda: _evaluated(executed(text), x)))


def _evaluated(found: dict[str, Any], x: Array) -> tuple[Array, dict[str, Array]]:
    inputs = [symbol.name for symbol in found["inputs"]]
    steps = {symbol.name: expression for symbol, expression in found.get("steps", ())}
    symbols = [symbol for symbol, _ in found.get("steps", ())]
    wanted = [*found["outputs"], *found.get("jacobian", ())]
    wanted += [entry for matrix in found.get("hessian", ()) for entry in matrix]
    values = evaluate_expressions([*wanted, *symbols], x, inputs, steps)
    outputs = len(wanted)
    return values[:, :outputs], dict(zip(steps, values[:, outputs:].T, strict=True))
