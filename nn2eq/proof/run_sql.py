"""Queries, run by the engine that they are written for over a table that holds the samples."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.sql.others import OTHERS, READ_BACK, read_back
from nn2eq.errors import BadRequest, Disagreement, text_fails
from nn2eq.proof.engines import ENGINES, SAMPLES, Rows
from nn2eq.proof.runners import Answer

Array = NDArray[np.float64]

_DIALECT = re.compile(r"^-- (\w+): .* for each row of ", re.MULTILINE)
_QUOTED = r"""("(?:[^"]|"")+"|`(?:[^`]|``)+`)"""
_INPUT = re.compile(rf"^\s*CAST\({_QUOTED} AS [A-Z ]+\)[-+ e\d]* AS x\d*,?$", re.MULTILINE)
_KEPT = re.compile(rf"^\s*{_QUOTED} AS keep\d+,?$", re.MULTILINE)
_TABLE = re.compile(rf"^\s*FROM ((?:\w+\.)?{_QUOTED}(?:\.{_QUOTED})*)$", re.MULTILINE)


@dataclass(frozen=True)
class Query:
    """A query over `SAMPLES`, and what columns that must have, quoted: the inputs in order, and those that are kept.

    dialect: that the text was in; engine: that runs it.
    """

    dialect: str
    engine: str
    text: str
    inputs: tuple[str, ...]
    kept: tuple[str, ...]


def run(text: str, x: Array, name: str = "") -> Answer:
    """Run a query at x (n, inputs). Raises BadRequest if its engine is not there, Disagreement if it fails."""
    query = understood(text)
    if len(query.inputs) != x.shape[1]:
        raise Disagreement(
            f"the query reads {len(query.inputs)} inputs, and there are {x.shape[1]}", code="text-fails"
        )
    numbers = np.tile(np.arange(len(x), dtype=np.float64)[:, None], len(query.kept))
    columns, table = (*query.inputs, *query.kept), np.concatenate([x, numbers], axis=1)
    rows = ENGINES[query.engine].rows(query.text, columns, table)
    by = (
        query.engine
        if query.dialect == query.engine
        else f"{query.engine}, read back by sqlglot from {query.dialect}"
    )
    return Answer(_answers(rows, len(query.kept), len(x)), by=by)


def understood(text: str) -> Query:
    """Find in one of our queries what it reads. Raises BadRequest if it is none."""
    dialect, engine = _engine(text)
    query = text if dialect == engine else read_back(text, dialect)
    table, inputs = _TABLE.search(query), tuple(match[1] for match in _INPUT.finditer(query))
    if table is None or not inputs:
        raise _not_ours()
    moved = query[: table.start(1)] + SAMPLES + query[table.end(1) :]
    return Query(dialect, engine, moved, inputs, tuple(match[1] for match in _KEPT.finditer(query)))


def _engine(text: str) -> tuple[str, str]:
    """Return the dialect of a query, and the engine that runs it."""
    said = _DIALECT.search(text)
    if said is None or said[1] not in (*ENGINES, *OTHERS):
        raise _not_ours()
    return said[1], READ_BACK if said[1] in OTHERS else said[1]


def _not_ours() -> BadRequest:
    what = "the query is not built as those of nn2eq are"
    return BadRequest(
        what, code="text-unknown", way_out="run it yourself, and compare the answers with --data"
    )


def prepare(text: str) -> None:
    """Start what runs a query, and import what reads it, before the limits of a child hold."""
    ENGINES[understood(text).engine].start()


def at_hand(text: str) -> bool:
    """Whether a query can be run in this process, with nothing to start."""
    return ENGINES[_engine(text)[1]].is_at_hand


def _answers(rows: Rows, kept: int, samples: int) -> Array:
    """Return the outputs (n, outputs), in the order of the samples; NULL is no number."""
    try:
        found = np.array(rows, dtype=object).astype(np.float64).reshape(len(rows), -1)
    except (TypeError, ValueError):
        raise text_fails("it answers with something that is not a number") from None
    if len(found) != samples or found.shape[1] <= kept:
        raise text_fails(f"it gives {len(rows)} rows for {samples} samples")
    return found[:, kept:]
