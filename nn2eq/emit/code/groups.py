"""The units of a group as loops: a formula for each of them, and each reduction over them in a loop before its use."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from nn2eq import formula as fm
from nn2eq.emit.code.dialect import Dialect, Lines, Words
from nn2eq.emit.code.routines import formula, multiplied
from nn2eq.emit.names import fresh
from nn2eq.emit.sharing import named_parts, named_reductions

UNIT, GROUP = "i", "g"
"""The indices of a unit and of a group; `nn2eq.emit.sharing` calls those of reductions j, k, l, m, n."""

Place = Callable[[str], fm.Node]
"""What a name in a formula is at the unit of some index."""


class Group:
    """Writes formulas over so many units; what is declared on the way has names of its own."""

    def __init__(
        self, dialect: Dialect, words: Words, places: Mapping[str, Place], units: int, taken: Collection[str]
    ) -> None:
        self._dialect, self._words, self._places, self._units = dialect, words, places, units
        self._taken = {*dialect.reserved, *places, *taken}

    def lines(self, node: fm.Node, results: int, out: Callable[[str], str]) -> Lines:
        """Write what the units share first, then one result each; out: the place of that of some index."""
        first, last = named_reductions(multiplied(node), self._taken)
        body: Lines = []
        for name, part in first:
            self._taken.add(name)
            body += self._reduction(name, part)
        unit = UNIT if results > 1 else "0"
        inner, text = self._unit(last, unit)
        lines: Lines = [*inner, self._dialect.set.format(out(unit), text)]
        return [*body, *(self._loop(unit, results, lines) if results > 1 else lines)]

    def _loop(self, index: str, count: int, body: Lines) -> Lines:
        return [self._words.loop.format(index, 0, count), body, self._dialect.end]

    def _unit(self, node: fm.Node, unit: str) -> tuple[Lines, str]:
        """Write a formula of one unit, what it says twice under a name."""
        if any(part.op in fm.REDUCTIONS for part in fm.walk(node)):
            return self._unrolled(node, unit)
        parts, last = named_parts(node, self._taken, _is_number)
        lets: Lines = [self._dialect.let.format(name, self._unrolled(part, unit)[1]) for name, part in parts]
        return lets, self._unrolled(last, unit)[1]

    def _reduction(self, name: str, node: fm.Node, unit: str = UNIT) -> Lines:
        """Write a sum or a largest number over the units, under this name."""
        is_sum = node.op == "sum"
        start = self._dialect.infix.number(0.0) if is_sum else self._words.lowest
        inner, text = self._unrolled(node.args[0], unit)
        if is_sum:
            last = self._words.add.format(name, text)
        else:
            larger = fm.Node("max", (fm.name(name), fm.name(text)))
            last = self._dialect.set.format(name, formula(self._dialect, larger).text)
        body: Lines = [*inner, last]
        around = self._loop(node.value, self._units, body) if self._units > 1 else body
        return [self._words.variable.format(name, start), *around]

    def _unrolled(self, node: fm.Node, unit: str) -> tuple[Lines, str]:
        """Write a formula; the reductions in it are computed first, by the lines that are returned beside it."""
        lines: Lines = []

        def without(part: fm.Node) -> fm.Node:
            if part.op in fm.REDUCTIONS:
                name = fresh("total" if part.op == "sum" else "largest", self._taken)
                self._taken.add(name)
                lines.extend(self._reduction(name, part, unit))
                return fm.name(name)
            if not part.args:
                return self._leaf(part, unit)
            return fm.Node(part.op, tuple(map(without, part.args)), part.value)

        return lines, formula(self._dialect, without(node)).text

    def _leaf(self, node: fm.Node, unit: str) -> fm.Node:
        if node == fm.name("count"):
            return fm.number(self._units)
        if node.op == "unit":
            name, index = node.value
            return self._places[name](index if self._units > 1 else "0")
        return self._places[node.value](unit) if node.op == "name" and node.value in self._places else node


def _is_number(part: fm.Node, times: int) -> bool:
    return part.op not in fm.COMPARISONS


def scoped(lines: Lines) -> Lines:
    """Write lines in a block of their own, unless they are one loop or one statement."""
    is_alone = len(lines) == 1 or (len(lines) == 3 and isinstance(lines[1], list))
    return lines if is_alone else ["{", lines, "}"]
