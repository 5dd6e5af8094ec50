"""The function itself: the model over one input or two, with data, the true function, a form and its error."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nn2eq.domain import Domain
from nn2eq.errors import TooLarge
from nn2eq.forms.program import Program
from nn2eq.network import Network
from nn2eq.show.pictures.curves import along, joints, over, turns
from nn2eq.show.pictures.planes import ends, field, name_inputs, scatter
from nn2eq.show.pictures.scene import Scene, require_inputs
from nn2eq.show.pictures.style import Picture, common_key, gallery, line, panels, zero
from nn2eq.show.pictures.theme import number, plain

Array = NDArray[np.float64]
MOST = 24
"""Panels that a picture may have."""


def function(scene: Scene) -> Picture:
    """Draw each output of each network; below it the error of the form, or of the network, where one is known."""
    for network in scene.networks:
        require_inputs(network, 1, 2, kind="function")
    count = sum(network.outputs for network in scene.networks)
    if count > MOST:
        raise TooLarge(f"{count} outputs to draw", code="too-large", way_out=f"draw up to {MOST} at once")
    return _lines(scene, count) if scene.network.inputs == 1 else _planes(scene, count)


def titles_of(scene: Scene) -> tuple[str, ...]:
    """Return what the panels of each network are called, "" where there is one network alone."""
    return scene.titles if len(scene.networks) > 1 else ("",)


# ---------------------------------------------------------------------------------------------- one input


def _lines(scene: Scene, count: int) -> Picture:
    has_error = bool(scene.form or scene.digits or scene.truth)
    columns = 2 if count == 4 else min(count, 3)
    blocks = -(-count // columns)
    heights = ([3.0, 1.3] if has_error else [3.0]) * blocks
    picture, axes = panels(
        len(heights), columns, width=4.6 if columns == 1 else 3.6, height=sum(heights) / len(heights),
        gridspec_kw={"height_ratios": heights},
    )  # fmt: skip
    step = len(heights) // blocks
    place = 0
    for network, title in zip(scene.networks, titles_of(scene), strict=True):
        box = scene.box(network)
        program = scene.approximation(network)
        for output in range(network.outputs):
            row, column = step * (place // columns), place % columns
            below = axes[row + 1][column] if has_error else None
            _panel(scene, network, output, box, program, axes[row][column], below)
            axes[row][column].set_title(title)
            place += 1
    for unused in range(count, blocks * columns):
        for row in range(step):
            axes[step * (unused // columns) + row][unused % columns].set_axis_off()
    common_key(picture)
    return picture


def _panel(
    scene: Scene, network: Network, output: int, box: Domain, program: Program | None, axes: Axes, below: Axes | None
) -> None:  # fmt: skip
    theme, bends = scene.theme, joints(network, box)
    x = along(box, bends)
    model = network.evaluate(x)[:, output]
    if scene.data is not None and scene.data.targets is not None:
        axes.plot(
            scene.data.rows[:, 0], scene.data.targets[:, output], "o", color=theme.muted, markersize=3.2,
            alpha=0.65, markeredgewidth=0, label="data", zorder=1,
        )  # fmt: skip
    axes.plot(x[:, 0], model, **line(theme, 0), linewidth=2.2, label="model", zorder=2)
    places = [bend.place for bend in bends if turns(x[:, 0], model, bend.place)]
    if places:
        at = np.array(places)[:, None]
        axes.plot(
            at[:, 0], network.evaluate(at)[:, output], "o", markersize=5, markerfacecolor=theme.paper,
            color=theme.colours[0], label="breakpoints", zorder=4,
        )  # fmt: skip
    if scene.truth is not None:
        axes.plot(
            x[:, 0], scene.truth(x), color=theme.ink, linestyle=(0, (1.5, 1.5)), linewidth=1.3,
            label="true function", zorder=3,
        )  # fmt: skip
    if program is not None:
        axes.plot(
            x[:, 0], program.evaluate(x)[:, output], **line(theme, 1), label=form_label(scene), zorder=3
        )
    axes.set_ylabel(plain(network.output_labels[output]))
    axes.set_xlim(*box[0])
    _look_at(axes, model, scene, output, box)
    if below is not None:
        _error(scene, below, x, model, None if program is None else program.evaluate(x)[:, output], program)
        below.set_xlim(*box[0])
        axes.tick_params(labelbottom=False)
    (below or axes).set_xlabel(plain(network.input_labels[0]))


def form_label(scene: Scene) -> str:
    """Return what the approximate form is called."""
    told = [f"{name} {value}" for name, value in scene.shape.items() if isinstance(value, int | float)]
    digits = [f"{scene.digits} digits"] if scene.digits else []
    return plain(", ".join([*([scene.form] if scene.form else []), *told, *digits]))


def _look_at(axes: Axes, model: Array, scene: Scene, output: int, box: Domain) -> None:
    """Show the model and the data over it; a form may run out of sight where it is far off."""
    shown = model
    if scene.data is not None and scene.data.targets is not None:
        ((low, high),) = box
        above = (scene.data.rows[:, 0] >= low) & (scene.data.rows[:, 0] <= high)
        shown = np.concatenate([model, scene.data.targets[above, output]])
    finite = shown[np.isfinite(shown)]
    if finite.size and finite.max() > finite.min():
        room = 0.12 * (finite.max() - finite.min())
        axes.set_ylim(finite.min() - room, finite.max() + room)


def _error(
    scene: Scene, axes: Axes, x: Array, model: Array, form: Array | None, program: Program | None
) -> None:
    theme = scene.theme
    zero(axes, theme)
    if form is None:
        assert scene.truth is not None
        axes.plot(x[:, 0], model - scene.truth(x), color=theme.ink, linewidth=1.2)
        axes.set_ylabel("model −\ntrue")
        return
    band(axes, scene, x, program)
    axes.plot(x[:, 0], form - model, **line(theme, 1), linewidth=1.4)
    axes.set_ylabel("form −\nmodel")


def band(axes: Axes, scene: Scene, x: Array, program: Program | None, *, said: bool = True) -> None:
    """Draw the band in which the error is proved to stay; said: with the bound above it."""
    if program is None or not math.isfinite(program.proved):
        return
    bound, place = program.proved, axes.get_subplotspec()
    gap = "; " if place is not None and place.get_gridspec().ncols == 1 else "\n"
    axes.fill_between(x[:, 0], -bound, bound, color=scene.theme.tints[0], linewidth=0, zorder=-1)
    if said:
        text = f"proved: |error| ≤ {rounded_up(bound)}{gap}seen: {number(program.observed)}"
        axes.set_title(text, fontsize=8.5, pad=3.0)


def rounded_up(bound: float) -> str:
    """Write a proved bound with four digits that still holds."""
    text = f"{bound:.4g}"
    if float(text) < bound:
        text = f"{bound + 10.0 ** (math.floor(math.log10(bound)) - 3):.4g}"
    return number(float(text))


# --------------------------------------------------------------------------------------------- two inputs


def _planes(scene: Scene, count: int) -> Picture:
    compared = (scene.truth is not None) + bool(scene.form or scene.digits)
    if compared:
        picture, rows = panels(count * compared, 3, width=4.3, height=3.5)
    else:
        picture, flat = gallery(count, width=4.3, height=3.5)
    place = 0
    for network, title in zip(scene.networks, titles_of(scene), strict=True):
        program, box = scene.approximation(network), scene.box(network)
        for output in range(network.outputs):
            if compared:
                below = rows[place * compared : (place + 1) * compared]
                _rows(picture, below, scene, network, output, box, program)
                below[0][0].set_title(title or "model")
            else:
                _plane(picture, flat[place], scene, network, output, box)
                flat[place].set_title(title)
            place += 1
    return picture


def _plane(
    picture: Picture, axes: Axes, scene: Scene, network: Network, output: int, box: Domain,
    limits: tuple[float, float] | None = None,
) -> None:  # fmt: skip
    values = network.evaluate(over(box)[2])[:, output]
    mesh = field(picture, axes, box, values, scene.theme, label=network.output_labels[output], limits=limits)
    scatter(axes, scene, output, mesh, box)
    name_inputs(axes, network)


def _rows(
    picture: Picture, rows: list[list[Axes]], scene: Scene, network: Network, output: int, box: Domain,
    program: Program | None,
) -> None:  # fmt: skip
    """Draw the model, then each function it is compared with in a row, and the difference beside it."""
    points, name = over(box)[2], network.output_labels[output]
    model = network.evaluate(points)[:, output]
    others = [("true function", scene.truth(points))] if scene.truth is not None else []
    limits = ends(model, *(values for _, values in others))  # a form may run out of them where it is far off
    others += [(form_label(scene), program.evaluate(points)[:, output])] if program is not None else []
    _plane(picture, rows[0][0], scene, network, output, box, limits)
    for row in rows[1:]:
        row[0].set_axis_off()
    for (_, beside, difference), (title, values) in zip(rows, others, strict=True):
        field(picture, beside, box, values, scene.theme, label=name, limits=limits)
        field(picture, difference, box, values - model, scene.theme, label="difference", signed=True)
        beside.set_title(title)
        proved = program is not None and title == form_label(scene) and math.isfinite(program.proved)
        difference.set_title(
            f"{title} − model"
            + (f"\nproved: |error| ≤ {rounded_up(program.proved)}" if proved and program else "")
        )
        for panel in (beside, difference):
            name_inputs(panel, network)
