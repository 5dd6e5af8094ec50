"""One equation a unit: r_0 = g_r(x_0 W_{x_0,r_0} + x_1 W_{x_1,r_0} + b_{r_0})."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nn2eq.emit.latex.layered import INSIDE, takes_sums
from nn2eq.emit.latex.pieces import Equation, Piece, Place, symbol
from nn2eq.emit.latex.scalars import Scalars
from nn2eq.emit.latex.symbolic.links import Link
from nn2eq.emit.latex.symbolic.naming import Naming

Dressed = Callable[[int, int, Piece], Piece]
"""What is done to a unit's symbol: a layer, a unit, and the symbol."""


def plain(layer: int, unit: int, piece: Piece) -> Piece:
    """Leave a symbol as it is."""
    return piece


def scalar(naming: Naming, scalars: Scalars, dressed: Dressed = plain) -> list[list[Equation]]:
    """Return the equations, a block a layer; dressed: every unit's symbol is sent through it."""
    return [list(unit_equations(naming, scalars, link, dressed)) for link in naming.links]


def unit_equations(
    naming: Naming, scalars: Scalars, link: Link, dressed: Dressed = plain, *, joined: bool = True
) -> Iterator[Equation]:
    """Yield a layer's equations: each unit's sum where its activation needs it by name, then each unit.

    joined: sums stand in the activations that can take them as they are.
    """
    known = {link.arg.name: named(naming, link.number - 1, dressed)}
    answers = named(naming, link.number, dressed)
    if link.sum and link.apply and not (joined and takes_sums(link.apply, scalars)):
        names = [symbol(naming.pre(link.number, unit)) for unit in range(link.sums.size)]
        yield from map(Equation, names, scalars.answer(link.sum, known, Place()))
        known[link.sums.name] = names
    elif link.sum:
        place = INSIDE if link.apply else Place()
        known[link.sums.name] = scalars.weights.sums(link.sum, known, place)
    right = scalars.answer(link.apply, known, Place()) if link.apply else known[link.out.name]
    yield from map(Equation, answers, right)


def named(naming: Naming, layer: int, dressed: Dressed = plain) -> list[Piece]:
    """Return the symbols of a layer's units."""
    return [dressed(layer, unit, symbol(text)) for unit, text in enumerate(naming.units(layer))]
