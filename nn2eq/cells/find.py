"""`regions`: the affine pieces of a network, found, proved complete, merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.decider import Decider
from nn2eq.cells.domain import opening, whole
from nn2eq.cells.explore import CELLS, Report, walk, walk_together
from nn2eq.cells.merging import groups
from nn2eq.cells.parts import Part
from nn2eq.cells.result import Regions
from nn2eq.cells.seams import keep
from nn2eq.cells.sewing import prove, sewn
from nn2eq.cells.state import State
from nn2eq.cells.steps import steps
from nn2eq.cells.story import story
from nn2eq.errors import BadRequest
from nn2eq.network import Network

Array = NDArray[np.float64]
LEAST_CELLS = 64


def regions(
    network: Network,
    domain: Sequence[tuple[float, float]] | None = None,
    *,
    merge: bool = False,
    exact: bool = False,
    max_regions: int | None = None,
    progress: Report | None = None,
    jobs: int = 1,
) -> Regions:
    """Return the affine pieces of a network on a box, or on the whole space.

    domain: the ends of each input, infinite where it has none. merge: also join neighbours with the same map.
    exact: in fractions. max_regions: stop when there are more; as after an interrupt, what was found is
    returned, and is not `complete`. progress: called as the walk goes on. jobs: how many processes share the
    work, through joblib. Raises UnsupportedModel if the network is not piecewise affine, BadRequest, TooLarge.
    """
    network.require_numbers("a list of regions")
    found_steps = steps(network)
    box = whole(network.inputs) if domain is None else _box(domain, network.inputs)
    decider = Decider(found_steps, network.inputs)
    cells = CELLS if max_regions is None else min(CELLS, max(LEAST_CELLS, max_regions))
    start = opening(box)
    if jobs == 1:
        finals: Iterable[State] = walk(start, decider, cells=cells, report=progress)
    else:
        finals = walk_together(start, decider, jobs=jobs, cells=cells, report=progress)
    parts, complete = _collected(finals, max_regions)
    try:
        return _assembled(box, parts, decider, complete=complete, merge=merge, exact=exact)
    except KeyboardInterrupt:  # during the proof: what is not proved is not complete
        return _assembled(box, parts, decider, complete=False, merge=merge, exact=exact)


def _box(domain: Sequence[tuple[float, float]], inputs: int) -> Array:
    box = np.array(domain, dtype=np.float64)
    if box.shape != (inputs, 2):
        raise BadRequest(
            f"a domain of shape {box.shape}",
            code="domain",
            way_out=f"give two ends for each of {inputs} inputs",
        )
    if not (box[:, 0] < box[:, 1]).all():
        raise BadRequest("a domain whose lower end is not below its upper end", code="domain")
    return box


def _collected(finals: Iterable[State], most: int | None) -> tuple[tuple[Part, ...], bool]:
    """Collect final complexes, up to so many regions, or until interrupted; tell whether these are all."""
    parts: list[Part] = []
    room = most
    with suppress(KeyboardInterrupt):
        for state in finals:
            if room is not None and state.faces.cells > room:
                parts += [Part(keep(state, room))] if room else []
                return tuple(parts), False
            parts.append(Part(state))
            room = None if room is None else room - state.faces.cells
        return tuple(parts), True
    return tuple(parts), False


def _assembled(
    box: Array, parts: tuple[Part, ...], decider: Decider, *, complete: bool, merge: bool, exact: bool
) -> Regions:
    jumps = any(step.bend is not None and step.bend.jumps for step in decider.steps)
    proof = (
        prove(parts, by_filter=decider.tally.by_filter, exactly=decider.tally.exactly) if complete else None
    )
    pairs = np.concatenate([*_within(parts), sewn(parts, decider, jumps=jumps, complete=complete)])
    keys = np.sort(pairs[:, 0] << 32 | pairs[:, 1])
    adjacency = np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1)
    return Regions(
        domain=box,
        patterns=np.concatenate(
            [np.zeros((0, _units(decider)), dtype=np.int16), *(p.patterns for p in parts)]
        ),
        adjacency=adjacency,
        story=story(decider.steps, decider.tally) if complete else (),
        proof=proof,
        groups=groups(parts, adjacency, decider) if merge and parts else np.zeros(0, dtype=np.int64),
        exact=exact,
        parts=parts,
        decider=decider,
    )


def _units(decider: Decider) -> int:
    return sum(step.bend.units for step in decider.steps if step.bend is not None)


def _within(parts: tuple[Part, ...]) -> Iterator[NDArray[np.int64]]:
    """Yield the pairs of neighbours of each part, regions counted over all parts."""
    first = 0
    yield np.zeros((0, 2), dtype=np.int64)
    for part in parts:
        yield part.neighbours.astype(np.int64) + first
        first += part.cells
