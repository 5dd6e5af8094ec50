"""Comparing answers: what must be told apart is, and what is told of it is where and what it is."""

from __future__ import annotations

import numpy as np
import pytest
from networks import dense
from numpy.typing import NDArray

from nn2eq.activations import activation
from nn2eq.emit import emit
from nn2eq.errors import Disagreement
from nn2eq.forms.rounded import rounded
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.network import Affine, Layer, Network
from nn2eq.proof.agreement import TEXT_TOLERANCE, compare
from nn2eq.proof.check import check, expect, first_difference
from nn2eq.proof.rounding import DOUBLE, measured, rounding, scale
from nn2eq.proof.runners import run

Array = NDArray[np.float64]
NETWORK = dense((3, 5, 4, 2), ("tanh", "relu", "linear"))
X = np.random.default_rng(0).normal(size=(50, 3))
ANSWERS = NETWORK.evaluate(X)


def changed(sample: int, output: int, by: float) -> Array:
    found = ANSWERS.copy()
    found[sample, output] += by
    return found


def test_equal_answers_agree() -> None:
    agreement = compare(ANSWERS, ANSWERS.copy())
    assert agreement.holds
    assert agreement.error == 0
    assert agreement.samples == 50


def test_one_wrong_number_is_found_and_named() -> None:
    size = scale(NETWORK, X)
    agreement = compare(ANSWERS, changed(17, 1, 1e-11 * size[17, 1]), scale=size, x=X, outputs=("a", "b"))
    assert not agreement.holds
    assert agreement.spot is not None
    assert (agreement.spot.sample, agreement.spot.output) == (17, "b")
    assert agreement.spot.inputs == tuple(X[17])
    assert agreement.error == pytest.approx(1e-11, rel=1e-3)
    assert "sample 18" in agreement.where()
    assert repr(float(ANSWERS[17, 1])) in agreement.line()
    assert compare(ANSWERS, changed(17, 1, 1e-13 * size[17, 1]), scale=size).holds


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_never_agrees(wrong: float) -> None:
    assert not compare(ANSWERS, changed(3, 0, wrong), scale=1e300, tolerance=1e300).holds
    assert not compare(changed(3, 0, wrong), ANSWERS, tolerance=np.inf).holds
    assert not compare(changed(3, 0, wrong), changed(3, 0, wrong)).holds
    assert not compare(ANSWERS, changed(0, 0, 1.0), scale=np.nan).holds


@pytest.mark.parametrize(
    "found", [ANSWERS.T, ANSWERS[:-1], ANSWERS[:, :1], ANSWERS.ravel(), np.empty((0, 2)), np.float64(1.0)]
)
def test_another_shape_never_agrees(found: Array) -> None:
    agreement = compare(ANSWERS, found, tolerance=np.inf)
    assert not agreement.holds
    assert agreement.kind == "shape"
    assert "shape" in agreement.line()


def test_nothing_to_compare_is_no_agreement() -> None:
    assert not compare(ANSWERS[:0], ANSWERS[:0]).holds


def test_transposed_square_answers_differ() -> None:
    assert not compare(ANSWERS[:2], ANSWERS[:2].T, scale=scale(NETWORK, X[:2])).holds


def test_single_precision_is_told_from_an_error() -> None:
    size = scale(NETWORK, X)
    rounded_answers = ANSWERS.astype(np.float32).astype(np.float64)
    assert compare(ANSWERS, rounded_answers, scale=size).kind == "single precision"
    assert compare(ANSWERS, ANSWERS * 1.001, scale=size).kind == "error"
    assert compare(ANSWERS, np.nextafter(ANSWERS, 9.0), scale=size).kind == "rounding"


def test_ulps_are_counted_in_the_precision_of_the_answers() -> None:
    found = compare(np.ones((1, 1)), np.full((1, 1), 1 + 2.0**-20), tolerance=1.0, precision=2.0**-23)
    assert found.spot is not None
    assert found.spot.ulps == 8


