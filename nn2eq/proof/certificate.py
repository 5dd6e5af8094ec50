"""Certificates: what is proved of a text, written down so that anyone can prove it again.

A certificate names the model's file and the text by sha256, a box, and a bound of how far the text's function is
from the network's anywhere in the box, as real functions with exactly the numbers that stand in both. It lists how the
box is to be halved; on each piece the bound follows by `nn2eq.proof.balls`, which shares nothing with the search that
found it. What float64 adds when the text runs is not in the bound.

A text in JSON is a program, and is what the proof is of. Of another text the program stands in the certificate; that
the text says the same is seen by running it, and no more than that.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
from flint import arb, arb_mat

from nn2eq.domain import Domain, domain_of
from nn2eq.errors import BadRequest, CannotEmit, DamagedFile, Disagreement
from nn2eq.forms.program import Affine, Apply, Polynomial, Program, Step, with_constants
from nn2eq.network import Affine as Map
from nn2eq.network import Network, Selected
from nn2eq.proof.ball_formulas import activated, reciprocal
from nn2eq.proof.ball_ranges import is_within
from nn2eq.proof.balls import BITS, Model, affine, precision, variables
from nn2eq.series import Truncation, truncation

FORMAT, VERSION = "nn2eq-certificate", 1
METHOD = "Taylor models in Arb's balls, halving the box"
_ORDERS = {1: 10, 2: 5, 3: 4, 4: 4, 5: 3}
"""The degree of the series by the number of inputs, 2 for more."""
SECONDS = 60.0
"""How long pieces are looked for if nothing is said."""
_MOST_INPUTS = 26
_LEAF, _FIRST = ".", ord("a")
_DEEPEST = 60
_MORE = 1.02
"""How much above what the search has proved a bound is stated where no tolerance is."""
_LONGEST = 2_000_000


@dataclass(frozen=True)
class Certificate:
    """A bound of |text - network| on a box, and how to halve that for the proof.

    model, text: the sha256 of the files. language: of the text. order: of the series. pieces: the halvings, the
    first before those of its halves: a letter for the input that is halved, a point for a piece to be proved.
    program: as JSON, "" where the text is one.
    """

    model: str
    text: str
    language: str
    domain: Domain
    bound: float
    order: int
    pieces: str
    program: str = ""

    @property
    def count(self) -> int:
        """How many pieces there are to prove."""
        return self.pieces.count(_LEAF)

    def as_json(self) -> str:
        """Write it."""
        members = {
            "format": FORMAT, "version": VERSION, "model": self.model, "text": self.text, "language": self.language,
            "domain": [list(interval) for interval in self.domain], "bound": self.bound,
            "method": {"name": METHOD, "order": self.order, "bits": BITS},
            "pieces": {"count": self.count, "halvings": self.pieces}, "program": self.program,
        }  # fmt: skip
        return orjson.dumps(members, option=orjson.OPT_INDENT_2).decode() + "\n"


def read_certificate(text: str) -> Certificate:
    """Read a certificate. Raises DamagedFile for what is none, or not one of this version."""
    try:
        found = orjson.loads(text)
        if (found["format"], found["version"]) != (FORMAT, VERSION):
            raise ValueError(f"format {found['format']!r:.40}, version {found['version']!r:.20}")
        domain, bound = found["domain"], float(found["bound"])
        texts = [found[key] for key in ("model", "text", "language", "program")]
        order, pieces = found["method"]["order"], found["pieces"]["halvings"]
        if not all(isinstance(one, str) for one in (*texts, pieces)) or type(order) is not int:
            raise ValueError("a member of another kind")
        if not (0.0 <= bound < float("inf") and 1 <= order <= 20 and len(pieces) <= _LONGEST):
            raise ValueError("a bound, an order or pieces out of range")
        model, own, language, program = texts
        return Certificate(
            model, own, language, domain_of(domain, len(domain)), bound, order, pieces, program
        )
    except (BadRequest, ValueError, KeyError, TypeError) as error:
        raise DamagedFile(f"no certificate: {error!s:.100}", code="certificate") from None


def digest(text: str) -> str:
    """Return the sha256 of a text's bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def certify(
    network: Network, program: Program, text: str, language: str, *, seconds: float = SECONDS
) -> Certificate:
    """Prove how far a text's program is from the network on its box, and return what is needed to prove it again.

    The bound is the program's tolerance if it has one, else a little more than what is proved of it. Raises
    BadRequest for a program without a proved bound, and where the time is not enough.
    """
    from nn2eq.emit.json_text import write
    from nn2eq.emit.options import Options

    bound = program.told.get("tolerance") or _MORE * program.proved
    if not program.domain or not bound < float("inf"):
        what = "a certificate needs a box and an error proved on it"
        raise BadRequest(
            what, code="certificate", way_out="give --domain, with --digits or an approximate form"
        )
    order = _order(len(program.domain))
    proof = _Proof(network, program, order)
    pieces = proof.found(program.domain, float(bound), time.monotonic() + seconds)
    own = "" if language == "json" else write(program, Options())
    return Certificate(
        network.source.sha256, digest(text), language, program.domain, float(bound), order, pieces, own
    )


