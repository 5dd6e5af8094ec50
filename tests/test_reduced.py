"""What is left out without changing anything: planted units are found, and the answers stay what they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from operator import mul

import numpy as np
import pytest
from networks import dense, row
from numpy.typing import NDArray

from nn2eq.activations import ROWS, Activation
from nn2eq.bounds import bounds
from nn2eq.bounds.unsure import Unsure
from nn2eq.forms.merged import merged
from nn2eq.forms.nodes import Nodes, program, tape
from nn2eq.forms.reduced import reduced
from nn2eq.network import Affine, Layer, Network

Array = NDArray[np.float64]
BOX = ((-1.0, 1.0), (-1.0, 1.0))
MIRRORED = [
    name for name, each in ROWS.items() if each.mirror and name != "linear" and each.domain == ("-inf", "inf")
]
STEPPED = [name for name, each in ROWS.items() if len(each.pieces) > 1 and name != "prelu"]


def planted(name: str, change: Callable[[Array, Array], None]) -> Network:
    """Two inputs, six units, two outputs, the first layer's kernel (2, 6) and bias (6,) changed."""
    network = dense([2, 6, 2], [name, "linear"], seed=5)
    [first, second] = (layer.maps[0] for layer in network.layers)
    assert isinstance(first, Affine)
    assert isinstance(second, Affine)
    kernel, bias = first.kernel.astype(np.float64), np.asarray(first.bias).astype(np.float64)
    change(kernel, bias)
    maps = (Affine(kernel, bias), *network.layers[0].maps[1:])
    return Network((Layer("one", "Dense", (6,), maps), network.layers[1]), (2,))


def units(found: Nodes) -> list[int]:
    return [node.units for node in found.nodes]


def require_same(network: Network, found: Nodes, low: float = -1.0, high: float = 1.0) -> None:
    """Fail if the nodes answer otherwise in the box than the network does."""
    x = np.random.default_rng(0).uniform(low, high, size=(3_000, network.inputs))
    x[:4] = np.random.default_rng(1).choice([low, high], size=(4, network.inputs))
    expected = network.evaluate(x)
    scale = 1.0 + np.abs(expected).max()
    assert np.abs(program(found, network).evaluate(x) - expected).max() <= 1e-12 * scale


def test_a_dead_unit_is_found_on_the_box_and_kept_on_the_whole_space() -> None:
    def dead(kernel: Array, bias: Array) -> None:
        bias[2] = -np.abs(kernel[:, 2]).sum() - 0.001

    network = planted("relu", dead)
    found = reduced(network, BOX)
    assert found.nodes[0].units <= 5
    require_same(network, found)
    assert reduced(network).nodes[0].units == 6

    def alive(kernel: Array, bias: Array) -> None:
        bias[2] = -np.abs(kernel[:, 2]).sum() + 0.001

    alone = planted("relu", alive)
    require_same(alone, reduced(alone, BOX))


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "hard_sigmoid", "hard_tanh", "relu6", "softsign"])
def test_a_saturated_unit_is_a_constant_if_float64_says_so(name: str) -> None:
    def saturated(kernel: Array, bias: Array) -> None:
        bias[1] = 60.0

    network = planted(name, saturated)
    found = reduced(network, BOX)
    assert units(found)[0] == (6 if name == "softsign" else 5) or name in STEPPED
    require_same(network, found)


def test_a_constant_unit_is_found_without_a_box() -> None:
    def constant(kernel: Array, bias: Array) -> None:
        kernel[:, 4] = 0.0

    network = planted("gelu", constant)
    found = reduced(network)
    assert units(found) == [5, 2]
    require_same(network, found, -50.0, 50.0)


@pytest.mark.parametrize(
    "name", [name for name in ROWS if name not in ("linear",) and not ROWS[name].coupled]
)
def test_equal_units_are_one(name: str) -> None:
    if ROWS[name].domain != ("-inf", "inf") or name == "reciprocal" or row(name).per_unit:
        return

    def equal(kernel: Array, bias: Array) -> None:
        kernel[:, 3], bias[3] = kernel[:, 0], bias[0]

    network = planted(name, equal)
    found = reduced(network)
    assert units(found) == [5, 2]
    require_same(network, found, -3.0, 3.0)


