"""The reader of LaTeX reads what people make of a formula, and says what it cannot read, and where."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from latex_networks import dense, samples, special

from nn2eq.emit import emit
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.proof.latex_reader import run
from nn2eq.proof.latex_symbols import floats

X = np.array([[0.5], [-1.0], [2.0]])
WANTED = 2 * np.tanh(0.3 * X + 0.1) - 1


def answer(text: str, x: np.ndarray = X) -> np.ndarray:
    return run(text, x).outputs


@pytest.mark.parametrize(
    "text",
    [
        r"y = 2\tanh(0.3x+0.1)-1",
        r"\[ y = 2 \cdot \tanh\left( 0.3\,x + 0.1 \right) - 1. \]",
        r"$$y(x)=2\tanh\!\left(\frac{3}{10}x+\frac1{10}\right)-1$$",
        r"\begin{equation}\begin{split} y ={}& 2 \tanh\Bigl( 0.3 x \\ &\quad + 0.1 \Bigr) \\ &- 1"
        r" \end{split}\label{eq:y}\end{equation}",
        r"\begin{multline} y = 2 \tanh(0.3 * x \\ + 0.1) \\ - 1 \end{multline}",
        r"\begin{gather*} h = \tanh(3 \times 10^{-1} x + 1\cdot10^{-1}),\quad y = 2h - 1 \nonumber"
        r" \end{gather*}",
        r"\begin{align} y &= 2 f(0.3 x + 0.1) - 1, \\ \text{where } f(z) &= \frac{e^{2z}-1}{e^{2z}+1}."
        r" \end{align}",
        "y = 2 \\tanh[0.3 x + 10^{-1}] + -1",
        "y=2*\\tanh(3e-1*x+1E-1)-1 % a comment = here, 100\\% of it",
        r"y = 2 (e^{0.3x + 0.1} - e^{-(0.3x + 0.1)}) / (\exp(0.3x + 0.1) + \exp(-0.3x - 0.1)) - 1",
        r"\documentclass{article}\begin{document}The fit $y \neq 0$ is \[y = 2 \tanh(0.3x + 0.1) - 1\]"
        r"\end{document}",
        r"y = \begin{bmatrix} 2 \end{bmatrix}^{\top} \tanh(0.3 x + 0.1) - 1",
        r"y = W^\mathsf{T} a + b \\ a = \tanh\left(\begin{pmatrix} 0.3 \end{pmatrix} x + 0.1\right) \\"
        r"W = 2 \\ b = -1",
        r"y = \sum_{j=1}^{2} a_j \\ a_1 = 2 \tanh(0.3 x + 0.1) \\ a_2 = -1",
        r"y = 2 \tanh(u) - 1 \qquad u = 0.3 x + 0.1",
    ],
)
def test_edits_by_hand_are_read(text: str) -> None:
    assert np.allclose(answer(text), WANTED, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (r"y = |x| + \lvert -x \rvert", 2 * np.abs(X)),
        (r"y = \max(0, x)^2", np.maximum(0, X) ** 2),
        (r"y = \tanh^2(x) + \tanh x", np.tanh(X) ** 2 + np.tanh(X)),
        (r"y = \sqrt{x^2} + \ln e^{x}", np.abs(X) + X),
        (
            r"y = \begin{cases} x & \text{if } x > 0 \\ -x^3 & x > -2 \\ 0 & \text{otherwise} \end{cases}",
            np.abs(X) ** np.where(X > 0, 1, 3),
        ),
        (r"y = \pi x - e x", (np.pi - np.e) * X),
        (r"y = -x^{2} / 2 x", -(X**2) / 2 * X),
        (r"y = \frac12 x + x^23", 0.5 * X + 3 * X**2),
        (r"y = x - (x - 1) - (2 - x)", X - 1),
        (r"y = \begin{cases} 1 & x = 0.5 \\ 2 & x \le -1 \\ 3 \end{cases}", np.array([[1.0], [2.0], [3.0]])),
    ],
)  # fmt: skip
def test_mathematics_is_read_as_it_is_meant(text: str, wanted: np.ndarray) -> None:
    assert np.allclose(answer(text), wanted, rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("\n\ny = 2 \\foo(0.3 x)", r"nothing says what \\foo is", 3),
        ("y = 2\n  \\tanh(0.3 x + 0.1", "something is not closed", 2),
        ("y = 2 \\tanh(0.3 x]", "closes nothing", 1),
        ("y = 2 q + x", "nothing says what q is", 1),
        ("a = b \\\\\nb = a \\\\ y = x", "defined by itself", 2),
        ("f(z) = f(z) \\\\ y = f(x)", "defined by itself", 1),
        ("0.3 x", "not an equation", 1),
        ("", "not an equation", 1),
        ("y = x = 3", "y stands for two things", 1),
        ("\\[ y = \\begin{foo} 1 \\end{foo} \\]", "the environment 'foo' is not read", 1),
        ("y = \\begin{bmatrix} 1 & 2 \\\\ 3 \\end{bmatrix} x", "rows are not of one length", 1),
        ("y = \\begin{bmatrix} 1 & 2 \\end{bmatrix} x", r"a matrix \(1, 2\) times a vector of 1", 1),
        ("y = 0.3 0.5 x", "two numbers side by side: '0.5 x'", 1),
        ("y = 0.3 x \\\\\ny = 2 x", "y stands for two things", 2),
        ("y = \\frac{1}", "was expected", 1),
        ("y = x +", "was expected", 1),
        ("3 y = x", "left-hand side '3y' is not a symbol", 1),
        ("y = \\sum x", "nothing says what|was expected|cannot read", 1),
        ("y = \\sum_j x", "which nothing limits", 1),
        ("f(z) = z \\\\ y = f(x, x)", "f takes 1 argument", 1),
        ("f_i(z) = z_i \\\\ y = f_3(x, x)", "f has no unit 3", 1),
        ("y = " + "(" * 1000 + "x" + ")" * 1000, "brackets within brackets", 1),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(text: str, said: str, line: int) -> None:
    with pytest.raises(BadRequest, match=said) as caught:
        answer(text)
    assert caught.value.code == "latex"
    assert caught.value.where == f"line {line}"


def test_an_input_cannot_be_redefined() -> None:
    with pytest.raises(BadRequest, match="x is an input and the left-hand side"):
        answer(r"x = 3 \\ y = x")


def test_inputs_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(BadRequest, match="the text has 2 inputs, the model 1"):
        answer("% inputs: a, b; outputs: y\ny = a + b")


def test_inputs_and_outputs_are_those_of_the_comment() -> None:
    text = (
        "% inputs: T_\\mathrm{in}, \\Delta  T; outputs: q\nq = r + 1 \\\\ r = 2 T_{\\mathrm{in}} - \\Delta T"
    )
    assert np.allclose(answer(text, np.array([[1.0, 3.0]])), 0.0)


def test_decimals_are_float32_if_the_text_says_so() -> None:
    x = np.array([[1.0]])
    assert answer("% numbers: float32\ny = 0.1 x", x)[0, 0] == float(np.float32(0.1))
    assert answer("% numbers: float32\ny = {0.1} x", x)[0, 0] == 0.1
    assert answer("% numbers: float64\ny = 0.1 x", x)[0, 0] == 0.1


def test_a_decimal_beside_the_middle_of_two_float32_goes_to_its_own_side() -> None:
    """Rounding to float64 first would put it on the middle, and then to the even side."""
    low = np.float32(1.0)
    middle = (float(low) + float(np.nextafter(low, np.float32(2)))) / 2
    just_above = f"{middle:.25f}"[:-1] + "1"
    assert float(just_above) == middle
    assert floats([just_above], single=True)[0] > 1.0
    assert floats([f"{middle:.25f}"], single=True)[0] == 1.0


@given(st.text(alphabet=r"xyz0123456789.+-*/^_(){}[]|=,&\\ \nabcdefghilmnqrstu", max_size=60))
def test_anything_is_read_or_refused(text: str) -> None:
    """No text, however broken, brings the reader down."""
    with suppress(BadRequest):
        answer(text)


def damaged(text: str, random: Random) -> str:
    """Cut a piece out, put it elsewhere, or change a character, a few times."""
    for _ in range(random.choice((1, 1, 2, 4))):
        here, there = (random.randrange(len(text)) for _ in range(2))
        end = here + random.choice((1, 1, 2, 5, 20, 60))
        sign = random.choice("(){}[]&=\\^_,+-*/|0123.xyzeijn \n")
        changes = (
            text[:here] + text[end:],
            text[:there] + text[here:end] + text[there:],
            text[:here] + sign + text[here + 1 :],
        )
        text = random.choice(changes)
    return text


@pytest.mark.parametrize("case", special())
def test_a_damaged_text_is_read_or_refused(case: str) -> None:
    network, random = special()[case], Random(case)
    x = np.ones((3, network.inputs))
    for build, activations, numbers in product(
        (nested, layered, matrix), ("name", "explicit"), ("inline", "matrix", "table")
    ):
        text = emit(build(network), "latex", Options(activations=activations, numbers=numbers))
        for _ in range(10):
            with suppress(BadRequest):
                assert len(answer(damaged(text, random), x)) == 3


def test_line_breaks_and_spaces_make_no_difference() -> None:
    network = dense(2, 5, 4, 1)
    x = samples(network)
    for options in (Options(), Options(activations="explicit")):
        text = emit(nested(network), "latex", options)
        flat = text.replace("\\\\\n", " ").replace("&", " ").replace(r"\quad", "").replace("\n", " \n ")
        assert np.array_equal(run(flat.replace("%", "\n%"), x).outputs, run(text, x).outputs)


def test_a_part_of_a_text_can_be_changed_by_hand() -> None:
    """Rename a layer's units by a vector, and write a sigmoid out."""
    network = dense(1, 2, 1, hidden="sigmoid")
    text = emit(layered(network), "latex")
    edited = text.replace(r"\sigma(z) &= \frac{1}{1 + e^{-z}}", r"\sigma(u) &= 0.5 + 0.5\tanh(u/2)")
    edited = edited.replace("a_{1,1}", "h").replace("a_{1,2}", "k")
    assert edited.count("h") > 2
    x = samples(network)
    assert np.allclose(run(edited, x).outputs, network.evaluate(x), rtol=1e-12)
