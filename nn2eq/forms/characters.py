"""How long a Program's LaTeX is, counted without writing it: decimals, names, and the signs between them.

An estimate for comparing programs; the line breaks of a long equation are counted on the average.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.program import Affine, Apply, Constant, Polynomial, Program, Step

Array = NDArray[np.float64]

AROUND = 36
"""What stands around the equations."""
_SIGN = 3
_LINE, _BREAK = 75, 15
"""Characters on a line of a long equation, and what a new line costs."""


def characters(program: Program, layout: str = "") -> int:
    """Return about how many characters a program's LaTeX has, in its own layout or in another."""
    layout = layout or program.layout
    lengths = {program.predict.arguments[0].name: np.array([float(len(name)) for name in program.inputs])}
    total = 0.0
    for step, after in zip(program.predict.steps, (*program.predict.steps[1:], None), strict=True):
        own = _lengths(step, lengths)
        inside = isinstance(step, Affine) and isinstance(after, Apply) and not after.activation.row.coupled
        if after is not None and layout != "nested" and not inside:
            names = np.array(
                [float(len(f"{step.out.name[0]}_{{1,{k}}}")) for k in range(1, step.out.size + 1)]
            )
            total += float((own + names + 7).sum())
            own = names
        lengths[step.out.name] = own
    answers = lengths[program.predict.results[0].name]
    answers = (
        answers + _BREAK * np.floor(answers / _LINE) + 7 + np.array([len(name) for name in program.outputs])
    )
    return round(total + float(answers.sum()) + AROUND)


def _lengths(step: Step, known: dict[str, Array]) -> Array:
    """Return the length of each unit's right-hand side, its arguments written out."""
    if isinstance(step, Affine):
        total = np.zeros(step.out.size)
        for term in step.terms:
            total = total + _products(term.matrix, known[term.arg.name])
        if step.offset is not None:
            total = total + np.where(step.offset.data != 0, decimals(step.offset) + _SIGN, 0)
        return np.asarray(np.maximum(total - _SIGN, 1.0) + _is_negative(step))
    if isinstance(step, Polynomial):
        monomials = np.array([_monomial(row, known[step.arg.name]) for row in step.exponents.tolist()])
        above = _polynomial(step.coefficients, monomials)
        if step.denominator is None:
            return above
        below = _polynomial(step.denominator, monomials) + len(r"\frac{}{}")
        return above + np.where(step.is_ratio, below, 0.0)
    assert isinstance(step, Apply)
    inner = known[step.arg.name]
    name = len(step.activation.row.symbol) + 2
    if step.activation.row.coupled:
        groups = inner.reshape(step.activation.groups, -1)
        outputs = step.activation.outputs(groups.shape[1])
        return np.repeat(groups.sum(axis=1) + 2 * groups.shape[1] + name + 2, outputs)
    parameters = sum((decimals(constant) + 2 for constant in step.parameters.values()), np.zeros(len(inner)))
    through = np.isin(np.arange(len(inner)), step.units) if step.units else np.ones(len(inner), dtype=bool)
    return np.where(through, inner + name + parameters, inner)


def _polynomial(coefficients: Constant, monomials: Array) -> Array:
    used = coefficients.data != 0
    return np.asarray(((decimals(coefficients) + monomials[:, None] + _SIGN) * used).sum(axis=0) - _SIGN)


def _products(matrix: Constant, args: Array) -> Array:
    lengths, used = decimals(matrix), matrix.data != 0
    is_one = np.abs(matrix.data) == 1
    factors = np.where(is_one, 0, lengths + 1) + _SIGN
    if matrix.data.ndim == 1:
        return np.asarray((factors + args) * used)
    return np.asarray(((factors + args[:, None]) * used).sum(axis=0))


def _is_negative(step: Affine) -> NDArray[np.bool_]:
    """Whether a sum begins with a minus sign."""
    first = step.terms[0].matrix.data
    if first.ndim == 1:
        return np.asarray(first < 0)
    return np.asarray(np.take_along_axis(first, (first != 0).argmax(axis=0)[None], axis=0)[0] < 0)


def _monomial(powers: Sequence[int], args: Array) -> float:
    return math.fsum(
        1 + length + (0 if power == 1 else len(str(power)) + 3)
        for power, length in zip(powers, args, strict=True)
        if power
    )


def decimals(constant: Constant) -> Array:
    """Return how many characters each number's decimal has, without its sign, in the constant's shape."""
    data = np.abs(constant.data)
    scalars = [data.dtype.type(value) for value in data.ravel()]
    return np.array([decimal(str(value)) for value in scalars], dtype=np.float64).reshape(data.shape)


def decimal(text: str) -> int:
    """Return how long a programmer's decimal is in LaTeX: 1e-05 is 10^{-5}."""
    digits, _, exponent = text.partition("e")
    digits = digits.removesuffix(".0")
    if not exponent:
        small = len(digits) - len(digits.lstrip("0.")) - 2
        return len(digits) if small < 4 else len(digits) - small + len(r" \times 10^{-5}")
    return len("10^{}") + len(str(int(exponent))) + (0 if digits == "1" else len(digits) + len(r" \times "))