@pytest.mark.parametrize("name", MIRRORED)
def test_opposite_units_are_one(name: str) -> None:
    def opposite(kernel: Array, bias: Array) -> None:
        kernel[:, 3], bias[3] = -kernel[:, 0], -bias[0]

    network = planted(name, opposite)
    found = reduced(network)
    assert units(found) == [5, 2]
    require_same(network, found, -3.0, 3.0)


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
@pytest.mark.parametrize("factor", [0.25, 3.0, -1.5])
def test_proportional_units_of_a_homogeneous_row_are_one(name: str, factor: float) -> None:
    def scaled(kernel: Array, bias: Array) -> None:
        kernel[:, 0], bias[0] = (0.5, -0.75), 0.25
        kernel[:, 3], bias[3] = factor * kernel[:, 0], factor * bias[0]

    network = planted(name, scaled)
    found = reduced(network)
    assert units(found) == [5, 2]
    require_same(network, found, -3.0, 3.0)
    assert units(reduced(planted("tanh", scaled))) == [5 if factor == -1.0 else 6, 2]


def test_nearly_equal_units_stay_two() -> None:
    def nearly(kernel: Array, bias: Array) -> None:
        kernel[:, 3], bias[3] = kernel[:, 0], bias[0]
        kernel[0, 3] = np.nextafter(kernel[0, 3], 9.0)

    assert units(reduced(planted("tanh", nearly))) == [6, 2]


@pytest.mark.parametrize("name", STEPPED)
def test_units_on_one_piece_are_straight(name: str) -> None:
    for left, right in pairwise((-8.0, *row(name).breakpoints, 8.0)):
        network = planted(name, partial(on_a_piece, left, right))
        found = reduced(network, BOX)
        assert units(found) == [2]
        require_same(network, found)


def on_a_piece(left: float, right: float, kernel: Array, bias: Array) -> None:
    kernel *= 0.4 * (right - left) / np.abs(kernel).sum(axis=0)
    bias[:] = (left + right) / 2


def test_a_smooth_row_that_has_a_straight_half_is_straight_there() -> None:
    def positive(kernel: Array, bias: Array) -> None:
        bias[:] = np.abs(kernel).sum(axis=0) + 0.1

    for name in ("elu", "selu", "celu"):
        network = planted(name, positive)
        found = reduced(network, BOX)
        assert units(found) == [2], name
        require_same(network, found)
    assert units(reduced(planted("softplus", positive), BOX)) == [6, 2]


def test_an_unused_unit_and_an_unused_layer_are_left_out() -> None:
    network = dense([2, 5, 4, 2], ["tanh", "relu", "linear"], seed=3)
    [one, two, three] = network.layers
    [second, relu] = two.maps
    assert isinstance(second, Affine)
    kernel = np.array(second.kernel)
    kernel[3] = 0.0
    idle = Layer("two", "Dense", (4,), (Affine(kernel, second.bias), relu))
    without = Network((one, idle, three), (2,))
    assert units(reduced(without)) == [4, 4, 2]
    require_same(without, reduced(without))
    cut = Layer("three", "Dense", (2,), (Affine(np.zeros((4, 2)), np.array([1.5, -2.0])),))
    nothing = Network((one, two, cut), (2,))
    assert units(reduced(nothing)) == [2]
    require_same(nothing, reduced(nothing))


@pytest.mark.parametrize("seed", range(60))
def test_random_networks_with_planted_units_answer_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    name = MIRRORED[seed % len(MIRRORED)]
    network = dense(
        [2, 6, 4, 2], [name, ["relu", "tanh", "softmax"][seed % 3], "linear"], seed=seed,
        scale=float(10 ** rng.uniform(-0.5, 0.7)),
    )  # fmt: skip
    first = network.layers[0].maps
    assert isinstance(first[0], Affine)
    kernel, bias = np.array(first[0].kernel), np.array(first[0].bias)
    bias[0], bias[1] = -40.0, 50.0
    kernel[:, 3], bias[3] = -kernel[:, 2], -bias[2]
    maps = (Affine(kernel, bias), *first[1:])
    network = Network((Layer("one", "Dense", (6,), maps), *network.layers[1:]), (2,))
    for domain in ((), BOX):
        found = reduced(network, domain, seconds=0.5)
        slope = row(name).mirror[1]
        assert slope or found.nodes[0].units <= 5
        require_same(network, found)
    # With what rounding leaves unsure, the nodes hold the network itself.
    for point in rng.uniform(-1.0, 1.0, size=(5, 2)):
        ranges = bounds(
            tape(found), [(value, value) for value in point], seconds=0.05, jacobian=False
        ).outputs
        for proved, answer in zip(ranges, network.evaluate(point[None])[0], strict=True):
            slack = 1e-14 * (1.0 + abs(answer))
            assert proved.low - slack <= answer <= proved.high + slack


