"""A domain: the box on which something is said, low <= x <= high for each input."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import BadRequest
from nn2eq.network import Network

Domain = tuple[tuple[float, float], ...]
"""(low, high) for each input, in order."""

_SPOKEN = "write -1:1 for every input, or a=-1:1,b=0:5"


def parse_domain(text: str, names: Sequence[str]) -> Domain:
    """Parse `-1:1`, the same for every input, or `a=-1:1,b=0:5`, one for each. Raises BadRequest."""
    if "=" not in text:
        return domain_of([_interval(text)] * len(names), len(names))
    given: dict[str, tuple[float, float]] = {}
    for part in text.split(","):
        name, _, interval = part.partition("=")
        if name.strip() not in names or name.strip() in given:
            what = "stands twice" if name.strip() in given else "is no input"
            raise _bad(f"{name.strip()!r:.80} {what}", f"the inputs are {', '.join(names[:8])}")
        given[name.strip()] = _interval(interval)
    if missing := [name for name in names if name not in given]:
        raise _bad(f"nothing is said of {', '.join(missing[:8])}", _SPOKEN)
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
    return tuple((float(low), float(high)) for low, high in pairs)


def default_domain(network: Network, rows: NDArray[np.float64] | None = None) -> Domain:
    """Return the domain of the data (rows, inputs), else the one that a Normalization was fitted to.

    The latter is mean ± 3 standard deviations, where it is the first layer. Raises BadRequest if there is
    neither.
    """
    if rows is not None:
        return domain_of(np.stack([rows.min(axis=0), rows.max(axis=0)], axis=1), network.inputs)
    weights = network.layers[0].weights if network.layers else {}
    if not {"mean", "variance"} <= set(weights):
        raise _bad("none is given, and none is known", f"give --domain or --data; {_SPOKEN}")
    mean, spread = (np.asarray(weights[key], dtype=np.float64).ravel() for key in ("mean", "variance"))
    mean, spread = (np.broadcast_to(part, (network.inputs,)) for part in (mean, 3.0 * np.sqrt(spread)))
    return domain_of(np.stack([mean - spread, mean + spread], axis=1), network.inputs)


def _interval(text: str) -> tuple[float, float]:
    ends = text.split(":")
    try:
        low, high = (float(end) for end in ends)
    except ValueError:
        raise _bad(f"{text!r:.80} is no interval", _SPOKEN) from None
    if math.isnan(low) or math.isnan(high):
        raise _bad(f"{text!r:.80} is no interval", _SPOKEN)
    return low, high


def _bad(what: str, way_out: str) -> BadRequest:
    return BadRequest(f"domain: {what}", code="domain", way_out=way_out)
