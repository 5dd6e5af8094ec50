"""Every text that runs says what its network says: run in its own language, held against the network."""

from __future__ import annotations

import ast
import itertools
import math
import re
from functools import cache

import numpy as np
import pytest
from activation_laws import examples, name
from latex_networks import affine, around, dense, of, renamed, special

from nn2eq.activations import Activation, activation
from nn2eq.emit import LANGUAGES, emit, emitter
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, CannotEmit, DamagedFile, Disagreement
from nn2eq.forms.expressions import evaluate_expressions, expressions
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.network import Affine, Layer, Network, Selected
from nn2eq.proof.agreement import compare
from nn2eq.proof.allow import DIALECTS, require_allowed
from nn2eq.proof.check import expect
from nn2eq.proof.program_json import read_program
from nn2eq.proof.runners import RUNNERS, run

LAYOUTS = {"nested": nested, "layered": layered, "matrix": matrix}
WAYS = {
    "numpy": (Options(), Options(activations="explicit")),
    "python": (Options(), Options(activations="explicit")),
    "sympy": (Options(), Options(activations="explicit")),
    "json": (Options(),),
}
"""The languages of this file, and the ways in which each can write an activation."""
TEXTS = [(language, layout) for language in WAYS for layout in LAYOUTS]
CASES_IN_CASES = "nested-cases"
"""What SymPy cannot say nested: see test_sympy_refuses_cases_within_conditions_of_cases."""


def texts(network: Network, language: str, layout: str, *, fold: bool = True) -> list[str]:
    """Return the network in every way that the language can say the layout."""
    found = []
    for options in WAYS[language]:
        try:
            found.append(emit(LAYOUTS[layout](network, fold=fold), language, options))
        except CannotEmit as error:
            if error.code != CASES_IN_CASES:
                raise
    return found


expected_of = cache(expect)


def require_same(network: Network, language: str, text: str) -> None:
    """Hold a text to the network: at ordinary inputs, large ones, and on either side of breakpoints."""
    expected = expected_of(network)
    assert len(expected.x) > 20
    answer = run(language, text, expected.x)
    agreement = compare(
        expected.answers, answer.outputs, scale=expected.scale, tolerance=expected.tolerance, x=expected.x
    )
    assert agreement.holds, f"{agreement.what()} {agreement.where()}\n{text[:3000]}"


EVERYWHERE = [chosen for chosen in examples() if np.isinf(chosen.domain).all() and not chosen.row.transform]
OF_INPUTS = [chosen for chosen in examples() if chosen.row.transform]
SPECIAL = {**special(), "named": renamed(dense(3, 2, 2), ("T_in", "x", "e"), ("p_out", "eta"))}


@cache
def network_around(chosen: Activation) -> Network:
    return around(chosen, 4 if chosen.row.coupled else 3)


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


# ----------------------------------------------------------------------------------------------- the contract


