"""nn2eq's own network file: a Network as JSON, exact to the last bit.

    {"format": "nn2eq-network", "version": 1,
     "input_shape": [2], "input_names": [], "output_names": [], "one_for_all": false,
     "source": {"file": "a.keras", "sha256": "…", "container": "keras zip", "keras_version": "3.15.1",
                "loss": "mse"},
     "arrays": [{"dtype": "float32", "shape": [2, 3], "base64": "…"}, …],
     "layers": [{"name": "dense", "class_name": "Dense", "shape": [3], "added": false, "fitted": [],
                 "weights": {"kernel": 0, "bias": 1}, "axes": [], "epsilon": null,
                 "maps": [{"kernel": 0, "bias": 1, "repeat": 1},
                          {"activation": "elu", "parameters": {"alpha": 1.0}, "groups": 1}]}]}

Weights, kernels and biases are places in `arrays`, whose numbers are little-endian, row by row, in base64. A
map has either a kernel, (inputs, units) or (units,) for a diagonal one, or the name of a row in the table of
activations, with "units": [0] if only these (counted from 0) go through it. A parameter is a number, or
{"array": PLACE} where each unit has its own. A file of a higher version is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import ROWS, Activation, filled
from nn2eq.errors import DamagedFile, UnsupportedModel
from nn2eq.network import Affine, Layer, Map, Network, Selected, Source
from nn2eq.reading import json_text, shapes
from nn2eq.reading.archive import OWN
from nn2eq.reading.fields import Fields
from nn2eq.reading.limits import OWN_LIMIT
from nn2eq.reading.losses import LONGEST
from nn2eq.reading.names import quoted

FORMAT = OWN
VERSION = 1
DTYPES = ("float32", "float64", "int64")
WHERE = "the network file"

Array = NDArray[Any]

_NOWHERE = Source()


# ---------------------------------------------------------------------------------------------------- writing


def write_network(network: Network) -> bytes:
    """Write a network as JSON."""
    arrays = _Places()
    layers = [_layer_json(layer, arrays) for layer in network.layers]
    value = {
        "format": FORMAT,
        "version": VERSION,
        "input_shape": network.input_shape,
        "input_names": network.input_names,
        "output_names": network.output_names,
        "one_for_all": network.one_for_all,
        "source": asdict(network.source),
        "arrays": [_array_json(array) for array in arrays.found],
        "layers": layers,
    }
    return json.dumps(value, indent=1).encode() + b"\n"


class _Places:
    """The arrays met so far; one that is a weight and a map's kernel at once is written once."""

    def __init__(self) -> None:
        self.found: list[Array] = []
        self._place: dict[int, int] = {}

    def __call__(self, array: Array) -> int:
        """Return the place of an array."""
        if id(array) not in self._place:
            self._place[id(array)] = len(self.found)
            self.found.append(array)
        return self._place[id(array)]


def _array_json(array: Array) -> dict[str, Any]:
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return {"dtype": array.dtype.name, "shape": array.shape, "base64": base64.b64encode(data).decode()}


def _layer_json(layer: Layer, place: _Places) -> dict[str, Any]:
    return {
        "name": layer.name,
        "class_name": layer.class_name,
        "shape": layer.shape,
        "added": layer.added,
        "fitted": layer.fitted,
        "weights": {name: place(array) for name, array in layer.weights.items()},
        "axes": layer.axes,
        "epsilon": None if math.isnan(layer.epsilon) else layer.epsilon,
        "maps": [_map_json(step, place) for step in layer.maps],
    }


def _map_json(step: Map, place: _Places) -> dict[str, Any]:
    if isinstance(step, Affine):
        bias = None if step.bias is None else place(step.bias)
        return {"kernel": place(step.kernel), "bias": bias, "repeat": step.repeat}
    if isinstance(step, Selected):
        return {**_map_json(step.activation, place), "units": step.units}
    parameters = {
        name: {"array": place(np.asarray(value))} if np.ndim(value) else float(value)
        for name, value in step.parameters.items()
    }
    return {"activation": step.row.name, "parameters": parameters, "groups": step.groups}


