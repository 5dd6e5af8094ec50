"""What a text must answer, and how exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.rounding import DOUBLE

Array = NDArray[np.float64]


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
