"""Texts for CasADi: the function that they build is evaluated over all samples at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import Disagreement, text_fails
from nn2eq.proof.outside import library
from nn2eq.proof.python_code import attempt, executed
from nn2eq.proof.runners import Answer

Array = NDArray[np.float64]


def run(text: str, x: Array, name: str = "predict") -> Answer:
    """Build a text's function and evaluate it at x (n, inputs), and what it names on the way."""
    casadi = library("casadi", "casadi")
    found = executed(text)
    predict = found.get(name)
    if not isinstance(predict, casadi.Function):
        raise Disagreement(f"the text defines no casadi.Function {name}", code="text-fails")
    if predict.size1_in(0) != x.shape[1]:
        raise text_fails(f"it takes {predict.size1_in(0)} numbers")
    answers = attempt(lambda: predict(x.T))
    columns = [one.full().T for one in (answers if isinstance(answers, tuple) else (answers,))]
    return Answer(np.concatenate(columns, axis=1), attempt(lambda: _named(casadi, found, x)))


def _named(casadi: Any, found: dict[str, Any], x: Array) -> dict[str, Array]:
    """Return the values of the expressions that a text of ours gives names to."""
    inputs = found.get("inputs")
    named = {key: value for key, value in found.items() if isinstance(value, casadi.SX | casadi.MX)}
    if inputs is None or not named:
        return {}
    values = casadi.Function("values", [inputs], list(named.values()))(x.T)
    columns = [values] if len(named) == 1 else values
    arrays = (column.full().T for column in columns)
    return {
        key: array[:, 0] if array.shape[1] == 1 else array for key, array in zip(named, arrays, strict=True)
    }
