"""Sums in symbols: every weight and bias by its name, in the order in which the notation has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import Piece, Place, Term, symbol, times, total, width
from nn2eq.emit.latex.symbolic.links import Link
from nn2eq.emit.latex.symbolic.naming import Naming
from nn2eq.emit.printing import SIGN
from nn2eq.forms.program import Affine, Constant


class Letters(NamedTuple):
    """Writes the sums of one text; row: a value stands in front of its weight, x W, as in a product of rows."""

    naming: Naming
    numbers: Numbers
    row: bool

    @property
    def symbolic(self) -> bool:
        """Whether weights are symbols."""
        return True

    def sums(self, step: Affine, args: Mapping[str, list[Piece]], place: Place) -> list[Piece]:
        """Return each unit's sum over the pieces of the step's arguments."""
        link = next(link for link in self.naming.links if link.sum is step)
        factors = [piece.within(SIGN) for piece in args[link.arg.name]]
        return [
            total(list(self._terms(link, unit, factors)), place, own_line=True)
            for unit in range(link.sums.size)
        ]

    def _terms(self, link: Link, unit: int, factors: list[Piece]) -> Iterator[Term]:
        naming = self.naming
        bias = [] if link.offset is None else [Term(False, symbol(naming.bias(link.number, unit)))]
        if naming.bias_first:
            yield from bias
        for place in range(len(factors)) if link.is_dense else (unit,):
            yield Term(False, self._product(naming.weight(link.number, place, unit), factors[place]))
        if not naming.bias_first:
            yield from bias

    def _product(self, weight: str, factor: Piece) -> Piece:
        if not self.row:
            return times(weight, factor)
        around = width(weight) + 1.5
        return factor._replace(text=f"{factor.text} {weight}", width=factor.width + around, strength=SIGN)

    def parameter(self, constant: Constant, unit: int) -> Piece:
        """Return the symbol of one unit's own parameter of an activation."""
        for link in self.naming.links:
            for key, own in link.apply.parameters.items() if link.apply else ():
                if own is constant:
                    return symbol(self.naming.parameter(link.number, key, unit))
        raise AssertionError(f"{constant.name} belongs to no activation of this text")
