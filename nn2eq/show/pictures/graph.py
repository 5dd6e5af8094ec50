"""A network as a graph to draw: columns of nodes, weighted edges, and what a highlighted path runs through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import BadRequest
from nn2eq.forms.program import Affine, Apply, Step, Value
from nn2eq.forms.straight import matrix
from nn2eq.network import Network
from nn2eq.show.pictures.theme import number, plain

Array = NDArray[np.float64]


class Room(NamedTuple):
    """How many units of a column may all be shown; of a larger one some are, besides those on the path."""

    full: int
    first: int
    last: int


WIDE = Room(10, 4, 3)
ROOMS = (WIDE, Room(6, 2, 2), Room(3, 1, 1))
"""How much of each column is shown, ever less where there may only be so many edges."""
RADII = {"unit": 0.36, "bias": 0.24, "more": 0.36, "layer": 0.95}
"""Half the width of each kind of node with a short name."""
APART = 4.4
"""From layer to layer where each is one node."""
LABELLED = 32
"""Edges up to which each says its weight."""


@dataclass(frozen=True)
class Node:
    """A node: `id` in letters and digits, its text (untrusted), where it is, and of which kind.

    kind: `unit`, `bias`, `more` (units that are not shown) or `layer`. lit: whether the path has it, or there is none.
    """

    id: str
    label: str
    x: float
    y: float
    kind: str = "unit"
    lit: bool = True

    @property
    def shown(self) -> str:
        """Its text as it can be shown."""
        return plain(self.label, 20)

    @property
    def form(self) -> str:
        """Its kind, or `long` for a unit whose name is too long for a circle."""
        return "long" if self.kind == "unit" and len(self.shown) > 6 else self.kind

    @property
    def reach(self) -> float:
        """Half its width."""
        letters = 0.16 + 0.058 * len(self.shown)
        return (
            letters
            if self.form == "long"
            else max(letters, RADII["layer"])
            if self.kind == "layer"
            else RADII[self.kind]
        )

    @property
    def is_box(self) -> bool:
        """Whether it is no circle: edges then leave and meet it in the middle of a side."""
        return self.form in ("long", "layer")


@dataclass(frozen=True)
class Edge:
    """An edge: the ids of its ends, its weight, and that as part of the largest weight of its layer, 0 ... 1.

    A weight of 0 says that it has none of its own. label: what stands on it, at the place `at`.
    """

    tail: str
    head: str
    weight: float
    part: float
    label: str = ""
    lit: bool = True
    at: tuple[float, float] = (0.0, 0.0)

    @property
    def sign(self) -> str:
        """The name of its colour in a theme."""
        return "positive" if self.weight > 0 else "negative" if self.weight < 0 else "muted"


@dataclass(frozen=True)
class Graph:
    """Nodes, edges, and below each column what it is: (x, lines of untrusted text)."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    captions: tuple[tuple[float, tuple[str, ...]], ...]