def nearly_alike(name: str, apart: float, depth: int) -> Network:
    """A network in whose first hidden layers units 3 and 4 are units 0 and 1 but for so much, 4 the other way round."""
    network = dense([2, *[6] * depth, 2], [*[name] * depth, "linear"], seed=3)
    rng, layers = np.random.default_rng(4), []
    for layer in network.layers[:-1]:
        [sums, *rest] = layer.maps
        assert isinstance(sums, Affine)
        kernel, bias = sums.kernel.astype(np.float64), np.asarray(sums.bias).astype(np.float64)
        sign = -1.0 if row(name).mirror else 1.0
        for unit, like, way in ((3, 0, 1.0), (4, 1, sign)):
            kernel[:, unit] = way * kernel[:, like] + apart * rng.uniform(-1, 1, len(kernel))
            bias[unit] = way * bias[like] + apart * rng.uniform(-1, 1)
        layers.append(Layer(layer.name, "Dense", (6,), (Affine(kernel, bias), *rest)))
    return Network((*layers, network.layers[-1]), (2,))


def require_held(network: Network, found: Nodes) -> None:
    """Fail if the network answers at a point what the nodes, with all that is unsure of them, do not."""
    for point in np.random.default_rng(0).uniform(-1.0, 1.0, size=(12, 2)):
        box = [(value, value) for value in point.tolist()]
        ranges = bounds(tape(found), box, seconds=0.05, jacobian=False).outputs
        for proved, answer in zip(ranges, network.evaluate(point[None])[0], strict=True):
            assert proved.low - 1e-14 <= answer <= proved.high + 1e-14


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "relu", "elu"])
def test_units_that_are_nearly_alike_are_one_and_the_nodes_hold_the_network(name: str, depth: int) -> None:
    network = nearly_alike(name, 1e-4, depth)
    found = merged(reduced(network, BOX, seconds=0.2), BOX, 0.05, seconds=0.2)
    assert max(units(found)[:depth]) <= 4
    require_held(network, found)
    strict = merged(reduced(network, BOX, seconds=0.2), BOX, 1e-7, seconds=0.2)
    assert units(strict)[0] == 6  # they are too far apart for this
    certain = [replace(node, bias=Unsure.exactly(node.bias.numbers)) for node in found.nodes]
    with pytest.raises(AssertionError):  # without what merging leaves unsure, they do not
        require_held(network, replace(found, nodes=tuple(certain)))


def test_what_rounding_leaves_unsure_is_kept() -> None:
    network = dense([2, 6, 5, 2], ["linear", "linear", "tanh"], seed=1)
    folded = reduced(network)
    assert units(folded) == [2]
    exact: list[list[Fraction]] = [[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]]
    for layer in network.layers:
        [kernel] = (step.kernel.tolist() for step in layer.maps if isinstance(step, Affine))
        columns = [[Fraction(value) for value in column] for column in zip(*kernel, strict=True)]
        exact = [[sum(map(mul, line, column), Fraction(0)) for column in columns] for line in exact]
    found = folded.nodes[0].terms[0]
    off = [
        [float(abs(e - Fraction(k))) for e, k in zip(*lines, strict=True)]
        for lines in zip(exact, found.numbers.tolist(), strict=True)
    ]
    assert np.all(np.array(off) <= found.spread)
    assert np.any(np.array(off) > 0)
    assert np.all(found.spread < 1e-13)


def test_a_row_of_one_unit_each_is_cut_with_its_unit() -> None:
    alpha = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], dtype=np.float32)
    network = planted("relu", lambda kernel, bias: bias.__setitem__(2, -50.0))
    one = network.layers[0]
    prelu = Activation(ROWS["prelu"], {"alpha": alpha})
    network = Network((Layer("one", "Dense", (6,), (one.maps[0], prelu)), network.layers[1]), (2,))
    found = reduced(network, BOX)
    assert found.nodes[0].units <= 5
    require_same(network, found)
