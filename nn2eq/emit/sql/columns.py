"""A Program as columns in levels: each level is computed from the columns of those before it, row by row.

A query cannot use a column where it is defined, so what others use has a level of its own. A weighted sum that is
used once, in an activation, stands there: a layer of tanh is one level, one of softmax four.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nn2eq import formula as fm
from nn2eq.emit.printing import PRODUCT, SUM, Infix, Text
from nn2eq.emit.pythonic import LONGEST_SUM
from nn2eq.emit.renaming import renamed
from nn2eq.emit.scalars import Formula, Sum, unrolled
from nn2eq.emit.sql.dialects import Dialect, Rewriting
from nn2eq.emit.sql.formulas import as_computed, parts
from nn2eq.forms.program import Combine, Function, Value
from nn2eq.forms.size import Spelling


@dataclass(frozen=True)
class Column:
    """A column: its name and formula, the columns that this reads, its level, and the value that it is a part of."""

    name: str
    text: str
    reads: frozenset[str]
    level: int
    value: Value


def standing(function: Function) -> Function:
    """Return the function with its standing names outside, x1 ... and y1 ...: the users' are for the ends alone.

    So no name of a user's can mean a column of ours.
    """
    (x,), (y, *_) = function.arguments, function.results
    named = {value: _numbered(value, letter) for value, letter in ((y, "y"), (x, "x"))}

    return renamed(function, named)


def _numbered(value: Value, letter: str) -> Value:
    count = value.size
    return replace(
        value, parts=(letter,) if count == 1 else tuple(f"{letter}{k}" for k in range(1, count + 1))
    )


def columns(
    function: Function, spelling: Spelling, dialect: Dialect, dtype: str, *, nested: bool
) -> list[Column]:
    """Return what must be computed for the function's results, in order. nested: as little as these themselves."""
    (x,) = function.arguments
    answers = [part for result in function.results for part in result.parts]
    lines = _needed(list(_lines(function, spelling, dialect, nested=nested)), answers)
    within = set(_standing_within(lines, nested=nested)) - set(answers)
    writer = _Writer(dialect, dtype, x.parts, within)
    return [column for value, line in lines if (column := writer.column(value, line))]


Own = Sum | Formula
"""The lines there are: a query defines no functions, so that nothing is called by its name."""


def _lines(
    function: Function, spelling: Spelling, dialect: Dialect, *, nested: bool
) -> Iterator[tuple[Value, Own]]:
    """Yield the lines of each step, the costly parts of a formula that repeat as lines before it."""
    for step, (_, lines) in zip(function.steps, unrolled(function, spelling), strict=True):
        lacking = dialect.lacking if isinstance(step, Combine) else {}  # an activation is spelled already
        for line in lines:
            assert isinstance(line, Own)
            yield from ((step.out, part) for part in _divided(line, lacking, nested=nested))


def _divided(line: Own, lacking: Mapping[str, Rewriting], *, nested: bool) -> Iterator[Own]:
    if isinstance(line, Sum):
        yield line
        return
    node = as_computed(line.node, lacking)
    first, last = ([], node) if nested else parts(node)
    own = {name: fm.name(f"{name}_{line.out}") for name, _ in first}
    for name, node in first:
        yield Formula(f"{name}_{line.out}", fm.substitute(node, own))
    yield Formula(line.out, fm.substitute(last, own))


def _names(line: Own) -> tuple[str, ...]:
    """Return the names that a line mentions, as often as it does."""
    if isinstance(line, Sum):
        return line.names
    return tuple(part.value for part in fm.walk(line.node) if part.op == "name")


def _needed(lines: list[tuple[Value, Own]], outputs: Sequence[str]) -> list[tuple[Value, Own]]:
    """Return the lines that the outputs depend on."""
    used, kept = set(outputs), []
    for value, line in reversed(lines):
        if line.out in used:
            used.update(_names(line))
            kept.append((value, line))
    return kept[::-1]


