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
from nn2eq.show.pictures.scene import Scene, require_inputs
from nn2eq.show.pictures.style import Picture, key, line, panels, titled, zero
from nn2eq.show.pictures.theme import plain

Array = NDArray[np.float64]
MOST = 24
"""Panels that a picture may have."""
TOGETHER = 5
"""Outputs drawn in one panel."""


def derivatives(scene: Scene) -> Picture:
    """Draw y and dy/dx over one input, every partial derivative over two."""
    for network in scene.networks:
        require_inputs(network, 1, 2, kind="derivatives")
    count = sum(network.outputs for network in scene.networks)
    if count > MOST:
        raise TooLarge(f"{count} outputs to draw", code="too-large", way_out=f"draw up to {MOST} at once")
    return _lines(scene) if scene.network.inputs == 1 else _planes(scene, count)


def _lines(scene: Scene) -> Picture:
    parts = [
        (network, title, range(first, min(first + TOGETHER, network.outputs)))
        for network, title in zip(scene.networks, scene.titles, strict=True)
        for first in range(0, network.outputs, TOGETHER)
    ]
    columns = 2 if len(parts) == 4 else min(len(parts), 3)
    blocks = -(-len(parts) // columns)
    picture, axes = panels(2 * blocks, columns, width=4.6 if columns == 1 else 3.8, height=2.4)
    for place, (network, title, chosen) in enumerate(parts):
        row, column = 2 * (place // columns), place % columns
        _pair_of_lines(scene, axes[row][column], axes[row + 1][column], network, list(chosen))
        titled(axes[row][column], title if len(scene.networks) > 1 else "")
    for unused in range(len(parts), blocks * columns):
        for row in (0, 1):
            axes[2 * (unused // columns) + row][unused % columns].set_axis_off()
    return picture


def _pair_of_lines(scene: Scene, above: Axes, below: Axes, network: Network, chosen: list[int]) -> None:
    """Draw some outputs, and below them their derivatives in the same colours."""
    box, name = scene.box(network), plain(network.input_labels[0])
    x, slope = piecewise(network, box, joints(network, box))
    names = [plain(network.output_labels[one], 20) for one in chosen]
    for axes, values in ((above, network.evaluate(x)), (below, slope)):
        zero(axes, scene.theme)
        for number, output in enumerate(chosen):
            axes.plot(x[:, 0], values[:, output], **line(scene.theme, number), label=names[number])
        axes.set_xlim(*box[0])
    above.set_ylabel(", ".join(names if len(names) < 3 else (names[0], "…", names[-1])))
    below.set_ylabel(f"d{names[0]}/d{name}" if len(names) == 1 else f"d/d{name}")
    below.set_xlabel(name)
    above.tick_params(labelbottom=False)
    if len(names) > 1:
        key(above)


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


def _planes(scene: Scene, count: int) -> Picture:
    picture, axes = panels(count, 2, width=4.3, height=3.5)
    row = 0
    for index, network in enumerate(scene.networks):
        box = scene.box(network)
        slope = slopes(network, over(box)[2])
        for output, name in enumerate(network.output_labels):
            title = scene.titles[index] if len(scene.networks) > 1 else ""
            _pair(picture, axes[row], scene, network, box, slope[:, :, output], plain(name, 12))
            axes[row][0].set_title(title)
            row += 1
    return picture


def _pair(
    picture: Picture, axes: list[Axes], scene: Scene, network: Network, box: Domain, slope: Array, name: str
) -> None:
    """Draw both partial derivatives of an output on one scale."""
    low, high = float(slope.min()), float(slope.max())
    for panel, by, values in zip(axes, network.input_labels, slope.T, strict=True):
        label = f"∂{name}/∂{plain(by, 17)}"
        field(picture, panel, box, values, scene.theme, label=label, signed=True, limits=(low, high))
        name_inputs(panel, network)
