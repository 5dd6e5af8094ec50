"""The simplified form: a network as short as an error allows, the error proved over a box.

What changes nothing is left out first (`reduced`). Then shorter programs are looked for by samples (`shorter`),
and the shortest one that is proved to be near enough is taken.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nn2eq.domain import Domain, domain_of
from nn2eq.errors import BadRequest
from nn2eq.forms.distance import default_tolerance, difference_bound, with_distance
from nn2eq.forms.merged import merged
from nn2eq.forms.nodes import Nodes, program, tape
from nn2eq.forms.program import Program
from nn2eq.forms.reduced import reduced
from nn2eq.forms.refitting import Fit
from nn2eq.forms.shorter import Candidate, candidate, candidates
from nn2eq.forms.work import Work
from nn2eq.network import Network

_SEARCH = 0.5
"""The share of the seconds that the search is worth; it is counted in work, so that it finds the same anywhere."""
_LEAST = 0.05
"""Likewise of the work that each proof may take at first."""
_WORTH = 0.97
"""How much of the length of one that is proved another must have for its own proof to be worth more work."""
_PATIENCE = 4.0
"""How many times the seconds proofs may take by the clock, on a machine that is slow or busy."""
_MERGED = 0.1
"""The share of the tolerance that merging units which are nearly alike may take."""
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
    distance from the network, never above the tolerance (beyond rounding), and an observed one. seconds: half of
    them are what the search may take, counted in work, the others are for proofs, and what is not proved by then is
    not used. Raises BadRequest.
    """
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
        tolerance = default_tolerance(network, box, seconds / 8)
    fit = Fit(network, box, Work(_SEARCH * seconds))
    with np.errstate(all="ignore"):  # what goes beyond float64 is seen to be far off, and not taken
        shortest = _shortest(found, fit, tolerance, seconds) if tolerance else None
    return shortest or _exactly(found, fit, tolerance)


def _merged(found: Nodes, fit: Fit, tolerance: float, seconds: float) -> Nodes:
    """Return the nodes with units that are nearly alike merged, unless that takes much of the tolerance."""
    near = merged(found, fit.domain, _MERGED * tolerance, seconds=seconds / 8)
    return near if fit.worst(program(near, fit.network, wide=True)) <= _MERGED * tolerance else found


def _shortest(found: Nodes, fit: Fit, tolerance: float, seconds: float) -> Program | None:
    """Return the shortest candidate that is proved, None if it is not shorter than the network itself.

    All are given little work first, then those twice as much that are shorter than the best that is proved.
    """
    longest = candidate(program(found, fit.network), "").length
    near = _merged(found, fit, tolerance, seconds)
    own = program(near, fit.network, wide=True)
    offered = [*candidates(own, fit, tolerance), candidate(own, "units that are nearly alike taken as one")]
    offered = sorted((each for each in offered if each.length < longest), key=lambda each: each.length)
    proof = _Proof(near, fit, tolerance, (1 - _SEARCH) * seconds, time.monotonic() + _PATIENCE * seconds)
    share, best, enough = _LEAST * seconds, None, math.inf
    while offered and proof.left > 0:
        undecided = []
        for tried in offered:
            proved, again = proof.of(tried, share)
            if proved is not None:
                best, enough = proved, _WORTH * tried.length
                break
            undecided += [tried] * again
        offered, share = [each for each in undecided if each.length < enough], 2 * share
    return best


@dataclass
class _Proof:
    """Proofs that candidates are near enough, for as much work as is left, which they change; until a time at last."""

    found: Nodes
    fit: Fit
    tolerance: float
    left: float
    end: float

    def of(self, tried: Candidate, work: float) -> tuple[Program | None, bool]:
        """Return the candidate's program, None if it is not proved; then, whether more work might prove it."""
        if tried.printed.proved <= self.tolerance:
            return _told(tried, self.tolerance), False
        seconds = self.end - time.monotonic()
        if self.left <= 0 or seconds <= 0:
            return None, False
        distance = difference_bound(
            tape(self.found), tried.compared, self.fit.domain,
            within=self.tolerance, seconds=seconds, work=min(work, self.left),
        )  # fmt: skip
        self.left -= distance.work
        if distance.proved <= self.tolerance:
            observed = self.fit.worst(tried.printed)
            return _told(tried, self.tolerance, with_distance(tried.printed, distance, observed)), False
        return None, max(distance.observed) <= self.tolerance


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
