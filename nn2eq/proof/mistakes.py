"""The usual mistakes of a calculation by hand. THE table of mistakes is `MISTAKES`; a new one adds its function.

Each is the network as somebody would have it who makes the mistake, at one place at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np

from nn2eq.activations import ROWS, Activation, filled
from nn2eq.forms.stages import stages
from nn2eq.network import Affine, Layer, Map, Network, Selected

TAKEN_FOR = (
    "sigmoid", "tanh", "relu", "softplus", "softmax", "elu", "selu", "gelu", "gelu_tanh", "silu", "softsign",
    "hard_sigmoid", "clipped_sigmoid", "leaky_relu", "exponential", "relu6",
)  # fmt: skip
"""Activations that people take for one another."""
TAKEN_FOR_AT_A_UNIT = ("sigmoid", "tanh", "relu")
"""Those that a slip at one unit may be."""
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


def inverted_scaling(network: Network) -> Iterator[Mistake]:
    """Scale the other way round: back where it should be to, or to where it should be back."""
    for place, layer in enumerate(network.layers):
        if layer.added and len(layer.maps) == 1 and _scales(step := layer.maps[0]):
            assert isinstance(step, Affine)
            if np.all(step.kernel):
                bias = None if step.bias is None else -step.bias / step.kernel
                inverse = replace(layer, maps=(Affine(1.0 / step.kernel, bias, step.repeat),))
                what = f"the scaling of {_quoted(layer)} is done the other way round"
                yield Mistake(what, _with(network, place, inverse))


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


def other_activation_everywhere(network: Network) -> Iterator[Mistake]:
    """Take one activation for another, or for none, in all layers that have it."""
    of_row: dict[str, list[tuple[int, int, Activation]]] = {}
    for found in _activations(network):
        if not (found[2].row.coupled or found[2].per_unit):
            of_row.setdefault(found[2].row.name, []).append(found)
    for name, places in of_row.items():
        for other in _others(name) if len(places) > 1 else ():
            changed = network
            for place, at, _ in places:
                changed = _with(changed, place, _put(changed.layers[place], at, other))
            what = (
                f"the activation {name} is forgotten"
                if other.is_linear
                else f"{other.row.name} is taken for {name}"
            )
            yield Mistake(f"{what} in all layers", changed)


def _others(name: str) -> Iterator[Activation]:
    """Yield what an activation is taken for: the linear one first, as if it were forgotten."""
    yield filled(ROWS["linear"], {})
    for other in TAKEN_FOR:
        row = ROWS[other]
        if other != name and not row.coupled and None not in row.parameters.values():
            yield filled(row, {})


def activation_too_many(network: Network) -> Iterator[Mistake]:
    """Go through an activation of the network's behind the last layer too, which has none."""
    own = [layer for layer in network.layers if not layer.added]
    used = dict.fromkeys(step.row.name for _, _, step in _activations(network) if not step.row.coupled)
    if not own or (
        own[-1].maps and isinstance(own[-1].maps[-1], Activation) and not own[-1].maps[-1].is_linear
    ):
        return
    for name in used:
        if None not in ROWS[name].parameters.values():
            changed = replace(own[-1], maps=(*own[-1].maps, filled(ROWS[name], {})))
            what = f"{name} is applied in {_quoted(own[-1])} too, which has no activation"
            yield Mistake(what, _with(network, network.layers.index(own[-1]), changed))


def forgotten_biases(network: Network) -> Iterator[Mistake]:
    """Leave out all biases."""
    places = [found for found in _affines(network) if not network.layers[found[0]].added]
    changed = network
    for place, at, step in places:
        changed = _with(
            changed, place, _put(changed.layers[place], at, Affine(step.kernel, None, step.repeat))
        )
    if len(places) > 1:
        yield Mistake("all biases are forgotten", changed)


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
    """Read a kernel's numbers column by column: a square one becomes its transpose; or all square ones do."""
    all_squares, squares = network, 0
    for place, layer in enumerate(network.layers):
        for at, step in enumerate(layer.maps):
            if isinstance(step, Affine) and not step.is_diagonal and min(step.kernel.shape) > 1:
                other = np.ascontiguousarray(step.kernel.reshape(step.kernel.shape[::-1]).T)
                changed = Affine(other, step.bias, step.repeat)
                is_square = len(set(step.kernel.shape)) == 1
                yield Mistake(
                    f"the kernel of {_quoted(layer)} is {'transposed' if is_square else 'read column by column'}",
                    _with(network, place, _put(layer, at, changed)),
                )
                if is_square:
                    squares += 1
                    all_squares = _with(all_squares, place, _put(all_squares.layers[place], at, changed))
    if squares > 1:
        yield Mistake("all square kernels are transposed", all_squares)


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


def other_activation_of_a_unit(network: Network) -> Iterator[Mistake]:
    """Take one activation for another at one unit."""
    named = _unit_names(network)
    for place, at, step in _activations(network):
        layer = network.layers[place]
        units = layer.shape[-1]
        if step.row.coupled or step.per_unit or len(layer.shape) > 1 or not 1 < units <= MOST_UNITS:
            continue
        for name, unit in product(TAKEN_FOR_AT_A_UNIT, range(units)):
            if name != step.row.name:
                others = Selected(step, tuple(k for k in range(units) if k != unit))
                own = Selected(filled(ROWS[name], {}), (unit,))
                maps = (*layer.maps[:at], others, own, *layer.maps[at + 1 :])
                what = f"{name} is taken for {step.row.name} at {named(layer, unit)}"
                yield Mistake(what, _with(network, place, replace(layer, maps=maps)))


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
    inverted_scaling,
    forgotten_activation,
    other_activation,
    forgotten_bias,
    other_activation_everywhere,
    forgotten_biases,
    activation_too_many,
    transposed_kernel,
    other_order,
    subtracted_bias,
    other_inputs,
    forgotten_bias_of_a_unit,
    forgotten_activation_of_a_unit,
    other_activation_of_a_unit,
)
"""The table, the commonest first."""


# ------------------------------------------------------------------------------------------ places and changes


def _activations(network: Network) -> Iterator[tuple[int, int, Activation]]:
    """Yield which layer, which of its maps, and the activation; linear ones change nothing."""
    for place, layer in enumerate(network.layers):
        for at, step in enumerate(layer.maps):
            if isinstance(step, Activation) and not step.is_linear:
                yield place, at, step


def _activations_of_units(network: Network) -> Iterator[tuple[int, int, Activation, int, Selected]]:
    """Yield which layer, which of its maps, the activation, one unit, and the activation of all others."""
    for place, at, step in _activations(network):
        layer = network.layers[place]
        units = layer.shape[-1]
        if step.row.coupled or step.per_unit or len(layer.shape) > 1 or not 1 < units <= MOST_UNITS:
            continue
        for unit in range(units):
            yield place, at, step, unit, Selected(step, tuple(k for k in range(units) if k != unit))


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
