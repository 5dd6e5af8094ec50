"""Whole layers as loops over arrays of numbers: the matrix form in languages without operations on arrays.

The inner loop of a layer runs over its units, four inputs at a time: each number is used where it lies next to
the last one, no sum depends on the sum before it, and an ordinary compiler makes vectors of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nn2eq import formula as fm
from nn2eq.emit.cases import tables
from nn2eq.emit.code.dialect import Body, Dialect, Lines
from nn2eq.emit.code.routines import Names, call, formula, multiplied
from nn2eq.emit.code.searches import entry, searched
from nn2eq.emit.header import escaped
from nn2eq.emit.names import fresh
from nn2eq.emit.printing import Text
from nn2eq.emit.sharing import named_reductions
from nn2eq.forms.program import Affine, Apply, Cases, Constant, Program, Term
from nn2eq.forms.size import Spelling

TOGETHER = 4
"""Inputs that a layer takes at a time: the sums so far are loaded and stored a fourth as often."""
UNIT, GROUP = "i", "g"
"""The indices of a unit and of a group; `nn2eq.emit.sharing` calls those of reductions j, k, l, m, n."""


@dataclass(frozen=True)
class Loops:
    """How a language writes whole layers as loops over arrays of numbers; templates as in `Dialect`.

    vector: an array {0} of {1} numbers. variable: a number {0} that starts as {1}. add: {1} to {0}.
    loop: for {0} from {1} to before {2}; strided: in steps of {3}. entry: row {1}, column {2} of {0}, "" if its
    rows stand one behind the other. widened: a float32 number of the table as one that is computed with.
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
    looks_up: bool = True

    def body(self, dialect: Dialect, program: Program, spelling: Spelling, y: str) -> Body:
        """Write every step; y: the array that takes the outputs, "" where it is the function's own."""
        lines = _Writer(dialect, self, spelling).lines(program, y)
        return Body(lines, tables=self.constants(list(tables(program))))


