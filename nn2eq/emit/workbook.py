"""Excel: a workbook with live formulas. A row for each case, one case unit by unit, the weights, and what was checked.

Names are words in cells, never part of a formula; formulas speak of cells alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from nn2eq.emit import Emitter
from nn2eq.emit.cells import WEIGHTS, Across, Cells, Down, cells_of
from nn2eq.emit.excel_formulas import column, require_known, spelling_of
from nn2eq.emit.header import escaped
from nn2eq.emit.options import Array, Options, Recorded
from nn2eq.errors import BadRequest, TooLarge
from nn2eq.forms.program import Program

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

CASES, ONE, ABOUT = "Cases", "One case", "About"
"""The sheets beside that of the weights."""
HEAD = 2
"""Rows above the cases: what the columns belong to, and their names."""
ROWS, COLUMNS = 1_048_576, 16_384
"""What a sheet holds."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a text may begin with that other programs would take for a formula."""
_ROW = "{row}"
"""Stands for the number of a row in a formula that is filled down."""
_SAID = (
    "",
    f"{CASES}: a row for each case. Copy its last row further down, and put other inputs in.",
    f"{ONE}: the case whose number stands in C1, unit by unit. Its inputs may be typed over.",
    f"{WEIGHTS}: a row for each unit: the bias, then a coefficient for each unit that it takes.",
    "A spreadsheet compares to 15 digits: closer than that to a jump it may take the other side.",
)  # fmt: skip


class Exact(float):
    """A number that is written with all its digits: XlsxWriter writes 16, and 17 are needed."""

    def __format__(self, spec: str) -> str:
        """Return the shortest decimal that reads back as the same number."""
        return repr(float(self))


def write(program: Program, options: Options) -> bytes:
    """Write a Program as a workbook. Raises TooLarge, CannotEmit for what a sheet does not hold."""
    program = program.merged()
    cells = cells_of(program)
    recorded = options.recorded or _nothing_recorded(program)
    _require_room(program, cells, recorded)
    data = io.BytesIO()
    book = _workbook()(data, {"in_memory": True})
    book.set_properties({"created": datetime(1980, 1, 1), "title": cell_text(program.model)})
    bold = book.add_format({"bold": True})
    sheets = {name: book.add_worksheet(name) for name in (CASES, ONE, WEIGHTS, ABOUT)}
    _cases(sheets[CASES], program, cells, recorded, bold)
    _one_case(sheets[ONE], program, cells, bold)
    _weights(sheets[WEIGHTS], cells, bold)
    for row, line in enumerate((*options.said, *_SAID)):
        sheets[ABOUT].write_string(row, 0, line)
    book.close()
    return data.getvalue()


def _workbook() -> Any:
    try:
        from xlsxwriter import Workbook
    except ImportError:
        way_out = "pip install 'nn2eq[excel]'"
        raise BadRequest("a workbook takes XlsxWriter", code="no-tool", way_out=way_out) from None
    return Workbook


def _nothing_recorded(program: Program) -> Recorded:
    """Return one case without answers, for a workbook that is given none: the middle of the domain, or ones."""
    nothing, box = np.zeros((1, 0)), program.domain or [(1.0, 1.0)] * len(program.inputs)
    return Recorded(np.array(box, dtype=np.float64).mean(axis=1)[None, :], nothing, nothing, "")


def _require_room(program: Program, cells: Cells, recorded: Recorded) -> None:
    weights = max((1 + len(row.values) for row in cells.weights), default=0)
    wide = max(len(cells.units) + 3 * len(program.outputs), weights)
    high = max(len(cells.weights), len(recorded.x) + HEAD, len(cells.units) + HEAD)
    if wide > COLUMNS or high > ROWS:
        what = f"the workbook would have {wide:,} columns and {high:,} rows, and a sheet has {COLUMNS:,} and {ROWS:,}"
        raise TooLarge(what, code="too-large", way_out="use --format sql or numpy")


def cell_text(text: str) -> str:
    """Return a name as a cell's text: printable, and by no program taken for a formula."""
    shown = "".join(sign if sign.isprintable() else escaped(sign) for sign in text[:1000])
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


# ---------------------------------------------------------------------------------------------------------- the sheets


