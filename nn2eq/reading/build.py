"""From what a container holds to a Network: understand the config, pair the weights, ask the table layer by layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from nn2eq.errors import DamagedFile, UnsupportedModel
from nn2eq.network import Layer, Network, Source
from nn2eq.reading import json_text, pairing, shapes
from nn2eq.reading.archive import Archive, Array
from nn2eq.reading.fields import Fields
from nn2eq.reading.keras_layers import KERAS_LAYERS, Given
from nn2eq.reading.model_config import INPUT_LAYER, LayerConfig, ModelConfig, model_config
from nn2eq.reading.names import quoted
from nn2eq.reading.shapes import Shape

WHAT_IS_READ = ", ".join(sorted((*KERAS_LAYERS, "Sequential", "Functional", INPUT_LAYER)))

PRECISIONS = {"float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16"}
"""The dtype policies whose weights are plain numbers. What Keras computes with in between is its own affair: a
network here is what its stored weights say, answered in float64."""

FORBIDDEN_INPUTS = {"string", "bool", "resource", "variant"}

_CONFIG_OF = {"order": "model_config", "classes": "config.json", "graph": "the metadata"}


def build(archive: Archive, file: str = "") -> Network:
    """Build the network that an archive describes."""
    if not archive.config:
        raise DamagedFile(
            f"{archive.container} with weights alone",
            code="needs-config",
            way_out="give the architecture too: nn2eq ARCHITECTURE.json --weights FILE",
        )
    where = "the JSON" if archive.container.startswith("JSON") else _CONFIG_OF[archive.layout]
    text = json_text.parse(archive.config, where)
    model = model_config(text, f"the model in {where}")
    if not archive.layout:
        raise UnsupportedModel(
            "an architecture without weights", code="needs-weights", way_out="give them with --weights FILE"
        )
    version = archive.version or _version(text)
    source = Source(file, archive.sha256, archive.container, version)
    return network(model, archive, source)


def _version(text: Mapping[str, Any]) -> str:
    """Return the Keras version that a config names, or the generation that its dialect gives away."""
    named = text.get("keras_version")
    if isinstance(named, str):
        return named
    if "module" in text or "registered_name" in text:
        return "3"
    return (
        "1" if isinstance(text.get("config"), list) and '"output_dim"' in str(text).replace("'", '"') else "2"
    )


def network(model: ModelConfig, archive: Archive, source: Source) -> Network:
    """Walk the layers from the input's shape on."""
    layers = list(model.leaves())
    for layer in layers:
        _check_class(layer)
        _check_precision(layer.fields)
    weights = pairing.pair(model, archive)
    _check_values(layers, weights)
    shape = start = _input_shape(model, layers, weights)
    made: list[Layer] = []
    for layer in layers:
        if layer.class_name == INPUT_LAYER:
            _check_input(layer, shape)
            continue
        given = Given(
            layer.fields, shape, weights.get(id(layer), {}), source.keras_major, _number_type(layer.fields)
        )
        result = KERAS_LAYERS[layer.class_name].make(given)
        shape = _bounded(result.shape, layer.fields.where)
        made.append(Layer(layer.name, layer.class_name, shapes.known(shape), result.maps, given.weights))
    if not made:
        raise DamagedFile("a model with no layers: its answer is its input", code="no-layers")
    return Network(tuple(made), shapes.known(start), source=source)


def _check_class(layer: LayerConfig) -> None:
    if layer.class_name not in KERAS_LAYERS and layer.class_name != INPUT_LAYER:
        runs = " (Python code, which is never run)" if layer.class_name == "Lambda" else ""
        raise UnsupportedModel(
            f"{layer.fields.where} is a {quoted(layer.class_name)[1:-1]}{runs}",
            code="unsupported-layer",
            way_out=f"nn2eq reads {WHAT_IS_READ}",
        )


def _policy(fields: Fields) -> Any:
    """Return the name of the dtype policy: a text, or a policy object that has one."""
    value = fields.get("dtype")
    if isinstance(value, dict) and value.get("class_name") in ("DTypePolicy", "Policy", "PolicyV1"):
        value = value.get("config")
        return value.get("name") if isinstance(value, dict) else value
    return value


