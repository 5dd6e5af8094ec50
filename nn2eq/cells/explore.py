"""The walk through the network: every layer divides the cells, a part at a time where there are many."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nn2eq.cells import arrangement, line
from nn2eq.cells.decider import Decider, Tally
from nn2eq.cells.layer import begin, cut, end
from nn2eq.cells.seams import keep, split, tear
from nn2eq.cells.state import State
from nn2eq.cells.steps import Step
from nn2eq.errors import BadRequest

CELLS = 65_536
"""Cells divided together: more are split up, so that memory is bounded and what is done can be kept."""
PAIRS = 2_000_000
"""Likewise for pairs of a face and what bounds it, of which there are many a cell with many inputs."""
FEW = 64
"""Cells that are taken through the network where it is interrupted before there is anything to show."""
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
    """Yield the final complexes that a first one is divided into, depth first.

    Whoever interrupts it before there is any gets a few cells yet, all the way through, and then the interrupt.
    """
    waiting, done, state = [opening], 0, opening
    try:
        while waiting:
            state = waiting.pop()
            if state.step == len(decider.steps):
                done += state.faces.cells
                yield state
            else:
                waiting += reversed(advance(state, decider, cells))
            if report is not None:
                report(Progress(done, done + _cells(waiting)))
    except KeyboardInterrupt:
        if not done:
            yield few(state, decider)
        raise


def _cells(states: Iterable[State]) -> int:
    return sum(state.faces.cells for state in states)


def few(state: State, decider: Decider) -> State:
    """Return a final complex of a few cells of a complex, and of what these are divided into: it is soon found."""
    wanted = 1 if state.inputs == 1 else FEW  # an interval is divided by all units of a layer at once
    while state.step < len(decider.steps):
        state = advance(keep(state, wanted), decider, FEW)[0]
    return keep(state, FEW)


def walk_together(
    opening: State, decider: Decider, *, jobs: int, cells: int = CELLS, report: Report | None = None
) -> Iterator[State]:
    """Walk with several processes through joblib, a few parts for each at a time.

    Whoever wants another backend, Dask or Ray, says so with `joblib.parallel_config`. An interrupt is as in `walk`.
    Raises BadRequest without joblib.
    """
    waiting, done = [opening], 0
    try:
        run, count = _processes(jobs)
        waiting = _spread(opening, decider, PARTS * count)
        for place, (states, tally) in enumerate(
            _finished(run, waiting, decider, cells, PARTS * count), start=1
        ):
            decider.tally = decider.tally.joined(tally)
            done += _cells(states)
            yield from states
            if report is not None:
                report(Progress(done, done + _cells(waiting[place:])))
    except KeyboardInterrupt:
        if not done:
            yield few(waiting[0], decider)
        raise


def _processes(jobs: int) -> tuple[Callable[..., Iterable[Any]], int]:
    """Return what runs calls in so many processes, giving answers as soon as it can, and how many they are."""
    try:
        from joblib import Parallel, effective_n_jobs  # type: ignore[import-untyped]
    except ImportError:
        raise BadRequest(
            "several processes need joblib", code="needs-joblib", way_out="pip install 'nn2eq[parallel]'"
        ) from None
    if jobs == 0:
        raise BadRequest("--jobs cannot be 0", code="jobs", way_out="give a number, or -1 for all cores")
    try:
        return Parallel(n_jobs=jobs, return_as="generator"), effective_n_jobs(jobs)
    except ValueError:  # not every backend can
        return Parallel(n_jobs=jobs), effective_n_jobs(jobs)


def _finished(
    run: Callable[..., Iterable[Any]], waiting: list[State], decider: Decider, cells: int, size: int
) -> Iterator[tuple[list[State], Tally]]:
    """Yield what becomes of each complex, and its tally, so many being on the way at a time."""
    from joblib import delayed

    for first in range(0, len(waiting), size):
        batch = enumerate(waiting[first : first + size], start=first + 1)
        answers = run(
            delayed(_walked)(state, decider.steps, decider.trusting, place, cells) for place, state in batch
        )
        try:
            for answer in answers:  # noqa: UP028 - `yield from` would close them out of our hands
                yield answer
        finally:
            if isinstance(answers, Generator):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)  # who stops early knows that work is lost
                    answers.close()


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
    arranged = arrangement.subdivide(state, decider, arrangement.Room(cells, PAIRS))
    if arranged is not None:
        return arranged
    while state.within.made < state.within.count and not _is_large(state, cells):
        state = cut(state, decider)
    return state


def _is_large(state: State, cells: int) -> bool:
    faces = state.faces
    pairs = sum(level.face.size for level in faces.above)
    return faces.cells > 1 and (faces.cells > cells or pairs > PAIRS)
