"""A live keras.Model of Keras 3 or tf_keras: it tells its JSON and its weights; nothing is imported."""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import numpy as np

from nn2eq.errors import UnsupportedModel
from nn2eq.network import Network
from nn2eq.reading.archive import LIVE, Archive, Array, Group
from nn2eq.reading.build import build
from nn2eq.reading.losses import loss_name
from nn2eq.reading.origins import MODELS


def read_live(model: Any) -> Network:
    """Read a model in memory; its sha256 is that of its JSON and its weights' bytes."""
    try:
        config = model.to_json().encode()
    except (NotImplementedError, TypeError, ValueError) as error:
        raise UnsupportedModel(
            "the model cannot describe itself", code="needs-config", where=str(error).split("\n", 1)[0][:200]
        ) from None
    groups = _groups(model, ())
    digest = hashlib.sha256(config)
    for group in groups:
        for _, array in group.weights:
            digest.update(np.ascontiguousarray(array).data)
    library = sys.modules.get(type(model).__module__.split(".", 1)[0])
    version = str(getattr(library, "__version__", ""))
    return build(Archive(LIVE, "names", config, version, digest.hexdigest(), groups, _loss(model)))


def _loss(model: Any) -> str:
    """Return the loss that a model was compiled with: a name, a function, or an object that has a name."""
    loss = getattr(model, "loss", None)
    loss = loss[0] if isinstance(loss, list | tuple) and len(loss) == 1 else loss
    if loss is None or isinstance(loss, str):
        return loss or ""
    if hasattr(loss, "get_config"):
        return loss_name({"class_name": type(loss).__name__, "config": loss.get_config()})
    return str(getattr(loss, "__name__", ""))


def _groups(model: Any, path: tuple[str, ...]) -> tuple[Group, ...]:
    """Every layer's weights under the names of the models around it and its own."""
    groups: list[Group] = []
    for layer in model.layers:
        here = (*path, str(layer.name))
        if type(layer).__name__ in MODELS:
            groups += _groups(layer, here)
        else:
            arrays = tuple((str(place), _plain(array)) for place, array in enumerate(layer.get_weights()))
            groups += [Group(here, arrays)] if arrays else []
    return tuple(groups)


def _plain(array: Any) -> Array:
    """Widen float16 and bfloat16 exactly; numbers that only count stay whole."""
    found = np.asarray(array)
    if found.dtype.kind in "iu":
        return found.astype(np.int64)
    return found if found.dtype == np.float64 else found.astype(np.float32)
