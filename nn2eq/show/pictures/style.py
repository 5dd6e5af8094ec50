"""How pictures look: two themes in Okabe and Ito's colours, told apart in grey too, and text that stays text."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from nn2eq.show.pictures.theme import Theme

Dash = str | tuple[float, tuple[float, ...]]
DASHES: tuple[Dash, ...] = ("solid", (0, (5, 2)), (0, (1.5, 1.5)), (0, (7, 2, 1.5, 2)))
MARKERS = "os^Dv"
"""What tells classes apart without their colours."""

_SAVED: Any = {  # matplotlib types each key
    "svg.fonttype": "none",
    "svg.hashsalt": "nn2eq",  # the same picture is the same file
    "pdf.fonttype": 42,
    "text.parse_math": False,  # a name is what it says, with or without a dollar sign
}


class Picture(Figure):
    """A matplotlib Figure whose text stays text, wherever it is saved, and that shows itself in a notebook."""

    def savefig(self, fname: Any, **options: Any) -> None:
        """Save as matplotlib does, text as text and no name taken for mathematics."""
        with rc_context(_SAVED):
            super().savefig(fname, **options)

    def _repr_png_(self) -> bytes:
        return self.saved("png", dpi=100)

    def saved(self, format: str, *, dpi: int = 160) -> bytes:
        """Return the bytes of a file; the same picture gives the same bytes."""
        undated: dict[str, dict[str, Any]] = {
            "svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None},
        }  # fmt: skip
        buffer = io.BytesIO()
        self.savefig(buffer, format=format, dpi=dpi, metadata=undated[format])
        return buffer.getvalue()


@contextmanager
def styled(theme: Theme) -> Iterator[None]:
    """Draw in a theme; nothing of it stays behind."""
    ink, muted = theme.ink, theme.muted
    settings: Any = {
        **_SAVED,
        "figure.facecolor": theme.paper, "axes.facecolor": theme.paper, "savefig.facecolor": "auto",
        "text.color": ink, "axes.labelcolor": ink, "axes.titlecolor": ink, "xtick.color": muted, "ytick.color": muted,
        "xtick.labelcolor": ink, "ytick.labelcolor": ink, "axes.edgecolor": muted, "legend.labelcolor": ink,
        "axes.titlelocation": "left",
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": False, "grid.color": theme.faint,
        "font.family": ["DejaVu Sans"], "font.size": 10.0, "axes.titlesize": 10.5, "axes.labelsize": 10.0,
        "xtick.labelsize": 9.0, "ytick.labelsize": 9.0, "legend.fontsize": 9.0, "legend.frameon": False,
        "lines.linewidth": 1.8, "lines.solid_capstyle": "butt",
        "axes.linewidth": 0.8, "figure.constrained_layout.use": True,
        "axes.formatter.use_mathtext": False, "axes.formatter.limits": (-3, 5), "axes.unicode_minus": True,
    }  # fmt: skip
    with rc_context(settings):
        yield


def panels(
    rows: int, columns: int, *, width: float = 3.4, height: float = 2.7, **grid: Any
) -> tuple[Picture, list[list[Axes]]]:
    """Return a picture of so many panels, of so many inches each, and its axes row by row."""
    size = (max(width * columns, 4.6), max(height * rows, 2.6))
    picture = Picture(figsize=size, layout="constrained")
    spaced(picture)
    axes = picture.subplots(rows, columns, squeeze=False, **grid)
    return picture, [list(row) for row in axes]


def spaced(picture: Picture) -> None:
    """Leave so much room between panels, and around them, that no name touches its neighbour's."""
    engine = picture.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(w_pad=0.07, h_pad=0.07)


def gallery(count: int, *, width: float, height: float) -> tuple[Picture, list[Axes]]:
    """Return a picture of so many panels alike, side by side and below one another, and their axes."""
    columns = 2 if count == 4 else min(count, 3)
    picture, axes = panels(-(-count // columns), columns, width=width, height=height)
    flat = [panel for row in axes for panel in row]
    for unused in flat[count:]:
        unused.set_axis_off()
    return picture, flat[:count]


def line(theme: Theme, number: int, colours: Sequence[str] = ()) -> dict[str, Any]:
    """Return colour and dash of the number-th line of a panel, counted from 0: both tell it apart.

    colours: what the lines are drawn in, if not in all of the theme's.
    """
    colours = colours or theme.colours
    dash = DASHES[(number % len(colours) + number // len(colours)) % len(DASHES)]
    return {"color": colours[number % len(colours)], "linestyle": dash}


def zero(axes: Axes, theme: Theme) -> None:
    """Draw the axis y = 0 where it is inside."""
    axes.axhline(0.0, color=theme.faint, linewidth=0.8, zorder=0)


def key(axes: Axes, given: Sequence[Artist] = ()) -> None:
    """Show the legend above the panel, where no line runs, in as many columns as there is room for.

    given: what it is of, if not of all that is labelled.
    """
    handles = list(given) or axes.get_legend_handles_labels()[0]
    if handles:
        figure, place = axes.get_figure(root=True), axes.get_subplotspec()
        assert figure is not None
        assert place is not None
        room = figure.get_figwidth() * len(place.colspan) / place.get_gridspec().ncols - 0.7
        axes.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2, columnspacing=1.0,
            handlelength=2.0, ncols=_columns([str(handle.get_label()) for handle in handles], room),
        )  # fmt: skip


def common_key(picture: Picture, given: Sequence[Artist] = ()) -> None:
    """Show one legend above all panels, of what is labelled in any of them, or of what is given."""
    labelled = [handle for axes in picture.axes for handle in axes.get_legend_handles_labels()[0]]
    handles: dict[str, Artist] = {}
    for handle in given or labelled:
        handles.setdefault(str(handle.get_label()), handle)
    if handles:
        picture.legend(
            handles=[*handles.values()], labels=[*handles], loc="outside upper left", columnspacing=1.0,
            handlelength=2.0, borderaxespad=0.2, ncols=_columns([*handles], picture.get_figwidth() - 0.2),
        )  # fmt: skip


def _columns(labels: Sequence[str], room: float) -> int:
    """Return in how many columns entries fit into so many inches; matplotlib fills one column after another."""
    widths = [0.48 + 0.068 * len(label) for label in labels]
    for rows in range(1, len(labels)):
        if sum(max(widths[first : first + rows]) for first in range(0, len(widths), rows)) <= room:
            return -(-len(labels) // rows)
    return 1


def titled(axes: Axes, text: str) -> None:
    """Put a title above the panel, and above its legend if it has one."""
    legend = axes.get_legend()
    columns = getattr(legend, "_ncols", 1)
    rows = -(-len(legend.get_texts()) // columns) if legend else 0
    axes.set_title(text, loc="left", pad=6.0 + 16.0 * rows)
