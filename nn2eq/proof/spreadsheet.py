"""Workbooks recalculated by LibreOffice, in a folder and with a profile of their own."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from nn2eq.errors import Disagreement, text_fails
from nn2eq.proof.outside import done, library

_CONVERT = ("--headless", "--norestore", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", "answers")


def opened(data: bytes, *, answers: bool = False) -> Any:
    """Open a workbook: its formulas, or the answers that stand in it. Raises Disagreement if it is none."""
    openpyxl = library("openpyxl", "excel")
    try:
        return openpyxl.load_workbook(io.BytesIO(data), data_only=answers)
    except Exception as error:  # zip, XML and openpyxl each have errors of their own
        what = f"the workbook cannot be read: {type(error).__name__}: {error!s:.100}"
        raise Disagreement(what, code="text-fails") from None


def recalculated(book: Any) -> Any:
    """Return a workbook with the answers of its formulas, none of which it had.

    Raises BadRequest if LibreOffice is not installed, Disagreement if it does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="nn2eq-") as folder:
        place = Path(folder)
        book.save(place / "book.xlsx")
        profile = f"-env:UserInstallation={(place / 'profile').as_uri()}"
        done(["soffice", profile, *_CONVERT, "book.xlsx"], place)
        found = place / "answers" / "book.xlsx"
        if not found.is_file():
            raise text_fails("LibreOffice wrote no answers")
        return opened(found.read_bytes(), answers=True)


def as_number(value: Any) -> float:
    """Return what a cell answers: NaN for an error, or for nothing."""
    return float(value) if isinstance(value, int | float) else float("nan")
