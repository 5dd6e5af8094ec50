"""The numbers of a Program that a text prints, as one vector: taken out, changed, put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.program import Affine, Apply, Cases, Combine, Constant, Function, Polynomial, Program, Step

Array = NDArray[np.float64]
Change = Callable[[Constant], Constant]


def changed(program: Program, change: Change) -> Program:
    """Return the program with every constant changed; centre and scale of polynomials stay as they are."""
    return replace(program, functions=tuple(_function(function, change) for function in program.functions))


def _function(function: Function, change: Change) -> Function:
    return replace(function, steps=tuple(_step(step, change) for step in function.steps))


def _step(step: Step, change: Change) -> Step:
    if isinstance(step, Affine):
        terms = tuple(replace(term, matrix=change(term.matrix)) for term in step.terms)
        return Affine(step.out, terms, None if step.offset is None else change(step.offset))
    if isinstance(step, Apply) and step.parameters:
        return replace(step, parameters={key: change(value) for key, value in step.parameters.items()})
    if isinstance(step, Polynomial):
        above = change(step.coefficients)
        return replace(step, coefficients=above, denominator=step.denominator and change(step.denominator))
    if isinstance(step, Combine):
        args = {
            key: replace(arg, of=change(arg.of))
            for key, arg in step.args.items()
            if isinstance(arg.of, Constant)
        }
        return replace(step, args={**step.args, **args})
    if isinstance(step, Cases):
        normals = step.normals if step.ends is not None else change(step.normals)
        bounds, matrices, offsets = (change(each) for each in (step.bounds, step.matrices, step.offsets))
        return replace(step, normals=normals, bounds=bounds, matrices=matrices, offsets=offsets)
    return step


def coefficients(program: Program) -> Iterator[Constant]:
    """Yield the constants of `predict` that `changed` changes, in its order."""
    for step in program.predict.steps:
        yield from of_step(step)


def of_step(step: Step) -> Iterator[Constant]:
    """Yield the constants of one step that `changed` changes, in its order."""
    if isinstance(step, Affine):
        yield from (term.matrix for term in step.terms)
        if step.offset is not None:
            yield step.offset
    elif isinstance(step, Apply):
        yield from step.parameters.values()
    elif isinstance(step, Polynomial):
        yield step.coefficients
        if step.denominator is not None:
            yield step.denominator
    elif isinstance(step, Combine | Cases):
        yield from step.constants


def vector(program: Program) -> Array:
    """Return all coefficients one after the other, (numbers,)."""
    parts = [constant.data.astype(np.float64).ravel() for constant in coefficients(program)]
    return np.concatenate([np.zeros(0), *parts])


def with_vector(program: Program, numbers: Array) -> Program:
    """Return the program with other coefficients, (numbers,) as `vector` gives them, in float64."""
    start = 0

    def taken(constant: Constant) -> Constant:
        nonlocal start
        start, first = start + constant.data.size, start
        return Constant(constant.name, numbers[first:start].reshape(constant.data.shape))

    [function, *_] = program.functions
    return replace(program, functions=(_function(function, taken),))