# -------------------------------------------------------------------------------------------------- the scale


def test_scale_is_the_sum_of_magnitudes_in_the_last_affine_step() -> None:
    hidden = NETWORK.layers[1].maps[1](
        NETWORK.layers[1].maps[0](NETWORK.layers[0].maps[1](NETWORK.layers[0].maps[0](X)))
    )
    last = NETWORK.layers[-1].maps[0]
    assert isinstance(last, Affine)
    assert last.bias is not None
    expected = np.abs(hidden) @ np.abs(last.kernel) + np.abs(last.bias)
    np.testing.assert_allclose(scale(NETWORK, X), expected, rtol=1e-14)


def test_scale_of_affine_maps_in_a_row_is_that_of_the_one_they_fold_into() -> None:
    first, second = Affine(np.array([[1.0, -1.0]])), Affine(np.array([[1.0], [1.0]]), np.array([0.5]))
    network = Network((Layer("a", "Dense", (2,), (first,)), Layer("b", "Dense", (1,), (second,))), (1,))
    assert network.evaluate(np.array([[3.0]])) == 0.5
    assert scale(network, np.array([[3.0]])) == 6.5


@pytest.mark.parametrize(
    ("name", "least"), [("tanh", 4.0), ("exponential", 4.0), ("softmax", 4.0), ("relu", 4.0)]
)
def test_scale_goes_through_an_activation(name: str, least: float) -> None:
    kernel = np.array([[2.0, -1.0]])
    network = Network((Layer("a", "Dense", (2,), (Affine(kernel), activation(name))),), (1,))
    x = np.array([[2.0]])
    size = scale(network, x)
    assert size[0, 0] >= least
    assert np.all(size >= np.abs(network.evaluate(x)))


def test_scale_of_a_steep_answer_is_what_a_small_move_makes_of_it() -> None:
    network = Network(
        (Layer("a", "Dense", (1,), (Affine(np.array([[1.0]])), activation("exponential"))),), (1,)
    )
    assert scale(network, np.array([[20.0]]))[0, 0] == pytest.approx(20 * np.exp(20), rel=1e-3)


# ------------------------------------------------------------------------------------------------ whole texts


@pytest.mark.parametrize("form", [matrix, layered, nested])
@pytest.mark.parametrize("language", ["numpy", "python", "latex", "sympy", "json"])
def test_our_texts_agree(form, language: str) -> None:  # type: ignore[no-untyped-def]
    program = form(NETWORK)
    agreement = check(NETWORK, emit(program, language), language, program=program)
    assert agreement.holds, agreement.line()
    assert agreement.tolerance <= 2e-12
    assert f"evaluated as {language}" in agreement.line()


def test_one_wrong_digit_is_found_and_its_unit_named() -> None:
    program = layered(NETWORK)
    text = emit(program, "numpy")
    line = next(line for line in text.splitlines() if line.strip().startswith("z2_3 ="))
    number = line.split("=")[1].split("*")[0].strip()
    wrong = repr(float(number) * (1 + 1e-9))
    agreement = check(NETWORK, text.replace(line, line.replace(number, wrong)), "numpy", program=program)
    assert not agreement.holds
    assert agreement.unit == "z2_3 (dense_1)"
    assert "z2_3" in agreement.where()


def test_a_wrong_layer_of_a_matrix_text_is_named() -> None:
    program = matrix(NETWORK)
    text = emit(program, "numpy").replace("(0.0, a1 @ W2", "(0.0, 1.000001 * a1 @ W2")
    agreement = check(NETWORK, text, "numpy", program=program)
    assert not agreement.holds
    assert agreement.unit.startswith("a2_")


def test_first_difference_of_values_that_agree_is_none() -> None:
    program = layered(NETWORK)
    answer = run("numpy", emit(program, "numpy"), X)
    assert "z1_1" in answer.values
    assert first_difference(program, X, answer.values) == ""
    values = {**answer.values, "a1_4": answer.values["a1_4"] + 1e-7}
    assert first_difference(program, X, values) == "a1_4 (dense_0)"


