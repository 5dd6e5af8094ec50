"""Where to look at a network: points along a line or over a plane, its joints, and its slopes there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.domain import Domain
from nn2eq.errors import TooLarge, UnsupportedModel
from nn2eq.formula import evaluate, walk
from nn2eq.network import Affine, Map, Network, Selected
from nn2eq.series import apply, truncation

Array = NDArray[np.float64]

POINTS = 801
GRID = 241
"""Points along a line, and along each side of a plane."""
REGIONS = 20_000
"""Pieces up to which joints are looked for."""


@dataclass(frozen=True)
class Joint:
    """Where a network of one input bends: the place, and the layer whose units do (counted from 1)."""

    place: float
    layer: int
    units: tuple[str, ...] = ()


def affine_part(network: Network) -> Network | None:
    """Return a network up to what is smooth behind its last joint; None if it cannot be told where it bends.

    A sigmoid behind layers of ReLU bends where these do, and is left out.
    """
    layers = []
    for number, layer in enumerate(network.layers):
        head = 0
        while head < len(layer.maps) and _has_pieces(layer.maps[head]):
            head += 1
        layers.append(replace(layer, maps=layer.maps[:head]))
        if head < len(layer.maps):
            behind = [
                *layer.maps[head:],
                *(map for later in network.layers[number + 1 :] for map in later.maps),
            ]
            return replace(network, layers=tuple(layers)) if not any(map(_bends, behind)) else None
    return network


def _activation(step: Map) -> Activation | None:
    return None if isinstance(step, Affine) else step.activation if isinstance(step, Selected) else step


def _has_pieces(step: Map) -> bool:
    activation = _activation(step)
    return activation is None or activation.is_linear or bool(activation.row.pieces)


def _bends(step: Map) -> bool:
    activation = _activation(step)
    if activation is None or not activation.row.coupled:
        return activation is not None and bool(activation.row.pieces or activation.row.kinks)
    return any(
        node.op in _CORNERS for node in walk(activation.formula)
    )  # softmax is smooth, sparsemax is not


_CORNERS = {"max", "min", "where", "abs", "largest"}
"""Primitives of formulas that are not smooth."""


def joints(network: Network, box: Domain) -> tuple[Joint, ...]:
    """Return where a network of one input bends inside a box, exactly, from left to right; () if smooth."""
    from nn2eq.cells import regions  # the exact pieces are wanted only here

    part = affine_part(network)
    if part is None or all(_activation(step) is None for step in part.maps):
        return ()
    try:
        found = regions(part, box, max_regions=REGIONS)
    except (UnsupportedModel, TooLarge):
        return ()
    marked = [
        Joint(joint.place, chapter.layer, joint.units)
        for chapter in (found.story if found.complete else ())
        for joint in chapter.joints
    ]
    return tuple(sorted(marked, key=lambda joint: joint.place))


def turns(x: Array, values: Array, place: float) -> bool:
    """Whether a function that is affine on both sides of a place has another slope on the left than on the right."""
    at = np.searchsorted(x, place)
    left, right = x < np.nextafter(place, -np.inf), x > np.nextafter(place, np.inf)
    if left.sum() < 2 or right.sum() < 2 or not 0 < at < len(x) - 1:
        return False
    near, far = np.flatnonzero(left)[-1], np.flatnonzero(right)[0]
    before = (values[at] - values[near]) / (x[at] - x[near])
    after = (values[far] - values[at]) / (x[far] - x[at])
    scale = np.ptp(values) / max(np.ptp(x), np.finfo(float).tiny)
    return bool(abs(after - before) > 1e-6 * max(scale, abs(before), abs(after)))


def along(box: Domain, marked: tuple[Joint, ...] = (), points: int = POINTS) -> Array:
    """Return points (n, 1) along an interval, with every joint and both its sides among them."""
    (low, high) = box[0]
    places = np.array([joint.place for joint in marked])
    beside = [np.nextafter(places, -np.inf), places, np.nextafter(places, np.inf)]
    inside = np.clip(np.concatenate([np.linspace(low, high, points), *beside]), low, high)
    return np.unique(inside)[:, None]


def over(box: Domain, points: int = GRID) -> tuple[Array, Array, Array]:
    """Return both axes (n,) of a plane, and its points (n * n, 2), the first input running fastest."""
    first, second = (np.linspace(low, high, points) for low, high in box)
    x1, x2 = np.meshgrid(first, second)
    return first, second, np.stack([x1.ravel(), x2.ravel()], axis=1)


def slopes(network: Network, x: Array) -> Array:
    """Return the derivative of every output by every input: x (n, inputs) to (n, inputs, outputs).

    Forward through the layers, by the rows' derivatives; at a breakpoint it is that of TensorFlow's convention.
    """
    value = np.asarray(x, dtype=np.float64)
    slope = np.broadcast_to(np.eye(network.inputs), (len(value), network.inputs, network.inputs))
    for step in network.maps:
        if isinstance(step, Affine):
            value, slope = step(value), replace(step, bias=None)(slope)
        elif isinstance(step, Selected):
            chosen, slope = list(step.units), np.array(slope)
            slope[..., chosen] = _sloped(step.activation, value[:, chosen], slope[..., chosen])
            value = step(value)
        else:
            value, slope = step(value), _sloped(step, value, slope)
    return slope


def _sloped(activation: Activation, z: Array, slope: Array) -> Array:
    """Apply the chain rule: z (n, units), slope (n, inputs, units) to (n, inputs, outputs)."""
    if activation.derivative is not None:
        values = {"z": z, "a": activation(z), **activation.per_unit}
        return slope * np.broadcast_to(evaluate(activation.derivative, values), z.shape)[:, None]
    # Units that are coupled: their power series, all samples side by side as groups that know nothing of each other.
    many = {key: np.tile(value, len(z)) for key, value in activation.per_unit.items()}
    alike = replace(
        activation, parameters={**activation.parameters, **many}, groups=activation.groups * len(z)
    )
    series = np.concatenate([z[:, None], slope], axis=1).swapaxes(0, 1)
    found = apply(alike, series.reshape(len(series), -1), truncation(slope.shape[1], 1))
    return found.reshape(len(series), len(z), -1)[1:].swapaxes(0, 1)
