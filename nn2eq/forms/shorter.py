"""Everything that a network may be replaced by within a tolerance, as long as samples tell: the candidates.

Its own shape with shorter numbers; with fewer units and numbers, those left fitted anew; one hidden layer; a
polynomial or a ratio of two; Taylor's. `nn2eq.forms.simplified` proves the shortest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from nn2eq.errors import BadRequest, TooLarge
from nn2eq.forms.characters import characters
from nn2eq.forms.coefficients import vector
from nn2eq.forms.polynomial import polynomial
from nn2eq.forms.program import Program
from nn2eq.forms.refitting import Fit
from nn2eq.forms.shallow import shallow
from nn2eq.forms.shortening import shortened
from nn2eq.forms.taylor import taylor
from nn2eq.forms.thinning import thinned
from nn2eq.forms.units import compact

_NEARLY = 0.995
"""How much of the tolerance the error at samples may take, as it may be a little more in between."""
_FITTED = 0.9
"""How much fitting may leave, for rounding to have some."""
_CAREFUL = (0.6, 0.3, 0.1, 0.03, 0.01)
"""Likewise where proofs are less sharp than samples: with more inputs than two."""
_SHARP_INPUTS = 2
_MOST_FITTED = 260
"""Numbers from which on nothing is fitted anew."""
_SHARE = 0.5
"""How much of the time may go into looking for one hidden layer."""
_A_SECOND = 1.0
"""What looking for a polynomial takes at least."""
_MOST_INPUTS = 3
"""Inputs up to which a polynomial may be short."""
_ORDERS = 13
_MOST_TERMS = 40


@dataclass(frozen=True, eq=False)
class Candidate:
    """A program that may be near enough: as it is compared with the network, and as it is printed.

    what: it is, in words.
    """

    compared: Program
    printed: Program
    what: str

    @property
    def length(self) -> int:
        """About how many characters it has."""
        return characters(self.printed)


def candidate(program: Program, what: str) -> Candidate:
    """Return a program as a candidate, without its unused parts, in the shorter of two layouts."""
    printed = compact(program)
    layout = min(("nested", "layered"), key=lambda each: characters(printed, each))
    return Candidate(program, replace(printed, layout=layout), what)


def candidates(own: Program, fit: Fit, tolerance: float) -> Iterator[Candidate]:
    """Yield what is within the tolerance at samples; own: the network, all numbers in float64."""
    few = fit.network.inputs <= _SHARP_INPUTS
    if few:
        for flat in shallow(fit.shorter(_SHARE), _NEARLY * tolerance):
            yield from _rounded(flat, fit, tolerance, "one hidden layer fitted to it")
    yield from _polynomial(fit, tolerance)
    for share in (_NEARLY, *(_CAREFUL[:1] if few else _CAREFUL)):
        found = shortened(own, fit, share * tolerance)
        if found is not None:
            yield candidate(found, "its own shape, numbers rounded")
    if few and np.count_nonzero(vector(own)) <= _MOST_FITTED and not fit.is_over:
        thin = thinned(own, fit, _FITTED * tolerance)
        yield from _rounded(thin, fit, tolerance, "its own shape thinned out and fitted anew")
    yield from _taylor(fit, tolerance)


def _rounded(program: Program, fit: Fit, tolerance: float, what: str) -> Iterator[Candidate]:
    for compensated in (False, True):
        found = shortened(program, fit, _NEARLY * tolerance, compensated=compensated)
        if found is not None:
            yield candidate(found, what)


def _polynomial(fit: Fit, tolerance: float) -> Iterator[Candidate]:
    """Yield the polynomial form, which is proved for itself."""
    seconds = min(fit.until - time.monotonic(), 60.0)
    if fit.network.inputs > _MOST_INPUTS or seconds < _A_SECOND:
        return
    with suppress(BadRequest, TooLarge):
        found = polynomial(fit.network, None, tolerance, fit.domain, seconds=seconds)
        yield candidate(found, *found.notes)


def _taylor(fit: Fit, tolerance: float) -> Iterator[Candidate]:
    """Yield the Taylor polynomial of the lowest order that will do, its numbers rounded."""
    middle = [low / 2 + high / 2 for low, high in fit.domain]
    for order in range(1, _ORDERS):
        if fit.is_over:
            return
        try:
            program = taylor(fit.network, order, middle)
        except (BadRequest, TooLarge):
            return
        if len(vector(program)) > _MOST_TERMS * fit.network.outputs:
            return
        found = shortened(program, fit, _NEARLY * tolerance)
        if found is not None:
            yield candidate(found, f"Taylor polynomial of order {order}, numbers rounded")
            return