def _order(inputs: int) -> int:
    if inputs > _MOST_INPUTS:
        raise BadRequest(
            f"a certificate of {inputs} inputs", code="certificate", way_out=f"up to {_MOST_INPUTS}"
        )
    return _ORDERS.get(inputs, 2)


def largest_distance(network: Network, program: Program, domain: Domain) -> float:
    """Return a bound of |program - network| on a box as one piece, infinite where nothing follows."""
    proof = _Proof(network, program, _order(len(domain)))
    with precision(proof.space.order):
        sizes = [apart.largest for apart in proof.apart(*zip(*domain, strict=True))]
        return max(float(size) * (1.0 + 2.0**-50) if size.is_finite() else float("inf") for size in sizes)


def verify(network: Network, text: str, certificate: Certificate | str) -> Program:
    """Prove what a certificate (or its JSON) says of a text again; return the program that it is proved of.

    Raises Disagreement if it is of another model or text, or if a piece cannot be proved to be within the bound.
    """
    from nn2eq.proof.program_json import read_program

    certificate = read_certificate(certificate) if isinstance(certificate, str) else certificate
    for what, stated, own in (
        ("model", certificate.model, network.source.sha256), ("text", certificate.text, digest(text))
    ):  # fmt: skip
        if stated != own:
            raise _fails(f"it is of another {what} (sha256 {stated[:12]}..., here {own[:12]}...)")
    if len(certificate.domain) != network.inputs:
        raise _fails(f"its box has {len(certificate.domain)} inputs, the network {network.inputs}")
    program = read_program(text if certificate.language == "json" else certificate.program)
    proof = _Proof(network, program, certificate.order)
    for low, high in list(
        _leaves(certificate.pieces, certificate.domain)
    ):  # all of them, before any is proved
        if not proof.holds(low, high, certificate.bound):
            where = ", ".join(f"{a:.6g}:{b:.6g}" for a, b in zip(low, high, strict=True))
            raise _fails(
                f"it does not follow that the two are within {certificate.bound:.6g} at {where[:200]}"
            )
    return program


def _fails(what: str) -> Disagreement:
    return Disagreement(f"the certificate fails: {what}", code="certificate-fails")


Box = tuple[list[float], list[float]]


def _leaves(pieces: str, domain: Domain) -> Iterator[Box]:
    """Yield the pieces of a box; together they are the box, whatever the halvings are."""
    pending: list[Box] = [([low for low, _ in domain], [high for _, high in domain])]
    for sign in pieces:
        if not pending:
            raise _fails("more halvings than pieces to halve")
        box = pending.pop()
        if sign == _LEAF:
            yield box
        elif 0 <= ord(sign) - _FIRST < len(domain):
            pending += reversed(_halves(box, ord(sign) - _FIRST))
        else:
            raise _fails(f"a halving by {sign!a:.10}")
    if pending:
        raise _fails("a part of the box is not among its pieces")


def _halves(box: Box, axis: int) -> list[Box]:
    low, high = box
    ends = (low[axis], low[axis] / 2 + high[axis] / 2, high[axis])
    return [
        ([*low[:axis], start, *low[axis + 1 :]], [*high[:axis], end, *high[axis + 1 :]])
        for start, end in pairwise(ends)
    ]


class _Proof:
    """The two functions over boxes, one as the network has it, one as the program does."""

    def __init__(self, network: Network, program: Program, order: int) -> None:
        self.space: Truncation = truncation(network.inputs, order)
        self.maps = [_of_map(step) for step in network.maps]
        self.steps = [(step.out.name, _of_step(step)) for step in program.predict.steps]
        self.first, self.last = program.predict.arguments[0].name, program.predict.results[0].name
        self.outputs = network.outputs

    def holds(self, low: Sequence[float], high: Sequence[float], bound: float) -> bool:
        """Whether the two are proved to be within a bound all over a box."""
        with precision(self.space.order):
            return all(is_within(apart, bound) for apart in self.apart(low, high))

    def apart(self, low: Sequence[float], high: Sequence[float]) -> list[Model]:
        """Return the distance over a box, an output each."""
        x = variables(self.space, low, high)
        answer = x
        for work in self.maps:
            answer = work(answer)
        values = {self.first: x}
        for name, step in self.steps:
            values[name] = step(values)
        other = values[self.last]
        if len(other) != len(answer):
            raise _fails(f"the text has {len(other)} outputs, the network {len(answer)}")
        return [one - two for one, two in zip(answer, other, strict=True)]

    def found(self, domain: Domain, bound: float, end: float) -> str:
        """Halve a box until each piece is proved. Raises BadRequest when the time is up."""
        pending: list[tuple[Box, int]] = [(([low for low, _ in domain], [high for _, high in domain]), 0)]
        widths = [max(high - low, 1e-300) for low, high in domain]
        signs: list[str] = []
        while pending:
            box, depth = pending.pop()
            if self.holds(*box, bound):
                signs.append(_LEAF)
                continue
            if time.monotonic() > end or depth > _DEEPEST * len(domain):
                raise BadRequest(
                    f"no certificate of {bound:.3g}: its pieces are not proved yet, {signs.count(_LEAF)} are",
                    code="certificate", way_out="raise --seconds or --tolerance, or shrink --domain",
                )  # fmt: skip
            shares = [(b - a) / width for a, b, width in zip(*box, widths, strict=True)]
            axis = int(np.argmax(shares))
            signs.append(chr(_FIRST + axis))
            pending += [(half, depth + 1) for half in reversed(_halves(box, axis))]
        return "".join(signs)


