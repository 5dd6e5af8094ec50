"""Formulas of single cells, calculated by LibreOffice, copied down a sheet for all samples."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import text_fails
from nn2eq.proof.outside import library
from nn2eq.proof.runners import Answer
from nn2eq.proof.spreadsheet import as_number, recalculated

Array = NDArray[np.float64]
_SAID = re.compile(r"^' .* of (\$?[A-Z]+\$?\d+(?:, \$?[A-Z]+\$?\d+)*)$", re.MULTILINE)
_CELL = re.compile(r"([A-Z]+)(\d+)")


def run(text: str, x: Array, name: str = "") -> Answer:
    """Calculate a text's formulas at x (n, inputs). Raises Disagreement if there are none, or one fails."""
    said = _SAID.search(text)
    formulas = [line.replace("$", "") for line in text.splitlines() if line.startswith("=")]
    if said is None or not formulas:
        raise text_fails("it is not a formula of named cells")
    cells = [(column, int(row)) for column, row in _CELL.findall(said[1].replace("$", ""))]
    if len(cells) != x.shape[1]:
        raise text_fails(f"it takes {len(cells)} numbers")
    return Answer(_calculated(formulas, cells, x))


def _calculated(formulas: Sequence[str], cells: Sequence[tuple[str, int]], x: Array) -> Array:
    """Copy the formulas and their inputs down the sheet, each sample as far below the last as it is high."""
    translator = library("openpyxl.formula.translate", "excel").Translator
    book = library("openpyxl", "excel").Workbook()
    first = min(row for _, row in cells)
    height = max(len(formulas), max(row for _, row in cells) - first + 1)
    free = next(column for column in ("ZX", "ZY", "ZZ") if column not in {column for column, _ in cells})
    translators = [translator(formula, origin="A1") for formula in formulas]
    for number, values in enumerate(x.tolist()):
        down = 1 - first + number * height
        for (column, row), value in zip(cells, values, strict=True):
            book.active[f"{column}{row + down}"] = value
        for place, formula in enumerate(translators, start=1 + number * height):
            moved = formula.translate_formula(row_delta=down, col_delta=0)
            book.active[f"{free}{place}"] = moved
    sheet = recalculated(book).active
    places = ([1 + number * height + place for place in range(len(formulas))] for number in range(len(x)))
    return np.array([[as_number(sheet[f"{free}{place}"].value) for place in row] for row in places])
