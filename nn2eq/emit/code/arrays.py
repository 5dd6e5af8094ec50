"""Whole layers as operations on arrays: the matrix form in languages that know vectors and matrices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit.code.dialect import Body, Dialect, Lines, Routine
from nn2eq.emit.code.routines import call, formula, multiplied
from nn2eq.emit.code.stacks import Combination, Stacks, is_outer, over_group
from nn2eq.emit.header import escaped
from nn2eq.emit.printing import Names, Text
from nn2eq.emit.pythonic import applied
from nn2eq.emit.sharing import named_reductions
from nn2eq.forms.program import Affine, Apply, Combine, Constant, Function, Program, Step, Term, Value
from nn2eq.forms.size import Spelling


@dataclass(frozen=True)
class Arrays:
    """How a language writes whole layers as operations on arrays; templates as in `Dialect`.

    product      {0} times the matrix {1}; scaled: {0} times a number {1} for each unit
    across       a vector {0} of one number for each unit, beside the samples
    state        the lines that make {0} what {1} is, computed unit by unit from {2}
    part         units {1} to {2} of {0}; into: the same, to be assigned to; chosen: units {1} of {0}
    empty        the line that makes {0} an array of {1} units
    routine      how a function of groups of numbers is written
    group        the call of such a function {0} with {1} and further arguments {2}, that gives {3} numbers
    unit         unit {0} of a group {1}; halves: the first and the second half of one; count: how many it has
    declared     how an array {0} of {1} units is declared, "" if it need not be
    constants    what writes all arrays of numbers, `inside` the function or above it
    stacks       how arrays of several rows a sample are written; result: how the array {0} of the caller's takes a
                 result of so many rows, in its shape
    In the dialect's formulas, `sum` and `largest` are of one group, `each` is {0} for each unit {1} of it.
    """

    product: str
    scaled: str
    part: str
    into: str
    chosen: str
    empty: str
    routine: Callable[[Routine], Lines]
    unit: str
    halves: tuple[str, str]
    count: str
    constants: Callable[[list[Constant]], Lines]
    stacks: Stacks
    across: str = "{0}"
    state: tuple[str, ...] = ("{0} = {1}",)
    group: str = "{0}({1}{2})"
    declared: str = ""
    inside: bool = False
    returned: str = ""
    looks_up: bool = False
    result: Callable[[str, tuple[int, ...], tuple[int, ...]], str] | None = None

    def tables(self, program: Program) -> Lines:
        """Write the arrays of numbers of all functions, unless they stand inside the one there is."""
        return [] if self.inside else self.constants(list(program.constants))

    def body(self, dialect: Dialect, program: Program, spelling: Spelling, called: Mapping[str, str]) -> Body:
        """Write every step; called: the arrays of the caller's, by the values that they take."""
        writer = _Writer(dialect, self, spelling, called, program.predict)
        lines: Lines = list(writer.lines(program))
        routines = tuple(writer.routine(row) for row in applied(program).values() if row.row.coupled)
        above = self.constants(list(program.constants)) if self.inside else []
        return Body([*above, *lines], tuple(writer.declared), (*routines, *writer.routines))


