"""Texts in SMT-LIB, solved by z3 with their inputs given: the answer is exact, and there is no other."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import Disagreement, text_fails
from nn2eq.proof.outside import library
from nn2eq.proof.python_code import attempt
from nn2eq.proof.runners import Answer

Array = NDArray[np.float64]
PATIENCE = 60
"""Seconds that one question may take."""
_SAID = re.compile(r"^; inputs: (.+?); outputs: (.+)$", re.MULTILINE)


def run(text: str, x: Array, name: str = "") -> Answer:
    """Solve a text at each x (n, inputs). Raises Disagreement if it has no answer somewhere, or several."""
    z3 = library("z3", "smtlib")
    said = _SAID.search(text)
    if said is None:
        raise text_fails("it does not say what its inputs are")
    inputs, outputs = (names.split(", ") for names in said.groups())
    if len(inputs) != x.shape[1]:
        raise text_fails(f"it takes {len(inputs)} numbers")
    logic = "qfnra" if "(set-logic QF_NRA)" in text else "qflra"
    solver = z3.Then("simplify", "propagate-values", "solve-eqs", logic).solver()  # layer by layer, no search
    attempt(lambda: solver.from_string(text))
    rows = [_solved(z3, solver, inputs, outputs, row) for row in x.tolist()]
    values = {key: np.array([row[key] for row in rows]) for key in rows[0]} if rows else {}
    return Answer(np.stack([values[key] for key in outputs], axis=1), values)


def _solved(
    z3: Any, solver: Any, inputs: list[str], outputs: list[str], row: list[float]
) -> dict[str, float]:
    """Return the value of every name of a text, the inputs being given."""
    solver.push()
    try:
        solver.add(
            [z3.Real(key) == z3.RealVal(str(Fraction(value))) for key, value in zip(inputs, row, strict=True)]
        )
        if _decided(z3, solver) != z3.sat:
            raise text_fails("nothing answers to some inputs")
        model = solver.model()
        found = {str(name): _number(model[name]) for name in model.decls() if name.arity() == 0}
        if missing := [key for key in outputs if key not in found]:
            raise text_fails(f"it says nothing of {missing[0]!a:.80}")
        solver.add(z3.Or([z3.Real(key) != model.eval(z3.Real(key)) for key in outputs]))
        if _decided(z3, solver) != z3.unsat:
            raise text_fails("several answers fit the same inputs")
        return found
    finally:
        solver.pop()


def _decided(z3: Any, solver: Any) -> Any:
    """Return whether there is an answer. Raises Disagreement if z3 cannot tell in time."""
    solver.set("timeout", PATIENCE * 1000)
    found = solver.check()
    if found == z3.unknown:
        what = f"z3 does not tell whether there is an answer within {PATIENCE} s"
        raise Disagreement(what, code="text-fails")
    return found


def _number(value: Any) -> float:
    exact = value.as_fraction()
    return float(Fraction(exact.numerator, exact.denominator))
