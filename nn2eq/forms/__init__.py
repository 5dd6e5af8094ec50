"""Forms: the mathematical shapes of a network. THE table of forms is `FORMS`; a new form adds its row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, cast

from nn2eq.errors import BadRequest, one_of

if TYPE_CHECKING:  # the table of forms is needed before any mathematics is
    from nn2eq.forms.program import Program


@dataclass(frozen=True)
class Form:
    """A shape that a network can be written in.

    name: of the form, and of the function in the module `home` that builds it. layout: of its Program, "" if that is
    one of its arguments. summary: what it is, in a few words. takes: the keywords that its function takes, `fold` or
    names of the table of arguments. others: layouts that its Program may be given instead, for languages that do
    not know its own. to_read: the module that builds it in languages that people read, if that is another; and
    told_to_read: what it takes there besides.
    """

    name: str
    home: str
    layout: str
    summary: str
    takes: tuple[str, ...] = ("fold",)
    others: tuple[str, ...] = ()
    to_read: str = ""
    told_to_read: tuple[str, ...] = ()

    def for_people(self, people: bool) -> Form:
        """Return the form as people read it, which may be built elsewhere, and told more."""
        if not (people and self.to_read):
            return self
        return replace(self, home=self.to_read, takes=(*self.takes, *self.told_to_read), to_read="")

    def layout_among(self, known: tuple[str, ...]) -> str:
        """Return the first of its layouts that is known, its own if none is."""
        return next((layout for layout in (self.layout, *self.others) if layout in known), self.layout)

    @property
    def build(self) -> Callable[..., Program]:
        """The function (network, **keywords) → Program."""
        return cast("Callable[..., Program]", getattr(import_module(self.home), self.name))


SYMBOLS = ("notation", "view", "orientation", "count_from", "symbols")
"""What a form of symbols may be told; the straight forms have a view of their own."""
_IN_SYMBOLS = ("fold", *(name for name in SYMBOLS if name != "view"))

FORMS: Mapping[str, Form] = {
    row.name: row
    for row in (
        Form("nested", "nn2eq.forms.straight", "nested", "one closed expression per output", _IN_SYMBOLS),
        Form("layered", "nn2eq.forms.straight", "layered", "named scalars, one line a unit", _IN_SYMBOLS),
        Form("matrix", "nn2eq.forms.straight", "matrix", "whole layers, kernels as arrays", _IN_SYMBOLS),
        Form(
            "symbolic",
            "nn2eq.forms.symbolic",
            "symbolic",
            "in the symbols of textbooks, the numbers beside them",
            ("fold", *SYMBOLS),
        ),
        Form(
            "taylor",
            "nn2eq.forms.taylor",
            "nested",
            "a polynomial around a point; on a domain, with its proved error",
            ("order", "at", "domain", "seconds"),
            ("layered", "matrix"),
        ),
        Form(
            "simplified",
            "nn2eq.forms.simplified",
            "nested",
            "as short as a tolerance allows, proved on a domain; without one, what changes nothing left out",
            ("tolerance", "domain", "seconds"),
            ("layered", "matrix"),
        ),
        Form(
            "bigm",
            "nn2eq.forms.bigm",
            "bigm",
            "on a domain, ReLU and its kind as switches between two affine pieces (big-M)",
            ("fold", "domain", "seconds"),
        ),
        Form(
            "gradient",
            "nn2eq.forms.gradient",
            "",
            "the network with its Jacobian, and its Hessian if wanted; their numbers at a point",
            ("fold", "hessian", "at", "layout", "of", "by"),
        ),
        Form(
            "backprop",
            "nn2eq.forms.training",
            "backprop",
            "the backward pass: a batch's mean loss, and by how much it moves with every weight",
            ("loss",),
            to_read="nn2eq.forms.backprop",
            told_to_read=("at", "target", "derivation", *SYMBOLS),
        ),
        Form(
            "polynomial",
            "nn2eq.forms.polynomial",
            "layered",
            "the shortest polynomial, or ratio of two, near the network on a domain, with its proved error",
            ("degree", "tolerance", "domain", "seconds"),
            ("nested", "matrix"),
        ),
        Form(
            "pieces",
            "nn2eq.forms.pieces",
            "layered",
            "a network of ReLU and its kind as its exact affine pieces",
            ("domain", "max_regions", "exact"),
        ),
    )
}


STRAIGHT = ("nested", "layered", "matrix")
"""The forms that are the network itself, number by number."""
EXACT = (*STRAIGHT, "pieces")
"""The forms that are the network itself."""


def form(name: str) -> Form:
    """Return a form by name. Raises BadRequest for one that is not there."""
    if name not in FORMS:
        raise BadRequest(f"unknown form {name!r}", code="unknown-form", way_out=one_of(name, FORMS))
    return FORMS[name]


def require_taken(chosen: Form | None, given: Iterable[str]) -> None:
    """Raise BadRequest if a form is told what it does not take; None: no form is named."""
    takes = chosen.takes if chosen else form(STRAIGHT[0]).takes
    if idle := sorted(set(given) - set(takes)):
        spelled = ", ".join("--no-fold" if name == "fold" else f"--{name.replace('_', '-')}" for name in idle)
        able = [row.name for row in FORMS.values() if set(idle) <= set(row.takes)]
        raise BadRequest(
            f"{spelled} does not apply to " + (f"the {chosen.name} form" if chosen else "an exact form"),
            code="option-form",
            way_out=f"leave it out, or name --form {' or '.join(able)}" if able else "leave it out",
        )