def defined(text: str) -> dict[str, object]:
    namespace: dict[str, object] = {}
    exec(text, namespace)
    return namespace


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("inputs", "outputs"), list(itertools.product((1, 2), (1, 3))))
def test_numpy_answers_in_the_shape_of_the_question(inputs: int, outputs: int, layout: str) -> None:
    network = dense(inputs, 3, outputs)
    predict = defined(emit(LAYOUTS[layout](network), "numpy"))["predict"]
    x = np.random.default_rng(0).normal(size=(5, inputs))
    y = network.evaluate(x)
    one = () if inputs == outputs == 1 else (outputs,)
    cases = [(x, (5, outputs)), (x[:1], (1, outputs)), (x[:0], (0, outputs)), (x.tolist(), (5, outputs))]
    cases += [(x.reshape(5, inputs, 1, 1), (5, outputs)), (x.astype(np.float32), (5, outputs))]
    cases += [(x[0], (outputs,)), (tuple(x[0].tolist()), (outputs,))] if inputs > 1 else []
    if inputs == 1:
        cases += [(float(x[0, 0]), one), (x[0, 0], one), (x[:, 0], (5, outputs) if outputs > 1 else (5,))]
    for given, shape in cases:
        answer = predict(given)  # type: ignore[operator]
        assert np.shape(answer) == shape
        assert np.asarray(answer).dtype == np.float64
        assert np.allclose(np.ravel(answer), np.ravel(y[: len(np.ravel(answer)) // outputs]), rtol=1e-6)


def test_numpy_takes_inputs_of_higher_rank_flattened_row_by_row() -> None:
    network = dense(6, 2)
    predict = defined(emit(matrix(network), "numpy"))["predict"]
    x = np.random.default_rng(0).normal(size=(4, 2, 3))
    assert np.allclose(predict(x), network.evaluate(x.reshape(4, 6)))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("inputs", "given", "said"),
    [
        (2, np.zeros((5, 3)), r"predict takes \(n, 2\) or \(2,\), not \(5, 3\)"),
        (2, np.zeros(3), r"\(2,\), not \(3,\)"),
        (2, 1.0, r"\(2,\), not \(\)"),
        (1, np.zeros((5, 2)), r"a number, \(n,\) or \(n, 1\), not \(5, 2\)"),
    ],
)
def test_numpy_names_both_sizes_of_a_wrong_input(inputs: int, given: object, said: str) -> None:
    for layout in LAYOUTS.values():
        predict = defined(emit(layout(dense(inputs, 2, 1)), "numpy"))["predict"]
        with pytest.raises(ValueError, match=said):
            predict(given)  # type: ignore[operator]


def test_python_takes_one_input_as_a_number_and_gives_one_output_as_one() -> None:
    for layout in LAYOUTS.values():
        for inputs, outputs in itertools.product((1, 2), (1, 3)):
            network = dense(inputs, 2, outputs)
            predict = defined(emit(layout(network), "python"))["predict"]
            answer = predict([0.25, 0.5] if inputs == 2 else 0.25)  # type: ignore[operator]
            assert isinstance(answer, float if outputs == 1 else list)
            assert np.allclose(answer, network.evaluate(np.array([[0.25, 0.5][:inputs]]))[0])
        with pytest.raises(ValueError, match="predict takes 2 numbers, not 3"):
            predict([1.0, 2.0, 3.0])  # type: ignore[operator]


@pytest.mark.parametrize(("language", "module"), [("numpy", "numpy"), ("python", "math"), ("sympy", "sympy")])
def test_one_module_alone_is_imported(language: str, module: str) -> None:
    network = dense(3, 4, 3, hidden="gelu", last="softmax")
    for layout in LAYOUTS:
        for text in texts(network, language, layout):
            lines = [line for line in text.splitlines() if re.match(r"\s*(import|from) ", line)]
            assert [line.split()[1] for line in lines] == [module]


@pytest.mark.parametrize("language", DIALECTS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_our_own_texts_may_run(language: str, layout: str) -> None:
    """What is said of a stranger's text is not said of ours."""
    networks = [
        dense(2, 3, 1),
        SPECIAL["softmax in groups"],
        SPECIAL["one input transformed"],
        dense(60, 40, 2),
    ]
    networks += [around(chosen, 4) for chosen in EVERYWHERE if chosen.row.coupled or len(chosen.row.name) < 6]
    for network in networks:
        for text in texts(network, language, layout):
            require_allowed(text, language)


def test_the_name_of_the_function_is_the_users() -> None:
    for language in ("numpy", "python"):
        text = emit(layered(dense(1, 1, 1)), language, Options(name="shear_stress"))
        assert callable(defined(text)["shear_stress"])
        assert np.isfinite(run(language, text, np.zeros((1, 1)), "shear_stress").outputs).all()


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


# ------------------------------------------------------------------------------------------------- the limits


def test_sums_may_be_longer_than_python_can_compile_at_once() -> None:
    network = dense(6000, 1, 1)
    x = np.random.default_rng(0).normal(size=(2, 6000))
    for language in ("numpy", "python", "sympy"):
        for layout in ("nested", "layered"):
            answer = run(language, emit(LAYOUTS[layout](network), language), x)
            assert np.allclose(answer.outputs, network.evaluate(x), rtol=1e-12)


def refusal(network: Network, language: str) -> str:
    """Return the code with which a language refuses to nest a network, "" if it does not."""
    try:
        emit(nested(network), language)
    except CannotEmit as error:
        return error.code
    return ""


@pytest.mark.parametrize("language", ["numpy", "python", "sympy"])
def test_nesting_ends_where_python_ends(language: str) -> None:
    chains = {layers: dense(*[2] + [1] * layers) for layers in range(10, 130, 10)}
    refused = {layers: refusal(network, language) for layers, network in chains.items()}
    assert set(refused.values()) == {"", "too-deep"}
    deepest = max(layers for layers, code in refused.items() if not code)
    assert 20 <= deepest < 100
    for layers in (10, deepest):
        require_same(chains[layers], language, emit(nested(chains[layers]), language))
    with pytest.raises(CannotEmit, match=r"brackets \d+ deep, more than Python reads; use --form layered"):
        emit(nested(chains[120]), language)


def test_sympy_refuses_cases_within_conditions_of_cases() -> None:
    network = dense(2, 2, 2, 1, hidden="elu")
    with pytest.raises(CannotEmit, match=r"SymPy multiplies out the cases .* use --form layered"):
        emit(nested(network), "sympy")
    assert evaluate_expressions(expressions(network), np.zeros((1, 2))).shape == (1, 1)


# -------------------------------------------------------------------------------------------------- the names


@pytest.mark.parametrize("language", ["numpy", "python", "sympy"])
@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        (("lambda", "b"), "name-clash"),
        (("a", "z1"), "name-clash"),
        (("a", "z1_2"), "name-clash"),
        (("sigmoid", "a"), "name-clash"),
        (("a", "a"), "name-clash"),
        (("a", "y"), "name-clash"),
        (("a b", "c"), "bad-name"),
        (("1a", "c"), "bad-name"),
        (("η", "c"), "bad-name"),
        (("a\n", "c"), "bad-name"),
        (("", "c"), "bad-name"),
    ],
)
def test_names_are_checked(language: str, inputs: tuple[str, str], code: str) -> None:
    network = renamed(dense(2, 3, 1, hidden="sigmoid"), inputs, ("y",))
    for layout in LAYOUTS.values():
        with pytest.raises(CannotEmit) as caught:
            emit(layout(network), language)
        assert caught.value.code == code
        assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("language", "name"), [("numpy", "np"), ("python", "math"), ("numpy", "x1"), ("python", "if")]
)
def test_the_functions_name_is_checked_too(language: str, name: str) -> None:
    with pytest.raises(CannotEmit, match=r"\[name-clash\]"):
        emit(layered(dense(2, 1, 1)), language, Options(name=name))


