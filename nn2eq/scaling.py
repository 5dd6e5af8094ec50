"""Original units: scalers and transforms put around a network, so that texts speak the units of the data.

A scaler is data, never a pickle. As a text it is `minmax:LO:HI` (to 0 ... 1, or `minmax:LO:HI:A:B`),
`standard:MEAN:SD`, one for all, one each in order, or by name, `T=minmax:0:5,p=standard:1:0.2`, where `none` is
for one that is not scaled; as a JSON file one entry per input or output:

    {"kind": "minmax", "low": [0, 1], "high": [5, 3], "range": [0, 1]}     range may be left out
    {"kind": "standard", "mean": [2.5, 2], "sd": [1.4, 0.6]}
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import transform
from nn2eq.errors import BadRequest
from nn2eq.network import Affine, Layer, Network, Selected

Array = NDArray[np.float64]
Interval = tuple[float, float]
SPREAD = 3.0
"""Standard deviations from the mean within which nearly all data lie."""
NOTHING = "none"
"""What is said of a number that is not scaled."""
FILE_LIMIT = 4_000_000
"""Bytes that a scaler's JSON file may have."""
PICKLE = (b"\x80", b"\x78")
"""How a pickle begins, and one that joblib has compressed."""


@dataclass(frozen=True, eq=False)
class Scaler:
    """scaled = x · factor + shift, number by number; factor (n,) and shift (n,).

    fitted: where the data lay, (low, high) for each number, NaN for one that is not scaled. spoken: its text, of
    which the same numbers are made again.
    """

    factor: Array
    shift: Array
    fitted: tuple[Interval, ...]
    spoken: str

    @property
    def affine(self) -> Affine:
        """From the units of the data to what the network was trained on."""
        return Affine(self.factor, self.shift)

    @property
    def inverse(self) -> Affine:
        """From what the network was trained on to the units of the data."""
        return Affine(1.0 / self.factor, -self.shift / self.factor)


def in_original_units(
    network: Network, *, scale_input: str = "", scale_output: str = "", transform_input: str = ""
) -> Network:
    """Return the network behind its scaler and in front of its inverse, taking and giving original units.

    The transforms (`p=log10`) come first, then the scaler, then the network. Raises BadRequest.
    """
    inputs = network.input_labels
    outputs = network.output_labels
    if scale_input:
        network = scaled(network, "scale_input", parse_scaler(scale_input, inputs, "--scale-input"))
    if transform_input:
        network = transformed(network, _texts(transform_input, inputs, "--transform-input"))
    if scale_output:
        network = scaled(network, "scale_output", parse_scaler(scale_output, outputs, "--scale-output"))
    return network


def scaled(network: Network, place: str, scaler: Scaler) -> Network:
    """Return the network with a scaler at a place: `scale_input` in front, or `scale_output` undone behind."""
    around = (*network.around, (place, scaler.spoken))
    if place == "scale_input":
        front = _layer(place, network.input_shape, scaler.affine, scaler)
        return replace(network, layers=(front, *network.layers), around=around)
    behind = _layer(place, network.output_shape, scaler.inverse)
    return replace(network, layers=(*network.layers, behind), around=around)


def _layer(name: str, shape: tuple[int, ...], affine: Affine, fitted: Scaler | None = None) -> Layer:
    """Return the layer of a scaler; it says where the data lay if that is known of every number."""
    ranges = fitted.fitted if fitted and np.all(np.isfinite(fitted.fitted)) else ()
    return Layer(name, "Scaler", shape, (affine,), added=True, fitted=ranges)


def transformed(network: Network, functions: Sequence[str]) -> Network:
    """Return the network with a function in front of each input, or `none`. Raises BadRequest."""
    names = network.input_labels
    front = [
        Layer(
            f"transform_{names[unit]}", "Transform", network.input_shape,
            (Selected(transform(function), (unit,)),), added=True,
        )
        for unit, function in enumerate(functions)
        if function != NOTHING
    ]  # fmt: skip
    around = (*network.around, ("transform_input", ",".join(functions)))
    return replace(network, layers=(*front, *network.layers), around=around)


def parse_scaler(text: str, names: Sequence[str], option: str) -> Scaler:
    """Parse a scaler's text, or read its JSON file, for these inputs or outputs. Raises BadRequest."""
    if text.endswith(".json") or os.path.isfile(text):
        return _from_file(text, names, option)
    return spoken_scaler(text, names, option)


def spoken_scaler(text: str, names: Sequence[str], option: str) -> Scaler:
    """Parse a scaler's text, which names no file. Raises BadRequest."""
    return _scaler([_formula(spoken, option) for spoken in _texts(text, names, option)])


@dataclass(frozen=True)
class _Row:
    """How one number is scaled, where its data lay, and the scaler's text."""

    factor: float
    shift: float
    fitted: Interval
    spoken: str


_UNSCALED = _Row(1.0, 0.0, (math.nan, math.nan), NOTHING)


def _scaler(rows: Sequence[_Row]) -> Scaler:
    factors, shifts = (np.array([getattr(row, key) for row in rows]) for key in ("factor", "shift"))
    texts = [row.spoken for row in rows]
    spoken = texts[0] if len(set(texts)) == 1 else ",".join(texts)
    return Scaler(factors, shifts, tuple(row.fitted for row in rows), spoken)


