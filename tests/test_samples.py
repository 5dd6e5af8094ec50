"""Samples: where they lie, that they meet the breakpoints, and what rounding is allowed there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import dense, row
from numpy.typing import NDArray

from nn2eq import read
from nn2eq.activations import ROWS, activation
from nn2eq.network import Affine, Layer, Network
from nn2eq.proof.rounding import DOUBLE, SINGLE, rounding, widened
from nn2eq.proof.samples import FEWEST, MOST, natural_range, samples
from nn2eq.scaling import in_original_units

Array = NDArray[np.float64]


def pre_activations(network: Network, x: Array, layer: int = 0) -> Array:
    for before in network.layers[:layer]:
        for step in before.maps:
            x = step(x)
    return np.asarray(network.layers[layer].maps[0](x))


@pytest.mark.parametrize(
    "name", ["relu", "relu6", "hard_sigmoid", "hard_shrink", "leaky_relu", "elu", "threshold"]
)
@pytest.mark.parametrize("inputs", [1, 3])
def test_every_breakpoint_of_the_first_layer_is_met_on_both_sides(name: str, inputs: int) -> None:
    network = dense((inputs, 6, 2), (name, "linear"))
    z = pre_activations(network, samples(network))
    for place in row(name).breakpoints:
        below, above = (
            np.where(z <= place, z, -np.inf).max(axis=0),
            np.where(z > place, z, np.inf).min(axis=0),
        )
        near = 1e-13 * (1 + np.abs(place))
        assert np.all(above - below <= 100 * near), f"{name} at {place}"
        assert np.all((place - below <= 50 * near) & (above - place <= 50 * near))
        aside = np.abs(z - place)
        assert np.all(((aside > 1e-9) & (aside < 1e-4)).sum(axis=0) >= 2)


def test_breakpoints_of_deeper_layers_are_met() -> None:
    network = dense((2, 6, 6, 1), ("tanh", "relu", "linear"))
    z = pre_activations(network, samples(network), layer=1)
    met = np.abs(z).min(axis=0) < 1e-13
    assert met.sum() >= 4  # the others may be always on, or always off


def test_the_same_samples_each_time_and_others_for_another_seed() -> None:
    network = dense((3, 5, 1), ("relu", "linear"))
    assert np.array_equal(samples(network), samples(network))
    assert not np.array_equal(samples(network), samples(network, seed=1))


def test_large_inputs_zeros_and_data_are_among_them() -> None:
    network = dense((3, 5, 1), ("tanh", "linear"))
    data = np.random.default_rng(5).uniform(7, 8, (500, 3))
    found = samples(network, data)
    assert np.abs(found).max() == 1000
    assert np.any(np.all(found == 0, axis=1))
    rows = [row for row in found if np.any(np.all(data == row, axis=1))]
    assert len(rows) == 200


def test_a_large_network_is_asked_less() -> None:
    assert len(samples(dense((100, 600, 600, 10), ("tanh", "tanh", "linear")))) < 2 * FEWEST
    assert len(samples(dense((1, 3, 1), ("tanh", "linear")))) > MOST // 3


def test_samples_lie_where_a_scaler_or_normalization_puts_them() -> None:
    network = in_original_units(dense((2, 4, 1), ("tanh", "linear")), scale_input="standard:300:0.5")
    middle = np.median(samples(network), axis=0)
    assert np.all(np.abs(middle - 300) < 1)
    mean = np.array([1e5, -3.0])
    front = Layer("norm", "Normalization", (2,), (Affine(np.array([10.0, 0.1]), -mean * [10.0, 0.1]),))
    network = Network((front, *dense((2, 4, 1), ("tanh", "linear")).layers), (2,))
    assert np.all(np.abs(np.median(samples(network), axis=0) - mean) < [1, 10])


@pytest.mark.parametrize("transform", ["log10", "sqrt", "log", "log1p", "square", "reciprocal"])
def test_samples_are_inputs_that_a_transform_takes(transform: str) -> None:
    network = dense((2, 4, 1), ("tanh", "linear"))
    network = replace(network, input_names=("a", "p"))
    network = in_original_units(
        network, transform_input=f"p={transform}", scale_input="p=standard:2:0.5,a=standard:0:1"
    )
    found = samples(network)
    assert len(found) > 50
    assert np.isfinite(network.evaluate(found)).all()
    transformed = row(transform)(found[:, 1])
    assert abs(np.median(transformed) - 2) < 0.5


def test_inputs_without_a_finite_answer_are_left_out() -> None:
    network = dense((1, 2, 1), ("exponential", "exponential"), scale=3.0)
    assert np.isfinite(network.evaluate(samples(network))).all()


def test_a_network_whose_units_never_bend_has_samples() -> None:
    kernel = np.zeros((2, 3), np.float32)
    network = Network((Layer("a", "Dense", (3,), (Affine(kernel, kernel[0] + 1), activation("relu"))),), (2,))
    assert len(samples(network)) > 100


# ---------------------------------------------------------------------------------------------- what rounding costs


def float32_pass(network: Network, x: Array, rng: np.random.Generator) -> Array:
    """Run in float32, adding up one term after the other, with activations off by an ulp."""
    value = x.astype(np.float32)
    for layer in network.layers:
        for step in layer.maps:
            if isinstance(step, Affine):
                total = np.zeros((len(value), step.kernel.shape[1]), np.float32)
                for column in range(step.kernel.shape[0]):
                    total = total + value[:, column : column + 1] * step.kernel[column]
                value = total if step.bias is None else total + step.bias
                continue
            value = np.asarray(step(value.astype(np.float64))).astype(np.float32)
            if not step.segments:
                value = value * (1 + np.float32(2.0**-23) * rng.integers(-1, 2, value.shape)).astype(
                    np.float32
                )
    return value.astype(np.float64)


SCALAR = [
    name for name, r in ROWS.items() if not (r.coupled or r.halves or r.transform or r.domain[0] != "-inf")
]


def test_rounding_is_never_underestimated_and_not_absurdly_overestimated() -> None:
    rng = np.random.default_rng(3)
    ratios = []
    for seed in range(300):
        depth = int(rng.integers(1, 5))
        sizes = [int(size) for size in rng.integers(1, 24, depth + 1)]
        network = dense(
            sizes, list(rng.choice(SCALAR, depth)), seed=seed, scale=float(rng.choice([0.3, 1.0, 3.0]))
        )
        x = samples(network).astype(np.float32)[::4].astype(np.float64)
        with np.errstate(all="ignore"):
            cost = rounding(widened(network), x)
            off = np.abs(float32_pass(network, x, rng) - cost.answers)
        kept = ~cost.at_jump[:, None] & np.isfinite(cost.error)
        assert np.all(off[kept] <= cost.error[kept]), (seed, sizes)
        with np.errstate(over="ignore"):
            ratios += list(cost.error[kept & (off > 0)] / off[kept & (off > 0)])
    assert np.median(ratios) < 300


def test_alike_units_err_alike() -> None:
    """A thousand equal units: their errors add up instead of cancelling."""
    kernel = np.full((1, 1000), 0.1, np.float32)
    layers = (
        Layer("a", "Dense", (1000,), (Affine(kernel), activation("tanh"))),
        Layer("b", "Dense", (1,), (Affine(np.ones((1000, 1), np.float32)),)),
    )
    x = np.array([[0.7]])
    cost = rounding(Network(layers, (1,)), x)
    assert cost.error[0, 0] >= 1000 * np.abs(np.float32(np.tanh(0.07)) - np.tanh(0.07))


def test_samples_at_a_jump_are_told() -> None:
    kernel = np.array([[1.0]], np.float32)
    network = Network((Layer("a", "Dense", (1,), (Affine(kernel), row("hard_shrink"))),), (1,))
    x = np.array([[0.5], [0.5 + 1e-17], [0.5 + 1e-5], [0.4], [-0.5]])
    assert rounding(network, x, DOUBLE).at_jump.tolist() == [True, True, False, False, True]
    assert rounding(network, x, SINGLE).at_jump[2] == (1e-5 < 1e-6)
    smooth = dense((1, 3, 1), ("relu", "linear"))
    assert not rounding(smooth, samples(smooth), DOUBLE).at_jump.any()


def test_what_float32_cannot_hold_is_not_compared() -> None:
    network = dense((1, 1), ("exponential",), scale=1.0)
    assert np.isinf(rounding(network, np.array([[-800.0], [800.0]])).error).any()


def test_shipped_models_are_held_to_less_than_2e_5(shipped_model: Path) -> None:
    network = widened(read(shipped_model))
    x = natural_range(network)(np.random.default_rng(0).normal(size=(1000, network.inputs)))
    cost = rounding(network, x.astype(np.float32).astype(np.float64))
    allowed = cost.error / np.maximum(1, np.abs(cost.answers))
    assert np.quantile(allowed, 0.9) <= 2e-5  # the others are at roots, where float32 itself is not better
