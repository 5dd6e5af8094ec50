"""Cases looked up in tables: a loop over all of them that keeps the map of the one that holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nn2eq import formula as fm
from nn2eq.emit.cases import LookUp, look_up
from nn2eq.emit.code.dialect import Dialect, Lines, Words
from nn2eq.emit.code.routines import formula
from nn2eq.emit.printing import SUM, Names, Text
from nn2eq.forms.program import Cases

CASE, CONDITION, OUTPUT = "k", "i", "j"
"""The indices of a case, of its conditions, and of the outputs."""
MOST, MARGIN = "most", "margin"
"""By how much the conditions of a case hold at least, 0 at most, and the most of that among the cases so far."""


def searched(dialect: Dialect, words: Words, step: Cases) -> Lines:
    """Write the search for the case that holds: at first it is the first one, whose map knows what NaN is."""
    search = _Search(dialect, words, step, look_up(step))
    first = search.each(lambda j: dialect.set.format(search.out(j), search.map("0", j)))
    return [*first, *(search.on_a_line() if search.tables.ends else search.by_margins())]


class _Search:
    """Writes one step."""

    def __init__(self, dialect: Dialect, words: Words, step: Cases, tables: LookUp) -> None:
        self.dialect, self.words, self.step, self.tables = dialect, words, step, tables

    def on_a_line(self) -> Lines:
        """Write: whoever begins before x takes over."""
        assert self.tables.ends is not None
        begin = self._item(self.tables.ends.name, f"{CASE} - 1")
        condition = fm.Node(">", (fm.name(self._x(0)), fm.name(begin)))
        return self._loop(CASE, 1, len(self.step.counts), self._taken_over(condition))

    def by_margins(self) -> Lines:
        """Write: whoever's conditions hold by more than those of all before takes over, by 0 at most."""
        zero, set_ = self.dialect.infix.number(0.0), self.dialect.set
        smaller, larger = (
            formula(self.dialect, fm.Node(op, (fm.name(one), fm.name(two)))).text
            for op, one, two in (("min", MARGIN, self._margin()), ("max", MOST, MARGIN))
        )
        body: Lines = [
            self.words.variable.format(MARGIN, zero),
            *self._loop(CONDITION, 0, self.tables.most, [set_.format(MARGIN, smaller)]),
            *self._taken_over(fm.Node(">", (fm.name(MARGIN), fm.name(MOST)))),
            set_.format(MOST, larger),
        ]
        start = self.words.variable.format(MOST, self.words.lowest)
        return [start, *self._loop(CASE, 0, len(self.step.counts), body)]

    def _margin(self) -> str:
        """Write bound - normal · x of a condition."""
        tables, row = self.tables, f"{self.tables.most} * {CASE} + {CONDITION}"
        inputs = self.step.arg.size
        products = [
            f"{entry(self.dialect, self.words.entry, tables.normals.name, row, str(i), inputs)} * {self._x(i)}"
            for i in range(inputs)
        ]
        return " - ".join([self._item(tables.bounds.name, row), *products])

    def _taken_over(self, condition: fm.Node) -> Lines:
        def line(j: str) -> str:
            names = Names({"map": Text(self.map(CASE, j), SUM)})
            node = fm.Node("where", (condition, fm.name("map"), fm.name(self.out(j))))
            return self.dialect.set.format(self.out(j), formula(self.dialect, node, names).text)

        return self.each(line)

    def map(self, case: str, output: str) -> str:
        """Write an output of a case's affine map."""
        inputs, outputs = self.step.arg.size, self.step.out.size
        columns = [_shifted(output, i * outputs) for i in range(inputs)]
        slopes = self._entries(self.tables.slopes.name, case, columns, inputs * outputs)
        products = [f"{slope} * {self._x(i)}" for i, slope in enumerate(slopes)]
        [offset] = self._entries(self.tables.offsets.name, case, [output], outputs)
        return " + ".join([*products, offset])

    def _entries(self, table: str, row: str, columns: Sequence[str], count: int) -> list[str]:
        return [entry(self.dialect, self.words.entry, table, row, column, count) for column in columns]

    def out(self, output: str) -> str:
        """Write an output."""
        return self._item(self.step.out.name, output)

    def each(self, line: Callable[[str], str]) -> Lines:
        """Write a line for each output."""
        count = self.step.out.size
        return self._loop(OUTPUT, 0, count, [line(OUTPUT)]) if count > 1 else [line("0")]

    def _x(self, index: int) -> str:
        return self._item(self.step.arg.name, str(index))

    def _item(self, array: str, index: str) -> str:
        return self.dialect.item.format(array, index)

    def _loop(self, index: str, start: int, stop: int, body: Lines) -> Lines:
        return [self.words.loop.format(index, start, stop), body, self.dialect.end]


def _shifted(index: str, by: int) -> str:
    if not by:
        return index
    return str(int(index) + by) if index.isdigit() else f"{index} + {by}"


def entry(dialect: Dialect, template: str, matrix: str, row: str, column: str, columns: int) -> str:
    """Write row, column of a matrix of so many columns; "" is the template if its rows stand one behind the other."""
    if template:
        return template.format(matrix, row, column)
    return dialect.item.format(matrix, place(row, column, columns))


def place(row: str, column: str, columns: int) -> str:
    """Return where a number of a matrix stands if its rows stand one behind the other."""
    if columns == 1:
        return row
    around = f"({row})" if " " in row else row
    before = str(columns * int(row)) if row.isdigit() else f"{columns} * {around}"
    return column if before == "0" else before if column == "0" else f"{before} + {column}"
