"""Rows that no Keras file names: functions by which people transform an input before the network sees it."""

from __future__ import annotations

import numpy as np

from nn2eq.activations.row import NOT_IN_KERAS, Row

INPUT_TRANSFORMS = (
    Row(
        "log",
        formula="log(z)",
        numpy=np.log,
        derivative="1 / z",
        symbol=r"\log",
        domain=("0", "inf"),
        keras=NOT_IN_KERAS,
        transform="log",
    ),
    Row(
        "log10",
        formula="log10(z)",
        numpy=np.log10,
        derivative="1 / (z * log(10))",
        symbol=r"\log_{10}",
        domain=("0", "inf"),
        keras=NOT_IN_KERAS,
        transform="log10",
    ),
    Row(
        "log2",
        formula="log(z) / log(2)",
        numpy=np.log2,
        derivative="1 / (z * log(2))",
        symbol=r"\log_{2}",
        domain=("0", "inf"),
        keras=NOT_IN_KERAS,
        transform="log2",
    ),
    Row(
        "log1p",
        formula="log(1 + z)",
        stable="log1p(z)",
        numpy=np.log1p,
        derivative="1 / (1 + z)",
        symbol=r"\operatorname{log1p}",
        domain=("-1", "inf"),
        keras=NOT_IN_KERAS,
        transform="log1p",
    ),
    Row(
        "expm1",
        formula="exp(z) - 1",
        stable="expm1(z)",
        numpy=np.expm1,
        derivative="exp(z)",
        symbol=r"\operatorname{expm1}",
        keras=NOT_IN_KERAS,
        transform="expm1",
    ),
    Row(
        "sqrt",
        formula="sqrt(z)",
        numpy=np.sqrt,
        derivative="1 / (2 * a)",
        symbol=r"\operatorname{sqrt}",
        domain=("0", "inf"),
        keras=NOT_IN_KERAS,
        transform="sqrt",
    ),
    Row(
        "square",
        formula="z**2",
        numpy=np.square,
        derivative="2 * z",
        symbol=r"\operatorname{square}",
        mirror=("1", "0", "0"),
        turning=("0",),
        keras=NOT_IN_KERAS,
        transform="square",
    ),
    Row(
        "reciprocal",
        formula="1 / z",
        numpy=np.reciprocal,
        derivative="-a**2",
        symbol=r"\operatorname{reciprocal}",
        mirror=("-1", "0", "0"),
        turning=("0",),
        keras=NOT_IN_KERAS,
        transform="reciprocal",
    ),
)
