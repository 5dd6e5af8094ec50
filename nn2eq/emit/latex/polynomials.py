"""Polynomials as LaTeX: sums of coefficients times powers of the variables, moved to their centre; ratios of them.

Chebyshev's polynomials are functions T_k, which a line of the text defines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.latex.formulas import fraction
from nn2eq.emit.latex.names import index
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import (
    DIGIT,
    Equation,
    Piece,
    Place,
    Term,
    between,
    bracketed,
    symbol,
    times,
    total,
)
from nn2eq.emit.printing import ATOM, PRODUCT
from nn2eq.forms.program import Function, Polynomial

CHEBYSHEV = "T"
"""What Chebyshev's polynomials are called."""


def chebyshev_symbols(function: Function) -> list[str]:
    """Return the name of Chebyshev's polynomials if a function is written in them, for nothing else to have it."""
    used = any(isinstance(step, Polynomial) and step.basis == "chebyshev" for step in function.steps)
    return [CHEBYSHEV] if used else []


def chebyshev_definition(function: Function) -> list[Equation]:
    """Return the line that says what they are, if they are used."""
    return [
        Equation(bracketed(symbol(f"{name}_k").text, symbol("t")), symbol(r"\cos\bigl(k \arccos(t)\bigr)"))
        for name in chebyshev_symbols(function)
    ]


def polynomials(step: Polynomial, args: Sequence[Piece], numbers: Numbers, place: Place) -> list[Piece]:
    """Return the polynomial of each output, or the ratio."""
    variables = [_moved(step, k, arg, numbers) for k, arg in enumerate(args)]
    raised = _RAISED[step.basis]
    monomials = [_monomial(variables, powers, raised) for powers in step.exponents.tolist()]
    found = [_sum(column, monomials, numbers, place) for column in step.coefficients.data.T]
    if step.denominator is None:
        return found
    below = [_sum(column, monomials, numbers, place) for column in step.denominator.data.T]
    return [
        fraction(above, under, place) if is_ratio else above
        for above, under, is_ratio in zip(found, below, step.is_ratio, strict=True)
    ]


def _sum(column: NDArray[Any], monomials: Sequence[Piece | None], numbers: Numbers, place: Place) -> Piece:
    used = np.flatnonzero(column).tolist()
    texts = numbers.magnitudes(np.ascontiguousarray(column[used]))
    terms = [
        Term(bool(column[k] < 0), _times(text, monomials[k])) for k, text in zip(used, texts, strict=True)
    ]
    return total(terms, place, own_line=True)


def _times(text: str, monomial: Piece | None) -> Piece:
    return Piece(text, DIGIT * len(text)) if monomial is None else times(text, monomial)


def _moved(step: Polynomial, variable: int, arg: Piece, numbers: Numbers) -> Piece:
    """Return (x - centre) / scale without what changes nothing."""
    centre = 0.0 if step.centre is None else float(step.centre.data[variable])
    scale = 1.0 if step.scale is None else float(step.scale.data[variable])
    if centre:
        [text] = numbers.magnitudes(np.array([centre]))
        arg = total([Term(False, arg), Term(centre > 0, symbol(text))])
    if scale != 1.0:
        [text] = numbers.magnitudes(np.array([abs(scale)]))
        sign = "-" if scale < 0 else ""
        arg = Piece(rf"{sign}\frac{{{arg.text}}}{{{text}}}", arg.width, PRODUCT, max(arg.tall, 1))
    return arg


def _monomial(
    variables: Sequence[Piece], powers: Sequence[int], raised: Callable[[Piece, int], Piece]
) -> Piece | None:
    """Return a product of a basis' functions, None for 1."""
    factors = [raised(variable, power) for variable, power in zip(variables, powers, strict=True) if power]
    if not factors:
        return None
    text = reduce(lambda left, right: left + between(left, right) + right, (f.text for f in factors))
    width = sum(f.width for f in factors)
    return Piece(text, width, ATOM if len(factors) == 1 else PRODUCT, max(f.tall for f in factors))


def _power(variable: Piece, power: int) -> Piece:
    base = variable.within(ATOM)
    if power == 1:
        return base
    return Piece(f"{base.text}^{{{power}}}", base.width + DIGIT * len(str(power)), ATOM, base.tall)


def _chebyshev(variable: Piece, degree: int) -> Piece:
    if degree == 1:
        return variable.within(ATOM)
    return bracketed(CHEBYSHEV + index(degree), variable)


_RAISED: Mapping[str, Callable[[Piece, int], Piece]] = {"power": _power, "chebyshev": _chebyshev}
"""How the functions of a basis are written."""