# ---------------------------------------------------------------------------------------------------- reading


def read_network(data: bytes, source: Source = _NOWHERE) -> Network:
    """Read a network file; SOURCE says where it came from itself."""
    fields = Fields(_object(json_text.parse(data, WHERE, limit=OWN_LIMIT), WHERE), WHERE)
    if fields.get("format") != FORMAT:
        fields.refuse("format", fields.get("format"), f'"{FORMAT}"')
    if fields.whole("version") > VERSION:
        raise UnsupportedModel(
            f"{WHERE} was written by a newer nn2eq", code="version", way_out="upgrade nn2eq"
        )
    arrays = [
        _array(_object(item, f"array {place}"), place) for place, item in enumerate(_items(fields, "arrays"))
    ]
    start = _sizes(fields, "input_shape")
    size, layers = math.prod(start), []
    for number, item in enumerate(_items(fields, "layers"), start=1):
        layer = _layer(Fields(_object(item, f"layer {number}"), f"layer {number}"), arrays, size)
        size = math.prod(layer.shape)
        layers.append(layer)
    origin = Fields(_object(fields.get("source") or {}, WHERE), WHERE)
    return Network(
        tuple(layers),
        start,
        _names(fields, "input_names", math.prod(start)),
        _names(fields, "output_names", size),
        replace(source, container=FORMAT, keras_version=_text(origin, "keras_version"), loss=_loss(origin)),
        fields.flag("one_for_all", default=False),
    )


def _layer(fields: Fields, arrays: list[Array], size: int) -> Layer:
    maps: list[Map] = []
    for item in _items(fields, "maps"):
        step = _map(Fields(_object(item, fields.where), fields.where), arrays)
        size = _size_behind(step, size, fields.where)
        maps.append(step)
    shape = _sizes(fields, "shape")
    if math.prod(shape) != size:
        fields.refuse("shape", list(shape), f"a shape of {size} numbers")
    weights = _object(fields.get("weights") or {}, fields.where)
    return Layer(
        _text(fields, "name"),
        _text(fields, "class_name"),
        shape,
        tuple(maps),
        {name: _at(arrays, place, fields.where) for name, place in weights.items()},
        fields.flag("added", default=False),
        _fitted(fields, size),
        axes=_axes(fields, len(shape)),
        epsilon=math.nan if fields.get("epsilon") is None else fields.number("epsilon"),
    )


def _loss(origin: Fields) -> str:
    """Return the loss that a network was compiled with, "" if the file does not tell."""
    return "" if origin.get("loss") is None else _text(origin, "loss")[:LONGEST]


def _axes(fields: Fields, rank: int) -> tuple[int, ...]:
    """Return along which axes of its shape a layer's weights lie."""
    axes = fields.get("axes") or []
    found = _places(fields, "axes") if axes else ()
    if not all(axis < rank for axis in found) or sorted(set(found)) != list(found):
        fields.refuse("axes", axes, "axes of its shape, counted from 0, in order")
    return found


def _fitted(fields: Fields, size: int) -> tuple[tuple[float, float], ...]:
    """Return where a scaler's data lay."""
    given = fields.get("fitted") or []
    pairs = fields.array("fitted") if given else np.zeros((0, 2))
    if pairs.shape not in ((0, 2), (size, 2)) or np.any(pairs[:, 0] > pairs[:, 1]):
        fields.refuse("fitted", given, f"{size} pairs of a low and a high end")
    return tuple((float(low), float(high)) for low, high in pairs)


def _map(fields: Fields, arrays: list[Array]) -> Map:
    if "kernel" in fields.values:
        kernel = _at(arrays, fields.get("kernel"), fields.where)
        bias = None if fields.get("bias") is None else _at(arrays, fields.get("bias"), fields.where)
        fits = kernel.ndim in (1, 2) and (bias is None or bias.shape == kernel.shape[-1:])
        if not fits or not all(a is None or (a.dtype.kind == "f" and a.size) for a in (kernel, bias)):
            raise DamagedFile(f"{fields.where}: kernel and bias do not fit", code="weight-shape")
        return Affine(kernel, bias, fields.whole("repeat", default=1))
    found = _activation(fields, arrays)
    return found if fields.get("units") is None else Selected(found, _places(fields, "units"))


