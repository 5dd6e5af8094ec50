"""One formula an output, everything written out; what stands in it more than once carries a colour."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.emit.latex.pieces import START, Equation, Piece, Place
from nn2eq.emit.latex.scalars import Scalars
from nn2eq.emit.latex.symbolic.colours import coloured, palette
from nn2eq.emit.latex.symbolic.links import Link
from nn2eq.emit.latex.symbolic.naming import Naming
from nn2eq.emit.latex.symbolic.scalar import named, unit_equations
from nn2eq.forms.size import Spelling

Counts = NDArray[np.float64]
Colours = Mapping[tuple[int, int], str]


def nested(naming: Naming, scalars: Scalars) -> tuple[list[Equation], list[list[Equation]]]:
    """Return one equation an output, and the legend: each shared part in its colour, and what it is.

    The legend ends with the outputs once more, in terms of the parts: both must say the same.
    """
    colours = palette(shared(naming, scalars.spelling))
    known = {naming.links[0].arg.name: named(naming, 0)}
    for link in naming.links:
        place = _place(naming, link)
        for step in (link.sum, link.apply):
            if step is not None:
                known[step.out.name] = scalars.answer(step, known, place)
        if link.number < naming.depth:
            parts = known[link.out.name]
            known[link.out.name] = [_dressed(colours, link.number, j, part) for j, part in enumerate(parts)]
    outputs = list(map(Equation, named(naming, naming.depth), known[naming.links[-1].out.name]))
    return outputs, _legend(naming, scalars, colours)


def _place(naming: Naming, link: Link) -> Place:
    """Return where a layer's answers will stand: inside of as many sums as there are behind it."""
    above = sum(later.sum is not None for later in naming.links[link.number :])
    above += naming.links[-1].apply is not None
    return Place(above, START if above else 0.0)


def _dressed(colours: Colours, layer: int, unit: int, piece: Piece) -> Piece:
    colour = colours.get((layer, unit))
    return coloured(piece, colour) if colour else piece


def shared(naming: Naming, spelling: Spelling) -> list[tuple[int, int]]:
    """Return the hidden units, layer and unit, that stand in the formulas more than once."""
    counts = np.ones(naming.size(naming.depth))
    found: list[tuple[int, int]] = []
    for link in reversed(naming.links[1:]):
        counts = _before(link, counts, spelling)
        several = [(link.number - 1, unit) for unit in np.flatnonzero(counts > 1).tolist()]
        found = several + found
    return found


def _before(link: Link, counts: Counts, spelling: Spelling) -> Counts:
    """Return how often each unit of the layer before is mentioned: by each weight, in each mention of a sum."""
    if link.apply is not None:
        activation, node = link.apply.activation, spelling(link.apply.activation)
        mentions = fm.mentions(node, "z") if node else 1
        counts = np.full(link.sums.size, counts.sum()) if activation.row.coupled else counts * mentions
    return np.full(link.arg.size, counts.sum()) if link.is_dense else counts


def _legend(naming: Naming, scalars: Scalars, colours: Colours) -> list[list[Equation]]:
    if not colours:
        return []
    blocks = (
        unit_equations(naming, scalars, link, lambda k, j, piece: _dressed(colours, k, j, piece))
        for link in naming.links
    )
    return [list(block) for block in blocks]
