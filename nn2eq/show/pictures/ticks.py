"""Ticks that can be read: few enough for their place, and powers of ten beside the name of what they measure."""

from __future__ import annotations

import re
from typing import Any

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from nn2eq.show.pictures.theme import number

_POWER = re.compile(r"1e([-−]?\d+)")
_RAISED = str.maketrans("-−0123456789", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
STEPS = (1, 2, 2.5, 5, 10)
INCHES = 0.52
"""What a label on a horizontal axis takes, with the gap beside it."""


class Named(ScalarFormatter):
    """Ticks whose power of ten stands in the name of their axis, `y (10⁻⁹)`, and what is subtracted, `y − 1`.

    Above the axis, where matplotlib writes them, legends and titles are.
    """

    def __init__(self, label: Text) -> None:
        super().__init__(useOffset=True)
        self.label, self.name = label, label.get_text()

    def get_offset(self) -> str:
        """Name the axis by what its ticks are; matplotlib asks for this before it looks how large the name is."""
        said = str(super().get_offset())
        if not self.name:
            return said
        parts, power = [self.name], _POWER.match(said)
        if self.offset:
            parts.append(f"{'−' if self.offset > 0 else '+'} {number(abs(self.offset), 12)}")
        if power:
            parts.append(f"(10{power[1].translate(_RAISED)})")
        self.label.set_text(" ".join(part for part in parts if part))
        return ""


def legible(picture: Figure) -> None:
    """Give every axis of numbers ticks that do not touch and that say what they are."""
    for axes in picture.axes:
        place = axes.get_subplotspec()
        part = 1.0 if place is None else len(place.colspan) / place.get_gridspec().ncols
        across = 0.85 * part * picture.get_figwidth()
        for axis in _axes_of(axes):
            if is_numbers(axis) and not isinstance(axis.get_major_formatter(), Named):
                axis.set_major_formatter(Named(axis.label))
        if axes.name != "3d" and axes.get_label() != "<colorbar>" and is_numbers(axes.xaxis):
            axes.xaxis.set_major_locator(MaxNLocator(max(2, min(8, int(across / INCHES))), steps=STEPS))


def is_numbers(axis: Axis) -> bool:
    """Whether an axis has ticks as numbers have them, not of a kind of its own."""
    return isinstance(axis.get_major_formatter(), ScalarFormatter)


def _axes_of(axes: Any) -> list[Axis]:
    return [getattr(axes, f"{letter}axis") for letter in "xyz" if hasattr(axes, f"{letter}axis")]
