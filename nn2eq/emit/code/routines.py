"""The functions that a text defines: one for each activation that it calls, and those that the language lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit.code.dialect import Dialect, Lines, Routine
from nn2eq.emit.code.helpers import Helper
from nn2eq.emit.options import Options
from nn2eq.emit.printing import Names, Text
from nn2eq.emit.pythonic import applied, by_function, require_no_symbols
from nn2eq.emit.sharing import named_parts
from nn2eq.forms.program import Program
from nn2eq.forms.size import Spelling, runnable


def spelled(options: Options) -> Spelling:
    """Return how activations are written: by functions that the text defines, or by their formulas to run.

    A coupled row is always written out: few languages pass groups of numbers as lightly as Python.
    """
    require_no_symbols(options)
    return runnable if options.activations == "explicit" else by_function_or_group


def by_function_or_group(activation: Activation) -> fm.Node | None:
    """Spell an activation by its name, unless its formula is one operation or it couples units."""
    return activation.stable if activation.row.coupled else by_function(activation)


def multiplied(node: fm.Node) -> fm.Node:
    """Return a formula whose small powers are products: no language is quicker or more exact at z to the 2.0."""
    args = tuple(multiplied(arg) for arg in node.args)
    if node.op == "**" and args[1] in _TIMES:
        product = args[0]
        for _ in range(_TIMES[args[1]]):
            product = fm.Node("*", (product, args[0]))
        return product
    return fm.Node(node.op, args, node.value)


_TIMES = {fm.number(2): 1, fm.number(3): 2}


def formula(dialect: Dialect, node: fm.Node, names: Mapping[str, Text] | None = None) -> Text:
    """Write a formula of numbers."""
    return dialect.infix.write(multiplied(node), Names() if names is None else names)


def call(dialect: Dialect, activation: Activation, arg: str, per_unit: Mapping[str, str]) -> str:
    """Write a row's function of a number; per_unit: the unit's own parameters."""
    numbers = {key: dialect.infix.number(node.value) for key, node in activation.numbers.items()}
    given = {**numbers, **per_unit}
    return f"{dialect.called(activation)}({', '.join([arg, *(given[key] for key in activation.parameters)])})"


def definitions(dialect: Dialect, program: Program, spelling: Spelling, text: str) -> Iterator[Lines]:
    """Yield the functions that a text calls, and those that these call, each behind what it needs."""
    own = (row for row in applied(program).values() if spelling(row) is None)
    rows = [row for row in own if _calls(text, dialect.called(row))]
    needed = [op for op, helper in dialect.helpers.items() if _calls(text, helper.name)]
    needed += [part.op for row in rows for part in fm.walk(fm.parse(row.row.runnable))]
    yield from (_helper(dialect, helper) for helper in _with_their_own(dialect, needed))
    yield from (_row(dialect, row) for row in rows)


def _calls(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.:]){name}\(", text) is not None


def _with_their_own(dialect: Dialect, needed: Iterable[str]) -> Iterator[Helper]:
    """Yield the helpers among some primitives, each once, behind those that it needs itself."""
    done: set[str] = set()

    def visit(op: str) -> Iterator[Helper]:
        if op in done or op not in dialect.helpers:
            return
        done.add(op)
        helper = dialect.helpers[op]
        for part in fm.walk(fm.parse(helper.formula)) if helper.formula else ():
            yield from visit(part.op)
        yield helper

    for op in needed:
        yield from visit(op)


def _helper(dialect: Dialect, helper: Helper) -> Lines:
    said: Lines = [f"{dialect.comment} {helper.name}: {helper.said}"] if helper.said else []
    if helper.text:
        return [*said, *helper.text.splitlines()]
    return said + _routine(dialect, helper.name, helper.arguments, fm.parse(helper.formula))


def _row(dialect: Dialect, activation: Activation) -> Lines:
    arguments = ("z", *activation.parameters)
    return _routine(dialect, dialect.called(activation), arguments, fm.parse(activation.row.runnable))


def _routine(dialect: Dialect, name: str, arguments: tuple[str, ...], node: fm.Node) -> Lines:
    first, last = named_parts(multiplied(node), {*arguments, *dialect.reserved})
    lets = tuple((let, formula(dialect, part).text) for let, part in first)
    return dialect.routine(Routine(name, arguments, lets, formula(dialect, last).text))
