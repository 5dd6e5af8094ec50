"""Formulas over Arb's balls: proved Taylor coefficients of an activation, at a point and over a whole cell.

What a formula decides (where, max, min, abs) must be the same throughout the cell; that is proved as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flint import arb, arb_series, ctx

from nn2eq.formula import Node
from nn2eq.series import fold

BITS = 128


class Undecided(Exception):
    """A formula decides differently in different parts of a cell."""


@dataclass
class Decisions:
    """The signs on which a formula decided in a cell, in order: found at its middle, used for all of it."""

    below: arb
    above: arb
    signs: list[int] = field(default_factory=list)
    place: int = -1

    def replay(self) -> Decisions:
        """Use the same signs again."""
        self.place = 0
        return self

    def sign(self, difference: Any) -> int:
        """Return the sign of a difference that is affine in z all over the cell, zero at most at its ends."""
        if self.place >= 0:
            self.place += 1
            return self.signs[self.place - 1]
        self.signs.append(_proved_sign(difference, self.below, self.above))
        return self.signs[-1]


def _proved_sign(difference: arb_series, below: arb, above: arb) -> int:
    """`below` and `above` are the cell's ends, counted from its middle."""
    coefficients = [difference[k] for k in range(difference.length())]
    if not coefficients:
        return 0
    if any(not coefficient.is_zero() for coefficient in coefficients[2:]):
        raise Undecided
    slope = coefficients[1] if len(coefficients) > 1 else arb(0)
    ends = (coefficients[0] + slope * below, coefficients[0] + slope * above)
    if all(end >= 0 for end in ends):
        return 1
    if all(end <= 0 for end in ends):
        return -1
    raise Undecided


Expansions = tuple[list[arb], list[arb], tuple[int, ...]]


def expansions(formula: Node, low: float, high: float, middle: float, order: int) -> Expansions:
    """Return Taylor coefficients 0 ... order at the middle of a cell, bounds all over it, and the decisions.

    Raises Undecided if the formula does not decide the same throughout, ValueError where it is not defined.
    """
    with ctx.workprec(BITS):
        cap, ctx.cap = ctx.cap, order + 1
        try:
            centre = arb(middle)
            decisions = Decisions(arb(low) - centre, arb(high) - centre)
            at = _coefficients(formula, arb_series([centre, 1]), decisions, order)
            cell = arb(low).union(arb(high))
            over = _coefficients(formula, arb_series([cell, 1]), decisions.replay(), order)
            return at, over, tuple(decisions.signs)
        finally:
            ctx.cap = cap


def _coefficients(formula: Node, z: arb_series, decisions: Decisions, order: int) -> list[arb]:
    def leaf(node: Node, _: tuple[str, ...]) -> Any:
        return z if node.op == "name" else arb_series([arb(node.value)])

    found = fold(formula, leaf, lambda op, args: _OPERATIONS[op](decisions, *args))
    return [found[k] for k in range(order + 1)]


def _tanh(_: Decisions, z: arb_series) -> arb_series:
    """Use the exponential that is small, and only once, so that wide balls stay narrow."""
    if z[0].mid() < 0:
        return -_tanh(_, -z)
    return 2 / (1 + (-2 * z).exp()) - 1


def _power(_: Decisions, base: arb_series, exponent: arb_series) -> arb_series:
    power = float(exponent[0].mid())
    if power == int(power) and 0 <= power <= 16:
        result = arb_series([1])
        for _count in range(int(power)):
            result = result * base
        return result
    return (base.log() * exponent).exp()


_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "+": lambda _, a, b: a + b,
    "-": lambda _, a, b: a - b,
    "*": lambda _, a, b: a * b,
    "/": lambda _, a, b: a / b,
    "neg": lambda _, a: -a,
    "**": _power,
    "exp": lambda _, z: z.exp(),
    "expm1": lambda _, z: z.exp() - 1,
    "log": lambda _, z: z.log(),
    "log1p": lambda _, z: (1 + z).log(),
    "log10": lambda _, z: z.log() / arb(10).log(),
    "sqrt": lambda _, z: z.sqrt(),
    "erf": lambda _, z: z.erf(),
    "tanh": _tanh,
    "abs": lambda decisions, a: -a if decisions.sign(a) < 0 else a,
    "max": lambda decisions, a, b: a if decisions.sign(a - b) > 0 else b,
    "min": lambda decisions, a, b: a if decisions.sign(a - b) < 0 else b,
    "where": lambda _, condition, a, b: a if condition else b,
    "<": lambda decisions, a, b: decisions.sign(a - b) < 0,
    "<=": lambda decisions, a, b: decisions.sign(a - b) <= 0,
    ">": lambda decisions, a, b: decisions.sign(a - b) > 0,
    ">=": lambda decisions, a, b: decisions.sign(a - b) >= 0,
    "==": lambda decisions, a, b: decisions.sign(a - b) == 0,
}


def upper(ball: arb) -> float:
    """Return a double that is at least |ball|; infinite where nothing is known."""
    if not ball.is_finite():
        return float("inf")
    return 0.0 if ball.is_zero() else float(ball.abs_upper()) * (1.0 + 2.0**-50) + 5e-324


def rounded(ball: arb) -> tuple[float, float]:
    """Return the nearest double to a ball's middle, and how far from it the ball may reach."""
    if not ball.is_finite():
        return 0.0, float("inf")
    middle = float(ball.mid())
    return middle, 0.0 if ball == arb(middle) else upper(ball - arb(middle))
