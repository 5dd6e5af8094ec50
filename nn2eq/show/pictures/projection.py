"""The data in the space of two or three units of the last hidden layer, with the last layer's plane."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from nn2eq.errors import BadRequest
from nn2eq.network import Network
from nn2eq.show.pictures.boundary import clipped
from nn2eq.show.pictures.curves import GRID
from nn2eq.show.pictures.decisions import (
    Classes,
    Decision,
    Last,
    decision,
    draw_classes,
    last_layer,
    title_of,
    values_of,
    widened,
)
from nn2eq.show.pictures.planes import image, segments
from nn2eq.show.pictures.scene import Scene
from nn2eq.show.pictures.style import Picture, common_key, spaced
from nn2eq.show.pictures.theme import plain

Array = NDArray[np.float64]
SAMPLES = 400
"""Points of the domain that are shown where no data are given."""


@dataclass(frozen=True, eq=False)
class Space:
    """The space of some hidden units: the samples in it, and what the last layer makes of it.

    points (n, units); kernel (units, outputs) and bias (outputs,) of the last layer, the other units at their mean;
    truly, sure (n,): the class of each sample, and what is decided. others: how many units are not shown.
    """

    decided: Decision
    level: float
    names: tuple[str, ...]
    points: Array
    kernel: Array
    bias: Array
    truly: Classes
    sure: Classes
    others: int

    @property
    def box(self) -> tuple[Array, Array]:
        """The lower and upper ends of what is shown."""
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        still = high - low <= 1e-9 * np.maximum(np.abs(low), 1e-300)  # a unit that never changes
        room = np.where(still, 0.5 * np.maximum(1.0, np.abs(low)), 0.06 * (high - low))
        return low - room, high + room


def projection(scene: Scene) -> Picture:
    """Draw each network's samples by the answers of hidden units; the plane is where the decision changes."""
    count = len(scene.networks)
    columns = 2 if count == 4 else min(count, 3)
    lines = -(-count // columns)
    picture = Picture(figsize=(max(4.6 * columns, 5.2), 4.6 * lines), layout="constrained")
    spaced(picture)
    for number, network in enumerate(scene.networks):
        space = space_of(network, scene)
        solid = {"projection": "3d"} if len(space.names) == 3 else {}
        axes = picture.add_subplot(lines, columns, number + 1, **solid)
        _panel(scene, axes, space)
        axes.set_title(title_of(scene, number, int((space.truly != space.sure).sum())))
    common_key(picture)
    return picture


def space_of(network: Network, scene: Scene) -> Space:
    """Return the space that is shown of a network, with its samples. Raises BadRequest."""
    decided = decision(network, scene)
    last = last_layer(network, decided.threshold)
    rows, truly, sure = _samples(scene, network, decided)
    hidden = values_of(network, last.value, rows)
    units = _chosen(network, scene, last, hidden)
    rest = last.bias + np.delete(hidden.mean(axis=0), units) @ np.delete(last.kernel, units, axis=0)
    names = tuple(last.value.parts[unit] for unit in units)
    return Space(
        decided, last.level, names, hidden[:, units], last.kernel[units], rest, truly, sure,
        last.value.size - len(units),
    )  # fmt: skip


def _chosen(network: Network, scene: Scene, last: Last, hidden: Array) -> list[int]:
    """Return the units asked for, else all of two or three, else the two that say most and not the same."""
    names = last.value.parts
    if scene.units:
        if not set(scene.units) <= set(names) or len(set(scene.units)) != len(scene.units):
            strange = ", ".join(sorted(set(scene.units) - set(names))) or "a unit named twice"
            raise BadRequest(
                f"--units: {strange} is not in the last hidden layer", code="units",
                way_out=f"its units are {', '.join(names[:8])}",
            ).in_file(network.source.file)  # fmt: skip
        if len(scene.units) not in (2, 3):
            raise BadRequest(
                f"--units: {len(scene.units)} of them", code="units", way_out="name two or three"
            )
        return [names.index(unit) for unit in scene.units]
    if len(names) <= 3:
        return list(range(len(names)))
    return telling(hidden, last.kernel)


def telling(hidden: Array, kernel: Array) -> list[int]:
    """Return two units: the one that moves the answer most over the samples, then the one that adds most to it.

    hidden (n, units), kernel (units, outputs).
    """
    moved = (hidden - hidden.mean(axis=0)) * np.linalg.norm(kernel, axis=1)
    first = int(np.argmax((moved**2).sum(axis=0)))
    along = moved[:, first] / max(float(np.linalg.norm(moved[:, first])), np.finfo(float).tiny)
    rest = ((moved - np.outer(along, along @ moved)) ** 2).sum(axis=0)
    rest[first] = -1.0
    return sorted([first, int(np.argmax(rest))])


def _panel(scene: Scene, axes: Any, space: Space) -> None:
    draw_classes(axes, scene, space.points, space.truly, space.sure, space.decided.names)
    for letter, name in zip("xyz", space.names, strict=False):
        getattr(axes, f"set_{letter}label")(plain(name))
    rest = f"the other {space.others:,} unit{'s' * (space.others > 1)} at the mean" if space.others else ""
    if len(space.names) == 2:
        _flat(scene, axes, space)
        axes.text(1.0, 1.01, rest, transform=axes.transAxes, ha="right", va="bottom", fontsize=8)
    else:
        _solid(scene, axes, space)
        axes.text2D(1.0, 0.0, rest, transform=axes.transAxes, ha="right", va="bottom", fontsize=8)


def _samples(scene: Scene, network: Network, decided: Decision) -> tuple[Array, Classes, Classes]:
    """Return the samples, what they are, and what is decided of them."""
    if scene.data is None:
        low, high = np.array(widened(scene, network)).T
        rows = np.random.default_rng(0).uniform(low, high, size=(SAMPLES, network.inputs))
        classes = decided.classes(network.evaluate(rows))
        return rows, classes, classes
    sure = decided.classes(network.evaluate(scene.data.rows))
    targets = scene.data.targets
    return scene.data.rows, sure if targets is None else decided.classes(targets), sure


def planes(space: Space) -> list[tuple[Array, float]]:
    """Return normal and offset of each plane on which the last layer is undecided: normal · a + offset = 0."""
    kernel, bias = space.kernel, space.bias
    if space.decided.is_binary:
        return [(kernel[:, 0], float(bias[0]) - space.level)]
    pairs = combinations(range(kernel.shape[1]), 2)
    return [(kernel[:, one] - kernel[:, two], float(bias[one] - bias[two])) for one, two in pairs]


def _flat(scene: Scene, axes: Any, space: Space) -> None:
    """Colour the plane of two units by what the last layer decides there, and draw the border."""
    low, high = space.box
    first, second = np.linspace(low[0], high[0], GRID), np.linspace(low[1], high[1], GRID)
    grid = np.stack([part.ravel() for part in np.meshgrid(first, second)], axis=1)
    z = grid @ space.kernel + space.bias
    classes = (z[:, 0] >= space.level).astype(np.int64) if space.decided.is_binary else np.argmax(z, axis=1)
    tints = [scene.theme.tints[one % len(scene.theme.tints)] for one in range(len(space.decided.names))]
    table, ends = classes.reshape(GRID, GRID), (-0.5, len(tints) - 0.5)
    image(axes, first, second, table, "nearest", cmap=ListedColormap(tints), vmin=ends[0], vmax=ends[1])
    if space.decided.is_binary:
        box = tuple((float(a), float(b)) for a, b in zip(low, high, strict=True))
        ((normal, offset),) = planes(space)
        line = clipped(normal, offset, box)
        segments(
            axes, [] if line is None else [line], colors=[scene.theme.ink], linewidths=1.8, gid="last plane"
        )
    else:
        for one in range(len(tints)):
            edge = z[:, one] - np.delete(z, one, axis=1).max(axis=1)
            if edge.min() < 0 < edge.max():
                axes.contour(first, second, edge.reshape(GRID, GRID), levels=[0.0], colors=[scene.theme.ink])
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])


