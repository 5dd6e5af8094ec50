"""What a row of the table of Keras layers is: what it is given of a layer, and what it makes of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import DamagedFile, UnsupportedModel
from nn2eq.reading import shapes
from nn2eq.reading.fields import Fields
from nn2eq.reading.shapes import Shape

if TYPE_CHECKING:  # the child, which reads this table too, does without the mathematics
    from nn2eq.network import Map

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Given:
    """What a row needs to know of a layer; shape: of its input. draw: gives weights that are not known."""

    fields: Fields
    shape: Shape
    weights: Mapping[str, Array]
    keras_major: int
    number_type: type[np.floating[Any]]
    draw: Callable[[tuple[int, ...]], Array] | None = None

    @property
    def where(self) -> str:
        """How messages call the layer."""
        return self.fields.where

    @property
    def units(self) -> int:
        """The size of the last axis."""
        size = shapes.units(self.shape)
        if size is None:
            raise UnsupportedModel(f"{self.where}: the size of its input is not known", code="input-shape")
        return size

    def on(self, shape: Shape) -> Given:
        """The same layer without its weights, on another shape: for the activation behind them."""
        return replace(self, shape=shape, weights={})

    def weight(self, name: str, *expected: int) -> Array:
        """Return a weight that must have this shape."""
        if self.draw is not None:
            return self.draw(expected)
        found = self.weights[name]
        if found.shape != expected:
            raise DamagedFile(
                f"{self.where}: {name} has the shape {found.shape}, the layers ask for {expected}",
                code="weight-shape",
            )
        return found


@dataclass(frozen=True, eq=False)
class Made:
    """What a layer amounts to; shape: of its output; axes, epsilon: as `nn2eq.network.Layer` has them."""

    shape: Shape
    maps: tuple[Map, ...] = ()
    axes: tuple[int, ...] = ()
    epsilon: float = math.nan


@dataclass(frozen=True, eq=False)
class Row:
    """One Keras class: its weights by name, in Keras' order, and its maps.

    along: the axes of its input along which its weights lie, where not each weight is asked for by its shape.
    """

    make: Callable[[Given], Made]
    weights: Callable[[Fields], tuple[str, ...]] = lambda fields: ()
    along: Callable[[Fields], tuple[int, ...]] | None = None
