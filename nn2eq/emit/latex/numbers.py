r"""How LaTeX writes numbers: the shortest decimal that reads back, 3 \times 10^{-5} and never 3e-05.

A plain decimal is a float32 if the program holds any float32 constant; a number that float32 cannot hold then
stands in braces, {0.1}, which no typesetter shows. Without float32 constants every decimal is a float64.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.printing import decimals
from nn2eq.forms.program import Constant

LONGEST_INTEGER = 7
"""Digits in front of the point from which on a number is written with a power of ten."""

_ODD = re.compile(
    r"(?P<whole>\d+)(?:\.(?P<part>\d+))?e(?P<exponent>[-+]?\d+)|(?P<long>\d{8,})\.(?P<rest>\d+)"
    r"|0\.(?P<zeros>0{4,})(?P<digits>[1-9]\d*)|\.0(?=[^\d]|$)"
)


def _spelled(match: re.Match[str]) -> str:
    """Write what a programmer writes, and a mathematician does not: 1e-05, 0.00001, 123456790.0, 1.0."""
    if match["exponent"]:
        return _scientific(match["whole"] + (match["part"] or ""), int(match["exponent"]))
    if match["long"]:
        return _scientific(match["long"] + match["rest"], len(match["long"]) - 1)
    return _scientific(match["digits"], -1 - len(match["zeros"])) if match["zeros"] else ""


def _scientific(digits: str, exponent: int) -> str:
    """Write d.ddd times a power of ten."""
    first, rest = digits[0], digits[1:].rstrip("0")
    power = f"10^{{{exponent}}}"
    if rest:
        return rf"{first}.{rest} \times {power}"
    return power if first == "1" else rf"{first} \times {power}"


def spelled(decimal: str) -> str:
    """Return programmers' decimals, one or many, as LaTeX writes them."""
    return _ODD.sub(_spelled, decimal)


def _odd(absolute: NDArray[Any]) -> list[int]:
    """Return the places of numbers whose shortest decimal is not what a mathematician writes."""
    places = (absolute < 1e-4) | (absolute >= 10.0**LONGEST_INTEGER) | (absolute == np.rint(absolute))
    return np.flatnonzero(places).tolist()


def _narrow(data: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore", under="ignore"):
        return data.astype(np.float32)


class Numbers(NamedTuple):
    """How one text writes its numbers; single: plain decimals are float32; exact: all are fractions."""

    single: bool
    exact: bool = False

    @classmethod
    def suited(cls, constants: Iterable[Constant]) -> Numbers:
        """Return the rule for a program's constants."""
        dtypes = [constant.data.dtype for constant in constants]
        return cls(any(dtype == np.float32 for dtype in dtypes), any(dtype.kind == "O" for dtype in dtypes))

    @property
    def rule(self) -> str:
        """The rule for the comment, by which a program reads the text."""
        if self.exact:
            return "all are exact"
        if self.single:
            return "a decimal is the float32 nearest to it, one in braces the float64"
        return "a decimal is the float64 nearest to it"

    @property
    def legend(self) -> str:
        """The rule for people, who do not see the braces."""
        if self.exact:
            return "All numbers are exact."
        if self.single:
            return (
                "A decimal stands for the float32 nearest to it, or the float64 if it has over nine digits."
            )
        return "A decimal stands for the float64 nearest to it."

    def magnitudes(self, data: NDArray[Any]) -> list[str]:
        """Return the absolute value of each number (n,), ready to stand behind a sign."""
        if data.dtype.kind == "O":
            return [_fraction(abs(value)) for value in data.tolist()]
        absolute = np.abs(data)
        if not self.single or data.dtype == np.float32:
            return _spelled_all(absolute)
        narrow = _narrow(absolute)
        texts = _spelled_all(narrow)
        for place in np.flatnonzero(narrow != absolute).tolist():
            texts[place] = f"{{{_spelled_all(absolute[place : place + 1])[0]}}}"
        return texts

    def written(self, data: NDArray[Any]) -> list[str]:
        """Return each number of a vector (n,) with its sign."""
        texts = self.magnitudes(data)
        for place in np.flatnonzero(data < 0).tolist():
            texts[place] = "-" + texts[place]
        return texts

    def one(self, value: float) -> str:
        """Return one number of a formula, not negative."""
        return r"\pi" if value == math.pi else self.magnitudes(np.array([value]))[0]


def _fraction(value: Fraction) -> str:
    above, below = value.numerator, value.denominator
    return str(above) if below == 1 else rf"\frac{{{above}}}{{{below}}}"


def _spelled_all(absolute: NDArray[Any]) -> list[str]:
    texts = decimals(absolute)
    for place in _odd(absolute):
        texts[place] = spelled(texts[place])
    return texts
