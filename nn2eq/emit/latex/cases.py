r"""Cases as LaTeX: one brace with a row a case, intervals on a line and inequalities elsewhere.

A brace cannot be broken over pages. If there are many cases, each is an equation with its condition behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import DIGIT, LINE, OPERATOR, Equation, Piece, Term, flat, symbol, times
from nn2eq.emit.printing import SIGN
from nn2eq.forms.program import Cases

IN_A_BRACE = 24
"""Cases that one brace may hold: half a page."""
IF, NOT_IF = r"\text{if } ", 24.0
"""What stands before a condition, and how wide it and the space around it are."""
BREAK, TALL = " \\\\\n", " \\\\[0.7ex]\n"
"""What stands between two rows, and between two that hold fractions."""


Box = Sequence[tuple[float, float]]
_Conditions = tuple[list[Piece], Piece]
"""Conditions one by one, and side by side."""


class _Row(NamedTuple):
    """What an output is in one case, and the conditions of that, one by one and side by side."""

    value: Piece
    conditions: list[Piece]
    together: Piece

    def below(self, indent: str) -> str:
        """Write its conditions one below the other."""
        return f",{BREAK}{indent}".join(condition.text for condition in self.conditions)

    @property
    def width(self) -> float:
        """How wide it is with its conditions side by side."""
        return self.value.width + NOT_IF + self.together.width

    @property
    def least_width(self) -> float:
        """How wide it is with its conditions one below the other."""
        return self.value.width + NOT_IF + max(piece.width for piece in self.conditions)


def cases(
    step: Cases, names: Sequence[Piece], args: Sequence[Piece], numbers: Numbers, box: Box
) -> list[Equation]:
    """Return the equations that say what each output, by its name, is; box: where that is, () for everywhere."""
    found: list[Equation] = []
    for output, name in enumerate(names):
        rows = list(_rows(step, args, numbers, output, box))
        if len(rows) == 1:
            found.append(Equation(name, rows[0].value))
        elif len(rows) <= IN_A_BRACE and all(row.least_width < LINE for row in rows):
            found.append(Equation(name, _brace(rows, TALL if numbers.exact else BREAK)))
        else:
            beside = max(row.value.width for row in rows) + max(row.together.width for row in rows)
            found += (Equation(name, _guarded(row, beside=beside + NOT_IF < LINE)) for row in rows)
    return found


def _brace(rows: Sequence[_Row], between: str) -> Piece:
    fitting = (row.together.text if row.width < LINE else row.below("& ") for row in rows)
    texts = (f"{row.value.text} & {IF}{text}" for row, text in zip(rows, fitting, strict=True))
    wide = max(row.width if row.width < LINE else row.least_width for row in rows)
    return Piece(f"\\begin{{cases}}\n{between.join(texts)}\n\\end{{cases}}", wide, SIGN, 4)


def _guarded(row: _Row, *, beside: bool) -> Piece:
    """Write a value and its conditions, beside it in a column of their own or below it."""
    if beside:
        return Piece(f"{row.value.text} && {IF}{row.together.text}", row.width)
    text = rf"{row.value.text}{BREAK}&\qquad {IF}" + row.below(r"&\qquad ")
    return Piece(text, max(piece.width for piece in (row.value, *row.conditions)), SIGN, 0, broken=True)


def _rows(step: Cases, args: Sequence[Piece], numbers: Numbers, output: int, box: Box) -> Iterator[_Row]:
    where = _intervals(step, args, numbers, box) if step.ends is not None else _polyhedra(step, args, numbers)
    for case, conditions in enumerate(where):
        matrix, offset = step.matrices.data[case, :, output], step.offsets.data[case, output]
        yield _Row(_affine(matrix, offset, args, numbers), *conditions)


def _intervals(step: Cases, args: Sequence[Piece], numbers: Numbers, box: Box) -> Iterator[_Conditions]:
    r"""Write x > 1 and x \le 2, and both as 1 < x \le 2; the ends of the line are those of the box."""
    assert step.ends is not None
    [x] = (arg.text for arg in args)
    low, high = (numbers.written(_like(end, step.ends)) for end in box[0]) if box else ([], [])
    between = numbers.written(step.ends)
    edges = [low, *([end] for end in between), high]
    for case, (one, two) in enumerate(pairwise(edges)):
        over, above = (r"\le", r"\ge") if case == 0 else ("<", ">")
        one = [f"{{{end}}}" if end.startswith("-") else end for end in one]  # a sign, not a difference
        ends = [symbol(f"{x} {above} {end}") for end in one] + [symbol(rf"{x} \le {end}") for end in two]
        both = [symbol(rf"{one[0]} {over} {x} \le {two[0]}")] if one and two else ends
        yield ends, both[0] if both else symbol("")


def _like(value: float, data: NDArray[Any]) -> NDArray[Any]:
    """Return a number as a vector of the same kind, a fraction where the others are."""
    return np.array([Fraction(value)]) if data.dtype.kind == "O" else np.array([value], dtype=data.dtype)


def _polyhedra(step: Cases, args: Sequence[Piece], numbers: Numbers) -> Iterator[_Conditions]:
    """Write the half-spaces of each case."""
    for rows in step.conditions:
        found = []
        for normal, bound in zip(step.normals.data[rows], step.bounds.data[rows, None], strict=True):
            turned = normal[np.flatnonzero(normal)[0]] < 0  # -x ≤ 1 is x ≥ -1
            side = -1 if turned else 1
            left = _affine(side * normal, normal.dtype.type(0), args, numbers)
            [text] = numbers.written(side * bound)
            relation = r"\ge" if turned else r"\le"
            found.append(Piece(f"{left.text} {relation} {text}", left.width + OPERATOR + DIGIT * len(text)))
        width = sum(piece.width + OPERATOR for piece in found)
        yield found, Piece(r",\ ".join(piece.text for piece in found), width)


def _affine(weights: NDArray[Any], offset: Any, args: Sequence[Piece], numbers: Numbers) -> Piece:
    """Write Σ weight · input + offset on one line, without what is zero."""
    used = np.flatnonzero(weights).tolist()
    texts = numbers.magnitudes(weights[used])
    terms = [
        Term(bool(weights[k] < 0), times(text, args[k].within(SIGN)))
        for k, text in zip(used, texts, strict=True)
    ]
    if offset or not terms:
        [text] = numbers.magnitudes(np.array([offset], dtype=weights.dtype))
        terms.append(Term(bool(offset < 0), Piece(text, DIGIT * len(text))))
    return flat(terms)
