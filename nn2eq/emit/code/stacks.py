"""Formulas over several arrays as operations on arrays: the rows of each, of all samples, stand below each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from nn2eq import formula as fm
from nn2eq.emit.code.dialect import Dialect, Lines, Routine
from nn2eq.emit.code.routines import formula, multiplied
from nn2eq.emit.printing import Names, Text
from nn2eq.emit.sharing import named_reductions, units
from nn2eq.forms.program import Combine, Constant, Operand, Value

OWN = "u"
"""The index of a unit that is compared with others, which are counted by j, k, l, m, n."""

Span = tuple[int, int] | None
"""The first and the last of the units that are meant, counted as the language does; None for all."""


@dataclass(frozen=True)
class Stacks:
    """How a language writes arrays of several rows a sample; templates as in `Dialect`.

    transposed  a matrix of numbers {0}; flat: its one row of {1} numbers as a vector
    sampled     each of the {1} rows of a matrix of numbers once a sample
    across      a vector of {2} numbers {0} in each of {1} rows; alone: in one
    repeated    an array {0} of one row a sample, in each of {1} rows
    tiled       an array {0} of {2} rows and {3} units, all of it {1} times; stretched: each row {1} times
    turned      an array {0} whose {1} rows and {2} units change places
    part        units {1} to {2} of {0}; rows: the same rows of it
    filled      an array of {1} rows and {2} units that is {0} everywhere
    state       the lines that make {0}, of {2} rows and {3} units, what {1} is
    empty       the line that makes {0} an array of {1} rows and {2} units
    routine     how a function of stacked groups is written
    vector      what such a function gives, {0} of {1} units, where one row is a vector, "" where it is a matrix
    own         a group {0} in such a function; unit: number {0} of a group {1}; each: {0} for each unit {1} of {2}
    """

    transposed: str
    sampled: str
    across: str
    repeated: str
    tiled: str
    stretched: str
    turned: str
    part: str
    rows: str
    routine: Callable[[Routine], Lines]
    unit: str
    each: str
    own: str = "{0}"
    flat: str = "{0}"
    alone: str = ""
    filled: str = "{0}"
    state: tuple[str, ...] = ()
    empty: str = ""
    vector: str = ""


@dataclass(frozen=True)
class Assigned:
    """An assignment: units of an array, None for all of them, and what they are."""

    span: Span
    text: str


class Combination:
    """Writes one step."""

    def __init__(self, dialect: Dialect, stacks: Stacks, step: Combine) -> None:
        self._dialect, self._stacks, self._step = dialect, stacks, step
        self._count = math.prod(step.out.rows)
        self._size = step.out.units // step.groups
        self._units = self._size // len(step.formulas)

    @property
    def by_groups(self) -> bool:
        """Whether it is written as functions of groups."""
        step = self._step
        is_split = step.groups * len(step.formulas) > 1 or any(arg.parts > 1 for arg in step.args.values())
        return is_split or any(part.op in fm.REDUCTIONS for node in step.formulas for part in fm.walk(node))

    def whole(self) -> str:
        """Write a formula without groups."""
        step, [node] = self._step, self._step.formulas
        texts = Names({name: Text(self._operand(arg)) for name, arg in step.args.items()})
        text = formula(self._dialect, node, texts).text
        is_number = not step.args and not (self._count == 1 and self._stacks.vector)
        return self._stacks.filled.format(text, self._count, self._units) if is_number else text

    def routines(self) -> Iterator[Lines]:
        """Yield the functions of groups."""
        for part, node in enumerate(self._step.formulas):
            yield self._stacks.routine(self._routine(part, node))

    def calls(self) -> Iterator[Assigned]:
        """Yield the calls of these functions for each group."""
        step = self._step
        for group in range(step.groups):
            for part, node in enumerate(step.formulas):
                span = self._span(group * self._size + part * self._units, step.out.units, self._units)
                args = [self._argument(step.args[name], group) for name in self._arguments(node)]
                text = f"{self._name(part)}({', '.join(args)})"
                is_vector = self._count == 1 and self._stacks.vector
                yield Assigned(span, self._stacks.vector.format(text, self._units) if is_vector else text)

    # ------------------------------------------------------------------------------------ functions of groups

    def _name(self, part: int) -> str:
        return f"{self._step.out.name}_of" + (f"_{part + 1}" if len(self._step.formulas) > 1 else "")

    def _arguments(self, node: fm.Node) -> tuple[str, ...]:
        return tuple(name for name in self._step.args if fm.mentions(node, name))

    def _routine(self, part: int, node: fm.Node) -> Routine:
        arguments = self._arguments(node)
        first, last = named_reductions(multiplied(node), {*arguments, *self._dialect.reserved})
        lets = tuple((name, self._over(node, arguments)) for name, node in first)
        nodes = (last, *dict(first).values())
        indices = {part.value for node in nodes for part in fm.walk(node) if is_outer(part)}
        if any(part.op in fm.REDUCTIONS and "" in units(part) for part in fm.walk(last)):
            own = {name: fm.Node("unit", value=(name, OWN)) for name in arguments}
            last, indices = fm.Node("each", (fm.substitute(last, own), fm.name(OWN))), {*indices, OWN}
        answer = self._over(last, arguments)
        return Routine(self._name(part), arguments, lets, answer, str(self._units), tuple(sorted(indices)))

    def _over(self, node: fm.Node, arguments: tuple[str, ...]) -> str:
        each = self._stacks.each.replace("{2}", str(self._units))
        infix = replace(self._dialect.infix, functions={**self._dialect.infix.functions, "each": each})
        names = Names({name: Text(self._stacks.own.format(name)) for name in arguments})
        return infix.write(over_group(node, "", self._stacks.unit, str(self._units)), names).text

    def _argument(self, arg: Operand, group: int) -> str:
        """Write what a function of a group is given."""
        size = arg.shape[-1] // self._step.groups
        span = self._span(group * size + arg.part * (size // arg.parts), arg.shape[-1], size // arg.parts)
        text = self._operand(arg, span)
        return self._stacks.repeated.format(text, 1) if self._count == 1 and self._stacks.vector else text

    def _span(self, start: int, of: int, count: int) -> Span:
        first = self._dialect.first
        return None if count == of else (start + first, start + count - 1 + first)

    # ------------------------------------------------------------------------------------------------ operands

    def _operand(self, arg: Operand, span: Span = None) -> str:
        """Write an array, or some units of it, with as many rows as the result has."""
        stacks, own = self._stacks, math.prod(arg.shape[:-1])
        count = arg.shape[-1] if span is None else span[1] - span[0] + 1
        if isinstance(arg.of, Constant):
            text = self._numbers(arg.of, arg.transposed, span)
            if own == 1:
                text = stacks.flat.format(text, count) if arg.of.data.ndim == 2 else text
                across = stacks.alone if self._count == 1 and stacks.alone else stacks.across
                return across.format(text, self._count, count)
            text = stacks.sampled.format(text, own)
        else:
            text = self._value(arg.of, arg.transposed, span)
        if own == self._count:
            return text
        if own == 1:
            return stacks.repeated.format(text, self._count)
        spread = stacks.stretched if arg.spread else stacks.tiled
        return spread.format(text, self._count // own, own, count)

    def _numbers(self, constant: Constant, transposed: bool, span: Span) -> str:
        """Write a matrix of numbers, or a vector."""
        if constant.data.ndim == 1:
            return constant.name
        text = constant.name
        if span is not None:
            text = (self._stacks.rows if transposed else self._stacks.part).format(text, *span)
        return self._stacks.transposed.format(text) if transposed else text

    def _value(self, value: Value, transposed: bool, span: Span) -> str:
        text = value.name
        if transposed:
            text = self._stacks.turned.format(text, math.prod(value.rows), value.units)
        if span is None:
            return text
        if not value.rows and self._stacks.vector:
            return self._dialect.item.format(text, f"{span[0]}:{span[1]}")
        return self._stacks.part.format(text, *span)


def over_group(node: fm.Node, index: str, unit: str, count: str) -> fm.Node:
    """Write a formula over a group: within the innermost reduction its units at once, around that one by one.

    index: what is said of this unit is to be said of all. unit: a template of unit {0} of {1}; count: how many there
    are.
    """
    if node.op == "unit":
        name, of = node.value
        return fm.name(name) if of == index else fm.name(unit.format(of, name))
    if node == fm.name("count"):
        return fm.name(count)
    if node.op not in fm.REDUCTIONS:
        args = tuple(over_group(arg, index, unit, count) for arg in node.args)
        return fm.Node(node.op, args, node.value)
    if not is_outer(node):
        return fm.Node(node.op, (over_group(node.args[0], node.value, unit, count),))
    inner = over_group(node.args[0], "", unit, count)
    return fm.Node(node.op, (fm.Node("each", (inner, fm.name(node.value))),))


def is_outer(node: fm.Node) -> bool:
    """Whether this is a reduction around another one."""
    return node.op in fm.REDUCTIONS and any(part.op in fm.REDUCTIONS for part in fm.walk(node.args[0]))
