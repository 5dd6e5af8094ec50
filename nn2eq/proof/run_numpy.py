"""NumPy texts, run in this process."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.python_code import attempt, bare_as_function, function, watched
from nn2eq.proof.runners import Answer

Array = NDArray[np.float64]


def run(text: str, x: Array, name: str = "predict") -> Answer:
    """Run a text's function, or its bare expression, on all samples at once."""
    bare = bare_as_function(text, "numpy", name)
    if bare:
        outputs = attempt(lambda: function(bare, name)(*x.T))
        columns = outputs if isinstance(outputs, tuple) else (outputs,)
        return Answer(np.stack([np.broadcast_to(column, len(x)) for column in columns], axis=-1))
    predict = function(text, name)
    outputs, values = watched(lambda: predict(x), name)
    named = {key: value for key, value in values.items() if _is_named(value, x)}
    return Answer(attempt(lambda: _rows(outputs, len(x))), named)


def _rows(outputs: Any, samples: int) -> Array:
    """Return what a function answers as (samples, numbers): several results one behind the other, each row by row."""
    if not isinstance(outputs, tuple):
        array = np.asarray(outputs, dtype=np.float64)
        return array.reshape(samples, -1) if array.ndim > 2 else array
    return np.concatenate([np.asarray(one, dtype=np.float64).reshape(samples, -1) for one in outputs], axis=1)


def _is_named(value: Any, x: Array) -> bool:
    """Whether a local name is an array with a number, or a row, a sample."""
    return isinstance(value, np.ndarray) and value.ndim > 0 and len(value) == len(x)
