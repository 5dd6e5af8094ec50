"""Answers that a text can carry along: a compiled one is tested where it is compiled, without nn2eq and Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nn2eq.emit.options import Array, Recorded
from nn2eq.network import Network
from nn2eq.proof.check import UNITS, expect, unit_of
from nn2eq.proof.rounding import SINGLE, rounding, widened

if TYPE_CHECKING:
    from nn2eq.proof.ask_keras import Asked

MOST, NUMBERS = 16, 4_000
"""How many samples are carried along at most, and how many numbers."""


def recorded(
    network: Network, *, dtype: str = "float64", digits: int = 0, asked: Asked | None = None
) -> Recorded:
    """Return answers to some samples, and how far from them a text's may be.

    They are Keras' own or, where it was not asked, the network's in float64. dtype, digits: of the text.
    Keras computes in float32: from its answers a text's may be as far as that arithmetic can take it.
    """
    wide, by = widened(network), "the network in float64"
    if asked is None:
        expected = expect(network, dtype=dtype)
        x, answers, allowed = expected.x, expected.answers, expected.scale * expected.tolerance
    else:
        x, answers, by = asked.x, asked.answers, asked.how
        allowed = rounding(wide, x, SINGLE).error + rounding(wide, x, UNITS[dtype]).error
    if digits:
        allowed = allowed + rounding(wide, x, unit_of(digits)).error
    kept = ~rounding(wide, x, SINGLE).at_jump & np.isfinite(allowed).all(axis=1)
    return _some(x[kept], answers[kept], allowed[kept], by)


def _some(x: Array, y: Array, allowed: Array, by: str) -> Recorded:
    """Keep some of the samples, evenly spaced."""
    count = max(1, min(MOST, len(x), NUMBERS // (x.shape[1] + 2 * y.shape[1])))
    rows = np.linspace(0, len(x) - 1, count).astype(np.intp)[: len(x)]
    return Recorded(x[rows], y[rows], allowed[rows], by)
