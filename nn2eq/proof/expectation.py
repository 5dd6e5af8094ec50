"""A person's own answer beside the network's: the same, rounding, or a mistake, and which one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import BadRequest
from nn2eq.network import Network
from nn2eq.proof.mistakes import mistakes
from nn2eq.proof.rounding import rounding

Array = NDArray[np.float64]

NAMED = 5
"""Mistakes that are named at most."""
NEAR = 1e-3
"""How near an answer must be, relative to its size, for its rounding to be looked at."""


@dataclass(frozen=True)
class Given:
    """An answer that somebody has for an output: its number from 0, its value, half a unit of its last digit."""

    output: int
    value: float
    half: float


@dataclass(frozen=True)
class Verdict:
    """What an answer is worth.

    kind: "same" (to the digits given), "rounding" (as float32 would make it) or "error". ulps: the difference in
    units in the last place of a float32. explanations: the mistakes that lead to the answers given, likeliest
    first; tried: how many were looked at.
    """

    kind: str
    name: str
    given: float
    number: float
    ulps: float
    explanations: tuple[str, ...] = ()
    tried: int = 0

    def lines(self) -> list[str]:
        """Return what there is to say."""
        said = f"{self.name} = {self.number!r}; {self.given!r} "
        if self.kind == "same":
            return [said + "is the same to the digits given"]
        if self.kind == "rounding":
            return [said + f"differs by float32 rounding, {self.ulps:.2g} ulps"]
        head = (
            said
            + f"differs by an error, {abs(self.given - self.number):.3g} or {self.ulps:.2g} ulps of float32"
        )
        if not self.explanations:
            return [head, f"none of {self.tried:,} usual mistakes explains it"]
        return [head, *(f"explained if {what}" for what in self.explanations)]


def expect(network: Network, x: Array, text: str) -> Verdict:
    """Compare answers, `0.253` or `y2=0.3`, with the network's at one input x (inputs,).

    Where they differ by more than float32 rounding, the usual mistakes are tried. Raises BadRequest.
    """
    names = network.output_labels
    given = read_answers(text, names)
    point = np.asarray(x, dtype=np.float64).reshape(1, -1)
    answers, errors = _with_error(network, point)
    worst = max(given, key=lambda one: _badness(one, answers, errors))
    number = float(answers[worst.output])
    ulps = abs(worst.value - number) / float(np.spacing(np.float32(abs(number))))
    kind = _kind(given, answers, errors)
    found: tuple[str, ...] = ()
    tried = 0
    if kind == "error":
        tried, found = _explained(network, point, given, answers)
    return Verdict(kind, names[worst.output], worst.value, number, ulps, found, tried)


def _kind(given: Sequence[Given], answers: Array, errors: Array) -> str:
    apart = [abs(one.value - answers[one.output]) for one in given]
    if all(far <= one.half for far, one in zip(apart, given, strict=True)):
        return "same"
    return "rounding" if _agrees(given, answers, errors) else "error"


def _agrees(given: Sequence[Given], answers: Array, errors: Array) -> bool:
    return all(abs(one.value - answers[one.output]) <= one.half + errors[one.output] for one in given)


def _badness(one: Given, answers: Array, errors: Array) -> float:
    return float(abs(one.value - answers[one.output]) / (one.half + errors[one.output] + 1e-300))


def _with_error(network: Network, x: Array) -> tuple[Array, Array]:
    """Return the answers (outputs,), and what float32 may make of them."""
    cost = rounding(network, x)
    return cost.answers[0], cost.error[0]


def _explained(
    network: Network, x: Array, given: Sequence[Given], right: Array
) -> tuple[int, tuple[str, ...]]:
    """Return how many mistakes were tried, and those that lead to what is given, the first few."""
    tried, found = 0, []
    for mistake in mistakes(network):
        tried += 1
        with np.errstate(all="ignore"):
            wrong = mistake.network.evaluate(x)[0]
        if np.all(np.isfinite(wrong)) and _is_near(given, wrong) and not np.array_equal(wrong, right):
            if _agrees(given, *_with_error(mistake.network, x)):
                found.append(mistake.what)
    return tried, tuple(found[:NAMED])


def _is_near(given: Sequence[Given], answers: Array) -> bool:
    return all(
        abs(one.value - answers[one.output]) <= one.half + NEAR * max(1.0, abs(one.value)) for one in given
    )


def read_answers(text: str, names: Sequence[str]) -> list[Given]:
    """Read `0.253`, one for each output in order, or `y2=0.3` by name. Raises BadRequest."""
    parts = [part.strip() for part in text.split(",")]
    if any("=" in part for part in parts):
        pairs = [part.partition("=") for part in parts]
        placed = [(name.strip(), number.strip()) for name, _, number in pairs]
    else:
        placed = list(zip(names, parts, strict=False))
        if len(parts) != len(names):
            raise _bad(
                f"{len(parts)} answers", f"this network gives {len(names)}; or name one, {names[0]}=0.25"
            )
    if unknown := [name for name, _ in placed if name not in names]:
        raise _bad(f"{unknown[0]!r:.80} is not an output", f"the outputs are {', '.join(names[:8])}")
    return [_given(names.index(name), number) for name, number in placed]


def _given(output: int, text: str) -> Given:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _bad(f"{text!r:.40} is not a number", "write 0.253") from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise _bad(f"{text!r:.40} is not finite", "write 0.253")
    return Given(output, float(number), 0.5 * 10.0**exponent)


def _bad(what: str, way_out: str) -> BadRequest:
    return BadRequest(f"--expect: {what}", code="expect", way_out=way_out)
