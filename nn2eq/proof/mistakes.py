"""The usual mistakes of a calculation by hand. THE table of mistakes is `MISTAKES`; a new one adds its function.

Each is the network as somebody would have it who makes the mistake, at one place at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from nn2eq.activations import ROWS, Activation, filled
from nn2eq.forms.stages import stages
from nn2eq.network import Affine, Layer, Map, Network, Selected

TAKEN_FOR = (
    "sigmoid", "tanh", "relu", "softplus", "softmax", "elu", "selu", "gelu", "gelu_tanh", "silu", "softsign",
    "hard_sigmoid", "clipped_sigmoid", "leaky_relu", "exponential", "relu6",
)  # fmt: skip
"""Activations that people take for one another."""
MOST_UNITS = 512
"""Units of a layer that are tried one by one."""
MOST_INPUTS = 8
"""Inputs whose order is tried."""


@dataclass(frozen=True, eq=False)
class Mistake:
    """What was done wrong and where, in words that may hold a file's own, and the network as it then is."""

    what: str
    network: Network


def mistakes(network: Network) -> Iterator[Mistake]:
    """Yield the network with one mistake at a time, those of whole layers before those of single units."""
    for make in MISTAKES:
        yield from make(network)


def forgotten_scaling(network: Network) -> Iterator[Mistake]:
    """Leave out what only scales: a scaler, a normalization with fixed numbers, a transform."""
    for place, layer in enumerate(network.layers):
        if layer.maps and all(isinstance(step, Selected) or _scales(step) for step in layer.maps):
            yield Mistake(
                f"the scaling of {_quoted(layer)} is forgotten",
                _with(network, place, replace(layer, maps=())),
            )
    added = [layer for layer in network.layers if layer.added]
    if len(added) > 1:
        yield Mistake("all scaling of inputs and outputs is forgotten", network.core)


def _scales(step: Map) -> bool:
    return isinstance(step, Affine) and step.is_diagonal


def forgotten_activation(network: Network) -> Iterator[Mistake]:
    """Leave out an activation."""
    for place, at, step in _activations(network):
        layer = network.layers[place]
        if step.outputs(step.groups * 2) == step.groups * 2:
            yield Mistake(
                f"the activation {step.row.name} of {_quoted(layer)} is forgotten",
                _with(network, place, _without(layer, at)),
            )


def other_activation(network: Network) -> Iterator[Mistake]:
    """Take one activation for another."""
    others = [filled(ROWS[name], {}) for name in TAKEN_FOR if None not in ROWS[name].parameters.values()]
    for place, at, step in _activations(network):
        layer = network.layers[place]
        for other in others:
            if other.row.name != step.row.name and step.outputs(step.groups * 2) == step.groups * 2:
                yield Mistake(
                    f"{other.row.name} is taken for {step.row.name} in {_quoted(layer)}",
                    _with(network, place, _put(layer, at, replace(other, groups=step.groups))),
                )


def forgotten_bias(network: Network) -> Iterator[Mistake]:
    """Leave out the biases of a layer."""
    for place, at, step in _affines(network):
        layer = network.layers[place]
        changed = _put(layer, at, Affine(step.kernel, None, step.repeat))
        yield Mistake(f"the bias of {_quoted(layer)} is forgotten", _with(network, place, changed))


def subtracted_bias(network: Network) -> Iterator[Mistake]:
    """Subtract the biases of a layer."""
    for place, at, step in _affines(network):
        layer = network.layers[place]
        assert step.bias is not None
        changed = _put(layer, at, Affine(step.kernel, -step.bias, step.repeat))
        yield Mistake(f"the bias of {_quoted(layer)} is subtracted", _with(network, place, changed))


def transposed_kernel(network: Network) -> Iterator[Mistake]:
    """Read a kernel's numbers column by column: a square one becomes its transpose."""
    for place, layer in enumerate(network.layers):
        for at, step in enumerate(layer.maps):
            if isinstance(step, Affine) and not step.is_diagonal and min(step.kernel.shape) > 1:
                other = np.ascontiguousarray(step.kernel.reshape(step.kernel.shape[::-1]).T)
                word = "transposed" if len(set(step.kernel.shape)) == 1 else "read column by column"
                yield Mistake(
                    f"the kernel of {_quoted(layer)} is {word}",
                    _with(network, place, _put(layer, at, Affine(other, step.bias, step.repeat))),
                )


def other_order(network: Network) -> Iterator[Mistake]:
    """Take two layers in the wrong order, or two steps of one layer."""
    for first, second in combinations(range(len(network.layers)), 2):
        layers = list(network.layers)
        layers[first], layers[second] = layers[second], layers[first]
        if all(layers[place].maps for place in (first, second)):
            changed = replace(network, layers=tuple(layers))
            if _fits(changed):
                one, two = network.layers[first], network.layers[second]
                yield Mistake(f"{_quoted(one)} and {_quoted(two)} are taken in the wrong order", changed)


