"""Every text that runs says what its network says: run in its own language, held against the network."""

from __future__ import annotations

import ast
import math
import re

import numpy as np
import pytest
from activation_laws import name
from latex_networks import affine, around, dense, of, renamed
from text_networks import (
    EVERYWHERE,
    LAYOUTS,
    OF_INPUTS,
    SPECIAL,
    TEXTS,
    WAYS,
    defined,
    network_around,
    require_same,
    texts,
)

from nn2eq.activations import Activation, activation
from nn2eq.emit import LANGUAGES, emit
from nn2eq.emit.options import Options
from nn2eq.errors import CannotEmit
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.network import Affine, Layer, Network, Selected
from nn2eq.proof.allow import require_allowed
from nn2eq.proof.program_json import read_program
from nn2eq.proof.runners import RUNNERS, run


def test_every_language_has_a_runner() -> None:
    assert set(RUNNERS) == set(LANGUAGES)
    assert set(WAYS) <= set(LANGUAGES)


@pytest.mark.parametrize(("language", "layout"), TEXTS)
@pytest.mark.parametrize("chosen", EVERYWHERE, ids=name)
def test_every_activation(chosen: Activation, language: str, layout: str) -> None:
    network = network_around(chosen)
    for text in texts(network, language, layout):
        require_same(network, language, text)


@pytest.mark.parametrize(("language", "layout"), TEXTS)
@pytest.mark.parametrize("chosen", OF_INPUTS, ids=name)
def test_every_transformation_of_an_input(chosen: Activation, language: str, layout: str) -> None:
    network = of(Selected(chosen, (1,)), affine(3, 2, 1), inputs=3, outputs=2)
    low, high = np.maximum(chosen.domain[0], -3.0), np.minimum(chosen.domain[1], 3.0)
    x = np.random.default_rng(2).uniform(low + 1e-3, high - 1e-3, size=(30, 3))
    for text in texts(network, language, layout):
        assert np.allclose(run(language, text, x).outputs, network.evaluate(x), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("language", "layout"), TEXTS)
@pytest.mark.parametrize("case", SPECIAL)
def test_every_special_network(case: str, language: str, layout: str) -> None:
    for fold in (True, False):
        for text in texts(SPECIAL[case], language, layout, fold=fold):
            require_same(SPECIAL[case], language, text)


@pytest.mark.parametrize(("language", "layout"), TEXTS)
def test_several_layers_of_everything(language: str, layout: str) -> None:
    network = Network(
        (
            Layer("log", "Scaling", (3,), (Affine(np.full(3, 0.25), np.full(3, 0.125)),)),
            Layer("a", "Dense", (4,), (affine(3, 4, 1), activation("softplus"))),
            Layer("b", "Dense", (4,), (affine(4, 4, 2), activation("softmax", groups=2))),
            Layer("c", "BatchNormalization", (4,), (affine(4, 4, 3), Affine(np.arange(4.0), np.arange(4.0)))),
            Layer("d", "Dense", (2,), (activation("gelu"), affine(4, 2, 4, "f8"), activation("sigmoid"))),
        ),
        (3,),
    )
    for text in texts(network, language, layout):
        require_same(network, language, text)


@pytest.mark.parametrize("language", ["numpy", "python"])
@pytest.mark.parametrize("chosen", EVERYWHERE, ids=name)
def test_the_bare_expression(chosen: Activation, language: str) -> None:
    network = renamed(around(chosen, 4 if chosen.row.coupled else 2), ("p", "T"), ("y1", "y2"))
    program = nested(network)
    if language == "numpy" and "erf" in chosen.row.runnable:
        with pytest.raises(CannotEmit, match="NumPy has no erf"):
            emit(program, language, Options(expression=True))
        return
    text = emit(program, language, Options(expression=True))
    assert text.startswith("# y1, y2 of p, T; ")
    ast.parse(text, mode="eval")
    require_same(network, language, text)
    require_allowed(text, language)


def test_the_bare_expression_is_what_an_article_prints() -> None:
    network = of(
        Affine(np.array([[1.2]]), np.array([0.1])),
        activation("tanh"),
        Affine(np.array([[0.3]]), np.array([-2.0])),
        inputs=1,
        outputs=1,
    )
    python, in_numpy = (
        emit(nested(network), language, Options(expression=True)) for language in ("python", "numpy")
    )
    assert python == "# y of x; from math import *\n0.3*tanh(1.2*x + 0.1) - 2.0\n"
    assert in_numpy == "# y of x; import numpy as np\n0.3*np.tanh(1.2*x + 0.1) - 2.0\n"
    with pytest.raises(CannotEmit, match="only the nested form is one expression"):
        emit(layered(network), "python", Options(expression=True))


# ----------------------------------------------------------------------------------------------- the extremes

