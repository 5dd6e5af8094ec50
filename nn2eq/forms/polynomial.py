"""The polynomial form: a network over a box as a polynomial, or a ratio of two, short and with its error proved.

What is fitted is near-minimax (`fitting`), what is printed has as few terms and digits as the tolerance allows
(`decimals`), what is said is proved (`distance`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import comb

import numpy as np

from nn2eq.domain import Domain, default_domain, domain_of
from nn2eq.errors import BadRequest, TooLarge
from nn2eq.forms.arguments import require_positive
from nn2eq.forms.candidates import TERMS, Candidate, briefest, is_exact_enough, lowest_degree
from nn2eq.forms.fitting import near_minimax
from nn2eq.forms.frame import inputs_of, outputs_of, predicting, program_of
from nn2eq.forms.monomials import Columns, Variable, as_they_are, moved, placed, shared
from nn2eq.forms.program import Affine, Constant, Polynomial, Program, Step, Term, Value
from nn2eq.forms.sampled import Samples
from nn2eq.network import Network, numbered

_AIMS = {1: (0.998, 0.9), 2: (0.98, 0.85)}
"""By inputs, how much of the tolerance is used up, the next where the one before could not be proved."""
_MANY_AIMS = (0.8,)
"""Likewise for more inputs: what is left over makes a proof far quicker."""
_ROOM = 1.08
"""How much its error may grow, where only a degree is given, for the sake of shorter numbers."""
_FINEST = 1e-12
"""The tolerance, relative to the answers, below which float64 says nothing."""
_CLOSER = 0.98
"""How much closer is aimed where a fit is worse between the samples."""
_LOOKS = 4
_MOVING = 22
"""The characters of the line that moves an input."""


def polynomial(
    network: Network,
    degree: int | None = None,
    tolerance: float | None = None,
    domain: Domain | Sequence[Sequence[float]] | Sequence[float] | None = None,
    *,
    seconds: float = 10.0,
) -> Program:
    """Return a short polynomial, or a ratio of two, that is near the network over a domain.

    degree: the highest total degree; tolerance: how far it may be from the network, by default a thousandth of
    the proved range, or with a degree about the least that this degree allows. domain: (low, high) for all
    inputs or for each, by default the one that the network was trained on if that is known. The program carries
    the proved bound of its distance from the network, found within so many seconds, never above the tolerance,
    and an observed one. Raises BadRequest if that cannot be had.
    """
    box = default_domain(network) if domain is None else domain_of(domain, network.inputs)
    if degree is not None and degree < 0:
        raise BadRequest("the degree is negative", code="degree", way_out="give --degree 0 or more")
    if tolerance is not None:
        require_positive(tolerance)
    samples = Samples.of(network, box)
    if not np.all(np.isfinite(samples.answers)):
        raise BadRequest("the network is not finite all over the domain", code="domain", way_out="shrink it")
    if tolerance is None:
        tolerance = _default(samples, seconds) if degree is None else _of_degree(samples, degree)
    most = degree if degree is None else min(degree, TERMS)  # beyond, there are too many terms in any case
    found = _proved(samples, most, tolerance, seconds)
    told = {"degree": degree, "tolerance": tolerance}
    given = {name: value for name, value in told.items() if value is not None}
    return replace(found, exact=False, told=given)


def _default(samples: Samples, seconds: float) -> float:
    from nn2eq.forms.distance import default_tolerance  # only this needs ball arithmetic

    return max(default_tolerance(samples.network, samples.box, seconds / 4), _FINEST)


def _of_degree(samples: Samples, degree: int) -> float:
    """Return the error that a polynomial of this degree can have, and a little more. Raises TooLarge."""
    if comb(len(samples.box) + degree, degree) > TERMS:
        what = f"degree {degree:.6g} in {len(samples.box)} inputs has more than {TERMS} coefficients"
        raise TooLarge(what, code="too-large", way_out="take a lower --degree, or give --tolerance")
    here, there = (Columns(some, "chebyshev", moved(some.box)) for some in (samples, samples.elsewhere()))
    errors = []
    for output in range(here.outputs):
        fit = near_minimax(here.task(output, degree))
        elsewhere = np.abs(there.task(output, degree).residual(fit.coefficients))
        errors.append(max(fit.error, float(elsewhere.max())))
    finest = _FINEST * max(1.0, float(np.abs(samples.answers).max()))
    return max(_ROOM / _aims(samples)[0] * max(errors), finest)


def _aims(samples: Samples) -> tuple[float, ...]:
    return _AIMS.get(len(samples.box), _MANY_AIMS)


def _proved(samples: Samples, degree: int | None, tolerance: float, seconds: float) -> Program:
    """Find one that can be proved to be within the tolerance."""
    from nn2eq.forms.distance import difference_bound, with_distance  # only this needs ball arithmetic

    found = None
    aims = _aims(samples)
    for aim in aims:
        program, observed, samples = _seen(samples, degree, aim * tolerance)
        share = seconds / len(aims)
        found = difference_bound(samples.network, program, samples.box, within=tolerance, seconds=share)
        if found.proved <= tolerance:
            return with_distance(program, found, observed)
    assert found is not None
    raise BadRequest(
        f"within {tolerance:.3g} is not proved in {seconds:g} seconds, only {found.proved:.3g}",
        code="not-proved", way_out="raise --tolerance or --seconds, or shrink --domain",
    )  # fmt: skip


def _seen(samples: Samples, degree: int | None, aim: float) -> tuple[Program, float, Samples]:
    """Find a program that is within the aim wherever one looks; look again where it was not."""
    inner = aim if len(samples.box) in _AIMS else aim * _CLOSER**2
    for _ in range(_LOOKS):
        program = _shortest(samples, degree, inner)
        seen, samples = samples.check(program)
        if seen <= aim:
            break
        inner *= _CLOSER
    return program, seen, samples


# ------------------------------------------------------------------------------------------ what is written


def _shortest(samples: Samples, degree: int | None, aim: float) -> Program:
    """Return the program of fewest characters over the ways in which the inputs may be moved."""
    even = Columns(samples, "chebyshev", moved(samples.box))
    outputs = range(even.outputs)
    lowest = [lowest_degree(even, output, degree, aim) for output in outputs]
    powers = [
        Columns(samples, "power", way)
        for way in dict.fromkeys((as_they_are(samples.box), even.variables))
        if way is not None
    ]
    exact = [
        columns
        for columns in powers
        if all(is_exact_enough(columns, output, low, aim) for output, low in enumerate(lowest))
    ]
    found = [
        (columns, [briefest(columns, output, low, degree, aim) for output, low in enumerate(lowest)])
        for columns in exact or [even]
    ]
    return _program(*min(found, key=lambda pair: _length(*pair)))


def _length(columns: Columns, candidates: Sequence[Candidate]) -> int:
    moving = sum(_MOVING for variable in columns.variables if variable != Variable())
    return moving + sum(candidate.characters for candidate in candidates)


def _program(columns: Columns, candidates: Sequence[Candidate]) -> Program:
    network = columns.samples.network
    x, y = inputs_of(network), outputs_of(network)
    steps: list[Step] = []
    arg = x
    if columns.is_moved:
        arg = _fresh("t", {*x.parts, *y.parts}, len(x.parts))
        slope, shift = np.array([(v.slope, v.shift) for v in columns.variables]).T
        steps.append(Affine(arg, (Term(x, Constant("s", slope)),), Constant("t0", shift)))
    steps.append(_step(y, arg, columns.basis, candidates))
    notes = (_note(columns, candidates),)
    return program_of(network, predicting(x, y, *steps), "layered", "polynomial", notes=notes)


def _step(y: Value, arg: Value, basis: str, candidates: Sequence[Candidate]) -> Polynomial:
    rows = shared([part[0] for candidate in candidates for part in (candidate.above, candidate.below)])
    above, below = (
        np.stack([placed(*part, rows) for part in parts], axis=1)
        for parts in ([c.above for c in candidates], [c.below for c in candidates])
    )
    step = Polynomial(y, arg, rows, Constant("c", above), basis=basis, denominator=Constant("d", below))
    if step.is_ratio.any():
        return step
    rows = shared([candidate.above[0] for candidate in candidates])
    above = np.stack([placed(*candidate.above, rows) for candidate in candidates], axis=1)
    return Polynomial(y, arg, rows, Constant("c", above), basis=basis)


def _fresh(letter: str, used: set[str], count: int) -> Value:
    """Return a value whose names are not used."""
    while letter in used or used & set(numbered(letter, count)):
        letter += letter[0]
    return Value(letter, numbered(letter, count), "the inputs, moved")


def _note(columns: Columns, candidates: Sequence[Candidate]) -> str:
    """Say what it is."""
    above = max(int(candidate.above[0].sum(axis=1).max(initial=0)) for candidate in candidates)
    below = max(int(candidate.below[0].sum(axis=1).max(initial=0)) for candidate in candidates)
    kind = (
        f"ratio of polynomials of degrees {above} and {below}" if below else f"polynomial of degree {above}"
    )
    basis = ", in Chebyshev's polynomials T_k" if columns.basis == "chebyshev" else ""
    return f"near-minimax {kind}{basis}"