def other_inputs(network: Network) -> Iterator[Mistake]:
    """Take two inputs for each other."""
    if network.inputs > MOST_INPUTS:
        return
    names = network.input_labels
    for one, two in combinations(range(network.inputs), 2):
        order = np.eye(network.inputs)
        order[[one, two]] = order[[two, one]]
        front = Layer("", "", network.input_shape, (Affine(order),))
        yield Mistake(
            f"{names[one]} and {names[two]} are taken for each other",
            replace(network, layers=(front, *network.layers)),
        )


def forgotten_bias_of_a_unit(network: Network) -> Iterator[Mistake]:
    """Leave out the bias of one unit."""
    named = _unit_names(network)
    for place, at, step in _affines(network):
        layer = network.layers[place]
        assert step.bias is not None
        for unit in np.flatnonzero(step.bias[:MOST_UNITS]).tolist():
            bias = step.bias.copy()
            bias[unit] = 0
            changed = _put(layer, at, Affine(step.kernel, bias, step.repeat))
            yield Mistake(f"the bias of {named(layer, unit)} is forgotten", _with(network, place, changed))


def forgotten_activation_of_a_unit(network: Network) -> Iterator[Mistake]:
    """Leave out the activation of one unit."""
    named = _unit_names(network)
    for place, at, step in _activations(network):
        layer = network.layers[place]
        units = layer.shape[-1]
        if step.row.coupled or step.per_unit or len(layer.shape) > 1 or not 1 < units <= MOST_UNITS:
            continue
        for unit in range(units):
            others = Selected(step, tuple(k for k in range(units) if k != unit))
            changed = _put(layer, at, others)
            yield Mistake(
                f"the activation of {named(layer, unit)} is forgotten", _with(network, place, changed)
            )


MISTAKES: Sequence[Callable[[Network], Iterable[Mistake]]] = (
    forgotten_scaling,
    forgotten_activation,
    other_activation,
    forgotten_bias,
    transposed_kernel,
    other_order,
    subtracted_bias,
    other_inputs,
    forgotten_bias_of_a_unit,
    forgotten_activation_of_a_unit,
)
"""The table, the commonest first."""


# ------------------------------------------------------------------------------------------ places and changes


def _activations(network: Network) -> Iterator[tuple[int, int, Activation]]:
    """Yield which layer, which of its maps, and the activation; linear ones change nothing."""
    for place, layer in enumerate(network.layers):
        for at, step in enumerate(layer.maps):
            if isinstance(step, Activation) and not step.is_linear:
                yield place, at, step


def _affines(network: Network) -> Iterator[tuple[int, int, Affine]]:
    """Yield which layer, which of its maps, and the affine map, if it has a bias that is not all zero."""
    for place, layer in enumerate(network.layers):
        for at, step in enumerate(layer.maps):
            if isinstance(step, Affine) and step.bias is not None and np.any(step.bias):
                yield place, at, step


def _put(layer: Layer, at: int, step: Map) -> Layer:
    return replace(layer, maps=(*layer.maps[:at], step, *layer.maps[at + 1 :]))


def _without(layer: Layer, at: int) -> Layer:
    return replace(layer, maps=layer.maps[:at] + layer.maps[at + 1 :])


def _with(network: Network, place: int, layer: Layer) -> Network:
    return replace(network, layers=(*network.layers[:place], layer, *network.layers[place + 1 :]))


def _fits(network: Network) -> bool:
    """Whether each map takes what the one before it gives, and as many numbers come out."""
    size = network.inputs
    for step in network.maps:
        if isinstance(step, Affine):
            if step.inputs != size:
                return False
            size = step.outputs
        elif isinstance(step, Activation):
            if any(len(values) != size for values in step.per_unit.values()) or size % step.groups:
                return False
            size = step.outputs(size)
        elif max(step.units) >= size:
            return False
    return size == network.outputs


def _quoted(layer: Layer) -> str:
    return f"layer {layer.name!r}" if layer.name else "a layer"


def _unit_names(network: Network) -> Callable[[Layer, int], str]:
    """Return how units are called: by layer and number, and as a trace calls their pre-activations."""
    numbers = {name: number for number, stage in enumerate(stages(network), start=1) for name in stage.layers}

    def named(layer: Layer, unit: int) -> str:
        number = numbers.get(layer.name)
        known = f" (z{number}_{unit + 1})" if number else ""
        return f"unit {unit + 1}{known} of {_quoted(layer)}"

    return named
