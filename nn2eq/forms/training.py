"""What training asks of a network: a batch's mean loss, and by how much it moves with every weight of every layer.

Nothing is folded: the weights are those that Keras keeps, each layer's in its own order and shapes. Layers that train
differently than they answer (BatchNormalization, Dropout) are taken as they answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.errors import BadRequest, UnsupportedModel
from nn2eq.forms.frame import applied, inputs_of, outputs_of, program_of
from nn2eq.forms.losses import Criterion, Loss, chosen
from nn2eq.forms.operands import chosen_units, halved, mentioned
from nn2eq.forms.program import (
    Affine,
    Apply,
    Combine,
    Constant,
    Function,
    Operand,
    Program,
    Step,
    Term,
    Value,
    needed,
)
from nn2eq.forms.stages import written_out
from nn2eq.network import Affine as Linear
from nn2eq.network import Layer, Map, Network, Selected
from nn2eq.reading.keras_layers import NON_TRAINABLE

Array = NDArray[np.float64]

FACTORS = ("gamma", "scale")
"""What multiplies each unit."""


@dataclass(frozen=True)
class Sum:
    """By how much the loss moves with one weight: a sum over the batch, and over all places where the weight acts.

    slopes: by what the weight goes into; arg: what it is multiplied by, None for a bias. whole: each unit of arg with
    each of slopes, as a kernel does, in each of so many `blocks`. inner: the shape of what it acts on, without the
    batch; kept: the axes of it that the weight lies along. centre, scale: arg is taken as (arg - centre) * scale.
    negative: of arg, only what is negative counts. shape: of the weight.
    """

    name: str
    shape: tuple[int, ...]
    slopes: Value
    arg: Value | None = None
    whole: bool = False
    blocks: int = 1
    inner: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()
    centre: Constant | None = None
    scale: Constant | None = None
    negative: bool = False

    @property
    def dropped(self) -> tuple[int, ...]:
        """The axes of `inner` that are added up."""
        return tuple(axis for axis in range(len(self.inner)) if axis not in self.kept)

    @property
    def fits(self) -> bool:
        """Whether the shape of the weight is that of what it acts on."""
        if self.whole and self.arg is not None:
            return self.shape == (self.arg.size // self.blocks, self.slopes.size // self.blocks)
        along = math.prod(self.inner[axis] for axis in self.kept)
        return math.prod(self.inner) == self.slopes.size and math.prod(self.shape) == along

    def spread(self, array: Array) -> Array:
        """Return an array of the weight's shape as one number for each that it acts on."""
        aligned = [size if axis in self.kept else 1 for axis, size in enumerate(self.inner)]
        return np.broadcast_to(array.reshape(aligned), self.inner).ravel()


@dataclass(frozen=True, eq=False)
class Training:
    """The steps forward and back, and the sums of each layer that has weights to train.

    logits: what the last activation is taken of, where the loss is run by that.
    """

    function: Function
    loss: Loss
    criterion: Criterion
    target: Value
    sums: tuple[tuple[str, tuple[Sum, ...]], ...]
    logits: Value | None = None


@dataclass
class _Walk:
    """The steps so far, each with the layer that it comes from, and in how many blocks its kernel acts."""

    network: Network
    steps: list[Step] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)


def training(network: Network, loss: str = "") -> Training:
    """Return what it takes to train a network by a loss: a name of LOSSES, compiled, else what goes with it.

    Raises BadRequest for a loss that does not go with the last activation, UnsupportedModel for weights whose gradient
    the file does not tell enough about.
    """
    x = inputs_of(network)
    walk = _forward(network, x)
    last = walk.steps[-1]
    y = outputs_of(network, last.out.origin)
    walk.steps[-1] = replace(last, out=y)
    activation = last.activation if isinstance(last, Apply) else None
    found = chosen(network, loss, activation)
    criterion = found.criterion(activation.row.name if activation else "")
    target = Value("t", tuple(f"t_{k}" for k in range(1, y.size + 1)), "what y should be")
    slopes = _backward(walk, found, criterion, y, target)
    logits = last.arg if isinstance(last, Apply) and criterion.of_sums else None
    sums = tuple(_layers(walk, slopes))
    wanted = {y.name} | {one.slopes.name for _, own in sums for one in own}
    function = Function("gradients", (x,), (y,), needed(tuple(walk.steps), wanted))
    return Training(function, found, criterion, target, sums, logits)


