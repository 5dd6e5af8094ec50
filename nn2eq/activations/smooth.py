"""Rows with curvature: sigmoids, exponential and logistic relatives of ReLU, and functions for inputs."""

from __future__ import annotations

import numpy as np

from nn2eq.activations.row import BOTH, THROUGH_A_LAYER, Array, Row
from nn2eq.erf import normal_cdf

# Self-normalising networks, Klambauer et al. 2017, with TensorFlow's digits.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

SIGMOID = "exp(min(z, 0)) / (1 + exp(-abs(z)))"
SOFTPLUS = "(max(z, 0) + log1p(exp(-abs(z))))"
# Shorter, and as good where only the error against 1 counts: the slope of what has the sigmoid as a factor.
SHORT_SIGMOID = "(1 + tanh(z / 2)) / 2"
GELU_TANH = "tanh(sqrt(2 / pi) * (z + 0.044715 * z**3))"
GELU_SLOPE = "sqrt(2 / pi) * (1 + 0.134145 * z**2)"


def _sigmoid(z: Array) -> Array:
    small = np.exp(-np.abs(z))
    return np.where(z < 0, small, 1.0) / (1.0 + small)


# Measured in TensorFlow, whose erf and tanh err relative to 1 while z multiplies them, over the margin of 2.25 that all
# roundings are given: 17.8 for gelu where it is fused with the product before it, 16.6 for mish, 11 for gelu_tanh.
GELU_ROUNDINGS, MISH_ROUNDINGS, GELU_TANH_ROUNDINGS = 8.0, 8.0, 5.0


def _mish(z: Array) -> Array:
    """Write tanh(softplus(z)) as a ratio of polynomials in exp(-|z|)."""
    e = np.exp(-np.abs(z))
    right = (1.0 + 2.0 * e) / (1.0 + 2.0 * e + 2.0 * e * e)
    left = e * (e + 2.0) / (e * (e + 2.0) + 2.0)
    return z * np.where(z > 0, right, left)


def _tanh_shrink(z: Array) -> Array:
    """Near 0, where z and tanh z cancel, use Lambert's tanh z = z / (1 + z² / (3 + z² / (5 + ...)))."""
    square, fraction = np.minimum(np.abs(z), 1.0) ** 2, np.zeros_like(z)
    for odd in range(21, 1, -2):
        fraction = square / (odd + fraction)
    return np.where(np.abs(z) < 1.0, z * fraction / (1.0 + fraction), z - np.tanh(z))


def _squareplus(z: Array, b: float) -> Array:
    root = np.hypot(z, np.sqrt(b)) + np.abs(z)
    return np.where(z < 0, b / root, root) / 2.0


def _sparse_plus(z: Array) -> Array:
    middle = np.clip(z, -1.0, 1.0) + 1.0
    return middle * middle / 4.0 + np.maximum(z - 1.0, 0.0)


