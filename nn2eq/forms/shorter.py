"""Everything that a network may be replaced by within a tolerance, as long as samples tell: the candidates.

Its own shape with shorter numbers; with fewer units and numbers, those left fitted anew; one hidden layer; a
polynomial or a ratio of two; Taylor's. `nn2eq.forms.simplified` proves the shortest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from nn2eq.errors import BadRequest, TooLarge
from nn2eq.forms.characters import characters
from nn2eq.forms.coefficients import vector, with_vector
from nn2eq.forms.polynomial import polynomial
from nn2eq.forms.program import Program
from nn2eq.forms.refitting import Fit
from nn2eq.forms.rounded import significant
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
"""How much of the work may go into looking for one hidden layer."""
_A_SECOND = 1.0
"""What looking for a polynomial takes at least."""
_LONGEST = 60.0
"""Seconds that its proof may take."""
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


def candidates(own: Program, fit: Fit, tolerance: float) -> list[Candidate]:
    """Return what is within the tolerance at samples; own: the network, all numbers in float64.

    The polynomial comes first and is proved for itself: what can hardly be as short is then not looked for.
    """
    wanted = _Wanted(own, fit, tolerance)
    found = list(_polynomial(wanted))
    shortest = min((each.length for each in found), default=inf)
    wanted = replace(wanted, below=shortest)
    return found + [each for look in (_flat, _in_shape, _thin, _taylor) for each in look(wanted)]


@dataclass(frozen=True, eq=False)
class _Wanted:
    """What is looked for: within a tolerance of the network, in fewer characters than `below`."""

    own: Program
    fit: Fit
    tolerance: float
    below: float = inf

    @property
    def few(self) -> bool:
        """Whether there are so few inputs that samples tell nearly all."""
        return self.fit.network.inputs <= _SHARP_INPUTS

    def may_do(self, program: Program) -> bool:
        """Whether a program could be short enough, with no more digits than the tolerance asks for."""
        spread = float(np.ptp(self.fit.answers, axis=0).max())
        digits = max(1, int(np.log10(max(spread / self.tolerance, 1.0))))
        short = with_vector(program, significant(vector(program), digits))
        return candidate(short, "").length < self.below


def _flat(wanted: _Wanted) -> Iterator[Candidate]:
    if wanted.few:
        for flat in shallow(wanted.fit.shorter(_SHARE), _NEARLY * wanted.tolerance, wanted.may_do):
            yield from _rounded(wanted, flat, "one hidden layer fitted to it")


def _in_shape(wanted: _Wanted) -> Iterator[Candidate]:
    if not wanted.may_do(wanted.own):
        return
    for share in (_NEARLY, *(_CAREFUL[:1] if wanted.few else _CAREFUL)):
        found = shortened(wanted.own, wanted.fit, share * wanted.tolerance)
        if found is not None:
            yield candidate(found, "its own shape, numbers rounded")


def _thin(wanted: _Wanted) -> Iterator[Candidate]:
    if not wanted.few or np.count_nonzero(vector(wanted.own)) > _MOST_FITTED or wanted.fit.is_over:
        return
    thin = thinned(wanted.own, wanted.fit, _FITTED * wanted.tolerance)
    if wanted.may_do(thin):
        yield from _rounded(wanted, thin, "its own shape thinned out and fitted anew")


def _rounded(wanted: _Wanted, program: Program, what: str) -> Iterator[Candidate]:
    for compensated in (False, True):
        found = shortened(program, wanted.fit, _NEARLY * wanted.tolerance, compensated=compensated)
        if found is not None:
            yield candidate(found, what)


def _polynomial(wanted: _Wanted) -> Iterator[Candidate]:
    """Yield the polynomial form, which is proved for itself."""
    fit, seconds = wanted.fit, min(wanted.fit.work.left, _LONGEST)
    if fit.network.inputs > _MOST_INPUTS or seconds < _A_SECOND:
        return
    with suppress(BadRequest, TooLarge):
        found = polynomial(fit.network, None, wanted.tolerance, fit.domain, seconds=seconds)
        yield candidate(found, *found.notes)


def _taylor(wanted: _Wanted) -> Iterator[Candidate]:
    """Yield the Taylor polynomial of the lowest order that will do, its numbers rounded."""
    fit = wanted.fit
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
        found = shortened(program, fit, _NEARLY * wanted.tolerance)
        if found is not None:
            yield candidate(found, f"Taylor polynomial of order {order}, numbers rounded")
            return
