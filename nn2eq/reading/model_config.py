"""The JSON of a model as a chain of layers: Sequential, or a functional model without branches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nn2eq.errors import DamagedFile, UnsupportedModel
from nn2eq.reading.fields import Fields
from nn2eq.reading.keras_layers import KERAS_LAYERS
from nn2eq.reading.names import quoted
from nn2eq.reading.origins import (
    INPUT_LAYER,
    LAYER_MODULES,
    MODEL_MODULES,
    MODELS,
    SEQUENTIAL,
    check_origin,
)

__all__ = [
    "INPUT_LAYER",
    "LAYER_MODULES",
    "MODELS",
    "MODEL_MODULES",
    "LayerConfig",
    "ModelConfig",
    "model_config",
]

WHAT_IS_READ = ", ".join(sorted({*KERAS_LAYERS, *MODELS, INPUT_LAYER}))


@dataclass(frozen=True, eq=False)
class LayerConfig:
    """One layer: its class, its name (untrusted), and its fields."""

    class_name: str
    name: str
    fields: Fields
    build: Fields
    trainable: bool


@dataclass(frozen=True, eq=False)
class ModelConfig:
    """A model: its layers in the order in which they are applied."""

    class_name: str
    name: str
    fields: Fields
    build: Fields
    layers: tuple[LayerConfig | ModelConfig, ...]

    def leaves(self) -> Iterator[LayerConfig]:
        """Every layer that is not a model, in order."""
        for layer in self.layers:
            if isinstance(layer, ModelConfig):
                yield from layer.leaves()
            else:
                yield layer

    def models(self) -> Iterator[ModelConfig]:
        """This model and those in it, the outer ones first."""
        yield self
        for layer in self.layers:
            if isinstance(layer, ModelConfig):
                yield from layer.models()


def model_config(value: Any, where: str) -> ModelConfig:
    """Understand the JSON of a model."""
    item = _item(value, where)
    if not isinstance(item, ModelConfig):
        raise UnsupportedModel(f"{where} describes a {quoted(item.class_name)}, not a model", code="config")
    return item


def _item(value: Any, where: str, inside: str = "") -> LayerConfig | ModelConfig:
    """Understand one entry: a layer or a model."""
    if not isinstance(value, dict):
        raise DamagedFile(f"{where}: not an object with class_name and config", code="config")
    class_name = value.get("class_name")
    if not isinstance(class_name, str):
        raise DamagedFile(f"{where}: class_name is missing or no text", code="config")
    config = value.get("config")
    if isinstance(config, list) and class_name == SEQUENTIAL:
        config = {"layers": config}
    if not isinstance(config, dict):
        raise DamagedFile(f"{where}: a {quoted(class_name)} without config", code="config")
    name = value.get("name", config.get("name", ""))  # TensorFlow's own operations have two names
    if not isinstance(name, str):
        raise DamagedFile(f"{where}: its name is not a text", code="config")
    where = f"{where} {quoted(name)}{inside}" if name else f"{where}{inside}"
    check_origin(value, class_name, where)
    _check_class(class_name, where)
    fields, built = Fields(config, where), Fields(_build(value), where)
    if class_name not in MODELS:
        return LayerConfig(class_name, name, fields, built, config.get("trainable") is not False)
    layers = _sequential(config, where) if class_name == SEQUENTIAL else _functional(config, where)
    return ModelConfig(class_name, name, fields, built, layers)


def _check_class(class_name: str, where: str) -> None:
    if class_name not in KERAS_LAYERS and class_name not in MODELS and class_name != INPUT_LAYER:
        why = " (Python code, which is never run)" if class_name == "Lambda" else ""
        article = "an" if class_name[:1] in tuple("AEIO") else "a"
        raise UnsupportedModel(
            f"{where} is {article} {quoted(class_name)[1:-1]}{why}",
            code="unsupported-layer",
            way_out=f"nn2eq reads {WHAT_IS_READ}",
        )


def _build(value: Mapping[str, Any]) -> dict[str, Any]:
    """What was told of the input's shape when the layer was built."""
    if "build_input_shape" in value:  # in a SavedModel's metadata
        return {"input_shape": value["build_input_shape"]}
    build = value.get("build_config")
    return build if isinstance(build, dict) else {}


def _entries(config: Mapping[str, Any], where: str) -> list[Any]:
    entries = config.get("layers")
    if not isinstance(entries, list):
        raise DamagedFile(f"{where}: its layers are missing or not a list", code="config")
    return entries


def _numbered(entries: list[Any], where: str) -> list[LayerConfig | ModelConfig]:
    """Understand every entry; layers are counted from 1, an InputLayer is not counted."""
    found: list[LayerConfig | ModelConfig] = []
    number = 0
    for entry in entries:
        number += not (isinstance(entry, dict) and entry.get("class_name") == INPUT_LAYER)
        found.append(_item(entry, f"layer {number}", "" if where.startswith("the model") else f" in {where}"))
    names: set[str] = set()
    for name in filter(None, (layer.name for layer in found)):
        if name in names:
            raise DamagedFile(
                f"{where}: duplicate layer name, two are called {quoted(name)}", code="duplicate-name"
            )
        names.add(name)
    return found


