"""The polynomial form: near-minimax, short, proved on its box, and refused where that cannot be had."""

from __future__ import annotations

import json

import numpy as np
import pytest
from networks import dense
from scipy.optimize import linprog, minimize

from nn2eq.emit import emit
from nn2eq.errors import BadRequest, TooLarge
from nn2eq.forms.decimals import characters, shortest
from nn2eq.forms.fitting import Task, near_minimax
from nn2eq.forms.monomials import moved
from nn2eq.forms.polynomial import polynomial
from nn2eq.forms.program import Affine, Polynomial, Program
from nn2eq.network import Affine as Map
from nn2eq.network import Layer, Network
from nn2eq.reading import read

SHIPPED = "models/dense_1-10-2-1_tanh.keras"


def step_of(program: Program) -> Polynomial:
    step = program.predict.steps[-1]
    assert isinstance(step, Polynomial)
    return step


def minimax_error(columns: np.ndarray, target: np.ndarray) -> float:
    """The least largest error at samples, by linear programming."""
    ones = np.ones((len(target), 1))
    rows = np.block([[columns, -ones], [-columns, -ones]])
    cost = np.r_[np.zeros(columns.shape[1]), 1.0]
    sides = np.r_[target, -target]
    found = linprog(cost, A_ub=rows, b_ub=sides, bounds=[(None, None)] * len(cost), method="highs")
    return float(found.fun)


@pytest.mark.parametrize("degree", [2, 7, 12])
def test_a_fit_is_near_minimax(degree: int) -> None:
    t = np.cos(np.linspace(0.0, np.pi, 300))
    columns, target = np.polynomial.chebyshev.chebvander(t, degree), np.tanh(3 * t + 1)
    fit = near_minimax(Task(columns, columns[:, :0], target))
    best = minimax_error(columns, target)
    assert best <= fit.error * (1 + 1e-9)
    assert fit.error <= 1.03 * best


def test_what_is_hopeless_is_given_up_and_only_that() -> None:
    # The least error of degree 4 for exp lies between that of its Chebyshev series' first term left out, and more.
    x = np.cos(np.linspace(0, np.pi, 200))
    task = Task(np.vander(x, 5, increasing=True), np.zeros((200, 0)), np.exp(x))
    best = near_minimax(task)
    assert 0.95 * best.error < best.least <= best.error
    given_up = near_minimax(task, hopeless=best.least / 1.5)
    assert best.least / 1.5 < given_up.least <= best.error
    kept_on = near_minimax(task, hopeless=best.error)
    np.testing.assert_array_equal(kept_on.coefficients, best.coefficients)


def test_a_ratio_finds_a_ratio() -> None:
    t = np.linspace(-1.0, 1.0, 200)
    powers = np.vander(t, 3, increasing=True)
    target = (0.5 - t) / (1.0 + 0.3 * t + 0.4 * t**2)
    fit = near_minimax(Task(powers[:, :2], powers[:, 1:], target))
    np.testing.assert_allclose(fit.coefficients, [0.5, -1.0, 0.3, 0.4], atol=1e-9)


def test_decimals_are_short_and_within_the_tolerance() -> None:
    t = np.cos(np.linspace(0.0, np.pi, 300))
    powers, target = np.vander(t, 8, increasing=True), np.sin(2 * t)
    task = Task(powers, powers[:, :0], target)
    found = shortest(task, [3] * 8, 2e-3)
    assert found is not None
    answer = powers[:, list(found.kept)] @ found.coefficients
    assert np.abs(answer - target).max() == pytest.approx(found.error)
    assert found.error <= 2e-3
    for value, places in zip(found.coefficients, found.places, strict=True):
        assert value == float(f"{value:.{max(places, 0)}f}")
    assert set(found.kept) <= {1, 3, 5, 7}  # an odd function needs no even power
    assert shortest(task, [3] * 8, 1e-9) is None


@pytest.mark.parametrize(("value", "count"), [(1.5, 3), (-0.25, 4), (120.0, 3), (3e-12, 18)])
def test_characters_are_counted(value: float, count: int) -> None:
    assert characters(value) == count