def backprop(network: Network, *, loss: str = "") -> Program:
    """Return the network's backward pass: a batch's mean loss, and by how much it moves with every weight.

    loss: a name of LOSSES, or compiled; by the last activation if left out. Raises BadRequest, UnsupportedModel.
    """
    found = training(network, loss)
    told = {"loss": found.loss.name}
    return program_of(network, found.function, "backprop", "backprop", told=told, training=found)


def _forward(network: Network, x: Value) -> _Walk:
    walk, arg = _Walk(network), x
    for layer in network.layers:
        for part in layer.maps:
            if isinstance(part, Activation) and part.is_linear:
                continue
            step = _step(part, arg, len(walk.layers) + 1, layer.name)
            walk.steps.append(step)
            walk.layers.append(layer)
            walk.blocks.append(part.repeat if isinstance(part, Linear) else 1)
            arg = step.out
    if not any(map(_trained, network.layers)):
        raise BadRequest("a network without weights to train", code="backprop", way_out="--form gradient")
    return walk


def _step(part: Map, arg: Value, number: int, origin: str) -> Affine | Apply:
    """Return the step that a map is."""
    if isinstance(part, Linear):
        whole = written_out(part, origin)
        out = _vector(f"z{number}", whole.outputs, origin)
        offset = None if whole.bias is None else Constant(f"b{number}", whole.bias)
        return Affine(out, (Term(arg, Constant(f"W{number}", whole.kernel)),), offset)
    size = arg.size if isinstance(part, Selected) else part.outputs(arg.size)
    return applied(_vector(f"a{number}", size, origin), part, arg, number)


def _vector(name: str, size: int, origin: str) -> Value:
    return Value(name, tuple(f"{name}_{unit}" for unit in range(1, size + 1)), origin)


def _backward(walk: _Walk, loss: Loss, criterion: Criterion, y: Value, target: Value) -> dict[int, Value]:
    """Add the steps back, as far as there are weights; return the slopes by the answer of each step, by its place."""
    forward = list(walk.steps)
    share = fm.number(y.size if loss.mean else 1)
    slope = fm.Node("/", (criterion.slope, fm.Node("*", (fm.name("samples"), share))))
    first = _vector("delta_y", y.size, "the loss")
    args = {"y": Operand(y), "t": Operand(target)}
    walk.steps.append(Combine(first, (fm.tidied(slope),), mentioned((slope,), args)))
    end = len(forward) - 1
    found = {end: first}
    earliest = min((place for place, layer in enumerate(walk.layers) if _trained(layer)), default=end)
    for place in range(end, earliest, -1):
        is_done = place == end and criterion.of_sums  # the slopes are by what the last activation is taken of
        found[place - 1] = first if is_done else _back(walk, forward[place], found[place], place)
    return found


def _back(walk: _Walk, step: Step, slopes: Value, number: int) -> Value:
    """Add the step that takes the slopes by a step's answer to those by its argument."""
    if isinstance(step, Affine):
        [term] = step.terms
        out = _vector(f"delta{number}", term.arg.size, step.out.origin)
        walk.steps.append(Affine(out, (Term(slopes, term.matrix, term.matrix.data.ndim == 2),)))
        return out
    assert isinstance(step, Apply)
    out = _vector(f"delta{number}", step.arg.size, step.out.origin)
    args = {"z": Operand(step.arg), "a": Operand(step.out), "d": Operand(slopes)}
    args |= {key: Operand(constant) for key, constant in step.parameters.items()}
    derivative, groups = step.activation.derivative, 1
    if derivative is None:
        nodes, groups = step.activation.pulled, step.activation.groups
        args |= halved(step, {"z": Operand(step.arg)})
    else:
        nodes = (fm.tidied(fm.Node("*", (fm.name("d"), derivative))),)
    if step.units:
        nodes, args["chosen"] = tuple(map(_where_chosen, nodes)), chosen_units(step, number)
    walk.steps.append(Combine(out, nodes, mentioned(nodes, args), groups))
    return out


