"""Arrays of numbers that are known only within a spread: what rounding leaves of exact ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Unsure:
    """Numbers, and how far the exact ones may be from them."""

    numbers: Numbers
    spread: Numbers

    @classmethod
    def exactly(cls, numbers: Numbers) -> Unsure:
        """Return numbers that are exactly these."""
        wide = np.asarray(numbers, dtype=np.float64)
        return cls(wide, np.zeros(wide.shape))

    def __getitem__(self, index: Any) -> Unsure:
        """Choose by an index."""
        return Unsure(self.numbers[index], self.spread[index])

    def __add__(self, other: Unsure) -> Unsure:
        """Return the sum."""
        total = self.numbers + other.numbers
        return Unsure(total, (self.spread + other.spread + 2.0**-52 * np.abs(total)) * _UP)

    def __matmul__(self, other: Unsure) -> Unsure:
        """Return the product, its rounding counted."""
        gamma = (len(other.numbers) + 4) * 2.0**-52
        spread = (self.spread + gamma * np.abs(self.numbers)) @ np.abs(other.numbers)
        spread = spread + (np.abs(self.numbers) + self.spread) @ other.spread
        return Unsure(self.numbers @ other.numbers, spread * _UP)


_UP = 1.0 + 2.0**-32
"""Covers the rounding of the spreads."""
