"""Polynomials and ratios that are near an output at samples, and the one of fewest characters among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from nn2eq.errors import BadRequest
from nn2eq.forms.decimals import Short, shortest
from nn2eq.forms.fitting import LARGE, Array, near_minimax
from nn2eq.forms.monomials import Columns, Exponents

TERMS = 200
"""Coefficients that an output may have."""
HIGHEST = 64
"""The highest degree that is looked at."""
_BEYOND = {1: 4, 2: 2}
"""By inputs, how many degrees are tried beside the lowest that suffices: more terms may need fewer digits."""
_BELOW = {1: (1, 2, 3, 4), 2: (1, 2), 3: (1,)}
"""By inputs, the degrees that are tried for a denominator."""
_LONG = 24
"""Terms from which on no ratio is looked for: it would take long, and be as long."""
_QUICK = 25
"""Rounds in which a ratio must come near."""
_FRACTION = 14
"""The characters that a fraction takes around its numerator and denominator, and of the 1 in that."""
_ORDERS = (3, 12)
"""In how many orders digits are taken away: first of every candidate, then of the shortest."""
_SAID = 4
"""Rounds that a fit is worth that is only to be told of."""
_ROUNDING = 0.01
"""The share of the tolerance that evaluating powers in float64 may cost."""
_UNIT = 2.0**-53


@dataclass(frozen=True, eq=False)
class Candidate:
    """A fit of one output, by the degrees above and below: exponents and coefficients of either, characters."""

    above: tuple[Exponents, Array]
    below: tuple[Exponents, Array]
    characters: int


def lowest_degree(columns: Columns, output: int, most: int | None, aim: float) -> int:
    """Return the lowest degree of a polynomial that is within the aim at the samples. Raises BadRequest."""
    degrees = [d for d in range(1 + (HIGHEST if most is None else most)) if columns.count(d) <= TERMS]
    highest = near_minimax(columns.task(output, degrees[-1]), aim)
    if highest.least <= aim:  # else none is near enough, whatever the degree
        for degree in degrees:
            if near_minimax(columns.task(output, degree), aim).error <= aim:
                return degree
    error = near_minimax(columns.task(output, degrees[-1]), rounds=_SAID).error
    raise BadRequest(
        f"no polynomial of degree up to {degrees[-1]} is within {aim:.3g} of the network, but one is within "
        f"{error:.2g}",
        code="not-near", way_out="raise --tolerance or --degree, or shrink --domain",
    )  # fmt: skip


def is_exact_enough(columns: Columns, output: int, degree: int, aim: float) -> bool:
    """Whether float64 evaluates the polynomial in this basis to a small share of the aim."""
    task = columns.task(output, degree)
    fit = near_minimax(task, aim)
    sizes = np.abs(task.above).max(axis=0) @ np.abs(fit.coefficients)
    return bool(fit.error <= aim and sizes * 2 * (degree + 2) * _UNIT <= _ROUNDING * aim)


def briefest(columns: Columns, output: int, lowest: int, most: int | None, aim: float) -> Candidate:
    """Return the fit of an output of fewest characters that is within the aim at the samples.

    lowest: a degree that suffices; most: the highest that is allowed. Raises BadRequest where rounding to
    decimals leaves none.
    """
    beyond = _BEYOND.get(len(columns.variables), 1)
    highest = min(HIGHEST if most is None else most, lowest + beyond)
    most_terms = min(LARGE // len(columns.t), len(columns.t))  # of a point, nothing but a number can be told
    degrees = [d for d in range(lowest + 1, highest + 1) if columns.count(d) <= most_terms]
    sums = [(degree, 0) for degree in (lowest, *degrees)]
    found = [(short, kind) for kind in sums if (short := _short(columns, output, kind, aim, _ORDERS[0]))]
    if not found:
        raise BadRequest(
            "the tolerance is too near to what float64 can tell", code="not-near", way_out="raise --tolerance"
        )
    best, chosen = min(found, key=lambda pair: pair[0].characters)
    for kind in _ratios(columns, output, len(best.kept), aim):
        short = _short(columns, output, kind, aim, _ORDERS[0])
        if short is not None and short.characters < best.characters:
            best, chosen = short, kind
    if not columns.task(output, *chosen).is_large:
        again = _short(columns, output, chosen, aim, _ORDERS[1])
        best = min(best, again or best, key=lambda short: short.characters)
    return _told(columns, best, chosen)


def _short(columns: Columns, output: int, kind: tuple[int, int], aim: float, orders: int) -> Short | None:
    task = columns.task(output, *kind)
    found = shortest(task, columns.signs(*kind), aim, 1 if task.is_large else orders)
    if found is None or not kind[1]:
        return found
    return found.with_more(_FRACTION)


def _ratios(columns: Columns, output: int, terms: int, aim: float) -> Iterator[tuple[int, int]]:
    """Yield the degrees of ratios with fewer coefficients than so many terms that are within the aim."""
    for below in _BELOW.get(len(columns.variables), ()) if terms <= _LONG else ():
        under = columns.count(below)
        most = min(terms, len(columns.t))
        degrees = (d for d in range(HIGHEST) if columns.count(d) + under <= most)
        fits = (d for d in degrees if near_minimax(columns.task(output, d, below), aim, _QUICK).error <= aim)
        yield from ((degree, below) for degree in islice(fits, 1))


def _told(columns: Columns, short: Short, kind: tuple[int, int]) -> Candidate:
    above, below = (columns.exponents(degree) for degree in kind)
    kept, place = np.array(short.kept, dtype=np.intp), len(above)
    over, under = kept < place, kept >= place
    lower = np.concatenate([below[:1], below[1 + kept[under] - place]])
    return Candidate(
        (above[kept[over]], short.coefficients[over]),
        (lower, np.concatenate([[1.0], short.coefficients[under]])),
        short.characters,
    )
