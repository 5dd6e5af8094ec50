"""Names of a user's: which ones a text in some language can take."""

from __future__ import annotations

import keyword
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from nn2eq.emit.options import Options
from nn2eq.errors import CannotEmit

if TYPE_CHECKING:  # names are looked at where no program is
    from nn2eq.forms.program import Function

PYTHON_KEYWORDS = frozenset(keyword.kwlist)


def require(names: Sequence[str], language: str, reserved: Collection[str]) -> None:
    """Refuse names that are no identifiers, that the language or the text itself needs, or that stand twice.

    Raises CannotEmit.
    """
    way_out = "choose others with --inputs, --outputs or --name"
    for position, name in enumerate(names):
        shown = f"{name!a:.80}"
        if not is_identifier(name):
            raise CannotEmit(f"{shown} cannot be a name in {language}", code="bad-name", way_out=way_out)
        if name in reserved:
            what = f"the name {shown} means something else in {language}"
            raise CannotEmit(what, code="name-clash", way_out=way_out)
        if name in names[:position]:
            raise CannotEmit(f"the name {shown} stands for two things", code="name-clash", way_out=way_out)


def called(function: Function, options: Options) -> str:
    """Return what a text calls a function: `predict` as the user does, the others after it."""
    name = function.name
    if options.name == "predict":
        return name
    return name.replace("predict", options.name) if "predict" in name else f"{options.name}_{name}"


def is_identifier(name: str) -> bool:
    """Whether a name is letters, digits and underscores of ASCII, and does not begin with a digit."""
    return name.isascii() and name.isidentifier()


def fresh(stem: str, taken: Collection[str]) -> str:
    """Return the stem, or the stem with the first number that makes it a name not yet taken."""
    numbered = (f"{stem}{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (stem, *numbered) if name not in taken)
