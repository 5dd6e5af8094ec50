"""Texts in plain Python, run in this process, one sample at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.python_code import attempt, bare_as_function, function, watched
from nn2eq.proof.runners import Answer

Array = NDArray[np.float64]


def run(text: str, x: Array, name: str = "predict") -> Answer:
    """Run a text's function, or its bare expression, at each sample."""
    rows = x.tolist()
    bare = bare_as_function(text, "python", name)
    predict = function(bare or text, name)
    if bare:
        return Answer(_array(attempt(lambda: [predict(*row) for row in rows]), len(x)))
    calls = [partial(predict, row if len(row) > 1 else row[0]) for row in rows]
    outputs = attempt(lambda: [call() for call in calls])
    return Answer(_array(outputs, len(x)), _Named(calls, name))


def _array(outputs: list[Any], samples: int) -> Array:
    if outputs and isinstance(outputs[0], tuple):  # several results
        columns = zip(*outputs, strict=True)
        return np.concatenate([_array(list(column), samples) for column in columns], axis=1)
    return np.array(attempt(lambda: np.asarray(outputs, dtype=np.float64).reshape(samples, -1)))


class _Named(Mapping[str, Array]):
    """What a function had named when it returned; it is called again, watched, when somebody asks."""

    def __init__(self, calls: Sequence[Callable[[], Any]], name: str) -> None:
        self._calls, self._name = calls, name

    @cached_property
    def _found(self) -> dict[str, Array]:
        seen = [watched(call, self._name)[1] for call in self._calls]
        first = {key for key, value in (seen[0] if seen else {}).items() if isinstance(value, float | list)}
        return {key: np.asarray([names[key] for names in seen], dtype=np.float64) for key in first}

    def __getitem__(self, name: str) -> Array:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
