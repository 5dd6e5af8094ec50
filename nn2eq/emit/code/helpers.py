"""Functions that a language may lack, as formulas over those that every language has; written where they are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nn2eq.erf import MIDDLE, NEAR


@dataclass(frozen=True)
class Helper:
    """A function that a text defines: its name, its arguments, its formula, and what is to be said of it.

    text: the whole function, where it is written without a formula.
    """

    name: str
    arguments: tuple[str, ...]
    formula: str
    said: str = ""
    text: str = ""


def polynomial(coefficients: Sequence[float], of: str) -> str:
    """Return a polynomial as Horner has it, highest power first."""
    text = repr(coefficients[0])
    for coefficient in coefficients[1:]:
        text = f"({text}) * {of} + {coefficient!r}"
    return text


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], of: str) -> str:
    over, under = (polynomial(part, of) for part in coefficients)
    return f"({over}) / ({under})"


_SIZE = "min(abs(z), 6)"  # from 6 on, 1 - erfc(z) is 1
ERF = Helper(
    "erf",
    ("z",),
    f"where({_SIZE} * {_SIZE} <= 0.2197265625, z * {_ratio(NEAR, f'({_SIZE} * {_SIZE})')},"
    f" where(z < 0, -1, 1) * (1 - exp(-({_SIZE} * {_SIZE})) * {_ratio(MIDDLE, _SIZE)}))",
    "the error function, to a few units in the last place (W. J. Cody, 1969)",
)
LOG1P = Helper(
    "log1p",
    ("z",),
    "where(abs((1 + z) - 1) > 0, log(1 + z) * (z / ((1 + z) - 1)), z)",
    "log(1 + z), accurate where z is small (W. Kahan); not to be compiled with -ffast-math and the like",
)
EXPM1 = Helper(
    "expm1",
    ("z",),
    "where(z > 1, exp(z) - 1, 2 * tanh(min(z, 1) / 2) / (1 - tanh(min(z, 1) / 2)))",
    "exp(z) - 1, accurate where z is small",
)


_WITHIN = "max(-9.02, min(9.02, z))"  # from z = 9.02 on, tanh(z) is 1 in float32
_SQUARE = "min(z * z, 81.36)"
_OVER = (1.33193323e-08, 2.05837387e-05, 0.00349405175, 0.133797348, 1.0)
_UNDER = (7.76213255e-07, 0.000328312104, 0.0258711409, 0.467130512, 1.0)
TANH_ERROR = 3.7e-7
"""What `FLOAT_TANH` may be off, relative to tanh(z): the tests try every float, with and without fused multiply-add."""
FLOAT_TANH = Helper(
    "rational_tanh",
    ("z",),
    "{z} * ({over}) / max({under}, abs({z} * ({over})))".format(
        z=_WITHIN, over=polynomial(_OVER, _SQUARE), under=polynomial(_UNDER, _SQUARE)
    ),
    f"tanh(z) to {TANH_ERROR} of itself, as every float has shown; compilers make vectors of it",
)
"""The hyperbolic tangent of float32 numbers: a minimax rational function, never beyond 1, without a branch."""
LARGER = Helper("larger", ("a", "b"), "where(a > b, a, b)")
SMALLER = Helper("smaller", ("a", "b"), "where(a < b, a, b)")
