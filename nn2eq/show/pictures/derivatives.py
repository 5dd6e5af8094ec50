"""The derivatives of a network by its inputs: beside the function in one input, over the plane in two."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nn2eq.domain import Domain
from nn2eq.errors import TooLarge
from nn2eq.network import Network
from nn2eq.show.pictures.curves import POINTS, Joint, joints, over, slopes
from nn2eq.show.pictures.planes import field, name_inputs
from nn2eq.show.pictures.scene import Scene, inputs_of, outputs_of, require_inputs
from nn2eq.show.pictures.style import Picture, line, panels, zero
from nn2eq.show.pictures.theme import plain

Array = NDArray[np.float64]
MOST = 24
"""Panels that a picture may have."""


def derivatives(scene: Scene) -> Picture:
    """Draw y and dy/dx over one input, every partial derivative over two."""
    for network in scene.networks:
        require_inputs(network, 1, 2, kind="derivatives")
    count = sum(network.outputs for network in scene.networks)
    if count > MOST:
        raise TooLarge(f"{count} outputs to draw", code="too-large", way_out=f"draw up to {MOST} at once")
    return _lines(scene) if scene.network.inputs == 1 else _planes(scene, count)


def _lines(scene: Scene) -> Picture:
    columns = len(scene.networks)
    picture, axes = panels(2, columns, width=4.6 if columns == 1 else 3.6, height=2.4, sharex="col")
    for column, network in enumerate(scene.networks):
        box = scene.box(network)
        bends = joints(network, box)
        x, slope = piecewise(network, box, bends)
        _several(scene, axes[0][column], x, network.evaluate(x), outputs_of(network))
        name = plain(inputs_of(network)[0])
        _several(scene, axes[1][column], x, slope, tuple(f"d{one}/d{name}" for one in outputs_of(network)))
        axes[1][column].set_xlabel(name)
        axes[1][column].set_xlim(*box[0])
        if columns > 1:
            axes[0][column].set_title(scene.titles[column])
    return picture


def piecewise(network: Network, box: Domain, bends: tuple[Joint, ...]) -> tuple[Array, Array]:
    """Return points (n, 1) and the derivatives there (n, outputs), NaN at each breakpoint, where they jump.

    Each piece is looked at a little inside its ends, since rounding may put an end onto the next piece.
    """
    ((low, high),) = box
    ends = np.unique([low, *(bend.place for bend in bends), high])
    xs, found = [], []
    for start, stop in pairwise(ends):
        part = np.linspace(0.0, 1.0, max(3, round(POINTS * (stop - start) / (high - low))))
        inside = start + (stop - start) * np.clip(part, 1e-6, 1 - 1e-6)
        xs += [start + (stop - start) * part, np.array([stop])]
        found += [slopes(network, inside[:, None])[:, 0], np.full((1, network.outputs), np.nan)]
    return np.concatenate(xs)[:, None], np.concatenate(found)


def _several(scene: Scene, axes: Axes, x: Array, values: Array, names: tuple[str, ...]) -> None:
    zero(axes, scene.theme)
    for number, name in enumerate(names):
        axes.plot(x[:, 0], values[:, number], **line(scene.theme, number), label=plain(name))
    if len(names) == 1:
        axes.set_ylabel(plain(names[0]))
    else:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _planes(scene: Scene, count: int) -> Picture:
    picture, axes = panels(count, 2, width=4.3, height=3.5)
    row = 0
    for index, network in enumerate(scene.networks):
        box = scene.box(network)
        slope = slopes(network, over(box)[2])
        for output, name in enumerate(outputs_of(network)):
            title = scene.titles[index] if len(scene.networks) > 1 else ""
            _pair(picture, axes[row], scene, network, box, slope[:, :, output], name)
            axes[row][0].set_title(title)
            row += 1
    return picture


def _pair(
    picture: Picture, axes: list[Axes], scene: Scene, network: Network, box: Domain, slope: Array, name: str
) -> None:
    """Draw both partial derivatives of an output on one scale."""
    low, high = float(slope.min()), float(slope.max())
    for panel, by, values in zip(axes, inputs_of(network), slope.T, strict=True):
        label = f"∂{plain(name)}/∂{plain(by)}"
        field(picture, panel, box, values, scene.theme, label=label, signed=True, limits=(low, high))
        name_inputs(panel, network)
