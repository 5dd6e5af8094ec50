"""What pictures over two inputs share: the panel of a function, its scale, the data in it, its joints."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from nn2eq.domain import Domain
from nn2eq.network import Network
from nn2eq.show.pictures.curves import over
from nn2eq.show.pictures.scene import Scene, inputs_of
from nn2eq.show.pictures.theme import Theme, plain

Array = NDArray[np.float64]
CONTOURS = 8


def name_inputs(axes: Axes, network: Network) -> None:
    """Name both axes after the inputs."""
    first, second = inputs_of(network)
    axes.set_xlabel(plain(first))
    axes.set_ylabel(plain(second))


def field(
    figure: Figure, axes: Axes, box: Domain, values: Array, theme: Theme, *, label: str, signed: bool = False,
    limits: tuple[float, float] | None = None,
) -> AxesImage:  # fmt: skip
    """Draw values (points,) over a plane as colours with a bar, and as lines of equal value where they vary."""
    first, second, _ = over(box)
    table = np.ma.masked_invalid(values.reshape(len(second), len(first)))
    low, high = limits or (float(table.min()), float(table.max()))
    if signed:
        low, high = -max(abs(low), abs(high)), max(abs(low), abs(high))
    scale: Any = LinearSegmentedColormap.from_list("signed", theme.signed) if signed else theme.ramp
    shown = image(axes, first, second, table, "bilinear", cmap=scale, vmin=low, vmax=high)
    if high > low and not signed:
        levels = np.linspace(low, high, CONTOURS + 2)[1:-1]
        axes.contour(first, second, table, levels=levels, colors="white", linewidths=0.6, alpha=0.6)
    bar = figure.colorbar(shown, ax=axes, shrink=0.9, pad=0.02)
    bar.ax.set_title(plain(label, 14), fontsize=9)
    bar.outline.set_visible(False)
    return shown


def image(
    axes: Axes, first: Array, second: Array, table: NDArray[Any], interpolation: str, **style: Any
) -> AxesImage:
    """Draw a table (second, first) of values over both axes, each in the middle of its pixel."""
    across, up = ((axis[-1] - axis[0]) / (len(axis) - 1) / 2 for axis in (first, second))
    around = (first[0] - across, first[-1] + across, second[0] - up, second[-1] + up)
    shown = axes.imshow(
        table, origin="lower", extent=around, aspect="auto", interpolation=interpolation, zorder=0, **style
    )
    axes.set_xlim(first[0], first[-1])
    axes.set_ylim(second[0], second[-1])
    return shown


def scatter(axes: Axes, scene: Scene, output: int, shown: AxesImage) -> None:
    """Draw the data, coloured by their targets on the panel's own scale where these are known."""
    if scene.data is None:
        return
    targets = scene.data.targets
    colour: dict[str, Any] = (
        {"c": "white"} if targets is None else {"c": targets[:, output], "norm": shown.norm}
    )
    if targets is not None:
        colour["cmap"] = shown.get_cmap()
    first, second = scene.data.rows.T
    axes.scatter(first, second, s=34, c="white", linewidths=0, zorder=2.9)  # so that it is seen on any colour
    axes.scatter(first, second, s=14, linewidths=0.7, edgecolors="black", zorder=3, **colour)


def segments(axes: Axes, lines: list[Array], **style: Any) -> LineCollection:
    """Draw straight lines, (2, 2) each."""
    found = LineCollection(lines, **style)
    axes.add_collection(found)
    return found
