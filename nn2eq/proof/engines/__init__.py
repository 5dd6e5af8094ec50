"""Database engines, each with a table of samples and a query over it. THE table of engines is `ENGINES`.

The module of an engine has `rows(text, columns, data)`: what the query `text` answers, row by row, over the table
`SAMPLES` with these columns, quoted, and these numbers (n, columns); and `start()`, which does what must be done
once in a process, so that `rows` can follow where no file may be opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import BadRequest, Disagreement, text_fails

Array = NDArray[np.float64]
Rows = Sequence[Sequence[Any]]

SAMPLES = "nn2eq_samples"
"""The table that takes the place of the user's, wherever that is."""
_SAID = 200
"""Characters of an engine's complaint that are passed on."""


@dataclass(frozen=True)
class Engine:
    """How an engine is run: the module that does, the package that this takes, whether that runs in this process."""

    module: str
    package: str
    inside: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether the package is there."""
        return find_spec(self.package) is not None

    @property
    def is_at_hand(self) -> bool:
        """Whether it runs in this process, with nothing to start."""
        return self.inside and self.is_installed

    def start(self) -> None:
        """Start it, once in this process. Raises BadRequest if it is not there."""
        self._found.start()

    def rows(self, text: str, columns: Sequence[str], data: Array) -> Rows:
        """Return what a query answers. Raises BadRequest if the engine is not there, Disagreement if it fails."""
        found: Rows = self._found.rows(text, columns, data)
        return found

    @property
    def _found(self) -> ModuleType:
        if not self.is_installed:
            way_out = f"pip install {self.package}, or leave out --run"
            raise BadRequest(f"{self.package} is not installed", code="no-tool", way_out=way_out)
        return import_module(self.module)


ENGINES: Mapping[str, Engine] = {
    "sqlite": Engine("nn2eq.proof.engines.in_sqlite", "sqlite3", inside=True),
    "duckdb": Engine("nn2eq.proof.engines.in_duckdb", "duckdb", inside=True),
    "postgres": Engine("nn2eq.proof.engines.in_postgres", "psycopg"),
    "spark": Engine("nn2eq.proof.engines.in_spark", "pyspark"),
}
"""The engines, by the names of the dialects."""


def failed(error: Exception) -> Disagreement:
    """Return how it is said that an engine refuses a query: its first line."""
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return text_fails(first[:_SAID])
