"""A Program with its numbers rounded to a few significant digits, for texts that are printed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.program import Affine, Apply, Cases, Combine, Constant, Function, Polynomial, Program, Step


def rounded(program: Program, digits: int) -> Program:
    """Return the program with every weight and bias rounded to so many significant digits (float64).

    What was proved of it is not proved of the rounded one.
    """
    note = f"numbers rounded to {digits} significant digits"
    functions = tuple(_function(function, digits) for function in program.functions)
    found = replace(program, functions=functions, notes=(*program.notes, note), ranges={})
    return found if program.exact else replace(found, proved=math.nan, observed=math.nan)


def _function(function: Function, digits: int) -> Function:
    return replace(function, steps=tuple(_step(step, digits) for step in function.steps))


def _step(step: Step, digits: int) -> Step:
    if isinstance(step, Apply):
        parameters = {key: _constant(value, digits) for key, value in step.parameters.items()}
        return replace(step, parameters=parameters)
    if isinstance(step, Combine):
        constants = {key: arg.of for key, arg in step.args.items() if isinstance(arg.of, Constant)}
        args = {key: replace(step.args[key], of=_constant(of, digits)) for key, of in constants.items()}
        return replace(step, args={**step.args, **args})
    if isinstance(step, Polynomial):
        below = None if step.denominator is None else _constant(step.denominator, digits)
        return replace(step, coefficients=_constant(step.coefficients, digits), denominator=below)
    if isinstance(step, Cases):
        numbers = (step.normals, step.bounds, step.matrices, step.offsets)
        normals, bounds, matrices, offsets = (_constant(constant, digits) for constant in numbers)
        return replace(step, normals=normals, bounds=bounds, matrices=matrices, offsets=offsets)
    terms = tuple(replace(term, matrix=_constant(term.matrix, digits)) for term in step.terms)
    return Affine(step.out, terms, None if step.offset is None else _constant(step.offset, digits))


def _constant(constant: Constant, digits: int) -> Constant:
    return Constant(constant.name, significant(constant.data, digits))


def significant(data: NDArray[Any], digits: int) -> NDArray[np.float64]:
    """Round each number to so many significant decimal digits, to the float64 nearest to that decimal."""
    flat = [float(f"{value:.{digits - 1}e}") for value in data.astype(np.float64).ravel().tolist()]
    return np.array(flat, dtype=np.float64).reshape(data.shape)
