"""Where Keras' own classes come from: a closed list, by which an impostor of the same name is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nn2eq.errors import UnsupportedModel
from nn2eq.reading.names import quoted

INPUT_LAYER = "InputLayer"
SEQUENTIAL = "Sequential"
MODELS = (SEQUENTIAL, "Functional", "Model")

_KERAS = ("keras", "tf_keras", "tensorflow.keras")

LAYER_MODULES = frozenset(
    f"{keras}.{rest}"
    for keras in _KERAS
    for rest in ("layers", "layers.experimental", "layers.experimental.preprocessing")
)
MODEL_MODULES = frozenset(_KERAS) | frozenset(
    f"{keras}.{rest}"
    for keras in _KERAS
    for rest in (
        "models",
        *(
            f"{place}.{kind}"
            for place in ("src.models", "src.engine", "engine")
            for kind in ("functional", "sequential")
        ),
    )
)
"""Where Keras' own classes live. A class of the same name from elsewhere may compute anything."""


def check_origin(value: Mapping[str, Any], class_name: str, where: str) -> None:
    """Refuse a class that is not Keras' own, whatever it calls itself."""
    module, registered = value.get("module"), value.get("registered_name")
    known = MODEL_MODULES if class_name in MODELS else LAYER_MODULES
    if (module is not None and module not in known) or registered not in (None, class_name):
        whose = registered if module in known or module is None else module
        raise UnsupportedModel(
            f"{where} is a {quoted(class_name)} of {quoted(str(whose))}, not one of Keras' layers",
            code="unsupported-layer",
        )
