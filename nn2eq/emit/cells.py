"""A Program as cells: a formula for each unit, over cells in a row or in a column, and a table of weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from nn2eq import formula as fm
from nn2eq.emit.excel_formulas import CELLS, column, fits, in_cells, spelled
from nn2eq.emit.printing import Names, Text
from nn2eq.emit.scalars import Call, Formula, Sum, unrolled
from nn2eq.errors import CannotEmit
from nn2eq.forms.program import Affine, Apply, Combine, Program, Step

WEIGHTS = "Weights"
"""The name of the sheet that holds them."""


class View(Protocol):
    """Where the units of one case stand."""

    def cell(self, name: str) -> str:
        """Return the cell of a unit."""

    def dot(self, weights: str, first: str, last: str) -> str:
        """Return the sum of the products of weights, a row, with the units from the first to the last."""


@dataclass(frozen=True)
class Across:
    """The units of a case in a row, from the first column on; what fills down stays in its columns.

    row: its number, or what stands for it in a formula that is written for many rows.
    """

    places: dict[str, int]
    row: str

    def cell(self, name: str) -> str:
        """Return the cell of a unit."""
        return f"${column(self.places[name])}{self.row}"

    def dot(self, weights: str, first: str, last: str) -> str:
        """Return the sum of the products of weights, a row, with the units from the first to the last."""
        return f"SUMPRODUCT({self.cell(first)}:{self.cell(last)}, {weights})"


@dataclass(frozen=True)
class Down:
    """The units of a case in one column, from a row on."""

    places: dict[str, int]
    letter: str
    row: int

    def cell(self, name: str) -> str:
        """Return the cell of a unit."""
        return f"{self.letter}{self.row + self.places[name]}"

    def dot(self, weights: str, first: str, last: str) -> str:
        """Return the sum of the products of weights, a row, with the units from the first to the last."""
        return f"SUM(MMULT({weights}, {self.cell(first)}:{self.cell(last)}))"


@dataclass(frozen=True)
class Unit:
    """One cell of a case: its name, what it is, and its formula over the cells of a view; None for an input."""

    name: str
    origin: str
    formula: Callable[[View], str] | None = None


@dataclass(frozen=True)
class Row:
    """A row of the table of weights: what it belongs to, and its numbers, or words where they are explained."""

    label: str
    values: Sequence[float | str | None]


@dataclass(frozen=True)
class Cells:
    """The units of a case in the order in which they are computed, and the rows of the table of weights."""

    units: tuple[Unit, ...]
    weights: tuple[Row, ...]

    @property
    def places(self) -> dict[str, int]:
        """Where each unit stands among them, counted from 0."""
        return {unit.name: place for place, unit in enumerate(self.units)}


def cells_of(program: Program) -> Cells:
    """Return a Program as cells. Raises CannotEmit if two units have one name."""
    units, rows = [Unit(name, "inputs") for name in program.inputs], list[Row]()
    plain = replace(program.predict, steps=tuple(map(_without_own, program.predict.steps)))
    for step, (origin, lines) in zip(program.predict.steps, unrolled(plain, spelled), strict=True):
        said = f"layer {origin}".strip()
        if isinstance(step, Affine) and not (step.out.rows or any(term.transposed for term in step.terms)):
            units += _affine(step, said, rows)
            continue
        own, found = _own_parameters(step, rows), list[Unit]()
        for line in lines:
            assert not isinstance(line, Call)  # every activation is written out
            node = line.node if isinstance(line, Formula) else _sum(line, rows)
            node = in_cells(node) if isinstance(step, Combine) else node  # an activation is spelled already
            found += _unit(line.out, said, fm.substitute(node, own.get(line.out, {})))
        # The step's own units side by side, so that the next sum is over a range; what they share in front.
        units += sorted(found, key=lambda unit: unit.name in step.out.parts)
    if len({unit.name for unit in units}) < len(units):
        what = "two cells of a case have one name"
        raise CannotEmit(what, code="name-clash", way_out="choose others with --inputs, --outputs")
    answers = set(program.outputs)  # they stand last, wherever they are used
    inner = [unit for unit in units if unit.name not in answers]
    outer = [replace(unit, origin="outputs") for unit in units if unit.name in answers]
    return Cells((*inner, *outer), tuple(rows))


def _without_own(step: Step) -> Step:
    """Return the step with each unit's own parameters as names."""
    return replace(step, parameters={}) if isinstance(step, Apply) else step


