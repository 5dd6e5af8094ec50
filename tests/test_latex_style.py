"""What mathematicians would not write, LaTeX texts do not hold: doubled signs, a a for a^2, words run together."""

from __future__ import annotations

import os
import re
from dataclasses import replace

import numpy as np
import pytest
from latex_networks import affine, dense, of, renamed, samples

from nn2eq.activations import activation
from nn2eq.conversion import Request, convert
from nn2eq.emit import emit
from nn2eq.emit.options import Options
from nn2eq.forms import FORMS
from nn2eq.forms.backprop import backprop
from nn2eq.forms.gradient import gradient
from nn2eq.forms.pieces import pieces
from nn2eq.forms.polynomial import polynomial
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.forms.taylor import taylor
from nn2eq.network import Affine, Network, Source
from nn2eq.proof.latex_reader import run

DOUBLED = re.compile(r"[-+] *(?:\{\})?[-+]")
SIGMOID = dense(2, 3, 1, hidden="sigmoid", last="sigmoid")
SOFTMAX = dense(4, 3, 3, last="softmax")
DERIVED = {
    "a sigmoid's Hessian": gradient(SIGMOID, hessian=True, layout="layered"),
    "a hyperbolic tangent's": gradient(dense(1, 3, 2, 1), hessian=True, layout="layered"),
    "a softmax's Jacobian": gradient(SOFTMAX, layout="layered"),
    "categorical cross-entropy": backprop(SOFTMAX),
    "binary cross-entropy twice": backprop(dense(2, 2, last="sigmoid")),
}


def equations(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("%"))


@pytest.mark.parametrize("program", DERIVED.values(), ids=DERIVED)
def test_no_sign_stands_behind_a_sign(program: object) -> None:
    assert not DOUBLED.search(equations(emit(program, "latex")))  # type: ignore[arg-type]


def test_the_search_finds_a_doubled_sign() -> None:
    assert DOUBLED.search(r"a + -b")
    assert DOUBLED.search(r"&\quad {}+ -b")
    assert not DOUBLED.search(r"a + b - c")


def test_second_slopes_are_as_in_a_textbook() -> None:
    text = emit(DERIVED["a sigmoid's Hessian"], "latex")
    assert r"q_{1,1} &= a_{1,1} (1 - a_{1,1}) (1 - 2 a_{1,1})" in text
    text = emit(DERIVED["a hyperbolic tangent's"], "latex")
    assert r"q_{1,1} &= -2 a_{1,1} (1 - a_{1,1}^{2})" in text
    assert not re.search(
        r"[a-z}]\s*\\cdot \d|\(-\d[\d.]*\)", text
    )  # numbers stand in front, with the sign of the term


def test_a_sum_of_one_term_has_no_name() -> None:
    text = emit(DERIVED["a softmax's Jacobian"], "latex")
    assert r"\delta_{2,1,1} &= y_1 (1 - y_1)" in text
    assert r"\mathrm{sum}" not in equations(text)


@pytest.mark.parametrize("names", [("a", "d", "z"), ("p", "partner", "t_d")])
@pytest.mark.parametrize("language", ["latex", "python", "sql"])
def test_outputs_may_be_called_as_a_formula_calls_its_values(language: str, names: tuple[str, ...]) -> None:
    network = replace(dense(4, 3, 3, last="softmax"), output_names=names)
    request = Request(language, "gradient")
    agreement = convert(network, request).agreement
    assert agreement is not None
    assert agreement.holds
    assert "its derivatives too" in agreement.line()


def test_there_is_room_around_words() -> None:
    network = renamed(dense(2, 2, 1), ("age", "bmi"), ("risk",))
    assert re.search(r"[\d}] \\, \\mathrm\{age\}", emit(layered(network), "latex"))
    text = emit(taylor(network, order=2), "latex")
    assert r"\mathrm{age} \, \mathrm{bmi}" in text
    assert r" \mathrm{age}^{2}" in text
    x = samples(network)
    np.testing.assert_allclose(
        run(emit(nested(network), "latex"), x).outputs, network.evaluate(x), atol=1e-12
    )


def test_a_bias_of_zeros_is_not_added() -> None:
    network = of(
        Affine(np.array([[2.0]], "f4"), np.zeros(1, "f4")),
        activation("tanh"),
        affine(1, 2, 3),
        inputs=1,
        outputs=2,
    )
    text = emit(matrix(network), "latex")
    assert r"a_1 &= \tanh(2 x)" in text
    assert "b_1" in emit(matrix(network), "latex", Options(numbers="matrix"))  # where it has a value beside


def test_a_sign_behind_a_word_is_no_difference() -> None:
    lines = emit(pieces(dense(1, 3, 1, hidden="relu")), "latex")
    assert re.search(r"\\text\{if \} \{-[\d.]+\} <", lines)
    assert not re.search(r"\\text\{if \} -", lines)
    planes = emit(pieces(dense(2, 4, 1, hidden="relu"), domain=(-1, 1)), "latex")
    assert r"\ge" in planes
    assert not re.search(r"(?:\\text\{if \}|,\\ |qquad) -", planes)


@pytest.mark.parametrize("form", ["nested", "taylor", "polynomial", "gradient"])
def test_no_text_holds_the_folder_of_its_model(form: str) -> None:
    network = replace(dense(1, 2, 1), source=Source(os.path.join("some", "folder", "model.keras")))
    told = {"domain": (-0.1, 0.1)} if form == "polynomial" else {}
    assert FORMS[form].build(network, **told).model == "model.keras"


def legend(network: Network, form: str, options: Options) -> str:
    forms = {"layered": layered, "matrix": matrix}
    text = emit(forms[form](network), "latex", replace(options, standalone=True))
    return text.partition(r"\bigskip")[2].partition(r"\begin{align*}")[0]


def test_a_legend_says_what_stands_in_its_equations_and_no_more() -> None:
    network = dense(2, 3, 1)
    beside = legend(network, "layered", Options(numbers="matrix"))
    assert "a_{k,j}" in beside
    assert "a row for each input" in beside
    assert "$a_k$" not in beside
    assert "a row for each input" not in legend(network, "matrix", Options())
    found = polynomial(dense(1, 2, 1), domain=(-0.1, 0.1), tolerance=1e-2)
    assert "a_{k,j}" not in emit(found, "latex", Options(standalone=True))
    slopes = emit(DERIVED["a sigmoid's Hessian"], "latex", Options(standalone=True))
    assert r"\delta = \partial y / \partial z" in slopes
    assert r"\tau = \partial \gamma / \partial x" in slopes
