"""The numbers of a text as tables: how arrays of constants are laid out in lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.code.dialect import Lines
from nn2eq.emit.printing import array_text
from nn2eq.forms.program import Constant

SHORTEST, LONGEST = 75, 100
"""Characters of a line of numbers."""


@dataclass(frozen=True)
class Tables:
    """How a language declares an array of numbers and writes them.

    vector, matrix: the opening line, of {name} {type} and {rows} {columns}, or {size} of a vector. row: one row
    of numbers {0} of a matrix; closing: the last line. types, suffixes: of a number, by its dtype, float32 first.
    """

    vector: str
    matrix: str
    closing: str
    types: tuple[str, str]
    row: str = "{0},"
    suffixes: tuple[str, str] = ("", "")
    single: bool = False

    def __call__(self, constants: list[Constant]) -> Lines:
        """Write arrays one below the other."""
        return [line for constant in constants for line in self.lines(constant)]

    def lines(self, constant: Constant) -> Lines:
        """Write one array, each row of it on lines of its own."""
        data = constant.data.astype(np.float32) if self.single else constant.data
        which = 0 if data.dtype == np.float32 else 1
        fields = {"name": constant.name, "type": self.types[which], "size": data.size}
        fields |= {"rows": data.shape[0], "columns": data.shape[-1]}
        opening, row = (self.vector, "{0},") if data.ndim == 1 else (self.matrix, self.row)
        texts = [row.format(text) for text in rows(data, self.suffixes[which])]
        if data.shape[-1] == 1:
            texts = [" ".join(texts)]
        lines: Lines = [line for text in texts for line in broken(text)]
        return [opening.format(**fields), lines, self.closing]


def rows(data: NDArray[Any], suffix: str = "") -> list[str]:
    """Return each row of a matrix, or a vector's one, as numbers separated by commas, the shortest in its dtype."""
    inner = array_text(data if data.ndim == 2 else data[None, :])[2:-2]
    return [text.replace(",", f"{suffix}, ") + suffix for text in inner.split("],[")]


def broken(row: str) -> list[str]:
    """Break a long row of numbers behind its commas."""
    lines, start = [], 0
    while len(row) - start > LONGEST:
        comma = row.find(",", start + SHORTEST)
        if comma < 0 or comma == len(row) - 1:
            break
        lines.append(row[start : comma + 1])
        start = comma + 2
    return [*lines, row[start:]]