EXTREMES = np.array([-1e3, -745.2, -709.8, 0.0, 709.8, 745.2, 1e3])[:, None]


@pytest.mark.parametrize("language", WAYS)
@pytest.mark.parametrize("chosen", [c for c in EVERYWHERE if not c.row.coupled], ids=name)
def test_nothing_overflows_or_warns_at_a_thousand(chosen: Activation, language: str) -> None:
    """Warnings are errors in these tests, so one of NumPy's would fail the text."""
    network = of(Affine(np.ones((1, 1))), chosen, inputs=1, outputs=1)
    expected = network.evaluate(EXTREMES)
    finite = np.isfinite(expected)
    for layout in LAYOUTS:
        for text in texts(network, language, layout):
            found = run(language, text, EXTREMES).outputs
            assert np.allclose(found[finite], expected[finite], rtol=1e-12, atol=1e-12)
            assert (found[~finite] >= 1e308).all()


@pytest.mark.parametrize("language", WAYS)
def test_a_group_may_be_a_thousand_too(language: str) -> None:
    for kind in ("softmax", "log_softmax", "sparsemax"):
        network = of(activation(kind), inputs=3, outputs=3)
        x = np.array([[1e3, -1e3, 0.0], [-1e3, -1e3, -1e3], [1e3, 999.0, 998.0]])
        for text in texts(network, language, "matrix") + texts(network, language, "layered"):
            assert np.allclose(run(language, text, x).outputs, network.evaluate(x), rtol=1e-12, atol=1e-15)


def test_erf_in_numpy_is_that_of_python() -> None:
    namespace: dict[str, object] = {}
    exec(emit(matrix(around(activation("gelu"), 2)), "numpy"), namespace)
    places = [*np.linspace(-7, 7, 2001), 1e-300, 1e-9, 0.46875, -0.46875, 4.0, 1e3, -1e300]
    found = namespace["erf"](np.array(places))  # type: ignore[operator]
    expected = np.array([math.erf(place) for place in places])
    assert np.max(np.abs(found - expected)) < 5e-16
    assert np.allclose(found, expected, rtol=2e-15, atol=0)


# ------------------------------------------------------------------------------------------------ the numbers


@pytest.mark.parametrize("language", WAYS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_wrong_digit_anywhere_is_seen(language: str, layout: str) -> None:
    network = dense(2, 3, 2)
    x = np.random.default_rng(1).normal(size=(20, 2))
    text = emit(LAYOUTS[layout](network), language)
    places = [match.start(1) for match in re.finditer(r"\d\.\d\d\d(\d)\d", text)]
    assert len(places) >= 17
    for at in places:
        wrong = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
        assert np.max(np.abs(run(language, wrong, x).outputs - network.evaluate(x))) > 1e-9


AWKWARD = np.array(
    [7.038531e-26, 1e-45, 3.4028235e38, -0.0, 1 / 3, 16777217.0, 1e-7, 123456.79], dtype=np.float32
)
"""The first is the one float32 number whose shortest decimal becomes another by way of a float64."""


@pytest.mark.parametrize("count", [1, 200], ids=["as literals", "as text"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_number_keeps_its_value(dtype: type, count: int) -> None:
    data = np.tile(AWKWARD.astype(dtype) * (1 if dtype == np.float32 else 1 / 3), count)
    kernel = np.stack([data, data[::-1]], axis=-1)
    program = matrix(of(Affine(kernel, kernel[0].copy()), inputs=len(data), outputs=2))
    wide = kernel.astype(np.float64)
    assert np.array_equal(defined(emit(program, "numpy"))["W1"], wide)
    assert np.array_equal(np.transpose(defined(emit(program, "python"))["W1"]), wide)
    read = read_program(emit(program, "json")).predict.steps[0].terms[0].matrix.data  # type: ignore[union-attr]
    assert read.dtype == dtype
    assert np.array_equal(read, kernel)
    if count == 1:
        found = defined(emit(program, "sympy"))["W1"]
        assert np.array_equal(np.array(found.tolist(), dtype=np.float64), wide)  # type: ignore[attr-defined]


def test_values_on_the_way_have_their_names() -> None:
    network = dense(2, 3, 2, last="sigmoid")
    x = np.random.default_rng(0).normal(size=(6, 2))
    program = layered(network)
    exact = program.values(x)
    for language in ("numpy", "python", "sympy"):
        values = run(language, emit(program, language), x).values
        for step in program.predict.steps:
            for unit, part in enumerate(step.out.parts):
                assert np.allclose(values[part], exact[step.out.name][:, unit], rtol=1e-12)
    for language in ("numpy", "python", "json"):
        values = run(language, emit(matrix(network), language), x).values
        assert np.allclose(values["a1"], exact["a1"], rtol=1e-12)
