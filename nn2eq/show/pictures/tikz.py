"""A diagram as TikZ, a document that pdflatex compiles; every name enters through LaTeX's own gate."""

from __future__ import annotations

from collections.abc import Iterator

from nn2eq.emit.latex.names import standing, texttt
from nn2eq.show.pictures.graph import Edge, Graph, Node, graph
from nn2eq.show.pictures.scene import Scene
from nn2eq.show.pictures.theme import Theme, number, plain

_WIDER = 1.25
"""Centimetres a unit of the drawing takes across; upwards it is one."""
_GAP = 3.0
"""Between the graphs of several networks."""


def text(scene: Scene) -> str:
    """Return a document with the graphs of all networks, one below the other."""
    graphs = [graph(network, scene.path, scene.view) for network in scene.networks]
    body: list[str] = []
    top = 0.0
    for place, (found, title) in enumerate(zip(graphs, scene.titles, strict=True)):
        ys = [node.y for node in found.nodes]
        prefix = f"g{place}" if len(graphs) > 1 else ""
        left = min(node.x - node.reach for node in found.nodes)
        if prefix:
            body.append(rf"\node[anchor=west] at ({_WIDER * left:.3f},{top + 0.9:.3f}) {{{texttt(title)}}};")
        body += _graph(found, prefix, top - max(ys))
        top -= max(ys) - min(ys) + _GAP
    return "\n".join([*_head(scene.theme), *body, r"\end{tikzpicture}", r"\end{document}", ""])


def _head(theme: Theme) -> list[str]:
    colours = {name: getattr(theme, name) for name in ("paper", "ink", "muted", "positive", "negative")}
    return [
        r"\documentclass[tikz, border=4pt]{standalone}",
        r"\usepackage{amsmath}",
        *(rf"\definecolor{{{name}}}{{HTML}}{{{value[1:].upper()}}}" for name, value in colours.items()),
        r"\begin{document}",
        r"\pagecolor{paper}\color{ink}",
        r"\begin{tikzpicture}[",
        r"  unit/.style={circle, draw=ink, fill=paper, minimum size=8mm, inner sep=0.5pt, font=\small},",
        r"  long/.style={rectangle, rounded corners=4mm, draw=ink, fill=paper, minimum height=8mm, font=\small},",
        r"  bias/.style={circle, draw=ink, fill=paper, minimum size=5mm, inner sep=0pt, font=\footnotesize},",
        r"  layer/.style={rectangle, draw=ink, fill=paper, minimum height=8mm, minimum width=20mm},",
        r"  more/.style={align=center, font=\footnotesize},",
        r"  weight/.style={fill=paper, inner sep=1pt, font=\scriptsize},",
        r"  dim/.style={opacity=0.3}]",
    ]


def _graph(found: Graph, prefix: str, shift: float) -> Iterator[str]:
    for node in found.nodes:
        yield _node(node, prefix, shift)
    boxes = {node.id for node in found.nodes if node.is_box}
    for edge in sorted(found.edges, key=lambda edge: edge.lit):
        yield _edge(edge, prefix, boxes)
    for edge in found.edges:
        if edge.label:
            x, y = edge.at
            yield rf"\node[weight] at ({_WIDER * x:.3f},{y + shift:.3f}) {{{_label(edge)}}};"
    floor = min(node.y for node in found.nodes) + shift - 0.7
    for x, lines in found.captions:
        said = r"\\".join(texttt(plain(line, 60)) for line in lines)
        yield rf"\node[anchor=north, align=center, font=\footnotesize] at ({_WIDER * x:.3f},{floor:.3f}) {{{said}}};"


def _node(node: Node, prefix: str, shift: float) -> str:
    dim = ", dim" if not node.lit and node.kind == "unit" else ""
    return (
        rf"\node[{node.form}{dim}] ({prefix}{node.id}) at ({_WIDER * node.x:.3f},{node.y + shift:.3f})"
        rf" {{{_said(node)}}};"
    )


def _said(node: Node) -> str:
    if node.kind == "more":
        return rf"$\vdots$\\{texttt(node.label)}"
    first, dots, last = node.label.partition(" … ")
    if node.kind == "layer" and dots:
        return rf"${_shortened(plain(first, 9))}, \dots, {_shortened(plain(last, 9))}$"
    return f"${_shortened(node.shown)}$"


def _shortened(name: str) -> str:
    """Set a name that may end in an ellipsis, where it was too long."""
    return rf"{standing(name[:-1])}\dots" if name.endswith("…") else standing(name)


def _edge(edge: Edge, prefix: str, boxes: set[str]) -> str:
    colour = f"{edge.sign}, dashed" if edge.weight < 0 else edge.sign
    dim = "" if edge.lit else ", dim"
    return (
        rf"\draw[{colour}{dim}, line width={0.3 + 2.2 * edge.part:.2f}pt]"
        rf" ({prefix}{edge.tail}{'.east' * (edge.tail in boxes)}) --"
        rf" ({prefix}{edge.head}{'.west' * (edge.head in boxes)});"
    )


def _label(edge: Edge) -> str:
    """A weight as a number, or what leads from layer to layer."""
    if edge.label == number(float(f"{edge.weight:.3g}")):
        mantissa, _, exponent = edge.label.replace("−", "-").partition("e")
        return rf"${mantissa} \times 10^{{{exponent}}}$" if exponent else f"${mantissa}$"
    return r"\,$\times$\,".join(texttt(part.strip()) for part in edge.label.split("×"))
