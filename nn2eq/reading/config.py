"""The config of a whole model: parsed, understood, and refused if it holds a layer that is not read.

This comes first, in the child too: no weight is touched of a model that would be refused anyway.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nn2eq.errors import UnsupportedModel
from nn2eq.reading import json_text
from nn2eq.reading.fields import Fields
from nn2eq.reading.losses import compiled_with
from nn2eq.reading.model_config import LayerConfig, ModelConfig, model_config
from nn2eq.reading.names import quoted
from nn2eq.reading.origins import INPUT_LAYER

PRECISIONS = {"float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16"}
"""Dtype policies whose weights are plain numbers. Whatever precision Keras computes in, a network is what its
stored weights say, answered in float64."""

INPUT_TYPES = PRECISIONS | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
"""What may come in; Keras casts it to the first layer's type."""

VERSION = re.compile(r"\d[\w.+-]{0,40}", re.ASCII)
"""What a version looks like, such as 2.2.4-tf; anything else that a file says is not one."""


@dataclass(frozen=True, eq=False)
class Understood:
    """A model whose every layer is read, the Keras version that its config names or shows, and the loss it names."""

    model: ModelConfig
    version: str
    loss: str = ""


def understand(data: bytes, where: str) -> Understood:
    """Understand the JSON of a model; WHERE is what it is called in messages."""
    value = json_text.parse(data, where)
    model = model_config(value, f"the model in {where}")
    for layer in model.leaves():
        _check_precision(layer)
    return Understood(model, _version(value), compiled_with(value))


def dtype(fields: Fields) -> Any:
    """Return the name of a layer's dtype policy: it is a text, or an object that has one."""
    value = fields.get("dtype")
    if isinstance(value, dict) and value.get("class_name") in ("DTypePolicy", "Policy", "PolicyV1"):
        inner = value.get("config")
        return inner.get("name") if isinstance(inner, dict) else inner
    return value


def _version(value: Mapping[str, Any]) -> str:
    """Return the version that a config names, or the generation that its dialect gives away."""
    named = value.get("keras_version")
    if isinstance(named, str) and VERSION.fullmatch(named):
        return named
    if "module" in value or "registered_name" in value:
        return "3"
    layers = value.get("config")
    entries = (
        layers if isinstance(layers, list) else layers.get("layers", []) if isinstance(layers, dict) else []
    )
    configs = [entry.get("config", {}) for entry in entries if isinstance(entry, dict)]
    return "1" if any("output_dim" in config for config in configs) else "2"


def _check_precision(layer: LayerConfig) -> None:
    """Refuse quantised layers: their kernels are not the numbers that they stand for."""
    policy = dtype(layer.fields)
    known = INPUT_TYPES if layer.class_name == INPUT_LAYER else PRECISIONS
    if layer.fields.get("quantization_config") is not None or (
        isinstance(policy, str) and "_from_" in policy
    ):
        raise UnsupportedModel(f"{layer.fields.where} is quantized", code="quantized")
    if policy is not None and (not isinstance(policy, str) or policy not in known):
        raise UnsupportedModel(
            f"{layer.fields.where} has the dtype {quoted(str(policy))}, quantized or otherwise not read",
            code="quantized",
        )
