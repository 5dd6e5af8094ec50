"""Proved bounds: the range of a network, of its gradient, and of the difference of two functions, over a box.

Each activation is known through a chart that Arb has proved (`charts`). From it come polynomials with a
proved distance (`relaxation`), and Taylor models of whole networks whose every rounding is accounted for
(`models`, `walk`). Branch and bound covers the domain with boxes (`search`); where to look is found in
floating point, what is said is proved. `difference` bounds how far two functions lie apart, which is far less
than how far each of them ranges.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.bounds import charts
from nn2eq.bounds import tape as tapes
from nn2eq.bounds.result import Bounds, Distance, Range
from nn2eq.bounds.search import Effort, Found, Progress, Search, Walker, Walks
from nn2eq.bounds.tape import Applied, Powers, Sum, Tape
from nn2eq.bounds.twins import Twins, alike
from nn2eq.domain import Domain, domain_of
from nn2eq.network import Network
from nn2eq.series import truncation

__all__ = ["Bounds", "Distance", "Intervals", "Progress", "Range", "Tape", "bounds", "difference"]

Intervals = Domain | Sequence[float] | Sequence[Sequence[float]] | NDArray[np.float64]

_ORDERS = {1: 8, 2: 4, 3: 3}
"""The degree of the models by the number of inputs; 2 for some more, 1 for many."""
_SOME = 12
_SHARPER = {1: 10, 2: 6, 3: 5, 4: 4, 5: 3, 6: 3}
"""Likewise, where a polynomial is subtracted that is itself close."""
_LARGEST_WALK = 30_000_000
_A_PRODUCT = 5e-7
"""Seconds that a product of two terms takes for a unit, with all that goes with it, on a machine of today."""
_COUPLED = 3
"""How many times as long it takes where units are coupled."""


def bounds(
    network: Network | Tape,
    domain: Intervals,
    *,
    gap: float | None = None,
    seconds: float = 10.0,
    work: float = math.inf,
    jacobian: bool = True,
    progress: Progress | None = None,
) -> Bounds:
    """Prove the range of every output, and of its derivative by every input, over a domain.

    It stops when every end is within `gap` of the true one (None: a thousandth of the range), or after some
    seconds, and says what is proved by then. work: the outputs' search stops after so many seconds too that are
    counted by what is done, not timed, so that any machine finds the same. Raises BadRequest for a domain that does
    not fit.
    """
    tape = network if isinstance(network, Tape) else tapes.of_network(network)
    box = domain_of(domain, tape.inputs)
    end = time.monotonic() + seconds
    effort = Effort(gap, seconds / 2 if jacobian else seconds, _boxes(tape, work), progress)
    values = _search(Walks(tape), tape, box, effort)
    slopes = None
    if jacobian:
        effort = replace(effort, seconds=end - time.monotonic(), boxes=Effort.boxes)
        slopes = _search(Walks(tape, slopes=True), tape, box, effort)
    entries = _ranges(slopes) if slopes else ()
    rows = [entries[k : k + tape.inputs] for k in range(0, len(entries), tape.inputs)]
    return Bounds(
        box, _ranges(values), tuple(rows), values.gap, slopes.gap if slopes else 0.0,
        values.boxes + (slopes.boxes if slopes else 0), _seconds_a_box(tape) * values.boxes,
    )  # fmt: skip


def difference(
    first: Tape,
    second: Tape,
    domain: Intervals,
    *,
    gap: float | None = None,
    within: float | None = None,
    seconds: float = 10.0,
    work: float = math.inf,
    progress: Progress | None = None,
) -> Distance:
    """Prove how far two functions lie apart over a domain, as real functions with their exact numbers.

    within: stop as soon as they are proved to be at most so far apart, or are certainly farther. work: stop after so
    many seconds that are counted by what is done, not timed, so that any machine finds the same. Where the two
    are built alike they are compared layer by layer, so that what they share cancels.
    """
    box = domain_of(domain, first.inputs)
    if tapes.same(first, second):
        nothing = (Range(0.0, 0.0),) * first.outputs
        return Distance(box, nothing, (0.0,) * first.outputs, 0.0, 0)
    walker: Walker
    if alike(first, second):
        walker, tape = Twins(first, second), first
    else:
        tape = tapes.difference(first, second)
        walker = Walks(tape)
    found = _search(walker, tape, box, Effort(gap, seconds, _boxes(tape, work), progress, within))
    reached = np.maximum(found.reached_high, -found.reached_low)
    worst = np.maximum(found.high, -found.low)
    apart = float(np.max(worst - np.where(np.isfinite(reached), reached, 0.0), initial=0.0))
    observed = tuple(float(max(value, 0.0)) if np.isfinite(value) else 0.0 for value in reached)
    return Distance(box, _ranges(found), observed, apart, found.boxes, _seconds_a_box(tape) * found.boxes)


def _search(walker: Walker, tape: Tape, box: Domain, effort: Effort) -> Found:
    low, high = np.array(box).T
    return Search(walker, low, high, _order(tape, slopes=walker.slopes)).run(effort)


def _order(tape: Tape, *, slopes: bool) -> int:
    """Choose the degree of the models: 1 if all is affine in pieces, less if there is no room."""
    orders = _SHARPER if any(isinstance(op, Powers) for op in tape.ops) else _ORDERS
    wanted = orders.get(tape.inputs, 2 if tape.inputs <= _SOME else 1)
    if not any(_bends(op) for op in tape.ops):
        wanted = 1
    widest = max(
        (kernel.shape[-1] for op in tape.ops if isinstance(op, Sum) for _, kernel in op.terms), default=1
    )
    while wanted and _room(tape.inputs, wanted, slopes) * max(widest, tape.inputs) > _LARGEST_WALK:
        wanted -= 1
    return wanted


def _seconds_a_box(tape: Tape) -> float:
    """Return about how long a box takes: as long as the products of all numbers that are made of it."""
    space = truncation(tape.inputs, _order(tape, slopes=False))
    units = 1 + sum(kernel.shape[-1] for op in tape.ops if isinstance(op, Sum) for _, kernel in op.terms)
    coupled = any(isinstance(op, Applied) and op.activation.row.coupled for op in tape.ops)
    return float(_A_PRODUCT * (_COUPLED if coupled else 1) * units * len(space.pairs[0]))


def _boxes(tape: Tape, work: float) -> int:
    """Return how many boxes are so much work."""
    return int(min(work / _seconds_a_box(tape), Effort.boxes))


def _room(inputs: int, order: int, slopes: bool) -> int:
    terms = inputs + 1 if order == 1 else inputs**order
    return terms * (inputs if slopes else 1)


def _bends(op: tapes.Op) -> bool:
    if not isinstance(op, Applied):
        return not isinstance(op, Sum)
    return op.activation.row.coupled or not charts.of(op.activation).is_affine


def _ranges(found: Found) -> tuple[Range, ...]:
    return tuple(Range(float(low), float(high)) for low, high in zip(found.low, found.high, strict=True))
