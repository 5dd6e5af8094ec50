"""Whole layers as loops over arrays of numbers: the matrix form in languages without operations on arrays.

The inner loop of a layer runs over its units, four inputs at a time: each number is used where it lies next to
the last one, no sum depends on the sum before it, and an ordinary compiler makes vectors of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nn2eq import formula as fm
from nn2eq.emit.cases import tables
from nn2eq.emit.code import slopes
from nn2eq.emit.code.dialect import Body, Dialect, Lines
from nn2eq.emit.code.groups import GROUP, Group, scoped
from nn2eq.emit.code.routines import call, formula
from nn2eq.emit.code.searches import entry, place, searched
from nn2eq.emit.header import escaped
from nn2eq.emit.printing import Names, Text
from nn2eq.forms.program import Affine, Apply, Cases, Combine, Constant, Program, Step, Term, Value
from nn2eq.forms.size import Spelling

TOGETHER = 4
"""Inputs that a layer takes at a time: the sums so far are loaded and stored a fourth as often."""
ROW = "r"
"""The index of a row of an array, counted over all its axes of rows."""


@dataclass(frozen=True)
class Loops:
    """How a language writes whole layers as loops over arrays of numbers; templates as in `Dialect`.

    vector: an array {0} of {1} numbers. variable: a number {0} that starts as {1}. add: {1} to {0}.
    loop: for {0} from {1} to before {2}; strided: in steps of {3}. entry: row {1}, column {2} of {0}, "" if its
    rows stand one behind the other. widened: a float32 number of the table as one that is computed with; cast: the
    same where it may meet another one, "" if it is no matter.
    lowest: the least number there is. returned: the line that gives the array {0}, "" if it was the caller's.
    constants: what writes all tables of numbers.
    """

    vector: str
    variable: str
    add: str
    loop: str
    strided: str
    lowest: str
    constants: Callable[[list[Constant]], Lines]
    returned: str = "return {0};"
    entry: str = "{0}[{1}][{2}]"
    widened: str = "{0}"
    cast: str = ""
    looks_up: bool = True

    def tables(self, program: Program) -> Lines:
        """Write the arrays of numbers of all functions, each once."""
        unsaid = slopes.unsaid(program)
        return self.constants([constant for constant in tables(program) if constant.name not in unsaid])

    def body(self, dialect: Dialect, program: Program, spelling: Spelling, called: Mapping[str, str]) -> Body:
        """Write every step; called: the arrays of the caller's, by the values that they take."""
        return Body(_Writer(dialect, self, spelling, called).lines(program))


