"""A diagram as Mermaid text, which GitHub draws; every sign in a name that could mean something is a character code."""

from __future__ import annotations

from collections.abc import Iterator

from nn2eq.errors import TooLarge
from nn2eq.show.pictures.graph import ROOMS, Edge, Graph, Node, graph
from nn2eq.show.pictures.scene import Scene
from nn2eq.show.pictures.theme import Theme, plain

_SHAPES = {
    "unit": ('(("', '"))'),
    "bias": ('(("', '"))'),
    "more": ('["', '"]:::more'),
    "long": ('(["', '"])'),
    "layer": ('["', '"]'),
}


_HARMLESS = " ._,:−×…"
"""Signs that mean nothing within a quoted text."""
MOST_EDGES = 500
"""More than these Mermaid does not draw, and no text may tell it to."""


def text(scene: Scene) -> str:
    """Return the graphs of all networks as one flowchart, a subgraph each where there are several. Raises TooLarge."""
    lines, edges, gaps = ["flowchart LR", "  classDef more fill:none,stroke:none"], list[Edge](), list[str]()
    for number, (found, title) in enumerate(zip(_graphs(scene), scene.titles, strict=True)):
        prefix = f"g{number}" if len(scene.networks) > 1 else ""
        body = _graph(found, prefix)
        lines += (
            [f'  subgraph {prefix}["{escaped(title)}"]', "  direction LR", *body, "  end"] if prefix else body
        )
        edges += found.edges
        gaps += [f"  {prefix}{tail} ~~~ {prefix}{gap}" for tail, gap in _held(found)]
    lines += gaps  # behind all that are seen, whose numbers come next
    lines += [_style(number, edge, scene.theme) for number, edge in enumerate(edges)]
    return "\n".join(lines) + "\n"


def _graphs(scene: Scene) -> list[Graph]:
    """Return the graphs, with as many units of each layer as there may be edges for."""
    for room in ROOMS:
        found = [graph(network, scene.path, scene.view, room) for network in scene.networks]
        if sum(len(one.edges) + len([*_held(one)]) for one in found) <= MOST_EDGES:
            return found
    raise TooLarge(
        f"a graph of more than {MOST_EDGES} edges, which Mermaid does not draw", code="too-large",
        way_out="--view layers, or .svg, .tex or .dot",
    )  # fmt: skip


def _held(found: Graph) -> Iterator[tuple[str, str]]:
    """Yield what leads, unseen, to each note of units left out, which would else stand in the first column."""
    tails = {edge.head.partition("u")[0]: edge.tail for edge in reversed(found.edges)}
    for node in found.nodes:
        column = node.id.partition("m")[0]
        if node.kind == "more" and column in tails:
            yield tails[column], node.id


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
        char if (char.isalnum() and char.isascii()) or char in _HARMLESS else f"#{ord(char)};"
        for char in plain(name, 60)
    )