def _where_chosen(node: fm.Node) -> fm.Node:
    """Return the slopes where an activation is taken at some units alone: the others pass."""
    return fm.Node("where", (fm.Node(">", (fm.name("chosen"), fm.number(0))), node, fm.name("d")))


# -------------------------------------------------------------------------------------------------- the weights


def _trained(layer: Layer) -> tuple[str, ...]:
    """Return the names of the weights that training moves."""
    return () if layer.added else tuple(name for name in layer.weights if name not in NON_TRAINABLE)


def _layers(walk: _Walk, slopes: Mapping[int, Value]) -> Iterator[tuple[str, tuple[Sum, ...]]]:
    """Yield the layers that have weights to train, with a sum for each."""
    places: dict[str, list[int]] = {}
    for place, layer in enumerate(walk.layers):
        places.setdefault(layer.name, []).append(place)
    for layer in walk.network.layers:
        if names := _trained(layer):
            own = places.get(layer.name, [])
            yield layer.name, tuple(_sum(walk, slopes, layer, name, own) for name in names)


def _sum(walk: _Walk, slopes: Mapping[int, Value], layer: Layer, name: str, places: list[int]) -> Sum:
    """Return the sum for one weight of a layer, by what it is called."""
    shape = layer.weights[name].shape
    for place in places:
        step, found = walk.steps[place], None
        if isinstance(step, Apply) and name in step.parameters:
            kept = _unshared(shape, layer.shape)
            found = Sum(name, shape, slopes[place], step.arg, inner=layer.shape, kept=kept, negative=True)
        elif isinstance(step, Affine) and name in ("kernel", "bias", *FACTORS, "beta"):
            found = _of_affine(step, slopes[place], layer, name, walk.blocks[place])
        if found is not None and found.fits:
            return _normalised(found, step, layer) if name == "gamma" else found
    raise UnsupportedModel(f"the gradient of {name!r:.40}", code="backprop", where=layer.name)


def _unshared(shape: tuple[int, ...], inner: tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes along which slopes lie that are shared along those where they are one."""
    own = shape[len(shape) - len(inner) :]
    return tuple(axis for axis, (size, each) in enumerate(zip(inner, own, strict=False)) if each == size)


def _of_affine(step: Affine, slopes: Value, layer: Layer, name: str, blocks: int) -> Sum:
    [term] = step.terms
    shape, inner = layer.weights[name].shape, layer.shape or (1,)
    if name == "kernel":
        return Sum(name, shape, slopes, term.arg, whole=True, blocks=blocks)
    arg = term.arg if name in FACTORS else None
    return Sum(name, shape, slopes, arg, inner=inner, kept=layer.axes or (len(inner) - 1,))


def _normalised(one: Sum, step: Step, layer: Layer) -> Sum:
    """Return the sum for a gamma, which is multiplied by what a BatchNormalization makes of its input."""
    if "moving_mean" not in layer.weights:
        return one
    mean, variance = (layer.weights[key].astype(np.float64) for key in ("moving_mean", "moving_variance"))
    if math.isnan(layer.epsilon) or not mean.shape == variance.shape == one.shape:
        raise UnsupportedModel("the gradient of gamma without its epsilon", code="backprop", where=layer.name)
    number = step.out.name[1:]
    scale = one.spread(1.0 / np.sqrt(variance + layer.epsilon))
    return replace(
        one, centre=Constant(f"mean{number}", one.spread(mean)), scale=Constant(f"scale{number}", scale)
    )
