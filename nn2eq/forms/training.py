"""What training asks of a network: a batch's mean loss, and by how much it moves with every weight of every layer.

Nothing is folded: the weights are those that Keras keeps, each layer's in its own order and shapes. Layers that train
differently than they answer (BatchNormalization, Dropout) are taken as they answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from nn2eq import formula as fm
from nn2eq.errors import BadRequest, UnsupportedModel
from nn2eq.forms.losses import named_loss
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
from nn2eq.network import Affine as Linear
from nn2eq.network import Layer, Network, Selected, numbered

FIXED = frozenset({"moving_mean", "moving_variance", "mean", "variance", "count"})
"""Weights that training does not move."""


@dataclass(frozen=True)
class Criterion:
    """A loss over a batch: the mean over its samples of the mean (or the sum) over outputs of a term.

    term, slope: texts of nn2eq.formula in `y`, `t` (what y should be) and `z` (what the last activation is taken of);
    slope: of the term by y, or by z where it goes `with_` an activation: y - t, which no saturation spoils.
    """

    term: str
    slope: str
    mean: bool = True
    with_: str = ""


_LOGSUM = "(max(z[k] for k in units) + log(sum(exp(z[j] - max(z[k] for k in units)) for j in units)))"
CRITERIA: Mapping[str, Criterion] = {
    "mse": Criterion("(y - t)**2", "2 * (y - t)"),
    "bce": Criterion("max(z, 0) - z * t + log1p(exp(-abs(z)))", "y - t", with_="sigmoid"),
    "cce": Criterion(f"t * ({_LOGSUM} - z)", "y - t", mean=False, with_="softmax"),
    "none": Criterion("y", "1", mean=False),
}


@dataclass(frozen=True)
class Sum:
    """By how much the loss moves with one weight: a sum over the batch.

    slopes: by what the weight goes into; arg: what it is multiplied by, None for a bias. whole: each unit of arg with
    each of slopes, as a kernel does. centre, scale: arg is taken as (arg - centre) * scale. negative: of arg, only what
    is negative counts. shape: of the weight, over which the sum is spread or added up.
    """

    name: str
    shape: tuple[int, ...]
    slopes: Value
    arg: Value | None = None
    whole: bool = False
    centre: Constant | None = None
    scale: Constant | None = None
    negative: bool = False
    inner: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Training:
    """The steps forward and back, and the sums of each layer that has weights to train."""

    function: Function
    criterion: Criterion
    loss: str
    target: Value
    sums: tuple[tuple[str, tuple[Sum, ...]], ...]
    logits: Value | None = None


@dataclass
class _Walk:
    """The steps so far, each with the layer that it comes from."""

    network: Network
    steps: list[Step] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)


def training(network: Network, loss: str = "") -> Training:
    """Return what it takes to train a network by a loss: mse, bce, cce, none, compiled, else what goes with it.

    Raises BadRequest for a loss that does not go with the last activation, UnsupportedModel for layers whose weights
    act on several places at once.
    """
    x = Value("x", network.input_names or numbered("x", network.inputs), "the inputs")
    walk = _forward(network, x)
    last = walk.steps[-1]
    y = replace(last.out, name="y", parts=network.output_names or numbered("y", network.outputs))
    walk.steps[-1] = replace(last, out=y)
    name = last.activation.row.name if isinstance(last, Apply) else ""
    loss = named_loss(network, loss) or next(
        (key for key, row in CRITERIA.items() if row.with_ and row.with_ == name), "mse"
    )
    if loss not in CRITERIA:
        raise BadRequest(f"no loss {loss!r:.40}", code="loss", way_out=f"one of {', '.join(CRITERIA)}")
    criterion = CRITERIA[loss]
    if criterion.with_ not in ("", name):
        what = f"the loss {loss} behind {name or 'no activation'}"
        raise BadRequest(what, code="loss", way_out=f"it goes with {criterion.with_}; mse goes with all")
    target = Value("t", tuple(f"t_{k}" for k in range(1, y.size + 1)), "what y should be")
    slopes = _backward(walk, criterion, y, target)
    logits = last.arg if isinstance(last, Apply) and criterion.with_ else None
    sums = tuple(_layers(walk, slopes))
    wanted = {y.name} | {one.slopes.name for _, own in sums for one in own}
    function = Function("gradients", (x,), (y,), needed(tuple(walk.steps), wanted))
    return Training(function, criterion, loss, target, sums, logits)


def backprop(network: Network, *, loss: str = "") -> Program:
    """Return the network's backward pass: a batch's mean loss, and by how much it moves with every weight.

    loss: mse, bce, cce or none; by the last activation if left out. Raises BadRequest, UnsupportedModel.
    """
    found = training(network, loss)
    file = os.path.basename(network.source.file)
    functions = (found.function,)
    return Program(
        functions,
        "backprop",
        "backprop",
        file,
        network.source.sha256,
        told={"loss": found.loss},
        training=found,
    )


def _forward(network: Network, x: Value) -> _Walk:
    walk, arg = _Walk(network), x
    for layer in network.layers:
        for part in layer.maps:
            number = len(walk.layers) + 1
            if isinstance(part, Linear):
                if part.repeat > 1:
                    raise UnsupportedModel(
                        "gradients of weights that act on several places", code="backprop", where=layer.name
                    )
                out = _vector(f"z{number}", part.outputs, layer.name)
                offset = None if part.bias is None else Constant(f"b{number}", part.bias)
                step: Step = Affine(out, (Term(arg, Constant(f"W{number}", part.kernel)),), offset)
            elif isinstance(part, Selected):
                out = _vector(f"a{number}", arg.size, layer.name)
                step = Apply(out, part.activation, arg, units=part.units)
            elif part.is_linear:
                continue
            else:
                out = _vector(f"a{number}", part.outputs(arg.size), layer.name)
                own = {key: Constant(f"{key}{number}", data) for key, data in part.per_unit.items()}
                step = Apply(out, part, arg, own)
            walk.steps.append(step)
            walk.layers.append(layer)
            arg = out
    if not walk.steps:
        raise BadRequest("a network without weights", code="backprop")
    return walk


def _vector(name: str, size: int, origin: str) -> Value:
    return Value(name, tuple(f"{name}_{unit}" for unit in range(1, size + 1)), origin)


def _backward(walk: _Walk, criterion: Criterion, y: Value, target: Value) -> list[Value]:
    """Add the steps back; return the slopes by each step's answer, in the order of the steps."""
    forward = list(walk.steps)
    share = fm.number(y.size) if criterion.mean else fm.number(1)
    slope = fm.Node("/", (fm.parse(criterion.slope), fm.Node("*", (fm.name("samples"), share))))
    first = _vector("delta_y", y.size, "the loss")
    args = {"y": Operand(y), "t": Operand(target)}
    walk.steps.append(Combine(first, (fm.tidied(slope),), args))
    found = [first]
    skipped = (
        1 if criterion.with_ else 0
    )  # the slopes are already those by what the last activation is taken of
    for number in range(len(forward) - 1, 0, -1):
        if number == len(forward) - 1 and skipped:
            found.append(first)
            continue
        found.append(_back(walk, forward[number], found[-1], number))
    return found[::-1]


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
    derivative = step.activation.derivative
    if derivative is None:
        nodes, groups = step.activation.pulled, step.activation.groups
        if step.activation.row.halves:
            args["partner"] = Operand(step.arg, 1, 2)
            args["z"] = Operand(step.arg, 0, 2)
    else:
        nodes, groups = (fm.tidied(fm.Node("*", (fm.name("d"), derivative))),), 1
        if step.units:
            raise UnsupportedModel(
                "gradients behind a transformed input", code="backprop", where=step.out.origin
            )
    mentioned = {key: arg for key, arg in args.items() if any(fm.mentions(node, key) for node in nodes)}
    walk.steps.append(Combine(out, nodes, mentioned, groups))
    return out


