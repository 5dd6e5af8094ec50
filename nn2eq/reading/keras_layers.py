"""THE table of Keras layers: which weights a class has, and what maps it amounts to.

Everything particular about a class is here. Defaults are those of the layer class, which are not always those
of the function of the same name: the layer LeakyReLU has a slope of 0.3, the function leaky_relu 0.2.

The child needs the names alone, so what makes maps is imported where a map is made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nn2eq.errors import DamagedFile, UnsupportedModel
from nn2eq.reading import shapes
from nn2eq.reading.fields import Fields
from nn2eq.reading.layer_row import Array, Given, Made, Row
from nn2eq.reading.names import quoted
from nn2eq.reading.origins import LAYER_MODULES
from nn2eq.reading.shapes import Shape

if TYPE_CHECKING:
    from nn2eq.network import Affine

NON_TRAINABLE = frozenset({"moving_mean", "moving_variance", "mean", "variance", "count"})
"""Weights that training does not move: legacy files list them behind all others of a model."""

SMALLEST_DEVIATION = 1e-7
"""Keras' backend epsilon: Normalization never divides by less."""


# ------------------------------------------------------------------------------------------------ activations


def _function(given: Given, name: str | None, parameters: Mapping[str, Any] | None = None) -> Made:
    """An activation by its Keras name, on the last axis."""
    from nn2eq.activations import activation

    try:
        found = activation(name, parameters or {}, keras_major=given.keras_major)
        if found.row.coupled:
            found = replace(found, groups=shapes.blocks(given.shape))
    except (UnsupportedModel, DamagedFile) as error:
        error.where = error.where or given.where
        raise
    if found.is_linear:
        return Made(given.shape)
    if not found.row.halves:
        return Made(given.shape, (found,))
    return Made((*given.shape[:-1], found.outputs(given.units)), (found,))


def _activation(given: Given) -> Made:
    """The field `activation`: a name, a reference to a function, or a layer without weights."""
    value = given.fields.get("activation")
    found = _described(given, value) if isinstance(value, dict) else None
    if value is None or isinstance(value, str):
        found = _function(given, RENAMED.get(value or "", value))
    if found is None:
        raise UnsupportedModel(
            f"{given.where}: its activation is {quoted(str(value))}, not one of Keras' own",
            code="unsupported-activation",
        )
    return found


def _described(given: Given, value: Mapping[str, Any]) -> Made | None:
    """An activation that is an object; None if it is not Keras' own."""
    class_name, config, module = (value.get(key) for key in ("class_name", "config", "module"))
    if class_name == "function" and isinstance(config, str):
        own = module in FUNCTION_MODULES and value.get("registered_name") in (None, "function", config)
        return _function(given, RENAMED.get(config, config)) if own else None
    row = _AS_ACTIVATIONS.get(str(class_name))
    if row is None or not isinstance(config, dict) or module not in (None, *LAYER_MODULES):
        return None
    return row.make(
        replace(given, fields=Fields(config, f"{given.where}, activation {class_name}"), weights={})
    )


FUNCTION_MODULES = ("keras.activations", "tf_keras.activations")
RENAMED = {"softmax_v2": "softmax", "log_softmax_v2": "log_softmax"}
"""TensorFlow 2.0 saved `tf.nn.softmax` under its inner name."""


def _relu(given: Given) -> Made:
    largest = given.fields.get("max_value")
    parameters = {
        "negative_slope": given.fields.number("negative_slope", default=0.0),
        "threshold": given.fields.number("threshold", default=0.0),
        "max_value": None if largest is None else given.fields.number("max_value"),
    }
    return _function(given, "relu", parameters)


def _leaky_relu(given: Given) -> Made:
    return _function(
        given, "leaky_relu", {"negative_slope": given.fields.number("negative_slope", "alpha", default=0.3)}
    )


def _elu(given: Given) -> Made:
    return _function(given, "elu", {"alpha": given.fields.number("alpha", default=1.0)})


def _thresholded_relu(given: Given) -> Made:
    return _function(given, "thresholded_relu", {"theta": given.fields.number("theta", default=1.0)})


