"""Programs in JSON, read back and evaluated by the formulas that stand in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.program_json import read_program
from nn2eq.proof.runners import Answer

Array = NDArray[np.float64]


def run(text: str, x: Array, name: str = "") -> Answer:
    """Read a program and evaluate it at all samples."""
    program = read_program(text)
    values = program.values(x)
    return Answer(values[program.predict.results[0].name], values)
