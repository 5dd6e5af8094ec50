"""Every programming language says what its Program says: compiled or interpreted, and held against float64.

A program that uses everything at once is compiled once for each language and layout; what is particular about C is
in test_c.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from language_programs import constant, everything, exact, odd, samples, scale
from latex_networks import dense

from nn2eq.conversion import NOT_RUN, Request, convert
from nn2eq.emit import LANGUAGES, emit, emitter
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, CannotEmit, Disagreement, TooLarge
from nn2eq.forms.program import Program
from nn2eq.forms.straight import layered, matrix
from nn2eq.network import Network
from nn2eq.proof.check import check
from nn2eq.proof.judge import judge, recognised
from nn2eq.proof.outside import Toolchain
from nn2eq.proof.runners import RUNNERS, run

OUTSIDE = [language for language in LANGUAGES if emitter(language).external]
CODE = ("c", "javascript", "fortran", "rust", "java", "go", "octave", "r")
LAYOUTS = ("nested", "layered", "matrix")
WAYS = (Options(), Options(activations="explicit"))
EXTREMES = {
    "float32": np.array(
        [0.1, -0.1, 1e-45, -1.1754944e-38, 3.4028235e38, 7.038531e-26, 16777216.0, -0.0], np.float32
    ),
    "float64": np.array(
        [0.1, 1 / 3, 5e-324, -2.2250738585072014e-308, 1.7976931348623157e308, 1e22, 1e-7, 2.0**60]
    ),
}


@pytest.fixture
def installed(language: str, tool: Callable[[str], str]) -> str:
    """The language, if its programs are on this machine."""
    toolchain: Toolchain = import_module(RUNNERS[language]).TOOLCHAIN
    for program, *_ in toolchain.commands:
        if "/" not in program:
            tool(program)
    return language


def require_same(program: Program, language: str, x: np.ndarray, options: Options = WAYS[0]) -> None:
    """Hold the text to the program, to 1e-12 of the magnitudes that are summed last."""
    text = emit(program, language, options)
    found = run(language, text, x, options.name).outputs
    with np.errstate(all="ignore"):
        errors = np.abs(found - program.evaluate(x)) / scale(program, x)
    worst = np.unravel_index(np.argmax(np.where(np.isnan(errors), np.inf, errors)), errors.shape)
    assert errors[worst] <= 1e-12, (
        f"{program.outputs[worst[1]]} at {x[worst[0]]}: {found[worst]}\n{text[:3000]}"
    )


def test_these_are_all_programming_languages() -> None:
    assert set(CODE) <= set(OUTSIDE)


@pytest.mark.parametrize("options", WAYS, ids=("by name", "explicit"))
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("language", CODE)
def test_every_activation(installed: str, layout: str, options: Options) -> None:
    require_same(everything(layout), installed, samples(), options)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("language", CODE)
def test_everything_odd(installed: str, layout: str) -> None:
    x = 3.0 * np.random.default_rng(1).standard_normal((50, 4))
    require_same(odd(layout), installed, x, Options(name="another"))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("language", CODE)
def test_an_output_that_is_the_same_everywhere(installed: str, layout: str) -> None:
    require_same(constant(layout), installed, np.random.default_rng(1).standard_normal((5, 2)))


@pytest.mark.parametrize("dtype", EXTREMES)
@pytest.mark.parametrize("layout", ["layered", "matrix"])
@pytest.mark.parametrize("language", CODE)
def test_numbers_read_back_to_the_last_bit(installed: str, layout: str, dtype: str) -> None:
    random = np.random.default_rng(3).standard_normal(2_000 if layout == "matrix" else 100).astype(dtype)
    data = np.concatenate([EXTREMES[dtype], random])
    found = run(installed, emit(exact(layout, data), installed), np.ones((1, 1))).outputs[0]
    assert np.array_equal(found, data.astype(np.float64))


# ---------------------------------------------------------------------------------------------------- large ones


@pytest.mark.slow
@pytest.mark.parametrize("language", CODE)
def test_a_large_network_as_loops_or_arrays(installed: str) -> None:
    network = dense(196, 300, 100, 10, hidden="relu", last="softmax")
    agreement = check(network, emit(matrix(network), installed), installed)
    assert agreement.holds, agreement.line()


@pytest.mark.slow
@pytest.mark.parametrize("language", CODE)
def test_many_scalars_or_a_clear_refusal(installed: str) -> None:
    network = dense(400, 50, 20, 3)
    try:
        text = emit(layered(network), installed)
    except TooLarge as error:
        assert "--form matrix" in str(error)  # noqa: PT017 - either is fine
        return
    agreement = check(network, text, installed)
    assert agreement.holds, agreement.line()


def test_a_method_in_java_is_never_longer_than_javac_takes() -> None:
    with pytest.raises(TooLarge, match="a function in java takes 4,000"):
        emit(layered(dense(400, 50, 3)), "java")


def test_a_statement_in_fortran_is_never_longer_than_the_standard_allows() -> None:
    with pytest.raises(TooLarge, match="fortran takes 24,000"):
        emit(layered(dense(3_000, 1)), "fortran")


@pytest.mark.parametrize("language", CODE)
def test_no_line_is_long(language: str) -> None:
    for program in (odd("nested"), everything("layered"), matrix(dense(40, 30, 3))):
        assert max(map(len, emit(program, language).splitlines())) <= 132


# --------------------------------------------------------------------------------------------------------- names


WORDS = {
    "c": ("int", "class", "tanh", "W1", "a1_1", "_x"),
    "javascript": ("function", "Math", "eval"),
    "fortran": ("matmul", "w1", "DP", "exp"),
    "rust": ("fn", "self", "f64"),
    "java": ("final", "double", "Math"),
    "go": ("func", "math", "range"),
    "octave": ("end", "tanh", "size"),
    "r": ("function", "TRUE"),
}


HOSTILE = ("T in °C", "*/ \"'\n", "1a", "日本", "", "t_IN_c", "x" * 300, "a1_1", "x", "sum1_1")


@pytest.mark.parametrize("form", [layered, matrix])
@pytest.mark.parametrize("language", CODE)
def test_names_are_written_as_near_as_can_be(installed: str, form: Callable[[Network], Program]) -> None:
    names = tuple(dict.fromkeys((*WORDS[installed], *HOSTILE)))
    network = replace(dense(len(names), 3, 2), input_names=names, output_names=("predict", "d/dt"))
    require_same(form(network), installed, np.random.default_rng(1).standard_normal((5, len(names))))
    text = emit(form(network), installed)
    comment = emitter(installed).comment
    assert re.search(rf"(?m)^{comment} T_in_C_? stands for 'T in \\xb0C'$", text)
    for word in WORDS[installed]:
        assert re.search(rf"(?m)^{comment} \w+ stands for '{word}'$", text)


@pytest.mark.parametrize("language", CODE)
def test_two_inputs_of_one_name_are_refused(language: str) -> None:
    with pytest.raises(CannotEmit, match="stands for two things"):
        emit(layered(replace(dense(2, 1), input_names=("a", "a"))), language)


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("c", "main"),
        ("c", "gamma"),
        ("java", "system"),
        ("go", "init"),
        ("rust", "main"),
        ("fortran", "x"),
        ("fortran", "mod"),
        ("octave", "ans"),
        ("r", "exp"),
        ("c", "y"),
    ],
)
def test_some_names_are_no_function(language: str, name: str) -> None:
    with pytest.raises(CannotEmit):
        emit(layered(dense(2, 3, 1)), language, Options(name=name))


def test_fortran_knows_no_capitals() -> None:
    text = emit(layered(replace(dense(2, 1), input_names=("T", "t"))), "fortran")
    assert text.startswith("! t_ stands for 't'\n")


# ------------------------------------------------------------------------------------------- the runners and CLI


@pytest.mark.parametrize("language", CODE)
def test_a_wrong_number_is_found(installed: str) -> None:
    network = dense(2, 3, 1)
    text = emit(layered(network), installed)
    (line,) = (line for line in text.splitlines() if re.search(r"\ba1_2\b.*[Tt]anh", line))
    wrong = text.replace(line, line.replace("tanh", "exp").replace("Tanh", "Exp"))
    assert wrong != text
    assert not check(network, wrong, installed).holds


@pytest.mark.parametrize("language", CODE)
def test_a_text_that_does_not_compile_is_one_clear_error(installed: str) -> None:
    with pytest.raises(Disagreement) as caught:
        run(installed, emit(matrix(dense(2, 1)), installed).replace("W1", "W1)", 1), np.zeros((1, 2)))
    assert caught.value.code == "text-fails"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("language", ["javascript", "java", "octave", "r"])
def test_the_wrong_number_of_inputs_is_an_error(installed: str) -> None:
    with pytest.raises(Disagreement, match="text fails"):
        run(installed, emit(matrix(dense(2, 1)), installed), np.zeros((4, 3)))


def test_a_missing_program_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadRequest, match="go is not installed"):
        run("go", emit(matrix(dense(2, 1)), "go"), np.zeros((1, 2)))


def test_a_function_is_called_by_a_name() -> None:
    with pytest.raises(BadRequest, match="not the name of a function"):
        run("go", "", np.zeros((1, 2)), "predict(x); os.Exit(0)")


@pytest.mark.parametrize("language", CODE)
def test_nothing_outside_is_run_unless_asked(language: str) -> None:
    network = dense(2, 3, 1)
    conversion = convert(network, Request(language))
    assert conversion.agreement is None
    assert NOT_RUN in conversion.text
    with pytest.raises(BadRequest, match="only on request"):
        judge(network, conversion.text)


@pytest.mark.parametrize("language", CODE)
def test_asked_for_it_is_run_and_judged(installed: str) -> None:
    network = dense(2, 3, 1)
    conversion = convert(network, Request(installed, options=Options(name="answer")), run=True)
    assert conversion.agreement is not None
    assert "agree" in conversion.line()
    assert judge(network, conversion.text, outside=True).holds
    bare = (line for line in conversion.text.splitlines() if "nn2eq " not in line)
    assert recognised("\n".join(bare)) == installed
