"""The network as a graph: weights as colour, dash and width, bias nodes, names, one path highlighted."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from nn2eq.show.pictures.graph import Edge, Graph, Node, ends, graph
from nn2eq.show.pictures.scene import Scene
from nn2eq.show.pictures.style import Picture, common_key
from nn2eq.show.pictures.theme import Theme, plain

Array = NDArray[np.float64]
DASH = (0, (2.2, 1.1))
DIM = 0.13
INCH = 0.62
"""Inches a unit of the drawing takes, as far as the page allows."""


def diagram(scene: Scene) -> Picture:
    """Draw the graph of each network, one below the other: negative weights are dashed, wider is larger."""
    graphs = [graph(network, scene.path, scene.view) for network in scene.networks]
    extents = [_extent(found) for found in graphs]
    width = max(right - left for left, right, _, _ in extents)
    heights = [top - bottom for _, _, bottom, top in extents]
    signs = {edge.sign for found in graphs for edge in found.edges if edge.weight}
    above = (0.3 if signs else 0.0) + (
        0.3 * len(graphs) if len(graphs) > 1 else 0.0
    )  # the legend, and titles
    picture = Picture(figsize=(INCH * width + 0.1, INCH * sum(heights) + above + 0.1), layout="constrained")
    axes = picture.subplots(len(graphs), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for panel, found, (left, _, bottom, top), title in zip(axes, graphs, extents, scene.titles, strict=True):
        panel.set_axis_off()
        panel.set_aspect("equal")
        panel.set_xlim(left, left + width)
        panel.set_ylim(bottom, top)
        if len(graphs) > 1:
            panel.set_title(title)
        _draw(panel, found, scene.theme)
    common_key(picture, [_sample(scene.theme, sign) for sign in ("positive", "negative") if sign in signs])
    return picture


def _sample(theme: Theme, sign: str) -> Line2D:
    """Return what the legend shows of a sign."""
    style: Any = {"linestyle": DASH if sign == "negative" else "solid"}
    return Line2D([], [], color=getattr(theme, sign), linewidth=1.8, label=f"{sign} weight", **style)


def _extent(found: Graph) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top of what is drawn: nodes, and captions below them."""
    ys = [node.y for node in found.nodes]
    halves = [(x, 0.075 * max(len(plain(line, 22)) for line in lines)) for x, lines in found.captions]
    halves += [(node.x, node.reach) for node in found.nodes]
    low, high = min(x - half for x, half in halves), max(x + half for x, half in halves)
    return low - 0.2, high + 0.2, min(ys) - 1.75, max(ys) + 0.5


def _draw(axes: Axes, found: Graph, theme: Theme) -> None:
    nodes = {node.id: node for node in found.nodes}
    for lit in (False, True):  # the path lies on top
        chosen = [edge for edge in found.edges if edge.lit == lit]
        axes.add_collection(_lines(chosen, nodes, theme, lit))
    for edge in found.edges:
        if edge.label:
            axes.text(
                *edge.at, plain(edge.label), ha="center", va="center", fontsize=7.5, color=theme.ink, zorder=3,
                bbox={"boxstyle": "round,pad=0.1", "facecolor": theme.paper, "edgecolor": "none"},
            )  # fmt: skip
    for node in found.nodes:
        _node(axes, node, theme)
    floor = min(node.y for node in found.nodes) - 0.75
    for x, lines in found.captions:
        text = "\n".join(plain(line, 22) for line in lines)
        axes.text(x, floor, text, ha="center", va="top", fontsize=8.5, color=theme.ink, linespacing=1.25)


def _lines(edges: list[Edge], nodes: dict[str, Node], theme: Theme, lit: bool) -> LineCollection:
    """Draw edges from rim to rim; sign is colour and dash, size is width."""
    lines = [ends(nodes[edge.tail], nodes[edge.head]) for edge in edges]
    return LineCollection(
        lines,
        colors=[getattr(theme, edge.sign) for edge in edges],
        linestyles=[DASH if edge.weight < 0 else "solid" for edge in edges],
        linewidths=[0.4 + 2.8 * edge.part for edge in edges],
        alpha=None if lit else DIM,
        zorder=2 if lit else 1,
        gid="edges" if lit else "dim edges",
    )


def _node(axes: Axes, node: Node, theme: Theme) -> None:
    from matplotlib.patches import Circle, FancyBboxPatch

    ink = theme.ink if node.lit or node.kind in ("more", "bias") else theme.muted
    if node.kind == "more":
        axes.text(
            node.x,
            node.y,
            f"⋮\n{node.label}",
            ha="center",
            va="center",
            fontsize=8,
            color=ink,
            linespacing=1.1,
            zorder=3,
            bbox={"boxstyle": "round,pad=0.1", "facecolor": theme.paper, "edgecolor": "none"},
        )
        return
    style: Any = {"facecolor": theme.paper, "edgecolor": ink, "linewidth": 1.2, "zorder": 4}
    size = 8.0 if node.form == "long" else 9.5
    if node.form in ("layer", "long"):
        corner = 0.15 if node.form == "layer" else 0.3
        style["boxstyle"] = f"round,pad=0,rounding_size={corner}"
        axes.add_patch(FancyBboxPatch((node.x - node.reach, node.y - 0.36), 2 * node.reach, 0.72, **style))
        size = min(size, 72 * INCH * 1.85 * node.reach / (0.62 * len(node.shown)))
    else:
        axes.add_patch(Circle((node.x, node.y), node.reach, **style))
        size = min(size, 72 * INCH * 1.75 * node.reach / (0.62 * max(len(node.shown), 1)))
    axes.text(node.x, node.y, node.shown, ha="center", va="center", fontsize=size, color=ink, zorder=5)