def test_the_shipped_fit_is_said_in_150_characters() -> None:
    network = read(SHIPPED)
    program = polynomial(network, tolerance=1e-3, domain=(-1.0, 1.0))
    text = emit(program, "latex")
    assert len(text[text.index("\\begin") :]) <= 150
    assert program.observed <= program.proved <= 1e-3
    x = np.linspace(-1.0, 1.0, 100_001)[:, None]
    assert np.abs(program.evaluate(x) - network.evaluate(x)).max() <= program.proved


@pytest.mark.parametrize(
    ("sizes", "activations", "tolerance", "box"),
    [
        ([1, 6, 1], ["sigmoid", "linear"], 1e-4, (-1.0, 1.0)),
        ([1, 6, 1], ["tanh", "linear"], 1e-3, (0.0, 300.0)),
        ([1, 5, 4, 2], ["softplus", "tanh", "linear"], 1e-5, (100.0, 101.0)),
        ([2, 5, 1], ["tanh", "linear"], 1e-3, (-1.0, 1.0)),
        ([2, 4, 3], ["gelu", "softmax"], 1e-2, (2.0, 3.0)),
        ([3, 4, 1], ["silu", "linear"], 1e-2, (-1.0, 1.0)),
    ],
)
def test_it_is_within_the_tolerance_everywhere(
    sizes: list[int], activations: list[str], tolerance: float, box: tuple[float, float]
) -> None:
    reach = 1.0 if box[1] < 200 else 0.01
    network = dense(sizes, activations, seed=3, scale=reach)
    program = polynomial(network, tolerance=tolerance, domain=box)
    assert program.observed <= program.proved <= tolerance
    low, high = np.array(program.domain).T
    x = np.random.default_rng(5).uniform(low, high, (30_000, sizes[0]))

    def error(at: np.ndarray) -> float:
        return float(np.abs(program.evaluate(at[None]) - network.evaluate(at[None])).max())

    apart = np.abs(program.evaluate(x) - network.evaluate(x)).max(axis=1)
    assert apart.max() <= program.proved + 1e-12
    worst = minimize(
        lambda at: -error(at), x[apart.argmax()], bounds=list(program.domain), method="Nelder-Mead"
    )
    assert -worst.fun <= program.proved + 1e-12


def test_a_ratio_is_taken_where_it_is_shorter() -> None:
    network = read("models/dense_1-5-1_sigmoid.keras")
    program = polynomial(network, domain=(-1.0, 1.0))
    assert step_of(program).is_ratio.all()
    assert r"\frac" in emit(program, "latex")
    x = np.linspace(-1.0, 1.0, 50_001)[:, None]
    assert np.abs(program.evaluate(x) - network.evaluate(x)).max() <= program.proved


def test_what_powers_cannot_say_is_said_in_chebyshevs_polynomials() -> None:
    network = dense([1, 6, 1], ["tanh", "linear"], seed=1, scale=1.0)
    program = polynomial(network, tolerance=1e-8, domain=(-2.0, 3.0))
    assert step_of(program).basis == "chebyshev"
    assert isinstance(program.predict.steps[0], Affine)
    x = np.linspace(-2.0, 3.0, 20_001)[:, None]
    assert np.abs(program.evaluate(x) - network.evaluate(x)).max() <= program.proved + 1e-12 <= 1.1e-8
    assert "T_k(t) &= \\cos" in emit(program, "latex")


def test_a_degree_alone_gives_about_its_least_error() -> None:
    network = dense([1, 8, 1], ["tanh", "linear"], seed=2, scale=2.0)
    program = polynomial(network, 5, domain=(-1.0, 1.0))
    x = np.cos(np.linspace(0.0, np.pi, 1000))
    best = minimax_error(np.polynomial.chebyshev.chebvander(x, 5), network.evaluate(x[:, None])[:, 0])
    assert best * 0.99 <= program.proved <= 1.12 * best
    assert step_of(program).exponents.max() <= 5


