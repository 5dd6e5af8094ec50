"""Constants that stand in tables of a LaTeX text, put together from their blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from nn2eq.proof.latex_symbols import canonical, cell_values, indexed, indices
from nn2eq.proof.latex_text import Mathematics, Table, Text
from nn2eq.proof.latex_tokens import Node

_TURNED = re.compile(r"^\{?(.*?)\}?\^\{?\\top\}?$")


def tabled(text: Text) -> dict[str, Node]:
    """Return the constants that stand in tables: whole arrays by their symbol, or single numbers by theirs."""
    entries: dict[str, dict[tuple[int, int], str]] = {}
    places: dict[str, int] = {}
    singles: dict[str, Node] = {}
    for table in text.tables:
        singles |= _singles(text, table)
        for name, place, cell in _entries(text, table):
            entries.setdefault(name, {})[place] = cell
            places[name] = table.at
    return singles | {name: _array(text, block, places[name]) for name, block in entries.items()}


class _Heads(NamedTuple):
    """A table's corner, and the index or the number at the head of each column, `j = 1`, `2`, `3`."""

    corner: str
    letter: str
    columns: tuple[str, ...]


def _heads(mathematics: Mathematics, table: Table) -> _Heads:
    if not table.rows:
        raise mathematics.error("an empty table", table.at)
    corner, *heads = table.rows[0]
    for _, *cells in table.rows[1:]:
        if len(cells) != len(heads):
            raise mathematics.error(
                f"a table's row of {len(cells)} numbers under {len(heads)} columns", table.at
            )
    letter = heads[0].rpartition("=")[0].strip() if heads else ""
    return _Heads(corner, letter, tuple(cell.rpartition("=")[2].strip() for cell in heads))


def _entries(text: Text, table: Table) -> Iterator[tuple[str, tuple[int, int], str]]:
    r"""Yield each number of a table of arrays with its constant and its place in that, from 1.

    The kernel's symbol stands in the corner, W_{1,i,j} or W_1 or, where the table is its transpose, W_1^{\top}; its
    rows and columns are numbered, i = 1; a row that has a symbol of its own, b_{1,j} or b_1, is a vector.
    """
    heads, mathematics = _heads(text.mathematics, table), text.mathematics
    corner, turned = _TURNED.subn(r"\1", heads.corner)
    if _is_of_singles(text, heads):
        return
    if not all(column.isdigit() for column in heads.columns):
        raise mathematics.error("a table whose columns are not numbered", table.at)
    for label, *cells in table.rows[1:]:
        row = label.rpartition("=")[2].strip()
        name = _constant(corner if row.isdigit() else label)
        for column, cell in zip(map(int, heads.columns), cells, strict=True):
            place = (int(row) if row.isdigit() else text.first, column)
            turns = bool(turned) if row.isdigit() else not text.row
            yield name, tuple(k - text.first + 1 for k in (place[::-1] if turns else place)), cell  # type: ignore[misc]


def _constant(symbol: str) -> str:
    """Return the constant of which W_{1,i,j} is an entry: W_1; a symbol without i and j is a constant itself."""
    head, places = indices(canonical(symbol))
    if not {"i", "j"} & set(places):
        return canonical(symbol)
    return indexed(head, [place for place in places if place not in ("i", "j")])


# ------------------------------------------------------------------------------------- numbers one by one


def _is_of_singles(text: Text, heads: _Heads) -> bool:
    r"""Whether a table's corner is the symbol of any entry, \theta_{ij}, and its heads say what i and j are.

    W_{1,i,j} with numbered rows and columns, which count from 1, is an array instead.
    """
    _, places = indices(canonical(heads.corner))
    if not any(place in ("i", "j", "ij") for place in places):
        return False
    in_order = heads.letter == "j" and places[-2:] == ("i", "j") and len(places) == 3 and places[0].isdigit()
    return not (in_order and text.first == 1 and all(column.isdigit() for column in heads.columns))


def _singles(text: Text, table: Table) -> Iterator[tuple[str, Node]]:
    """Yield each number of a table by the symbol that the heads of its row and column make of the corner's.

    A row of biases has a symbol of its own, b_j, at its head.
    """
    heads = _heads(text.mathematics, table)
    if not _is_of_singles(text, heads) or len(table.rows) < 2:
        return
    down, _, first = (part.strip() for part in table.rows[1][0].partition("="))
    for label, *cells in table.rows[1:]:
        row = label.rpartition("=")[2].strip()
        is_own = canonical(row) == "b_j" or (first.isdigit() and not row.isdigit())
        values = _values(text, cells, table.at)
        for column, value in zip(heads.columns, values, strict=True):
            at = {heads.letter: column} if is_own else {heads.letter: column, down: row}
            yield _at(row if is_own else heads.corner, at), Node("number", value=value, at=table.at)


def _at(symbol: str, at: Mapping[str, str]) -> str:
    r"""Put indices into a symbol: \theta_{ij} at i = 1, j = 0 is \theta_{10}, with a comma from ten on."""
    head, places = indices(canonical(symbol))
    found = []
    for place in places:
        letters = [at.get(letter, letter) for letter in place]
        is_run = len(place) > 1 and bool(set(place) & set(at))
        comma = "," if any(len(letter) > 1 for letter in letters) else ""
        found.append(comma.join(letters) if is_run else at.get(place, place))
    return canonical(indexed(head, found))


def _array(text: Text, block: Mapping[tuple[int, int], str], at: int) -> Node:
    rows, columns = (max(place[axis] for place in block) for axis in (0, 1))
    if set(block) != set(product(range(1, rows + 1), range(1, columns + 1))):
        raise text.mathematics.error(
            f"a table of {rows} times {columns} numbers in which some are missing", at
        )
    cells = [block[row, column] for row in range(1, rows + 1) for column in range(1, columns + 1)]
    return Node("numbers", value=np.array(_values(text, cells, at)).reshape(rows, columns), at=at)


def _values(text: Text, cells: Sequence[str], at: int) -> list[float]:
    try:
        values: list[float] = cell_values("&".join(cells), "&", single=text.single).tolist()
    except ValueError as problem:
        raise text.mathematics.error(
            f"a table with something in it that is not a number ({problem})", at
        ) from None
    return values
