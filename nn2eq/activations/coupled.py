"""Rows in which the units of a group share: softmax and its kind, gating, normalization."""

from __future__ import annotations

import numpy as np

from nn2eq.activations.row import BOTH, THROUGH_A_LAYER, Array, Row

SHIFTED_SUM = "sum(exp(z[j] - max(z[k] for k in units)) for j in units)"
MEAN = "sum(z[j] for j in units) / count"
MEAN_OF_ALL = "sum(z[k] for k in units) / count"
VARIANCE = "sum((z[j] - sum(z[k] for k in units) / count)**2 for j in units) / count"
ROOT_MEAN_SQUARE = "sqrt(sum(z[j]**2 for j in units) / count + epsilon)"
# Of sparsemax: whether unit j stays above 0, and the sum over such units k of the larger of j and k.
IN_SUPPORT = "sum(max(z[i] - z[j], 0) for i in units) < 1"
ABOVE = "sum(where(sum(max(z[i] - z[k], 0) for i in units) < 1, max(z[j], z[k]), 0) for k in units)"
LARGEST = "max(z[i] for i in units)"
OWN_IN_SUPPORT = "sum(max(z[i] - z, 0) for i in units) < 1"
OTHER_IN_SUPPORT = "sum(max(z[i] - z[k], 0) for i in units) < 1"
# How often the sum of cumulative sums counts a unit of the support: once for each that is not above it.
COUNTED = (
    f"(1 / 2 + sum(where({OTHER_IN_SUPPORT}, where({{0}} > z[k], 1, where({{0}} >= z[k], 1 / 2, 0)), 0)"
    " for k in units))"
)
SUPPORT = f"sum(where({IN_SUPPORT}, 1, 0) for j in units)"
GATE = "exp(min(partner, 0)) / (1 + exp(-abs(partner)))"
GATE_SLOPE = "exp(-abs(partner)) / (1 + exp(-abs(partner)))**2"


def _softmax(z: Array) -> Array:
    powers = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return np.asarray(powers / np.sum(powers, axis=-1, keepdims=True))


def _log_softmax(z: Array) -> Array:
    shifted = z - np.max(z, axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True)))


def _sparsemax(z: Array) -> Array:
    """Project on the simplex by sorting (Martins and Astudillo, "From softmax to sparsemax", 2016)."""
    shifted = z - np.max(z, axis=-1, keepdims=True)
    descending = -np.sort(-shifted, axis=-1)
    count = np.arange(1, z.shape[-1] + 1)
    sums = np.cumsum(descending, axis=-1)
    support = np.sum(1.0 + count * descending > sums, axis=-1, keepdims=True)
    threshold = (np.take_along_axis(sums, support - 1, axis=-1) - 1.0) / support
    return np.asarray(np.maximum(shifted - threshold, 0.0))


def _summed_sparsemax(z: Array) -> Array:
    """Follow Keras up to 3.15, which sums the cumulative sums where it should take the last one."""
    descending = -np.sort(-z, axis=-1)
    sums, count = np.cumsum(descending, axis=-1), np.arange(1, z.shape[-1] + 1)
    support = 1.0 + count * descending > sums
    total = np.sum(np.where(support, sums, 0.0), axis=-1, keepdims=True)
    return np.asarray(np.maximum(z - (total - 1.0) / np.sum(support, axis=-1, keepdims=True), 0.0))


def _glu(z: Array) -> Array:
    value, gate = np.split(z, 2, axis=-1)
    small = np.exp(-np.abs(gate))
    return np.asarray(value * np.where(gate < 0, small, 1.0) / (1.0 + small))


def _layer_normalization(z: Array, epsilon: float) -> Array:
    return np.asarray(
        (z - np.mean(z, axis=-1, keepdims=True)) / np.sqrt(np.var(z, axis=-1, keepdims=True) + epsilon)
    )


SPARSE = (
    "where(a > 0, {0} - sum(where(a[j] > 0, {0}[j], 0) for j in units)"
    " / sum(where(a[j] > 0, 1, 0) for j in units), 0)"
)
CENTRED = "({0} - sum({0}[j] for j in units) / count - a * sum(a[j] * {0}[j] for j in units) / count)"

