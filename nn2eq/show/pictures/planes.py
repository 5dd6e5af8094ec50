"""What pictures over two inputs share: the panel of a function, its scale, the data in it, its joints."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from nn2eq.domain import Domain
from nn2eq.network import Network
from nn2eq.show.pictures.curves import over
from nn2eq.show.pictures.scene import Scene
from nn2eq.show.pictures.theme import Theme, plain

Array = NDArray[np.float64]
CONTOURS = 8


def name_inputs(axes: Axes, network: Network) -> None:
    """Name both axes after the inputs."""
    first, second = network.input_labels
    axes.set_xlabel(plain(first))
    axes.set_ylabel(plain(second))


def field(
    figure: Figure, axes: Axes, box: Domain, values: Array, theme: Theme, *, label: str, signed: bool = False,
    limits: tuple[float, float] | None = None,
) -> AxesImage:  # fmt: skip
    """Draw values (points,) over a plane as colours with a bar, and as lines of equal value where they vary.

    Where values leave the limits, the bar ends in an arrow.
    """
    first, second, _ = over(box)
    table = np.ma.masked_invalid(values.reshape(len(second), len(first)))
    low, high = limits or ends(values)
    if signed:
        low, high = -max(abs(low), abs(high)), max(abs(low), abs(high))
    scale: Any = LinearSegmentedColormap.from_list("signed", theme.signed) if signed else theme.ramp
    shown = image(axes, first, second, table, "bilinear", cmap=scale, vmin=low, vmax=high)
    if high > low and not signed:
        levels = np.linspace(low, high, CONTOURS + 2)[1:-1]
        axes.contour(
            first, second, table, levels=levels, colors="white", linestyles="solid", linewidths=0.6, alpha=0.6
        )
    bar = figure.colorbar(shown, ax=axes, shrink=0.9, pad=0.02, extend=_beyond(values, low, high))
    bar.set_label(plain(label))
    bar.outline.set_visible(False)
    return shown


def ends(*several: Array) -> tuple[float, float]:
    """Return the least and the largest of values, as far as they are finite; (0, 0) if none is."""
    finite = np.concatenate([values[np.isfinite(values)] for values in several])
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _beyond(values: Array, low: float, high: float) -> str:
    """Return in matplotlib's words at which ends of a scale there are values beyond it."""
    least, most = ends(values)
    hair = 0.01 * (high - low)
    under, over = least < low - hair, most > high + hair
    return "both" if under and over else "min" if under else "max" if over else "neither"


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


def scatter(axes: Axes, scene: Scene, output: int, shown: AxesImage, box: Domain) -> None:
    """Draw the data inside a box, coloured by their targets on the panel's own scale where these are known."""
    if scene.data is None:
        return
    low, high = np.array(box).T
    inside = ((scene.data.rows >= low) & (scene.data.rows <= high)).all(axis=1)
    targets = scene.data.targets
    colour: dict[str, Any] = (
        {"c": "white"} if targets is None
        else {"c": targets[inside, output], "norm": shown.norm, "cmap": shown.get_cmap()}
    )  # fmt: skip
    first, second = scene.data.rows[inside].T
    points = axes.scatter(
        first, second, s=16, linewidths=0.7, edgecolors="black", zorder=3, clip_on=False, **colour
    )
    points.set_path_effects(
        [withStroke(linewidth=2.4, foreground="white")]
    )  # so that it is seen on any colour


def segments(axes: Axes, lines: list[Array], **style: Any) -> LineCollection:
    """Draw straight lines, (2, 2) each."""
    found = LineCollection(lines, **style)
    axes.add_collection(found)
    return found
