"""Derivatives in x: the program against differences, its texts against the program, the checkers against errors."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import dense
from numpy.typing import NDArray

from nn2eq.activations import ROWS, Activation
from nn2eq.conversion import Request, convert
from nn2eq.emit import LANGUAGES, content, emit, emitter
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, CannotEmit
from nn2eq.forms.gradient import gradient
from nn2eq.forms.program import Program
from nn2eq.forms.straight import matrix
from nn2eq.network import Network
from nn2eq.proof.check import check
from nn2eq.proof.judge import judge
from nn2eq.scaling import in_original_units

Array = NDArray[np.float64]
STEP = 1e-6
SIZES = ((1, 4, 1), (1, 4, 2), (3, 4, 1), (3, 4, 2), (2, 4, 4), (3, 4, 6))
"""One and several inputs and outputs; fewer outputs than inputs, as many, and more."""
WRITTEN = [(language, layout) for language in LANGUAGES for layout in emitter(language).derivatives]
HERE = [(language, layout) for language, layout in WRITTEN if not emitter(language).external]


def jacobian(program: Program, x: Array) -> Array:
    """The Jacobian, (n, outputs, inputs)."""
    outputs = len(program.outputs)
    return program.alone(program.functions[1]).evaluate(x)[:, outputs:].reshape(len(x), outputs, -1)


def hessian(program: Program, x: Array) -> Array:
    shape = (len(x), len(program.outputs), x.shape[1], x.shape[1])
    return program.alone(program.functions[2]).evaluate(x).reshape(shape)


def differences(function: object, x: Array) -> Array:
    """Central differences along each input, on a new last axis."""
    moves = STEP * np.eye(x.shape[1])
    assert callable(function)
    return np.stack([(function(x + move) - function(x - move)) / (2 * STEP) for move in moves], axis=-1)


def require_derivatives(network: Network, program: Program) -> None:
    x = np.random.default_rng(0).normal(size=(6, network.inputs))
    x = np.abs(x) + 0.1 if not np.isfinite(network.evaluate(x)).all() else x
    if not np.isfinite(network.evaluate(x)).all():
        pytest.skip("outside of its domain")
    expected = differences(network.evaluate, x)
    found = jacobian(program, x)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7 * max(1.0, np.abs(expected).max()))
    curved = differences(lambda at: jacobian(program, at), x)
    np.testing.assert_allclose(
        hessian(program, x), curved, rtol=1e-5, atol=1e-6 * max(1.0, np.abs(curved).max())
    )


@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: "-".join(map(str, sizes)))
@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if not row.transform])
def test_every_row_within_and_at_the_end(name: str, sizes: tuple[int, ...]) -> None:
    for last in ("linear", name):
        if ROWS[last].halves and sizes[-1] % 2:
            continue
        network = dense(sizes, (name, last))
        require_derivatives(network, gradient(network, hessian=True))


def test_nothing_folded_and_nothing_to_learn() -> None:
    for network in (
        dense((3, 2), ("linear",)),
        dense((3, 4, 1), ("linear", "linear")),
        dense((2, 2), ("relu",)),
    ):
        for fold in (True, False):
            program = gradient(network, hessian=True, fold=fold)
            require_derivatives(network, program)


def test_scalers_and_transforms_count() -> None:
    network = dense((3, 4, 2), ("tanh", "linear"))
    scaled = in_original_units(
        network,
        scale_input="x1=minmax:0:5,x2=standard:1:0.2",
        transform_input="x2=log10",
        scale_output="minmax:0:9",
    )
    for fold in (True, False):
        program = gradient(scaled, hessian=True, fold=fold)
        x = np.random.default_rng(0).uniform(0.5, 2.0, (6, 3))
        expected = differences(scaled.evaluate, x)
        np.testing.assert_allclose(jacobian(program, x), expected, rtol=1e-6, atol=1e-6)
        curved = differences(lambda at: jacobian(program, at), x)  # noqa: B023 - called at once
        np.testing.assert_allclose(hessian(program, x), curved, rtol=1e-5, atol=1e-4)


def test_breakpoints_have_the_slopes_of_tensorflow() -> None:
    network = dense((1, 1), ("relu",))
    [layer] = network.layers
    affine = replace(layer.maps[0], kernel=np.ones((1, 1)), bias=np.zeros(1))
    network = replace(network, layers=(replace(layer, maps=(affine, *layer.maps[1:])),))
    slopes = jacobian(gradient(network), np.array([[-1.0], [0.0], [1.0]]))
    assert slopes.ravel().tolist() == [0.0, 0.0, 1.0]


# ------------------------------------------------------------------------------------------------ its texts


def in_groups(network: Network) -> Network:
    """Return a network whose rows that couple units do so within either half of them."""
    layers = []
    for layer in network.layers:
        maps = (
            replace(step, groups=2) if isinstance(step, Activation) and step.row.coupled else step
            for step in layer.maps
        )
        layers.append(replace(layer, maps=tuple(maps)))
    return replace(network, layers=tuple(layers))


NETWORKS = {
    "halves": in_groups(dense((3, 6, 4), ("layer_normalization", "softmax"))),
    "alone": in_groups(dense((5, 8, 2), ("glu", "softmax"))),
    "tanh": dense((3, 4, 1), ("tanh", "linear")),
    "one": dense((1, 3, 1), ("gelu", "sigmoid")),
    "bends": dense((2, 4, 2), ("relu", "leaky_relu")),
    "coupled": dense((3, 4, 2), ("layer_normalization", "softmax")),
    "coupled twice": dense((3, 4, 4, 2), ("rms_normalization", "variance_scaling", "linear")),
    "gates": dense((2, 4, 2), ("glu", "linear")),
    "more": dense((2, 3, 3), ("elu", "summed_sparsemax")),
    "fewer": dense((4, 6, 3), ("glu", "summed_sparsemax")),
    "affine": dense((2, 3), ("linear",)),
    "first": in_original_units(dense((2, 3, 1), ("mish", "linear")), transform_input="x1=square"),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("language", "layout"), HERE)
def test_texts_say_it(language: str, layout: str, name: str) -> None:
    program = gradient(NETWORKS[name], hessian=True, layout=layout)
    if name in ("more", "fewer") and emitter(language).for_people:
        with pytest.raises(CannotEmit, match="cases"):
            emit(program, language)
        return
    agreement = check(NETWORKS[name], emit(program, language), language, program=program)
    assert agreement.holds, agreement.line() + agreement.where()
    assert "its derivatives too" in agreement.note


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "layout"), [pair for pair in WRITTEN if pair not in HERE and pair[0] != "smtlib"]
)
def test_texts_of_other_languages_say_it(language: str, layout: str) -> None:
    names = ("halves", "alone", "fewer", "bends", "first") if layout == "matrix" else ("coupled", "more")
    for name in names:
        program = gradient(NETWORKS[name], hessian=True, layout=layout)
        agreement = check(NETWORKS[name], content(program, language), language, program=program)
        assert agreement.holds, f"{name}: {agreement.line()} {agreement.where()}"
        assert "its derivatives too" in agreement.note


@pytest.mark.slow
@pytest.mark.parametrize("name", ["more", "affine"])
def test_c_says_it_in_float(name: str) -> None:
    request = Request("c", "gradient", options=Options(dtype="float32"), shape={"hessian": True})
    agreement = convert(NETWORKS[name], request, run=True).agreement
    assert agreement is not None
    assert "its derivatives too" in agreement.note


def test_c_is_c_plus_plus_too(tmp_path: Path) -> None:
    (tmp_path / "text.cpp").write_text(emit(gradient(NETWORKS["coupled"], hessian=True), "c"))
    words = ("g++", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "text.cpp")
    subprocess.run(words, cwd=tmp_path, check=True)


@pytest.mark.parametrize("language", ["c", "javascript", "rust", "java", "go"])
def test_a_large_network_is_written_in_whole_layers_with_each_number_once(language: str) -> None:
    network = dense((784, 128, 10), ("relu", "softmax"))
    both = emit(gradient(network), language)
    assert len(both) < 1.01 * len(emit(matrix(network), language)) + 4_000


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.pieces and not row.transform])
def test_slopes_of_pieces_are_linear_in_each_case(name: str) -> None:
    for sizes in ((2, 3, 3), (3, 3, 2)):
        text = emit(gradient(dense(sizes, (name, name)), hessian=True, layout="layered"), "smtlib")
        assert "(set-logic QF_LRA)" in text
        assert not re.search(r"\(\* [a-zA-Z]\w* [(a-zA-Z]", text)


def test_slopes_of_pieces_are_solved() -> None:
    pytest.importorskip("z3")
    network = dense((2, 2, 2, 1), ("shifted_relu", "hard_sigmoid", "prelu"))
    program = gradient(network, hessian=True, layout="layered")
    text = emit(program, "smtlib")
    agreement = check(network, text, "smtlib", program=program)
    assert agreement.holds, agreement.line() + agreement.where()


def test_smtlib_refuses_slopes_that_are_curved() -> None:
    with pytest.raises(CannotEmit, match="tanh has no affine pieces"):
        convert(NETWORKS["tanh"], Request("smtlib", "gradient"))


@pytest.mark.parametrize(
    ("language", "said", "wrong"),
    [
        (
            "smtlib",
            "(* (- (/ 12537579.0 134217728.0)) delta1_2)",
            "(* (- (/ 12537579.0 134217720.0)) delta1_2)",
        ),
        ("pyomo", "zip(*W1)]", "zip(*W2)]"),
    ],
)
def test_a_wrong_slope_in_a_solvers_text_is_named(language: str, said: str, wrong: str) -> None:
    pytest.importorskip({"smtlib": "z3"}.get(language, language))
    network = (
        dense((2, 3, 3, 1), ("relu", "relu", "linear"))
        if language == "pyomo"
        else dense((2, 3, 1), ("relu", "linear"))
    )
    program = gradient(network, layout=emitter(language).derivatives[0])
    text = emit(program, language)
    assert said in text
    agreement = check(network, text.replace(said, wrong, 1), language, program=program)
    assert not agreement.holds
    assert agreement.spot is not None
    assert agreement.spot.output.startswith("dy/dx")


def test_pyomo_adds_a_variable_for_every_slope() -> None:
    environ = pytest.importorskip("pyomo.environ")
    found: dict[str, Callable[[object], None]] = {}
    exec(emit(gradient(NETWORKS["bends"], hessian=True), "pyomo"), found)
    model = environ.ConcreteModel()
    found["add_network"](model)
    assert list(model.jacobian) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert list(model.hessian)[:3] == [(1, 1, 1), (1, 1, 2), (1, 2, 1)]


CHOSEN = (("y2",), ("x1", "x3")), (("y2", "y1"), ("x2",)), ((), ("x4",)), (("y3",), ())


@pytest.mark.parametrize(("of", "by"), CHOSEN)
def test_some_outputs_by_some_inputs(of: tuple[str, ...], by: tuple[str, ...]) -> None:
    network, x = NETWORKS["fewer"], np.random.default_rng(0).normal(size=(5, 4))
    program = gradient(network, hessian=True, of=of, by=by)
    outputs = [int(name[1]) - 1 for name in of] or [0, 1, 2]
    inputs = [int(name[1]) - 1 for name in by] or [0, 1, 2, 3]
    whole = gradient(network, hessian=True)
    expected = jacobian(whole, x)[:, outputs][:, :, inputs]
    found = program.alone(program.functions[1]).evaluate(x)[:, 3:]
    np.testing.assert_allclose(found, expected.reshape(5, -1), rtol=1e-12, atol=1e-14)
    curved = hessian(whole, x)[:, outputs][:, :, inputs][..., inputs]
    found = program.alone(program.functions[2]).evaluate(x)
    np.testing.assert_allclose(found, curved.reshape(5, -1), rtol=1e-12, atol=1e-14)
    for language in ("numpy", "python", "json"):
        request = Request(language, "gradient", shape={"of": of, "by": by})
        text = convert(network, request).text
        assert judge(network, text).holds
    with pytest.raises(BadRequest, match="at a point"):
        gradient(network, at=0.0, of=of, by=by)


def test_an_output_that_is_not_there() -> None:
    with pytest.raises(BadRequest, match="--of: no 'y9'; one of y1, y2"):
        gradient(NETWORKS["bends"], of=("y9",))


def test_c_says_how_many_numbers_it_writes() -> None:
    text = emit(gradient(NETWORKS["fewer"], of=("y2",), by=("x1", "x3")), "c")
    assert "y takes 3, jacobian takes 1 x 2; matrices are written row by row." in text


def test_numpy_takes_and_gives_what_it_says() -> None:
    found: dict[str, object] = {}
    exec(
        emit(
            gradient(NETWORKS["coupled"], hessian=True),
            "numpy",
        ),
        found,
    )
    both, second = found["predict_and_jacobian"], found["hessian"]
    assert callable(both)
    assert callable(second)
    y, slopes = both(np.ones((5, 3)))
    assert (y.shape, slopes.shape, second(np.ones((5, 3))).shape) == ((5, 2), (5, 2, 3), (5, 2, 3, 3))
    y, slopes = both(np.ones(3))
    assert (y.shape, slopes.shape, second(np.ones(3)).shape) == ((2,), (2, 3), (2, 3, 3))
    with pytest.raises(ValueError, match="takes"):
        both(np.ones((5, 4)))
    exec(emit(gradient(NETWORKS["one"]), "numpy"), found)
    both = found["predict_and_jacobian"]
    assert callable(both)
    y, slopes = both(0.5)
    assert (np.shape(y), slopes.shape) == ((), (1, 1))
    y, slopes = both(np.array([0.5, 1.0]))
    assert (y.shape, slopes.shape) == ((2,), (2, 1, 1))


def test_functions_are_called_after_the_first() -> None:
    conversion = convert(NETWORKS["tanh"], Request("numpy", "gradient", shape={"hessian": True}))
    assert "def predict_and_jacobian(x)" in conversion.text
    assert "def hessian(x)" in conversion.text
    assert conversion.agreement is not None
    assert conversion.agreement.holds


def test_a_language_without_derivatives_refuses_them() -> None:
    program = gradient(NETWORKS["tanh"], layout="nested")
    with pytest.raises(CannotEmit, match="gradient form in the nested layout"):
        emit(replace(program, layout="nested"), "numpy")
