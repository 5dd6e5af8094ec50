"""Forms: the mathematical shapes of a network. THE table of forms is `FORMS`; a new form adds its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from nn2eq.errors import BadRequest

if TYPE_CHECKING:  # the table of forms is needed before any mathematics is
    from nn2eq.forms.program import Program


@dataclass(frozen=True)
class Form:
    """A shape that a network can be written in.

    name: of the form, and of the function in the module `home` that builds it. layout: of its Program. summary: what
    it is, in a few words.
    """

    name: str
    home: str
    layout: str
    summary: str

    @property
    def build(self) -> Callable[..., Program]:
        """The function (network, *, fold) → Program."""
        return cast("Callable[..., Program]", getattr(import_module(self.home), self.name))


FORMS: Mapping[str, Form] = {
    row.name: row
    for row in (
        Form("nested", "nn2eq.forms.straight", "nested", "one closed expression per output"),
        Form("layered", "nn2eq.forms.straight", "layered", "named scalars, one line a unit"),
        Form("matrix", "nn2eq.forms.straight", "matrix", "whole layers at a time, kernels as arrays"),
    )
}


def form(name: str) -> Form:
    """Return a form by name. Raises BadRequest for one that is not there."""
    if name not in FORMS:
        raise BadRequest(f"no form {name!r}", code="unknown-form", way_out=f"one of {', '.join(FORMS)}")
    return FORMS[name]
