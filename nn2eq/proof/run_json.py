"""Programs in JSON, read back and evaluated by the formulas that stand in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.evaluation import values_of
from nn2eq.proof.program_json import read_program
from nn2eq.proof.runners import Answer

Array = NDArray[np.float64]


def run(text: str, x: Array, name: str = "") -> Answer:
    """Read a program and evaluate it at all samples; name: of the function that is meant, the first if none is."""
    program = read_program(text)
    function = next((one for one in program.functions if one.name == name), program.predict)
    values = values_of(function, x)
    return Answer(np.concatenate([values[result.name] for result in function.results], axis=1), values)
