"""THE table of themes: Okabe and Ito's colours on light and on dark paper, each told from the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nn2eq.errors import BadRequest

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, ORANGE, YELLOW = "#56B4E9", "#E69F00", "#F0E442"
"""Okabe and Ito, Color Universal Design, 2008."""


@dataclass(frozen=True)
class Theme:
    """The colours of a picture.

    paper, ink: behind and of text; muted: axes; faint: what only guides the eye. colours: of lines, in order, each at
    least 3:1 against the paper. tints: of areas, that ink and lines stand on, the first three told apart in grey.
    positive, negative: signs of weights.
    ramp: matplotlib's name of the scale of values; shades: the part of it that lines have; signed: the scale of errors.
    """

    name: str
    paper: str
    ink: str
    muted: str
    faint: str
    colours: tuple[str, ...]
    tints: tuple[str, ...]
    positive: str
    negative: str
    ramp: str
    shades: tuple[float, float]
    signed: tuple[str, str, str]


THEMES: Mapping[str, Theme] = {
    theme.name: theme
    for theme in (
        Theme(
            "light", paper="#ffffff", ink="#1a1a1a", muted="#6b6b6b", faint="#d4d4d4",
            colours=(BLUE, VERMILION, GREEN, PURPLE, "#1a1a1a"),
            tints=("#dceefa", "#f2bd80", "#6fb39c", "#f6eeb0", "#d9a3c0", "#b5b9c0"),
            positive=BLUE, negative=VERMILION, ramp="cividis", shades=(0.0, 0.6), signed=(BLUE, "#f7f7f7", VERMILION),
        ),
        Theme(
            "dark", paper="#15181d", ink="#f0f0f0", muted="#a3a8b0", faint="#3a3f47",
            colours=(SKY, ORANGE, GREEN, PURPLE, YELLOW),
            tints=("#16354a", "#8a6016", "#10604a", "#5d5a1c", "#5c3349", "#3b4049"),
            positive=SKY, negative=ORANGE, ramp="cividis", shades=(0.45, 1.0), signed=(SKY, "#22262c", ORANGE),
        ),
    )
}  # fmt: skip


def theme(name: str) -> Theme:
    """Return a theme by name. Raises BadRequest for one that is not there."""
    if name not in THEMES:
        raise BadRequest(f"unknown theme {name!r}", code="usage", way_out=f"one of {', '.join(THEMES)}")
    return THEMES[name]


def plain(text: str, most: int = 32) -> str:
    """Return a name as it can be shown: one line, printable, not longer than so many letters."""
    shown = "".join(char if char.isprintable() else "�" for char in text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def number(value: float, digits: int = 4) -> str:
    """Write a number for a label: so many digits, without an exponent where that is short, a true minus sign."""
    text = f"{float(f'{value + 0.0:.{digits}g}'):.{digits}g}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("-", "−")
