"""How much a search may try: counted, not timed, so that the same question has the same answer on any machine."""

from __future__ import annotations

import math
from dataclasses import dataclass

_CALL = 6e-5
"""Seconds that looking at a small program takes on a machine of today, whatever it holds."""
_PRODUCT = 2e-9
"""Likewise a number of it at a sample."""


@dataclass
class Work:
    """Work that is left, in seconds of a machine of today. What is done is taken from it, which changes it.

    whole: what this is a part of, from which it is taken too.
    """

    left: float = math.inf
    whole: Work | None = None

    def part(self, share: float) -> Work:
        """Return a share of what is left."""
        return Work(share * self.left, self)

    def take(self, products: float) -> None:
        """Count one more look at a program, at so many products of its numbers with samples."""
        self.spend(_CALL + _PRODUCT * products)

    def spend(self, seconds: float) -> None:
        """Count what is known to take so long."""
        work: Work | None = self
        while work is not None:
            work.left -= seconds
            work = work.whole

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self.left <= 0.0
