"""From a network to a checked text: the main job, as the command line and the library do it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.decision import equivalent
from nn2eq.domain import known_domain
from nn2eq.emit import Content, Emitter, as_text, content, emitter, require, require_fractions
from nn2eq.emit.header import Header, lines, with_header
from nn2eq.emit.options import LIMIT, Options
from nn2eq.errors import NESTED_CASES, CannotEmit, Disagreement
from nn2eq.forms import EXACT, STRAIGHT, SYMBOLS, form, require_taken
from nn2eq.forms.arguments import ARGUMENTS, read_arguments
from nn2eq.forms.linear import taken_away, without_activations
from nn2eq.forms.program import Program
from nn2eq.forms.rounded import rounded
from nn2eq.forms.size import numbers, require_at_most
from nn2eq.network import Network
from nn2eq.proof.agreement import Agreement
from nn2eq.proof.check import check
from nn2eq.proof.recorded import recorded
from nn2eq.proof.runners import takes_another
from nn2eq.surroundings import in_short

if TYPE_CHECKING:
    from nn2eq.proof.ask_keras import Asked

NOT_RUN = "the text was not run, since that takes a compiler, another program or minutes"
SECONDS = 10.0
"""How long the error of rounding is proved if nothing is said."""
READABLE = 2_000
"""Characters that a nested text may have to be the one chosen for reading."""


@dataclass(frozen=True)
class Request:
    """What text is wanted.

    language, form: names of the tables, form "" for the language's own choice. fold: join consecutive affine maps.
    limit: numbers that a text may hold. options: how it is written, its `digits` the numbers' significant digits.
    shape: what the form is told besides, by the names of the table of arguments, as values or as texts. linear: take
    the network's activations away, and write the affine map that is left.
    """

    language: str = "latex"
    form: str = ""
    fold: bool = True
    limit: int = LIMIT
    options: Options = field(default_factory=Options)
    shape: Mapping[str, Any] = field(default_factory=dict)
    linear: bool = False

    @property
    def given(self) -> tuple[str, ...]:
        """The keywords that the form is given: all but the box on which the error of rounding is to be proved."""
        box = ("domain", "seconds") if self.options.digits and self.form in ("", *STRAIGHT) else ()
        shape = (name for name in self.shape if name not in box)
        return (*shape, *(() if self.fold else ("fold",)))


@dataclass(frozen=True)
class Draft:
    """A text before it is checked, the program it was written from, and why it has this form."""

    text: Content
    program: Program
    reason: str


@dataclass(frozen=True)
class Conversion:
    """A text with its header, or the bytes of a file, and how well it agrees with the network.

    agreement: None if the text was not run, as that takes a compiler or another program. header: the file that
    declares its function for others, where the language has such files.
    """

    text: Content
    program: Program
    agreement: Agreement | None
    reason: str
    header: str = ""

    def certificate(self, network: Network, request: Request) -> str:
        """Return what is proved of the text as a certificate, in JSON. Raises BadRequest where nothing is."""
        from nn2eq.proof.certificate import SECONDS, certify  # only this needs ball arithmetic

        seconds = _shape(network, request).get("seconds", SECONDS)
        return certify(network, self.program, as_text(self.text), request.language, seconds=seconds).as_json()

    def line(self) -> str:
        """Return what came of the check, in one line."""
        return self.agreement.line() if self.agreement else NOT_RUN


def require_possible(request: Request) -> None:
    """Refuse a language, form or option that cannot go together, before any work. Raises CannotEmit, BadRequest."""
    request = _named(request)
    people = emitter(request.language).for_people
    require_taken(form(request.form).for_people(people) if request.form else None, request.given)
    chosen = emitter(request.language)
    derivatives = _has_derivatives(request)
    require(chosen, _layouts(request, chosen), request.options, request.form, derivatives=derivatives)
    if request.shape.get("exact"):
        require_fractions(chosen, request.options)


def _has_derivatives(request: Request) -> bool:
    """Whether a form is named that has functions of derivatives, not their numbers at a point."""
    return bool(request.form) and not form(request.form).layout and "at" not in request.shape


def _layouts(request: Request, chosen: Emitter) -> tuple[str, ...]:
    """Return the layout of the form that is named: its own, else the one asked for, else the language's."""
    if not request.form:
        return ()
    able = chosen.derivatives if _has_derivatives(request) else ("matrix",)
    preferred = chosen.default if chosen.default in able else next(iter(able), "matrix")
    own = form(request.form).layout_among(chosen.layouts)
    return (str(own or request.shape.get("layout") or preferred),)


