"""A worked example of the backward pass: one input and its answer, and the number that each equation comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.latex.numbers import spelled
from nn2eq.emit.latex.pieces import Equation, symbol
from nn2eq.emit.latex.symbolic.backward import Backward
from nn2eq.emit.latex.symbolic.links import Link
from nn2eq.emit.latex.weights import matrix
from nn2eq.forms.backprop import Passes, passes
from nn2eq.forms.program import Program

Array = NDArray[np.float64]
SHOWN = 6
"""Significant digits of a number that is shown."""


def worked(program: Program, made: Backward, blocks: list[list[Equation]]) -> list[list[Equation]]:
    """Give the input and its answer, and behind each equation what it comes to."""
    naming = made.naming
    given = dict(zip(naming.units(0), program.told["at"], strict=True))
    given |= dict(zip(made.targets, program.told.get("target", ()), strict=False))
    texts = made.calls.numbers.written(np.array(list(given.values())))
    start = [Equation(symbol(name), symbol(text)) for name, text in zip(given, texts, strict=True)]
    values = dict(_values(program, made))
    return [start, *([_with(values, equation) for equation in block] for block in blocks)]


def _with(values: Mapping[str, str], equation: Equation) -> Equation:
    value = values.get(_bare(equation.left.text))
    if value is None:
        return equation
    right = equation.right
    return Equation(
        equation.left, right._replace(text=rf"{right.text} \approx {value}", width=right.width + 60)
    )


def _bare(text: str) -> str:
    """Return a left-hand side without its colour."""
    return text.partition("}{")[2][:-1] if text.startswith(r"\textcolor") else text


def decimal(value: float) -> str:
    """Write a number with a few digits."""
    text = spelled(f"{abs(value):.{SHOWN}g}")
    return f"-{text}" if value < 0 else text


def _array(data: Array) -> str:
    """Write a matrix of numbers with a few digits; one number by itself."""
    if data.size == 1:
        return decimal(float(data.ravel()[0]))
    return matrix((" & ".join(map(decimal, row)) for row in data.tolist()), data.shape[1]).text


def _values(program: Program, made: Backward) -> Iterator[tuple[str, str]]:
    """Yield the numbers of both passes by their symbols, units and whole layers."""
    outputs = made.naming.size(made.naming.depth)
    target = program.told.get("target", (0.0,) * outputs)
    found = passes(program, np.array([program.told["at"]]), np.array([target]))
    if not made.loss.single:
        yield "L", decimal(float(found.loss[0]))
    for unit, number in enumerate(found.slope[0].tolist()):
        yield made.partial_of_output(unit), decimal(number)
    for link in made.naming.links:
        yield from _of_units(made, link, found)
        yield from _of_layer(made, link, found)


def _of_units(made: Backward, link: Link, found: Passes) -> Iterator[tuple[str, str]]:
    naming, layer = made.naming, link.number
    for unit, number in enumerate(found.values[link.out.name][0].tolist()):
        yield naming.unit(layer, unit), decimal(number)
    if link.sum is None:
        return
    delta, args = (
        values[0].tolist() for values in (found.deltas[link.sums.name], found.values[link.arg.name])
    )
    for unit, number in enumerate(delta):
        if link.apply:
            yield naming.pre(layer, unit), decimal(float(found.values[link.sums.name][0, unit]))
        yield _bare(made.delta(layer, unit).text), decimal(number)
        yield made.by(naming.bias(layer, unit)), decimal(number)
        for arg, value in enumerate(args):
            yield made.by(naming.weight(layer, arg, unit)), decimal(number * value)


def _of_layer(made: Backward, link: Link, found: Passes) -> Iterator[tuple[str, str]]:
    """Yield a whole layer's vectors, and its gradient laid out as its matrix is."""
    naming, layer, row = made.naming, link.number, made.row

    def vector(values: Array) -> str:
        return _array(values if row else values.T)

    yield naming.whole(layer), vector(found.values[link.out.name])
    if link.sum is None:
        return
    delta = found.deltas[link.sums.name]
    yield naming.pre_vector(layer), vector(found.values[link.sums.name])
    yield made.delta_vector(layer), vector(delta)
    yield made.by(naming.offset(layer)), vector(delta)
    if link.is_dense:
        gradient = found.values[link.arg.name].T @ delta
        turned = naming.units_first and not naming.has_rows_of_inputs(layer)
        yield made.by(naming.kernel(layer)), _array(gradient.T if turned else gradient)
