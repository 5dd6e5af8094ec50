"""How the weights of each layer are distributed."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from nn2eq.errors import BadRequest
from nn2eq.network import Layer, Network
from nn2eq.show.pictures.scene import Scene
from nn2eq.show.pictures.style import Picture, panels
from nn2eq.show.pictures.theme import number, plain

Array = NDArray[np.float64]
MOST = 48
"""Layers that a picture may have."""


def weights(scene: Scene) -> Picture:
    """Draw a histogram for each array of weights, one row a network; ticks below it are its single numbers, if few."""
    rows = [_arrays(network) for network in scene.networks]
    columns = min(max(map(len, rows)), 4)
    heights = [-(-len(row) // columns) for row in rows]
    picture, axes = panels(sum(heights), columns, width=3.0, height=2.3)
    for panel in (panel for line in axes for panel in line):
        panel.set_axis_off()
    top = 0
    for row, height, title in zip(rows, heights, scene.titles, strict=True):
        for place, (name, values) in enumerate(row):
            panel = axes[top + place // columns][place % columns]
            _histogram(scene, panel, name if len(rows) == 1 else f"{title}\n{name}", values)
        top += height
    return picture


def _arrays(network: Network) -> list[tuple[str, Array]]:
    """Return the name and numbers of every array of weights. Raises BadRequest if there are none, or very many."""
    found = [
        (f"{plain(layer.name, 24)}: {plain(name, 16)}", np.asarray(array, dtype=np.float64).ravel())
        for layer in network.layers
        for name, array in _kept(layer)
    ]
    if not found or len(found) > MOST:
        raise BadRequest(
            f"{len(found)} arrays of weights", code="kind-model", way_out=f"a picture is of 1 to {MOST}"
        ).in_file(network.source.file)
    return found


def _kept(layer: Layer) -> list[tuple[str, NDArray[np.generic]]]:
    return [(name, array) for name, array in layer.weights.items() if array.size]


def _histogram(scene: Scene, axes: Axes, name: str, values: Array) -> None:
    theme = scene.theme
    axes.set_axis_on()
    finite = values[np.isfinite(values)]
    low, high = float(finite.min(initial=0.0)), float(finite.max(initial=0.0))
    room = 0.05 * (high - low) or 1.0
    bins = int(np.clip(2 * np.ceil(np.sqrt(len(finite))), 8, 80))
    axes.hist(
        finite, bins=bins, range=(low, high), color=theme.colours[0], edgecolor=theme.paper, linewidth=0.4
    )
    if len(finite) <= 200:
        axes.plot(
            finite, np.full(len(finite), -0.03), "|", color=theme.ink, markersize=6, markeredgewidth=0.8, clip_on=False,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    axes.set_xlim(low - room, high + room)
    axes.tick_params(axis="x", pad=6.0)
    axes.axvline(0.0, color=theme.muted, linewidth=0.8)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_ylabel("count")
    spread = f"mean {number(float(finite.mean()))}, sd {number(float(finite.std()))}"
    said = (
        f"{len(values):,} numbers, {spread}" if len(values) > 1 else f"1 number, {number(float(values[0]))}"
    )
    axes.set_title(f"{name}\n{said}", fontsize=8.5, loc="left")
