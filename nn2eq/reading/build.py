"""From what a container holds to a Network: pair the weights, then ask the table layer by layer."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from nn2eq.errors import DamagedFile, UnsupportedModel
from nn2eq.network import Layer, Network, Source, needs_weights
from nn2eq.reading import config, pairing, shapes
from nn2eq.reading.archive import OWN, Archive
from nn2eq.reading.drawn import Draw
from nn2eq.reading.input_shape import input_shape, one_for_all, without_batch
from nn2eq.reading.keras_layers import KERAS_LAYERS
from nn2eq.reading.layer_row import Given
from nn2eq.reading.model_config import LayerConfig, ModelConfig
from nn2eq.reading.origins import INPUT_LAYER
from nn2eq.reading.shapes import Shape


def build(archive: Archive, file: str = "", *, symbols: bool = False) -> Network:
    """Build the network that an archive describes; `symbols`: an architecture without weights will do."""
    source = Source(file, archive.sha256, archive.container, archive.version)
    if OWN.encode() in archive.config[:200]:
        from nn2eq.reading.own_json import read_network

        return read_network(archive.config, source)
    if not archive.config:
        raise DamagedFile(
            "it holds weights alone, not the layers they belong to",
            code="needs-config",
            way_out="give the architecture too: nn2eq ARCHITECTURE.json --weights FILE",
        )
    understood = config.understand(archive.config, archive.where)
    if not (archive.layout or symbols):
        raise needs_weights("an architecture without weights")
    version = archive.version if config.VERSION.fullmatch(archive.version) else understood.version
    source = replace(source, keras_version=version, loss=archive.loss or understood.loss)
    return network(understood.model, archive, source)


def network(model: ModelConfig, archive: Archive, source: Source) -> Network:
    """Walk the layers from the input's shape on; without weights, draw some."""
    layers = list(model.leaves())
    draw = None if archive.layout else Draw()
    weights = {} if draw else pairing.pair(model, archive)
    _check_values(layers, weights)
    if all(layer.class_name == INPUT_LAYER for layer in layers):
        raise DamagedFile("a model with no layers: its answer is its input", code="no-layers")
    shape = start = _bounded(input_shape(model, layers, weights), "the input")
    made: list[Layer] = []
    for layer in layers:
        if layer.class_name == INPUT_LAYER:
            _check_input(layer, shape)
            continue
        numbers = np.float64 if config.dtype(layer.fields) == "float64" else np.float32
        given = Given(layer.fields, shape, weights.get(id(layer), {}), source.keras_major, numbers, draw)
        given = replace(given, weights=draw.weights(layer, given)) if draw else given
        result = KERAS_LAYERS[layer.class_name].make(given)
        result = replace(result, maps=draw.signed(result.maps)) if draw else result
        shape = _bounded(result.shape, layer.fields.where)
        stored = {} if draw else given.weights
        made.append(
            Layer(
                layer.name, layer.class_name, shapes.known(shape), result.maps, stored, axes=result.axes,
                epsilon=result.epsilon,
            )
        )  # fmt: skip
    broadcasts = one_for_all(model, layers, weights)
    return Network(
        tuple(made), shapes.known(start), source=source, one_for_all=broadcasts, drawn=draw is not None
    )


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


def _check_input(layer: LayerConfig, shape: Shape) -> None:
    """An input layer inside must agree with what comes in."""
    declared = without_batch(layer.fields.shape("batch_input_shape", "batch_shape"))
    if layer.fields.get("ragged") is True:
        raise UnsupportedModel(f"{layer.fields.where}: ragged inputs", code="input-shape")
    if declared is not None and not _fits(declared, shape):
        raise DamagedFile(
            f"{layer.fields.where}: it takes {shapes.said(declared)}, {shapes.said(shape)} comes in",
            code="input-shape",
        )


def _fits(declared: Shape, shape: Shape) -> bool:
    return len(declared) == len(shape) and all(
        size is None or actual is None or size == actual for size, actual in zip(declared, shape, strict=True)
    )


def _bounded(shape: Shape, where: str) -> Shape:
    size = math.prod(shapes.known(shape))
    if not 0 < size <= shapes.LARGEST:
        raise UnsupportedModel(f"{where}: {size:,} numbers at once are too many", code="too-large")
    return shape
