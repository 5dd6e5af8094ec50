"""What a text must answer, and how exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit import emitter
from nn2eq.forms.program import Apply, Program
from nn2eq.proof.rounding import DOUBLE

Array = NDArray[np.float64]

OVERFLOWS = 300.0
"""Pre-activations from which a textbook formula may overflow: exp(2z) does from 355."""
OVERFLOWN = "where the textbook formula overflows"


@dataclass(frozen=True, eq=False)
class Expected:
    """What a network answers: x (n, inputs); answers, scale, and tolerance relative to it (n, outputs).

    left_out: how many samples are not among them: rounding decides there on which side of a jump a unit is.
    cost: what deliberate rounding of the numbers was observed to cost, relative to max(1, |y|). unit: the
    roundoff of the arithmetic that this is expected of. note: what else there is to say.
    """

    x: Array
    answers: Array
    scale: Array
    tolerance: Array
    left_out: int = 0
    cost: float | None = None
    unit: float = DOUBLE
    note: str = ""


def overflowed(program: Program, language: str, x: Array, answers: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return the samples (n,) that a textbook formula in a text for people cannot be evaluated at.

    answers (n, results): of the text. The quotient of exponentials is NaN from |z| = 710; such a text is for reading,
    and a machine runs another.
    """
    if not emitter(language).for_people:
        return np.zeros(len(x), dtype=np.bool_)
    values, largest = program.values(x), np.zeros(len(x))
    for step in program.predict.steps:
        if isinstance(step, Apply):
            largest = np.maximum(largest, np.abs(values[step.arg.name]).max(axis=1))
    return np.asarray(~np.isfinite(answers).all(axis=1) & (largest > OVERFLOWS))
