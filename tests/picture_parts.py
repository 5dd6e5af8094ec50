"""What tests of pictures look at: lines by their labels, pixels, and where a function bends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nn2eq
from nn2eq.network import Network
from nn2eq.show.pictures.style import Picture

Array = NDArray[np.float64]
MODELS = Path(__file__).parent.parent / "models"


def shipped(name: str) -> Network:
    return nn2eq.read(MODELS / f"{name}.keras")


def labelled(picture: Picture, label: str, panel: int = 0) -> Any:
    (line,) = [line for line in picture.axes[panel].lines if line.get_label() == label]
    return line


def xy(line: Any) -> tuple[Array, Array]:
    return np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)


def kinks(network: Network, low: float, high: float, points: int = 40_001) -> Array:
    """Find where a piecewise affine function bends, by differences alone: the middle of each run of them."""
    x = np.linspace(low, high, points)
    bends = np.abs(np.diff(network.evaluate(x[:, None])[:, 0], 2)) > 1e-9
    places = np.flatnonzero(bends)
    runs = np.split(places, np.flatnonzero(np.diff(places) > 2) + 1)
    return np.array([x[run + 1].mean() for run in runs])


def middles(image: Any) -> Array:
    """Return the middle of each pixel of an image, row by row: (pixels, 2)."""
    rows, columns = image.get_array().shape
    low, high, bottom, top = image.get_extent()
    x = low + (np.arange(columns) + 0.5) * (high - low) / columns
    y = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
    return np.stack([part.ravel() for part in np.meshgrid(x, y)], axis=1)
