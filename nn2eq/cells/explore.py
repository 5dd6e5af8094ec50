"""The walk through the network: every layer divides the cells, a part at a time where there are many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nn2eq.cells import line
from nn2eq.cells.decider import Decider, Tally
from nn2eq.cells.layer import begin, cut, end
from nn2eq.cells.seams import split, tear
from nn2eq.cells.state import State
from nn2eq.cells.steps import Step
from nn2eq.errors import BadRequest

CELLS = 65_536
"""Cells divided together: more are split up, so that memory is bounded and what is done can be kept."""
PAIRS = 2_000_000
"""Likewise for pairs of a face and what bounds it, of which there are many a cell with many inputs."""
SMALL = 256
"""Likewise where parts are made for several processes."""
PARTS = 4
"""Parts made for each process, so that all end at about the same time."""


@dataclass(frozen=True)
class Progress:
    """How far a walk is: cells that are done, and all that are known of so far."""

    done: int
    known: int


Report = Callable[[Progress], None]


def walk(
    opening: State, decider: Decider, *, cells: int = CELLS, report: Report | None = None
) -> Iterator[State]:
    """Yield the final complexes that a first one is divided into, depth first."""
    waiting, done = [opening], 0
    while waiting:
        state = waiting.pop()
        if state.step == len(decider.steps):
            done += state.faces.cells
            yield state
        else:
            waiting += reversed(advance(state, decider, cells))
        if report is not None:
            report(Progress(done, done + sum(part.faces.cells for part in waiting)))


def walk_together(
    opening: State, decider: Decider, *, jobs: int, cells: int = CELLS, report: Report | None = None
) -> Iterator[State]:
    """Walk with several processes through joblib, a few parts for each at a time.

    Whoever wants another backend, Dask or Ray, says so with `joblib.parallel_config`. Raises BadRequest without
    joblib.
    """
    try:
        from joblib import Parallel, delayed, effective_n_jobs  # type: ignore[import-untyped]
    except ImportError:
        raise BadRequest(
            "several processes are joblib's", code="needs-joblib", way_out="pip install 'nn2eq[parallel]'"
        ) from None
    if jobs == 0:
        raise BadRequest("0 processes do nothing", code="jobs", way_out="say how many, or -1 for all cores")
    size = PARTS * effective_n_jobs(jobs)
    waiting, done = _spread(opening, decider, size), 0
    for first in range(0, len(waiting), size):
        batch = enumerate(waiting[first : first + size], start=first + 1)
        for states, worker in Parallel(n_jobs=jobs)(
            delayed(_walked)(state, decider.steps, decider.trusting, place, cells) for place, state in batch
        ):
            decider.tally = decider.tally.joined(worker)
            done += sum(state.faces.cells for state in states)
            yield from states
        if report is not None:
            report(Progress(done, done + sum(state.faces.cells for state in waiting[first + size :])))


def _spread(opening: State, decider: Decider, parts: int) -> list[State]:
    """Advance until there are so many parts, or none that is not final."""
    waiting, final = [opening], list[State]()
    while waiting and len(waiting) + len(final) < parts:
        state = waiting.pop(0)
        if state.step == len(decider.steps):
            final.append(state)
        else:
            waiting += advance(state, decider, SMALL)
    return final + waiting


def _walked(
    state: State, steps: tuple[Step, ...], trusting: bool, place: int, cells: int
) -> tuple[list[State], Tally]:
    """Walk in a process of its own, with labels that no other uses."""
    decider = Decider(steps, state.inputs, trusting=trusting, first_label=place << 40)
    return list(walk(state, decider, cells=cells)), decider.tally


def advance(state: State, decider: Decider, cells: int) -> tuple[State, ...]:
    """Take a complex through one step, or to where it is so large that it is split."""
    state = begin(state, decider) if state.cuts is None else state
    if state.cuts is not None:
        state = _subdivided(state, decider, cells)
        if state.within.made < state.within.count:
            return split(state, decider)
    bend = decider.steps[state.step].bend
    state = end(state, decider)
    return (tear(state, decider) if bend is not None and bend.jumps else state,)


def _subdivided(state: State, decider: Decider, cells: int) -> State:
    """Make cuts until there are no more of them, or too many cells."""
    if state.inputs == 1:
        return line.subdivide(state, decider)
    while state.within.made < state.within.count and not _is_large(state, cells):
        state = cut(state, decider)
    return state


def _is_large(state: State, cells: int) -> bool:
    faces = state.faces
    pairs = sum(level.face.size for level in faces.above)
    return faces.cells > 1 and (faces.cells > cells or pairs > PAIRS)
