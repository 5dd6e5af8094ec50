"""Which outputs are differentiated, and by which inputs, where not all are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nn2eq.errors import BadRequest
from nn2eq.forms.program import Constant, Program

Places = tuple[int, ...]


def places(program: Program) -> tuple[Places, Places]:
    """Return the places of the outputs that a program is told to differentiate, and of the inputs by which.

    All of them, if it is told nothing. Raises BadRequest for names that are not there.
    """
    names = {"of": program.predict.results[0].parts, "by": program.inputs}
    of, by = (tuple(_found(key, program.told.get(key, ()), known)) for key, known in names.items())
    return of, by


def _found(key: str, chosen: Sequence[str], known: tuple[str, ...]) -> Iterator[int]:
    for name in chosen or known:
        if name not in known:
            way_out = f"one of {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}"
            raise BadRequest(f"--{key}: no {name!a:.40}", code="not-there", way_out=way_out)
        yield known.index(name)


def selection(name: str, chosen: Places, of: int) -> Constant | None:
    """Return a matrix with a row for each chosen unit, None for all units in order."""
    return None if chosen == tuple(range(of)) else Constant(name, np.eye(of)[list(chosen)])
