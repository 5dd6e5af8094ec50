"""The Taylor form: a network as a polynomial around a point, by truncated power series through its layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.domain import domain_of, point_of
from nn2eq.errors import BadRequest
from nn2eq.forms.frame import inputs_of, outputs_of, predicting, program_of
from nn2eq.forms.program import Constant, Polynomial, Program
from nn2eq.network import Affine, Map, Network, Selected
from nn2eq.series import Truncation, apply, truncation

Array = NDArray[np.float64]
Domain = Sequence[Sequence[float]] | Sequence[float]


def taylor(
    network: Network,
    order: int = 3,
    at: Sequence[float] | Array | None = None,
    domain: Domain | None = None,
    *,
    seconds: float = 10.0,
) -> Program:
    """Return the network's Taylor polynomial of a total degree around a point.

    at: the point, one number or one for each input; by default the middle of the domain, else 0. With a
    domain, (low, high) for all inputs or for each, the program carries the proved bound of its distance from
    the network there, found within so many seconds, and an observed one. A network that is affine in pieces
    becomes the affine map of the point's own piece; a note says how far that reaches. Raises BadRequest,
    TooLarge.
    """
    network.require_numbers("the taylor form")
    box = domain_of(domain, network.inputs) if domain is not None else ()
    point = _point(at, box, network.inputs)
    with np.errstate(all="ignore"):  # beyond float64 there is no series, which is said
        series, region = _expanded(network, point, order)
    program = _program(network, series, truncation(network.inputs, order), point)
    program = replace(
        program,
        notes=tuple(_notes(network, point, order, region)),
        exact=False,
        told={"order": order, "at": tuple(point.tolist())},
    )
    if not box:
        return program
    from nn2eq.forms.distance import measured  # only this needs ball arithmetic

    return measured(network, program, box, seconds=seconds)


def _point(at: Sequence[float] | Array | None, box: Sequence[tuple[float, float]], inputs: int) -> Array:
    if at is None:
        return np.array([low / 2 + high / 2 for low, high in box]) if box else np.zeros(inputs)
    return point_of(at, inputs)


def expand(network: Network, at: Array, order: int) -> Array:
    """Return the outputs' series around a point (inputs,): (terms, outputs), by total degree up to the order.

    Raises BadRequest where the network is not smooth or not defined at the point, TooLarge.
    """
    with np.errstate(all="ignore"):
        return _expanded(network, at, order)[0]


@dataclass(frozen=True, eq=False)
class Region:
    """How far around a point a network that is affine in pieces stays on the point's own piece.

    box: half the width of the largest box around the point; radius: of the largest ball. along (inputs, 2):
    how far down and up each axis alone. on_edge: whether the point itself lies on a breakpoint, the piece
    then being that to its left.
    """

    box: float
    radius: float
    along: Array
    on_edge: bool


def _expanded(network: Network, at: Array, order: int) -> tuple[Array, Region | None]:
    if order < 0:
        raise BadRequest("the order is negative", code="order", way_out="give --order 0 or more")
    space = truncation(network.inputs, order)
    is_affine = order > 0 and all(isinstance(step, Affine) or _is_affine(step) for step in network.maps)
    series, walls = space.point(at), []
    for step in network.maps:
        if is_affine and not isinstance(step, Affine):
            walls.append(_walls(step, series, network.inputs))
        series = through(step, series, space)
    if not np.all(np.isfinite(series)):
        where = ", ".join(f"{value:g}" for value in at[:8])
        raise BadRequest(
            "no Taylor series at this point", code="not-smooth", where=where, way_out="give another --at"
        )
    return series, _region(np.concatenate(walls, axis=1)) if walls else None


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
    return np.asarray(out.reshape(len(series), -1))


# -------------------------------------------------------------------------------- the piece of a point


def _is_affine(step: Map) -> bool:
    activation = step.activation if isinstance(step, Selected) else step
    return not isinstance(activation, Affine) and bool(activation.row.pieces)


def _walls(step: Map, series: Array, inputs: int) -> Array:
    """Return breakpoints as seen from the point, (1 + inputs, n): how far z is from each, its gradient."""
    assert not isinstance(step, Affine)
    activation = step.activation if isinstance(step, Selected) else step
    z = series[:, list(step.units)] if isinstance(step, Selected) else series
    gradient = z[1 : 1 + inputs]
    gaps = [np.concatenate([(place - z[0])[None], gradient]) for place in activation.breakpoints]
    return np.concatenate(gaps, axis=1) if gaps else np.zeros((1 + inputs, 0))


def _region(walls: Array) -> Region:
    """Find the walls that are met first; z is affine up to there."""
    gap, gradient = walls[0], walls[1:]
    on_edge = bool(np.any(gap == 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = gap / gradient
        box = np.abs(gap) / np.abs(gradient).sum(axis=0)
        radius = np.abs(gap) / np.sqrt((gradient**2).sum(axis=0))
    ahead = [
        np.where(sign * steps > 0, np.abs(steps), np.inf).min(axis=1, initial=np.inf) for sign in (-1, 1)
    ]
    along = np.where(on_edge, 0.0, np.array(ahead).T)
    return Region(_least(box), _least(radius), along, on_edge)


def _least(values: Array) -> float:
    """Return the smallest distance; a unit that does not move with x never gets anywhere."""
    return float(np.min(np.where(np.isnan(values), np.inf, values), initial=np.inf))


# ------------------------------------------------------------------------------------------ the program


def _program(network: Network, series: Array, space: Truncation, at: Array) -> Program:
    x, y = inputs_of(network), outputs_of(network)
    used = np.any(series != 0.0, axis=1)
    used[0] = True
    centre = Constant("x0", at) if np.any(at) else None
    step = Polynomial(y, x, space.exponents[used], Constant("c", series[used]), centre)
    return program_of(network, predicting(x, y, step), "nested", "taylor")


def _notes(network: Network, at: Array, order: int, region: Region | None) -> list[str]:
    where = ", ".join(repr(float(value)) for value in at[:8]) + (", ..." if len(at) > 8 else "")
    notes = [f"Taylor polynomial of total degree {order} at {where}"]
    if region is None:
        return notes
    if region.on_edge:
        return [
            *notes,
            "the network is affine in pieces; the point is on a breakpoint, this is a piece beside it",
        ]
    if np.isinf(region.box):
        return [*notes, "the network is affine in pieces; this is exact everywhere"]
    notes.append(
        "the network is affine in pieces; this is exact while no input moves by more than "
        f"{_down(region.box)}, or all together by {_down(region.radius)}"
    )
    names = network.input_labels
    if len(names) <= 8:
        for name, value, (below, above) in zip(names, at, region.along, strict=True):
            notes.append(f"exact along {name} alone from {_up(value - below)} to {_down(value + above)}")
    return notes


def _down(value: float) -> str:
    """Write a number with six digits, none of them promising more."""
    return f"{value - 1e-6 * abs(value) if np.isfinite(value) else value:.6g}"


def _up(value: float) -> str:
    return f"{value + 1e-6 * abs(value) if np.isfinite(value) else value:.6g}"
