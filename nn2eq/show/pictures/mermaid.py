"""A diagram as Mermaid text, which GitHub draws; every sign in a name that could mean something is a character code."""

from __future__ import annotations

from collections.abc import Iterator

from nn2eq.show.pictures.graph import Edge, Graph, Node, graph
from nn2eq.show.pictures.scene import Scene
from nn2eq.show.pictures.theme import Theme, plain

_SHAPES = {
    "unit": ('(("', '"))'),
    "bias": ('(("', '"))'),
    "more": ('["', '"]:::more'),
    "long": ('(["', '"])'),
    "layer": ('["', '"]'),
}


def text(scene: Scene) -> str:
    """Return the graphs of all networks as one flowchart, a subgraph each where there are several."""
    lines, edges = ["flowchart LR", "  classDef more fill:none,stroke:none"], list[Edge]()
    for number, (network, title) in enumerate(zip(scene.networks, scene.titles, strict=True)):
        found = graph(network, scene.path, scene.view)
        prefix = f"g{number}" if len(scene.networks) > 1 else ""
        body = _graph(found, prefix)
        lines += [f'  subgraph {prefix}["{escaped(title)}"]', *body, "  end"] if prefix else body
        edges += found.edges
    lines += [_style(number, edge, scene.theme) for number, edge in enumerate(edges)]
    return "\n".join(lines) + "\n"


def _graph(found: Graph, prefix: str) -> Iterator[str]:
    captions = dict(found.captions)
    for node in sorted(found.nodes, key=lambda node: (node.x, -node.y)):
        yield f"  {prefix}{_node(node, captions.get(node.x, ()))}"
    for edge in found.edges:
        label = f'|"{escaped(edge.label)}"|' if edge.label else ""
        yield f"  {prefix}{edge.tail} -->{label} {prefix}{edge.head}"


def _node(node: Node, caption: tuple[str, ...]) -> str:
    before, behind = _SHAPES[node.form]
    lines = [node.shown, *caption] if node.kind == "layer" else [node.shown]
    return f"{node.id}{before}{'<br/>'.join(map(escaped, lines))}{behind}"


def _style(number: int, edge: Edge, theme: Theme) -> str:
    """Colour, dash and width of the number-th edge of the flowchart."""
    colour = getattr(theme, edge.sign)
    dash = ",stroke-dasharray:4 3" if edge.weight < 0 else ""
    dim = "" if edge.lit else ",opacity:0.15"
    return f"  linkStyle {number} stroke:{colour},stroke-width:{0.5 + 3.5 * edge.part:.1f}px{dash}{dim}"


def escaped(name: str) -> str:
    """Return a name for a quoted text of Mermaid: letters, digits, blanks and dots as they are, all else as codes."""
    return "".join(
        char if (char.isalnum() and char.isascii()) or char in " ._" else f"#{ord(char)};"
        for char in plain(name, 60)
    )
