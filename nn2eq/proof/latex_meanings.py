"""What the names and operators of a LaTeX text can mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof.latex_tokens import Node

Array = NDArray[Any]

_erf = np.vectorize(math.erf, otypes=[np.float64])
STANDARD: Mapping[str, Callable[..., Any]] = {
    r"\tanh": np.tanh, r"\exp": np.exp, r"\ln": np.log, r"\log_{10}": np.log10, r"\log_2": np.log2,
    r"\sqrt": np.sqrt, r"\abs": np.abs, r"\operatorname{erf}": _erf, r"\sinh": np.sinh, r"\cosh": np.cosh,
    r"\sin": np.sin, r"\cos": np.cos, r"\arctan": np.arctan, r"\arccos": np.arccos,
    r"\max": lambda *values: _folded(np.maximum, values),
    r"\min": lambda *values: _folded(np.minimum, values),
}  # fmt: skip
"""Operators that every reader knows; a definition in the text goes before."""
COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "=": np.equal,
}  # fmt: skip
CLAIM = 1e-9
"""How far two formulas of one thing may be apart, relative to the largest of its values: rounding adds up."""
REDUCTIONS: Mapping[str, Callable[..., Any]] = {r"\sum": np.sum, r"\max": np.max, r"\min": np.min}


def _folded(function: Callable[[Any, Any], Any], values: Sequence[Any]) -> Any:
    result = values[0]
    for value in values[1:]:
        result = function(result, value)
    return result


class Matrix:
    """A matrix of numbers that no sample changes."""

    __slots__ = ("data",)

    def __init__(self, data: Array) -> None:
        self.data = data


class Definition(NamedTuple):
    """f(z, p) = body; letter: the index that stands for the unit, if its units share."""

    parameters: tuple[str, ...]
    body: Node
    letter: str = ""


class Claim(NamedTuple):
    """What a text says a second time: another formula for a symbol that it has given one already."""

    name: str
    node: Node
    at: int


class Running(NamedTuple):
    """An index that runs, and its numbers: low to high, from 1."""

    letter: str
    low: int
    high: int


class Scope:
    """What names mean in one place: its own, the indices that run, and what was evaluated already."""

    def __init__(self, names: Mapping[str, Any] | None = None, running: tuple[Running, ...] = ()) -> None:
        self.names: Mapping[str, Any] = names or {}
        self.running = running
        self.known: dict[Node, Any] = {}


CONSTANTS: Mapping[str, float] = {r"\pi": math.pi, "e": math.e}
