"""Forms: the mathematical shapes of a network. THE table of forms is `FORMS`; a new form adds its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nn2eq.errors import BadRequest
from nn2eq.forms.program import Program
from nn2eq.forms.straight import layered, matrix, nested

__all__ = ["FORMS", "Form", "form", "layered", "matrix", "nested"]


@dataclass(frozen=True)
class Form:
    """A shape that a network can be written in: its name, how it is built, its layout, and what it is in a few words."""

    name: str
    build: Callable[..., Program]
    layout: str
    summary: str


FORMS: Mapping[str, Form] = {
    row.name: row
    for row in (
        Form("nested", nested, "nested", "one closed expression per output"),
        Form("layered", layered, "layered", "named scalars, one line a unit"),
        Form("matrix", matrix, "matrix", "whole layers at a time, kernels as arrays"),
    )
}


def form(name: str) -> Form:
    """Return a form by name. Raises BadRequest for one that is not there."""
    if name not in FORMS:
        raise BadRequest(f"no form {name!r}", code="unknown-form", way_out=f"one of {', '.join(FORMS)}")
    return FORMS[name]
