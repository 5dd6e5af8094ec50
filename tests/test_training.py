"""Derivatives in x and gradients by the weights, against TensorFlow's GradientTape in float64."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import dense

from nn2eq.composition import compose
from nn2eq.conversion import Request, convert
from nn2eq.emit.numpy_training import write
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, Disagreement, UnsupportedModel
from nn2eq.forms.gradient import gradient
from nn2eq.forms.losses import COMPILED
from nn2eq.forms.straight import matrix
from nn2eq.forms.training import training
from nn2eq.network import Affine, Layer, Network
from nn2eq.proof.gradients import gradients_agree
from nn2eq.proof.judge import judge
from nn2eq.proof.runners import run
from nn2eq.reading import read
from nn2eq.scaling import in_original_units

NAMES = ("classes", "chance", "curve")
LEARNED = (*NAMES, "places", "channels", "steps", "still", "labels", "clipped", "median")
TOLERANCE = 1e-11


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Networks that Keras saved, and what the tape says of each."""
    folder = tmp_path_factory.mktemp("tape")
    script = Path(__file__).with_name("tape_of_keras.py")
    done = subprocess.run([sys.executable, script, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, json.loads(done.stdout)


def gradients(network: Network, loss: str = "") -> Any:
    """Return the function that the text defines."""
    found: dict[str, Any] = {}
    exec(write(matrix(network, fold=False), training(network, loss), Options()), found)
    return found["gradients"]


def trainable(sizes: tuple[int, ...], activations: tuple[str, ...]) -> Network:
    """Return a network of dense layers with their weights, as Keras has them."""
    made = dense(sizes, activations)
    layers = []
    for layer in made.layers:
        step = layer.maps[0]
        assert isinstance(step, Affine)
        layers.append(replace(layer, weights={"kernel": step.kernel, "bias": step.bias}))
    return replace(made, layers=tuple(layers))


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_derivatives_are_those_of_the_tape(tape: tuple[Path, dict[str, Any]], name: str) -> None:
    folder, said = tape
    network, expected = read(str(folder / f"{name}.keras")), said[name]
    x = np.array(expected["x"])
    for fold in (True, False):
        program = gradient(network, hessian=True, fold=fold)
        found = program.alone(program.functions[1]).evaluate(x)
        slopes = np.array(expected["jacobian"])
        outputs = len(program.outputs)
        np.testing.assert_allclose(found[:, :outputs], expected["y"], rtol=TOLERANCE, atol=1e-14)
        np.testing.assert_allclose(
            found[:, outputs:].reshape(slopes.shape), slopes, rtol=TOLERANCE, atol=1e-13
        )
        if (
            name == "chance"
        ):  # TensorFlow holds the mean within a variance for constant, and so its slopes' slopes
            continue
        curved = np.array(expected["hessian"])
        found = program.alone(program.functions[2]).evaluate(x).reshape(curved.shape)
        np.testing.assert_allclose(found, curved, rtol=1e-9, atol=1e-12)


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNED)
def test_gradients_are_those_of_the_tape(tape: tuple[Path, dict[str, Any]], name: str) -> None:
    folder, said = tape
    network, expected = read(str(folder / f"{name}.keras")), said[name]
    total, found = gradients(network, COMPILED)(np.array(expected["x"]), np.array(expected["target"]))
    assert total == pytest.approx(expected["loss"], rel=TOLERANCE)
    assert [len(layer) for layer in found] == [len(layer) for layer in expected["gradients"]]
    for layer, wanted in zip(found, expected["gradients"], strict=True):
        for one, other in zip(layer, wanted, strict=True):
            assert one.shape == np.shape(other)
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


def test_gradients_are_differences() -> None:
    """Of a shipped model, by moving its bias: the loss is the mean over samples and outputs."""
    network = read("models/dense_2-3-1_sigmoid.keras")
    random = np.random.default_rng(0)
    x, target = random.normal(size=(7, 2)), random.uniform(size=(7, 1))
    _, found = gradients(network)(x, target)
    assert [len(layer) for layer in found] == [2, 2]
    assert found[0][0].shape == (2, 3)
    y = network.evaluate(x)
    np.testing.assert_allclose(found[-1][1], np.mean(y - target, axis=0), rtol=1e-12)


def test_gradients_behind_a_transformed_input() -> None:
    """Of one unit the square is taken, between layers, so that slopes must come back through it."""
    first, second = read("models/dense_2-3-1_sigmoid.keras"), trainable((1, 2, 1), ("tanh", "linear"))
    transformed = in_original_units(first, transform_input="x1=square", scale_output="minmax:0:2")
    network = compose(transformed, in_original_units(second, transform_input="x=square"))
    conversion = convert(network, Request("numpy", "backprop"))
    assert conversion.agreement is not None
    assert conversion.agreement.holds
    assert "chosen" in conversion.text


def test_numbers_of_classes_are_rows_of_ones() -> None:
    network = trainable((2, 3, 3), ("tanh", "softmax"))
    function, x = gradients(network), np.random.default_rng(1).normal(size=(5, 2))
    classes = np.array([0, 2, 1, 1, 0])
    for given in (classes, classes[:, None], classes.astype(float)):
        total, found = function(x, given)
        wanted, others = function(x, np.eye(3)[classes])
        assert total == wanted
        assert all(
            np.array_equal(a, b)
            for pair in zip(found, others, strict=True)
            for a, b in zip(*pair, strict=True)
        )


def test_an_answer_that_is_always_0_raises_no_alarm() -> None:
    """There Keras begins to clip a probability: on one side the loss has a slope, on the other none."""
    network = trainable((2, 3, 1), ("tanh", "log_softmax"))
    agreement = convert(network, Request("numpy", "backprop", shape={"loss": "bce"})).agreement
    assert agreement is not None
    assert agreement.holds
    zero = trainable((1, 1), ("linear",))
    maps = (Affine(np.zeros((1, 1), np.float32), np.zeros(1, np.float32)),)
    zero = replace(zero, layers=(replace(zero.layers[0], maps=maps),))
    agreement = convert(zero, Request("numpy", "backprop", shape={"loss": "bce"})).agreement
    assert agreement is not None
    assert "at a bend left out" in agreement.note


def test_one_class_alone_has_no_numbers() -> None:
    ask = gradients(trainable((2, 3, 1), ("tanh", "softmax")), "cce")
    x = np.random.default_rng(1).normal(size=(4, 2))
    loss, found = ask(x, np.ones((4, 1)))
    assert abs(loss) < 1e-12
    assert all(np.allclose(part, 0.0, atol=1e-12) for layer in found for part in layer)


def test_a_gamma_without_its_epsilon_is_refused() -> None:
    weights = {name: np.ones(2) for name in ("gamma", "beta", "moving_mean", "moving_variance")}
    layer = Layer("norm", "BatchNormalization", (2,), (Affine(np.ones(2), np.ones(2)),), weights)
    with pytest.raises(UnsupportedModel, match="without its epsilon"):
        training(Network((layer,), (2,)))
    assert training(Network((replace(layer, epsilon=0.5),), (2,))).sums
    odd = {**weights, "gamma": np.ones(3)}
    with pytest.raises(UnsupportedModel, match="gradient of 'gamma'"):
        training(Network((replace(layer, epsilon=0.5, weights=odd),), (2,)))


def test_saturated_answers_have_gradients() -> None:
    network = read("models/dense_2-3-1_sigmoid.keras")
    total, found = gradients(network)(np.full((1, 2), 1e4), np.array([[0.0]]))
    assert np.isfinite(total)
    assert all(np.isfinite(one).all() for layer in found for one in layer)


def test_a_loss_goes_with_the_last_activation() -> None:
    network = read("models/dense_1-3-2-1_tanh.keras")
    assert training(network).loss.name == "mse"
    with pytest.raises(BadRequest, match="cce"):
        training(network, "cce")
    with pytest.raises(BadRequest, match="unknown loss"):
        training(network, "hinge")
    with pytest.raises(ValueError, match="rows"):
        gradients(network)(np.zeros((2, 1)), np.zeros((3, 1)))


# --------------------------------------------------------------------------------------------- its own check


def test_the_form_is_checked_when_it_is_written() -> None:
    network = read("models/dense_2-3-1_sigmoid.keras")
    conversion = convert(network, Request("numpy", "backprop"))
    assert "def gradients(x, y)" in conversion.text
    assert conversion.agreement is not None
    assert conversion.agreement.holds
    assert "the chain rule is within" in conversion.agreement.note


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (r"\(y - t\)", "(t - y)"),
        ("x.T @", "1.000001 * x.T @"),
        ("loss = ", "loss = 2 *"),
        (r"(W1 = np.array\(\[\s+\[-?\d\.\d{6})\d", r"\g<1>"),
        (r"delta1.sum\(axis=0\)", r"\g<0> + np.array([0, 1e-9, 0])"),
    ],
)
def test_a_planted_error_is_named(before: str, after: str) -> None:
    network = read("models/dense_2-3-1_sigmoid.keras")
    text = convert(network, Request("numpy", "backprop")).text
    assert isinstance(text, str)
    wrong = re.sub(before, after, text, count=1)
    assert wrong != text
    assert judge(network, text).holds
    agreement = judge(network, wrong)
    assert not agreement.holds
    assert agreement.spot is not None
    assert agreement.spot.output == "loss" or "slope by" in agreement.spot.output


