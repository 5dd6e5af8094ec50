"""SQLite, in this process and in memory; a query can do nothing but read the samples and compute."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

from nn2eq.proof.engines import SAMPLES, Array, Rows, failed

FUNCTIONS = frozenset("abs exp ln log10 max min power sqrt tanh".split())
"""What a query may call."""
_OWN: Mapping[str, Callable[..., float]] = {
    "exp": math.exp, "ln": math.log, "log10": math.log10, "power": math.pow, "sqrt": math.sqrt, "tanh": math.tanh,
}  # fmt: skip
"""What an SQLite may lack that was built without its mathematics."""


def start() -> None:
    """Do nothing: it takes no more than a connection."""


def rows(text: str, columns: Sequence[str], data: Array) -> Rows:
    """Return what a query answers. Raises Disagreement."""
    with closing(sqlite3.connect(":memory:")) as connection:
        _with_mathematics(connection)
        connection.execute(f"CREATE TABLE {SAMPLES} ({', '.join(f'{name} REAL' for name in columns)})")
        connection.executemany(
            f"INSERT INTO {SAMPLES} VALUES ({', '.join('?' * len(columns))})", data.tolist()
        )
        connection.set_authorizer(_allowed)
        try:
            return connection.execute(text).fetchall()
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise failed(error) from None


def _with_mathematics(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("SELECT tanh(0.5)")
    except sqlite3.OperationalError:
        for name, function in _OWN.items():
            connection.create_function(name, 2 if name == "power" else 1, function, deterministic=True)


def _allowed(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Let a query select, read the samples, and call the functions of formulas, and nothing else."""
    match action:
        case sqlite3.SQLITE_SELECT:
            return sqlite3.SQLITE_OK
        case sqlite3.SQLITE_READ if first == SAMPLES:
            return sqlite3.SQLITE_OK
        case sqlite3.SQLITE_FUNCTION if (second or "").lower() in FUNCTIONS:
            return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
