"""What is decided where over two inputs, the lines of the first layer's units, and the data."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from numpy.typing import NDArray

from nn2eq.domain import Domain
from nn2eq.forms.program import Affine
from nn2eq.forms.straight import matrix
from nn2eq.network import Network
from nn2eq.show.pictures.curves import over
from nn2eq.show.pictures.decisions import Decision, decision, draw_classes, title_of, widened
from nn2eq.show.pictures.planes import image, name_inputs, segments
from nn2eq.show.pictures.scene import Scene, require_inputs
from nn2eq.show.pictures.style import Picture, common_key, gallery
from nn2eq.show.pictures.theme import plain

Array = NDArray[np.float64]
NAMED = 8
"""Units of the first layer whose lines are named."""
INSIDE = np.array([0.44, 0.46])
"""How far from the middle of a panel a name may be, across and up, so that it does not stick out."""


def boundary(scene: Scene) -> Picture:
    """Draw the decisions of each network, with the first layer's lines, each a classifier of its own, and the data."""
    for network in scene.networks:
        require_inputs(network, 2, kind="boundary")
    count = len(scene.networks)
    picture, flat = gallery(count, width=4.2, height=4.3)
    areas: dict[str, Patch] = {}
    for number, (panel, network) in enumerate(zip(flat, scene.networks, strict=True)):
        names, wrong = _panel(scene, panel, network)
        areas |= {name: area(scene, one, name) for one, name in enumerate(names)}
        panel.set_title(title_of(scene, number, wrong))
    lines = [line for panel in flat for line in panel.get_legend_handles_labels()[0]]
    common_key(picture, lines if scene.data is not None else [*areas.values(), *lines])
    return picture


def area(scene: Scene, one: int, name: str) -> Patch:
    """Return what a legend shows of a class: its tint."""
    return Patch(facecolor=_tint(scene, one), edgecolor=scene.theme.muted, linewidth=0.6, label=name)


def _panel(scene: Scene, axes: Axes, network: Network) -> tuple[tuple[str, ...], int]:
    """Draw the decisions of one network; return what its classes are called, and how many samples it misjudges."""
    decided, box = decision(network, scene), widened(scene, network)
    first, second, points = over(box)
    answers = network.evaluate(points)
    classes = decided.classes(answers).reshape(len(second), len(first))
    _areas(scene, axes, first, second, classes, decided)
    _border(scene, axes, first, second, answers, decided)
    lines = first_lines(network, box)
    segments(
        axes, [line for _, line in lines], colors=[scene.theme.muted], linewidths=1.1,
        linestyles=[(0, (4, 2))], zorder=2, gid="first layer", label="first layer, z = 0" if lines else None,
    )  # fmt: skip
    if len(lines) <= NAMED:
        _name(scene, axes, lines, box)
    wrong = 0
    if scene.data is not None:
        sure = decided.classes(network.evaluate(scene.data.rows))
        truly = sure if scene.data.targets is None else decided.classes(scene.data.targets)
        draw_classes(axes, scene, scene.data.rows, truly, sure, decided.names)
        wrong = int((truly != sure).sum())
    axes.set_xlim(*box[0])
    axes.set_ylim(*box[1])
    name_inputs(axes, network)
    return decided.names, wrong


def _areas(
    scene: Scene, axes: Axes, first: Array, second: Array, classes: NDArray[np.int64], decided: Decision
) -> None:
    shown = [_tint(scene, one) for one in range(len(decided.names))]
    image(
        axes, first, second, classes, "nearest", cmap=ListedColormap(shown), vmin=-0.5, vmax=len(shown) - 0.5
    )


def _tint(scene: Scene, one: int) -> str:
    return scene.theme.tints[one % len(scene.theme.tints)]


def _border(scene: Scene, axes: Axes, first: Array, second: Array, answers: Array, decided: Decision) -> None:
    """Draw the line on which the decision changes: for each class, where it is no longer the largest."""
    shape = len(second), len(first)
    fields = [answers[:, 0] - decided.threshold]
    if not decided.is_binary:
        others = [np.delete(answers, one, axis=1).max(axis=1) for one in range(answers.shape[1])]
        fields = [answers[:, one] - other for one, other in enumerate(others)]
    for field in fields:
        if field.min() < 0 < field.max():
            axes.contour(
                first,
                second,
                field.reshape(shape),
                levels=[0.0],
                colors=[scene.theme.ink],
                linewidths=1.8,
                zorder=3,
            )


def first_lines(network: Network, box: Domain) -> list[tuple[str, Array]]:
    """Return the line z = 0 of each unit of the first layer inside the box, (2, 2), by the unit's name.

    A network whose first step is no affine map of the inputs, a logarithm say, has none.
    """
    step = matrix(network).predict.steps[0]
    if not isinstance(step, Affine) or step.terms[0].matrix.data.ndim == 1:
        return []
    kernel = step.terms[0].matrix.data.astype(np.float64)
    bias = np.zeros(step.out.size) if step.offset is None else step.offset.data.astype(np.float64)
    lines = (
        (name, clipped(kernel[:, unit], float(bias[unit]), box)) for unit, name in enumerate(step.out.parts)
    )
    return [(name, line) for name, line in lines if line is not None]


def clipped(normal: Array, offset: float, box: Domain) -> Array | None:
    """Return both ends of the line normal · x + offset = 0 inside the box, None if it does not pass through."""
    size = float(normal @ normal)
    if size == 0.0:
        return None
    start, along = -offset * normal / size, np.array([-normal[1], normal[0]])
    low, high = -np.inf, np.inf
    for place, step, (least, most) in zip(start, along, box, strict=True):
        if step == 0.0:
            if not least <= place <= most:
                return None
            continue
        ends = sorted(((least - place) / step, (most - place) / step))
        low, high = max(low, ends[0]), min(high, ends[1])
    return np.stack([start + low * along, start + high * along]) if low < high else None


def _name(scene: Scene, axes: Axes, lines: list[tuple[str, Array]], box: Domain) -> None:
    """Name each line near that of its ends where no other name is near, inside the panel."""
    low, high = np.array(box).T
    taken: list[Array] = []
    for name, line in lines:
        start, end = (line - low) / (high - low)
        along = [start + part * (end - start) for part in np.linspace(0.02, 0.98, 49)]
        inside = [place for place in along if (np.abs(place - 0.5) <= INSIDE).all()] or along[24:25]
        places = [*inside[:6], *inside[-6:]]
        place = max(places, key=lambda one: min((np.hypot(*(one - other)) for other in taken), default=1.0))
        taken.append(place)
        x, y = low + place * (high - low)
        axes.text(
            x, y, plain(name), fontsize=8, color=scene.theme.ink, ha="center", va="center", zorder=6,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": scene.theme.paper, "edgecolor": "none", "alpha": 0.85},
        )  # fmt: skip
