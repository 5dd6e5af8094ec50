"""From a network to a checked text: the main job, as the command line and the library do it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit import Emitter, emit, emitter, require
from nn2eq.emit.header import Header, with_header
from nn2eq.emit.options import LIMIT, Options
from nn2eq.errors import Disagreement
from nn2eq.forms import form
from nn2eq.forms.program import Program
from nn2eq.forms.rounded import rounded
from nn2eq.forms.size import numbers, require_at_most
from nn2eq.network import Network
from nn2eq.proof.agreement import Agreement
from nn2eq.proof.check import check

READABLE = 2_000
"""Characters that a nested text may have to be the one chosen for reading."""


@dataclass(frozen=True)
class Request:
    """What text is wanted.

    language, form: names of the tables, form "" for the language's own choice. fold: join consecutive affine maps.
    limit: numbers that a text may hold. options: how it is written, its `digits` the numbers' significant digits.
    """

    language: str = "latex"
    form: str = ""
    fold: bool = True
    limit: int = LIMIT
    options: Options = Options()


@dataclass(frozen=True)
class Draft:
    """A text before it is checked, the program it was written from, and why it has this form."""

    text: str
    program: Program
    reason: str


@dataclass(frozen=True)
class Conversion:
    """A checked text with its header, and how well it agrees with the network."""

    text: str
    program: Program
    agreement: Agreement
    reason: str


def require_possible(request: Request) -> None:
    """Refuse a language, form or option that cannot go together, before any work. Raises CannotEmit, BadRequest."""
    layouts = (form(request.form).layout,) if request.form else ()
    require(emitter(request.language), layouts, request.options)


def draft(network: Network, request: Request) -> Draft:
    """Write the network as asked, in the form asked for or the one that suits. Raises TooLarge, CannotEmit."""
    require_possible(request)
    chosen = emitter(request.language)
    if request.form:
        return _written(network, request, request.form, "")
    if chosen.default:
        return _by_default(network, request, chosen)
    return _by_size(network, request, chosen)


def _by_default(network: Network, request: Request, chosen: Emitter) -> Draft:
    """Take the language's own form, or the matrix form where that would be too large."""
    size = numbers(_built(network, request, chosen.default), chosen.spelling(request.options))
    if size > request.limit and "matrix" in chosen.layouts and chosen.default != "matrix":
        return _written(network, request, "matrix", f"the {chosen.default} form would hold {size:,} numbers")
    return _written(network, request, chosen.default, f"the form of {request.language} by default")


def _by_size(network: Network, request: Request, chosen: Emitter) -> Draft:
    """Take nested if it can be read, else layered if it is within the limit, else matrix."""
    spelling = chosen.spelling(request.options)
    size = numbers(_built(network, request, "nested"), spelling)
    if size <= READABLE:  # a number takes a character at least
        nested = _written(network, request, "nested", "")
        if len(nested.text) <= READABLE:
            return replace(nested, reason=f"it has {len(nested.text):,} characters")
    layered = numbers(_built(network, request, "layered"), spelling)
    if layered <= request.limit:
        return _written(network, request, "layered", f"nested would hold {size:,} numbers, layered holds {layered:,}")
    return _written(network, request, "matrix", f"layered would hold {layered:,} numbers")


def _built(network: Network, request: Request, name: str) -> Program:
    program = form(name).build(network, fold=request.fold)
    return rounded(program, request.options.digits) if request.options.digits else program


def _written(network: Network, request: Request, name: str, reason: str) -> Draft:
    program = _built(network, request, name)
    require_at_most(program, request.limit, emitter(request.language).spelling(request.options))
    return Draft(emit(program, request.language, request.options), program, reason)


def convert(
    network: Network, request: Request | None = None, *, data: NDArray[np.float64] | None = None, asked: str = ""
) -> Conversion:
    """Write a network as text, run or read the text back, and compare it with the network.

    data (n, inputs): rows to check on besides the samples. asked: a line on what Keras answered, for the header.
    Raises Disagreement if the text does not say what the network says.
    """
    request = request or Request()
    written = draft(network, request)
    agreement = check(
        network,
        written.text,
        request.language,
        name=request.options.name,
        data=data,
        program=written.program,
        digits=request.options.digits,
    )
    if not agreement.holds:
        raise Disagreement(agreement.line(), code="disagreement", where=agreement.where())
    checks = tuple(line for line in (agreement.line(), asked) if line)
    header = _header(request, written.program, checks)
    return Conversion(with_header(written.text, header), written.program, agreement, written.reason)


def _header(request: Request, program: Program, checks: tuple[str, ...]) -> Header:
    return Header(
        model=program.model, sha256=program.sha256, language=request.language, form=program.form,
        name=request.options.name, fold=request.fold, digits=request.options.digits, checks=checks, notes=program.notes,
    )  # fmt: skip
