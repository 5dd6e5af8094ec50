"""A table of data, `--data FILE.csv`: the rows to check on, by the names of its columns."""

from __future__ import annotations

import csv
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import BadRequest

ROWS_LIMIT = 1_000_000
"""Rows that a data file may have."""


def read_columns(path: str, names: Sequence[str]) -> NDArray[np.float64]:
    """Read the named columns of a CSV file: (rows, names), in the order of the names.

    A file with exactly one column a name may call them otherwise: then the order counts. Raises BadRequest.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file)
            header = [cell.strip() for cell in next(rows, [])]
            columns = _columns(path, header, names)
            found = [_numbers(path, row, columns, rows.line_num) for row in rows if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = (isinstance(error, OSError) and error.strerror) or f"{error}"
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else reason
        raise _bad(path, reason, "give a CSV file whose first line names the columns") from None
    if not found:
        raise _bad(path, "no rows of numbers", "give a CSV file whose first line names the columns")
    return np.array(found, dtype=np.float64)


def _columns(path: str, header: Sequence[str], names: Sequence[str]) -> list[int]:
    if all(header.count(name) == 1 for name in names):
        return [header.index(name) for name in names]
    if len(header) == len(names) and not any(_is_number(cell) for cell in header):
        return list(range(len(names)))
    missing = ", ".join([name for name in names if header.count(name) != 1][:5])
    raise _bad(
        path,
        f"no single column for {missing}",
        f"its columns are {', '.join(header[:8])}; name the inputs with --inputs",
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(path: str, row: Sequence[str], columns: Sequence[int], line: int) -> list[float]:
    try:
        numbers = [float(row[column]) for column in columns]
    except (IndexError, ValueError):
        raise _bad(
            path, f"line {line} has a column that is missing or not a number", "correct or remove the line"
        ) from None
    if not all(np.isfinite(numbers)):
        raise _bad(path, f"line {line} has a number that is not finite", "correct or remove the line")
    if line > ROWS_LIMIT:
        raise _bad(path, f"more than {ROWS_LIMIT:,} rows", "give a sample of them")
    return numbers


def _bad(path: str, what: str, way_out: str) -> BadRequest:
    return BadRequest(f"--data: {what}", code="data", way_out=way_out, file=path)
