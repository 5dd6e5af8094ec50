"""A missing input has a missing answer: engines compare NULL, and take the greatest of it, each in its own way."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from activation_laws import name
from latex_networks import around, dense
from text_networks import EVERYWHERE

from nn2eq import deciding
from nn2eq.activations import Activation
from nn2eq.emit import emit
from nn2eq.emit.options import Options
from nn2eq.forms.straight import layered
from nn2eq.network import Network


def answers(network: Network, dialect: str) -> list[tuple[float | None, ...]]:
    """Return what a query answers to a missing input, and to another."""
    duckdb = pytest.importorskip("duckdb")
    text = emit(layered(network), "sql", Options(dialect=dialect, table="t", keep=("id",)))
    with closing(sqlite3.connect(":memory:") if dialect == "sqlite" else duckdb.connect()) as connection:
        connection.execute("CREATE TABLE t (id INTEGER, x1 DOUBLE PRECISION, x2 DOUBLE PRECISION)")
        connection.execute("INSERT INTO t VALUES (1, 0.5, NULL), (2, 0.5, 0.25)")
        return sorted(connection.execute(text.rstrip().rstrip(";")).fetchall())


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb", "postgres"])  # DuckDB reads PostgreSQL's
@pytest.mark.parametrize("chosen", EVERYWHERE, ids=name)
def test_a_missing_input_has_no_answer(chosen: Activation, dialect: str) -> None:
    missing, present = answers(around(chosen, 2), dialect)
    assert set(missing[1:]) == {None}
    assert None not in present


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb", "postgres"])
def test_a_missing_input_is_of_no_class(dialect: str) -> None:
    network = deciding(dense(2, 2, 1, last="sigmoid"), 0.5)
    missing, present = answers(network, dialect)
    assert missing == (1, None)
    assert present[1] in (0.0, 1.0)
