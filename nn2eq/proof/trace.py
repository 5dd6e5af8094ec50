"""Every named value of a network at given inputs: pre-activations and activations, named as in the texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.program import Program, Value
from nn2eq.forms.straight import matrix
from nn2eq.network import Network

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One number on the way from x to y: its name (`z1_3`), the layers it is of (untrusted text), itself."""

    name: str
    origin: str
    number: float


def trace(network: Network, x: Array, *, fold: bool = True) -> list[Row]:
    """Return every named value at one input x (inputs,), in the order in which they are computed."""
    program = matrix(network, fold=fold)
    values = program.values(np.asarray(x, dtype=np.float64).reshape(1, -1))
    return [
        Row(name, value.origin, float(number))
        for value in named(program)
        for name, number in zip(value.parts, values[value.name][0], strict=True)
    ]


def named(program: Program) -> tuple[Value, ...]:
    """Return the values of `predict` in order: the arguments, then what each step gives."""
    return (*program.predict.arguments, *(step.out for step in program.predict.steps))
