"""Cases read from LaTeX: which conditions hold at which samples, and the value of the case that does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

ROUNDING = 1e-9
"""By how much no condition of any case may hold for rounding to be the reason, relative to what is compared."""
_HOLDS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "=": np.equal,
}  # fmt: skip
_LACKS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": np.subtract, "<=": np.subtract, ">": lambda left, right: right - left,
    ">=": lambda left, right: right - left, "=": lambda left, right: np.abs(left - right),
}  # fmt: skip


class Condition(NamedTuple):
    """Where a condition holds, and by how much it does not, relative to what it compares."""

    holds: Any
    lacks: Any


def compared(relation: str, left: Any, right: Any) -> Condition:
    """Compare two values."""
    size = np.maximum(1.0, np.maximum(np.abs(left), np.abs(right)))
    return Condition(_HOLDS[relation](left, right), np.maximum(_LACKS[relation](left, right), 0.0) / size)


def together(conditions: Sequence[Condition]) -> Condition:
    """Return the condition that all of some hold."""
    return Condition(
        np.logical_and.reduce(np.broadcast_arrays(*(condition.holds for condition in conditions))),
        np.maximum.reduce(np.broadcast_arrays(*(condition.lacks for condition in conditions))),
    )


def chosen(values: Sequence[Any], conditions: Sequence[Condition], otherwise: Any) -> Any:
    """Return the value of the first case that holds, else `otherwise`, NaN where that is None.

    Where rounding alone keeps all of them from holding, beside a corner, it is the one that lacks least.
    """
    result = _nearest(values, conditions) if otherwise is None else otherwise
    for value, condition in zip(reversed(values), reversed(conditions), strict=True):
        result = np.where(condition.holds, value, result)
    return result


def _nearest(values: Sequence[Any], conditions: Sequence[Condition]) -> Any:
    lacks = np.stack(np.broadcast_arrays(*(condition.lacks for condition in conditions)))
    *spread, _ = np.broadcast_arrays(*values, lacks[0])
    nearest = np.take_along_axis(np.stack(spread), np.expand_dims(lacks.argmin(axis=0), 0), axis=0)[0]
    return np.where(lacks.min(axis=0) <= ROUNDING, nearest, np.nan)
