"""The textbook's story in one input: each unit as a line, clipped, weighted and summed, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import lcm

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nn2eq.forms.program import Affine, Apply, Program, Value
from nn2eq.forms.straight import matrix
from nn2eq.show.pictures.curves import Joint, along, joints, turns
from nn2eq.show.pictures.scene import Scene, require_inputs
from nn2eq.show.pictures.style import Picture, line, spaced, zero
from nn2eq.show.pictures.theme import Theme, number, plain
from nn2eq.show.pictures.ticks import Named

Array = NDArray[np.float64]
EACH = 6
"""Units of a layer up to which each has a panel of its own."""


@dataclass(frozen=True, eq=False)
class Row:
    """A row of panels: a named vector over x, and the weighted terms that each of its units sums, if it sums any.

    terms (n, units before, units): None where there are too many, or none. before: what stands under the values, the
    same units before an activation. caption: what all units are; captions: what each is, if that is short.
    """

    value: Value
    values: Array
    terms: Array | None = None
    before: Array | None = None
    caption: str = ""
    captions: tuple[str, ...] = ()


def layers(scene: Scene) -> Picture:
    """Draw a row for each step from x to y; filled joints are a unit's own, hollow ones inherited."""
    network = scene.network
    require_inputs(network, 1, kind="layers")
    box, program = scene.box(network), matrix(network)
    bends = joints(network, box)
    x = along(box, bends)
    rows = list(_rows(program, x))
    widest = max(_panels(row) for row in rows)
    fine = lcm(*(_panels(row) for row in rows))  # columns that panels of every row fill exactly
    picture = Picture(figsize=(max(5.0, 2.5 * widest), 1.75 * len(rows) + 0.3), layout="constrained")
    spaced(picture)
    grid = picture.add_gridspec(len(rows), fine)
    for place, row in enumerate(rows):
        count = _panels(row)
        wide = fine // count
        for unit in range(count):
            axes = picture.add_subplot(grid[place, unit * wide : (unit + 1) * wide])
            axes.set_xlim(*box[0])
            if count == row.value.size:
                _unit(scene, axes, x, row, unit, bends)
            else:
                _bundle(scene, axes, x, row)
            if place == len(rows) - 1:
                axes.set_xlabel(plain(program.inputs[0]))
            else:
                axes.tick_params(labelbottom=False)
    return picture


def _panels(row: Row) -> int:
    return row.value.size if row.value.size <= EACH else 1


def _rows(program: Program, x: Array) -> Iterator[Row]:
    values = program.values(x)
    for step in program.predict.steps:
        out = values[step.out.name]
        if isinstance(step, Apply):
            arg = values[step.arg.name]
            before = arg if arg.shape == out.shape else None
            name = step.activation.row.name
            alone = before is not None and not step.activation.row.coupled
            each = tuple(f"{name}({part})" for part in step.arg.parts) if alone else ()
            yield Row(step.out, out, before=before, caption=f"{name}({step.arg.name})", captions=each)
        elif isinstance(step, Affine):
            (term,) = step.terms
            source = values[term.arg.name]
            kernel = term.matrix.data.astype(np.float64)
            terms = None
            if kernel.ndim == 2 and 1 < len(kernel) <= EACH:
                terms = source[:, :, None] * kernel
            yield Row(
                step.out, out, terms=terms, caption=f"Σ w {term.arg.name} + b", captions=_straight(step)
            )


def _straight(step: Affine) -> tuple[str, ...]:
    """Say what each unit of a layer behind one number is, w x + b; () of other layers."""
    (term,) = step.terms
    kernel = term.matrix.data.astype(np.float64)
    if kernel.ndim == 1 or len(kernel) != 1:
        return ()
    bias = np.zeros(step.out.size) if step.offset is None else step.offset.data.astype(np.float64)
    name = plain(term.arg.parts[0], 16)
    return tuple(
        _in_numbers(slope, name, end) for slope, end in zip(kernel[0].tolist(), bias.tolist(), strict=True)
    )


def _in_numbers(slope: float, name: str, offset: float) -> str:
    """Write a line with three digits: −1.5 x + 0.75."""
    factor = {1.0: "", -1.0: "−"}.get(slope, f"{number(slope, 3)} ")
    return f"{factor}{name}" + (f" {'−' if offset < 0 else '+'} {number(abs(offset), 3)}" if offset else "")


def _unit(scene: Scene, axes: Axes, x: Array, row: Row, unit: int, bends: tuple[Joint, ...]) -> None:
    """Draw one unit: thin what it is made from, bold what it is, and where it bends."""
    theme = scene.theme
    zero(axes, theme)
    if row.terms is not None:
        for source in range(row.terms.shape[1]):
            style = line(theme, source, colours_of(theme))
            axes.plot(x[:, 0], row.terms[:, source, unit], **style, linewidth=1.0, alpha=0.9)
    if row.before is not None:
        axes.plot(x[:, 0], row.before[:, unit], color=theme.muted, linewidth=0.9, linestyle=(0, (2, 2)))
    colours = colours_of(theme)
    colour = theme.ink if row.terms is not None else colours[unit % len(colours)]
    axes.plot(x[:, 0], row.values[:, unit], color=colour, linewidth=2.2, label=row.value.parts[unit])
    _mark(axes, x, row.values[:, unit], bends, row.value.parts[unit], colour, theme.paper)
    _entitle(axes, f"{plain(row.value.parts[unit])} = {_said(row, unit)}")


def colours_of(theme: Theme) -> tuple[str, ...]:
    """Return the colours of units, of which none is the ink that sums are drawn in."""
    return tuple(colour for colour in theme.colours if colour != theme.ink)


def _said(row: Row, unit: int) -> str:
    """Say what one unit is: with one input in numbers, a line."""
    return row.captions[unit] if row.captions else row.caption


def _entitle(axes: Axes, text: str) -> None:
    """Put a title above a panel, which names its vertical axis too."""
    axes.yaxis.set_major_formatter(Named(axes.set_title(text, fontsize=8.5)))


def _mark(
    axes: Axes, x: Array, values: Array, bends: tuple[Joint, ...], name: str, colour: str, paper: str
) -> None:
    """Mark joints that this unit has: filled if it makes them itself, hollow if it inherits them."""
    for bend in bends:
        place = int(np.searchsorted(x[:, 0], bend.place))
        if not turns(x[:, 0], values, bend.place):
            continue
        own = name.replace("a", "z", 1) in bend.units
        axes.plot(
            [x[place, 0]], [values[place]], "o", color=colour, markersize=5,
            markerfacecolor=colour if own else paper, zorder=4,
        )  # fmt: skip


def _bundle(scene: Scene, axes: Axes, x: Array, row: Row) -> None:
    """Draw a wide layer in one panel, each unit in its own shade."""
    from matplotlib import colormaps

    zero(axes, scene.theme)
    shades = colormaps[scene.theme.ramp](np.linspace(*scene.theme.shades, row.value.size))
    for unit, shade in enumerate(shades):
        axes.plot(x[:, 0], row.values[:, unit], color=shade, linewidth=1.0, alpha=0.9)
    first, last = plain(row.value.parts[0]), plain(row.value.parts[-1])
    _entitle(axes, f"{first} … {last} = {row.caption}")
