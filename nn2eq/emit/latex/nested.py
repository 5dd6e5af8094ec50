"""The nested layout: one equation an output, every value written out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nn2eq.emit.latex.pieces import START, Equation, Place
from nn2eq.emit.latex.scalars import Scalars
from nn2eq.forms.program import Affine, Apply, Function, Step


def nested(function: Function, scalars: Scalars) -> list[list[Equation]]:
    """Return one equation an output."""
    known = {value.name: scalars.named(value) for value in function.arguments}
    for step, place in zip(function.steps, _places(function.steps), strict=True):
        known[step.out.name] = scalars.answer(step, known, place)
    [result] = function.results
    return [list(map(Equation, scalars.named(result), known[result.name]))]


def _places(steps: Sequence[Step]) -> Iterator[Place]:
    """Yield where each step's answer will stand: inside of as many sums as there are behind it."""
    above = sum(isinstance(step, Affine) for step in steps) + isinstance(steps[-1], Apply)
    for step in steps:
        above -= isinstance(step, Affine)
        yield Place(above, START if above else 0.0)