def _own_parameters(step: Step, rows: list[Row]) -> dict[str, dict[str, fm.Node]]:
    """Put each unit's own parameters into the table of weights, and return their cells by unit."""
    if not isinstance(step, Apply) or not step.parameters:
        return {}
    rows.append(Row(step.out.origin, [None, *step.parameters]))
    own = {}
    for unit, name in enumerate(step.out.parts):
        rows.append(Row(name, [None, *(float(data.data[unit]) for data in step.parameters.values())]))
        own[name] = {
            key: fm.name(_weight(len(rows), place)) for place, key in enumerate(step.parameters, start=1)
        }
    return own


class _Cell(str):
    """The name of a cell, which no name of a unit is taken for."""


def _weight(row: int, place: int) -> _Cell:
    """Return the cell of a weight, behind the labels."""
    return _Cell(f"{WEIGHTS}!${column(1 + place)}${row}")


# ------------------------------------------------------------------------------------------------------- whole layers


def _affine(step: Affine, origin: str, rows: list[Row]) -> Iterator[Unit]:
    """Yield the units of an affine map, their weights in a row each: the bias, then the coefficients of each term."""
    heads = [name for term in step.terms for name in _heads(step, term.arg.parts, term.matrix.data.ndim)]
    rows.append(Row(step.out.origin, ["bias", *heads]))
    for unit, name in enumerate(step.out.parts):
        values: list[float | str | None] = [None if step.offset is None else float(step.offset.data[unit])]
        terms: list[tuple[str, str, str, str]] = []
        for term in step.terms:
            data = term.matrix.data
            column_of = data[:, unit] if data.ndim == 2 else data[unit : unit + 1]
            names = term.arg.parts if data.ndim == 2 else term.arg.parts[unit : unit + 1]
            start = len(values)
            values += column_of.astype(np.float64).tolist()
            first, last = (_weight(len(rows) + 1, place) for place in (start, len(values) - 1))
            if np.any(column_of):
                terms.append((first, last, names[0], names[-1]))
        rows.append(Row(name, values))
        bias = None if step.offset is None else _weight(len(rows), 0)
        yield Unit(name, origin, _weighted(terms, bias))


def _heads(step: Affine, names: Sequence[str], axes: int) -> Sequence[str]:
    return names if axes == 2 else ("its own",)


def _weighted(terms: Sequence[tuple[str, str, str, str]], bias: str | None) -> Callable[[View], str]:
    """Return the formula of a weighted sum: terms are the first and the last weight, the first and the last unit."""

    def formula(view: View) -> str:
        parts = [
            f"{weight}*{view.cell(first)}"
            if weight == other
            else view.dot(f"{weight}:{other.partition('!')[2]}", first, last)
            for weight, other, first, last in terms
        ]
        return " + ".join([*parts, bias] if bias else parts) or "0"

    return formula


# ------------------------------------------------------------------------------------------------------- single cells


def _sum(line: Sum, rows: list[Row]) -> fm.Node:
    """Put the coefficients of a sum into the table of weights, and return it as a formula."""
    offset = None if line.offset is None else float(line.offset[0])
    rows.append(Row("", ["bias", *line.names]))
    rows.append(Row(line.out, [offset, *line.coefficients.astype(np.float64).tolist()]))
    terms = [
        fm.Node("*", (fm.name(_weight(len(rows), place)), fm.name(name)))
        for place, name in enumerate(line.names, start=1)
    ]
    bias = [fm.name(_weight(len(rows), 0))] if offset is not None or not terms else []
    return fm.balanced("+", [*terms, *bias])  # a tree that can be divided where it is long


def _unit(name: str, origin: str, node: fm.Node) -> list[Unit]:
    """Return the cell of a formula, behind cells for parts of it if it is longer than one cell takes."""
    if fits(CELLS.write(node, _Widest()).text):
        return [Unit(name, origin, lambda view: CELLS.write(node, _Within(view)).text)]
    before: list[Unit] = []
    whole = _divided(node, name, origin, before)
    return [*before, *_unit(name, origin, whole)]


def _divided(node: fm.Node, name: str, origin: str, before: list[Unit]) -> fm.Node:
    """Give each argument of a formula a cell of its own; a condition is divided itself."""
    args = []
    for arg in node.args:
        if arg.op in fm.COMPARISONS:
            args.append(_divided(arg, name, origin, before))
        elif arg.args:
            part = f"{name}__{len(before) + 1}"
            before += _unit(part, origin, arg)
            args.append(fm.name(before[-1].name))
        else:
            args.append(arg)
    return fm.Node(node.op, tuple(args), node.value)


class _Widest(Names):
    """Names as the widest cells."""

    def __missing__(self, name: str) -> Text:
        return Text(name if isinstance(name, _Cell) else "$XFD1048576")


class _Within(Names):
    """Names as the cells of a view; what names a cell itself stands for itself."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view

    def __missing__(self, name: str) -> Text:
        return Text(name if isinstance(name, _Cell) else self._view.cell(name))