def _check_precision(fields: Fields) -> None:
    policy = _policy(fields)
    if policy is None or (isinstance(policy, str) and policy in PRECISIONS):
        return
    if not isinstance(policy, str) or "int8" in policy or "int4" in policy or "float8" in policy:
        raise UnsupportedModel(
            f"{fields.where} is quantized, or of a dtype not read: {quoted(str(policy))}", code="quantized"
        )
    if policy in FORBIDDEN_INPUTS:
        raise UnsupportedModel(f"{fields.where} has the dtype {quoted(policy)}", code="weight-dtype")


def _number_type(fields: Fields) -> type[np.floating[Any]]:
    """The type in which a layer holds the numbers of its config."""
    return np.float64 if _policy(fields) == "float64" else np.float32


def _check_values(layers: list[LayerConfig], weights: pairing.Weights) -> None:
    """Refuse weights that are not floating point numbers, or not finite."""
    for layer in layers:
        for name, array in weights.get(id(layer), {}).items():
            if array.dtype.kind != "f" and name != "count":
                raise UnsupportedModel(
                    f"{layer.fields.where}: {name} has the dtype {array.dtype}", code="weight-dtype"
                )
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise DamagedFile(f"{layer.fields.where}: {name} holds NaN or Inf", code="weight-value")


# ---------------------------------------------------------------------------------------------- the input's shape


def _input_shape(model: ModelConfig, layers: list[LayerConfig], weights: pairing.Weights) -> Shape:
    """Return the input's shape: as an input layer says it, as the first layer does, or as the first weight shows."""
    shape = _declared_shape(model, layers)
    if shape is None or (shape and shape[-1] is None):
        first = _first_size(layers, weights)
        if first is None:
            raise UnsupportedModel(
                "the size of the input is not known, and no weight shows it", code="input-shape"
            )
        shape = (*(shape or (None,))[:-1], first)
    return _bounded(shape, "the input")


def _declared_shape(model: ModelConfig, layers: list[LayerConfig]) -> Shape | None:
    first = next((i for i, layer in enumerate(layers) if layer.class_name != INPUT_LAYER), len(layers) - 1)
    found: list[Shape | None] = []
    for layer in layers[: first + 1]:
        found.append(_without_batch(layer.fields.shape("batch_input_shape", "batch_shape")))
    if layers and "input_dim" in layers[first].fields.values:
        found.append((layers[first].fields.whole("input_dim"),))
    for part in model.models():
        found.append(_without_batch(part.fields.shape("build_input_shape")))
        found.append(_without_batch(part.build.shape("input_shape")))
    if layers:
        found.append(_without_batch(layers[first].build.shape("input_shape")))
    shapes_found = [shape for shape in found if shape is not None]
    return next(
        (shape for shape in shapes_found if None not in shape[-1:]), shapes_found[0] if shapes_found else None
    )


def _without_batch(shape: Shape | None) -> Shape | None:
    return shape[1:] if shape else None


def _first_size(layers: list[LayerConfig], weights: pairing.Weights) -> int | None:
    """Return the size of the last input axis as the first layer with weights shows it."""
    arrays = next((weights[id(layer)] for layer in layers if id(layer) in weights), {})
    name, array = next(iter(arrays.items()), ("", np.empty(())))
    if not array.ndim:
        return None
    return int(array.shape[0 if name == "kernel" else -1])


def _check_input(layer: LayerConfig, shape: Shape) -> None:
    """An input layer inside must agree with what comes in."""
    declared = _without_batch(layer.fields.shape("batch_input_shape", "batch_shape"))
    if declared is None:
        return
    fits = len(declared) == len(shape) and all(
        size is None or actual is None or size == actual for size, actual in zip(declared, shape, strict=True)
    )
    if not fits:
        raise DamagedFile(
            f"{layer.fields.where}: it takes {shapes.said(declared)}, {shapes.said(shape)} comes in",
            code="input-shape",
        )
    if layer.fields.get("ragged") is True:
        raise UnsupportedModel(f"{layer.fields.where}: ragged inputs", code="input-shape")


def _bounded(shape: Shape, where: str) -> Shape:
    size = math.prod(shapes.known(shape))
    if not 0 < size <= shapes.LARGEST:
        raise UnsupportedModel(f"{where}: {size:,} numbers at once are too many", code="too-large")
    return shape
