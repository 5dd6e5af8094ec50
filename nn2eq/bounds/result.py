"""What was proved of a network on a domain, and how it is said in JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nn2eq.domain import Domain


@dataclass(frozen=True)
class Range:
    """low <= value <= high, proved; infinite where nothing could be proved."""

    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return it as JSON has it."""
        return {"low": self.low, "high": self.high}


@dataclass(frozen=True)
class Bounds:
    """Proved ranges over a domain: of every output, and of its derivative by every input where there is one.

    gap, jacobian_gap: how far a range may still exceed the true one. boxes: how many the domain was divided
    into. work: what was done for the outputs, in seconds of a machine of today.
    """

    domain: Domain
    outputs: tuple[Range, ...]
    jacobian: tuple[tuple[Range, ...], ...]
    gap: float
    jacobian_gap: float
    boxes: int
    work: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it: domain, outputs, jacobian with a row an output, and gap."""
        return {
            "domain": [{"low": low, "high": high} for low, high in self.domain],
            "outputs": [output.as_dict() for output in self.outputs],
            "jacobian": [[entry.as_dict() for entry in row] for row in self.jacobian],
            "gap": self.gap,
        }


@dataclass(frozen=True)
class Distance:
    """Proved ranges of first - second over a domain, by output; `observed`: distances certainly reached.

    gap: how far `proved` may still exceed the true largest distance. work: what was done, in seconds of a machine
    of today.
    """

    domain: Domain
    outputs: tuple[Range, ...]
    observed: tuple[float, ...]
    gap: float
    boxes: int
    work: float = 0.0

    @property
    def each(self) -> tuple[float, ...]:
        """The proved bound of |first - second|, an output each."""
        return tuple(max(-output.low, output.high) for output in self.outputs)

    @property
    def proved(self) -> float:
        """The proved bound of |first - second| over all outputs."""
        return max(self.each, default=0.0)