def test_a_text_of_another_network_differs() -> None:
    other = dense((3, 5, 4, 2), ("tanh", "relu", "linear"), seed=1)
    assert check(NETWORK, emit(matrix(other), "numpy"), "numpy").kind == "error"


def test_a_text_that_fails_disagrees() -> None:
    with pytest.raises(Disagreement, match="text-fails"):
        check(NETWORK, emit(matrix(NETWORK), "numpy").replace("tanh", "tan_h"), "numpy")


def test_rounded_numbers_are_judged_by_what_they_say_and_their_cost_is_told() -> None:
    program = rounded(layered(NETWORK), 3)
    text = emit(program, "numpy")
    agreement = check(NETWORK, text, "numpy", program=program, digits=3)
    assert agreement.holds
    assert agreement.cost is not None
    assert 1e-6 < agreement.cost < 1e-1
    assert "cost" in agreement.line()
    assert not check(NETWORK, text, "numpy").holds
    with pytest.raises(Disagreement, match="program and network"):
        check(NETWORK, text, "numpy", program=program, digits=9)


def test_ill_conditioned_networks_are_given_what_rounding_needs() -> None:
    """A sensor at 1e6 with a spread of 1: the normalised and the folded text differ by 1e-10 of their values."""
    front = Layer("norm", "Normalization", (1,), (Affine(np.array([1.0]), np.array([-1e6])),))
    network = Network((front, *dense((1, 4, 1), ("tanh", "linear")).layers), (1,))
    program = matrix(network)
    agreement = check(network, emit(program, "numpy"), "numpy", program=program)
    assert agreement.holds, agreement.line()
    wrong = emit(program, "numpy").replace("a1 @ W2", "a1 @ W2 * (1 + 1e-8)")
    assert not check(network, wrong, "numpy", program=program).holds


def test_textbook_formulas_may_overflow_where_people_read_them_only() -> None:
    from nn2eq.emit.options import Options

    network = dense((1, 3, 1), ("tanh", "linear"), scale=2.0)
    program = nested(network)
    agreement = check(
        network, emit(program, "latex", Options(activations="explicit")), "latex", program=program
    )
    assert agreement.holds, agreement.line()
    text = emit(program, "numpy").replace("np.tanh(", "(lambda z: np.sinh(z) / np.cosh(z))(")
    with np.errstate(all="ignore"):
        assert not check(network, text, "numpy", program=program).holds


def test_expected_answers_are_those_of_the_network() -> None:
    expected = expect(NETWORK)
    np.testing.assert_allclose(expected.answers, NETWORK.evaluate(expected.x), rtol=1e-12, atol=1e-12)
    assert np.all(expected.tolerance >= TEXT_TOLERANCE)
    assert np.median(expected.tolerance) == TEXT_TOLERANCE


def test_where_all_units_are_just_off_rounding_is_all_there_is() -> None:
    """At 3 x = 0.3 the unit is 0 or 5e-17, and nothing else comes in: there is no sum to be relative to."""
    off = (Affine(np.array([[3.0, 1.0]]), np.array([-0.3, -5.0])), activation("relu"))
    ends = (Affine(np.array([[0.75], [-0.5]])), activation("softsign"))
    layers = (Layer("off", "Dense", (2,), off), Layer("ends", "Dense", (1,), ends))
    network, x = Network(layers, (1,)), np.array([[0.1]])
    size, tolerance = measured(network, x, rounding(network, x, DOUBLE).error)
    assert 5e-17 < (size * tolerance).item() < 1e-15
    for answer, holds in ((2e-17, True), (1e-12, False)):
        found = compare(np.zeros((1, 1)), np.array([[answer]]), scale=size, tolerance=tolerance)
        assert found.holds == holds
