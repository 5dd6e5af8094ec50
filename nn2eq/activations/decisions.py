"""Rows that no Keras file names: what decides between classes behind a network."""

from __future__ import annotations

import numpy as np

from nn2eq.activations.row import NOT_IN_KERAS, Array, Piece, Row


def _sure_argmax(z: Array, threshold: float) -> Array:
    return np.where((z >= np.max(z, axis=-1, keepdims=True)) & (z >= threshold), 1.0, 0.0)


DECISIONS = (
    Row(
        "at_least",
        formula="where(z >= threshold, 1, 0)",
        numpy=lambda z, threshold: np.where(z >= threshold, 1.0, 0.0),
        derivative="0",
        symbol=r"\operatorname{decide}",
        parameters={"threshold": None},
        turning=("threshold",),
        pieces=(Piece("-inf", "0", "0"), Piece("threshold", "0", "1")),
        keras=NOT_IN_KERAS,
    ),
    Row(
        "argmax",
        formula="where(z >= max(z[j] for j in units), 1, 0)",
        numpy=lambda z: np.where(z >= np.max(z, axis=-1, keepdims=True), 1.0, 0.0),
        symbol=r"\operatorname{argmax}",
        range=("0", "1"),
        keras=NOT_IN_KERAS,
        pushed="0",
        pulled=("0",),
        coupled=True,
    ),
    Row(
        "sure_argmax",
        formula="where(z >= max(z[j] for j in units), where(z >= threshold, 1, 0), 0)",
        numpy=_sure_argmax,
        symbol=r"\operatorname{SureArgmax}",
        parameters={"threshold": None},
        range=("0", "1"),
        keras=NOT_IN_KERAS,
        pushed="0",
        pulled=("0",),
        coupled=True,
    ),
)
