"""Decisions: the class that a threshold tells, on the answer or on what the last activation is taken of."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from networks import dense

from nn2eq import formula as fm
from nn2eq.activations import ROWS, filled
from nn2eq.conversion import convert
from nn2eq.decision import deciding, equivalent
from nn2eq.emit import emit
from nn2eq.errors import BadRequest
from nn2eq.forms.straight import layered, nested
from nn2eq.network import Activation
from nn2eq.proof.check import check
from nn2eq.reading import read
from nn2eq.scaling import in_original_units

MODELS = Path(__file__).parent.parent / "models"
X = np.random.default_rng(0).normal(size=(500, 2)) * 2
INVERTED = [name for name, row in ROWS.items() if row.inverse]


@pytest.mark.parametrize("name", INVERTED)
def test_an_inverse_is_one(name: str) -> None:
    z = np.linspace(-6.0, 6.0, 101)
    a = filled(ROWS[name], {})(z)
    assert np.all(np.diff(a) > 0)
    assert np.allclose(fm.evaluate(fm.parse(ROWS[name].inverse), {"a": a}), z, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", [*INVERTED, "linear"])
def test_both_places_decide_alike(name: str) -> None:
    network = in_original_units(dense((2, 4, 1), ("tanh", name), seed=4), scale_output="minmax:-1:4")
    threshold = float(np.median(network.evaluate(X)))
    on_y, on_z = (deciding(network, threshold, on=place) for place in ("y", "z"))
    expected = network.evaluate(X) >= threshold
    sure = np.abs(network.evaluate(X) - threshold) > 1e-9
    for decided in (on_y, on_z):
        assert np.array_equal(decided.evaluate(X)[sure], expected[sure])
        assert np.array_equal(decided.core.evaluate(X), network.core.evaluate(X))
    assert sum(isinstance(step, Activation) for step in on_z.maps) == 2


def test_logit_is_the_textbooks() -> None:
    decided = deciding(dense((2, 1), ("sigmoid",)), 0.7, on="z")
    (decision,) = decided.layers[-1].maps
    assert isinstance(decision, Activation)
    assert math.isclose(decision.parameters["threshold"], math.log(0.7 / 0.3), rel_tol=1e-15)  # type: ignore[arg-type]


@pytest.mark.parametrize(("threshold", "place"), [(0.0, "y"), (0.3, "z"), (0.5, "y")])
def test_behind_a_softmax_the_largest_is_the_class(threshold: float, place: str) -> None:
    network = dense((2, 4, 3), ("tanh", "softmax"), seed=2)
    y = network.evaluate(X)
    expected = (y == y.max(axis=1, keepdims=True)) & (y >= threshold)
    assert np.array_equal(deciding(network, threshold, on=place).evaluate(X), expected)
    assert (expected.sum(axis=1) == 0).any() == (threshold == 0.5)


@pytest.mark.parametrize(
    ("activation", "threshold", "said"),
    [("sigmoid", 1.0, "never reaches"), ("gelu", 0.5, "no inverse"), ("sigmoid", math.inf, "not finite")],
)
def test_what_has_no_equivalent(activation: str, threshold: float, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        deciding(dense((2, 1), (activation,)), threshold, on="z")
    with pytest.raises(BadRequest, match="no inverse"):
        deciding(dense((2, 3), ("softmax",)), 0.9, on="z")


@pytest.mark.parametrize("language", ["latex", "numpy", "python", "sympy", "json"])
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@pytest.mark.parametrize("place", ["y", "z"])
def test_texts_decide(language: str, activation: str, place: str) -> None:
    outputs = 3 if activation == "softmax" else 1
    network = deciding(dense((2, 3, outputs), ("tanh", activation)), 0.3, on=place)
    for build in (nested, layered):
        program = build(network)
        text = emit(program, language)
        assert check(network, text, language, program=program).holds
        wrong = emit(build(deciding(dense((2, 3, outputs), ("tanh", activation)), 0.9)), language)
        assert not check(network, wrong, language, program=program).holds


def test_the_equivalent_is_said() -> None:
    found = deciding(dense((2, 1), ("sigmoid",)), 0.3, on="z")
    assert equivalent(found) == ("sigmoid(z) >= 0.3 where z >= log(0.3 / (1 - 0.3))",)
    conversion = convert(found)
    assert "% note: sigmoid(z) >= 0.3 where z >= log(0.3 / (1 - 0.3))" in conversion.text
    assert equivalent(deciding(dense((2, 1), ("sigmoid",)), 0.3)) == ()


def test_on_the_command_line() -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "nn2eq", *args]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    circles, iris = (
        str(MODELS / f"{name}.keras")
        for name in ("dense_2-3-1_sigmoid", "dense_4-6-3_tanh_softmax_normalization")
    )
    said = run(circles, "--threshold", "0.7", "--decide-on", "z", "--digits", "3").stdout
    assert r"\begin{cases} 1 & \text{if } z \ge 0.84729786" in said
    named = run(iris, "--threshold", "0", "--outputs", "setosa,versicolor,virginica", "-f", "python").stdout
    space: dict[str, object] = {}
    exec(compile(named, "text", "exec"), space)
    x = np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]])
    best = read(iris).evaluate(x).argmax(axis=1)
    assert [np.argmax(space["predict"](row)) for row in x.tolist()] == best.tolist()  # type: ignore[operator]
    assert run(circles, "--decide-on", "z").returncode == 2


@pytest.mark.keras
def test_keras_is_asked_of_the_network_as_it_was() -> None:
    model = str(MODELS / "dense_2-3-1_sigmoid.keras")
    command = [sys.executable, "-m", "nn2eq", model, "--threshold", "0.7", "--decide-on", "z", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
