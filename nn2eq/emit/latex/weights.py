"""Where a text has its weights: as decimals in the equations, or as symbols with the numbers beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from nn2eq.emit.latex.names import index, standing
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import BRACKETS, DIGIT, MATRIX, QUAD, Piece, Place, Term, symbol, times, total
from nn2eq.emit.printing import ATOM, SIGN
from nn2eq.forms.program import Affine, Constant
from nn2eq.forms.program import Term as Product

WIDEST_BMATRIX = 10
"""Columns that amsmath's bmatrix has if nothing else is set."""


class Weights(NamedTuple):
    """Writes the sums of affine steps; symbolic: W_{1,2,3} in place of numbers."""

    numbers: Numbers
    symbolic: bool

    def sums(self, step: Affine, args: Mapping[str, list[Piece]], place: Place) -> list[Piece]:
        """Return each unit's sum over the pieces of the step's arguments."""
        units: list[list[Term]] = [[] for _ in step.out.parts]
        for term in step.terms:
            for unit, terms in enumerate(self._products(term, args[term.arg.name])):
                units[unit] += terms
        if step.offset is not None:
            for unit, (negative, text) in self._entries(step.offset):
                units[unit].append(Term(negative, Piece(text, DIGIT * len(text))))
        return [total(terms, place, own_line=True) for terms in units]

    def _products(self, of: Product, args: list[Piece]) -> Iterator[list[Term]]:
        matrix = of.matrix
        factors = [piece.within(SIGN) for piece in args]
        if matrix.data.ndim == 1:
            entries = dict(self._entries(matrix))
            for unit, factor in enumerate(factors):
                yield [Term(entries[unit][0], times(entries[unit][1], factor))] if unit in entries else []
            return
        count = len(factors)
        used = (of.data.T != 0).tolist()
        negative = (of.data.T < 0).tolist()
        texts = self._texts(of)
        for unit in range(of.data.shape[1]):
            row = zip(
                used[unit], negative[unit], texts[unit * count : (unit + 1) * count], factors, strict=True
            )
            yield [
                Term(not self.symbolic and sign, times(text, factor))
                for use, sign, text, factor in row
                if use
            ]

    def _texts(self, of: Product) -> list[str]:
        """Return the coefficients of each unit, unit after unit."""
        inputs, units = of.data.shape
        if not self.symbolic:
            return self.numbers.magnitudes(np.ascontiguousarray(of.data.T).ravel())
        places = ((i, unit) for unit in range(1, units + 1) for i in range(1, inputs + 1))
        return [entry(of.matrix, *(place[::-1] if of.transposed else place)) for place in places]

    def _entries(self, vector: Constant) -> Iterator[tuple[int, tuple[bool, str]]]:
        """Yield place, sign and text of each number of a vector that is not zero."""
        texts = self.vector(vector)
        for place, value in enumerate(vector.data.tolist()):
            if value:
                yield place, (value < 0 and not self.symbolic, texts[place])

    def vector(self, vector: Constant) -> list[str]:
        """Return what stands for each number of a vector, without signs."""
        if not self.symbolic:
            return self.numbers.magnitudes(vector.data)
        return [entry(vector, unit) for unit in range(1, vector.data.size + 1)]

    def parameter(self, constant: Constant, unit: int) -> Piece:
        """Return one unit's own parameter of an activation."""
        if self.symbolic:
            return symbol(entry(constant, unit + 1))
        text = self.numbers.magnitudes(constant.data[unit : unit + 1])[0]
        return total([Term(bool(constant.data[unit] < 0), symbol(text))])


def name(constant: Constant) -> str:
    """Return the symbol of a whole constant: W_1, b_1, d_1 for a diagonal."""
    return standing(_lettered(constant))


def entry(constant: Constant, *place: int | str) -> str:
    """Return the symbol of one number: W_{1,2,3} stands in row 2, column 3 of W_1."""
    whole = standing(_lettered(constant))
    head, underscore, layer = whole.rpartition("_")
    if not underscore:
        return whole + index(*place)
    return head + index(layer.strip("{}"), *place)


def _lettered(constant: Constant) -> str:
    """A diagonal matrix is kept as a vector, and called d."""
    is_diagonal = constant.data.ndim == 1 and constant.name.startswith("W")
    return "d" + constant.name[1:] if is_diagonal else constant.name


def bmatrix(numbers: Numbers, constant: Constant, *, transposed: bool = False) -> Piece:
    """Return a constant as a matrix of numbers, a vector as a column, a single number as it is."""
    data = constant.data.reshape(len(constant.data), -1)
    data = np.ascontiguousarray(data.T if transposed else data)
    columns = data.shape[1]
    texts = numbers.written(data.ravel())
    if len(texts) == 1:
        return symbol(texts[0])
    rows = (" & ".join(texts[start : start + columns]) for start in range(0, len(texts), columns))
    return matrix(rows, columns, len(max(texts, key=len, default="")))


def matrix(rows: Iterable[str], columns: int = 1, widest: int = 8) -> Piece:
    """Put square brackets around rows, of which the widest entry has so many characters.

    A wide matrix is an array, since a bmatrix ends at ten columns.
    """
    inside = " \\\\\n".join(rows)
    if columns <= WIDEST_BMATRIX:
        text = f"\\begin{{bmatrix}}\n{inside}\n\\end{{bmatrix}}"
    else:
        text = f"\\left[\\begin{{array}}{{{'r' * columns}}}\n{inside}\n\\end{{array}}\\right]"
    return Piece(text, columns * (widest * DIGIT + QUAD) + BRACKETS, ATOM, MATRIX)