class _Writer:
    """Writes the steps of a program as operations on arrays; what it declares and calls is kept."""

    def __init__(
        self,
        dialect: Dialect,
        arrays: Arrays,
        spelling: Spelling,
        called: Mapping[str, str],
        function: Function,
    ) -> None:
        self.dialect, self.arrays, self._spelling = dialect, arrays, spelling
        results = zip(function.results, function.shapes, strict=False)
        shapes = {result.name: shape for result, shape in results}
        self._results = {name: (array, shapes.get(name, ())) for name, array in called.items()}
        self.declared: list[str] = []
        self.routines: list[Lines] = []

    def lines(self, program: Program) -> Iterator[str]:
        """Yield the lines of every step."""
        said = ""
        for step in program.predict.steps:
            if step.out.origin != said:
                said = step.out.origin
                yield f"{self.dialect.comment} {escaped(said)}"
            if step.out.name not in self._results:
                self._declare(step.out.name, step.out.shape)
            if isinstance(step, Combine):
                yield from self._combined(step)
            else:
                yield from self._affine(step) if isinstance(step, Affine) else self._apply(step)

    def _declare(self, name: str, shape: tuple[int, ...]) -> None:
        sizes = (*([math.prod(shape[:-1])] if len(shape) > 1 else []), shape[-1])
        if self.arrays.declared:
            self.declared.append(self.arrays.declared.format(name, ", ".join(map(str, sizes))))

    def _set(self, out: Value, text: str) -> str:
        """Write an assignment, to an array of the caller's in the shape that this has."""
        if out.name not in self._results or self.arrays.result is None:
            return self.dialect.set.format(out.name, text)
        array, shape = self._results[out.name]
        return self.arrays.result(array, shape, out.rows).format(text)

    def _affine(self, step: Affine) -> Iterator[str]:
        terms = [self._product(term) for term in step.terms]
        if step.offset is not None:
            terms.append(self.arrays.across.format(step.offset.name))
        yield self._set(step.out, " + ".join(terms))

    def _product(self, term: Term) -> str:
        matrix, stacks = term.matrix.name, self.arrays.stacks
        if term.matrix.data.ndim == 2:
            matrix = stacks.transposed.format(matrix) if term.transposed else matrix
            return self.arrays.product.format(term.arg.name, matrix)
        across = (
            stacks.across.format(matrix, math.prod(term.arg.rows), term.arg.units)
            if term.arg.rows
            else self.arrays.across.format(matrix)
        )
        return self.arrays.scaled.format(term.arg.name, across)

    def _combined(self, step: Combine) -> Iterator[str]:
        """Write a formula over several arrays: of all at once, or of a group at a time by functions of its own."""
        writer, stacks, out = (
            Combination(self.dialect, self.arrays.stacks, step),
            self.arrays.stacks,
            step.out,
        )
        sizes = math.prod(out.rows), out.units
        if not writer.by_groups:
            text = writer.whole()
            lines = stacks.state or (self._set(out, "{1}"),)
            yield from (line.format(out.name, text, *sizes) for line in lines)
            return
        self.routines += writer.routines()
        *parts, last = writer.calls()
        if not parts:
            yield self._set(out, last.text)
            return
        whole = out
        if out.name in self._results:
            whole = replace(out, name=f"{out.name}_parts")
            self._declare(whole.name, whole.shape)
        yield from [stacks.empty.format(whole.name, *sizes)] if stacks.empty else []
        for one in (*parts, last):
            assert one.span is not None
            into = stacks.part if out.rows and stacks.vector else self.arrays.into
            yield self.dialect.set.format(into.format(whole.name, *one.span), one.text)
        if whole != out:
            yield self._set(out, whole.name)

    # ------------------------------------------------------------------------------------------- activations

    def _apply(self, step: Step) -> Iterator[str]:
        assert isinstance(step, Apply)  # a polynomial is written number by number
        out, arg = step.out.name, step.arg.name
        if step.activation.row.coupled:
            yield from self._groups(step)
        elif step.units:
            units = ", ".join(str(unit + self.dialect.first) for unit in step.units)
            yield self.dialect.set.format(out, arg)
            text = self._unit(step, self.arrays.chosen.format(arg, units))
            yield self.dialect.set.format(self.arrays.chosen.format(out, units), text)
        else:
            yield from (line.format(out, self._unit(step, arg), arg) for line in self.arrays.state)

    def _unit(self, step: Apply, arg: str) -> str:
        """Write an activation of one number as one of an array."""
        own = {key: self.arrays.across.format(constant.name) for key, constant in step.parameters.items()}
        node = self._spelling(step.activation)
        if node is None:
            return call(self.dialect, step.activation, arg, own)
        return formula(
            self.dialect, node, Names({key: Text(text) for key, text in {"z": arg, **own}.items()})
        ).text

    def _groups(self, step: Apply) -> Iterator[str]:
        """Write an activation of whole groups by its function."""
        count, out, arg = step.activation.groups, step.out, step.arg
        if count == 1:
            yield self.dialect.set.format(out.name, self._group(step, arg.name))
            return
        if self.arrays.empty:
            yield self.arrays.empty.format(out.name, out.size)
        for group in range(count):
            ends = [
                (group * of.size // count + self.dialect.first, (group + 1) * of.size // count)
                for of in (arg, out)
            ]
            part = self.arrays.part.format(arg.name, *ends[0])
            yield self.dialect.set.format(
                self.arrays.into.format(out.name, *ends[1]), self._group(step, part)
            )

    def _group(self, step: Apply, arg: str) -> str:
        numbers = [self.dialect.infix.number(node.value) for node in step.activation.numbers.values()]
        more = "".join(f", {number}" for number in numbers)
        return self.arrays.group.format(
            self.dialect.called(step.activation), arg, more, step.out.size // step.activation.groups
        )

    def routine(self, activation: Activation) -> Lines:
        """Write the function of a coupled row: what the units of a group share first, then each."""
        arguments = ("z", *activation.parameters)
        node = multiplied(fm.parse(activation.row.runnable))
        first, last = named_reductions(node, {*arguments, "partner", *self.dialect.reserved})
        halves = dict(zip(("z", "partner"), self.arrays.halves, strict=True)) if activation.row.halves else {}
        lets = tuple((name, self._over(part, halves)) for name, part in first)
        indices = sorted(
            {part.value for node in (last, *dict(first).values()) for part in fm.walk(node) if is_outer(part)}
        )
        answer, size = self._over(last, halves), f"{self.arrays.count}/2" if halves else self.arrays.count
        return self.arrays.routine(
            Routine(self.dialect.called(activation), arguments, lets, answer, size, tuple(indices))
        )

    def _over(self, node: fm.Node, halves: Mapping[str, str]) -> str:
        """Write a formula over a group."""
        names = Names({name: Text(text) for name, text in halves.items()})
        over = over_group(node, "", self.arrays.unit, self.arrays.count)
        return self.dialect.infix.write(over, names).text
