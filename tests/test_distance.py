"""Proved distances of two functions hold and are sharp: rounded networks, polynomials, twins, unsure numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import dense
from numpy.typing import NDArray

from nn2eq.activations import activation
from nn2eq.bounds import bounds, difference
from nn2eq.bounds.search import Walks
from nn2eq.bounds.tape import Applied, Powers, Sum, Tape, of_network, same
from nn2eq.bounds.tape import difference as difference_tape
from nn2eq.bounds.twins import Twins, alike
from nn2eq.network import Affine, Layer, Network
from nn2eq.series import truncation

Array = NDArray[np.float64]

Array = NDArray[np.float64]
ROUNDING = 1e-12


def rounded(network: Network, digits: int) -> Network:
    def short(array: NDArray[np.float32]) -> Array:
        return np.array([float(f"{x:.{digits - 1}e}") for x in array.ravel().tolist()]).reshape(array.shape)

    layers = []
    for layer in network.layers:
        maps = tuple(
            Affine(short(m.kernel), short(m.bias)) if isinstance(m, Affine) else m for m in layer.maps
        )  # type: ignore[arg-type]
        layers.append(Layer(layer.name, layer.class_name, layer.shape, maps))
    return Network(tuple(layers), network.input_shape)


@pytest.mark.parametrize("seed", range(12))
def test_the_distance_of_a_rounded_network_holds_and_is_sharp(seed: int) -> None:
    names = [["tanh", "relu"], ["softplus", "gelu"], ["sigmoid", "softmax"], ["elu", "tanh"]][seed % 4]
    network = dense([1 + seed % 5, 8, 6, 2], [*names, "linear"], seed=seed)
    other = rounded(network, 3)
    points = np.random.default_rng(seed).uniform(-1.0, 1.0, size=(20_000, network.inputs))
    apart = np.abs(network.evaluate(points) - other.evaluate(points)).max(axis=0)
    wanted = 2.0 * apart.max()  # sampling misses the worst corner
    found = difference(of_network(network), of_network(other), (-1.0, 1.0), within=wanted, seconds=300.0)
    assert np.all(apart <= np.array(found.each) + ROUNDING)
    assert found.proved <= wanted
    assert max(found.observed) <= found.proved


def polynomial(coefficients: list[list[float]], basis: str = "power") -> Tape:
    exponents = np.arange(len(coefficients))[:, None]
    return Tape(1, (Powers(0, exponents, np.array(coefficients), np.zeros(1), np.ones(1), basis),))


@pytest.mark.parametrize("basis", ["power", "chebyshev"])
def test_the_distance_of_a_polynomial_is_proved_to_a_percent(basis: str) -> None:
    network = dense([1, 10, 2, 1], ["tanh", "tanh", "linear"], seed=1)
    x = np.linspace(-1.0, 1.0, 2001)
    fit = np.polynomial.chebyshev.chebfit(x, network.evaluate(x[:, None])[:, 0], 9)
    chosen = fit if basis == "chebyshev" else np.polynomial.chebyshev.cheb2poly(fit)
    found = difference(of_network(network), polynomial([[c] for c in chosen], basis), (-1.0, 1.0))
    apart = np.abs(network.evaluate(x[:, None])[:, 0] - np.polynomial.chebyshev.chebval(x, fit)).max()
    assert apart - 1e-14 <= found.proved <= 1.02 * apart + 1e-12


def test_the_same_function_is_at_no_distance() -> None:
    tape = of_network(dense([3, 8, 8, 2], ["tanh", "relu", "linear"], seed=3))
    assert difference(tape, tape, (-2.0, 2.0)).proved == 0.0
    other = of_network(dense([3, 8, 8, 2], ["tanh", "relu", "linear"], seed=4))
    assert difference(tape, other, (-2.0, 2.0), seconds=0.5).proved > 0.1


def test_a_tolerance_is_confirmed_or_refuted_sooner_than_the_distance_is_found() -> None:
    network = dense([3, 10, 8, 1], ["tanh", "softplus", "linear"], seed=7)
    tapes = of_network(network), of_network(rounded(network, 3))
    exact_one = difference(*tapes, (-1.0, 1.0))
    confirmed = difference(*tapes, (-1.0, 1.0), within=1.2 * exact_one.proved)
    assert confirmed.proved <= 1.2 * exact_one.proved
    assert confirmed.boxes <= exact_one.boxes
    refuted = difference(*tapes, (-1.0, 1.0), within=0.7 * exact_one.proved)
    assert max(refuted.observed) > 0.7 * exact_one.proved
    assert refuted.boxes <= exact_one.boxes


def branching(seed: int, change: float = 0.0, *, draw: int = 0) -> tuple[Tape, Tape]:
    """A tape whose last sum takes the input too, and one whose numbers are changed a little."""
    rng = np.random.default_rng(seed)
    first, second, skip = rng.normal(size=(2, 5)), rng.normal(size=(5, 1)), rng.normal(size=(2, 1))
    tanh, bias, drawn = activation("tanh"), rng.normal(size=5), np.random.default_rng(draw)

    def made(by: float) -> Tape:
        moved = [array + by * drawn.uniform(-1, 1, size=array.shape) for array in (first, second, skip, bias)]
        last = Sum(((2, moved[1]), (0, moved[2])))
        return Tape(2, (Sum(((0, moved[0]),), moved[3]), Applied(1, tanh), last))

    return made(0.0), made(change)


@pytest.mark.parametrize("seed", range(6))
def test_twins_that_branch_are_compared_layer_by_layer(seed: int) -> None:
    one, two = branching(seed, 1e-6)
    assert alike(one, two)
    centre, radius, space = np.zeros((1, 2)), np.full((1, 2), 3.0), truncation(2, 2)
    model = Twins(one, two)(centre, radius, space, None).answer.value
    assert model.range()[1].max() < 1e-4  # as strangers they are far apart over a box so wide
    assert Walks(difference_tape(one, two))(centre, radius, space, None).answer.value.range()[1].max() > 0.1
    x = np.random.default_rng(seed).uniform(-3, 3, size=(2000, 2))
    apart = ran(one, x) - ran(two, x)
    assert np.all((apart >= model.range()[0] - ROUNDING) & (apart <= model.range()[1] + ROUNDING))


def ran(tape: Tape, x: Array) -> Array:
    """Evaluate a tape of sums and activations in float64."""
    values = [x]
    for op in tape.ops:
        if isinstance(op, Sum):
            total = sum(values[arg] @ kernel for arg, kernel in op.terms)
            values.append(total if op.bias is None else total + op.bias)
        else:
            assert isinstance(op, Applied)
            values.append(op.activation(values[op.arg]))
    return values[-1]


@pytest.mark.parametrize("seed", range(8))
def test_what_is_unsure_of_the_numbers_is_in_the_bounds(seed: int) -> None:
    tape, rng = branching(seed)[0], np.random.default_rng(seed)
    spread = 10.0 ** rng.uniform(-6, -1)
    ops = tuple(
        replace(
            op, spreads=tuple(np.full(k.shape, spread) for _, k in op.terms),
            bias=np.zeros(op.terms[0][1].shape[1]) if op.bias is None else op.bias,
            bias_spread=np.full(op.terms[0][1].shape[1], spread),
        ) if isinstance(op, Sum) else op
        for op in tape.ops
    )  # fmt: skip
    unsure = replace(tape, ops=ops)
    found = bounds(unsure, (-1.0, 1.0), seconds=0.3)
    apart = difference(unsure, tape, (-1.0, 1.0), seconds=0.3).proved
    x = rng.uniform(-1.0, 1.0, size=(500, 2))
    for draw in range(30):
        other = ran(branching(seed, spread, draw=draw)[1], x)
        assert np.all((other >= found.outputs[0].low) & (other <= found.outputs[0].high))
        assert np.abs(other - ran(tape, x)).max() <= apart
    assert not same(unsure, unsure)