# ----------------------------------------------------------------------------------------- the two functions


def _of_map(step: Any) -> Callable[[list[Model]], list[Model]]:
    if isinstance(step, Map):
        return _affine_map(step)
    if isinstance(step, Selected):
        return lambda values: _selected(step.activation, values, step.units)
    return lambda values: activated(step, values)


def _affine_map(step: Map) -> Callable[[list[Model]], list[Model]]:
    kernel = _matrix(step.kernel)
    bias = None if step.bias is None else [float(value) for value in step.bias]

    def work(values: list[Model]) -> list[Model]:
        size = len(values) // step.repeat
        blocks = (values[start : start + size] for start in range(0, len(values), size))
        return [unit for block in blocks for unit in affine(block, kernel, bias)]

    return work


def _matrix(data: Any) -> arb_mat:
    full = np.diag(data) if data.ndim == 1 else data
    return arb_mat(full.astype(np.float64).tolist())


def _selected(activation: Any, values: list[Model], units: Sequence[int]) -> list[Model]:
    found = list(values)
    for unit, value in zip(units, activated(activation, [values[k] for k in units]), strict=True):
        found[unit] = value
    return found


def _of_step(step: Step) -> Callable[[dict[str, list[Model]]], list[Model]]:
    """Return what a step does with the values so far. Raises CannotEmit for one that no proof is made of."""
    if isinstance(step, Affine):
        return _affine_step(step)
    if isinstance(step, Apply):
        activation, units = with_constants(step), step.units
        name = step.arg.name
        return lambda values: (
            _selected(activation, values[name], units) if units else activated(activation, values[name])
        )
    if isinstance(step, Polynomial):
        return lambda values: _polynomial(step, values[step.arg.name])
    raise CannotEmit(f"no certificate of a {type(step).__name__.lower()} step", code="certificate")


def _affine_step(step: Affine) -> Callable[[dict[str, list[Model]]], list[Model]]:
    kernels = [(term.arg.name, _matrix(term.data)) for term in step.terms]
    offset = None if step.offset is None else [float(value) for value in step.offset.data]

    def work(values: dict[str, list[Model]]) -> list[Model]:
        parts = [
            affine(values[name], kernel, None if number else offset)
            for number, (name, kernel) in enumerate(kernels)
        ]
        return [sum(column[1:], start=column[0]) for column in zip(*parts, strict=True)]

    return work


def _polynomial(step: Polynomial, x: list[Model]) -> list[Model]:
    centre = np.zeros(len(x)) if step.centre is None else step.centre.data
    scale = np.ones(len(x)) if step.scale is None else step.scale.data
    tops = step.exponents.max(axis=0, initial=0).tolist()
    ladders = [
        _ladder((value - value.like(arb(float(c)))).scaled(1 / arb(float(s))), top, step.basis)
        for value, c, s, top in zip(x, centre, scale, tops, strict=True)
    ]
    rows = []
    for powers in step.exponents.tolist():
        product = x[0].like(arb(1))
        for ladder, power in zip(ladders, powers, strict=True):
            product = product * ladder[power] if power else product
        rows.append(product)
    above = affine(rows, _matrix(step.coefficients.data), None)
    if step.denominator is None:
        return above
    below = affine(rows, _matrix(step.denominator.data), None)
    return [one * reciprocal(two) for one, two in zip(above, below, strict=True)]


def _ladder(t: Model, top: int, basis: str) -> list[Model]:
    """Return t^0 ... t^top, or Chebyshev's T_0 ... T_top by T_(j + k) = 2 T_j T_k - T_(k - j)."""
    found = [t.like(arb(1)), t]
    while len(found) <= top:
        half = len(found) // 2
        rest = len(found) - half
        product = found[half] * found[rest]
        found.append(product if basis == "power" else product + product - found[rest - half])
    return found
