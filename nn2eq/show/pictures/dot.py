"""A diagram as Graphviz DOT, every node in its place; every name is a quoted string."""

from __future__ import annotations

from collections.abc import Iterator

from nn2eq.show.pictures.graph import Edge, Graph, Node, graph
from nn2eq.show.pictures.scene import Scene
from nn2eq.show.pictures.theme import Theme, plain

_SHAPES = {
    "unit": "shape=circle, width=0.5", "bias": "shape=circle, width=0.3", "more": "shape=plaintext",
    "layer": "shape=box, fixedsize=false", "long": "shape=box, fixedsize=false, width=0, height=0.4",
}  # fmt: skip
_INCH = 0.7
"""Inches a unit of the drawing takes."""
_GAP = 3.0
"""Between the graphs of several networks."""


def text(scene: Scene) -> str:
    """Return the graphs of all networks, one below the other, as one digraph."""
    theme = scene.theme
    lines = [
        "digraph nn2eq {",
        "  // the nodes are in their places: dot takes them from here, and neato does",
        f'  graph [layout=neato, splines=line, outputorder=edgesfirst, bgcolor="{theme.paper}"];',
        f'  node [fixedsize=true, fontname="sans-serif", fontsize=10, color="{theme.ink}", fontcolor="{theme.ink}", '
        f'style=filled, fillcolor="{theme.paper}"];',
        "  edge [arrowsize=0.4];",
    ]
    top = 0.0
    for number, (network, title) in enumerate(zip(scene.networks, scene.titles, strict=True)):
        found = graph(network, scene.path, scene.view)
        heights = [node.y for node in found.nodes]
        prefix = f"g{number}" if len(scene.networks) > 1 else ""
        shift = top - max(heights)
        if prefix:
            lines.append(_text(f"{prefix}title", (title,), found.nodes[0].x, top + 0.9))
        lines += _graph(found, theme, prefix, shift)
        top = min(heights) + shift - _GAP
    return "\n".join([*lines, "}\n"])


def _graph(found: Graph, theme: Theme, prefix: str, shift: float) -> Iterator[str]:
    for node in found.nodes:
        yield _node(node, prefix, shift)
    floor = min(node.y for node in found.nodes) + shift - 1.0
    most = max(len(lines) for _, lines in found.captions)
    for number, (x, lines) in enumerate(found.captions):
        said = (*lines, *[""] * (most - len(lines)))
        yield _text(f"{prefix}c{number}", said, x, floor)
    boxes = {node.id for node in found.nodes if node.is_box}
    for number, edge in enumerate(found.edges):
        yield _edge(edge, theme, prefix, boxes)
        if edge.label:
            yield _text(f"{prefix}w{number}", (edge.label,), edge.at[0], edge.at[1] + shift, 8)


def _at(x: float, y: float) -> str:
    return f'pos="{_INCH * x:.4f},{_INCH * y:.4f}!"'


def _text(id: str, said: tuple[str, ...], x: float, y: float, size: int = 9) -> str:
    shape = "shape=plaintext, fixedsize=false, width=0, height=0, margin=0.02"
    return f"  {id} [label={quoted(*said)}, {shape}, fontsize={size}, {_at(x, y)}];"


def _node(node: Node, prefix: str, shift: float) -> str:
    dim = "" if node.lit or node.kind == "more" else ', style="filled,dashed"'
    place = _at(node.x, node.y + shift)
    return f"  {prefix}{node.id} [label={quoted(node.shown)}, {_SHAPES[node.form]}, {place}{dim}];"


def _edge(edge: Edge, theme: Theme, prefix: str, boxes: set[str]) -> str:
    colour = getattr(theme, edge.sign)
    dim = "" if edge.lit else "22"
    style = "dashed" if edge.weight < 0 else "solid"
    return (
        f"  {prefix}{edge.tail}{':e' * (edge.tail in boxes)} -> {prefix}{edge.head}{':w' * (edge.head in boxes)} "
        f'[color="{colour}{dim}", penwidth={0.4 + 2.6 * edge.part:.2f}, style={style}];'
    )


def quoted(*names: str) -> str:
    """Return names, a line each, as a string of DOT, in which no escape and no markup means anything."""
    lines = [plain(name, 60).replace("\\", "\\\\").replace('"', '\\"') for name in names]
    return '"' + "\\n".join(line.replace("&", "&amp;") for line in lines) + '"'