class _Writer:
    """Writes the steps of a program as loops."""

    def __init__(self, dialect: Dialect, loops: Loops, spelling: Spelling, called: Mapping[str, str]) -> None:
        self.dialect, self.loops, self._spelling, self._called = dialect, loops, spelling, called

    def lines(self, program: Program) -> Lines:
        """Write every step, into an array of its own unless the caller has one for it."""
        lines: Lines = []
        said = ""
        for step in program.predict.steps:
            if step.out.origin != said:
                said = step.out.origin
                lines.append(f"{self.dialect.comment} {escaped(said)}")
            if step.out.name not in self._called:
                lines.append(self.loops.vector.format(step.out.name, step.out.size))
            lines += self._step(step)
        return lines

    def _step(self, step: Step) -> Lines:
        if isinstance(step, Affine):
            return self._affine(step)
        if isinstance(step, Cases):
            return searched(self.dialect, self.loops, step)
        if isinstance(step, Combine):
            return slopes.combination(self.dialect, self.loops, step, self._called)
        assert isinstance(step, Apply)  # a polynomial is written number by number
        return self._apply(step)

    # ------------------------------------------------------------------------------------------- affine maps

    def _affine(self, step: Affine) -> Lines:
        """Write out = Σ arg @ matrix + offset: what is left of the inputs over fours first, then four at a time."""
        j, units = "j" if step.out.units > 1 else "0", step.out.units
        first = [self._number(step.offset.name, j, step.offset.data.dtype)] if step.offset is not None else []
        for term in step.terms:
            if term.matrix.data.ndim == 1:
                first.append(self._product(term, j, self._item(term.matrix.name, j)))
            else:
                first += [self._at(term, str(i), j) for i in range(_at_once(term))]
        out = self._in_row(step.out, j)
        sums = " + ".join(first) or self.dialect.infix.number(0.0)
        unit: Lines = [self.dialect.set.format(out, sums)]
        lines: Lines = []
        for term in step.terms:
            if term.matrix.data.ndim == 1 or _at_once(term) == len(term.data):
                continue
            products = [self._at(term, f"i + {i}" if i else "i", j) for i in range(TOGETHER)]
            added = self.loops.add.format(out, " + ".join(products))
            head = self.loops.strided.format("i", _at_once(term), len(term.data), TOGETHER)
            # The inner loop runs along the rows of the matrix, as they lie in memory.
            if term.transposed:
                unit += [head, [added], self.dialect.end]
            else:
                lines += [head, self._loop(units, [added]), self.dialect.end]
        lines = [*self._loop(units, unit), *lines]
        rows = math.prod(step.out.rows)
        return [self.loops.loop.format(ROW, 0, rows), lines, self.dialect.end] if rows > 1 else lines

    def _at(self, term: Term, row: str, column: str) -> str:
        """Write one input times one weight."""
        matrix, columns = term.matrix.name, term.matrix.data.shape[1]
        where = (column, row) if term.transposed else (row, column)
        return self._product(term, row, entry(self.dialect, self.loops.entry, matrix, *where, columns))

    def _product(self, term: Term, index: str, weight: str) -> str:
        return f"{self._in_row(term.arg, index)} * {self._widened(weight, term.matrix.data.dtype)}"

    def _in_row(self, value: Value, index: str) -> str:
        """Write a number of a value, of the row of the loop if it has rows."""
        return self._item(value.name, place(ROW, index, value.units) if value.rows else index)

    def _number(self, constant: str, index: str, dtype: np.dtype[Any]) -> str:
        return self._widened(self._item(constant, index), dtype)

    def _widened(self, text: str, dtype: np.dtype[Any]) -> str:
        return self.loops.widened.format(text) if dtype == np.float32 else text

    def _item(self, array: str, index: str) -> str:
        return self.dialect.item.format(self._called.get(array, array), index)

    def _loop(self, count: int, body: Lines) -> Lines:
        """Write lines that speak of j once for each of so many units, or of 0 where there is one."""
        return [self.loops.loop.format("j", 0, count), body, self.dialect.end] if count > 1 else body

    # ------------------------------------------------------------------------------------------- activations

    def _apply(self, step: Apply) -> Lines:
        if step.activation.row.coupled:
            return self._coupled(step)
        if step.units:
            others = [unit for unit in range(step.out.size) if unit not in step.units]
            passed = (
                self.dialect.set.format(self._item(step.out.name, str(k)), self._item(step.arg.name, str(k)))
                for k in others
            )
            return [*passed, *(self._unit(step, str(unit)) for unit in step.units)]
        return self._loop(step.out.size, [self._unit(step, "j" if step.out.size > 1 else "0")])

    def _unit(self, step: Apply, index: str) -> str:
        """Write one unit's activation."""
        activation, arg = step.activation, self._item(step.arg.name, index)
        own = {
            key: self._number(constant.name, index, constant.data.dtype)
            for key, constant in step.parameters.items()
        }
        node = self._spelling(activation)
        if node is None:
            text = call(self.dialect, activation, arg, own)
        else:
            text = formula(
                self.dialect, node, Names({name: Text(value) for name, value in {"z": arg, **own}.items()})
            ).text
        return self.dialect.set.format(self._item(step.out.name, index), text)

    def _coupled(self, step: Apply) -> Lines:
        """Write an activation of whole groups: what the units of a group share first, then each."""
        activation = step.activation
        node = self._spelling(activation)
        assert node is not None
        units, results = (value.size // activation.groups for value in (step.arg, step.out))

        def at(value: Value, count: int, unit: str, start: int = 0) -> str:
            index = f"{unit} + {start}" if start else unit
            return self._item(value.name, place(GROUP, index, count) if activation.groups > 1 else index)

        places = {
            "z": lambda unit: fm.name(at(step.arg, units, unit)),
            "partner": lambda unit: fm.name(at(step.arg, units, unit, units // 2)),
        }
        group = Group(self.dialect, self.loops, places, units, {step.arg.name, step.out.name})
        body = group.lines(node, results, lambda unit: at(step.out, results, unit))
        if activation.groups == 1:
            return scoped(body)
        return [self.loops.loop.format(GROUP, 0, activation.groups), body, self.dialect.end]


def _at_once(term: Term) -> int:
    """Return how many inputs are taken before those that come four at a time: what is left over, or all if few."""
    rows = len(term.data)
    return rows if rows < 2 * TOGETHER else rows % TOGETHER