class _Writer:
    """Writes the steps of a program as loops."""

    def __init__(self, dialect: Dialect, loops: Loops, spelling: Spelling) -> None:
        self.dialect, self.loops, self._spelling = dialect, loops, spelling

    def lines(self, program: Program, y: str) -> Lines:
        """Write every step, the last into y if there is one."""
        lines: Lines = []
        said = ""
        for step in program.predict.steps:
            if step.out.origin != said:
                said = step.out.origin
                lines.append(f"{self.dialect.comment} {escaped(said)}")
            if step.out.name != y:
                lines.append(self.loops.vector.format(step.out.name, step.out.size))
            if isinstance(step, Affine):
                lines += self._affine(step)
            elif isinstance(step, Cases):
                lines += searched(self.dialect, self.loops, step)
            else:
                assert isinstance(step, Apply)  # a polynomial is written number by number
                lines += self._apply(step)
        return lines

    # ------------------------------------------------------------------------------------------- affine maps

    def _affine(self, step: Affine) -> Lines:
        """Write out = Σ arg @ matrix + offset: what is left of the inputs over fours first, then four at a time."""
        j = "j" if step.out.size > 1 else "0"
        first = [self._number(step.offset.name, j, step.offset.data.dtype)] if step.offset is not None else []
        for term in step.terms:
            if term.matrix.data.ndim == 1:
                first.append(self._product(term, j, self._item(term.matrix.name, j)))
            else:
                first += [self._at(term, str(i), j) for i in range(_at_once(term))]
        out = self._item(step.out.name, j)
        sums = " + ".join(first) or self.dialect.infix.number(0.0)
        lines = self._loop(step.out.size, [self.dialect.set.format(out, sums)])
        for term in step.terms:
            start, rows = _at_once(term), len(term.matrix.data)
            if term.matrix.data.ndim == 2 and start < rows:
                products = [self._at(term, f"i + {i}" if i else "i", j) for i in range(TOGETHER)]
                inner = self._loop(step.out.size, [self.loops.add.format(out, " + ".join(products))])
                lines += [self.loops.strided.format("i", start, rows, TOGETHER), inner, self.dialect.end]
        return lines

    def _at(self, term: Term, row: str, column: str) -> str:
        """Write one input times one weight."""
        matrix, columns = term.matrix.name, term.matrix.data.shape[1]
        weight = entry(self.dialect, self.loops.entry, matrix, row, column, columns)
        return self._product(term, row, weight)

    def _product(self, term: Term, index: str, weight: str) -> str:
        return f"{self._item(term.arg.name, index)} * {self._widened(weight, term.matrix.data.dtype)}"

    def _number(self, constant: str, index: str, dtype: np.dtype[Any]) -> str:
        return self._widened(self._item(constant, index), dtype)

    def _widened(self, text: str, dtype: np.dtype[Any]) -> str:
        return self.loops.widened.format(text) if dtype == np.float32 else text

    def _item(self, array: str, index: str) -> str:
        return self.dialect.item.format(array, index)

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
        units, results = (value.size // activation.groups for value in (step.arg, step.out))
        group = _Group(self, step, units)
        node = self._spelling(activation)
        assert node is not None
        first, last = named_reductions(multiplied(node), group.taken)
        body: Lines = []
        for name, part in first:
            group.taken.add(name)
            body += group.reduction(name, part)
        inner, text = group.unrolled(last)
        out = self._item(step.out.name, group.index(results, UNIT))
        body += [
            self.loops.loop.format(UNIT, 0, results),
            [*inner, self.dialect.set.format(out, text)],
            self.dialect.end,
        ]
        if activation.groups == 1:
            return ["{", body, "}"]
        return [self.loops.loop.format(GROUP, 0, activation.groups), body, self.dialect.end]


def _at_once(term: Term) -> int:
    """Return how many inputs are taken before those that come four at a time: what is left over, or all if few."""
    rows = len(term.matrix.data)
    return rows if rows < 2 * TOGETHER else rows % TOGETHER


class _Group:
    """The units of one group, and the formulas that compare them: each reduction is a loop before its use."""

    def __init__(self, writer: _Writer, step: Apply, units: int) -> None:
        self._step, self._units = step, units
        self.dialect, self.loops = writer.dialect, writer.loops
        self.taken = {*self.dialect.reserved, "z", "partner", step.arg.name, step.out.name}

    def index(self, size: int, index: str) -> str:
        """Return the index in the whole array of one of a group's units."""
        return f"{size} * {GROUP} + {index}" if self._step.activation.groups > 1 else index

    def reduction(self, name: str, node: fm.Node) -> Lines:
        """Write a sum or a largest number over the units, under this name."""
        is_sum = node.op == "sum"
        start = self.dialect.infix.number(0.0) if is_sum else self.loops.lowest
        inner, text = self.unrolled(node.args[0])
        if is_sum:
            last = self.loops.add.format(name, text)
        else:
            larger = fm.Node("max", (fm.name(name), fm.name(text)))
            last = self.dialect.set.format(name, formula(self.dialect, larger).text)
        head = self.loops.loop.format(node.value, 0, self._units)
        return [self.loops.variable.format(name, start), head, [*inner, last], self.dialect.end]

    def unrolled(self, node: fm.Node) -> tuple[Lines, str]:
        """Write a formula; the reductions in it are computed first, by the lines that are returned beside it."""
        lines: Lines = []

        def without(part: fm.Node) -> fm.Node:
            if part.op in fm.REDUCTIONS:
                name = fresh("total" if part.op == "sum" else "largest", self.taken)
                self.taken.add(name)
                lines.extend(self.reduction(name, part))
                return fm.name(name)
            return (
                self._leaf(part)
                if not part.args
                else fm.Node(part.op, tuple(map(without, part.args)), part.value)
            )

        return lines, formula(self.dialect, without(node)).text

    def _leaf(self, node: fm.Node) -> fm.Node:
        match node.op, node.value:
            case "name", "count":
                return fm.number(self._units)
            case "name", "z":
                return self._at(UNIT)
            case "name", "partner":
                return self._at(f"{UNIT} + {self._units // 2}")
            case "unit", (_, index):
                return self._at(index)
        return node

    def _at(self, index: str) -> fm.Node:
        return fm.name(self.dialect.item.format(self._step.arg.name, self.index(self._units, index)))