SMOOTH = (
    Row(
        "sigmoid",
        formula="1 / (1 + exp(-z))",
        stable=SIGMOID,
        numpy=_sigmoid,
        derivative="a * (1 - a)",
        inverse="log(a / (1 - a))",
        symbol=r"\sigma",
        mirror=("-1", "0", "1"),
        keras=BOTH,
    ),
    Row(
        "tanh",
        formula="(exp(z) - exp(-z)) / (exp(z) + exp(-z))",
        stable="tanh(z)",
        numpy=np.tanh,
        derivative="1 - a**2",
        inverse="log((1 + a) / (1 - a)) / 2",
        symbol=r"\tanh",
        mirror=("-1", "0", "0"),
        keras=BOTH,
    ),
    Row(
        "softsign",
        formula="z / (1 + abs(z))",
        numpy=lambda z: z / (np.abs(z) + 1.0),
        derivative="1 / (1 + abs(z))**2",
        inverse="a / (1 - abs(a))",
        symbol=r"\operatorname{softsign}",
        mirror=("-1", "0", "0"),
        kinks=("0",),
        keras=BOTH,
    ),
    Row(
        "exponential",
        formula="exp(z)",
        numpy=np.exp,
        derivative="a",
        inverse="log(a)",
        symbol=r"\exp",
        keras=BOTH,
        transform="exp",
    ),
    Row(
        "softplus",
        formula="log(1 + exp(z))",
        stable=SOFTPLUS,
        numpy=lambda z: np.logaddexp(z, 0.0),
        derivative="1 - exp(-a)",
        inverse="log(exp(a) - 1)",
        symbol=r"\operatorname{softplus}",
        mirror=("1", "-1", "0"),
        keras=BOTH,
    ),
    Row(
        "squareplus",
        formula="(z + sqrt(z**2 + b)) / 2",
        stable="where(z < 0, b / (sqrt(z * z + b) + abs(z)), sqrt(z * z + b) + abs(z)) / 2",
        numpy=_squareplus,
        derivative="a / sqrt(z * z + b)",
        symbol=r"\operatorname{squareplus}",
        mirror=("1", "-1", "0"),
        parameters={"b": 4.0},
        require=("b > 0",),
    ),
    Row(
        "sparse_plus",
        formula="where(z <= -1, 0, where(z < 1, (z + 1)**2 / 4, z))",
        numpy=_sparse_plus,
        derivative="min(max((z + 1) / 2, 0), 1)",
        symbol=r"\operatorname{SparsePlus}",
        mirror=("1", "-1", "0"),
        kinks=("-1", "1"),
    ),
    Row(
        "elu",
        formula="where(z > 0, z, alpha * (exp(z) - 1))",
        stable="where(z > 0, z, alpha * expm1(min(z, 0)))",
        numpy=lambda z, alpha: np.maximum(z, 0.0) + alpha * np.expm1(np.minimum(z, 0.0)),
        derivative="where(z > 0, 1, a + alpha)",
        symbol=r"\operatorname{ELU}",
        parameters={"alpha": 1.0},
        turning=("0",),
        keras=BOTH,
    ),
    Row(
        "selu",
        formula=f"{SELU_SCALE} * where(z > 0, z, {SELU_ALPHA} * (exp(z) - 1))",
        stable=f"{SELU_SCALE} * where(z > 0, z, {SELU_ALPHA} * expm1(min(z, 0)))",
        numpy=lambda z: SELU_SCALE * (np.maximum(z, 0.0) + SELU_ALPHA * np.expm1(np.minimum(z, 0.0))),
        derivative=f"where(z < 0, a + {SELU_SCALE * SELU_ALPHA}, {SELU_SCALE})",
        symbol=r"\operatorname{SELU}",
        kinks=("0",),
        keras=BOTH,
    ),
    Row(
        "celu",
        formula="where(z > 0, z, alpha * (exp(z / alpha) - 1))",
        stable="where(z > 0, z, alpha * expm1(min(z, 0) / alpha))",
        numpy=lambda z, alpha: np.maximum(z, 0.0) + alpha * np.expm1(np.minimum(z, 0.0) / alpha),
        # At 0 TensorFlow answers 2, as both max(z, 0) and min(z, 0) pass the slope on; the slope is 1.
        derivative="where(z > 0, 1, exp(min(z, 0) / alpha))",
        symbol=r"\operatorname{CELU}",
        parameters={"alpha": 1.0},
        require=("alpha > 0",),
        kinks=("0",),
    ),
    Row(
        "silu",
        formula="z / (1 + exp(-z))",
        stable=f"z * {SIGMOID}",
        numpy=lambda z: z * _sigmoid(z),
        derivative=f"a + (1 - a) * {SHORT_SIGMOID}",
        symbol=r"\operatorname{SiLU}",
        mirror=("1", "-1", "0"),
        turning=("-1.278464542761074",),
        aliases=("swish",),
        keras=BOTH,
    ),
    Row(
        "hard_silu",
        formula="z * min(max(0, z + 3), 6) / 6",
        numpy=lambda z: z * np.clip(z + 3.0, 0.0, 6.0) / 6.0,
        derivative="where(z <= -3, 0, where(z < 3, (2 * z + 3) / 6, 1))",
        symbol=r"\operatorname{HardSiLU}",
        mirror=("1", "-1", "0"),
        turning=("-1.5",),
        kinks=("-3", "3"),
        aliases=("hard_swish",),
    ),
    Row(
        "gelu",
        formula="z / 2 * (1 + erf(z / sqrt(2)))",
        numpy=lambda z: z * normal_cdf(z),
        derivative="(1 + erf(z / sqrt(2))) / 2 + z * exp(-z**2 / 2) / sqrt(2 * pi)",
        symbol=r"\operatorname{GELU}",
        roundings=GELU_ROUNDINGS,
        mirror=("1", "-1", "0"),
        turning=("-0.7517915246935645",),
        keras=BOTH,
    ),
    Row(
        "gelu_tanh",
        formula=f"z / 2 * (1 + {GELU_TANH})",
        numpy=lambda z: z * _sigmoid(np.sqrt(8.0 / np.pi) * (z + 0.044715 * z**3)),
        derivative=f"(1 + {GELU_TANH}) / 2 + z * (1 - {GELU_TANH}**2) * {GELU_SLOPE} / 2",
        symbol=r"\operatorname{TanhGELU}",
        roundings=GELU_TANH_ROUNDINGS,
        mirror=("1", "-1", "0"),
        turning=("-0.7524614220710163",),
        keras=THROUGH_A_LAYER,
    ),
    Row(
        "mish",
        formula="z * tanh(log(1 + exp(z)))",
        stable=f"z * tanh{SOFTPLUS}",
        numpy=_mish,
        derivative=f"tanh{SOFTPLUS} + z * (1 - tanh{SOFTPLUS}**2) * {SHORT_SIGMOID}",
        symbol=r"\operatorname{mish}",
        roundings=MISH_ROUNDINGS,
        turning=("-1.1924312145154953",),
        keras=BOTH,
    ),
    Row(
        "tanh_shrink",
        formula="z - tanh(z)",
        numpy=_tanh_shrink,
        derivative="tanh(z)**2",
        symbol=r"\operatorname{TanhShrink}",
        mirror=("-1", "0", "0"),
    ),
    Row(
        "log_sigmoid",
        formula="log(1 / (1 + exp(-z)))",
        stable="min(z, 0) - log1p(exp(-abs(z)))",
        numpy=lambda z: -np.logaddexp(0.0, -z),
        derivative="1 - exp(a)",
        symbol=r"\operatorname{LogSigmoid}",
        mirror=("1", "-1", "0"),
    ),
)