def test_an_affine_network_is_itself() -> None:
    network = Network((Layer("only", "Dense", (1,), (Map(np.array([[2.5], [-0.5]]), np.ones(1)),)),), (2,))
    program = polynomial(network, tolerance=1e-6, domain=(-1.0, 1.0))
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (100, 2))
    np.testing.assert_allclose(program.evaluate(x), network.evaluate(x), atol=1e-12)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"degree": -1}, "degree is negative"),
        ({"tolerance": 0.0}, "no number above 0"),
        ({"tolerance": 1e-7, "degree": 2}, "no polynomial of degree up to 2"),
        ({"tolerance": 1e-5, "domain": (-90.0, 90.0)}, "no polynomial of degree up to"),
        ({"domain": None}, "none is known"),
    ],
)
def test_what_cannot_be_had_is_refused(told: dict[str, object], message: str) -> None:
    network = dense([1, 5, 1], ["tanh", "linear"], seed=4, scale=3.0)
    with pytest.raises(BadRequest, match=message):
        polynomial(network, **{"domain": (-1.0, 1.0), **told})  # type: ignore[arg-type]


@pytest.mark.parametrize("box", [[(0.5, 0.5)] * 2, [(-1.0, 1.0), (0.5, 0.5)], [(0.0, 1e-320), (-1.0, 1.0)]])
def test_an_input_that_does_not_move_is_not_spoken_of(box: list[tuple[float, float]]) -> None:
    network = dense([2, 4, 2], ["tanh", "linear"], seed=1)
    program = polynomial(network, domain=box)
    [step] = program.predict.steps  # no line moves an input
    assert isinstance(step, Polynomial)
    assert not any(step.exponents[:, [low + 1e-300 >= high for low, high in box]].ravel())
    x = np.random.default_rng(0).uniform(*np.array(box).T, (200, 2))
    assert (
        np.abs(program.evaluate(x) - network.evaluate(x)).max() <= program.proved <= program.told["tolerance"]
    )


def test_a_degree_that_no_tolerance_asks_for_is_refused() -> None:
    network = dense([2, 3, 1], ["tanh", "linear"])
    with pytest.raises(TooLarge, match="more than 200 coefficients"):
        polynomial(network, 5000, domain=(-1.0, 1.0))
    assert polynomial(network, 10**30, 0.1, (-1.0, 1.0)).proved <= 0.1


def test_a_bound_that_is_not_reached_in_time_is_not_claimed() -> None:
    network = dense([6, 12, 12, 1], ["tanh", "tanh", "linear"], seed=4)
    with pytest.raises(BadRequest, match=r"is not proved in 0\.001 seconds"):
        polynomial(network, 2, domain=(-1.0, 1.0), seconds=0.001)


@pytest.mark.parametrize("box", [(0.0, 1.0), (-3.0, 17.0), (1e-9, 1.00001e-9), (-4e8, 12.5)])
def test_moved_variables_stay_within_one(box: tuple[float, float]) -> None:
    [variable] = moved((box,))
    ends = [variable.slope * x + variable.shift for x in box]
    assert -1.0 <= min(ends) <= max(ends) <= 1.0
    assert max(ends) - min(ends) >= 1.7 or box[0] == box[1]


def test_json_tells_the_box_and_both_errors() -> None:
    network = dense([2, 4, 1], ["tanh", "linear"], seed=1)
    program = polynomial(network, 2, domain=(-1.0, 1.0))
    found = json.loads(emit(program, "json"))
    assert found["error"] == {
        "domain": [[-1.0, 1.0], [-1.0, 1.0]], "proved": program.proved, "observed": program.observed
    }  # fmt: skip
    step = found["functions"][0]["steps"][-1]
    assert len(step["exponents"]) == len(step["coefficients"]["data"])
    again = read_again(emit(program, "json"))
    assert (again.domain, again.proved, again.exact) == (program.domain, program.proved, False)


def read_again(text: str) -> Program:
    from nn2eq.proof.program_json import read_program

    return read_program(text)
