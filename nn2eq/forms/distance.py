"""How far a form lies from its network: proved over a box, as real functions with their exact numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import singledispatch
from typing import Any

import numpy as np

from nn2eq.bounds import Distance, Intervals, Progress, Tape, bounds, difference
from nn2eq.bounds.tape import Applied, Op, Powers, Sum, of_network
from nn2eq.domain import Domain
from nn2eq.errors import BadRequest
from nn2eq.forms.program import Affine, Apply, Cases, Polynomial, Program, Step, with_constants
from nn2eq.network import Network

RELATIVE = 1e-3
"""The tolerance if none is given, relative to the proved range of the outputs."""
SAMPLES = 4096
"""Points of a domain at which an error is looked at."""
_PATIENCE = 4.0
"""How many times the seconds a proof may take by the clock whose work is counted."""


def difference_bound(
    first: Network | Program | Tape,
    second: Network | Program | Tape,
    domain: Intervals,
    *,
    gap: float | None = None,
    within: float | None = None,
    seconds: float = 10.0,
    work: float = math.inf,
    progress: Progress | None = None,
) -> Distance:
    """Prove a bound of |first - second| over a domain, an output each.

    It stops when the bound is within `gap` of the true distance (None: a thousandth of it), or after some
    seconds, and says what is proved by then; never less than the truth. With `within` it only asks whether the
    distance is at most that, and stops when `proved` is not above it or `observed` is. work: likewise, counted by
    what is done. What float64 adds when a text is run is not in it. Raises BadRequest for a domain that does not fit.
    """
    tapes = tape_of(first), tape_of(second)
    return difference(*tapes, domain, gap=gap, within=within, seconds=seconds, work=work, progress=progress)


@singledispatch
def tape_of(function: Any) -> Tape:
    """Return a network or a program as the tape that bounds are proved of."""
    raise TypeError(f"no tape of a {type(function).__name__}")


@tape_of.register
def _(function: Tape) -> Tape:
    return function


@tape_of.register
def _(function: Network) -> Tape:
    return of_network(function)


@tape_of.register
def _(function: Program) -> Tape:
    place = {function.predict.arguments[0].name: 0}
    ops = []
    for step in function.predict.steps:
        ops.append(_op(step, place))
        place[step.out.name] = len(ops)
    result = function.predict.results[0].name
    if place[result] != len(ops):
        ops.append(Sum(((place[result], np.ones(len(function.outputs))),)))
    return Tape(len(function.inputs), tuple(ops))


def _op(step: Step, place: dict[str, int]) -> Op:
    if isinstance(step, Affine):
        terms = tuple((place[term.arg.name], term.matrix.data) for term in step.terms)
        return Sum(terms, None if step.offset is None else step.offset.data)
    if isinstance(step, Apply):
        return Applied(place[step.arg.name], with_constants(step), step.units)
    if isinstance(step, Cases):
        what = "no distance is proved of a program that distinguishes cases"
        raise BadRequest(what, code="no-distance", way_out="pieces are exact; ask for another form's")
    assert isinstance(step, Polynomial)
    inputs = step.arg.size
    centre = np.zeros(inputs) if step.centre is None else step.centre.data
    scale = np.ones(inputs) if step.scale is None else step.scale.data
    below = None if step.denominator is None else step.denominator.data
    return Powers(
        place[step.arg.name], step.exponents, step.coefficients.data, centre, scale, step.basis, below
    )


def measured(
    network: Network, program: Program, domain: Domain, *, within: float | None = None, seconds: float = 10.0
) -> Program:
    """Return a program that says how far it is from its network on a domain: proved, and seen at samples."""
    found = difference_bound(network, program, domain, within=within, seconds=seconds)
    low, high = np.array(found.domain).T
    points = np.random.default_rng(0).uniform(low, high, size=(SAMPLES, len(low)))
    with np.errstate(all="ignore"):
        apart = np.abs(program.evaluate(points) - network.evaluate(points))
    return replace(with_distance(program, found, float(np.nanmax(apart))), exact=False)


def with_distance(program: Program, found: Distance, observed: float) -> Program:
    """Return a program that says how far it is from its network: proved, and seen at samples."""
    seen = max(observed, *found.observed)
    return replace(program, domain=found.domain, proved=found.proved, observed=min(seen, found.proved))


def default_tolerance(network: Network, domain: Domain, seconds: float) -> float:
    """Return a thousandth of the widest proved range of an output, rounded down to two digits.

    seconds: what the proof may take, counted in work. Raises BadRequest where an output is not bounded.
    """
    ranges = bounds(network, domain, seconds=_PATIENCE * seconds, work=seconds, jacobian=False).outputs
    widest = max(output.high - output.low for output in ranges)
    if not math.isfinite(widest):
        raise BadRequest("the outputs are not bounded", code="tolerance", way_out="give --tolerance")
    return _down(RELATIVE * widest)


def _down(value: float) -> float:
    """Round to two digits, towards 0."""
    near, exponent = float(f"{value:.1e}"), int(f"{value:e}".partition("e")[2])
    return near if near <= value else float(f"{near - 10.0 ** (exponent - 1):.1e}")
