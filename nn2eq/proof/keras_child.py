"""Keras itself, in a limited child process: it makes the model, takes the weights, and predicts."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof import pipe
from nn2eq.reading.limits import Limits, apply

REASON = 200
"""Characters that are said of an exception."""
NOT_IN_SIGNATURES = ("dtype", "rms_scaling")
"""Arguments that layers take without naming them."""


def _said() -> bytes:
    """Do what was asked, and return the answer for the pipe."""
    asked, (x, *weights) = pipe.unframed(sys.stdin.buffer)
    try:
        import_module("tensorflow")
        keras = import_module(asked["library"])
    except ImportError as error:
        return pipe.framed({"missing": f"{error!s:.{REASON}}"})
    apply(Limits(0.0, asked["cpu"], asked["memory"], opens_files=True))
    try:
        header, arrays = answers(keras, asked, x, weights)
    except Exception as error:  # whatever Keras raises is its answer
        return pipe.framed({"failed": _told(error)})
    return pipe.framed({"version": keras.__version__, **header}, arrays)


def answers(
    keras: Any, asked: dict[str, Any], x: NDArray[Any], weights: list[NDArray[Any]]
) -> tuple[dict[str, Any], list[NDArray[np.float64]]]:
    """Ask the model that Keras reads itself; where it cannot, one of the same layers that is handed its weights."""
    why: str = asked["why"]
    if not why:
        try:
            return _answered(_loaded(keras, asked), asked, x, "")
        except Exception as error:
            why = f"it cannot use the file itself ({_told(error)})"
    return _answered(_rebuilt(keras, asked, weights), asked, x, why)


def _answered(
    model: Any, asked: dict[str, Any], x: NDArray[Any], why: str
) -> tuple[dict[str, Any], list[NDArray[np.float64]]]:
    inputs = x.reshape(len(x), *_input_shape(model, asked["input_shape"]))
    outputs = np.asarray(_one(model.predict(inputs, verbose=0, batch_size=len(x))), dtype=np.float64)
    precisions = sorted({str(layer.compute_dtype) for layer in _leaves(model)})
    return {"why": why, "precisions": precisions}, [outputs, *_between(model, inputs)]


def _one(answer: Any) -> Any:
    """Return the one output of a model, which may stand in a list or under a name."""
    while isinstance(answer, list | tuple | dict) and len(answer) == 1:
        (answer,) = answer.values() if isinstance(answer, dict) else answer
    return answer


def _told(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]:.{REASON}}"


def _loaded(keras: Any, asked: dict[str, Any]) -> Any:
    """Let Keras read the description, and the weights from the file."""
    model = keras.models.model_from_json(asked["config"])
    if not model.built:
        model.build((None, *asked["input_shape"]))
    model.load_weights(asked["weights"])
    return model


def _rebuilt(keras: Any, asked: dict[str, Any], weights: list[NDArray[Any]]) -> Any:
    """Make the layers under names of Keras' own, and hand them the weights that our reader found."""
    layers = [_layer(keras, described) for described in asked["layers"]]
    model = keras.Sequential([keras.Input(tuple(asked["input_shape"])), *layers])
    remaining = iter(weights)
    for layer, described in zip(layers, asked["layers"], strict=True):
        own = layer.get_weights()
        given = [next(remaining) for _ in range(described["weights"])]
        layer.set_weights([array.reshape(np.shape(place)) for array, place in zip(given, own, strict=True)])
        if hasattr(layer, "finalize_state"):  # Normalization computes with what it derives from its weights
            layer.finalize_state()
    return model


def _layer(keras: Any, described: dict[str, Any]) -> Any:
    """Make a layer of Keras' own, with those of the arguments that it takes."""
    kind = getattr(keras.layers, described["class_name"])
    arguments = {
        key: _layer(keras, value) if isinstance(value, dict) else value
        for key, value in described["arguments"].items()
        if key in NOT_IN_SIGNATURES or key in inspect.signature(kind.__init__).parameters
    }
    return kind(**arguments)


def _input_shape(model: Any, flat: list[int]) -> tuple[int, ...]:
    """Return the shape of one input as this model declares it, an open axis as 1; else as it was read."""
    declared = getattr(model, "input_shape", None)
    if isinstance(declared, tuple) and None not in declared[-1:]:
        open_axes = tuple(size or 1 for size in declared[1:])
        if np.prod(open_axes) == np.prod(flat):
            return open_axes
    return tuple(flat)


def _leaves(model: Any) -> Iterator[Any]:
    """Yield every layer that is no model and no input, in order."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _leaves(layer)
        elif type(layer).__name__ != "InputLayer":
            yield layer


def _between(model: Any, inputs: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    """Yield what each layer answers, so that a difference can be told where it begins."""
    value: Any = inputs
    for layer in _leaves(model):
        value = layer(value)
        yield np.asarray(value, dtype=np.float64)


if __name__ == "__main__":
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
    _outward = pipe.silenced()
    pipe.answer(_outward, _said())
