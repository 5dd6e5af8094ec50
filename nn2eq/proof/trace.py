"""Every named value of a network at given inputs: pre-activations and activations, named as in the texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.program import Affine, Apply, Program, Step, Value
from nn2eq.forms.straight import matrix
from nn2eq.network import Network

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Factor:
    """A coefficient, and the named value that it multiplies."""

    coefficient: float
    name: str
    number: float


@dataclass(frozen=True)
class Row:
    """One number on the way from x to y: its name (`z1_3`), the layers it is of (untrusted text), itself.

    How it comes about: factors and offset, their products added up; or function (a row of the table of
    activations), applied to args, of which it is unit `unit` (from 1) if they are several.
    """

    name: str
    origin: str
    number: float
    factors: tuple[Factor, ...] = ()
    offset: float | None = None
    function: str = ""
    args: tuple[float, ...] = ()
    unit: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        plain: dict[str, Any] = {"name": self.name, "origin": self.origin, "value": self.number}
        if self.factors or self.offset is not None:
            sums = [{"coefficient": f.coefficient, "name": f.name, "value": f.number} for f in self.factors]
            return plain | {"sum": sums, "offset": self.offset}
        if self.function:
            return (
                plain
                | {"function": self.function, "args": self.args}
                | ({"unit": self.unit} if self.unit else {})
            )
        return plain


def trace(network: Network, x: Array, *, fold: bool = True) -> list[Row]:
    """Return every named value at one input x (inputs,), in the order in which they are computed."""
    program = matrix(network, fold=fold)
    values = program.values(np.asarray(x, dtype=np.float64).reshape(1, -1))
    found = {name: answer[0] for name, answer in values.items()}
    rows = [
        Row(name, value.origin, float(number))
        for value in program.predict.arguments
        for name, number in zip(value.parts, found[value.name], strict=True)
    ]
    return [*rows, *(row for step in program.predict.steps for row in _rows(step, found))]


def _rows(step: Step, found: Mapping[str, Array]) -> Iterator[Row]:
    for unit, (name, number) in enumerate(zip(step.out.parts, found[step.out.name].tolist(), strict=True)):
        if isinstance(step, Affine):
            offset = None if step.offset is None else float(step.offset.data[unit])
            yield Row(name, step.out.origin, number, tuple(_factors(step, unit, found)), offset)
        else:
            assert isinstance(step, Apply), "the matrix form has no other steps"
            yield _applied(step, unit, Row(name, step.out.origin, number), found[step.arg.name])


def _factors(step: Affine, unit: int, found: Mapping[str, Array]) -> Iterator[Factor]:
    for term in step.terms:
        values, data = found[term.arg.name].tolist(), term.matrix.data.astype(np.float64)
        if data.ndim == 1:
            yield Factor(float(data[unit]), term.arg.parts[unit], values[unit])
            continue
        for coefficient, name, value in zip(data[:, unit].tolist(), term.arg.parts, values, strict=True):
            yield Factor(coefficient, name, value)


def _applied(step: Apply, unit: int, row: Row, args: Array) -> Row:
    if step.units and unit not in step.units:
        return Row(row.name, row.origin, row.number, (Factor(1.0, step.arg.parts[unit], float(args[unit])),))
    function = step.activation.row.name
    if not step.activation.row.coupled:
        return Row(row.name, row.origin, row.number, function=function, args=(float(args[unit]),))
    size = len(args) // step.activation.groups
    group, within = divmod(unit, step.activation.outputs(size))
    own = tuple(args[group * size : (group + 1) * size].tolist())
    return Row(row.name, row.origin, row.number, function=function, args=own, unit=within + 1)


def named(program: Program) -> tuple[Value, ...]:
    """Return the values of `predict` in order: the arguments, then what each step gives."""
    return (*program.predict.arguments, *(step.out for step in program.predict.steps))
