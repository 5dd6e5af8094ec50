"""With which loss a model was compiled, as its file tells: a name, an object's description, or a list of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 100
"""Characters that a loss's name may have."""
_KEYS = ("compile_config", "training_config")
_PLAIN: Mapping[str, tuple[Any, ...]] = {
    "from_logits": (False,),
    "label_smoothing": (0.0,),
    "axis": (-1,),
    "delta": (1.0,),
    "ignore_class": (None,),
    "reduction": ("sum_over_batch_size", "auto", "mean", "mean_with_sample_weight"),
}
"""Arguments that change what a loss is, and the values with which they do not."""


def compiled_with(value: Any) -> str:
    """Return the loss that a model's JSON names, "" if it names none."""
    for key in _KEYS:
        if isinstance(value, Mapping) and isinstance(value.get(key), Mapping):
            return loss_name(value[key].get("loss"))
    return ""


def loss_name(loss: Any) -> str:
    """Return a loss's name as Keras has it, with the arguments that make another one of it; "" for none."""
    if isinstance(loss, list | tuple) and len(loss) == 1:
        return loss_name(loss[0])
    if isinstance(loss, str):
        return loss[:LONGEST]
    if not isinstance(loss, Mapping):
        return ""
    config = loss.get("config")
    if isinstance(config, str):
        return config[:LONGEST]
    name = str(loss.get("class_name") or "")
    told = config if isinstance(config, Mapping) else {}
    odd = [f"{key}={told[key]}" for key, plain in _PLAIN.items() if told.get(key, plain[0]) not in plain]
    return f"{name}({', '.join(odd)})"[:LONGEST] if odd else name[:LONGEST]
