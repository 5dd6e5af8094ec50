"""Rows that are affine piece by piece: the ReLU family, hard and sparse functions, shrinkage."""

from __future__ import annotations

import numpy as np

from nn2eq.activations.row import BOTH, THROUGH_A_LAYER, Array, Piece, Row


def _general_relu(z: Array, negative_slope: float, max_value: float, threshold: float) -> Array:
    return np.where(z > threshold, np.minimum(z, max_value), negative_slope * (z - threshold))


def _soft_shrink(z: Array, threshold: float) -> Array:
    return np.copysign(np.maximum(np.abs(z) - threshold, 0.0), z)


def _threshold(z: Array, threshold: float, default_value: float) -> Array:
    return np.where(z > threshold, z, default_value)


PIECEWISE = (
    Row(
        "linear",
        formula="z",
        numpy=lambda z: z,
        derivative="1",
        symbol=r"\operatorname{id}",
        mirror=("-1", "0", "0"),
        pieces=(Piece("-inf", "1"),),
        keras=BOTH,
    ),
    Row(
        "relu",
        formula="max(0, z)",
        numpy=lambda z: np.maximum(z, 0.0),
        derivative="where(z > 0, 1, 0)",
        symbol=r"\operatorname{ReLU}",
        mirror=("1", "-1", "0"),
        pieces=(Piece("-inf", "0"), Piece("0", "1")),
        keras=BOTH,
    ),
    Row(
        "relu6",
        formula="min(max(0, z), 6)",
        numpy=lambda z: np.clip(z, 0.0, 6.0),
        derivative="where(z <= 0, 0, where(z < 6, 1, 0))",
        symbol=r"\operatorname{ReLU6}",
        pieces=(Piece("-inf", "0"), Piece("0", "1"), Piece("6", "0", "6")),
        keras=BOTH,
    ),
    Row(
        "capped_relu",
        formula="min(max(0, z), max_value)",
        numpy=lambda z, max_value: np.clip(z, 0.0, max_value),
        derivative="where(z <= 0, 0, where(z <= max_value, 1, 0))",
        symbol=r"\operatorname{CappedReLU}",
        parameters={"max_value": None},
        require=("max_value >= 0",),
        pieces=(Piece("-inf", "0"), Piece("0", "1"), Piece("max_value", "0", "max_value")),
        keras=THROUGH_A_LAYER,
    ),
    Row(
        "leaky_relu",
        formula="where(z > 0, z, negative_slope * z)",
        numpy=lambda z, negative_slope: np.where(z > 0.0, z, negative_slope * z),
        derivative="where(z > 0, 1, negative_slope)",
        symbol=r"\operatorname{LeakyReLU}",
        mirror=("1", "-1 - negative_slope", "0"),
        parameters={"negative_slope": 0.2},
        turning=("0",),
        pieces=(Piece("-inf", "negative_slope"), Piece("0", "1")),
        keras=BOTH,
    ),
    Row(
        "prelu",
        formula="where(z > 0, z, alpha * z)",
        numpy=lambda z, alpha: np.maximum(z, 0.0) + alpha * np.minimum(z, 0.0),
        derivative="where(z > 0, 1, where(z < 0, alpha, 0))",
        symbol=r"\operatorname{PReLU}",
        mirror=("1", "-1 - alpha", "0"),
        parameters={"alpha": None},
        turning=("0",),
        pieces=(Piece("-inf", "alpha"), Piece("0", "1")),
        keras=THROUGH_A_LAYER,
    ),
    Row(
        "thresholded_relu",
        formula="where(z > threshold, z, 0)",
        numpy=lambda z, threshold: np.where(z <= threshold, 0.0, z),
        derivative="where(z > threshold, 1, 0)",
        symbol=r"\operatorname{ThresholdedReLU}",
        parameters={"threshold": None},
        turning=("threshold",),
        pieces=(Piece("-inf", "0"), Piece("threshold", "1", open=True)),
        keras=THROUGH_A_LAYER,
    ),
    Row(
        "shifted_relu",
        formula="where(z > threshold, z, negative_slope * (z - threshold))",
        numpy=lambda z, negative_slope, threshold: _general_relu(z, negative_slope, np.inf, threshold),
        derivative="where(z > threshold, 1, where(z < threshold, negative_slope, 0))",
        symbol=r"\operatorname{ShiftedReLU}",
        parameters={"negative_slope": None, "threshold": None},
        turning=("threshold",),
        pieces=(
            Piece("-inf", "negative_slope", "-negative_slope * threshold"),
            Piece("threshold", "1", open=True),
        ),
        keras=THROUGH_A_LAYER,
    ),
    Row(
        "general_relu",
        formula="where(z > threshold, min(z, max_value), negative_slope * (z - threshold))",
        numpy=_general_relu,
        derivative=(
            "where(z > threshold, where(z <= max_value, 1, 0), where(z < threshold, negative_slope, 0))"
        ),
        symbol=r"\operatorname{GeneralReLU}",
        parameters={"negative_slope": None, "max_value": None, "threshold": None},
        require=("max_value >= 0", "threshold >= 0"),
        turning=("threshold", "max_value"),
        pieces=(
            Piece("-inf", "negative_slope", "-negative_slope * threshold"),
            Piece("threshold", "1", open=True),
            Piece("max(threshold, max_value)", "0", "max_value", open=True),
        ),
        keras=THROUGH_A_LAYER,
    ),
    Row(
        "hard_sigmoid",
        formula="min(max(0, z + 3), 6) / 6",
        numpy=lambda z: np.clip(z + 3.0, 0.0, 6.0) / 6.0,
        derivative="where(z <= -3, 0, where(z < 3, 1 / 6, 0))",
        symbol=r"\operatorname{HardSigmoid}",
        mirror=("-1", "0", "1"),
        keras=BOTH,
        pieces=(Piece("-inf", "0"), Piece("-3", "1 / 6", "1 / 2"), Piece("3", "0", "1")),
    ),
    Row(
        "clipped_sigmoid",
        formula="min(max(0, 0.2 * z + 0.5), 1)",
        numpy=lambda z: np.clip(0.2 * z + 0.5, 0.0, 1.0),
        derivative="where(z < -2.5, 0, where(z <= 2.5, 0.2, 0))",
        symbol=r"\operatorname{ClippedSigmoid}",
        mirror=("-1", "0", "1"),
        pieces=(Piece("-inf", "0"), Piece("-2.5", "0.2", "0.5"), Piece("2.5", "0", "1")),
        keras=THROUGH_A_LAYER,
    ),
    Row(
        "hard_tanh",
        formula="min(max(-1, z), 1)",
        numpy=lambda z: np.clip(z, -1.0, 1.0),
        derivative="where(z < -1, 0, where(z <= 1, 1, 0))",
        symbol=r"\operatorname{HardTanh}",
        mirror=("-1", "0", "0"),
        pieces=(Piece("-inf", "0", "-1"), Piece("-1", "1"), Piece("1", "0", "1")),
    ),
    Row(
        "sparse_sigmoid",
        formula="where(z <= -1, 0, where(z >= 1, 1, (z + 1) / 2))",
        numpy=lambda z: np.clip(0.5 * z + 0.5, 0.0, 1.0),
        derivative="where(z <= -1, 0, where(z < 1, 1 / 2, 0))",
        symbol=r"\operatorname{SparseSigmoid}",
        mirror=("-1", "0", "1"),
        pieces=(Piece("-inf", "0"), Piece("-1", "1 / 2", "1 / 2"), Piece("1", "0", "1")),
    ),
    Row(
        "hard_shrink",
        formula="where(abs(z) > threshold, z, 0)",
        numpy=lambda z, threshold: np.where((z < -threshold) | (z > threshold), z, 0.0),
        derivative="where(abs(z) > threshold, 1, 0)",
        symbol=r"\operatorname{HardShrink}",
        mirror=("-1", "0", "0"),
        parameters={"threshold": 0.5},
        require=("threshold >= 0",),
        turning=("-threshold", "threshold"),
        pieces=(Piece("-inf", "1"), Piece("-threshold", "0"), Piece("threshold", "1", open=True)),
    ),
    Row(
        "soft_shrink",
        formula="where(z > threshold, z - threshold, where(z < -threshold, z + threshold, 0))",
        numpy=_soft_shrink,
        derivative="where(abs(z) > threshold, 1, 0)",
        symbol=r"\operatorname{SoftShrink}",
        mirror=("-1", "0", "0"),
        parameters={"threshold": 0.5},
        require=("threshold >= 0",),
        pieces=(
            Piece("-inf", "1", "threshold"),
            Piece("-threshold", "0"),
            Piece("threshold", "1", "-threshold"),
        ),
    ),
    Row(
        "threshold",
        formula="where(z > threshold, z, default_value)",
        numpy=_threshold,
        derivative="where(z > threshold, 1, 0)",
        symbol=r"\operatorname{Threshold}",
        parameters={"threshold": None, "default_value": None},
        turning=("threshold",),
        pieces=(Piece("-inf", "0", "default_value"), Piece("threshold", "1", open=True)),
    ),
)
