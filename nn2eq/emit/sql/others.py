"""Engines that are not run here: a plain query, translated by sqlglot.

`OTHERS` are those whose translation, read back by sqlglot, answers as the network does: the tests hold that for every
activation. The plain query has nothing but arithmetic, comparisons, CASE, and functions that all of them have.
"""

from __future__ import annotations

from dataclasses import replace

from nn2eq.emit.code.helpers import Helper
from nn2eq.emit.sql.dialects import DIALECTS, Dialect, by, doubles, with_exponent
from nn2eq.errors import BadRequest, CannotEmit, one_of

OTHERS = ("bigquery", "clickhouse", "databricks", "mysql", "oracle", "redshift", "snowflake", "trino")
READ_BACK = "duckdb"
"""The dialect that a query is translated from, and back into."""
_SMALL = "z / (1 + z * z / (3 + z * z / (5 + z * z / (7 + z * z / (9 + z * z / 11)))))"
TANH = Helper(
    "tanh",
    ("z",),
    f"where(abs(z) < 0.25, {_SMALL}, 1 - 2 / (exp(2 * min(z, 300)) + 1))",
    "Lambert's fraction where the difference from 1 would lose digits",
)
LOG10 = Helper("log10", ("z",), "log(z) / log(10)")
_PLAIN = replace(
    DIALECTS[READ_BACK],
    types={"float64": "DOUBLE"},
    numbers={"float64": doubles(with_exponent)},
    rewritten={**DIALECTS[READ_BACK].rewritten, "tanh": by(TANH), "log10": by(LOG10)},
    opening="",
    files={},
    columns=1_000,
)


def engine(name: str) -> Dialect:
    """Return the dialect that an engine's query is written in, before it is translated for those that are not run here.

    Raises CannotEmit for an engine that is not known.
    """
    if name not in (*DIALECTS, *OTHERS):
        way_out = one_of(name, (*DIALECTS, *OTHERS))
        raise CannotEmit(f"unknown SQL dialect {name!a:.40}", code="unknown-dialect", way_out=way_out)
    return DIALECTS[name] if name in DIALECTS else replace(_PLAIN, name=name)


def translated(query: str, name: str) -> str:
    """Translate a plain query. Raises CannotEmit where it cannot be said, BadRequest without sqlglot."""
    return _through(query, READ_BACK, name)


def read_back(query: str, name: str) -> str:
    """Translate a query into the dialect that it came from. Raises CannotEmit, BadRequest without sqlglot."""
    return _through(query, name, READ_BACK)


def _through(query: str, read: str, write: str) -> str:
    try:
        from sqlglot import ErrorLevel, exp, parse_one
        from sqlglot.errors import SqlglotError
    except ImportError:
        way_out = "pip install sqlglot"
        raise BadRequest(
            "sqlglot, which translates it, is not installed", code="no-tool", way_out=way_out
        ) from None
    try:
        tree = parse_one(query, read=read)
        unknown = sorted({call.name for call in tree.find_all(exp.Anonymous)})
        if not unknown:
            return str(tree.sql(write, pretty=True, unsupported_level=ErrorLevel.RAISE))
        what = f"no {', '.join(unknown)} is known"
    except (SqlglotError, RecursionError) as error:
        what = str(error).strip()[:100]
    raise CannotEmit(f"{read} is not translated into {write}: {what!a}", code="not-translated")
