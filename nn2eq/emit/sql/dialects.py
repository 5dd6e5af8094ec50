"""What is particular about a database engine. THE table of dialects is `DIALECTS`; a new engine fills in a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.emit.code.helpers import ERF, EXPM1, LARGER, LOG1P, SMALLER, Helper
from nn2eq.emit.printing import Infix, decimals
from nn2eq.emit.python_functions import LARGEST_EXPONENT
from nn2eq.emit.sharing import is_at_most_zero

Rewriting = Callable[..., fm.Node]
"""What stands for an operation: a formula of its operands."""
Numbers = Callable[[NDArray[Any]], list[str]]
"""How the numbers of a vector (n,) are written, so that they read back to the last bit."""

FUNCTIONS = {
    **{name: f"{name}({{0}})" for name in ("exp", "log10", "tanh", "sqrt", "abs")},
    "log": "ln({0})", "max": "greatest({0}, {1})", "min": "least({0}, {1})",
    "where": "CASE WHEN {0} THEN {1} ELSE {2} END",
}  # fmt: skip
"""Functions as most engines have them; few have log1p, expm1 or erf."""


@dataclass(frozen=True)
class Dialect:
    """How an engine writes queries.

    name        as on the command line
    types       what columns are computed in: the engine's word for each of our dtypes that it may be told
    numbers     how it writes numbers, by dtype
    functions   templates for the primitives of formulas; single: others in float32
    rewritten   primitives that it lacks, or is better off without, as formulas over the others
    by_unit     those rewritten only where they are of one unit, not where they run over a group
    taken       how a column {0} is taken as a number of the type {1}
    quote       the mark around a name of a user's, doubled within it
    opening     what stands in front of a table expression's bracket
    fence       what ends a table expression so that it is computed once a row. Otherwise some engines put its formulas
                wherever they are named, which multiplies from layer to layer
    columns     how many a row may have; deepest: brackets within brackets
    caseless    whether T and t are one column
    files       what a table is called that is a file, by its ending: {0} is the quoted name
    """

    name: str
    types: Mapping[str, str]
    numbers: Mapping[str, Numbers]
    functions: Mapping[str, str] = field(default_factory=lambda: FUNCTIONS)
    single: Mapping[str, str] = field(default_factory=dict)
    rewritten: Mapping[str, Rewriting] = field(default_factory=dict)
    by_unit: Mapping[str, Rewriting] = field(default_factory=dict)
    taken: str = "CAST({0} AS {1})"
    quote: str = '"'
    opening: str = ""
    fence: str = ""
    columns: int = 10_000
    deepest: int = 200
    caseless: bool = True
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def lacking(self) -> Mapping[str, Rewriting]:
        """What is rewritten where a formula is of one unit."""
        return {**self.rewritten, **self.by_unit}

    def quoted(self, name: str) -> str:
        """Write a name of a user's."""
        return self.quote + name.replace(self.quote, 2 * self.quote) + self.quote

    def table(self, name: str) -> str:
        """Write the name of a table, which may stand in a schema, or be a file."""
        for ending, template in self.files.items():
            if name.lower().endswith(ending):
                return template.format(self.quoted(name))
        return ".".join(map(self.quoted, name.split(".")))

    def infix(self, dtype: str) -> Infix:
        """Return how it writes formulas."""
        write = self.numbers[dtype]
        functions = {**self.functions, **(self.single if dtype == "float32" else {})}
        return Infix(
            functions, number=lambda value: write(np.array([value]))[0], power="power({0}, {1})",
            operators={"==": "="},
        )  # fmt: skip


def by(helper: Helper) -> Rewriting:
    """Return the rewriting that a helper's formula says."""
    body = fm.parse(helper.formula)
    return lambda *args: fm.substitute(body, dict(zip(helper.arguments, args, strict=True)))


_LACKING: Mapping[str, Rewriting] = {"log1p": by(LOG1P), "expm1": by(EXPM1), "erf": by(ERF)}


def doubles(template: Callable[[str], str]) -> Numbers:
    """Return how float64 numbers are written, of the shortest decimal of each."""
    return lambda data: [template(text) for text in decimals(data, wide=True)]


def singles(template: Callable[[str], str]) -> Numbers:
    """Return how float32 numbers are written, of the shortest decimal of each."""
    return lambda data: [template(text) for text in decimals(data.astype(np.float32))]


