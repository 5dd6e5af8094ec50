"""Does a text of gradients say by how much the loss moves? It is run, and held to the chain rule, number by number.

The chain rule is held to differences first, which know nothing of it: weights are moved in random directions, and the
network is asked again, on either side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit.names import is_identifier
from nn2eq.errors import BadRequest
from nn2eq.forms.evaluation import answer
from nn2eq.forms.program import Combine
from nn2eq.forms.training import Sum, Training
from nn2eq.network import Affine, Layer, Map, Network
from nn2eq.proof.agreement import Agreement, compare
from nn2eq.proof.runners import Answer
from nn2eq.proof.samples import natural_range

Array = NDArray[np.float64]
SAMPLES, DIRECTIONS = 12, 3
STEP = 1e-5
TOLERANCE = 1e-11
"""Relative to the largest sum of magnitudes that a number of the same weight is."""
BEND = 0.05
"""What part of a slope may change over such a step, unless it is a bend, at which differences say nothing."""
DIFFERENCE_TOLERANCE = 1e-6
"""Of a difference over such a step, relative to what the loss and its slope come to."""


def gradients_agree(
    network: Network, text: str, training: Training, name: str, run: Callable[[str, Array, str], Answer]
) -> Agreement:
    """Run a text of gradients, and compare the loss and the slope by every weight with the chain rule's.

    run: takes a text, inputs and targets side by side, and the name of a function. Raises BadRequest, Disagreement.
    """
    random = np.random.default_rng(0)
    x = natural_range(network)(random.standard_normal((SAMPLES, network.inputs)))
    target = random.uniform(0.1, 0.9, (SAMPLES, network.outputs))
    target /= target.sum(axis=1, keepdims=True) if training.loss.classes else 1.0
    values = _values(training, x, target)
    moved = _against_differences(network, training, values, x, target)
    if not moved.holds:
        return moved
    given = x if training.loss.single else np.hstack([x, target])
    found = run(f"{text}\n\n{_in_a_row(training, name, network.inputs)}", given, IN_A_ROW).outputs
    return replace(
        _compared(_loss(network, training, x, target), training, values, found),
        samples=SAMPLES,
        note=f"the chain rule is within {moved.error:.1e} of differences of the loss{_but(moved)}",
    )


def _but(found: Agreement) -> str:
    return "".join(f", {count} {why} left out" for count, why in found.left_out)


IN_A_ROW = "gradients_in_a_row"


def _in_a_row(training: Training, name: str, inputs: int) -> str:
    """Return a function, to stand behind a text, that answers all its gradients as one row of numbers."""
    if not is_identifier(name):
        raise BadRequest(
            f"{name!r:.40} is not the name of a function", code="names", way_out="give --name NAME"
        )
    given = "given" if training.loss.single else f"given[:, :{inputs}], given[:, {inputs}:]"
    shapes = ", ".join(
        f"[{', '.join(str(tuple(map(int, one.shape))) for one in sums)}]" for _, sums in training.sums
    )
    return f"""def {IN_A_ROW}(given):
    total, found = {name}({given})
    if [[np.shape(one) for one in layer] for layer in found] != [{shapes}]:
        raise ValueError("the gradients do not have the shapes of the weights")
    every = [np.reshape(one, -1) for layer in found for one in layer]
    return np.concatenate([np.reshape(total, -1), *every])[None]