def test_names_of_functions_are_taken() -> None:
    by_erf = renamed(dense(1, 1, hidden="gelu", last="gelu"), ("erf",), ("y",))
    bare = renamed(dense(1, 1, last="softplus"), ("log1p",), ("y",))
    with pytest.raises(CannotEmit, match=r"\[name-clash\]"):
        emit(layered(by_erf), "numpy")
    with pytest.raises(CannotEmit, match=r"\[name-clash\]"):
        emit(nested(bare), "python", Options(expression=True))
    require_same(bare, "python", emit(nested(bare), "python"))


def test_names_of_arguments_may_be_those_of_the_text() -> None:
    """A text's own x and y do not get in the way of inputs and outputs that are called so."""
    network = renamed(dense(2, 3, 2, last="softmax"), ("y1", "x"), ("y", "x1"))
    for language, layout in TEXTS:
        require_same(network, language, emit(LAYOUTS[layout](network), language))


HOSTILE = [
    "\n__import__('os').abort()\n", '"""\nraise SystemExit', "\\", "\\\n", "#", "'''", "\x1b[31m",
    "\N{RIGHT-TO-LEFT OVERRIDE}", "\udc80", "\0", "\r\nx = 1", "\x0c", "\u2028", "{0}", "%s", '"', "{",
    "a" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("language", WAYS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_names_from_files_stay_in_their_comments(hostile: str, language: str, layout: str) -> None:
    layers = tuple(
        Layer(hostile, hostile, (2,), (affine(2, 2, seed), activation("sigmoid"))) for seed in range(2)
    )
    network = Network(layers, (2,))
    for text in texts(network, language, layout):
        assert text.isascii()
        assert all(line.isprintable() for line in text.splitlines())
        require_same(network, language, text)


# -------------------------------------------------------------------------------------------- what runs texts


@pytest.mark.parametrize("language", ["numpy", "python", "sympy"])
@pytest.mark.parametrize(
    "text",
    ["def predict(x:", "predict = 3", "raise ValueError('no')", "def predict(x):\n    return x.no\n", ""],
)
def test_a_text_that_fails_is_a_disagreement(language: str, text: str) -> None:
    with pytest.raises(Disagreement, match=r"\[text-fails\]"):
        run(language, text, np.zeros((2, 2)))


@pytest.mark.parametrize("language", ["numpy", "python"])
@pytest.mark.parametrize(
    "text", ["# y of x; \nopen(x)", "# y of x; \n0)\nopen(x)\n(0", "# y of x; \n    0)\nopen(1"]
)
def test_a_strangers_expression_is_looked_at_too(text: str, language: str) -> None:
    with pytest.raises(BadRequest):
        require_allowed(text, language)


def test_a_language_without_a_runner_is_said() -> None:
    with pytest.raises(CannotEmit, match=r"cobol .*\[not-run\]"):
        run("cobol", "", np.zeros((1, 1)))


def test_options_that_mean_nothing_are_refused() -> None:
    program = layered(dense(1, 1))
    for language, options in {"json": Options(name="f"), "sympy": Options(expression=True)}.items():
        with pytest.raises(CannotEmit, match=r"means nothing to .*\[option-format\]"):
            emit(program, language, options)
    for language in ("numpy", "python", "sympy"):
        with pytest.raises(CannotEmit, match="cannot write an activation as a symbol"):
            emit(program, language, Options(activations="symbol"))
    assert all("digits" in emitter(language).options for language in WAYS)


def test_a_program_that_is_none_is_refused() -> None:
    with pytest.raises(DamagedFile, match=r"\[program-json\]"):
        run("json", "{}", np.zeros((1, 1)))
