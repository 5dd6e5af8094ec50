"""The network as a graph: weights as colour, dash and width, bias nodes, names, one path highlighted."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from nn2eq.show.pictures.graph import Edge, Graph, Node, ends, graph
from nn2eq.show.pictures.scene import Scene
from nn2eq.show.pictures.style import Picture
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
    picture = Picture(figsize=(INCH * width, INCH * sum(heights)), layout="constrained")
    axes = picture.subplots(len(graphs), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for panel, found, (left, _, bottom, top), title in zip(axes, graphs, extents, scene.titles, strict=True):
        panel.set_axis_off()
        panel.set_aspect("equal")
        panel.set_xlim(left, left + width)
        panel.set_ylim(bottom, top)
        if len(graphs) > 1:
            panel.set_title(title, loc="left")
        _draw(panel, found, scene.theme)
    return picture


def _extent(found: Graph) -> tuple[float, float, float, float]:
    xs, ys = [node.x for node in found.nodes], [node.y for node in found.nodes]
    side = 1.5 if any(node.form in ("layer", "long") for node in found.nodes) else 1.0
    return min(xs) - side, max(xs) + side, min(ys) - 1.75, max(ys) + 0.5


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
        )
        return
    style: Any = {"facecolor": theme.paper, "edgecolor": ink, "linewidth": 1.2, "zorder": 4}
    size = 8.0 if node.form == "long" else 9.5
    if node.form in ("layer", "long"):
        corner = 0.15 if node.form == "layer" else 0.3
        style["boxstyle"] = f"round,pad=0,rounding_size={corner}"
        axes.add_patch(FancyBboxPatch((node.x - node.reach, node.y - 0.36), 2 * node.reach, 0.72, **style))
        size = min(size, 72 * INCH * 1.8 / (0.62 * len(node.shown))) if node.form == "layer" else size
    else:
        axes.add_patch(Circle((node.x, node.y), node.reach, **style))
        size = min(size, 72 * INCH * 1.75 * node.reach / (0.62 * max(len(node.shown), 1)))
    axes.text(node.x, node.y, node.shown, ha="center", va="center", fontsize=size, color=ink, zorder=5)
