"""What can go wrong, and how it is said: what, where, and the way out."""

from __future__ import annotations

from collections.abc import Iterable


class Nn2eqError(Exception):
    """A mistake in the input or the request, told in one line.

    `code` is stable and for machines; `exit_code` is what the command line returns.
    """

    exit_code = 2

    def __init__(self, what: str, *, code: str, where: str = "", way_out: str = "", file: str = "") -> None:
        super().__init__(what)
        self.what, self.code, self.where, self.way_out, self.file = what, code, where, way_out, file

    def __str__(self) -> str:
        parts = [part for part in (self.file, self.what, self.where) if part]
        way_out = f"; {self.way_out}" if self.way_out else ""
        return f"{': '.join(parts)}{way_out} [{self.code}]"

    def in_file(self, file: str) -> Nn2eqError:
        """Return the same error, naming FILE if it names none yet."""
        self.file = self.file or file
        return self


class UnsupportedModel(Nn2eqError):
    """A sound file that holds something nn2eq does not read."""


class DamagedFile(Nn2eqError):
    """A file that is broken, contradicts itself, or is not a model at all."""


class TooLarge(Nn2eqError):
    """A text that would be larger than the limit; says how large, and which form is smaller."""


NESTED_CASES = "nested-cases"
"""The code of a form that has no room for cases within cases; line by line they can be said."""


class CannotEmit(Nn2eqError):
    """A language cannot say this form, activation or name."""


class BadRequest(Nn2eqError):
    """An option that cannot be understood or does not fit the model."""


class Disagreement(Nn2eqError):
    """Two answers that should be equal differ."""

    exit_code = 1


def text_fails(what: str) -> Disagreement:
    """Return the error of a text that does not run to its end, or gives no answers that could be compared."""
    return Disagreement(f"the text fails: {what}", code="text-fails")


def one_of(word: str, known: Iterable[str]) -> str:
    """Return the way out from a word that is not known: the one most like it, else all there are."""
    from difflib import get_close_matches  # seldom asked for

    names = list(known)
    near = get_close_matches(word, names, 1)
    return f"did you mean {near[0]}?" if near else f"one of {', '.join(names)}"
