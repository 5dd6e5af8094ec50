"""A network that decides: 1 for the class that its answer, or what its last activation is taken of, speaks for."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np

from nn2eq import formula as fm
from nn2eq.activations import ROWS, Activation, Row, filled
from nn2eq.errors import BadRequest
from nn2eq.network import Affine, Layer, Map, Network, numbered

PLACES = ("y", "z")
ON_Z = " on z"
"""How it is said that z decides."""


def deciding(network: Network, threshold: float, *, on: str = "y") -> Network:
    """Return the network with a last layer that gives 1 or 0.

    Each output: whether it is at least the threshold. Where a coupled activation (softmax) stands last: which
    output is the largest, all 0 if even that is below the threshold. on: "y" asks the answers; "z" asks what the
    last activation is taken of, against the threshold that amounts to there, and leaves the activation out. The
    outputs, if they have no names, are called c1 ... cm. Raises BadRequest for a threshold that cannot be met,
    or has no equivalent.
    """
    if not math.isfinite(threshold):
        raise _bad(f"{threshold!r} is not finite")
    names = network.output_names or numbered("c", network.outputs)
    around = (*network.around, ("threshold", f"{threshold!r}{ON_Z if on == 'z' else ''}"))
    row = _row(network, threshold)
    layers = network.layers
    if on == "z":
        layers, threshold = _in_front(network, threshold, is_argmax=row.name == "argmax")
    given = {"threshold": threshold} if "threshold" in row.parameters else {}
    decision = Layer("decision", "Decision", network.output_shape, (filled(row, given),), added=True)
    return replace(network, layers=(*layers, decision), output_names=names, around=around)


def equivalent(network: Network) -> tuple[str, ...]:
    """Return how a decision on z came from one on y, z >= log(0.3 / (1 - 0.3)), () where there is no such formula.

    That is where a single activation, the same for every output, was left out.
    """
    given = dict(network.around).get("threshold", "")
    left_out = [step for layer in network.layers for step in layer.left_out]
    if not given.endswith(ON_Z) or len(left_out) != 1 or not isinstance(left_out[0], Activation):
        return ()
    threshold, inverse = given.removesuffix(ON_Z), left_out[0].row.inverse
    if not inverse:
        return ()
    where = re.sub(r"\ba\b", f"({threshold})" if threshold.startswith("-") else threshold, inverse)
    return (f"{left_out[0].row.name}(z) >= {threshold} where z >= {where}",)


def _row(network: Network, threshold: float) -> Row:
    """Choose what decides: the largest of a softmax is at least one in so many, whatever it is."""
    last = next(reversed(list(network.maps)), None)
    if not (isinstance(last, Activation) and last.row.coupled):
        return ROWS["at_least"]
    is_certain = last.row.range[0] == "0" and threshold <= 1 / network.outputs
    return ROWS["argmax" if is_certain else "sure_argmax"]


def _in_front(network: Network, threshold: float, *, is_argmax: bool) -> tuple[tuple[Layer, ...], float]:
    """Leave out what only rises behind the last sum; return the layers, and the threshold that it is there."""
    layers = list(network.layers)
    for place in reversed(range(len(layers))):
        steps = list(layers[place].maps)
        while steps:
            solved = _solved(steps[-1], threshold, network.outputs, is_argmax=is_argmax)
            if solved is None:
                return tuple(layers), threshold
            threshold = solved
            left_out = (steps.pop(), *layers[place].left_out)
            layers[place] = replace(layers[place], maps=tuple(steps), left_out=left_out)
    raise _bad("this network is nothing but a function that rises")


def _solved(step: Map, threshold: float, outputs: int, *, is_argmax: bool) -> float | None:
    """Return where a map that only rises, the same for every output, reaches the threshold; None for any other."""
    if isinstance(step, Affine):
        if not step.is_diagonal or outputs > 1 or step.kernel[0] <= 0:
            return None
        bias = 0.0 if step.bias is None else float(step.bias[0])
        return (threshold - bias) / float(step.kernel[0])
    if not isinstance(step, Activation):
        return None
    if step.is_linear or (is_argmax and step.row.range == ("0", "1")):
        return threshold
    if not step.row.inverse:
        raise _bad(f"{step.row.name} has no inverse that is a formula; leave out --decide-on z")
    with np.errstate(all="ignore"):
        found = float(fm.evaluate(fm.parse(step.row.inverse), {"a": np.float64(threshold)}))
    if not math.isfinite(found):
        raise _bad(f"{step.row.name} never reaches {threshold!r}")
    return found


def _bad(what: str) -> BadRequest:
    return BadRequest(f"--threshold: {what}", code="threshold")
