"""What a text that runs promises its user: shapes, names, limits, and a clear word where it cannot."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from latex_networks import affine, around, dense, renamed
from text_networks import EVERYWHERE, LAYOUTS, SPECIAL, TEXTS, WAYS, defined, require_same, texts

from nn2eq.activations import activation
from nn2eq.conversion import Request, convert
from nn2eq.emit import as_text, emit, emitter
from nn2eq.emit.header import read_header
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, CannotEmit, DamagedFile, Disagreement
from nn2eq.forms.expressions import evaluate_expressions, expressions
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.network import Layer, Network
from nn2eq.proof.allow import DIALECTS, require_allowed
from nn2eq.proof.runners import run


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


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_number_for_all_inputs_where_the_file_leaves_their_number_open(layout: str) -> None:
    network = dense(3, 4, 2)
    x = np.random.default_rng(0).normal(size=(4, 1))
    predict = defined(emit(LAYOUTS[layout](replace(network, one_for_all=True)), "numpy"))["predict"]
    assert np.allclose(predict(x), network.evaluate(np.repeat(x, 3, axis=1)), rtol=1e-6)  # type: ignore[operator]
    with pytest.raises(ValueError, match="predict takes"):
        defined(emit(LAYOUTS[layout](network), "numpy"))["predict"](x)  # type: ignore[operator]


@pytest.mark.parametrize("language", ["numpy", "c", "latex", "sql", "json"])
def test_every_language_says_what_one_number_stands_for(language: str) -> None:
    request = Request(language, "matrix" if language != "sql" else "layered")
    for network, said in ((dense(3, 2), False), (replace(dense(3, 2), one_for_all=True), True)):
        header = read_header(as_text(convert(network, request).text))
        assert header is not None
        assert any("give it 3 times" in note for note in header.notes) == said


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
    chosen = convert(network, Request(language="sympy"))
    assert (chosen.program.layout, "cases within cases" in chosen.reason) == ("layered", True)
    assert chosen.agreement is not None
    assert chosen.agreement.holds


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


@pytest.mark.parametrize("language", ["latex", "mathml", "typst", "unicode"])
def test_an_input_that_is_called_as_an_output_is_refused_where_people_read(language: str) -> None:
    network = replace(dense(2, 3, 1), input_names=("x", "y"))
    for layout in LAYOUTS.values():
        with pytest.raises(CannotEmit, match="stands for an input and for what is computed"):
            emit(layout(network), language)
        assert emit(layout(replace(network, input_names=("x", "u"))), language)


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
        with pytest.raises(CannotEmit, match=r"does not apply to .*\[option-format\]"):
            emit(program, language, options)
    for language in ("numpy", "python", "sympy"):
        with pytest.raises(CannotEmit, match="cannot write an activation as a symbol"):
            emit(program, language, Options(activations="symbol"))
    assert all("digits" in emitter(language).options for language in WAYS)


def test_a_program_that_is_none_is_refused() -> None:
    with pytest.raises(DamagedFile, match=r"\[program-json\]"):
        run("json", "{}", np.zeros((1, 1)))