def _activation(fields: Fields, arrays: list[Array]) -> Activation:
    name = _text(fields, "activation")
    if name not in ROWS:
        raise UnsupportedModel(f"{fields.where}: activation {quoted(name)}", code="unsupported-activation")
    parameters = _object(fields.get("parameters") or {}, fields.where)
    values = {
        key: _at(arrays, value.get("array"), fields.where) if isinstance(value, dict) else value
        for key, value in parameters.items()
    }
    return filled(ROWS[name], values, groups=fields.whole("groups", default=1))


def _size_behind(step: Map, size: int, where: str) -> int:
    """Return how many numbers a map makes of SIZE numbers."""
    if isinstance(step, Affine):
        fits, behind = step.inputs == size, step.outputs
    elif isinstance(step, Selected):
        fits, behind = _takes(step.activation, len(step.units)) and max(step.units) < size, size
        fits = fits and step.activation.outputs(len(step.units)) == len(step.units)
    else:
        fits, behind = _takes(step, size), step.outputs(size)
    if not fits or not 0 < behind <= shapes.LARGEST:
        raise DamagedFile(f"{where}: a map does not take {size:,} numbers", code="weight-shape")
    return behind


def _takes(step: Activation, size: int) -> bool:
    per_unit = all(array.shape == (size,) for array in step.per_unit.values())
    return per_unit and size % step.groups == 0 and not (step.row.halves and size // step.groups % 2)


def _array(value: Mapping[str, Any], place: int) -> Array:
    fields = Fields(value, f"array {place}")
    dtype, shape = _text(fields, "dtype"), _sizes(fields, "shape")
    if dtype not in DTYPES:
        fields.refuse("dtype", dtype, " or ".join(DTYPES))
    try:
        data = base64.b64decode(_text(fields, "base64"), validate=True)
    except (binascii.Error, ValueError):
        raise DamagedFile(f"{fields.where}: not base64", code="json") from None
    kind = np.dtype(dtype)
    if len(data) != math.prod(shape) * kind.itemsize:
        raise DamagedFile(f"{fields.where}: {len(data)} bytes for the shape {shape}", code="weight-shape")
    found = np.frombuffer(data, kind.newbyteorder("<")).astype(kind, copy=False).reshape(shape)
    if kind.kind == "f" and not np.isfinite(found).all():
        raise DamagedFile(f"{fields.where} holds NaN or Inf", code="weight-value")
    return found


def _at(arrays: list[Array], place: Any, where: str) -> Array:
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < len(arrays):
        raise DamagedFile(f"{where}: there is no array {quoted(str(place))}", code="weight-missing")
    return arrays[place]


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DamagedFile(f"{where} is not an object", code="json")
    return value


def _items(fields: Fields, key: str) -> list[Any]:
    value = fields.get(key)
    if not isinstance(value, list):
        fields.refuse(key, value, "a list")
    return value


def _text(fields: Fields, key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str):
        fields.refuse(key, value, "a text")
    return value


def _sizes(fields: Fields, key: str) -> tuple[int, ...]:
    value = _items(fields, key)
    if not all(
        isinstance(size, int) and not isinstance(size, bool) and 0 < size <= shapes.LARGEST for size in value
    ):
        fields.refuse(key, value, "a list of sizes")
    return tuple(value)


def _places(fields: Fields, key: str) -> tuple[int, ...]:
    value = _items(fields, key)
    if not value or not all(
        isinstance(place, int) and not isinstance(place, bool) and place >= 0 for place in value
    ):
        fields.refuse(key, value, "a list of units, counted from 0")
    return tuple(value)


def _names(fields: Fields, key: str, count: int) -> tuple[str, ...]:
    value = _items(fields, key)
    if not all(isinstance(name, str) and name.isidentifier() for name in value) or len(value) not in (
        0,
        count,
    ):
        fields.refuse(key, value, f"{count} names, or none")
    return tuple(value)
