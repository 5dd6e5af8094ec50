"""The error of an approximate form over its box: as a line, as a plane, or as a distribution; seen and proved."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nn2eq.domain import Domain
from nn2eq.errors import BadRequest
from nn2eq.forms.program import Program
from nn2eq.network import Network
from nn2eq.show.pictures.curves import along, joints, over
from nn2eq.show.pictures.function import band, form_label, rounded_up
from nn2eq.show.pictures.planes import field, name_inputs
from nn2eq.show.pictures.scene import Scene
from nn2eq.show.pictures.style import Picture, gallery, line, zero
from nn2eq.show.pictures.theme import number, plain

Array = NDArray[np.float64]
SAMPLES = 20_000
"""Points of a box of three inputs or more."""


def errors(scene: Scene) -> Picture:
    """Draw form − model for each network and output over the box."""
    if not (scene.form or scene.digits):
        raise BadRequest(
            "--kind errors needs an approximate form", code="kind-model", way_out="name a --form, or --digits"
        )
    count = sum(network.outputs for network in scene.networks)
    picture, flat = gallery(count, width=4.6 if count == 1 else 4.0, height=3.4)
    place = 0
    for network, title in zip(scene.networks, scene.titles, strict=True):
        program, box = scene.approximation(network), scene.box(network)
        assert program is not None
        for output, name in enumerate(network.output_labels):
            _DRAW.get(network.inputs, _distribution)(
                picture, flat[place], scene, network, program, box, output
            )
            head = [title] if len(scene.networks) > 1 else []
            _say(flat[place], [*head, f"{plain(name)}: {form_label(scene)} − model"], program)
            place += 1
    return picture


def _say(axes: Axes, lines: list[str], program: Program) -> None:
    proved = (
        f"proved: |error| ≤ {rounded_up(program.proved)}" if math.isfinite(program.proved)
        else "exact: what is seen is rounding" if program.exact else "not proved"
    )  # fmt: skip
    seen = "" if math.isnan(program.observed) else f"; seen: {number(program.observed)}"
    axes.set_title("\n".join([*lines, proved + seen]), fontsize=9)


def _line(
    picture: Picture, axes: Axes, scene: Scene, network: Network, program: Program, box: Domain, output: int
) -> None:
    x = along(box, joints(network, box))
    zero(axes, scene.theme)
    band(axes, scene, x, program, said=False)
    apart = (program.evaluate(x) - network.evaluate(x))[:, output]
    axes.plot(x[:, 0], apart, **line(scene.theme, 1))
    axes.set_xlim(*box[0])
    axes.set_xlabel(plain(network.input_labels[0]))
    axes.set_ylabel("error")


def _plane(
    picture: Picture, axes: Axes, scene: Scene, network: Network, program: Program, box: Domain, output: int
) -> None:
    points = over(box)[2]
    apart = (program.evaluate(points) - network.evaluate(points))[:, output]
    field(picture, axes, box, apart, scene.theme, label="error", signed=True)
    name_inputs(axes, network)


def _distribution(
    picture: Picture, axes: Axes, scene: Scene, network: Network, program: Program, box: Domain, output: int
) -> None:
    """Draw how often which error is met at points spread over the box."""
    low, high = np.array(box).T
    points = np.random.default_rng(0).uniform(low, high, size=(SAMPLES, network.inputs))
    apart = (program.evaluate(points) - network.evaluate(points))[:, output]
    axes.hist(apart, bins=60, color=scene.theme.colours[1], edgecolor=scene.theme.colours[1], linewidth=0.3)
    if math.isfinite(program.proved):
        for end in (-program.proved, program.proved):
            axes.axvline(end, color=scene.theme.ink, linewidth=1.4, linestyle=(0, (4, 2)))
    axes.set_yscale("symlog", linthresh=10)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("error")
    axes.set_ylabel(f"points, of {SAMPLES:,}")


_DRAW = {1: _line, 2: _plane}