# -------------------------------------------------------------------------------------------------- the weights


def _layers(walk: _Walk, slopes: list[Value]) -> Iterator[tuple[str, tuple[Sum, ...]]]:
    """Yield the layers that have weights to train, with a sum for each."""
    places: dict[str, list[int]] = {}
    for place, layer in enumerate(walk.layers):
        places.setdefault(layer.name, []).append(place)
    for layer in walk.network.layers:
        names = [name for name in layer.weights if name not in FIXED]
        if names and layer.added is False:
            yield (
                layer.name,
                tuple(_sum(walk, slopes, layer, name, places.get(layer.name, [])) for name in names),
            )


def _sum(walk: _Walk, slopes: list[Value], layer: Layer, name: str, places: list[int]) -> Sum:
    """Return the sum for one weight of a layer, by what it is called."""
    shape = layer.weights[name].shape
    for place in places:
        step = walk.steps[place]
        if isinstance(step, Apply) and name in step.parameters:
            return Sum(name, shape, slopes[place], step.arg, negative=True, inner=layer.shape)
        if isinstance(step, Affine) and name in ("kernel", "bias", "gamma", "beta"):
            return _of_affine(step, slopes[place], layer, name)
    raise UnsupportedModel(f"the gradient of {name!r:.40}", code="backprop", where=layer.name)


def _of_affine(step: Affine, slopes: Value, layer: Layer, name: str) -> Sum:
    [term] = step.terms
    shape = layer.weights[name].shape
    if name in ("gamma", "beta") and shape != (step.out.size,):
        raise UnsupportedModel(f"the gradient of {name} along this axis", code="backprop", where=layer.name)
    if name in ("bias", "beta"):
        return Sum(name, shape, slopes)
    if name == "kernel":
        return Sum(name, shape, slopes, term.arg, whole=True)
    if "moving_mean" not in layer.weights:
        return Sum(name, shape, slopes, term.arg)
    mean = Constant(f"mean{term.matrix.name[1:]}", layer.weights["moving_mean"])
    scale = Constant(f"scale{term.matrix.name[1:]}", _scale(term.matrix.data.astype(np.float64), layer))
    return Sum(name, shape, slopes, term.arg, centre=mean, scale=scale)


def _scale(
    kernel: np.ndarray[tuple[int, ...], np.dtype[np.float64]], layer: Layer
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return 1 / sqrt(variance + epsilon) of a BatchNormalization, from its kernel gamma / sqrt(variance + epsilon)."""
    gamma = layer.weights["gamma"].astype(np.float64)
    variance = layer.weights["moving_variance"].astype(np.float64)
    used = np.flatnonzero(gamma)
    if not used.size:
        raise UnsupportedModel(
            "the gradient of a gamma that is 0 everywhere", code="backprop", where=layer.name
        )
    first = used[np.argmax(np.abs(gamma[used]))]
    epsilon = (gamma[first] / kernel[first]) ** 2 - variance[first]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gamma != 0, kernel / gamma, 1.0 / np.sqrt(variance + epsilon))
