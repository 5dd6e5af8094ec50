"""Texts for Pyomo: the inputs are given, and every variable has the value that the text leaves it.

That each has one is looked at: an equation says it in terms of what is known before, or limits do that leave
exactly one number, whichever way a switch is thrown. So nothing but the inputs is left open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import text_fails
from nn2eq.proof.outside import library
from nn2eq.proof.python_code import attempt, function
from nn2eq.proof.runners import Answer

Array = NDArray[np.float64]
_CLOSE = 1e-9
"""How far limits may be apart, or cross, by rounding: relative to what they are."""


RESULTS = ("y", "jacobian", "hessian")
"""What the variables of a text's results are called."""


@dataclass
class _Said:
    """What is said of a variable: what it equals, or what it is at least and at most, by a switch or without."""

    variable: Any
    equals: Any = None
    least: list[Any] = field(default_factory=list)
    most: list[Any] = field(default_factory=list)
    switch: Any = None


def run(text: str, x: Array, name: str = "") -> Answer:
    """Add a text's network to a model, and answer at x (n, inputs). Raises Disagreement if it does not say."""
    environ = library("pyomo.environ", "pyomo")
    model = environ.ConcreteModel()
    add_network = function(text, "add_network")
    attempt(lambda: add_network(model))
    inputs = attempt(lambda: [model.x[k] for k in sorted(model.x)])
    if len(inputs) != x.shape[1]:
        raise text_fails(f"it takes {len(inputs)} numbers")
    said = _said(environ, model, inputs)
    rows = [_solved(inputs, said, row) for row in x.tolist()]
    values = {key: np.array([row[key] for row in rows]) for key in (rows[0] if rows else {})}
    results = [found for name in RESULTS if (found := model.component(name)) is not None]
    outputs = [result[place].name for result in results for place in result]
    return Answer(np.stack([values[key] for key in outputs], axis=1), _by_unit(values))


def _said(environ: Any, model: Any, inputs: list[Any]) -> list[_Said]:
    """Return what is said of each variable, in an order in which all can be computed."""
    used = library("pyomo.core.expr", "pyomo").identify_variables
    known = {id(variable) for variable in inputs}
    found: dict[int, _Said] = {}
    for constraint in model.component_data_objects(environ.Constraint, active=True):
        small, large = constraint.expr.args
        variable = next((arg for arg in (small, large) if _is_new(arg, known, found)), None)
        if variable is None:
            raise text_fails(f"{constraint.name} does not say what one new variable is")
        other = large if variable is small else small
        said = found.setdefault(id(variable), _Said(variable))
        for part in used(other):
            if part.is_binary() and said.switch in (None, part):
                said.switch = part
            elif id(part) not in known or part is variable:
                raise text_fails(f"{constraint.name} uses what is not known yet")
        if constraint.equality:
            said.equals = other
        else:
            (said.most if variable is small else said.least).append(other)
        known.add(id(variable))
    switches = {id(said.switch) for said in found.values()}
    for variable in model.component_data_objects(environ.Var):
        if id(variable) not in known | switches:
            raise text_fails(f"nothing says what {variable.name} is")
    return list(found.values())


def _is_new(arg: Any, known: set[int], found: Mapping[int, _Said]) -> bool:
    """Whether a side of a constraint is the variable of which it says something."""
    if not hasattr(arg, "is_variable_type") or not arg.is_variable_type():
        return False
    return id(arg) not in known or (id(arg) in found and found[id(arg)].equals is None)


def _solved(inputs: list[Any], equations: list[_Said], row: list[float]) -> dict[str, float]:
    """Return the value of every variable by its name."""
    for variable, number in zip(inputs, row, strict=True):
        variable.set_value(number, skip_validation=True)
    for said in equations:
        value = _between(said) if said.equals is None else _value(said.equals)
        said.variable.set_value(value, skip_validation=True)
    return {said.variable.name: said.variable.value for said in equations}


def _between(said: _Said) -> float:
    """Return the one number that limits leave. Raises Disagreement if there is none, or are several."""
    left = [limits for limits in _limits(said) if limits[1] - limits[0] >= -_CLOSE * max(1.0, abs(limits[0]))]
    if not left:
        raise text_fails(f"nothing is left for {said.variable.name}")
    low, high = min(low for low, _ in left), max(high for _, high in left)
    if not high - low <= _CLOSE * max(1.0, abs(low)):
        raise text_fails(f"{said.variable.name} may be anything from {low:.6g} to {high:.6g}")
    return low


def _limits(said: _Said) -> Iterator[tuple[float, float]]:
    """Yield what a variable is at least and at most, for each way a switch can be thrown."""
    for thrown in (0, 1) if said.switch is not None else (0,):
        if said.switch is not None:
            said.switch.set_value(thrown)
        least = max(map(_value, said.least), default=-np.inf)
        yield least, min(map(_value, said.most), default=np.inf)


def _value(expression: Any) -> float:
    try:
        return float(expression() if callable(expression) else expression)
    except OverflowError:  # what float64 calls infinite, Python's exp refuses
        return float("inf")
    except (ValueError, ZeroDivisionError):
        return float("nan")


def _by_unit(values: Mapping[str, Array]) -> dict[str, Array]:
    """Call the values as the texts of other languages do: z1[2] is z1_2."""
    return {key.replace("[", "_").rstrip("]"): value for key, value in values.items()}