@dataclass(frozen=True, eq=False)
class Column:
    """A layer as a column: names by which its units are known, what leads to it, and what it is, in words.

    kernel (units before, units): NaN where an edge has no weight of its own, 0 where there is none. bias (units,).
    """

    value: Value
    aliases: tuple[str, ...] = ()
    kernel: Array | None = None
    bias: Array | None = None
    activation: str = ""
    symbols: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many units it has."""
        return self.value.size


def columns(network: Network) -> tuple[Column, ...]:
    """Return the inputs and each layer; an activation belongs to the affine map before it."""
    program = matrix(network)
    found = [Column(Value("x", program.inputs, "inputs"))]
    steps = program.predict.steps
    for place, step in enumerate(steps):
        before = steps[place - 1] if place else None
        if isinstance(step, Apply) and isinstance(before, Affine) and step.out.size == step.arg.size:
            found[-1] = Column(
                step.out,
                step.arg.parts,
                found[-1].kernel,
                found[-1].bias,
                step.activation.row.name,
                found[-1].symbols,
            )
        else:
            found.append(_column(step))
    return tuple(found)


def _column(step: Step) -> Column:
    if isinstance(step, Affine):
        (term,) = step.terms
        kernel = term.matrix.data.astype(np.float64)
        bias = None if step.offset is None else step.offset.data.astype(np.float64)
        symbols = (term.matrix.name, *(() if step.offset is None else (step.offset.name,)))
        return Column(step.out, (), np.diag(kernel) if kernel.ndim == 1 else kernel, bias, "", symbols)
    assert isinstance(step, Apply)
    kernel = np.zeros(
        (step.arg.size, step.out.size)
    )  # each unit takes its own, or with glu its own and its partner
    for unit in range(step.arg.size):
        kernel[unit, unit % step.out.size] = np.nan
    return Column(step.out, (), kernel, None, step.activation.row.name)


def graph(network: Network, path: Sequence[str] = (), view: str = "units", room: Room = WIDE) -> Graph:
    """Return the graph of a network. Raises BadRequest for a path through what is no unit."""
    found = columns(network)
    if view == "layers":
        if path:
            raise BadRequest(
                "--path leads through units", code="option-kind", way_out="leave out --view layers"
            )
        return _by_layers(found)
    return _by_units(found, _lit(found, path), bool(path), room)


def _lit(found: tuple[Column, ...], path: Sequence[str]) -> list[set[int]]:
    """Return, column by column, the units that a path may run through: those it names, else all."""
    lit: list[set[int]] = [set() for _ in found]
    for name in path:
        places = [
            (place, names.index(name))
            for place, column in enumerate(found)
            for names in (column.value.parts, column.aliases)
            if name in names
        ]
        if not places:
            units = [part for column in found for part in column.value.parts]
            raise BadRequest(
                f"--path: no unit {name!r:.60}",
                code="path",
                way_out=f"the units are {', '.join(units[:12])} ...",
            )
        lit[places[0][0]].add(places[0][1])
    return [chosen or set(range(column.size)) for chosen, column in zip(lit, found, strict=True)]


# ------------------------------------------------------------------------------------------- unit by unit


def _by_units(found: tuple[Column, ...], lit: list[set[int]], has_path: bool, room: Room) -> Graph:
    shown = [_shown(column.size, chosen, room) for column, chosen in zip(found, lit, strict=True)]
    step = 3.2
    nodes: list[Node] = []
    edges: list[Edge] = []
    for place, (column, units) in enumerate(zip(found, shown, strict=True)):
        heights = _heights(units)
        for unit, y in heights.items():
            on = unit in lit[place]
            node = Node(f"n{place}u{unit}", column.value.parts[unit], place * step, y, lit=on)
            nodes.append(_outward(node, place, len(found)))
        nodes += _gaps(place, units, heights, place * step)
        if place + 1 < len(found) and found[place + 1].bias is not None:
            top = max(heights.values()) + 1.0
            nodes.append(Node(f"n{place}b", "1", place * step, top, "bias", lit=not has_path))
        if place:
            edges += _edges(place, column, shown[place - 1], units, (lit[place - 1], lit[place]), has_path)
    labelled = sum(edge.lit for edge in edges) <= LABELLED
    edges = [edge if edge.lit and labelled else replace(edge, label="") for edge in edges]
    captions = tuple((place * step, _caption(column)) for place, column in enumerate(found))
    return Graph(tuple(nodes), _placed(nodes, edges), captions)


def _outward(node: Node, place: int, columns: int) -> Node:
    """Move a wide box of the first or the last column outward, so that edges have the room that circles leave them."""
    aside = max(node.reach - RADII["unit"], 0.0)
    return replace(node, x=node.x + {0: -aside, columns - 1: aside}.get(place, 0.0))


def _shown(size: int, lit: set[int], room: Room) -> list[int]:
    """Choose the units that are shown: all of a small column, else the first, the last, and a few named ones."""
    if size <= room.full:
        return list(range(size))
    named = lit if len(lit) < size else set()
    return sorted({*range(room.first), *range(size - room.last, size), *named})


def _heights(units: list[int]) -> dict[int, float]:
    """Place the units from top to bottom around 0, one step apart, with room for what is left out between them."""
    places, y = {}, 0.0
    for before, unit in zip([units[0] - 1, *units], units, strict=False):
        y -= 2.0 if unit != before + 1 else 1.0
        places[unit] = y
    middle = (max(places.values()) + min(places.values())) / 2
    return {unit: y - middle for unit, y in places.items()}


def _gaps(place: int, units: list[int], heights: dict[int, float], x: float) -> Iterator[Node]:
    """Yield a node for each run of units that is left out."""
    for one, two in pairwise(units):
        if two != one + 1:
            y = (heights[one] + heights[two]) / 2
            yield Node(f"n{place}m{one}", f"{two - one - 1:,} more", x, y, "more", lit=False)


def _edges(
    place: int, column: Column, before: list[int], units: list[int], lit: tuple[set[int], set[int]], has_path: bool
) -> Iterator[Edge]:  # fmt: skip
    assert column.kernel is not None
    weights = column.kernel if column.bias is None else np.vstack([column.kernel, column.bias])
    finite = np.abs(weights[np.isfinite(weights)])
    most = float(finite.max(initial=0.0)) or 1.0
    for head in units:
        for tail in before:
            weight = float(column.kernel[tail, head])
            if weight != 0.0:
                on = tail in lit[0] and head in lit[1]
                yield _edge(f"n{place - 1}u{tail}", f"n{place}u{head}", weight, most, on)
        if column.bias is not None and column.bias[head] != 0.0:
            yield _edge(f"n{place - 1}b", f"n{place}u{head}", float(column.bias[head]), most, not has_path)


def _edge(tail: str, head: str, weight: float, most: float, lit: bool) -> Edge:
    if np.isnan(weight):
        return Edge(tail, head, 0.0, 0.3, "", lit)
    return Edge(tail, head, weight, abs(weight) / most, number(float(f"{weight:.3g}")), lit)


def ends(tail: Node, head: Node) -> Array:
    """Return where an edge leaves one node's rim and meets the other's, (2, 2)."""
    start, end = (np.array([node.x, node.y]) for node in (tail, head))
    start[0] += tail.reach * tail.is_box
    end[0] -= head.reach * head.is_box
    along = (end - start) / np.hypot(*(end - start))
    rims = [0.0 if node.is_box else node.reach for node in (tail, head)]
    return np.stack([start + rims[0] * along, end - rims[1] * along])


def _placed(nodes: list[Node], edges: list[Edge]) -> tuple[Edge, ...]:
    """Place each label where along its edge there is most room; a label is wider than high."""
    known = {node.id: node for node in nodes}
    taken = [np.array([node.x, node.y]) for node in nodes]
    placed = []
    for edge in edges:
        if edge.label:
            start, end = ends(known[edge.tail], known[edge.head])
            places = [start + part * (end - start) for part in np.linspace(0.22, 0.78, 15)]
            away = [min(np.hypot(2.0 * x, 3.2 * y) for x, y in place - taken) for place in places]
            best = places[int(np.argmax(away))]
            taken.append(best)
            edge = replace(edge, at=(float(best[0]), float(best[1])))
        placed.append(edge)
    return tuple(placed)


def _caption(column: Column) -> tuple[str, ...]:
    units = f"{column.size:,} unit{'s' * (column.size > 1)}" if column.kernel is not None else ""
    activation = column.activation or ("linear" if column.kernel is not None else "")
    return tuple(line for line in (column.value.origin, units, activation) if line)


# --------------------------------------------------------------------------------------- a node a layer


def _by_layers(found: tuple[Column, ...]) -> Graph:
    nodes, edges = [], []
    for place, column in enumerate(found):
        first, last = column.value.parts[0], column.value.parts[-1]
        name = first if column.size == 1 else f"{first} … {last}"
        nodes.append(Node(f"n{place}", name, place * APART, 0.0, "layer"))
        if place:
            middle = (place - 0.5) * APART, 0.28
            edges.append(Edge(f"n{place - 1}", f"n{place}", 0.0, 0.4, _shape(column), at=middle))
    captions = tuple((place * APART, _caption(column)) for place, column in enumerate(found))
    return Graph(tuple(nodes), tuple(edges), captions)


def _shape(column: Column) -> str:
    assert column.kernel is not None
    if not column.symbols:
        return ""
    rows, units = column.kernel.shape
    return ", ".join([f"{column.symbols[0]}: {rows} × {units}", *column.symbols[1:]])
