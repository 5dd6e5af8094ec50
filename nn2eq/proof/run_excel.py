"""Workbooks, recalculated by LibreOffice: the row of the first case is filled down, its inputs being replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import text_fails
from nn2eq.proof.outside import library
from nn2eq.proof.runners import Answer
from nn2eq.proof.spreadsheet import as_number, opened, recalculated

Array = NDArray[np.float64]
_CASES, _ONE, _ABOUT = "Cases", "One case", "About"
_FIRST = 3
"""The row of the first case; above it stand what columns belong to, and their names."""
_CLOSE = 1e-9
"""How far the two sheets may differ in a unit, relative to max(1, |value|): they sum in another order."""


def run(data: bytes, x: Array, name: str = "") -> Answer:
    """Fill a workbook's row down for x (n, inputs). Raises Disagreement if it has none, or its sheets differ."""
    book = opened(data)
    heads = list(_heads(_sheet(book, _CASES)))
    inputs = [column for column, (group, _) in enumerate(heads, start=1) if group == "inputs"]
    if len(inputs) != x.shape[1]:
        raise text_fails(f"it takes {len(inputs)} numbers")
    _fill_down(book[_CASES], inputs, x)
    _sheet(book, _ONE)["C1"] = len(x)
    answers = recalculated(book)
    last = _FIRST + len(x) - 1
    rows = answers[_CASES].iter_rows(min_row=_FIRST, max_row=last, max_col=len(heads), values_only=True)
    values = np.array([[as_number(value) for value in row] for row in rows])
    _require_same(answers[_ONE], values[-1], heads)
    outputs = [column for column, (group, _) in enumerate(heads) if group == "outputs"]
    if not outputs:
        raise text_fails("it has no outputs")
    return Answer(values[:, outputs], _by_name(heads, values))


def said(data: bytes) -> str:
    """Return the header of a workbook as the comments of a text."""
    book = opened(data)
    if _ABOUT not in book.sheetnames:
        return ""
    column = next(book[_ABOUT].iter_cols(max_col=1, values_only=True), ())
    return "\n".join(f"# {line}" for line in column if line)


def _sheet(book: Any, name: str) -> Any:
    if name not in book.sheetnames:
        raise text_fails(f"it has no sheet {name}")
    return book[name]


def _heads(sheet: Any) -> Iterator[tuple[str, str]]:
    """Yield what each column of a case belongs to, and its name, up to what stands beside the case."""
    group = ""
    for first, second in zip(*sheet.iter_rows(min_row=1, max_row=2, values_only=True), strict=True):
        if group == "outputs" and first:
            return
        group = first or group
        yield group, str(second)


def _fill_down(sheet: Any, inputs: list[int], x: Array) -> None:
    """Copy the formulas of the first case down, and put the samples in its inputs' place."""
    translator = library("openpyxl.formula.translate", "excel").Translator
    formulas = [
        (cell.column, translator(cell.value, origin=cell.coordinate))
        for cell in sheet[_FIRST]
        if cell.data_type == "f"
    ]
    for number, sample in enumerate(x.tolist()):
        for column, formula in formulas if number else ():
            sheet.cell(_FIRST + number, column, formula.translate_formula(row_delta=number, col_delta=0))
        for column, value in zip(inputs, sample, strict=True):
            sheet.cell(_FIRST + number, column, value)


def _require_same(sheet: Any, values: Array, heads: list[tuple[str, str]]) -> None:
    """Raise Disagreement if the sheet of one case has a unit otherwise than the row of that case."""
    for row, (value, (_, name)) in enumerate(zip(values, heads, strict=True), start=_FIRST):
        other = as_number(sheet.cell(row, 3).value)
        if not abs(other - value) <= _CLOSE * max(1.0, abs(value)) and np.isfinite(value + other):
            raise text_fails(f"{name} is {value:.6g} on one sheet and {other:.6g} on the other")
        if np.isfinite(value) != np.isfinite(other):
            raise text_fails(f"{name} is calculated on one sheet alone")


def _by_name(heads: list[tuple[str, str]], values: Array) -> Mapping[str, Array]:
    return {name: values[:, column] for column, (_, name) in enumerate(heads)}
