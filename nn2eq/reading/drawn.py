"""Weights for an architecture that comes without: drawn at random, so that what is said in symbols can be tried."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import TooLarge
from nn2eq.network import Affine, Map
from nn2eq.reading import shapes
from nn2eq.reading.keras_layers import KERAS_LAYERS
from nn2eq.reading.layer_row import Given
from nn2eq.reading.model_config import LayerConfig
from nn2eq.reading.pairing import weight_names

MOST = 2_000_000
"""Weights that are drawn for one layer: symbols are for people."""


class Draw:
    """Draws the weights of one network, the same ones every time."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)

    def __call__(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return numbers of a shape, none of them special, and positive: a variance may be among them."""
        if math.prod(shape) > MOST:
            what = f"a layer of {math.prod(shape):,} weights, too many for symbols"
            raise TooLarge(what, code="too-large", way_out="give the weights with --weights FILE")
        numbers = self._random.uniform(0.3, 1.0, shape) / np.sqrt(max(shape[:-1], default=1))
        return np.asarray(numbers, dtype=np.float32)

    def weights(self, layer: LayerConfig, given: Given) -> dict[str, NDArray[np.float32]]:
        """Return what stands for a layer's weights by name; those that are asked for by their shape are drawn then."""
        along = KERAS_LAYERS[layer.class_name].along
        inner = shapes.known(given.shape)
        shape = (
            tuple(inner[axis if axis < 0 else axis - 1] for axis in along(given.fields)) if along else (0,)
        )
        return {name: self(shape) for name in weight_names(layer)}

    def signed(self, maps: tuple[Map, ...]) -> tuple[Map, ...]:
        """Return the maps with signs at random, so that no activation has only one side to show."""
        return tuple(self._signed(maps))

    def _signed(self, maps: tuple[Map, ...]) -> Iterator[Map]:
        for part in maps:
            if not isinstance(part, Affine):
                yield part
                continue
            arrays = (part.kernel, part.bias)
            kernel, bias = (None if one is None else one * self._signs(one.shape) for one in arrays)
            assert kernel is not None
            yield Affine(kernel, bias, part.repeat)

    def _signs(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        return self._random.choice(np.array([-1.0, 1.0], np.float32), shape)
