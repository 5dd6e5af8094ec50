"""How one text in symbols is laid out: its notation, and what is usual there unless the user says otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nn2eq.emit.latex.names import Symbols
from nn2eq.emit.latex.symbolic.links import links
from nn2eq.emit.latex.symbolic.naming import Naming
from nn2eq.emit.latex.symbolic.notations import NOTATIONS
from nn2eq.forms.program import Program

NOTATION: Mapping[str, str] = {"symbolic": "edges"}
"""The notation of a form, if none is asked for; of the others it is nn2eq's own, layers."""
VIEWS: Mapping[str, str] = {"nested": "nested", "layered": "scalar", "matrix": "vector"}
"""How the forms that are no form of symbols of their own are seen."""


@dataclass(frozen=True)
class Style:
    """One text's style. view: scalar, vector or nested. row: vectors are rows. only: no numbers beside."""

    naming: Naming
    view: str
    row: bool
    only: bool


def style(
    program: Program,
    symbols: Symbols | None = None,
    given: Sequence[tuple[str, ...]] = (),
    *,
    letter: str = "y",
) -> Style:
    """Return the style of a program in symbols, as it was told.

    symbols: spell the inputs' and outputs' names; given: or they are spelled already, both. letter: of the outputs.
    """
    told: Mapping[str, Any] = program.told
    kind = NOTATIONS[told.get("notation") or NOTATION.get(program.form, "layers")]
    naming = kind(links(program), int(told.get("count_from") or kind.count), letter=letter)
    inputs, outputs = given or _spelled(program, naming, symbols or Symbols({}))
    return Style(
        replace(naming, inputs=inputs, outputs=outputs),
        told.get("view") or VIEWS.get(program.form) or kind.view,
        told["orientation"] == "row" if told.get("orientation") else kind.row,
        told.get("symbols") == "only",
    )


def _spelled(program: Program, naming: Naming, symbols: Symbols) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Spell the names that are not the standing ones, each a symbol that says nothing else."""
    symbols.reserve(naming.taken())
    return tuple(
        ()
        if parts == _standing(letter, len(parts)) and not symbols.gives(parts)
        else tuple(map(symbols.of, parts))
        for letter, parts in (("x", program.inputs), ("y", program.outputs))
    )  # type: ignore[return-value]


def _standing(letter: str, count: int) -> tuple[str, ...]:
    return (letter,) if count == 1 else tuple(f"{letter}{unit}" for unit in range(1, count + 1))
