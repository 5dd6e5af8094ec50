"""A Program with its numbers rounded to a few significant digits, for texts that are printed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.coefficients import changed
from nn2eq.forms.program import Constant, Program


def rounded(program: Program, digits: int) -> Program:
    """Return the program with every weight and bias rounded to so many significant digits (float64).

    What was proved of it is not proved of the rounded one.
    """
    note = f"numbers rounded to {digits} significant digits"
    found = changed(program, lambda each: Constant(each.name, significant(each.data, digits)))
    found = replace(found, notes=(*program.notes, note), ranges={})
    return found if program.exact else replace(found, proved=math.nan, observed=math.nan)


def significant(data: NDArray[Any], digits: int) -> NDArray[np.float64]:
    """Round each number to so many significant decimal digits, to the float64 nearest to that decimal."""
    flat = [float(f"{value:.{digits - 1}e}") for value in data.astype(np.float64).ravel().tolist()]
    return np.array(flat, dtype=np.float64).reshape(data.shape)


def short(value: float, by: float) -> float:
    """Return the number of fewest digits that is no farther from a value."""
    if abs(value) <= by:
        return 0.0
    for digits in range(17):
        found = float(f"{value:.{digits}e}")
        if abs(found - value) <= by:
            return found
    return value
