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
    r"\operatorname{diag}": lambda vector: Diagonal(vector),
    r"\sin": np.sin, r"\cos": np.cos, r"\arctan": np.arctan, r"\arccos": np.arccos,
    r"\max": lambda *values: _folded(np.maximum, values),
    r"\min": lambda *values: _folded(np.minimum, values),
}  # fmt: skip
"""Operators that every reader knows; a definition in the text goes before."""
COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "=": np.equal,
}  # fmt: skip
ROUNDED = 1e-5
"""How far a number behind an approximately-equals sign may be off, relative to itself: it has six digits."""
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


class Diagonal:
    """diag(v), which multiplies a vector unit by unit."""

    __slots__ = ("vector",)

    def __init__(self, vector: Any) -> None:
        self.vector = vector


class Definition(NamedTuple):
    """f(z, p) = body; letter: the index that stands for the unit, if its units share."""

    parameters: tuple[str, ...]
    body: Node
    letter: str = ""


class Claim(NamedTuple):
    """What a text says a second time: another formula for a symbol that it has given one already.

    rounded: a number of a few digits, behind an approximately-equals sign.
    """

    name: str
    node: Node
    at: int
    rounded: bool = False


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


def mentions(node: Node, letter: str) -> bool:
    """Whether a formula takes a letter for a number."""
    if node.op == "name" and node.value == letter:
        return True
    linear = node.op == "linear" and any(letter in names for names in node.value[1])
    return linear or any(mentions(arg, letter) for arg in node.args)


def mentions_half(node: Node) -> bool:
    """Whether a formula mentions the unit half a group further."""
    if node.op == "indexed":
        return bool(node.value[1][-1].partition("+")[2])
    return any(mentions_half(arg) for arg in node.args)


def outer(left: Any, right: Any) -> Any:
    """Return every product of a unit of one vector and one of another, a row a unit of the first."""
    return np.atleast_2d(left)[:, None] * np.atleast_2d(right)[None, :]