def _sequential(config: Mapping[str, Any], where: str) -> tuple[LayerConfig | ModelConfig, ...]:
    return tuple(_numbered(_entries(config, where), where))


def _functional(config: Mapping[str, Any], where: str) -> tuple[LayerConfig | ModelConfig, ...]:
    """Order the layers from the input to the output; refuse everything but a chain."""
    entries = _entries(config, where)
    found = _numbered(entries, where)
    layers = {layer.name: layer for layer in found}
    if len(layers) < len(found):
        raise DamagedFile(f"{where}: two layers have no name", code="duplicate-name")
    previous = {
        layer.name: _inbound(entry, layer.fields.where) for layer, entry in zip(found, entries, strict=True)
    }
    first, last = (_end(config, key, where) for key in ("input_layers", "output_layers"))
    chain = _chain(previous, last, where)
    if chain[-1] != first or len(chain) < len(layers):
        beside = next((name for name in layers if name not in chain), first)
        raise UnsupportedModel(
            f"{where}: {quoted(beside)} is not on the one chain from input to output", code="graph"
        )
    return tuple(layers[name] for name in reversed(chain))


def _chain(previous: Mapping[str, str | None], last: str, where: str) -> list[str]:
    """Walk from the last layer back to the one that has no layer before it."""
    chain: dict[str, None] = {}
    step: str | None = last
    while step is not None:
        if step not in previous:
            raise DamagedFile(
                f"{where}: its graph leads to {quoted(step)}, a layer that does not exist", code="graph"
            )
        if step in chain:
            raise DamagedFile(f"{where}: its graph has a cycle through {quoted(step)}", code="graph")
        chain[step] = None
        step = previous[step]
    return list(chain)


def _end(config: Mapping[str, Any], key: str, where: str) -> str:
    """Return the name of the one input or output layer."""
    value = config.get(key)
    while (
        isinstance(value, list | dict) and len(value) == 1
    ):  # of one alone, also under the name it was given
        (value,) = value.values() if isinstance(value, dict) else value
    if isinstance(value, list) and value and isinstance(value[0], str):
        return value[0]
    if isinstance(value, list | dict) and len(value) > 1:
        raise UnsupportedModel(f"{where} has {len(value)} {key}; nn2eq reads models with one", code="graph")
    raise DamagedFile(f"{where}: {key} does not name a layer", code="config")


def _inbound(entry: Mapping[str, Any], where: str) -> str | None:
    """Return the name of the layer before; None for an input."""
    nodes = entry.get("inbound_nodes")
    if not isinstance(nodes, list):
        raise DamagedFile(f"{where}: inbound_nodes is missing or not a list", code="config")
    if not nodes:
        return None
    if len(nodes) > 1:
        raise UnsupportedModel(f"{where} is used {len(nodes)} times (a shared layer)", code="graph")
    sources = (
        _keras3_sources(nodes[0], where) if isinstance(nodes[0], dict) else _keras2_sources(nodes[0], where)
    )
    if len(sources) != 1:
        raise UnsupportedModel(
            f"{where} takes {len(sources)} inputs; nn2eq reads chains of layers", code="graph"
        )
    return sources[0]


def _keras2_sources(node: Any, where: str) -> list[str]:
    """A node of Keras 1 and 2: a list of [layer, node, tensor, arguments], or one of them alone."""
    tensors = [node] if isinstance(node, list) and node and isinstance(node[0], str) else node
    found = []
    for tensor in tensors if isinstance(tensors, list) else [None]:
        if not isinstance(tensor, list) or len(tensor) not in (3, 4) or not isinstance(tensor[0], str):
            raise DamagedFile(f"{where}: inbound_nodes is malformed", code="config")
        _check_arguments(tensor[3] if len(tensor) == 4 else {}, where)
        found.append(tensor[0])
    return found


def _keras3_sources(node: Mapping[str, Any], where: str) -> list[str]:
    """A node of Keras 3: the arguments of the call, tensors with their history among them."""
    arguments = node.get("args")
    if not isinstance(arguments, list):
        raise DamagedFile(f"{where}: inbound_nodes is malformed", code="config")
    _check_arguments(node.get("kwargs"), where)
    tensors = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], list) else arguments
    found = []
    for tensor in tensors:
        config = tensor.get("config") if isinstance(tensor, dict) else None
        history = config.get("keras_history") if isinstance(config, dict) else None
        if not isinstance(history, list) or not history or not isinstance(history[0], str):
            raise UnsupportedModel(
                f"{where} is called with something that is not a layer's output", code="graph"
            )
        found.append(history[0])
    return found


def _check_arguments(arguments: Any, where: str) -> None:
    """A layer called with training=True drops units even when it predicts; then there is no one answer."""
    given = {} if arguments is None else arguments
    if not isinstance(given, dict):
        raise DamagedFile(f"{where}: inbound_nodes is malformed", code="config")
    told = next((key for key, value in given.items() if value not in (None, False)), None)
    if told is not None:
        raise UnsupportedModel(f"{where} is called with {quoted(told)}", code="graph")
