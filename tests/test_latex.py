"""Every equation that is written says what its network says: read back and evaluated, every digit of it."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest
from activation_laws import examples, name
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from latex_networks import TOLERANCE, affine, around, dense, of, renamed, samples, scale, special

from nn2eq.activations import Activation
from nn2eq.emit import emit
from nn2eq.emit.latex.functions import by_options
from nn2eq.emit.latex.names import Symbols, checked
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest
from nn2eq.forms.rounded import rounded
from nn2eq.forms.size import numbers
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.network import Affine, Network, Selected
from nn2eq.proof.latex_reader import run
from nn2eq.proof.latex_symbols import cell_values

LAYOUTS = {"nested": nested, "layered": layered, "matrix": matrix}
WAYS = [
    Options(activations=activations, numbers=where)
    for activations, where in product(("name", "explicit", "symbol"), ("inline", "matrix", "table"))
]
SPECIAL = special()
TINY = dense(1, 3, 2, 1)


def require_same(network: Network, text: str) -> None:
    x = samples(network)
    x = x[np.isfinite(network.evaluate(x)).all(axis=1)]
    expected, answer = network.evaluate(x), run(text, x)
    assert len(x) > 10
    assert np.max(np.abs(answer.outputs - expected) / scale(network, x)) < TOLERANCE


EVERYWHERE = [chosen for chosen in examples() if np.isinf(chosen.domain).all() and not chosen.row.transform]
OF_INPUTS = [chosen for chosen in examples() if chosen.row.transform]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("chosen", EVERYWHERE, ids=name)
def test_every_activation_in_every_way(chosen: Activation, layout: str) -> None:
    network = around(chosen, 4 if chosen.row.coupled else 3)
    for options in WAYS:
        require_same(network, emit(LAYOUTS[layout](network), "latex", options))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("chosen", OF_INPUTS, ids=name)
def test_every_transformation_of_an_input(chosen: Activation, layout: str) -> None:
    network = of(Selected(chosen, (1,)), affine(3, 2, 1), inputs=3, outputs=2)
    low, high = np.maximum(chosen.domain[0], -3.0), np.minimum(chosen.domain[1], 3.0)
    x = np.random.default_rng(2).uniform(low + 1e-3, high - 1e-3, size=(30, 3))
    for options in WAYS:
        answer = run(emit(LAYOUTS[layout](network), "latex", options), x)
        assert np.allclose(answer.outputs, network.evaluate(x), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", SPECIAL)
def test_every_special_network_in_every_way(case: str, layout: str) -> None:
    for options, fold in product(WAYS, (True, False)):
        require_same(SPECIAL[case], emit(LAYOUTS[layout](SPECIAL[case], fold=fold), "latex", options))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_wrong_digit_anywhere_is_seen(layout: str) -> None:
    """Change each number in turn, in its fourth digit: every one of them counts."""
    network = dense(2, 3, 2)
    x = samples(network)[:40]
    for options in WAYS:
        text = emit(LAYOUTS[layout](network), "latex", options)
        places = [match.start(1) for match in re.finditer(r"0\.\d\d\d(\d)\d", text)]
        assert len(places) > 10
        for at in places:
            wrong = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
            assert np.max(np.abs(run(wrong, x).outputs - network.evaluate(x))) > 1e-9


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("1 + e", "1 - e"),
        (r"\frac{1}", r"\frac{2}"),
        ("e^{-z}", "e^{z}"),
        (r"\sigma(z) &=", r"\sigma(z) &= 0.999 \cdot"),
        (" a_{1,2}", " a_{1,1}"),
        ("y &=", "y &= 0.001 +"),
        ("= \\sigma(", "= ("),
    ],
)
def test_a_wrong_sign_name_or_definition_is_seen(right: str, wrong: str) -> None:
    network = dense(1, 2, 1, hidden="sigmoid")
    text = emit(layered(network), "latex")
    assert right in text
    x = samples(network)[:40]
    assert np.max(np.abs(run(text.replace(right, wrong), x).outputs - network.evaluate(x))) > 1e-9


def test_values_on_the_way_have_their_names() -> None:
    network = dense(2, 3, 2)
    x = samples(network)
    hidden = np.tanh(next(iter(network.maps))(x))
    by_unit = run(emit(layered(network), "latex"), x).values
    assert np.allclose(by_unit["a1_3"], hidden[:, 2])
    assert np.allclose(run(emit(matrix(network), "latex"), x).values["a1"], hidden)
    explicit = run(emit(layered(network), "latex", Options(activations="explicit")), x).values
    assert {"z1_1", "z1_2", "z1_3", "a1_1", "a1_2", "a1_3"} <= set(explicit)


def test_what_overflows_is_never_a_wrong_number() -> None:
    """The quotient of exponentials: right at 1000, and not a number where no arithmetic reaches."""
    text = emit(nested(dense(1, 1, 1)), "latex", Options(activations="explicit"))
    x = np.array([[0.1], [3e3], [-3e3], [1e9]])
    answer, expected = run(text, x).outputs, dense(1, 1, 1).evaluate(x)
    assert np.allclose(answer[:1], expected[:1], rtol=TOLERANCE)
    known = np.isfinite(answer)
    assert np.allclose(answer[known], expected[known], rtol=TOLERANCE)
    assert known[1:3].all() == (np.finfo(np.longdouble).maxexp > 10_000)


# ---------------------------------------------------------------------------------------------------- text


def weights_in(text: str) -> int:
    """Count the numbers of the equations for the outputs: not those in indices, exponents and definitions."""
    equations = re.split(r"\\\\\[1ex\]\n(?!&)", text[text.index(r"\begin{align*}") :])[0]
    bare = re.sub(r"_\{?[\d,]+\}?", "", equations)
    return len(re.findall(r"\d+\.\d+", bare))


@pytest.mark.parametrize("activations", ["name", "explicit"])
@pytest.mark.parametrize("kind", ["tanh", "relu", "sigmoid", "softsign", "elu", "softmax"])
def test_the_size_law_is_exact(kind: str, activations: str) -> None:
    network, options = dense(2, 3, 3, 1, hidden=kind), Options(activations=activations)
    program = nested(network)
    assert weights_in(emit(program, "latex", options)) == numbers(program, by_options(options))


def test_numbers_are_written_as_mathematics_writes_them() -> None:
    text = emit(matrix(SPECIAL["diagonal"]), "latex")
    assert r"10^{-5}" in text
    assert r"3 \times 10^{10}" in text
    assert not re.search(r"\de[-+]?\d|\.0\b|\+ -|- -", text)


def test_signs_are_merged_and_a_coefficient_of_one_is_left_out() -> None:
    plain = of(Affine(np.array([[1.0], [-1.0], [-2.5]], "f4"), np.array([-3.0], "f4")), inputs=3, outputs=1)
    assert "y &= x_1 - x_2 - 2.5 x_3 - 3\n" in emit(nested(plain), "latex")


def test_every_name_that_is_no_standard_operator_is_defined() -> None:
    text = emit(layered(dense(2, 3, 3, hidden="mish", last="softmax")), "latex")
    assert r"\operatorname{mish}(z) &= z \tanh\bigl(\ln(1 + e^{z})\bigr)" in text
    assert r"\operatorname{softmax}_i(z) &= \frac{e^{z_i}}{\sum_{j} e^{z_j}}" in text
    assert r"\tanh(z) &=" not in emit(layered(TINY), "latex")


def test_the_comment_says_which_package_and_how_numbers_are_read() -> None:
    plain, table = (emit(nested(TINY), "latex", Options(numbers=where)) for where in ("inline", "table"))
    assert r"% needs: \usepackage{amsmath}" in plain
    assert r"% needs: \usepackage{amsmath}, \usepackage{booktabs}" in table
    assert "float32" in plain.split(r"\begin")[0]
    assert "float64" in emit(nested(SPECIAL["float64"]), "latex").split(r"\begin")[0]
    assert "3 significant digits" in emit(rounded(nested(TINY), 3), "latex", Options(digits=3))


def test_a_number_that_float32_cannot_hold_stands_in_braces() -> None:
    text = emit(nested(SPECIAL["both dtypes"]), "latex")
    assert re.search(r"\{0\.\d{15,17}\} ", text)
    assert re.search(r"[^{]0\.\d{7,9}[^\d}]", text)


def test_lines_are_short_and_brackets_grow() -> None:
    text = emit(nested(dense(2, 8, 4, 1)), "latex")
    assert max(map(len, text.splitlines())) < 150
    assert r"\bigl(" in text
    assert r"\left(" not in text


# --------------------------------------------------------------------------------------------------- numbers

FINITE = {"allow_nan": False, "allow_infinity": False}


@given(arrays.arrays(np.float32, 5, elements=st.floats(width=32, **FINITE)))
def test_float32_numbers_come_back(data: np.ndarray) -> None:
    texts = Numbers(single=True).written(data)
    assert not re.search(r"\de|\.0$|^-?0\d", " ".join(texts))
    assert np.array_equal(cell_values("&".join(texts), "&", single=True), data.astype(np.float64))


@given(arrays.arrays(np.float64, 5, elements=st.floats(**FINITE)), st.booleans())
def test_float64_numbers_come_back(data: np.ndarray, single: bool) -> None:
    texts = Numbers(single).written(data)
    assert np.array_equal(cell_values("&".join(texts), "&", single=single), data)


@given(st.floats(min_value=0.0, **FINITE), st.booleans())
def test_a_number_comes_back_from_an_equation(value: float, single: bool) -> None:
    comment = "% numbers: float32\n" if single else ""
    assert run(f"{comment}y = {Numbers(single).one(value)}", np.zeros((1, 1))).outputs[0, 0] == value


# ----------------------------------------------------------------------------------------------------- names

HOSTILE = (
    "a(b", "a]b", "{", "}", "a=b", "a, b", "x; outputs: q", r"\input{/etc/passwd}", "%", "$", "#", "&", "~",
    "^", "_", "é", "名前", "\N{GRINNING FACE}", "\n", r"\end{align*}", "\\\\", "a'b", '"', "`", "<|>", "e",
    r"\write18{id}", "z1_1", "a1", "W_1", "\x1b[31m", "σ", "sigma", "T_in", "x^2", "-", "1x",
    "|", "x1", "x_1", "", "pi", "η", "eta",
)  # fmt: skip
INERT = frozenset(
    r"""begin end align* aligned bmatrix array mathrm mathtt backslash hat sim acute tanh bigl bigr quad times
    cdot top left right sigma alpha mathbf alignat* qquad center tabular toprule midrule bottomrule pi eta
    operatorname frac exp Bigl Bigr""".split()
)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_hostile_names_become_inert_symbols(layout: str) -> None:
    network = renamed(dense(len(HOSTILE), 2, len(HOSTILE)), HOSTILE, tuple(f"{name}2" for name in HOSTILE))
    for options in WAYS:
        text = emit(LAYOUTS[layout](network), "latex", options)
        assert set(re.findall(r"\\([A-Za-z]+)", text[text.index(r"\begin") :])) <= INERT
        assert text.isascii()
        require_same(network, text)


def test_names_of_mathematics_look_like_it() -> None:
    spelled = {
        "x": "x", "x12": "x_{12}", "T_in": r"T_{\mathrm{in}}", "alpha": r"\alpha", "beta_2": r"\beta_2",
        "speed": r"\mathrm{speed}", "flow rate": r"\mathrm{flow\ rate}", "k_x": "k_x",
        "Δ": r"\Delta", "µ1": r"\mu_1", "é": r"\mathrm{\acute{e}}", "σ_max": r"\sigma_{\mathrm{max}}",
    }  # fmt: skip
    symbols = Symbols({})
    assert {name: symbols.of(name) for name in spelled} == spelled


def test_a_given_spelling_is_kept() -> None:
    network = renamed(dense(2, 2, 1), ("T_in", "dT"), ("y",))
    options = Options(latex_names={"T_in": r"T_\mathrm{in}", "dT": r"\Delta T", "y": r"\hat{y}"})
    text = emit(nested(network), "latex", options)
    assert r" T_\mathrm{in} " in text
    assert r"\hat{y} &=" in text
    require_same(network, text)


@pytest.mark.parametrize(
    "spelling",
    [
        r"\input{x}",
        "a+b",
        "T - T_0",
        "{x",
        "x}",
        "3x",
        "",
        "%",
        "x\ny",
        r"\foo",
        "a_{1,1}",
        r"x\\y",
        "e",
        "$x$",
    ],
)
def test_a_spelling_that_is_no_symbol_is_refused(spelling: str) -> None:
    with pytest.raises(BadRequest, match="is not a symbol for 'T'"):
        checked("T", spelling)
