"""Shapes of one sample on the way through the layers: sizes, None where a model leaves them open."""

from __future__ import annotations

import math

from nn2eq.errors import UnsupportedModel

Shape = tuple[int | None, ...]
"""Without the batch axis. An open axis is a second batch: layers act on the axes behind it."""

LARGEST = 1 << 18
"""Numbers that a layer may give; a colour picture of 224 by 224 has 150,528."""


def known(shape: Shape) -> tuple[int, ...]:
    """Return the axes behind the last open one: what the network acts on."""
    found: list[int] = []
    for size in reversed(shape):
        if size is None:
            break
        found.append(size)
    return tuple(reversed(found))


def units(shape: Shape) -> int | None:
    """Return the size of the last axis, 1 for a scalar."""
    return shape[-1] if shape else 1


def blocks(shape: Shape) -> int:
    """Return how often the last axis is repeated in one sample."""
    return math.prod(known(shape)[:-1])


def sizes(shape: Shape, what: str) -> tuple[int, ...]:
    """Return a shape that has no open axis."""
    if None in shape:
        raise UnsupportedModel(
            f"{what} needs to know every axis, the input has {said(shape)}", code="input-shape"
        )
    return known(shape)


def tail(shape: Shape, axes: tuple[int, ...], what: str) -> int:
    """Return how many of the last axes are meant by AXES, counted with the batch as Keras does."""
    rank = len(shape) + 1
    meant = sorted(axis + rank if axis < 0 else axis for axis in axes)
    last = list(range(rank - len(meant), rank))
    if not meant or meant != last or len(meant) > len(known(shape)):
        raise UnsupportedModel(
            f"{what} over axis {', '.join(map(str, axes)) or 'none'} of {said(shape)}",
            code="axis",
            way_out="nn2eq reads it over the last axis",
        )
    return len(meant)


def said(shape: Shape) -> str:
    """Say a shape as Keras does, with its batch axis."""
    return f"({', '.join(map(str, (None, *shape)))}{',' if not shape else ''})"
