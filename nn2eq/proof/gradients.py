"""Does a text of gradients say by how much the loss moves? Its weights are moved, and the network is asked again.

That knows nothing of chain rules: the loss is evaluated twice, on either side, along random directions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.forms.training import Sum, Training
from nn2eq.network import Affine, Layer, Map, Network
from nn2eq.proof.agreement import Agreement, compare
from nn2eq.proof.python_code import attempt, function
from nn2eq.proof.samples import natural_range

Array = NDArray[np.float64]
SAMPLES, DIRECTIONS = 12, 3
STEP = 1e-5
TOLERANCE = 1e-6
"""Of a difference over such a step, relative to what the loss and its slope come to."""


def gradients_agree(network: Network, text: str, training: Training, name: str) -> Agreement:
    """Run a text of gradients, and compare the loss, and its slope along random directions, with the network's."""
    random = np.random.default_rng(0)
    x = natural_range(network)(random.standard_normal((SAMPLES, network.inputs)))
    target = random.uniform(0.1, 0.9, (SAMPLES, network.outputs))
    target /= target.sum(axis=1, keepdims=True) if training.loss.classes else 1.0
    total, found = attempt(lambda: function(text, name)(x, target))
    expected, answers, names = [_loss(network, training, x, target)], [float(total)], ["loss"]
    layers = {layer.name: layer for layer in network.layers}
    for (layer, sums), own in attempt(lambda: list(zip(training.sums, found, strict=True))):
        for one, slopes in attempt(lambda: list(zip(sums, own, strict=True))):  # noqa: B023 - called at once
            for _ in range(DIRECTIONS):
                move = random.choice([-1.0, 1.0], one.shape) / np.sqrt(np.prod(one.shape))
                ends = (
                    _loss(_moved(network, layers[layer], one, sign * STEP * move), training, x, target)
                    for sign in (1, -1)
                )
                expected.append((next(ends) - next(ends)) / (2 * STEP))
                answers.append(float(np.sum(np.asarray(slopes) * move)))
                names.append(f"the slope by {one.name} of {layer}")
    size = 1.0 + abs(expected[0]) + np.abs(expected)
    agreement = compare(
        np.array([expected]), np.array([answers]), scale=size[None], tolerance=TOLERANCE, outputs=names,
        link="text and network", how="gradients, against differences of the loss",
    )  # fmt: skip
    return replace(agreement, samples=len(expected))


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