def _cases(sheet: Worksheet, program: Program, cells: Cells, recorded: Recorded, bold: Any) -> None:
    """Write a row for each case: inputs, units, outputs, and beside them the recorded answers."""
    places, values = cells.places, program.values(recorded.x)
    known = {
        name: array[:, place] for value, array in _named(program, values) for place, name in enumerate(value)
    }
    heads = [(unit.origin, unit.name) for unit in cells.units]
    if recorded.y.size:
        heads += [(f"answers of {recorded.by}", name) for name in program.outputs]
        heads += [("difference", name) for name in program.outputs]
        heads += [("allowed", name) for name in program.outputs]
    for place, (group, name) in enumerate(heads):
        if not place or heads[place - 1][0] != group:
            sheet.write_string(0, place, cell_text(group), bold)
        sheet.write_string(1, place, cell_text(name), bold)
    formulas = {unit.name: unit.formula(Across(places, _ROW)) for unit in cells.units if unit.formula}
    for number in range(len(recorded.x)):
        row = number + HEAD
        for name, place in places.items():
            shown = float(known[name][number]) if name in known else None
            if name in formulas:
                _formula(sheet, row, place, formulas[name].replace(_ROW, str(row + 1)), shown)
            elif shown is not None:
                _number(sheet, row, place, shown)
        _answers(sheet, row, program, places, recorded, number)
    sheet.freeze_panes(HEAD, len(program.inputs))


def _named(program: Program, values: Mapping[str, Array]) -> Iterator[tuple[tuple[str, ...], Array]]:
    """Yield the names of each value's units, and what they are in each case."""
    function = program.predict
    for value in (*function.arguments, *(step.out for step in function.steps)):
        yield value.parts, values[value.name]


def _answers(
    sheet: Worksheet, row: int, program: Program, places: Mapping[str, int], recorded: Recorded, number: int
) -> None:
    """Write the recorded answers to a case, how far they are from the formulas', and how far they may be."""
    if not recorded.y.size:
        return
    first, count = len(places), len(program.outputs)
    for k, name in enumerate(program.outputs):
        place, answer = column(places[name]), recorded.y[number, k]
        _number(sheet, row, first + k, float(answer))
        formula = f"=ABS({place}{row + 1} - {column(first + k)}{row + 1})"
        sheet.write_formula(row, first + count + k, formula, value="")
        _number(sheet, row, first + 2 * count + k, float(recorded.allowed[number, k]))


def _one_case(sheet: Worksheet, program: Program, cells: Cells, bold: Any) -> None:
    """Write one case from top to bottom: what each unit is, and its value."""
    places = cells.places
    sheet.write_string(0, 0, "case", bold)
    sheet.write_number(0, 2, 1)
    for place, head in enumerate(("unit", "of", "value")):
        sheet.write_string(1, place, head, bold)
    for unit in cells.units:
        row = HEAD + places[unit.name]
        sheet.write_string(row, 0, cell_text(unit.name))
        sheet.write_string(row, 1, cell_text(unit.origin))
        if unit.formula is None:
            letter = column(places[unit.name])
            sheet.write_formula(row, 2, f"=INDEX({CASES}!${letter}:${letter}, $C$1 + {HEAD})", value="")
        else:
            _formula(sheet, row, 2, unit.formula(Down(places, "$C$", HEAD + 1)), None)
    sheet.set_column(0, 1, 16)
    sheet.freeze_panes(HEAD, 0)


def _formula(sheet: Worksheet, row: int, place: int, formula: str, shown: float | None) -> None:
    """Write a formula; shown: its value until it is calculated."""
    value: Any = "" if shown is None else Exact(shown) if np.isfinite(shown) else "#NUM!"
    sheet.write_formula(row, place, f"={formula}", value=value)


def _weights(sheet: Worksheet, cells: Cells, bold: Any) -> None:
    for row, line in enumerate(cells.weights):
        is_head = any(isinstance(value, str) for value in line.values)
        sheet.write_string(row, 0, cell_text(line.label), bold if is_head else None)
        for place, value in enumerate(line.values, start=1):
            if isinstance(value, str):
                sheet.write_string(row, place, cell_text(value), bold)
            elif value is not None:
                _number(sheet, row, place, value)
    sheet.freeze_panes(0, 1)


def _number(sheet: Worksheet, row: int, place: int, value: float) -> None:
    require_known(value)
    sheet.write_number(row, place, Exact(value))


EMITTER = Emitter(
    name="excel",
    suffix=".xlsx",
    comment="#",
    layouts=("layered",),
    default="layered",
    write=write,
    spelling=spelling_of,
    options=frozenset({"digits", "recorded", "said"}),
    external=True,
    binary=True,
    derivatives=("layered",),
    merged=True,
)