def _prelu(given: Given) -> Made:
    shared = given.fields.axes("shared_axes", default=None)
    if not all(0 < axis <= len(given.shape) for axis in shared):
        given.fields.refuse("shared_axes", list(shared), "a list of axes of its input")
    expected = [1 if axis in shared else size for axis, size in enumerate(given.shape, start=1)]
    if None in expected:
        raise UnsupportedModel(f"{given.where}: a slope for each place of an open axis", code="input-shape")
    slopes = given.weight("alpha", *(size for size in expected if size is not None))
    inner = shapes.known(given.shape)
    slopes = slopes.reshape(slopes.shape[slopes.ndim - len(inner) :])
    return _function(given, "prelu", {"alpha": np.broadcast_to(slopes, inner).ravel()})


def _softmax(given: Given) -> Made:
    return _over_tail(given, given.fields.axes("axis"), "softmax", {})


def _over_tail(given: Given, axes: tuple[int, ...], name: str, parameters: Mapping[str, Any]) -> Made:
    """A coupled activation over the last axes together."""
    count = shapes.tail(given.shape, axes, f"{given.where}: {name}")
    inner = shapes.known(given.shape)
    flat = (*inner[: len(inner) - count], math.prod(inner[len(inner) - count :]))
    return Made(given.shape, _function(given.on(flat), name, parameters).maps)


# ------------------------------------------------------------------------------------------------ affine maps


def affine(kernel: Array, bias: Array | None, repeat: int) -> Affine:
    """Return the map that multiplies and adds."""
    from nn2eq.network import Affine

    return Affine(kernel, bias, repeat)


def _dense(given: Given) -> Made:
    units = given.fields.whole("units", "output_dim")
    kernel = given.weight("kernel", given.units, units)
    bias = given.weight("bias", units) if "bias" in given.weights else None
    after = _activation(given.on((*given.shape[:-1], units)))
    return Made(after.shape, (affine(kernel, bias, shapes.blocks(given.shape)), *after.maps))


def _dense_weights(fields: Fields) -> tuple[str, ...]:
    return ("kernel", "bias") if fields.flag("use_bias", "bias", default=True) else ("kernel",)


def diagonal(kernel: Array, bias: Array, shape: Shape) -> Affine:
    """Return x * kernel + bias for arrays that broadcast to the known axes of SHAPE."""
    inner = shapes.known(shape)
    per_unit = max(kernel.ndim, bias.ndim) <= 1
    across = inner[-1:] if per_unit else inner
    full = [np.broadcast_to(array, across).ravel() for array in (kernel, bias)]
    return affine(
        full[0].copy(), full[1].copy() if full[1].any() else None, math.prod(inner[:-1]) if per_unit else 1
    )


def _rescaling(given: Given) -> Made:
    scale, offset = (
        given.fields.array(key, default).astype(given.number_type)
        for key, default in (("scale", 1.0), ("offset", 0.0))
    )
    for array in (scale, offset):
        if array.ndim > 1 or array.size not in (1, given.units):
            raise UnsupportedModel(
                f"{given.where}: a scale or offset of shape {array.shape}", code="weight-shape"
            )
    return Made(given.shape, (diagonal(scale, offset, given.shape),))


