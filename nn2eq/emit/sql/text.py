"""A whole query: a common table expression for each level of columns, and what is selected from the last one.

A layer is one table expression where its activation mentions what it is of once, as tanh does; otherwise its
weighted sums, and what a softmax shares, have one of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from nn2eq.emit import Emitter
from nn2eq.emit.header import escaped
from nn2eq.emit.names import fresh
from nn2eq.emit.options import Options
from nn2eq.emit.pythonic import depth
from nn2eq.emit.sql.columns import Column, columns, standing
from nn2eq.emit.sql.dialects import Dialect
from nn2eq.emit.sql.formulas import spelled
from nn2eq.emit.sql.others import OTHERS, engine, translated
from nn2eq.errors import CannotEmit, TooLarge
from nn2eq.forms.program import Program
from nn2eq.forms.size import Spelling

WIDTH = 110
STANDARD, TABLE = "sqlite", "data"
"""The dialect and the table, if none is named."""
_QUOTED = frozenset('"`')
"""What stands around names of users', which are not to be broken at their spaces."""
_SHOWN = 6
"""How many names a comment holds."""


Item = tuple[str, str]
"""A formula, and the name that it is given."""


@dataclass(frozen=True)
class Select:
    """A level of columns: formulas and what they are called, computed from another's."""

    name: str
    origin: str
    items: tuple[Item, ...]
    source: str


def spelling_of(options: Options) -> Spelling:
    """Return how activations are written. Raises CannotEmit for a dialect that is not there or lacks the dtype."""
    chosen = engine(options.dialect or STANDARD)
    if options.dtype not in chosen.types:
        what = f"{chosen.name} computes in {' or '.join(chosen.types)}"
        raise CannotEmit(what, code="dtype", way_out=f"leave out --dtype {options.dtype}")
    return spelled(chosen, options)


def write(program: Program, options: Options) -> str:
    """Write a Program as a query. Raises CannotEmit, TooLarge."""
    chosen, program = engine(options.dialect or STANDARD), program.merged()
    _require_names(program, options, chosen)
    selects = list(_Query(program, options, chosen).selects())
    widest = max(len(select.items) for select in selects)
    if widest > chosen.columns:
        what = f"a level of the network has {widest:,} numbers, and a row in {chosen.name} holds {chosen.columns:,}"
        raise TooLarge(what, code="too-large", way_out="use a format that knows arrays, such as numpy or c")
    said, *lines = _lines(selects, program, chosen)
    query = "\n".join(lines)
    return f"{said}\n{translated(query, chosen.name) if chosen.name in OTHERS else query};\n"


_KNOWN = "known"
"""The column that says whether no input of a row is missing."""
_CHOICE = re.compile(r"\b(CASE|greatest|least)\b")
"""What may make a number of NULL; arithmetic and functions never do."""
_TOGETHER = 50
"""Comparisons in a row: more are put in brackets by halves, since engines limit the depth of a formula."""


def _missing(names: Sequence[str]) -> str:
    """Return the condition that a column of these is NULL: the answer of such a row is NULL too."""
    if len(names) <= _TOGETHER:
        return " OR ".join(f"{name} IS NULL" for name in names)
    middle = len(names) // 2
    return f"({_missing(names[:middle])}) OR ({_missing(names[middle:])})"


class _Query:
    """The levels of a query, each selected from the one before it."""

    def __init__(self, program: Program, options: Options, chosen: Dialect) -> None:
        self._program, self._dialect, self._type = program, chosen, chosen.types[options.dtype]
        self._table, self._function = options.table or TABLE, standing(program.predict)
        self._own = [part for result in self._function.results for part in result.parts]
        nested = program.layout == "nested"
        self._columns = columns(self._function, spelling_of(options), chosen, options.dtype, nested=nested)
        self._last = max((column.level for column in self._columns), default=0)
        self._kept = [(chosen.quoted(name), f"keep{k}") for k, name in enumerate(options.keep, start=1)]
        self._chooses = any(_CHOICE.search(column.text) for column in self._columns)
        if nested:
            _require_shallow(self._columns, chosen)

    def selects(self) -> Iterator[Select]:
        """Yield the inputs, each level, and the answers last."""
        taken = {self._table.lower()}
        source, of = fresh("x", taken), self._dialect.table(self._table)
        yield Select(source, "", self._inputs(), of)
        for level in range(1, self._last):
            taken.add(source.lower())
            here = self._at(level)
            name = fresh(_called(here).lower(), taken)  # in SQL, T1 and t1 are one
            own = [(column.text, column.name) for column in here]
            carried = [(name, name) for name in self._carried(level)]
            yield Select(name, _origin(here), (*own, *carried), source)
            source = name
        yield Select("", _origin(self._at(self._last)), self._answers(), source)

    def _at(self, level: int) -> list[Column]:
        return [column for column in self._columns if column.level == level]

    def _inputs(self) -> tuple[Item, ...]:
        """Select the inputs as numbers of the type that is computed in, whatever the table holds."""
        names = self._function.arguments[0].parts
        chosen = self._dialect
        theirs = [chosen.quoted(name) for name in self._program.inputs]
        typed = [chosen.taken.format(name, self._type) for name in theirs]
        known = [(f"CASE WHEN {_missing(theirs)} THEN 0 ELSE 1 END", _KNOWN)] if self._chooses else []
        return (*zip(typed, names, strict=True), *self._kept, *known)

    def _carried(self, level: int) -> Iterator[str]:
        """Yield the names from before a level that are used after it."""
        later = {name for column in self._columns if column.level > level for name in column.reads}
        later.update(self._own)
        before = [column.name for column in self._columns if column.level < level]
        yield from (name for name in (*self._function.arguments[0].parts, *before) if name in later)
        yield from (own for _, own in self._kept)
        if self._chooses:
            yield _KNOWN

    def _answers(self) -> tuple[Item, ...]:
        """Select what is kept and the outputs, under the names of their users."""
        here = {column.name: column.text for column in self._at(self._last)}
        kept = [(own, theirs) for theirs, own in self._kept]
        named = zip(self._own, self._program.outputs, strict=True)
        answer = f"CASE WHEN {_KNOWN} = 1 THEN {{}} END" if self._chooses else "{}"
        return (
            *kept,
            *((answer.format(here.get(own, own)), self._dialect.quoted(name)) for own, name in named),
        )


