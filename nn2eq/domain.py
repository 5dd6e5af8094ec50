"""Where something is said: a domain, low <= x <= high for each input, or a point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.errors import BadRequest
from nn2eq.network import Layer, Network, Selected

Array = NDArray[np.float64]
Domain = tuple[tuple[float, float], ...]
"""(low, high) for each input, in order."""

_FARTHEST = 1e300
"""Beyond this float64 does not even tell how wide a domain is."""
_SPOKEN = "write -1:1 for every input, or a=-1:1,b=0:5"


def parse_domain(text: str, names: Sequence[str]) -> Domain:
    """Parse `-1:1`, the same for every input, or `a=-1:1,b=0:5`, one for each. Raises BadRequest."""
    if "=" not in text:
        return domain_of([_interval(text)] * len(names), len(names))
    given: dict[str, tuple[float, float]] = {}
    for part in text.split(","):
        name, _, interval = part.partition("=")
        if name.strip() not in names or name.strip() in given:
            what = "appears twice" if name.strip() in given else "is not an input"
            raise _bad(f"{name.strip()!r:.80} {what}", f"the inputs are {', '.join(names[:8])}")
        given[name.strip()] = _interval(interval)
    if missing := [name for name in names if name not in given]:
        raise _bad(f"no interval for {', '.join(missing[:8])}", _SPOKEN)
    return domain_of([given[name] for name in names], len(names))


def domain_of(
    given: Sequence[Sequence[float]] | Sequence[float] | NDArray[np.float64], inputs: int
) -> Domain:
    """Return a domain from one (low, high) for every input, or from one each. Raises BadRequest."""
    pairs = np.asarray(given, dtype=np.float64)
    if pairs.shape == (2,):
        pairs = np.tile(pairs, (inputs, 1))
    if pairs.shape != (inputs, 2):
        raise _bad(f"{pairs.size / 2:g} intervals", f"this network has {inputs} inputs")
    if not np.all(np.isfinite(pairs)) or np.any(pairs[:, 0] > pairs[:, 1]):
        raise _bad("an interval is not finite, or its low end is above its high end", _SPOKEN)
    if np.any(np.abs(pairs) > _FARTHEST):
        raise _bad(f"an end is beyond {_FARTHEST:g}", "give a smaller one")
    return tuple((float(low), float(high)) for low, high in pairs)


def default_domain(network: Network, rows: NDArray[np.float64] | None = None) -> Domain:
    """Return the domain that is known of a network, as `known_domain` does. Raises BadRequest if none is."""
    known = known_domain(network, rows)
    if known is None:
        raise _bad("none is given, and none is known", f"give --domain or --data; {_SPOKEN}")
    return known


def known_domain(network: Network, rows: NDArray[np.float64] | None = None) -> Domain | None:
    """Return the domain of the data (rows, inputs), else where the input's scaler says that they lay.

    That is the range of a minmax scaler, and mean ± 3 standard deviations of a standard one or of a
    Normalization, if it is the first layer, or the first behind transforms. None if nothing
    is known.
    """
    if rows is not None:
        return domain_of(np.stack([rows.min(axis=0), rows.max(axis=0)], axis=1), network.inputs)
    transforms = tuple(takewhile(_is_transform, network.layers))
    behind = network.layers[len(transforms) :]
    box = _fitted(behind[0], network.inputs) if behind else None
    for layer in reversed(transforms):
        box = None if box is None else _before(layer, box)
    if box is None or np.any(np.isnan(box)):
        return None
    return domain_of(box, network.inputs)


def _fitted(layer: Layer, inputs: int) -> Array | None:
    """Return where the data lay that a scaler or a Normalization was fitted to, (inputs, 2)."""
    if layer.fitted:
        return np.array(layer.fitted)
    if not {"mean", "variance"} <= set(layer.weights):
        return None
    mean, variance = (
        np.asarray(layer.weights[key], dtype=np.float64).ravel() for key in ("mean", "variance")
    )
    mean, spread = (np.broadcast_to(part, (inputs,)) for part in (mean, 3.0 * np.sqrt(variance)))
    return np.stack([mean - spread, mean + spread], axis=1)


def _is_transform(layer: Layer) -> bool:
    return layer.added and all(isinstance(step, Selected) for step in layer.maps)


def _before(layer: Layer, box: Array) -> Array | None:
    """Return the box in front of a transform that leads into this one; None if the transform turns around."""
    box = box.copy()
    for step in layer.maps:
        assert isinstance(step, Selected)
        activation = step.activation
        if activation.breakpoints:
            return None
        units = list(step.units)
        box[units] = np.sort([[_solved(activation, end) for end in pair] for pair in box[units]], axis=1)
    return box


def _solved(activation: Activation, value: float) -> float:
    """Return where a function that only rises takes a value, NaN if nowhere: by bisection."""
    low, high = np.clip(activation.domain, -1e300, 1e300)
    if not activation(np.array([low]))[0] <= value <= activation(np.array([high]))[0]:
        return math.nan
    for _ in range(2100):  # as often as halving goes from 1e300 to the smallest numbers
        middle = low / 2 + high / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if activation(np.array([middle]))[0] < value else (low, middle)
    return float(high)


def point_of(at: Sequence[float] | Array | float, inputs: int) -> Array:
    """Return a point (inputs,) that is given as one number for all inputs or one for each. Raises BadRequest."""
    given = np.atleast_1d(np.asarray(at, dtype=np.float64))
    if given.shape == (1,):
        given = np.repeat(given, inputs)
    if given.shape != (inputs,) or not np.all(np.isfinite(given)):
        raise BadRequest(
            f"--at: {given.size} numbers, or one that is not finite",
            code="point", way_out=f"this network has {inputs} inputs",
        )  # fmt: skip
    return given


def parse_point(text: str, names: Sequence[str]) -> NDArray[np.float64]:
    """Parse one input, `0.5,1` in order or `a=0.5,b=1` by name: (inputs,). Raises BadRequest."""
    parts = [part.strip() for part in text.split(",")]
    if any("=" in part for part in parts):
        given = dict(_named(part) for part in parts)
        if set(given) != set(names) or len(given) < len(parts):
            raise _bad_point(f"names {', '.join(given)}", f"name each of {', '.join(names[:8])} once")
        parts = [given[name] for name in names]
    if len(parts) != len(names):
        raise _bad_point(f"{len(parts)} number{'s' * (len(parts) != 1)}", f"this network takes {len(names)}")
    try:
        point = np.array([float(part) for part in parts])
    except ValueError:
        raise _bad_point(f"{text!r} has a part that is not a number", "write 0.5,1") from None
    if not np.isfinite(point).all():
        raise _bad_point("a number is not finite", "write 0.5,1")
    return point


def _named(part: str) -> tuple[str, str]:
    name, _, number = part.partition("=")
    return name.strip(), number.strip()


def _bad_point(what: str, way_out: str) -> BadRequest:
    return BadRequest(f"--at: {what}", code="point", way_out=way_out)


def _interval(text: str) -> tuple[float, float]:
    ends = text.split(":")
    try:
        low, high = (float(end) for end in ends)
    except ValueError:
        raise _bad(f"{text!r:.80} is not an interval", _SPOKEN) from None
    if math.isnan(low) or math.isnan(high):
        raise _bad(f"{text!r:.80} is not an interval", _SPOKEN)
    return low, high


def _bad(what: str, way_out: str) -> BadRequest:
    return BadRequest(f"domain: {what}", code="domain", way_out=way_out)
