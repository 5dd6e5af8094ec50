"""The shape of the input: as an input layer says, as the first layer does, or as the first weight shows."""

from __future__ import annotations

from collections.abc import Iterator

from nn2eq.errors import UnsupportedModel
from nn2eq.reading.model_config import LayerConfig, ModelConfig
from nn2eq.reading.origins import INPUT_LAYER
from nn2eq.reading.pairing import Weights
from nn2eq.reading.shapes import Shape


def input_shape(model: ModelConfig, layers: list[LayerConfig], weights: Weights) -> Shape:
    """Return the input's shape, its last axis never open."""
    told = [shape for shape in _told(model, layers) if shape is not None]
    shape = next((shape for shape in told if not shape or shape[-1] is not None), told[0] if told else None)
    if shape is not None and (not shape or shape[-1] is not None):
        return shape
    last = _shown(layers, weights)
    if last is None:
        raise UnsupportedModel(
            "the size of the input is not known, and no weight shows it", code="input-shape"
        )
    return (*(shape or (None,))[:-1], last)


def one_for_all(model: ModelConfig, layers: list[LayerConfig], weights: Weights) -> bool:
    """Whether Keras takes one number for all inputs too: how many is open, and a Normalization broadcasts."""
    declared = next((shape for shape in _told(model, layers) if shape is not None), ())
    if not declared or declared[-1] is not None:
        return False
    first = next((names for names in (weights.get(id(layer)) for layer in layers) if names), {})
    return "mean" in first


def without_batch(shape: Shape | None) -> Shape | None:
    """Drop the batch axis."""
    return shape[1:] if shape else None


def _told(model: ModelConfig, layers: list[LayerConfig]) -> Iterator[Shape | None]:
    """Yield what the file says of the shape, the most reliable first."""
    first = next(place for place, layer in enumerate(layers) if layer.class_name != INPUT_LAYER)
    for layer in layers[: first + 1]:
        yield without_batch(layer.fields.shape("batch_input_shape", "batch_shape"))
    fields = layers[first].fields
    if fields.get("input_dim") is not None:  # Keras 1
        yield (fields.whole("input_dim"),)
    for part in model.models():
        yield without_batch(part.fields.shape("build_input_shape"))
        yield without_batch(part.build.shape("input_shape"))
    yield without_batch(layers[first].build.shape("input_shape"))


def _shown(layers: list[LayerConfig], weights: Weights) -> int | None:
    """Return the size of the last input axis as the first layer with weights shows it."""
    arrays = next((weights[id(layer)] for layer in layers if weights.get(id(layer))), {})
    for name, array in arrays.items():
        return int(array.shape[0 if name == "kernel" else -1]) if array.ndim else None
    return None