def _named(request: Request, alone: bool = False) -> Request:
    """Name the form that a request means without saying so.

    What shapes symbols asks for them; where people read the text, so does what has symbols alone, and what is left
    without activations is shown as textbooks do.
    """
    if request.form:
        return request
    asks, people = bool(set(request.shape) & set(SYMBOLS)), emitter(request.language).for_people
    shape = {"notation": "mlp", **request.shape} if request.linear and people else request.shape
    return (
        replace(request, form="symbolic", shape=shape)
        if asks or (people and (alone or request.linear))
        else request
    )


def draft(network: Network, request: Request) -> Draft:
    """Write the network as asked, in the form asked for or the one that suits. Raises TooLarge, CannotEmit."""
    require_possible(request)
    chosen, by_name = emitter(request.language), _named(request, network.drawn)
    if by_name.form:
        reason = "its symbols were asked for" if request.shape else "it shows what is left of the layers"
        reason = "there are no numbers" if network.drawn and not request.shape else reason
        return _written(network, by_name, by_name.form, "" if request.form else reason)
    choose = _by_default if chosen.default else _by_size
    try:
        return choose(network, request, chosen)
    except CannotEmit as refusal:
        if refusal.code != NESTED_CASES or "layered" not in chosen.layouts:
            raise
        return _written(network, request, "layered", "cases within cases are said line by line")


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
    if size <= min(READABLE, request.limit):  # a number takes a character at least
        nested = _written(network, request, "nested", "")
        if len(nested.text) <= READABLE:
            return replace(nested, reason=f"it has {len(nested.text):,} characters")
    layered = numbers(_built(network, request, "layered"), spelling)
    if layered <= request.limit:
        return _written(
            network, request, "layered", f"nested would hold {size:,} numbers, layered holds {layered:,}"
        )
    return _written(network, request, "matrix", f"layered would hold {layered:,} numbers")


def _built(network: Network, request: Request, name: str) -> Program:
    chosen = form(name).for_people(emitter(request.language).for_people)
    if "symbols" not in chosen.takes:
        network.require_numbers(f"the {name} form")
    program = chosen.build(network, **_told(network, request, name))
    known = emitter(request.language).layouts
    if program.layout not in known:
        program = replace(program, layout=form(name).layout_among(known))
    return rounded(program, request.options.digits) if request.options.digits else program


def _told(network: Network, request: Request, name: str) -> dict[str, Any]:
    """Return the keywords of a form; `fold` is one of some."""
    takes = form(name).for_people(emitter(request.language).for_people).takes
    told = {key: value for key, value in _shape(network, request).items() if key in takes}
    if "layout" in takes:
        told["layout"], *_ = _layouts(request, emitter(request.language))
    return told | ({"fold": request.fold} if "fold" in takes else {})


def _shape(network: Network, request: Request) -> dict[str, Any]:
    return read_arguments(request.shape, network.input_labels)


def _measured(network: Network, request: Request, program: Program) -> Program:
    """Prove what rounding costs, if there is a box to prove it on."""
    told = _shape(network, request)
    domain = told.get("domain", () if program.exact else program.domain)
    if not request.options.digits or not domain or (program.exact and program.form not in STRAIGHT):
        return program
    from nn2eq.forms.distance import measured  # only this needs ball arithmetic

    return measured(network, program, domain, seconds=told.get("seconds", SECONDS))


def _written(network: Network, request: Request, name: str, reason: str) -> Draft:
    program = _measured(network, request, _built(network, request, name))
    chosen = emitter(request.language)
    require_at_most(program, request.limit, chosen.spelling(request.options), chosen.layouts)
    return Draft(content(program, request.language, request.options), program, reason)