COUPLED = (
    Row(
        "softmax",
        formula="exp(z) / sum(exp(z[j]) for j in units)",
        stable=f"exp(z - max(z[k] for k in units)) / {SHIFTED_SUM}",
        numpy=_softmax,
        symbol=r"\operatorname{softmax}",
        range=("0", "1"),
        steepest=0.5,
        keras=BOTH,
        pushed="a * (t - sum(a[j] * t[j] for j in units))",
        pulled=("a * (d - sum(a[j] * d[j] for j in units))",),
        coupled=True,
    ),
    Row(
        "log_softmax",
        formula="z - log(sum(exp(z[j]) for j in units))",
        stable=f"z - max(z[k] for k in units) - log({SHIFTED_SUM})",
        numpy=_log_softmax,
        symbol=r"\operatorname{LogSoftmax}",
        range=("low - max(high[j] for j in units) - log(count)", "0"),
        steepest=2.0,
        keras=BOTH,
        pushed="t - sum(exp(a[j]) * t[j] for j in units)",
        pulled=("d - exp(a) * sum(d[j] for j in units)",),
        coupled=True,
    ),
    Row(
        "sparsemax",
        # The threshold is the largest of (Σ_S z - 1) / |S| over the sets S of the units that reach z[k].
        formula=(
            "max(z - max((sum(where(z[j] >= z[k], z[j], 0) for j in units) - 1)"
            " / sum(where(z[j] >= z[k], 1, 0) for j in units) for k in units), 0)"
        ),
        # Relative to the largest unit, so that the sums over the support hold small numbers only.
        stable=(
            f"max(z - {LARGEST} - max((sum(where(z[j] >= z[k], z[j] - {LARGEST}, 0) for j in units) - 1)"
            " / sum(where(z[j] >= z[k], 1, 0) for j in units) for k in units), 0)"
        ),
        numpy=_sparsemax,
        symbol=r"\operatorname{sparsemax}",
        range=("0", "1"),
        pushed=SPARSE.format("t"),
        steepest=2.0,
        pulled=(SPARSE.format("d"),),
        coupled=True,
    ),
    Row(
        "summed_sparsemax",
        # Sorted and summed twice, the units of the support give half of Σ_j Σ_k max(z_j, z_k) + Σ_j z_j.
        formula=(
            f"max(z - (sum(where({IN_SUPPORT}, z[j] + {ABOVE}, 0) for j in units) / 2 - 1)"
            f" / sum(where({IN_SUPPORT}, 1, 0) for j in units), 0)"
        ),
        numpy=_summed_sparsemax,
        symbol=r"\operatorname{SummedSparsemax}",
        # A support of K units lies within 1 below the largest, M: z - τ <= M - (M - 1) (K + 1) / 2 + 1 / K.
        range=("0", "(count + 3) / 2 + max(-max(low[j] for j in units), 0) * (count - 1) / 2"),
        keras=THROUGH_A_LAYER,
        pushed=(
            f"where(a > 0, t - sum(where({IN_SUPPORT}, {COUNTED.format('z[j]')} * t[j], 0) for j in units)"
            f" / {SUPPORT}, 0)"
        ),
        pulled=(
            f"where(a > 0, d, 0) - where({OWN_IN_SUPPORT}, {COUNTED.format('z')}, 0)"
            f" * sum(where(a[j] > 0, d[j], 0) for j in units) / {SUPPORT}",
        ),
        coupled=True,
    ),
    Row(
        "glu",
        formula="z / (1 + exp(-partner))",
        stable="z * exp(min(partner, 0)) / (1 + exp(-abs(partner)))",
        numpy=_glu,
        symbol=r"\operatorname{GLU}",
        range=("min(low, 0)", "max(high, 0)"),
        pushed=f"t * {GATE} + z * {GATE_SLOPE} * partner_t",
        pulled=(f"d * {GATE}", f"d * z * {GATE_SLOPE}"),
        coupled=True,
        halves=True,
    ),
    Row(
        "layer_normalization",
        formula=f"(z - {MEAN}) / sqrt({VARIANCE} + epsilon)",
        numpy=_layer_normalization,
        symbol=r"\operatorname{LayerNorm}",
        parameters={"epsilon": None},
        require=("epsilon > 0",),
        # The farthest that one of n numbers can lie from their mean, in standard deviations.
        range=("-sqrt(count - 1)", "sqrt(count - 1)"),
        keras=THROUGH_A_LAYER,
        pushed=f"{CENTRED.format('t')} / sqrt({VARIANCE} + epsilon)",
        pulled=(f"{CENTRED.format('d')} / sqrt({VARIANCE} + epsilon)",),
        coupled=True,
    ),
    Row(
        "rms_normalization",
        formula=f"z / {ROOT_MEAN_SQUARE}",
        numpy=lambda z, epsilon: z / np.sqrt(np.mean(np.square(z), axis=-1, keepdims=True) + epsilon),
        symbol=r"\operatorname{RMSNorm}",
        parameters={"epsilon": None},
        require=("epsilon > 0",),
        range=("-sqrt(count)", "sqrt(count)"),
        keras=THROUGH_A_LAYER,
        pushed=f"(t - a * sum(a[j] * t[j] for j in units) / count) / {ROOT_MEAN_SQUARE}",
        pulled=(f"(d - a * sum(a[j] * d[j] for j in units) / count) / {ROOT_MEAN_SQUARE}",),
        coupled=True,
    ),
    Row(
        "variance_scaling",
        formula=f"z / sqrt({VARIANCE} + epsilon)",
        numpy=lambda z, epsilon: z / np.sqrt(np.var(z, axis=-1, keepdims=True) + epsilon),
        symbol=r"\operatorname{VarianceScaling}",
        parameters={"epsilon": None},
        require=("epsilon > 0",),
        range=("min(low, 0) / sqrt(epsilon)", "max(high, 0) / sqrt(epsilon)"),
        keras=THROUGH_A_LAYER,
        pushed=(
            f"t / sqrt({VARIANCE} + epsilon) - a * sum((z[j] - {MEAN_OF_ALL}) * t[j] for j in units) / count"
            f" / ({VARIANCE} + epsilon)"
        ),
        pulled=(
            f"d / sqrt({VARIANCE} + epsilon) - (z - {MEAN}) * sum(a[j] * d[j] for j in units) / count"
            f" / ({VARIANCE} + epsilon)",
        ),
        coupled=True,
    ),
)
