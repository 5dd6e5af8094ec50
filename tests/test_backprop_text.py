"""The backward pass in LaTeX says by how much the loss moves: against finite differences, and TensorFlow's tape."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from latex_networks import around, dense, of
from networks import dense as drawn
from test_cli import CIRCLES, nn2eq
from test_latex_pages import Compile, compiled, in_a_paper  # noqa: F401 - a fixture
from test_symbolic_pages import Tool, displays, in_katex

from nn2eq.activations import activation
from nn2eq.emit import emit, emitter
from nn2eq.emit.latex.symbolic.notations import NOTATIONS
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, UnsupportedModel
from nn2eq.forms.backprop import backprop, passes
from nn2eq.forms.program import Affine as Step
from nn2eq.forms.program import Program
from nn2eq.network import Affine, Network
from nn2eq.proof.backward import gradients
from nn2eq.proof.check import check
from nn2eq.proof.latex_reader import run

CASES = {
    "a number": (dense(2, 3, 2, 1, dtype="f8"), "mse"),
    "several": (dense(3, 2, 2, hidden="softplus", dtype="f8"), "mse"),
    "a probability": (dense(2, 3, 1, hidden="sigmoid", last="sigmoid", dtype="f8"), "bce"),
    "probabilities": (dense(2, 3, 2, last="sigmoid", dtype="f8"), "bce"),
    "bce that is not natural": (dense(2, 2, 1, last="softplus", dtype="f8"), "none"),
    "classes": (dense(2, 3, 3, last="softmax", dtype="f8"), "cce"),
    "squares of a sigmoid": (dense(1, 2, 2, last="sigmoid", dtype="f8"), "mse"),
    "the output itself": (dense(2, 2, 1, hidden="silu", last="sigmoid", dtype="f8"), "none"),
    "median": (dense(2, 2, 2, dtype="f8"), "mae"),
    "huber": (dense(2, 2, 1, dtype="f8"), "huber"),
    "one layer": (dense(2, 1, last="sigmoid", dtype="f8"), "bce"),
}


def loss_at(program: Program, network: Network, x: np.ndarray, target: np.ndarray) -> float:
    """Return the loss as its definition has it."""
    y = network.evaluate(x)[0]
    if program.told["loss"] == "mse":
        return float(np.mean((y - target[0]) ** 2))
    if program.told["loss"] == "mae":
        return float(np.mean(np.abs(y - target[0])))
    if program.told["loss"] == "huber":
        far = np.abs(y - target[0])
        return float(np.mean(np.where(far < 1, far**2 / 2, far - 0.5)))
    if program.told["loss"] == "bce":
        return float(-np.mean(target[0] * np.log(y) + (1 - target[0]) * np.log(1 - y)))
    return float(-np.sum(target[0] * np.log(y))) if program.told["loss"] == "cce" else float(y[0])


def moved(network: Network, layer: int, name: str, place: tuple[int, ...], by: float) -> Network:
    """Return the network with one weight moved."""
    old = network.layers[layer].maps[0]
    assert isinstance(old, Affine)
    arrays = {"kernel": np.array(old.kernel), "bias": np.array(old.bias)}
    arrays[name][place] += by
    maps = (Affine(arrays["kernel"], arrays["bias"]), *network.layers[layer].maps[1:])
    layers = list(network.layers)
    layers[layer] = replace(layers[layer], maps=maps)
    return replace(network, layers=tuple(layers))


@pytest.mark.parametrize("case", CASES)
def test_the_chain_rule_agrees_with_finite_differences(case: str) -> None:
    network, loss = CASES[case]
    program, random = backprop(network, loss=loss), np.random.default_rng(3)
    x = random.normal(size=(1, network.inputs))
    target = np.eye(network.outputs)[:1] if loss == "cce" else random.uniform(0.1, 0.9, (1, network.outputs))
    found = passes(program, x, target)
    assert np.isclose(found.loss[0], loss_at(program, network, x, target)) or loss == "none"
    blocks = [block[0] for _, block in gradients(program, found)]
    for number, block in enumerate(blocks):
        layer, name = divmod(number, 2)
        for place in np.ndindex(block.shape):
            up, down = (
                loss_at(program, moved(network, layer, ("kernel", "bias")[name], place, step), x, target)
                for step in (1e-5, -1e-5)
            )
            assert np.isclose(block[place], (up - down) / 2e-5, rtol=1e-6, atol=1e-8)


@pytest.mark.keras
@pytest.mark.parametrize("case", CASES)
def test_the_chain_rule_agrees_with_automatic_differentiation(case: str) -> None:
    import tensorflow as tf

    network, loss = CASES[case]
    program, random = backprop(network, loss=loss), np.random.default_rng(4)
    x = random.normal(size=(5, network.inputs))
    target = np.eye(network.outputs)[random.integers(network.outputs, size=5)]
    weights = [
        tf.Variable(array.astype(np.float64))
        for step in program.predict.steps
        if isinstance(step, Step)
        for array in (step.terms[0].matrix.data, step.offset.data)
    ]
    found = passes(program, x, target)
    for sample in range(5):
        with tf.GradientTape() as tape:
            value, rest = tf.constant(x[sample : sample + 1]), list(weights)
            for step in program.predict.steps:
                if isinstance(step, Step):
                    value = value @ rest.pop(0) + rest.pop(0)
                else:
                    value = getattr(tf.nn, step.activation.row.name)(value)
            answer = target[sample]
            total = {
                "mse": lambda y, t: tf.reduce_mean((y - t) ** 2),
                "bce": lambda y, t: -tf.reduce_mean(t * tf.math.log(y) + (1 - t) * tf.math.log(1 - y)),
                "cce": lambda y, t: -tf.reduce_sum(t * tf.math.log(y)),
                "none": lambda y, t: y[0],
                "mae": lambda y, t: tf.reduce_mean(tf.abs(y - t)),
                "huber": lambda y, t: tf.reduce_mean(
                    tf.where(tf.abs(y - t) < 1, (y - t) ** 2 / 2, tf.abs(y - t) - 0.5)
                ),
            }[loss](value[0], answer)
        for expected, (_, block) in zip(
            tape.gradient(total, weights), gradients(program, found), strict=True
        ):
            assert np.allclose(block[sample], expected.numpy(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_text_says_the_chain_rule(case: str, notation: str) -> None:
    network, loss = CASES[case]
    for view, orientation, first in product(("scalar", "vector"), ("column", "row"), ("0", "1")):
        way = {"notation": notation, "view": view, "orientation": orientation, "count_from": first}
        program = backprop(network, loss=loss, **way)
        options = Options(numbers="table" if (first == "0") == (orientation == "row") else "inline")
        assert check(network, emit(program, "latex", options), "latex", program=program).holds
    program = backprop(network, loss=loss, notation=notation, symbols="only", derivation=True)
    assert check(network, emit(program, "latex"), "latex", program=program).holds


@pytest.mark.parametrize("view", ["scalar", "vector"])
@pytest.mark.parametrize("notation", ["edges", "mlp"])
def test_every_wrong_index_in_the_backward_pass_is_seen(notation: str, view: str) -> None:
    network = dense(2, 2, 2, 2)
    program = backprop(network, notation=notation, view=view, symbols="only")
    text = emit(program, "latex")
    start = text.index("L &=")
    end = text.index("% batch") if "% batch" in text else len(text)
    end = min(end, text.index("(z) &="))
    places = list(re.finditer(r"(?<=[0-9_{,])[0-9](?=[0-9,}\s)\]])(?!\S* &=)", text[start:end]))
    assert places or (notation, view) == ("edges", "vector")
    for place in places:
        at = start + place.start()
        other = {"0": "1", "1": "2", "2": "1", "3": "2"}[place[0]]
        wrong = text[:at] + other + text[at + 1 :]
        try:
            assert not check(network, wrong, "latex", program=program).holds, text[at - 40 : at + 10]
        except BadRequest:
            continue


@pytest.mark.parametrize("orientation", ["column", "row"])
@pytest.mark.parametrize("case", ["several", "a probability", "classes"])
def test_every_error_in_a_batch_is_seen(case: str, orientation: str) -> None:
    network, loss = CASES[case]
    program = backprop(network, loss=loss, view="vector", orientation=orientation)
    text = emit(program, "latex")
    found = check(network, text, "latex", program=program)
    assert found.holds
    assert "its batch and update too" in found.note
    start = text.index("% batch")
    planted = [
        (r"^\{\\top\}", ""),
        (r"\\frac\{[12]\}\{\d* ?n\} \\, ", ""),
        (r" \\odot (?=[H(])", " \\\\odot 2 "),
        (r" - (?=\\alpha|Y|H)", " + "),
        (r" \+ \\mathbf\{1\} \S+", ""),
        (r"(?<=\\Delta_)2(?=[ ^].*[^=])", "1"),
        (r"\\alpha", ""),
        (r"(?<=W )- ", "+ "),
    ]
    seen = 0
    for pattern, other in planted:
        for place in re.finditer(pattern, text[start:]):
            wrong = text[: start + place.start()] + place.expand(other) + text[start + place.end() :]
            try:
                assert not check(network, wrong, "latex", program=program).holds, (pattern, place)
            except BadRequest:
                pass
            seen += 1
    assert seen > 12


@pytest.mark.parametrize("view", ["scalar", "vector"])
@pytest.mark.parametrize("case", CASES)
def test_a_worked_example_has_the_numbers_of_both_passes(case: str, view: str) -> None:
    network, loss = CASES[case]
    given = {"at": tuple(0.3 * (k + 1) for k in range(network.inputs))}
    given |= {} if loss == "none" else {"target": tuple(np.eye(network.outputs)[0])}
    program = backprop(network, loss=loss, view=view, **given)
    text = emit(program, "latex")
    assert text.count(r"\approx") > 5
    assert check(network, text, "latex", program=program).holds
    equations = text[: text.index(r"\end{align*}")]
    places = list(re.finditer(r"\\approx [^&]*?(?<![_\d.{])(\d\.?0*[1-9])", equations))
    assert len(places) > 5
    for place in places[:: max(1, len(places) // 8)]:  # the result, or one of the numbers put in
        digit = text[place.end() - 1]
        wrong = text[: place.end() - 1] + str(int(digit) % 9 + 1) + text[place.end() :]
        with pytest.raises(BadRequest, match="stands for two things"):
            run(wrong, np.zeros((1, 0)))


def test_a_worked_example_is_formula_numbers_put_in_and_result() -> None:
    network = dense(2, 2, 1, hidden="sigmoid", dtype="f8")
    kernel, bias = np.array([[1.5, -2.0], [0.25, 0.5]]), np.array([-1.0, 3.0])
    layer = replace(network.layers[0], maps=(Affine(kernel, bias), *network.layers[0].maps[1:]))
    network = replace(network, layers=(layer, *network.layers[1:]))
    text = emit(backprop(network, at=(0.5, -4.0), target=(1.0,)), "latex")
    assert "+ b_{r_0} = 0.5 \\cdot 1.5 - 4 \\cdot 0.25 - 1 = -1.25" in text
    assert "+ b_{r_1} = 0.5 \\cdot (-2) - 4 \\cdot 0.5 + 3 = 0" in text
    assert r"r_0 &= g_r(z_{r_0}) = g_r(-1.25) \approx 0.2227" in text
    slope = re.escape(r"g_r'(z_{r_0})")
    put_in = r"\\approx \\textcolor\{\w+\}\{-?[\d.]+\} \\cdot \(?-?[\d.]+\)? \\cdot 0\.1731 ?\d*"
    assert re.search(slope + r"\s*(?:\\\\\n&)?" + put_in, text)


def test_numbers_put_in_have_the_digits_that_the_result_needs() -> None:
    """Where terms cancel, or a probability is all but 1, six digits would give another result by hand."""
    network = dense(2, 1, last="sigmoid", dtype="f8")
    near = (Affine(np.array([[1000.0], [1000.0]]), np.array([-1999.98765432])), *network.layers[0].maps[1:])
    network = replace(network, layers=(replace(network.layers[0], maps=near),))
    for at in ((1.0, 0.99999), (1.0, 1.00999)):
        program = backprop(network, at=at, target=(1.0,))
        text = emit(program, "latex")
        assert check(network, text, "latex", program=program).holds
        assert "1999.987" in text.partition(r"z_y &=")[2].partition(r"\\[1ex]")[0]


def test_the_equations_are_the_textbooks() -> None:
    shallow = dense(2, 3, 1, hidden="sigmoid", last="sigmoid")
    text = emit(backprop(shallow, view="vector", symbols="only"), "latex")
    assert r"L &= -\bigl(y \ln(\hat{y}) + (1 - y) \ln(1 - \hat{y})\bigr)" in text
    assert r"\delta_2 &= \hat{y} - y" in text
    assert r"\frac{\partial L}{\partial w_m} &= \delta_2 h" in text
    assert r"\frac{\partial L}{\partial W} &= \delta_1 \otimes x" in text
    assert r"\odot h \odot (1 - h)" in text
    assert r"Z &= X W^{\top} + \mathbf{1} b^{\top}" in text
    assert r"\Delta_2 &= \frac{1}{n} \, (\hat{Y} - Y)" in text
    assert r"\Delta_1 &= \Delta_2 w_m^{\top} \odot H \odot (1 - H)" in text
    assert r"\frac{\partial L}{\partial W} &= \Delta_1^{\top} X" in text
    assert r"b &\leftarrow b - \alpha \frac{\partial L}{\partial b}" in text
    assert r"W &\leftarrow W - \alpha \frac{\partial L}{\partial W}" in text
    plain = emit(backprop(dense(1, 2, 2, 1), loss="none", symbols="only"), "latex").replace("\\textcolor", "")
    plain = re.sub(r"\{[a-z]+\}\{(\\delta[^{}]*(?:\{[^{}]*\})?)\}", r"\1", plain)
    assert r"\delta_y &= 1" in plain
    assert r"\delta_{s_0} &= \delta_y W_{s_0,y} g_s'(z_{s_0})" in plain
    assert r"\delta_{r_0} &= (\delta_{s_0} W_{r_0,s_0} + \delta_{s_1} W_{r_0,s_1}) g_r'(z_{r_0})" in plain
    assert r"\frac{\partial y}{\partial W_{x,r_1}} &= \delta_{r_1} x" in plain


def test_the_batch_is_the_mean_of_its_samples() -> None:
    """What is printed of a batch, done in NumPy: Delta_1 = Delta_2 w_m^T odot H odot (1 - H), Delta^T X."""
    network = dense(2, 3, 1, hidden="sigmoid", last="sigmoid", dtype="f8")
    program, random = backprop(network), np.random.default_rng(5)
    x, y = random.normal(size=(7, 2)), random.integers(2, size=(7, 1)).astype(float)
    found = passes(program, x, y)
    samples = [block.mean(axis=0) for _, block in gradients(program, found)]
    first, second = (part for part in network.maps if isinstance(part, Affine))
    hidden = 1 / (1 + np.exp(-(x @ first.kernel + first.bias)))
    delta2 = (network.evaluate(x) - y) / 7
    delta1 = delta2 @ second.kernel.T * hidden * (1 - hidden)
    for batch, mean in zip(
        (delta1.T @ x, delta1.sum(0), delta2.T @ hidden, delta2.sum(0)), samples, strict=True
    ):
        assert np.allclose(batch, mean.T, rtol=1e-12)


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (dense(2, 3, 2), {"loss": "cce"}),
        (dense(2, 3, 2), {"loss": "none"}),
        (dense(2, 3, 2, last="softmax"), {"loss": "mse"}),
        (around(activation("softmax"), 3), {}),
        (dense(2, 1), {"at": (1.0, 2.0)}),
        (of(Affine(np.ones((2, 2)), None, 2), inputs=4, outputs=4), {}),
        (dense(2, 1), {"at": (1.0,), "target": (0.0,)}),
        (dense(2, 1), {"derivation": True, "view": "vector"}),
    ],
)
def test_what_cannot_be_said_is_refused(network: Network, told: dict[str, object]) -> None:
    with pytest.raises((BadRequest, UnsupportedModel)):
        backprop(network, **told)  # type: ignore[arg-type]


def test_pages_are_typeset(compiled: Compile, tool: Tool) -> None:  # noqa: F811
    network = dense(2, 2, 1, hidden="sigmoid", last="sigmoid")
    ways = [
        {"view": view, "notation": notation} for view, notation in product(("scalar", "vector"), NOTATIONS)
    ]
    ways += [{"derivation": True}, {"at": (0.5, 1.0), "target": (1.0,)}, {"loss": "mse", "view": "vector"}]
    texts = [emit(backprop(network, **way), "latex") for way in ways]  # type: ignore[arg-type]
    compiled(in_a_paper(texts, "amsmath,xcolor,booktabs"))
    for way in ({}, {"at": (0.5, 1.0), "target": (1.0,)}):
        program = backprop(network, **way)  # type: ignore[arg-type]
        document = emit(program, "latex", Options(standalone=True))
        compiled(document)
        assert check(network, document, "latex", program=program).holds
    for display in displays(texts[0]) + displays(texts[6]):
        assert in_katex(tool("katex"), display)


def test_on_the_command_line(tmp_path) -> None:
    file = str(tmp_path / "back.tex")
    for more in ([], ["--at", "0.5,1", "--target", "1"], ["--view", "vector", "--symbols", "only"]):
        assert nn2eq(CIRCLES, "--form", "backprop", "-o", file, *more).returncode == 0
        assert nn2eq("check", CIRCLES, file).returncode == 0
    text = (tmp_path / "back.tex").read_text()
    (tmp_path / "back.tex").write_text(text.replace(r"\delta_1 \otimes x", r"\delta_1 \otimes h"))
    assert nn2eq("check", CIRCLES, file).returncode == 1
    assert nn2eq("--dense", "2-3-1:tanh", "--form", "backprop").returncode == 0
    done = nn2eq(CIRCLES, "--form", "backprop", "-f", "c")
    assert (done.returncode, "c cannot say the backprop form" in done.stderr) == (2, True)
    assert emitter("latex").says("backprop")


@pytest.mark.parametrize("view", ["scalar", "vector"])
def test_no_symbol_means_two_things(view: str) -> None:
    """Neither a user's names nor a layer's letter is taken for the loss, or for what the outputs should be."""
    deep = dense(2, 2, 2, 2, 1)
    named = replace(dense(2, 2, 1), input_names=("t", "L"), output_names=("n",))
    euler = replace(dense(2, 2, 2), output_names=("e", "E"))
    for network, notation in product((deep, named, euler), NOTATIONS):
        program = backprop(network, view=view, notation=notation)
        assert check(network, emit(program, "latex"), "latex", program=program).holds


@pytest.mark.parametrize("case", ["a number", "probabilities", "classes", "the output itself"])
def test_every_factor_of_the_chain_rule_is_evaluated(case: str) -> None:
    """Each line of a derivation is part of the proof: with another right-hand side the text is refused."""
    network, loss = CASES[case]
    program = backprop(network, loss=loss, derivation=True)
    text = emit(program, "latex")
    assert check(network, text, "latex", program=program).holds
    factors = list(re.finditer(r"^\\frac\{\\partial [^L&][^&]*&= ", text, re.MULTILINE))
    assert len(factors) > 6
    for factor in factors[:12]:
        at = factor.end()
        with pytest.raises(BadRequest, match="stands for two things"):
            check(network, f"{text[:at]}1.5 - {text[at:]}", "latex", program=program)


@pytest.mark.parametrize("name", ["relu", "hard_shrink", "leaky_relu", "hard_sigmoid"])
def test_samples_on_bends_are_left_out_and_the_others_are_not(name: str) -> None:
    """Between a text and the chain rule rounding alone may decide the side of a bend, and with it the slope."""
    for sizes in ((1, 4, 1), (2, 3, 2, 1), (3, 2, 3)):
        network = drawn(sizes, [name] * (len(sizes) - 2) + ["linear"])
        program = backprop(network)
        agreement = check(network, emit(program, "latex"), "latex", program=program)
        assert agreement.holds, agreement.line()
        assert agreement.samples > 100
        assert sum(count for count, _ in agreement.left_out) < 60