def _standing_within(lines: list[tuple[Value, Own]], *, nested: bool) -> Iterator[str]:
    """Yield what is no column: all but the results if nested, else sums that one formula mentions once, and copies."""
    mentioned = Counter(name for _, line in lines for name in _names(line))
    by_formulas = Counter(name for _, line in lines if isinstance(line, Formula) for name in _names(line))
    for _, line in lines:
        once = isinstance(line, Sum) and mentioned[line.out] == by_formulas[line.out] == 1
        if nested or once or (isinstance(line, Formula) and line.node.op == "name"):
            yield line.out


class _Writer:
    """Writes lines one after the other, and knows what stands for each name so far."""

    def __init__(self, dialect: Dialect, dtype: str, inputs: Sequence[str], within: set[str]) -> None:
        self._infix, self._numbers, self._within = dialect.infix(dtype), dialect.numbers[dtype], within
        self._type, self._narrow = dialect.types[dtype], dtype == "float32"
        self._texts = {name: Text(name) for name in inputs}
        self._reads = {name: frozenset((name,)) for name in inputs}
        self._levels = dict.fromkeys(inputs, 0)

    def column(self, value: Value, line: Own) -> Column | None:
        """Write a line; None if it stands within others."""
        out, names = line.out, set(_names(line))
        reads = frozenset().union(*(self._reads[name] for name in names))
        level = max((self._levels[name] for name in reads), default=0)
        text = self._sum(line) if isinstance(line, Sum) else self._formula(line)
        if out in self._within:
            self._texts[out], self._reads[out] = text, reads
            return None
        self._texts[out], self._reads[out], self._levels[out] = Text(out), frozenset((out,)), level + 1
        return Column(out, text.text, reads, level + 1, value)

    def _formula(self, line: Formula) -> Text:
        node = line.node
        if node.op == "name":
            return self._texts[node.value]
        terms = [self._infix.write(leaf, self._texts) for leaf in _leaves(node)]
        if len(terms) == 1:
            text = terms[0]
        elif node.op == "+":
            text = Text(_total([term.within(PRODUCT) for term in terms]), SUM)
        else:
            text = Text(_call(self._infix, node.op, [term.text for term in terms]))
        return Text(f"CAST({text.text} AS {self._type})") if self._narrow else text

    def _sum(self, line: Sum) -> Text:
        offset = [] if line.offset is None else self._numbers(line.offset)
        if not line.names:
            text = offset[0] if offset else self._numbers(np.zeros(1))[0]
            return Text(f"CAST({text} AS {self._type})")
        terms = [
            f"{number}*{self._texts[name].within(PRODUCT)}"
            for number, name in zip(self._numbers(line.coefficients), line.names, strict=True)
        ]
        return Text(_total(terms + offset), SUM if len(terms + offset) > 1 else PRODUCT)


def _leaves(node: fm.Node) -> list[fm.Node]:
    """Return what a tree of one operation that is written over any number of things joins, else the node alone."""
    if node.op not in _JOINED:
        return [node]
    return [leaf for arg in node.args for leaf in (_leaves(arg) if arg.op == node.op else [arg])]


_JOINED = frozenset(fm.FOLDS.values())


def _call(infix: Infix, op: str, terms: Sequence[str]) -> str:
    """Write a function of many, some at a time: there are engines that take 127."""
    if len(terms) > LONGEST_SUM:
        groups = (terms[k : k + LONGEST_SUM] for k in range(0, len(terms), LONGEST_SUM))
        return _call(infix, op, [_call(infix, op, group) for group in groups])
    return terms[0] if len(terms) == 1 else infix.functions[op].format(terms[0], ", ".join(terms[1:]))


def _total(terms: Sequence[str]) -> str:
    """Write a sum, a long one in groups: engines go down a sum by recursion."""
    if len(terms) > LONGEST_SUM:
        groups = (terms[k : k + LONGEST_SUM] for k in range(0, len(terms), LONGEST_SUM))
        return _total([f"({_total(group)})" for group in groups])
    return terms[0] + "".join(f" - {t[1:]}" if t[0] == "-" else f" + {t}" for t in terms[1:])