def _solid(scene: Scene, axes: Any, space: Space) -> None:
    """Draw each plane inside the box of three units."""
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection  # only three units need it

    low, high = space.box
    for normal, offset in planes(space):
        corners = slice_of_box(normal, offset, low, high)
        if len(corners) >= 3:
            polygon = Poly3DCollection(
                [corners], facecolor=scene.theme.muted, edgecolor=scene.theme.ink, alpha=0.3, linewidths=0.8
            )
            polygon.set_gid("last plane")
            axes.add_collection3d(polygon)
    for letter, start, end, meets in zip("xyz", low, high, ("upper", "lower", "lower"), strict=True):
        getattr(axes, f"set_{letter}lim")(start, end)
        axis = getattr(axes, f"{letter}axis")
        axis.set_pane_color(scene.theme.paper)
        axis.set_major_locator(MaxNLocator(4, prune=meets))  # in a corner two axes' numbers would meet
    axes.tick_params(pad=0.0, labelsize=8.0)
    axes.zaxis.labelpad = 6.0
    axes.view_init(elev=22, azim=-58)
    axes.set_box_aspect(None, zoom=0.86)


def slice_of_box(normal: Array, offset: float, low: Array, high: Array) -> Array:
    """Return the corners, in order around, of the polygon in which a plane meets a box of three sides."""
    found = []
    for axis in range(3):
        one, two = (other for other in range(3) if other != axis)
        if normal[axis] == 0.0:
            continue
        for a, b in product((low[one], high[one]), (low[two], high[two])):
            place = -(offset + normal[one] * a + normal[two] * b) / normal[axis]
            if low[axis] <= place <= high[axis]:
                corner = np.zeros(3)
                corner[[axis, one, two]] = place, a, b
                found.append(corner)
    if len(found) < 3:
        return np.zeros((0, 3))
    corners = np.array(found)
    across = np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))])
    around = np.stack([across, np.cross(normal, across)], axis=1)
    flat = (corners - corners.mean(axis=0)) @ around / (np.linalg.norm(around, axis=0))
    return np.asarray(corners[np.argsort(np.arctan2(flat[:, 1], flat[:, 0]))])
