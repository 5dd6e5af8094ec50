"""The affine pieces over two inputs: polygons that differ from their neighbours, and each layer's cuts in its shade."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from nn2eq.cells import Regions
from nn2eq.cells import regions as found_regions
from nn2eq.errors import TooLarge, UnsupportedModel
from nn2eq.network import Network
from nn2eq.show.pictures.curves import affine_part
from nn2eq.show.pictures.planes import name_inputs, segments
from nn2eq.show.pictures.scene import Scene, require_inputs
from nn2eq.show.pictures.style import Picture, gallery, key, titled
from nn2eq.show.pictures.theme import Theme

Array = NDArray[np.float64]
Cuts = dict[int, list[Array]]
MOST = 30_000
"""Pieces that a picture may have."""


def regions(scene: Scene) -> Picture:
    """Draw the pieces of each network; neighbours differ in colour, except where their map is the same."""
    for network in scene.networks:
        require_inputs(network, 2, kind="regions")
    picture, flat = gallery(len(scene.networks), width=4.2, height=4.2)
    for panel, network, title in zip(flat, scene.networks, scene.titles, strict=True):
        _panel(scene, panel, network, title)
    return picture


def _panel(scene: Scene, axes: Axes, network: Network, title: str) -> None:
    found = pieces_of(network, scene)
    polygons = [np.asarray(region.vertices) for region in found]
    groups = found.groups if scene.colour == "map" else np.arange(found.count)
    colours = coloured(groups, found.adjacency, len(scene.theme.tints))
    axes.add_collection(
        PolyCollection(
            polygons, facecolors=[scene.theme.tints[colour] for colour in colours], edgecolors="face", linewidths=0.3,
            gid="pieces",
        )
    )  # fmt: skip
    layered = cuts(found)
    for layer, lines in sorted(layered.items(), reverse=True):
        colour, width = shade(scene.theme, layer, max(layered), found.count)
        segments(axes, lines, gid=f"cuts{layer}", colors=[colour], linewidths=width)
    if scene.data is not None:
        first, second = scene.data.rows.T
        axes.scatter(
            first,
            second,
            s=9,
            color=scene.theme.ink,
            edgecolors=scene.theme.paper,
            linewidths=0.5,
            zorder=5,
        )
    (low, high), (bottom, top) = scene.box(network)
    axes.set_xlim(low, high)
    axes.set_ylim(bottom, top)
    name_inputs(axes, network)
    merged = f", {found.merged:,} maps" if scene.colour == "map" and found.merged != found.count else ""
    _legend(axes, scene.theme, sorted(layered), found.count)
    head = f"{title}: " if len(scene.networks) > 1 else ""
    titled(axes, f"{head}{found.count:,} piece{'s' * (found.count != 1)}{merged}")


def pieces_of(network: Network, scene: Scene) -> Regions:
    """Return all pieces inside the box, neighbours with the same map grouped. Raises UnsupportedModel, TooLarge."""
    part = affine_part(network)
    if part is None or all(hasattr(step, "kernel") for step in part.maps):
        part = network  # which says by name what is not affine in pieces
    found = found_regions(part, scene.box(network), merge=True, max_regions=MOST)
    if not found.complete:
        raise TooLarge(
            f"more than {MOST:,} pieces", code="too-large", way_out="give a smaller --domain"
        ).in_file(network.source.file)
    if not found.patterns.shape[1]:
        raise UnsupportedModel(
            "nothing here bends: it is one piece, or smooth",
            code="not-piecewise",
            way_out="try --kind function",
        ).in_file(network.source.file)
    return found


def coloured(groups: NDArray[np.int64], adjacency: NDArray[np.int64], colours: int) -> NDArray[np.int64]:
    """Colour groups of pieces so that neighbours differ, the least used colour first; (pieces,).

    A planar map of many pieces may need more colours than there are at a place: the one that is least used around
    it is taken then.
    """
    count = int(groups.max(initial=0)) + 1
    pairs = np.unique(np.sort(groups[adjacency], axis=1), axis=0) if len(adjacency) else np.zeros((0, 2), int)
    around: list[list[int]] = [[] for _ in range(count)]
    for one, two in pairs[pairs[:, 0] != pairs[:, 1]].tolist():
        around[one].append(two)
        around[two].append(one)
    chosen, used = np.full(count, -1), np.zeros(colours, dtype=np.int64)
    for group in smallest_last(around):
        taken = np.bincount(
            [chosen[other] for other in around[group] if chosen[other] >= 0], minlength=colours
        )
        chosen[group] = min(range(colours), key=lambda colour: (taken[colour], used[colour]))
        used[chosen[group]] += 1
    return chosen[groups]


def smallest_last(around: list[list[int]]) -> list[int]:
    """Order a graph so that each vertex has few neighbours before it: at most five in a planar one."""
    degree = [len(others) for others in around]
    buckets: list[set[int]] = [set() for _ in range(max(degree, default=0) + 1)]
    for vertex, size in enumerate(degree):
        buckets[size].add(vertex)
    order, gone = [], [False] * len(around)
    for _ in around:
        vertex = next(bucket for bucket in buckets if bucket).pop()
        gone[vertex] = True
        order.append(vertex)
        for other in around[vertex]:
            if not gone[other]:
                buckets[degree[other]].remove(other)
                degree[other] -= 1
                buckets[degree[other]].add(other)
    return order[::-1]


def cuts(found: Regions) -> Cuts:
    """Return the lines between pieces, (2, 2) each, by the layer whose units differ across them."""
    layer_of = np.repeat(
        [chapter.layer for chapter in found.story], [len(chapter.added) for chapter in found.story]
    )
    polygons = [np.asarray(region.vertices, dtype=np.float64) for region in found]
    lines: Cuts = {}
    for one, two in found.adjacency.tolist():
        differ = found.patterns[one] != found.patterns[two]
        layer = int(layer_of[int(np.argmax(differ))])
        lines.setdefault(layer, []).extend(_shared(polygons[one], polygons[two]))
    return lines


def _shared(one: Array, two: Array) -> Iterator[Array]:
    """Yield the line along which two polygons touch: that between the corners both have, or what two sides share."""
    common = [corner for corner in one.tolist() if corner in two.tolist()]
    if len(common) == 2:
        yield np.array(common)
        return
    sides = [(a, b) for a in _sides(one) for b in _sides(two)]
    overlaps = [_overlap(a, b) for a, b in sides]
    yield max(overlaps, key=lambda line: float(np.hypot(*(line[1] - line[0]))))


def _sides(polygon: Array) -> Iterator[Array]:
    yield from np.stack([polygon, np.roll(polygon, -1, axis=0)], axis=1)


def _overlap(one: Array, two: Array) -> Array:
    """Return what two sides have in common if they lie on one line, else a line of no length."""
    start, along = one[0], one[1] - one[0]
    length = float(np.hypot(*along)) or 1.0
    along = along / length
    away = np.abs((two - start) @ np.array([-along[1], along[0]])).max()
    span = float(np.abs(two).max() + np.abs(one).max())
    ends = np.clip(np.sort((two - start) @ along), 0.0, length) if away <= 1e-9 * span else np.zeros(2)
    return np.asarray(start + ends[:, None] * along)


def shade(theme: Theme, layer: int, last: int, pieces: int) -> tuple[str, float]:
    """Return colour and width of the cuts of a layer: the first darkest and widest, each later one fainter.

    pieces: of very many, all lines are thinner.
    """
    ink, muted = np.array(to_rgb(theme.ink)), np.array(to_rgb(theme.muted))
    part = (layer - 1) / max(last - 1, 1)
    red, green, blue = (ink + part * (muted - ink)).tolist()
    return to_hex((red, green, blue)), (2.0 - 1.3 * part) * min(1.0, (100 / pieces) ** 0.25)


def _legend(axes: Axes, theme: Theme, numbers: list[int], pieces: int) -> None:
    lines = []
    for layer in numbers:
        colour, width = shade(theme, layer, max(numbers), pieces)
        lines.append(Line2D([], [], color=colour, linewidth=max(width, 1.0), label=f"layer {layer}"))
    key(axes, lines)
