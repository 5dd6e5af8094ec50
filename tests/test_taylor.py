"""The Taylor form: exact to its order, honest about its error on a box and about where a piece ends."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from networks import dense, row

from nn2eq.errors import BadRequest
from nn2eq.forms.distance import difference_bound, tape_of
from nn2eq.forms.program import Constant, Polynomial, Program
from nn2eq.forms.straight import layered
from nn2eq.forms.taylor import taylor
from nn2eq.network import Affine, Layer, Network


def worst_on(network: object, program: Program, low: float, high: float) -> float:
    points = np.random.default_rng(1).uniform(low, high, size=(20_000, len(program.inputs)))
    return float(np.abs(network.evaluate(points) - program.evaluate(points)).max())  # type: ignore[attr-defined]


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_the_error_falls_by_one_power_more_than_the_order(order: int) -> None:
    network = dense([2, 6, 5, 2], ["tanh", "softplus", "linear"], seed=2)
    program = taylor(network, order, at=[0.3, -0.2])
    directions = np.random.default_rng(0).normal(size=(50, 2))
    sizes = [
        np.abs(network.evaluate(x) - program.evaluate(x)).max()
        for x in (np.array([0.3, -0.2]) + step * directions for step in (0.02, 0.01))
    ]
    assert sizes[0] / sizes[1] == pytest.approx(2.0 ** (order + 1), rel=0.25)


@pytest.mark.parametrize(
    ("activations", "order", "reach"),
    [
        (["tanh", "tanh"], 5, 0.4),
        (["sigmoid", "softmax"], 2, 0.5),
        (["relu", "tanh"], 3, 0.6),
        (["gelu", "elu"], 4, 0.3),
    ],
)
@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_the_proved_remainder_is_never_below_the_error(
    activations: list[str], order: int, reach: float, inputs: int
) -> None:
    network = dense([inputs, 6, 4, 2], [*activations, "linear"], seed=inputs)
    program = taylor(network, order, domain=(-reach, reach), seconds=4.0)
    seen = worst_on(network, program, -reach, reach)
    assert seen <= program.proved * (1 + 1e-12) + 1e-14
    assert program.proved <= 1.5 * max(seen, program.observed) + 1e-9
    assert 0.0 <= program.observed <= program.proved
    assert program.domain == ((-reach, reach),) * inputs


def test_a_wrong_coefficient_shows_in_the_proved_error() -> None:
    network = dense([1, 8, 1], ["tanh", "linear"], seed=5)
    program = taylor(network, 7, domain=(-0.2, 0.2))
    step = program.predict.steps[0]
    assert isinstance(step, Polynomial)
    data = step.coefficients.data.copy()
    data[1] += 1e-3
    wrong = replace(program.predict, steps=(replace(step, coefficients=Constant("c", data)),))
    found = difference_bound(network, replace(program, functions=(wrong,)), (-0.2, 0.2))
    assert found.proved == pytest.approx(2e-4 + program.proved, rel=0.05)


def test_a_piece_is_exact_as_far_as_the_note_says() -> None:
    network = dense([2, 7, 6, 1], ["relu", "hard_tanh", "linear"], seed=6)
    at = np.array([0.15, -0.35])
    program = taylor(network, 1, at=at)
    reach = float(re.search(r"moves by more than (\S+),", program.notes[1])[1])  # type: ignore[index]
    inside = at + reach * np.random.default_rng(0).uniform(-1.0, 1.0, size=(5000, 2))
    np.testing.assert_allclose(program.evaluate(inside), network.evaluate(inside), atol=1e-13)
    for axis, note in enumerate(program.notes[2:]):
        low, high = map(float, re.findall(r"(?:from|to) (\S+)", note))
        line = np.repeat(at[None], 1001, axis=0)
        line[:, axis] = np.linspace(low, high, 1001)
        np.testing.assert_allclose(program.evaluate(line), network.evaluate(line), atol=1e-13)
        line[:, axis] = np.linspace(low - 0.02, high + 0.02, 1001)
        assert np.abs(program.evaluate(line) - network.evaluate(line)).max() > 1e-6


def test_a_breakpoint_is_told() -> None:
    maps = (Affine(np.ones((1, 1))), row("relu"))
    program = taylor(Network((Layer("only", "Dense", (1,), maps),), (1,)), 2)
    assert "on a breakpoint" in program.notes[1]
    assert program.evaluate(np.array([[0.5]])).tolist() == [[0.0]]


def test_the_point_is_the_middle_of_the_domain() -> None:
    network = dense([2, 3, 1], ["tanh", "linear"], seed=1)
    program = taylor(network, 2, domain=[(0, 1), (-4, -2)], seconds=0.5)
    step = program.predict.steps[0]
    assert isinstance(step, Polynomial)
    assert step.centre is not None
    assert step.centre.data.tolist() == [0.5, -3.0]
    for wrong in ([1.0, 2.0, 3.0], [np.nan, 0.0]):
        with pytest.raises(BadRequest, match="this network has 2 inputs"):
            taylor(network, 2, at=wrong)
    with pytest.raises(BadRequest, match="order"):
        taylor(network, -1)


def test_a_program_is_the_same_function_as_its_tape() -> None:
    network = dense([3, 5, 4, 2], ["prelu", "tanh", "softmax"], seed=2)
    found = difference_bound(network, layered(network), (-1.0, 1.0), seconds=1.0)
    assert found.proved < 1e-12
    assert tape_of(layered(network)).outputs == 2
    with pytest.raises(TypeError):
        tape_of("a text")
