"""Formulas over several values as LaTeX, number by number, and sums in each of several directions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from nn2eq.emit.combined import combined, product
from nn2eq.emit.latex.formulas import Writer
from nn2eq.emit.latex.names import standing
from nn2eq.emit.latex.pieces import BREAK, Equation, Piece, Place, Term, symbol, times, total
from nn2eq.emit.latex.scalars import Sums
from nn2eq.emit.latex.weights import entry
from nn2eq.emit.printing import SIGN
from nn2eq.errors import NESTED_CASES, CannotEmit
from nn2eq.forms.program import Affine, Combine, Constant, Operand, Value

Known = Mapping[str, list[Piece]]
"""The pieces of each value, by its name."""


def rows_of_sums(step: Affine, known: Known, weights: Sums) -> list[Piece]:
    """Return each number of an affine step whose values have rows."""
    found: list[Piece] = []
    for row in range(int(np.prod(step.out.rows))):
        terms = [replace(term, arg=_row(term.arg, row)) for term in step.terms]
        args = {term.arg.name: known[term.arg.name][_place(term.arg, row)] for term in step.terms}
        found += weights.sums(Affine(_row(step.out, row), tuple(terms), step.offset), args, Place())
    return found


def _place(value: Value, row: int) -> slice:
    return slice(row * value.units, (row + 1) * value.units)


def _row(value: Value, row: int) -> Value:
    return Value(value.name, value.parts[_place(value, row)], value.origin)


def combinations(step: Combine, number: int, known: Known, weights: Sums) -> Iterator[Equation]:
    """Yield what the numbers of a step are; sums that they share have equations of their own."""
    if weights.symbolic:
        step, known = _in_symbols(step, known)
    found = product(step)
    names = _pieces(step, known)
    if found is not None:
        texts = weights.numbers.magnitudes(np.ascontiguousarray(found[0]))
        for place, part in enumerate(step.out.parts):
            factor = names[found[1][place]].within(SIGN) if found[1] else None
            piece = times(texts[place], factor) if factor else symbol(texts[place])
            value = total([Term(bool(found[0][place] < 0), piece)]) if found[0][place] else symbol("0")
            yield Equation(symbol(standing(part)), value)
        return
    for part, node in combined(step, number):
        left = symbol(standing(part))
        yield Equation(left, _whole(Writer(weights.numbers.one, names).write(node)))
        names[part] = left


def _whole(piece: Piece) -> Piece:
    """Refuse a formula in which a line would have to be broken within a brace. Raises CannotEmit."""
    lines = piece.text.split(f"{BREAK}\n") if piece.broken else []
    if any(line.count(r"\begin{cases}") != line.count(r"\end{cases}") for line in lines):
        what = "latex has no room within a brace for slopes of so many cases"
        raise CannotEmit(what, code=NESTED_CASES, way_out="use another --format")
    return piece


def _pieces(step: Combine, known: Known) -> dict[str, Piece]:
    values = (arg.of for arg in step.args.values() if isinstance(arg.of, Value))
    return {
        part: piece for value in values for part, piece in zip(value.parts, known[value.name], strict=True)
    }


def _in_symbols(step: Combine, known: Known) -> tuple[Combine, Known]:
    """Let the weights of a step be values that are called as they are, W_{1,2,3}."""
    args: dict[str, Operand] = {}
    pieces = dict(known)
    for key, arg in step.args.items():
        of = arg.of
        if isinstance(of, Constant) and not of.name.startswith("I"):
            places = [tuple(k + 1 for k in place) for place in np.ndindex(of.data.shape)]
            pieces[of.name] = [symbol(entry(of, *place)) for place in places]
            parts = tuple(f"{of.name} {place}" for place in places)
            args[key] = replace(arg, of=Value(of.name, parts, rows=of.data.shape[:-1]))
        else:
            args[key] = arg
    return replace(step, args=args), pieces
