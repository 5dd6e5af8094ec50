"""What a user may ask of a text, the same words for every language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LIMIT = 100_000
"""Numbers that a nested or layered text may hold, if nothing else is said."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """Answers that a text can be tested against where it is compiled: y (n, outputs) to x (n, inputs).

    allowed: how far from them each answer may be. by: who gave them, in words.
    """

    x: Array
    y: Array
    allowed: Array
    by: str


@dataclass(frozen=True)
class Options:
    """How a text is to be written; a language refuses the options that mean nothing to it.

    name         of the function (and of the model in a text that names it)
    activations  name: tanh(z); explicit: the formula; symbol: σ or f
    digits       how many significant digits the numbers were rounded to, 0 if they are exact (said in the text)
    standalone   a whole document rather than a fragment (LaTeX)
    numbers      where LaTeX puts the numbers: inline in the equations, as matrices beside symbols, or as a table
    latex_names  LaTeX spellings of the inputs' and outputs' names
    expression   the bare one-line expression instead of a function (Python)
    dtype        in which a text computes, float64 or float32
    recorded     answers that a test in the text compares with (C), or that stand beside it (excel)
    dialect      the engine that SQL is written for, "" for the standard one
    table        the table that has the inputs as columns (SQL), "" for the standing name
    keep         its columns that stand beside the answers (SQL)
    said         the lines of its header, for a file that has no comments (excel)
    """

    name: str = "predict"
    activations: str = "name"
    digits: int = 0
    standalone: bool = False
    numbers: str = "inline"
    latex_names: Mapping[str, str] = field(default_factory=dict)
    expression: bool = False
    dtype: str = "float64"
    recorded: Recorded | None = None
    dialect: str = ""
    table: str = ""
    keep: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    def given(self) -> frozenset[str]:
        """Return the names of the options that differ from their defaults."""
        plain = Options()
        return frozenset(f.name for f in fields(self) if getattr(self, f.name) != getattr(plain, f.name))