def _called(here: Sequence[Column]) -> str:
    """Return what a level is called: the value whose units it holds, else what its first column is."""
    for column in here:
        if column.name in column.value.parts:
            return column.value.name
    return here[0].name if len(here) == 1 else f"{here[0].name.split('_')[0]}_{here[0].value.name}"


def _origin(here: Sequence[Column]) -> str:
    return ", ".join(dict.fromkeys(column.value.origin for column in here if column.value.origin))


# -------------------------------------------------------------------------------------------------------- lines


def _lines(selects: Sequence[Select], program: Program, chosen: Dialect) -> Iterator[str]:
    """Yield what is said of the query, and its lines."""
    names = [chosen.quoted(name) for name in program.outputs]
    shown = ", ".join(names if len(names) <= _SHOWN else (*names[: _SHOWN - 1], "..."))
    yield f"-- {chosen.name}: {shown} for each row of {selects[0].source}"
    *tables, answers = selects
    said = ""
    for number, select in enumerate(tables):
        if select.origin and select.origin != said:
            said = select.origin
            yield f"-- {escaped(said)}"
        yield f"{'' if number else 'WITH '}{select.name} AS {chosen.opening}("
        yield from (f"  {line}" for line in _select(select))
        if chosen.fence and number:
            yield f"  {chosen.fence}"
        yield ")," if number < len(tables) - 1 else ")"
    if answers.origin and answers.origin != said:
        yield f"-- {escaped(answers.origin)}"
    yield from _select(answers)


def _select(select: Select) -> Iterator[str]:
    yield "SELECT"
    for number, (text, name) in enumerate(select.items, start=1):
        comma = "," if number < len(select.items) else ""
        alias = "" if text == name else f" AS {name}"
        is_whole = len(text) <= WIDTH or not _QUOTED.isdisjoint(text)
        *lines, last = [text] if is_whole else wrap(
            text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )  # fmt: skip
        yield from (f"  {line}" for line in (*lines, f"{last}{alias}{comma}"))
    yield f"FROM {select.source}"


# ----------------------------------------------------------------------------------------------------- refusals


def _require_names(program: Program, options: Options, chosen: Dialect) -> None:
    """Refuse names that no column can have, and two that are one column. Raises CannotEmit."""
    for names in (program.inputs, (*options.keep, *program.outputs)):
        seen: set[str] = set()
        for name in names:
            shown = f"{name!a:.80}"
            known = name.lower() if chosen.caseless else name
            if not name or not name.isprintable():
                raise CannotEmit(f"{shown} cannot be a column", code="bad-name", way_out=_OTHERS)
            if known in seen:
                what = f"the name {shown} stands for two columns in {chosen.name}"
                raise CannotEmit(what, code="name-clash", way_out=_OTHERS)
            seen.add(known)
    if not all(part and part.isprintable() for part in (options.table or TABLE).split(".")):
        raise CannotEmit(
            f"{options.table!a:.80} cannot be a table", code="bad-name", way_out="name another --table"
        )


_OTHERS = "choose others with --inputs, --outputs or --keep"


def _require_shallow(found: Sequence[Column], chosen: Dialect) -> None:
    """Refuse a nested text that an engine's parser does not read. Raises CannotEmit."""
    deepest = max(depth(column.text.replace("CASE", "(").replace("END", ")")) for column in found)
    if deepest > chosen.deepest:
        what = f"the nested form has brackets {deepest} deep, more than {chosen.name} reads"
        raise CannotEmit(what, code="too-deep", way_out="use --form layered")


EMITTER = Emitter(
    name="sql",
    suffix=".sql",
    comment="--",
    layouts=("nested", "layered"),
    default="layered",
    write=write,
    spelling=spelling_of,
    quick=20_000,  # how long an engine reads a query grows with the square of its numbers
    options=frozenset({"activations", "digits", "dtype", "dialect", "table", "keep"}),
    derivatives=("layered",),
    merged=True,
)