def _known_axes(given: Given, axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return which of the known axes of the input are meant by AXES, counted with the batch as Keras does."""
    rank, known = len(given.shape) + 1, len(shapes.known(given.shape))
    kept = sorted({axis + rank if axis < 0 else axis for axis in axes})
    if any(not rank - known <= axis < rank for axis in kept):
        raise UnsupportedModel(f"{given.where}: axis {axes} of {shapes.said(given.shape)}", code="axis")
    return tuple(axis - (rank - known) for axis in kept)


def _aligned(given: Given, array: Array, axes: tuple[int, ...]) -> Array:
    """Reshape an array, one axis for each of AXES, so that it broadcasts to the known axes of the input."""
    inner, kept = shapes.known(given.shape), _known_axes(given, axes)
    target = [size if axis in kept else 1 for axis, size in enumerate(inner)]
    expected = tuple(inner[axis] for axis in kept)
    try:
        full = np.broadcast_to(array, expected)
    except ValueError:
        raise DamagedFile(
            f"{given.where}: {array.shape} numbers do not fit the axes {expected}", code="weight-shape"
        ) from None
    return full if kept == (len(inner) - 1,) else full.reshape(target)


def _batch_normalization(given: Given) -> Made:
    axes = given.fields.axes("axis")
    if given.fields.get("renorm") or given.fields.get("mode") or len(axes) != 1:
        raise UnsupportedModel(f"{given.where}: renorm, a mode or several axes", code="unsupported-layer")
    size = next(iter(given.weights.values())).size
    gamma, beta, mean, variance = (
        given.weight(name, size).astype(np.float64) if name in given.weights else np.float64(default)
        for name, default in (("gamma", 1.0), ("beta", 0.0), ("moving_mean", 0.0), ("moving_variance", 1.0))
    )
    epsilon = given.fields.number("epsilon", default=1e-3)
    inside = variance + epsilon
    if not np.all(inside > 0):
        raise DamagedFile(
            f"{given.where}: moving_variance is negative, its root is not finite", code="weight-value"
        )
    kernel = gamma / np.sqrt(inside)
    aligned = [_exactly(given, array, axes) for array in (kernel, beta - mean * kernel)]
    maps = (diagonal(aligned[0], aligned[1], given.shape),)
    return Made(given.shape, maps, _known_axes(given, axes), epsilon)


def _exactly(given: Given, array: Array, axes: tuple[int, ...]) -> Array:
    """Like `_aligned`, for weights, which never broadcast."""
    found = _aligned(given, array, axes)
    if found.size != array.size:
        raise DamagedFile(
            f"{given.where}: its weights are for {array.size} units, its input has {found.size}",
            code="weight-shape",
        )
    return found


def _scaled_weights(*behind: str) -> Callable[[Fields], tuple[str, ...]]:
    """Name gamma and beta as the flags `scale` and `center` say, and what follows them."""

    def weights(fields: Fields) -> tuple[str, ...]:
        gamma = ("gamma",) if fields.flag("scale", default=True) else ()
        return (*gamma, *(("beta",) if fields.flag("center", default=True) else ()), *behind)

    return weights


def _normalization(given: Given) -> Made:
    axes = _normalization_axes(given.fields)
    if given.weights:
        mean, variance = (_exactly(given, given.weights[name], axes) for name in ("mean", "variance"))
    else:
        mean, variance = (
            _aligned(given, given.fields.array(name).astype(given.number_type), axes)
            for name in ("mean", "variance")
        )
    if not np.all(variance >= 0):
        raise DamagedFile(f"{given.where}: variance is negative, its root is not finite", code="weight-value")
    mean = mean.astype(np.float64)
    deviation = np.maximum(np.sqrt(variance.astype(np.float64)), SMALLEST_DEVIATION)
    if given.fields.flag("invert", default=False):
        return Made(given.shape, (diagonal(deviation, mean, given.shape),))
    return Made(given.shape, (diagonal(1 / deviation, -mean / deviation, given.shape),))


def _normalization_weights(fields: Fields) -> tuple[str, ...]:
    return ("mean", "variance", "count") if fields.get("mean") is None else ()


def _normalized(given: Given, kind: str, epsilon: float) -> Made:
    """Normalize over the axes of a layer; epsilon: what the class adds under the root if nothing is said."""
    added = given.fields.number("epsilon", default=epsilon)
    return _over_tail(given, given.fields.axes("axis"), kind, {"epsilon": added})


def _layer_normalization(given: Given) -> Made:
    # What Keras calls rms_scaling divides by the deviation, and leaves the mean in.
    kind = "variance_scaling" if given.fields.flag("rms_scaling", default=False) else "layer_normalization"
    made = _normalized(given, kind, 1e-3)
    if not given.weights:
        return made
    axes = given.fields.axes("axis")
    gamma, beta = (
        _exactly(given, given.weights[name], axes)
        if name in given.weights
        else np.full(1, default, given.number_type)
        for name, default in (("gamma", 1.0), ("beta", 0.0))
    )
    maps = (*made.maps, diagonal(gamma, beta, given.shape))
    return Made(given.shape, maps, _known_axes(given, axes), given.fields.number("epsilon", default=1e-3))


def _layer_normalization_weights(fields: Fields) -> tuple[str, ...]:
    return ("gamma",) if fields.flag("rms_scaling", default=False) else _scaled_weights()(fields)


def _rms_normalization(given: Given) -> Made:
    made = _normalized(given, "rms_normalization", 1e-6)
    axes = given.fields.axes("axis")
    scale = _exactly(given, given.weights["scale"], axes)
    maps = (*made.maps, diagonal(scale, np.zeros(1, scale.dtype), given.shape))
    return Made(given.shape, maps, _known_axes(given, axes))


# ----------------------------------------------------------------------------------------------- shapes alone


def _nothing(given: Given) -> Made:
    return Made(given.shape)


def _flatten(given: Given) -> Made:
    sizes = shapes.sizes(given.shape, f"{given.where}: Flatten")
    if given.fields.get("data_format") == "channels_first" and sum(size > 1 for size in sizes) > 1:
        raise UnsupportedModel(f"{given.where}: Flatten with data_format channels_first", code="axis")
    return Made((math.prod(sizes),))


def _reshape(given: Given) -> Made:
    sizes = shapes.sizes(given.shape, f"{given.where}: Reshape")
    target = given.fields.get("target_shape")
    if not isinstance(target, list) or not all(
        type(size) is int and (size > 0 or size == -1) for size in target
    ):
        given.fields.refuse("target_shape", target, "a list of sizes")
    rest = math.prod(size for size in target if size > 0)
    shape = tuple(size if size > 0 else math.prod(sizes) // rest for size in target)
    if math.prod(shape) != math.prod(sizes) or sum(size < 0 for size in target) > 1:
        raise DamagedFile(
            f"{given.where}: {sizes} cannot take the shape {tuple(target)}", code="weight-shape"
        )
    return Made(shape)


def _axis(fields: Fields) -> tuple[int, ...]:
    return fields.axes("axis")


def _normalization_axes(fields: Fields) -> tuple[int, ...]:
    # An axis that is null stands for one mean of everything, one that is missing for the last.
    return fields.axes("axis", default=None if "axis" in fields.values else -1)


_BATCH_NORMALIZATION = Row(_batch_normalization, _scaled_weights("moving_mean", "moving_variance"), _axis)

KERAS_LAYERS: Mapping[str, Row] = {
    "Dense": Row(_dense, _dense_weights),
    "Activation": Row(_activation),
    "ReLU": Row(_relu),
    "LeakyReLU": Row(_leaky_relu),
    "PReLU": Row(_prelu, lambda fields: ("alpha",)),
    "ELU": Row(_elu),
    "ThresholdedReLU": Row(_thresholded_relu),
    "Softmax": Row(_softmax),
    "BatchNormalization": _BATCH_NORMALIZATION,
    "BatchNormalizationV1": _BATCH_NORMALIZATION,
    "BatchNormalizationV2": _BATCH_NORMALIZATION,
    "SyncBatchNormalization": _BATCH_NORMALIZATION,
    "Normalization": Row(_normalization, _normalization_weights, _normalization_axes),
    "Rescaling": Row(_rescaling),
    "LayerNormalization": Row(_layer_normalization, _layer_normalization_weights, _axis),
    "RMSNormalization": Row(_rms_normalization, lambda fields: ("scale",), _axis),
    "Flatten": Row(_flatten),
    "Reshape": Row(_reshape),
    "Dropout": Row(_nothing),
    "SpatialDropout1D": Row(_nothing),
    "SpatialDropout2D": Row(_nothing),
    "SpatialDropout3D": Row(_nothing),
    "GaussianDropout": Row(_nothing),
    "AlphaDropout": Row(_nothing),
    "GaussianNoise": Row(_nothing),
    "ActivityRegularization": Row(_nothing),
    "Identity": Row(_nothing),
}

_AS_ACTIVATIONS = {
    name: KERAS_LAYERS[name]
    for name in ("Activation", "ReLU", "LeakyReLU", "ELU", "ThresholdedReLU", "Softmax")
}