"""


def _values(training: Training, x: Array, target: Array) -> dict[str, Array]:
    """Return every value of both passes by name, (n, size) each."""
    values, count = {training.function.arguments[0].name: x, training.target.name: target}, fm.number(len(x))
    for step in training.function.steps:
        if isinstance(step, Combine):
            formulas = tuple(fm.substitute(node, {"samples": count}) for node in step.formulas)
            step = replace(step, formulas=formulas)
        values[step.out.name] = np.broadcast_to(answer(step, values), (len(x), step.out.size))
    return values


def _gradient(one: Sum, values: dict[str, Array], part: Callable[[Array], Array] = np.asarray) -> Array:
    """Return the slope by a weight; part: what to take of each factor, its magnitude, say."""
    slopes = part(values[one.slopes.name])
    if one.arg is None:
        product = slopes
    else:
        arg = values[one.arg.name]
        arg = np.minimum(arg, 0.0) if one.negative else arg
        if one.centre is not None and one.scale is not None:
            arg = (arg - one.centre.data) * one.scale.data
        if one.whole:
            return np.asarray(part(arg).reshape(-1, one.shape[0]).T @ slopes.reshape(-1, one.shape[1]))
        product = part(arg) * slopes
    axes = (0, *(axis + 1 for axis in one.dropped))
    return np.asarray(product.reshape(-1, *one.inner).sum(axis=axes).reshape(one.shape))


def _compared(loss: float, training: Training, values: dict[str, Array], found: Array) -> Agreement:
    """Compare all that a text answers with the chain rule."""
    expected, scale, names = [np.array([loss])], [np.array([1.0 + abs(loss)])], ["loss"]
    for layer, sums in training.sums:
        for one in sums:
            expected.append(_gradient(one, values).ravel())
            size = max(float(_gradient(one, values, np.abs).max()), np.finfo(np.float64).tiny)
            scale.append(np.full(expected[-1].shape, size))
            names += [
                f"the slope by {one.name}[{', '.join(map(str, place))}] of {layer}"
                for place in np.ndindex(one.shape)
            ]
    return compare(
        np.concatenate(expected)[None], found, scale=np.concatenate(scale)[None], tolerance=TOLERANCE, outputs=names,
        link="text and chain rule", how="gradients, run as numpy",
    )  # fmt: skip


def _against_differences(
    network: Network, training: Training, values: dict[str, Array], x: Array, target: Array
) -> Agreement:
    """Compare slopes along random directions with how the loss of the network moves."""
    random, loss = np.random.default_rng(1), _loss(network, training, x, target)
    expected, answers, names, bends = [], [], [], 0
    layers = {layer.name: layer for layer in network.layers}
    for layer, one in ((layer, one) for layer, sums in training.sums for one in sums):
        slopes = _gradient(one, values)
        for _ in range(DIRECTIONS):
            move = random.choice([-1.0, 1.0], one.shape) / np.sqrt(np.prod(one.shape))
            up, down = (
                _loss(_moved(network, layers[layer], one, sign * STEP * move), training, x, target)
                for sign in (1, -1)
            )
            answers.append(float(np.sum(slopes * move)))
            bent = _is_bent((up - loss) / STEP, (loss - down) / STEP, 1.0 + abs(loss))
            expected.append(answers[-1] if bent else (up - down) / (2 * STEP))
            bends += bent
            names.append(f"the slope by {one.name} of {layer}")
    size = 1.0 + abs(loss) + np.abs(np.array([expected]))
    found = compare(
        np.array([expected]), np.array([answers]), scale=size, tolerance=DIFFERENCE_TOLERANCE, outputs=names,
        link="chain rule and network", how="gradients, against differences of the loss",
    )  # fmt: skip
    return replace(found, left_out=((bends, "of the differences at a bend"),) if bends else ())


def _is_bent(up: float, down: float, size: float) -> bool:
    """Whether a loss has another slope on either side, as where Keras begins to clip a probability."""
    return abs(up - down) > BEND * (size + abs(up) + abs(down))


def _loss(network: Network, training: Training, x: Array, target: Array) -> float:
    """Return the mean loss over a batch, by the network's own pass."""
    values = {"t": target, "y": network.evaluate(x)}
    if training.criterion.of_sums:
        maps = [step for layer in network.layers for step in layer.maps]
        z = x
        for step in maps[:-1]:
            z = step(z)
        values["z"] = z
    term = np.broadcast_to(fm.evaluate(training.criterion.term, values), target.shape)
    each = term.mean(axis=1) if training.loss.mean else term.sum(axis=1)
    return float(each.mean())


def _moved(network: Network, layer: Layer, one: Sum, move: Array) -> Network:
    """Return the network with one weight moved."""
    changed = replace(layer, maps=tuple(_maps(layer, one, move)))
    return replace(network, layers=tuple(changed if each is layer else each for each in network.layers))


def _maps(layer: Layer, one: Sum, move: Array) -> Iterator[Map]:
    for step in layer.maps:
        if isinstance(step, Activation) and one.name in step.parameters:
            slopes = np.asarray(step.parameters[one.name], dtype=np.float64) + one.spread(move)
            yield replace(step, parameters={**step.parameters, one.name: slopes})
        elif isinstance(step, Affine) and not one.negative:
            yield _affine(step, one, move)
        else:
            yield step


def _affine(step: Affine, one: Sum, move: Array) -> Affine:
    """Return an affine map with its kernel moved, or what it multiplies and adds at each place by itself."""
    kernel = step.kernel.astype(np.float64)
    bias = np.zeros(kernel.shape[-1]) if step.bias is None else step.bias.astype(np.float64)
    if one.whole:
        return Affine(kernel + move, bias, step.repeat)
    if one.arg is None and not step.is_diagonal:
        return Affine(kernel, bias + move, step.repeat)
    kernel, bias, moved = np.tile(kernel, step.repeat), np.tile(bias, step.repeat), one.spread(move)
    if one.arg is None:
        return Affine(kernel, bias + moved)
    if one.centre is None or one.scale is None:
        return Affine(kernel + moved, bias)
    return Affine(kernel + moved * one.scale.data, bias - one.centre.data * moved * one.scale.data)
