"""Two answers to the same samples, compared: how far they are apart, where, and whether that is rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.network import numbered

Array = NDArray[np.float64]

TEXT_TOLERANCE = 1e-12
"""How far a text may be from the network, relative to `nn2eq.proof.rounding.scale`, which says why."""
SINGLE_PRECISION = 64 * 2.0**-24
"""Differences up to here look like single precision, or like numbers printed with too few digits."""
SHOWN = 4
"""How many inputs of the worst sample are said."""


@dataclass(frozen=True)
class Spot:
    """One number of an answer: its sample and inputs, the output's name, what was expected and found.

    ulps: the difference, in units in the last place of the magnitude that it is measured against.
    """

    sample: int
    inputs: tuple[float, ...]
    output: str
    expected: float
    found: float
    ulps: float

    def at(self, digits: int = 17) -> str:
        """Return the inputs, the first few, in at most so many digits."""
        shown = ", ".join(repr(float(f"{value:.{digits}g}")) for value in self.inputs[:SHOWN])
        return f"x = ({shown}{', ...' if len(self.inputs) > SHOWN else ''})"


@dataclass(frozen=True)
class Agreement:
    """How well two links of the chain agree.

    link: which two, such as "text and network"; how: how the second answer was had. error: the worst
    difference relative to its scale, and tolerance: what it may be at that spot. kind: "rounding", "single
    precision" or "error", or "shape" where there is nothing to compare. spot: where the worst difference is.
    samples: how many were compared; left_out: how many were not, and why. unit: the first value that differs,
    where the text names them. cost: what deliberate rounding (`--digits`) was observed to cost. note: what
    else there is to say.
    """

    link: str
    how: str
    error: float
    tolerance: float
    holds: bool
    kind: str
    spot: Spot | None = None
    samples: int = 0
    left_out: tuple[tuple[int, str], ...] = ()
    unit: str = ""
    cost: float | None = None
    note: str = ""

    def line(self) -> str:
        """Return what there is to say, in one line of ASCII."""
        if not self.holds:
            return f"{self.link} differ ({self.how}): {self.what()}"
        spot = self.spot if self.spot and self.spot.ulps else None
        parts = [
            f"{self.link} agree ({self.how}): worst error {self.error:.1e} of {self.tolerance:.1e} allowed"
            + (f", {spot.ulps:.2g} ulps" if spot else "")
            + f", on {self.samples} samples"
            + (f", at {spot.at(6)}" if spot and spot.inputs else "")
        ]
        if self.cost is not None:
            parts.append(f"rounding its numbers was observed to cost {self.cost:.1e}")
        parts += [f"{count} samples left out {why}" for count, why in self.left_out]
        return "; ".join([*parts, *filter(None, [self.note])])

    def what(self) -> str:
        """Return what is wrong: an error or rounding, how large, and against what."""
        if self.spot is None:
            return self.note or "no sample could be compared"
        spot = self.spot
        return (
            f"{spot.output} is {spot.found!r} and should be {spot.expected!r}: {self._verdict()},"
            f" relative error {self.error:.1e} (allowed {self.tolerance:.1e}), {spot.ulps:.2g} ulps"
            + (f"; {self.note}" if self.note else "")
        )

    def where(self) -> str:
        """Return where the worst difference is: the sample, and the first unit that differs, if known."""
        if self.spot is None:
            return ""
        unit = f"; the first value that differs is {self.unit}" if self.unit else ""
        inputs = f", {self.spot.at()}" if self.spot.inputs else ""
        return f"at sample {self.spot.sample + 1}{inputs}{unit}"

    def _verdict(self) -> str:
        return {"single precision": "as single precision or missing digits would make it"}.get(
            self.kind, "an error"
        )


def compare(
    reference: Array,
    answers: NDArray[np.floating],
    *,
    scale: Array | float = 1.0,
    tolerance: Array | float = TEXT_TOLERANCE,
    link: str = "answers",
    how: str = "compared",
    x: Array | None = None,
    outputs: Sequence[str] = (),
    precision: float = 2.0**-52,
) -> Agreement:
    """Compare answers (n, outputs) with their reference, number by number: |difference| <= tolerance * scale.

    scale, tolerance: one number or (n, outputs). x (n, inputs) and the outputs' names tell where the worst
    is. precision: of the arithmetic in which the answers were computed; ulps are counted in it. NaN and
    infinities never agree, nor does another shape, nor an answer to nothing.
    """
    expected, found = np.asarray(reference, dtype=np.float64), np.asarray(answers, dtype=np.float64)
    if expected.shape != found.shape or expected.size == 0:
        note = f"the shape is {found.shape} and should be {expected.shape}"
        note = note if expected.size or expected.shape != found.shape else "no sample could be compared"
        return Agreement(link, how, np.inf, 0.0, False, "shape", note=note)
    allowed = np.broadcast_to(np.asarray(tolerance, dtype=np.float64), expected.shape)
    measure = np.broadcast_to(np.asarray(scale, dtype=np.float64), expected.shape)
    errors = _relative(expected, found, measure)
    with np.errstate(invalid="ignore", divide="ignore"):
        badness = np.where(errors == 0, 0.0, errors / allowed)
        badness = np.where(np.isnan(badness), np.inf, badness)
    worst = np.unravel_index(int(np.argmax(badness)), badness.shape)
    error, limit = float(errors[worst]), float(allowed[worst])
    holds = bool(np.all((errors <= allowed) & np.isfinite(errors)))
    agreement = Agreement(link, how, error, limit, holds, "", samples=len(expected))
    spot = _spot(worst, expected, found, x, outputs, error / precision)
    return replace(agreement, kind=_kind(agreement), spot=spot)


def _relative(expected: Array, found: Array, scale: Array) -> Array:
    """Return |found - expected| / scale, infinite where either is not finite or a scale is not positive."""
    with np.errstate(all="ignore"):
        difference = np.abs(found - expected)
        errors = np.where(difference == 0, 0.0, difference / scale)
    sound = np.isfinite(expected) & np.isfinite(found) & (errors >= 0)
    return np.where(sound, errors, np.inf)


def _kind(agreement: Agreement) -> str:
    if agreement.holds:
        return "rounding"
    return "single precision" if agreement.error <= SINGLE_PRECISION else "error"


def _spot(
    worst: tuple[np.intp, ...],
    expected: Array,
    found: Array,
    x: Array | None,
    outputs: Sequence[str],
    ulps: float,
) -> Spot:
    sample, unit = int(worst[0]), int(worst[-1]) if expected.ndim > 1 else 0
    names = outputs or numbered("y", expected.shape[-1] if expected.ndim > 1 else 1)
    inputs = () if x is None else tuple(float(value) for value in x[sample])
    return Spot(sample, inputs, names[unit], float(expected[worst]), float(found[worst]), ulps)
