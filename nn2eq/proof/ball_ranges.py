"""Is a model of `balls` within a bound all over its box? By Bernstein's coefficients, between which a polynomial lies.

Halving these is far quicker than building the model of half a box, so that a box must be halved for the sake of the
rest alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import comb

from flint import arb, arb_mat, fmpq

from nn2eq.proof.balls import Model

_MOST = 1_300
"""Coefficients of Bernstein's that are looked at."""
_PARTS = 300
"""Parts that a polynomial is halved into."""
Values = Sequence[arb]


def is_within(model: Model, bound: float) -> bool:
    """Whether |model| is proved to be at most a bound."""
    limit = arb(bound)
    if model.largest <= limit:
        return True
    left, size = limit - model.rest, model.space.order + 1
    if not left > 0 or size**model.space.variables > _MOST:
        return False
    shares = _shares(model)
    pending = [(_bernstein(model), shares)]
    for _ in range(_PARTS):
        values, shares = pending.pop()
        if not all(abs(value) <= left for value in values):
            if any(
                abs(value) > left for value in (values[0], values[-1])
            ):  # the polynomial's own, at two corners
                return False
            axis = max(range(len(shares)), key=lambda place: shares[place])
            shares = [share / 2 if place == axis else share for place, share in enumerate(shares)]
            pending += [(_along(half, values, axis, len(shares)), shares) for half in _halves(size)]
        if not pending:
            return True
    return False


def _shares(model: Model) -> list[float]:
    """Return how much each variable moves the polynomial."""
    found = [0.0] * model.space.variables
    for powers, term in zip(model.space.exponents.tolist(), model.terms, strict=True):
        for place, power in enumerate(powers):
            found[place] += power * float(term.abs_upper())
    return found


def _bernstein(model: Model) -> Values:
    """Return the coefficients, the last variable's degree counting fastest."""
    size, count = model.space.order + 1, model.space.variables
    values = [arb(0)] * size**count
    for powers, term in zip(model.space.exponents.tolist(), model.terms, strict=True):
        place = 0
        for power in powers:
            place = size * place + power
        values[place] = term
    for axis in range(count):
        values = _along(_from_powers(size), values, axis, count)
    return values


def _along(matrix: arb_mat, values: Values, axis: int, count: int) -> list[arb]:
    """Apply a matrix along one axis."""
    size = matrix.nrows()
    stride = size ** (count - 1 - axis)
    starts = range(0, len(values), stride * size)
    rows = [
        [x for start in starts for x in values[start + k * stride : start + (k + 1) * stride]]
        for k in range(size)
    ]
    table = (matrix * arb_mat(rows)).tolist()
    return [
        x
        for start in range(0, len(starts) * stride, stride)
        for row in table
        for x in row[start : start + stride]
    ]


@cache
def _from_powers(size: int) -> arb_mat:
    """Return what makes coefficients of Bernstein's on -1 ... 1 of those of powers."""
    top = size - 1
    return arb_mat(
        [
            [
                arb(
                    fmpq(
                        sum(comb(j, i) * comb(top - j, k - i) * (-1) ** (k - i) for i in range(k + 1)),
                        comb(top, k),
                    )
                )
                for k in range(size)
            ]
            for j in range(size)
        ]
    )


@cache
def _halves(size: int) -> tuple[arb_mat, arb_mat]:
    """Return what makes the coefficients of the lower and of the upper half (de Casteljau), which is exact."""
    lower = [[arb(fmpq(comb(j, i), 2**j)) for i in range(size)] for j in range(size)]
    return arb_mat(lower), arb_mat([row[::-1] for row in lower[::-1]])