def convert(
    network: Network,
    request: Request | None = None,
    *,
    data: NDArray[np.float64] | None = None,
    asked: Asked | None = None,
    run: bool = False,
) -> Conversion:
    """Write a network as text, run or read the text back, and compare it with the network.

    data (n, inputs): rows to check on besides the samples. asked: what Keras answered, for the header and for
    the tests that a text carries along. run: whether to start compilers and other programs, if that is what it
    takes. Raises Disagreement if the text does not say what the network says.
    """
    request = request or Request()
    gone = taken_away(network) if request.linear else ()
    network = without_activations(network) if request.linear else network
    request = _on_known_domain(network, request, data)
    request = _with_answers(network, request, None if request.linear else asked)
    chosen, written = emitter(request.language), draft(network, request)
    long = 0 < chosen.quick < numbers(written.program)
    wait = not run and (long or takes_another(request.language, written.text))
    agreement = None if wait else _checked(network, request, written, data)
    found = Conversion("", written.program, agreement, written.reason)
    checks = (found.line(), *([asked.agreement.line()] if asked else []))
    header = _header(request, written.program, checks, gone)
    header = replace(
        header, around=in_short(network), notes=(*header.notes, *_open(network), *equivalent(network))
    )
    declared = chosen.header(written.program, request.options) if chosen.header else ""
    return replace(
        found,
        text=_headed(written, request, header),
        header=with_header(declared, header) if declared else "",
    )


def _headed(written: Draft, request: Request, header: Header) -> Content:
    """Return what was written with its header: in front of a text, written into a file."""
    if isinstance(written.text, str):
        return with_header(written.text, header)
    options = replace(request.options, said=tuple(lines(header)))
    return content(written.program, request.language, options)


def _on_known_domain(network: Network, request: Request, data: NDArray[np.float64] | None) -> Request:
    """Give a form the domain that the data or the network tells, if it needs one and is given none."""
    takes = form(request.form).takes if request.form and request.form not in EXACT else ()
    if "domain" not in takes or "domain" in request.shape:
        return request
    known = known_domain(network, data)
    return replace(request, shape={**request.shape, "domain": known}) if known else request


def _checked(
    network: Network, request: Request, written: Draft, data: NDArray[np.float64] | None
) -> Agreement:
    """Run a text or read it back. Raises Disagreement."""
    options = request.options
    agreement = check(
        network, written.text, request.language, name=options.name, data=data, program=written.program,
        digits=options.digits, dtype=options.dtype,
    )  # fmt: skip
    if not agreement.holds:
        raise Disagreement(agreement.line(), code="disagreement", where=agreement.where())
    return agreement


def _with_answers(network: Network, request: Request, asked: Asked | None) -> Request:
    """Give a text that carries its tests along the answers for them."""
    options, chosen = request.options, emitter(request.language)
    if "recorded" not in chosen.options or options.recorded is not None:
        return request
    beside = _has_derivatives(request) and not chosen.merged  # a function beside that of the network itself
    if request.form not in ("", *STRAIGHT) and not beside:
        return request  # another form has a box, an error or a rounding of its own
    answers = recorded(network, dtype=options.dtype, digits=options.digits, asked=asked)
    return replace(request, options=replace(options, recorded=answers))


def _header(request: Request, program: Program, checks: tuple[str, ...], gone: tuple[str, ...]) -> Header:
    away = [f"without its activations: {', '.join(gone)}"] if gone else []
    return Header(
        model=program.model, sha256=program.sha256, language=request.language, form=program.form,
        name=request.options.name, fold=request.fold, digits=request.options.digits, dtype=request.options.dtype,
        told=tuple((key, ARGUMENTS[key].written(value)) for key, value in program.told.items()),
        domain=program.domain, tolerance=program.told.get("tolerance"),
        proved=None if program.exact else _known(program.proved),
        observed=None if program.exact else _known(program.observed),
        checks=checks, notes=(*program.notes, *away), linear=request.linear,
    )  # fmt: skip


def _open(network: Network) -> tuple[str, ...]:
    """Return the note of a file that leaves open how many inputs there are."""
    said = "the file leaves the number of inputs open: for one number alone, as Keras takes it, give it"
    return (f"{said} {network.inputs} times",) if network.one_for_all and network.inputs > 1 else ()


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
