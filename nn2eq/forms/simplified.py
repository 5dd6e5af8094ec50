"""The simplified form: a network as short as an error allows, the error proved over a box.

What changes nothing is left out first (`reduced`). Then shorter programs are looked for by samples (`shorter`),
and the shortest one that is proved to be near enough is taken.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

from nn2eq.bounds import bounds
from nn2eq.domain import Domain, domain_of
from nn2eq.errors import BadRequest
from nn2eq.forms.distance import difference_bound, with_distance
from nn2eq.forms.nodes import Nodes, program, tape
from nn2eq.forms.program import Program
from nn2eq.forms.reduced import reduced
from nn2eq.forms.refitting import Fit
from nn2eq.forms.shorter import Candidate, candidate, candidates
from nn2eq.network import Network

RELATIVE = 1e-3
"""The tolerance if none is given, relative to the proved range of the outputs."""
_LEAST = 0.1
"""The share of the time that a proof is given, even if the search has taken more than it should."""
_LATE = 2.0
_EXACT = 1e-11
"""A distance that is rounding alone, relative to the outputs."""


def simplified(
    network: Network,
    tolerance: float | None = None,
    domain: Sequence[Sequence[float]] | Sequence[float] | Domain | None = None,
    *,
    seconds: float = 10.0,
) -> Program:
    """Return a short program that is near the network over a domain.

    tolerance: how far it may be from the network there, by default a thousandth of the proved range of the
    outputs; 0: only what changes nothing on the domain is left out. domain: (low, high) for all inputs or for
    each; without one only what changes nothing anywhere is left out. The program carries the proved bound of its
    distance from the network, never above the tolerance (beyond rounding), and an observed one; what is not found
    and proved within so many seconds is not used. Raises BadRequest.
    """
    end = time.monotonic() + seconds
    if domain is None:
        if tolerance:
            raise BadRequest(
                "a tolerance needs a domain", code="domain", way_out="give --domain=-1:1, or --data"
            )
        found = reduced(network, seconds=seconds / 4)
        return _told(candidate(program(found, network), "what changes nothing anywhere is left out"))
    box = domain_of(domain, network.inputs)
    if tolerance is not None and not 0.0 <= tolerance < math.inf:
        raise BadRequest("the tolerance is negative", code="tolerance", way_out="give 0 or more")
    found = reduced(network, box, seconds=seconds / 4)
    if tolerance is None:
        tolerance = _default(network, box, seconds / 8)
    fit = Fit(network, box, end).shorter(0.5)
    shortest = _shortest(found, fit, tolerance, (end, _LEAST * seconds)) if tolerance else None
    return shortest or _exactly(found, fit, tolerance)


def _default(network: Network, box: Domain, seconds: float) -> float:
    ranges = bounds(network, box, seconds=seconds, jacobian=False).outputs
    widest = max(output.high - output.low for output in ranges)
    if not math.isfinite(widest):
        raise BadRequest("the outputs are not bounded", code="tolerance", way_out="give --tolerance")
    return RELATIVE * widest


def _shortest(found: Nodes, fit: Fit, tolerance: float, limits: tuple[float, float]) -> Program | None:
    """Return the shortest candidate that is proved, None if it is not shorter than the network itself.

    limits: when the time is up, and how many seconds a proof is given in any case.
    """
    end, least = limits
    own = program(found, fit.network, wide=True)
    longest = candidate(program(found, fit.network), "").length
    offered = sorted(candidates(own, fit, tolerance), key=lambda each: each.length)
    for tried in offered:
        if tried.length >= longest:
            break
        left = end - time.monotonic()
        if proved := _proved(found, tried, fit, tolerance, max(left / 2, least)):
            return proved
        if left < -_LATE * least:
            break
    return None


def _proved(found: Nodes, tried: Candidate, fit: Fit, tolerance: float, seconds: float) -> Program | None:
    """Prove that a candidate is near enough; None if that is not so, or not found out in so many seconds."""
    distance = difference_bound(tape(found), tried.compared, fit.domain, within=tolerance, seconds=seconds)
    if not distance.proved <= tolerance:
        return None
    return _told(tried, tolerance, with_distance(tried.printed, distance, fit.worst(tried.printed)))


def _exactly(found: Nodes, fit: Fit, tolerance: float) -> Program:
    """Return the network without what changes nothing on its domain."""
    tried = candidate(program(found, fit.network), "what changes nothing on the domain is left out")
    within = _EXACT * (1.0 + float(abs(fit.answers).max()))
    distance = difference_bound(tape(found), tried.compared, fit.domain, within=within, seconds=2.0)
    return _told(tried, tolerance, with_distance(tried.printed, distance, fit.worst(tried.printed)))


def _told(tried: Candidate, tolerance: float | None = None, shown: Program | None = None) -> Program:
    """Return a candidate's program that says what it is; without a tolerance it is the network everywhere."""
    shown = shown or tried.printed
    told = {} if tolerance is None else {"tolerance": tolerance}
    return replace(shown, form="simplified", exact=tolerance is None, notes=(tried.what,), told=told)