def with_exponent(text: str) -> str:
    """Return a decimal with an exponent: without one it is of a decimal type, and rounded twice to become a float."""
    return text if "e" in text else f"{text}e0"


CERTAIN = 15
"""Significant digits that SQLite promises to keep."""


def for_sqlite(data: NDArray[Any]) -> list[str]:
    """Write numbers for SQLite, which may read a decimal a little off, as it rounds twice.

    What takes more than 15 digits is written with 18: so close to the number that a little more is nothing.
    """
    found = []
    for text, value in zip(decimals(data, wide=True), data.astype(np.float64).tolist(), strict=True):
        digits = len(text.split("e")[0].lstrip("-0.").replace(".", ""))
        close = text if digits <= CERTAIN else f"{value:.18g}"
        found.append(close if set(close) & set(".en") else f"{close}.0")
    return found


UNDERFLOW = -230.0
"""Where exponentials are 0 for PostgreSQL, to which a product that underflows is an error: the cube of more is none."""


def guarded(arg: fm.Node) -> fm.Node:
    """Return exp(arg), infinite or 0 where PostgreSQL would fail: of an infinite number it is, without an error."""
    inner = arg
    if not is_at_most_zero(arg):
        over = fm.Node(">", (arg, fm.number(LARGEST_EXPONENT)))
        inner = fm.Node("where", (over, fm.number(math.inf), arg))
    under = fm.Node("<", (arg, fm.number(UNDERFLOW)))
    return fm.Node("exp", (fm.Node("where", (under, fm.number(-math.inf), inner)),))


BESIDE = 1e-60
"""What is nothing beside a number, and taken away again leaves 0, or a number whose fourth power does not underflow."""


def square_of_no_small(left: fm.Node, right: fm.Node) -> fm.Node:
    """Return a product that is no error to PostgreSQL where a number times itself underflows."""
    if left != right:
        return fm.Node("*", (left, right))
    beside = fm.number(BESIDE)
    kept = fm.Node("-", (fm.Node("+", (left, beside)), beside))
    return fm.Node("*", (kept, kept))


def for_postgres(data: NDArray[Any]) -> list[str]:
    """Write numbers for PostgreSQL, where a decimal is exact until it meets a float."""
    finite = decimals(np.where(np.isfinite(data), data, 0), wide=True)
    return [
        text if math.isfinite(value) else f"'{'-' * (value < 0)}Infinity'::double precision"
        for text, value in zip(finite, data.tolist(), strict=True)
    ]


DIALECTS: Mapping[str, Dialect] = {
    row.name: row
    for row in (
        Dialect(
            "sqlite",
            types={"float64": "REAL"},
            numbers={"float64": for_sqlite},
            functions={**FUNCTIONS, "max": "max({0}, {1})", "min": "min({0}, {1})"},
            rewritten=_LACKING,
            fence="LIMIT -1 OFFSET 0",
            columns=2_000,
            deepest=10,
        ),
        Dialect(
            "duckdb",
            types={"float64": "DOUBLE", "float32": "FLOAT"},
            numbers={
                "float64": doubles(with_exponent),
                "float32": singles(lambda text: f"{with_exponent(text)}::FLOAT"),
            },
            single={"tanh": "(1e0 - 2e0/(exp(2e0*({0})) + 1e0))"},  # in float64, and three times as fast
            rewritten=_LACKING,
            by_unit={"max": by(LARGER), "min": by(SMALLER)},  # twenty times as fast
            opening="NOT MATERIALIZED ",
            files=dict.fromkeys((".parquet", ".csv", ".json"), "{0}"),
        ),
        Dialect(
            "postgres",
            types={"float64": "DOUBLE PRECISION"},
            numbers={"float64": for_postgres},
            rewritten={**_LACKING, "exp": guarded, "*": square_of_no_small},
            taken=f"CAST({{0}} AS {{1}}) + {BESIDE!r} - {BESIDE!r}",
            fence="OFFSET 0",
            columns=1_600,
            caseless=False,
        ),
        Dialect(
            "spark",
            types={"float64": "DOUBLE", "float32": "FLOAT"},
            numbers={"float64": doubles("{0}D".format), "float32": singles("{0}F".format)},
            functions={**FUNCTIONS, "log1p": "log1p({0})", "expm1": "expm1({0})"},
            rewritten={"erf": by(ERF)},
            quote="`",
            files={ending: f"{ending[1:]}.{{0}}" for ending in (".parquet", ".orc", ".json")},
        ),
    )
}
