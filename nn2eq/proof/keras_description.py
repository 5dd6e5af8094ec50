"""What Keras is told of a model that our own reader accepted: nothing else of a stranger's file reaches it.

Keras imports modules that a description names, and calls initializers, regularizers and constraints by name.
So it gets the description without them; and where that still holds anything unknown, or Keras does not
understand it, only the classes and numbers of the layers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.reading import config
from nn2eq.reading.archive import Archive
from nn2eq.reading.fields import Fields
from nn2eq.reading.keras_layers import KERAS_LAYERS
from nn2eq.reading.origins import INPUT_LAYER, LAYER_MODULES, MODEL_MODULES, MODELS

_DROPPED = ("_initializer", "_regularizer", "_constraint", "compile_config", "quantization_config")
"""Fields that do not bear on the answers, by how they end."""
_WRAPPERS = {"__tuple__", "__list__", "__numpy__", "__keras_tensor__", "TensorShape", "ListWrapper"}
_POLICIES = {"DTypePolicy", "Policy", "PolicyV1"}
_CLASSES = {*KERAS_LAYERS, INPUT_LAYER, *MODELS, *_WRAPPERS, *_POLICIES}
_MODULES = {*LAYER_MODULES, *MODEL_MODULES, "keras.dtype_policies", "keras.mixed_precision", "builtins", None}

_HOMES = {"Functional": "keras.src.models.functional"}
"""Where Keras 3 keeps a kind of model that it does not export."""

ARGUMENTS: Mapping[str, str] = {
    **{
        name: name
        for name in (
            "units use_bias activation axis epsilon center scale alpha negative_slope max_value threshold"
            " theta rms_scaling shared_axes invert mean variance offset rate stddev target_shape data_format l1 l2"
        ).split()
    },
    "output_dim": "units", "bias": "use_bias", "p": "rate", "sigma": "stddev",
}  # fmt: skip
"""The fields that bear on the answers, or that a class asks for; those of Keras 1 by later names."""
WHOLE = frozenset(config.INPUT_TYPES - config.PRECISIONS)
"""What an input layer may take that is no floating point number."""
ALIASES: Mapping[str, str] = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
}
"""Classes that predict as another does, and that Keras does not export under this name."""


def cleaned(archive: Archive, keras_major: int) -> str:
    """Return the model's JSON without what does not bear on the answers, "" if it holds anything unknown."""
    value = _without(json.loads(archive.config))
    if keras_major >= 3:  # its HDF5 files leave out where the class is from, its JSON must have it
        value = {"module": _HOMES.get(value.get("class_name"), "keras"), **value}
    return json.dumps(value) if all(map(_is_known, _objects(value))) else ""


def _without(value: Any) -> Any:
    if isinstance(value, list):
        return [_without(item) for item in value]
    if isinstance(value, dict):
        return {key: _without(item) for key, item in value.items() if not key.endswith(_DROPPED)}
    return value


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(item)


def _is_known(value: dict[str, Any]) -> bool:
    """Whether an object names Keras' own layers alone, and so nothing that could be imported or called."""
    if not {"class_name", "module", "registered_name"} & value.keys():
        return True
    return (
        value.get("class_name") in _CLASSES
        and value.get("module") in _MODULES
        and value.get("registered_name") in (None, value.get("class_name"))
    )


def taken(archive: Archive) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return what makes of any numbers those that Keras lets into a model: it cuts off what whole numbers lack."""
    model = config.understand(archive.config, archive.where).model
    first = next(model.leaves())
    kind = config.dtype(first.fields) if first.class_name == INPUT_LAYER else None
    if kind not in WHOLE:
        return lambda x: x
    limits = np.iinfo(kind)
    return lambda x: np.clip(np.rint(x), limits.min, limits.max)


def layers(archive: Archive) -> list[dict[str, Any]]:
    """Return every layer's class and arguments, in order, as plain data."""
    model = config.understand(archive.config, archive.where).model
    leaves = (leaf for leaf in model.leaves() if leaf.class_name != INPUT_LAYER)
    return [_layer(leaf.class_name, leaf.fields) for leaf in leaves]


def _layer(class_name: str, fields: Fields) -> dict[str, Any]:
    arguments = {ARGUMENTS[key]: fields.get(key) for key in fields.values if key in ARGUMENTS}
    if isinstance(arguments.get("activation"), dict):
        arguments["activation"] = _activation(arguments["activation"])
    if isinstance(precision := config.dtype(fields), str):
        arguments["dtype"] = precision
    return {"class_name": ALIASES.get(class_name, class_name), "arguments": arguments}


def _activation(value: Mapping[str, Any]) -> Any:
    """Return the name of a function, or a layer as data; our reader has accepted it."""
    if value["class_name"] == "function":
        return value["config"]
    return _layer(value["class_name"], Fields(value["config"], "activation"))
