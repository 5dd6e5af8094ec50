"""Whole layers as operations on arrays: the matrix form in languages that know vectors and matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit.code.dialect import Body, Dialect, Lines, Routine
from nn2eq.emit.code.routines import Names, call, formula, multiplied
from nn2eq.emit.header import escaped
from nn2eq.emit.printing import Text
from nn2eq.emit.pythonic import applied
from nn2eq.emit.sharing import named_reductions
from nn2eq.forms.program import Affine, Apply, Constant, Program, Step, Term
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
    unit         unit {0} of a group z; halves: the first and the second half of one; count: how many it has
    declared     how an array {0} of {1} units is declared, "" if it need not be
    constants    what writes all arrays of numbers, `inside` the function or above it
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
    across: str = "{0}"
    state: tuple[str, ...] = ("{0} = {1}",)
    group: str = "{0}({1}{2})"
    declared: str = ""
    inside: bool = False
    returned: str = ""
    looks_up: bool = False
    derivatives: tuple[str, ...] = ("layered",)

    def tables(self, program: Program) -> Lines:
        """Write the arrays of numbers of all functions, unless they stand inside the one there is."""
        return [] if self.inside else self.constants(list(program.constants))

    def body(self, dialect: Dialect, program: Program, spelling: Spelling, called: Mapping[str, str]) -> Body:
        """Write every step; called: the arrays of the caller's, by the values that they take."""
        writer = _Writer(dialect, self, spelling)
        outs = [step.out for step in program.predict.steps if step.out.name not in called]
        names = tuple(self.declared.format(out.name, out.size) for out in outs) if self.declared else ()
        routines = tuple(writer.routine(row) for row in applied(program).values() if row.row.coupled)
        above = self.constants(list(program.constants)) if self.inside else []
        return Body([*above, *writer.lines(program)], names, routines)


class _Writer:
    """Writes the steps of a program as operations on arrays."""

    def __init__(self, dialect: Dialect, arrays: Arrays, spelling: Spelling) -> None:
        self.dialect, self.arrays, self._spelling = dialect, arrays, spelling

    def lines(self, program: Program) -> Iterator[str]:
        """Yield the lines of every step."""
        said = ""
        for step in program.predict.steps:
            if step.out.origin != said:
                said = step.out.origin
                yield f"{self.dialect.comment} {escaped(said)}"
            yield from self._affine(step) if isinstance(step, Affine) else self._apply(step)

    def _affine(self, step: Affine) -> Iterator[str]:
        terms = [self._product(term) for term in step.terms]
        if step.offset is not None:
            terms.append(self.arrays.across.format(step.offset.name))
        yield self.dialect.set.format(step.out.name, " + ".join(terms))

    def _product(self, term: Term) -> str:
        if term.matrix.data.ndim == 2:
            return self.arrays.product.format(term.arg.name, term.matrix.name)
        return self.arrays.scaled.format(term.arg.name, self.arrays.across.format(term.matrix.name))

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
            {
                part.value
                for node in (last, *dict(first).values())
                for part in fm.walk(node)
                if _is_outer(part)
            }
        )
        answer, size = self._over(last, halves), f"{self.arrays.count}/2" if halves else self.arrays.count
        return self.arrays.routine(
            Routine(self.dialect.called(activation), arguments, lets, answer, size, tuple(indices))
        )

    def _over(self, node: fm.Node, halves: Mapping[str, str]) -> str:
        """Write a formula over a group: within the innermost reduction its units at once, around that one by one."""
        names = Names({name: Text(text) for name, text in halves.items()})
        return self.dialect.infix.write(self._whole(node, ""), names).text

    def _whole(self, node: fm.Node, index: str) -> fm.Node:
        """Let what is said of the unit `index` be said of all units."""
        if node.op == "unit":
            name, of = node.value
            return fm.name(name) if of == index else fm.name(self.arrays.unit.format(of))
        if node == fm.name("count"):
            return fm.name(self.arrays.count)
        if node.op not in fm.REDUCTIONS:
            return fm.Node(node.op, tuple(self._whole(arg, index) for arg in node.args), node.value)
        if not _is_outer(node):
            return fm.Node(node.op, (self._whole(node.args[0], node.value),))
        return fm.Node(node.op, (fm.Node("each", (self._whole(node.args[0], ""), fm.name(node.value))),))


def _is_outer(node: fm.Node) -> bool:
    """Whether this is a reduction around another one."""
    return node.op in fm.REDUCTIONS and any(part.op in fm.REDUCTIONS for part in fm.walk(node.args[0]))
