"""What every form of a network has around its steps: the inputs, the outputs, and where the Program came from."""

from __future__ import annotations

import os
from typing import Any

from nn2eq.activations import Activation
from nn2eq.forms.program import Apply, Constant, Function, Program, Step, Value
from nn2eq.network import Network, Selected, numbered


def inputs_of(network: Network) -> Value:
    """Return the value x (inputs,) that a form begins with."""
    return Value("x", network.input_labels, "the inputs")


def outputs_of(network: Network, origin: str = "") -> Value:
    """Return the value y (outputs,) that a form ends with; origin: what it is, in words."""
    return Value("y", network.output_labels, origin)


def value_of(network: Network, letter: str, number: int, size: int, origin: str) -> Value:
    """Return a value as mathematics counts, z2 with the units z2_1 ... z2_n; the letter y is for the outputs."""
    if letter == "y":
        return Value("y", network.output_names or numbered("y", size), origin)
    parts = tuple(f"{letter}{number}_{unit}" for unit in range(1, size + 1))
    return Value(f"{letter}{number}", parts, origin)


def applied(out: Value, activation: Activation | Selected, arg: Value, number: int) -> Apply:
    """Return the step out = activation(arg); the constants of its units are called by its number."""
    if isinstance(activation, Selected):
        return Apply(out, activation.activation, arg, units=activation.units)
    per_unit = {key: Constant(f"{key}{number}", data) for key, data in activation.per_unit.items()}
    return Apply(out, activation, arg, per_unit)


def predicting(x: Value, y: Value, *steps: Step) -> Function:
    """Return the function `predict` from x to y."""
    return Function("predict", (x,), (y,), steps)


def program_of(network: Network, function: Function, layout: str, form: str, **more: Any) -> Program:
    """Return a form's Program, which names the file of its network; more: further fields of the Program."""
    return Program(
        (function,),
        layout,
        form,
        os.path.basename(network.source.file),
        network.source.sha256,
        one_for_all=network.one_for_all,
        **more,
    )
