"""The story of the pieces, layer by layer: which unit adds which joint."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from nn2eq.cells.decider import Tally
from nn2eq.cells.result import Chapter, Joint
from nn2eq.cells.steps import Bend, Step


def story(steps: tuple[Step, ...], tally: Tally) -> tuple[Chapter, ...]:
    """Return a chapter for each layer that bends."""
    chapters, count = [], 1
    for index, step in enumerate(steps):
        if step.bend is not None:
            count += tally.cells[index]
            chapters.append(_chapter(step.bend, tally, index, count))
    return tuple(chapters)


def _chapter(bend: Bend, tally: Tally, index: int, count: int) -> Chapter:
    added = {f"z{bend.number}_{unit}": 0 for unit in range(1, bend.units + 1)}
    for cut, unit in enumerate(bend.cut_units):
        added[_name(bend, int(unit))] += int(tally.added[index][cut])
    places = sorted(
        (place, _name(bend, int(bend.cut_units[cut]))) for step, cut, place in tally.places if step == index
    )
    joints = tuple(
        Joint(place, tuple(dict.fromkeys(name for _, name in group)))
        for place, group in groupby(places, itemgetter(0))
    )
    return Chapter(bend.number, count, tuple(added.items()), joints)


def _name(bend: Bend, unit: int) -> str:
    return f"z{bend.number}_{unit + 1}"
