"""Polynomials as LaTeX: sums of coefficients times powers of the variables, moved to their centre."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import DIGIT, Piece, Place, Term, symbol, times, total
from nn2eq.emit.printing import ATOM, PRODUCT
from nn2eq.errors import CannotEmit
from nn2eq.forms.program import Polynomial


def polynomials(step: Polynomial, args: Sequence[Piece], numbers: Numbers, place: Place) -> list[Piece]:
    """Return the polynomial of each output. Raises CannotEmit for another basis than powers."""
    if step.basis != "power":
        what = f"latex cannot write the {step.basis} basis"
        raise CannotEmit(what, code="basis", way_out="it writes powers")
    variables = [_moved(step, k, arg, numbers) for k, arg in enumerate(args)]
    monomials = [_monomial(variables, powers) for powers in step.exponents.tolist()]
    found = []
    for column in step.coefficients.data.T:
        used = np.flatnonzero(column)
        texts = numbers.magnitudes(np.ascontiguousarray(column[used]))
        terms = [
            Term(bool(column[k] < 0), _times(text, monomials[k])) for k, text in zip(used, texts, strict=True)
        ]
        found.append(total(terms, place, own_line=True))
    return found


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


def _monomial(variables: Sequence[Piece], powers: Sequence[int]) -> Piece | None:
    """Return a product of powers, None for 1."""
    factors = [_power(variable, power) for variable, power in zip(variables, powers, strict=True) if power]
    if not factors:
        return None
    text, width = " ".join(f.text for f in factors), sum(f.width for f in factors)
    return Piece(text, width, ATOM if len(factors) == 1 else PRODUCT, max(f.tall for f in factors))


def _power(variable: Piece, power: int) -> Piece:
    base = variable.within(ATOM)
    if power == 1:
        return base
    return Piece(f"{base.text}^{{{power}}}", base.width + DIGIT * len(str(power)), ATOM, base.tall)
