"""A composition: y(x), y'(y) and y'(x) side by side, and how the joints of the two make those of the whole."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nn2eq.composition import compose
from nn2eq.domain import Domain
from nn2eq.network import Network
from nn2eq.show.pictures.curves import Joint, along, joints
from nn2eq.show.pictures.scene import Scene, require_inputs, require_outputs
from nn2eq.show.pictures.style import Picture, common_key, panels
from nn2eq.show.pictures.theme import plain

Array = NDArray[np.float64]


def composition(scene: Scene) -> Picture:
    """Draw both networks and their composition; a joint of the whole is one of the first, or comes from the second."""
    first, second = scene.networks
    for network in scene.networks:
        require_inputs(network, 1, kind="composition")
        require_outputs(network, 1, kind="composition")
    box = scene.box(first)
    whole, own = compose(first, second), joints(first, box)
    x = along(box, joints(whole, box))
    middle = first.evaluate(x)
    between: Domain = (wide(float(middle.min()), float(middle.max())),)
    theirs = joints(second, between)
    carried = _carried(joints(whole, box), own)
    names = plain(first.input_labels[0]), plain(first.output_labels[0]), _primed(first, second)
    picture, (axes,) = panels(1, 3, width=3.5, height=3.5)
    _curve(scene, axes[0], first, box, x, (own, ()), (names[0], names[1]))
    _curve(scene, axes[1], second, between, along(between, theirs), ((), theirs), (names[1], names[2]))
    _curve(scene, axes[2], whole, box, x, (own, carried), (names[0], names[2]))
    for place in theirs:  # where y(x) reaches a joint of the second, the whole bends
        axes[0].axhline(
            place.place, color=scene.theme.colours[1], linewidth=0.9, linestyle=(0, (4, 3)), zorder=1
        )
    _marks(scene, axes[0], first, carried, 1, "reaches a joint of the second")
    for panel, title in zip(axes, scene.titles, strict=False):
        panel.set_title(title)
    axes[2].set_title("second after first")
    given = [handle for panel in axes[:0:-1] for handle in panel.get_legend_handles_labels()[0]]
    common_key(picture, given)
    return picture


def wide(low: float, high: float) -> tuple[float, float]:
    """Return an interval that has a width, around a number where both ends are that."""
    room = 0.5 * max(1.0, abs(low)) if low == high else 0.0
    return low - room, high + room


def _primed(first: Network, second: Network) -> str:
    """Name the second's output apart from the first's."""
    name = plain(second.output_labels[0])
    return f"{name}′" if name == plain(first.output_labels[0]) else name


def _carried(whole: tuple[Joint, ...], own: tuple[Joint, ...]) -> tuple[Joint, ...]:
    """Return the joints of the whole that the first network does not have."""
    places = {joint.place for joint in own}
    return tuple(joint for joint in whole if joint.place not in places)


def _curve(
    scene: Scene, axes: Axes, network: Network, box: Domain, x: Array,
    marked: tuple[tuple[Joint, ...], tuple[Joint, ...]], names: tuple[str, str],
) -> None:  # fmt: skip
    axes.plot(x[:, 0], network.evaluate(x)[:, 0], color=scene.theme.ink, linewidth=2.0)
    for number, (found, label) in enumerate(
        zip(marked, ("joint of the first", "joint of the second"), strict=True)
    ):
        _marks(scene, axes, network, found, number, label)
    axes.set_xlim(*box[0])
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])


def _marks(
    scene: Scene, axes: Axes, network: Network, found: tuple[Joint, ...], number: int, label: str
) -> None:
    if found:
        at = np.array([[joint.place] for joint in found])
        axes.plot(
            at[:, 0], network.evaluate(at)[:, 0], "os"[number], color=scene.theme.colours[number], markersize=6,
            markeredgecolor=scene.theme.paper, markeredgewidth=0.8, label=label, zorder=3 - 0.1 * number, clip_on=False,
        )  # fmt: skip
