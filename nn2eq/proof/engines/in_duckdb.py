"""DuckDB, in this process and in memory; a query can read nothing but the samples."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import duckdb

from nn2eq.errors import text_fails
from nn2eq.proof.engines import SAMPLES, Array, Rows, failed

CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "threads": "1",
    "lock_configuration": "true",
}
"""No file, no network, no extension, no variable of Python's, and no way to change that."""


@cache
def start() -> duckdb.DuckDBPyConnection:
    """Start the engine, once in this process: it opens files as it starts, which a limited child cannot."""
    return duckdb.connect(":memory:", config=CLOSED)


def rows(text: str, columns: Sequence[str], data: Array) -> Rows:
    """Return what a query answers. Raises Disagreement."""
    connection = start()
    typed = ", ".join(f"{name} DOUBLE" for name in columns)
    connection.execute(f"CREATE OR REPLACE TABLE {SAMPLES} ({typed})")
    if len(data):
        places = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {SAMPLES} VALUES ({places})", data.tolist())
    try:
        statements = connection.extract_statements(text)
        if [one.type for one in statements] != [duckdb.StatementType.SELECT]:
            raise text_fails("it is not one query")
        return connection.execute(statements[0]).fetchall()
    except duckdb.Error as error:
        raise failed(error) from None