def _texts(text: str, names: Sequence[str], option: str) -> list[str]:
    """Return what is said of each name: by name, the others `none`; one for all; or one each, in order."""
    if "=" in text:
        said = _by_name(text, names, option)
        return [said.get(name, NOTHING) for name in names]
    texts = [part.strip() for part in text.split(",")]
    if len(texts) not in (1, len(names)):
        what = f"{len(texts)} values for {len(names)} names"
        raise _bad(option, what, "write one for all, one for each, or NAME=VALUE,NAME=VALUE")
    return texts * len(names) if len(texts) == 1 else texts


def _by_name(text: str, names: Sequence[str], option: str) -> Mapping[str, str]:
    pairs = [part.partition("=") for part in text.split(",")]
    for name, equals, _ in pairs:
        if not equals:
            raise _bad(option, f"{name!r} has no '='", "write NAME=VALUE,NAME=VALUE")
        if name.strip() not in names:
            raise _bad(option, f"no {name.strip()!r} in this network", f"it has {_list(names)}")
    if len({name.strip() for name, _, _ in pairs}) < len(pairs):
        raise _bad(option, "a name appears twice", "name each once")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _formula(text: str, option: str) -> _Row:
    """Read `minmax:LO:HI[:A:B]`, `standard:MEAN:SD` or `none`."""
    if text == NOTHING:
        return _UNSCALED
    kind, *given = text.strip().split(":")
    try:
        numbers = [float(value) for value in given]
    except ValueError:
        raise _bad(option, f"{text!r} has a part that is not a number", _SPOKEN) from None
    if kind == "minmax" and len(numbers) in (2, 4):
        low, high, *target = numbers
        return _minmax(low, high, target or [0.0, 1.0], option)
    if kind == "standard" and len(numbers) == 2:
        return _standard(numbers[0], numbers[1], option)
    raise _bad(option, f"{text!r} is not a scaler", _SPOKEN)


_SPOKEN = "write minmax:LO:HI or standard:MEAN:SD, NAME=... for each, or the name of a JSON file"


def _minmax(low: float, high: float, target: Sequence[float], option: str) -> _Row:
    bottom, top = target
    if not (math.isfinite(low) and math.isfinite(high) and low < high and bottom < top < math.inf):
        raise _bad(option, f"minmax needs LO < HI, not {low:g} and {high:g}", _SPOKEN)
    factor = (top - bottom) / (high - low)
    spoken = _spoken("minmax", low, high, *(() if (bottom, top) == (0.0, 1.0) else (bottom, top)))
    return _Row(factor, bottom - low * factor, (low, high), spoken)


def _standard(mean: float, sd: float, option: str) -> _Row:
    if not (math.isfinite(mean) and 0 < sd < math.inf):
        raise _bad(option, f"standard needs a finite mean and SD > 0, not {mean:g} and {sd:g}", _SPOKEN)
    fitted = (mean - SPREAD * sd, mean + SPREAD * sd)
    return _Row(1.0 / sd, -mean / sd, fitted, _spoken("standard", mean, sd))


def _spoken(kind: str, *numbers: float) -> str:
    return ":".join((kind, *(repr(number).removesuffix(".0") for number in numbers)))


def _from_file(path: str, names: Sequence[str], option: str) -> Scaler:
    try:
        with open(path, "rb") as file:
            raw = file.read(FILE_LIMIT + 1)
        given = json.loads(raw) if len(raw) <= FILE_LIMIT else None
    except OSError as error:
        raise _bad(option, f"{path}: {error.strerror or error}", "give a scaler's JSON file") from None
    except (ValueError, RecursionError):
        what = "a Python pickle, which is never opened" if raw.startswith(PICKLE) else "no scaler's JSON"
        raise _bad(option, f"{path} is {what}", "the README writes a scaler as JSON in two lines") from None
    if not isinstance(given, dict):
        raise _bad(option, f"{path} is not a JSON object of a scaler", "see the README for the two kinds")
    return _scaler(_rows(given, len(names), f"{option} {path}"))


def _rows(given: Mapping[str, Any], count: int, where: str) -> list[_Row]:
    match given.get("kind"):
        case "minmax":
            low, high = _numbers(given, "low", count, where), _numbers(given, "high", count, where)
            target = _numbers(given, "range", 2, where) if "range" in given else [0.0, 1.0]
            return [_minmax(a, b, target, where) for a, b in zip(low, high, strict=True)]
        case "standard":
            mean, sd = _numbers(given, "mean", count, where), _numbers(given, "sd", count, where)
            return [_standard(a, b, where) for a, b in zip(mean, sd, strict=True)]
    raise _bad(where, f"kind {given.get('kind')!r} is not a scaler", "kind is minmax or standard")


def _numbers(given: Mapping[str, Any], key: str, count: int, where: str) -> list[float]:
    values = given.get(key)
    if isinstance(values, int | float) and not isinstance(values, bool):
        values = [values] * count
    if not isinstance(values, list) or any(
        isinstance(v, bool) or not isinstance(v, int | float) for v in values
    ):
        raise _bad(where, f"{key!r} is not a list of numbers", f"give {count}")
    if len(values) != count:
        raise _bad(where, f"{key!r} has {len(values)} numbers", f"this network needs {count}")
    return [float(value) for value in values]


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")


def _bad(option: str, what: str, way_out: str) -> BadRequest:
    return BadRequest(f"{option}: {what}", code="scale", way_out=way_out)