def test_gradients_of_other_shapes_are_refused() -> None:
    network = read("models/dense_2-3-1_sigmoid.keras")
    text = convert(network, Request("numpy", "backprop")).text
    assert isinstance(text, str)
    for before, after in (("(x.T @ delta1,", "((x.T @ delta1).T,"), ("(x.T @ delta1, ", "(")):
        wrong = text.replace(before, after)
        assert wrong != text
        with pytest.raises(Disagreement, match="shapes of the weights"):
            judge(network, wrong)
    with pytest.raises(BadRequest, match="not the name of a function"):
        judge(network, text, name="a b")


@pytest.mark.parametrize(
    ("activations", "loss"),
    [
        (("gelu", "softmax"), "cce"),
        (("tanh", "tanh"), "bce"),
        (("silu", "linear"), "huber"),
        (("leaky_relu", "elu"), "mae"),
    ],
)
def test_what_was_written_is_judged_later(activations: tuple[str, str], loss: str) -> None:
    network = trainable((2, 3, 2), activations)
    text = convert(
        network, Request("numpy", "backprop", options=Options(name="net"), shape={"loss": loss})
    ).text
    assert judge(network, text).holds


def test_a_wrong_chain_rule_is_caught_by_differences() -> None:
    network = trainable((2, 3, 1), ("tanh", "sigmoid"))
    found = training(network)
    (name, (kernel, bias)), *rest = found.sums
    wrong = replace(found, sums=((name, (replace(kernel, negative=True), bias)), *rest))
    agreement = gradients_agree(network, "", wrong, "gradients", partial(run, "numpy"))
    assert not agreement.holds
    assert agreement.link == "chain rule and network"
    assert agreement.spot is not None
    assert agreement.spot.output == "the slope by kernel of dense_0"
