"""The Taylor form: a network as a polynomial around a point, by truncated power series through its layers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import BadRequest
from nn2eq.network import Affine, Map, Network, Selected
from nn2eq.series import Truncation, apply, truncation

Array = NDArray[np.float64]


def expand(network: Network, at: Array, order: int) -> Array:
    """Return the outputs' series around a point (inputs,): (terms, outputs), by total degree up to the order.

    Raises BadRequest where the network is not smooth or not defined at the point.
    """
    space = truncation(network.inputs, order)
    series = space.point(np.asarray(at, dtype=np.float64))
    for step in network.maps:
        series = through(step, series, space)
    if not np.all(np.isfinite(series)):
        where = ", ".join(f"{value:g}" for value in np.atleast_1d(at)[:8])
        raise BadRequest(
            "no Taylor series at this point", code="not-smooth", where=where, way_out="give another --at"
        )
    return series


def through(step: Map, series: Array, space: Truncation) -> Array:
    """Take a series (terms, units) through one map of a network."""
    if isinstance(step, Affine):
        return _affine(step, series)
    if isinstance(step, Selected):
        out = series.copy()
        out[:, list(step.units)] = apply(step.activation, series[:, list(step.units)], space)
        return out
    return apply(step, series, space)


def _affine(step: Affine, series: Array) -> Array:
    blocks = series.reshape(len(series), step.repeat, -1)
    kernel = step.kernel.astype(np.float64)
    out = blocks * kernel if step.is_diagonal else blocks @ kernel
    if step.bias is not None:
        out[0] += step.bias
    return out.reshape(len(series), -1)
