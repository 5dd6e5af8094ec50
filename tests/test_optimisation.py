"""Texts for optimisers and solvers say what their Program says, and are solved: CasADi, Pyomo, SMT-LIB."""

from __future__ import annotations

import re
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from activation_laws import examples, name
from language_programs import constant, everything, exact, odd, program, samples, scale, value
from latex_networks import affine, around, dense, renamed
from test_emit_contract import HOSTILE

from nn2eq.activations import activation
from nn2eq.conversion import Request, convert
from nn2eq.emit import emit
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, CannotEmit, Disagreement
from nn2eq.forms.program import Affine, Apply, Constant, Program, Term, Value
from nn2eq.forms.straight import layered, matrix
from nn2eq.forms.taylor import taylor
from nn2eq.network import Layer, Network
from nn2eq.proof.check import check
from nn2eq.proof.judge import judge, recognised
from nn2eq.proof.runners import run

PROGRAMS = ("casadi", "pyomo")
TEXTS = [("casadi", "nested"), ("casadi", "layered"), ("casadi", "matrix"), ("pyomo", "matrix")]
NAMED = {"casadi": (Options(), Options(activations="explicit")), "pyomo": (Options(),)}
EXTREMES = np.array(
    [0.1, 1 / 3, 5e-324, -2.2250738585072014e-308, 1.7976931348623157e308, 1e22, -0.0, 2.0**60]
)


@pytest.fixture(autouse=True)
def _installed() -> None:
    """Skip where what runs these texts is not installed; CI has everything."""
    for module in ("casadi", "pyomo", "highspy", "z3"):
        pytest.importorskip(module)


def require_same(of: Program, language: str, x: np.ndarray, options: Options | None = None) -> None:
    """Hold the text to the program, to 1e-12 of the magnitudes that are summed last."""
    options = options or Options()
    text = emit(of, language, options)
    found = run(language, text, x, options.name).outputs
    with np.errstate(all="ignore"):
        errors = np.abs(found - of.evaluate(x)) / scale(of, x)
    worst = np.unravel_index(np.argmax(np.where(np.isnan(errors), np.inf, errors)), errors.shape)
    assert errors[worst] <= 1e-12, f"{of.outputs[worst[1]]} at {x[worst[0]]}: {found[worst]}\n{text[:3000]}"


def in_pieces() -> Program:
    """Return every row that is affine in pieces, applied to four inputs, an output for each."""
    x, rows = value("x", 4), [row for row in examples() if row.row.pieces]
    rows.append(activation("prelu", {"alpha": np.array([0.25, -0.5, 0.1, 7.038531e-26], np.float32)}))
    steps, terms = [], []
    for number, row in enumerate(rows, start=1):
        out = value(f"a{number}", 4, row.row.name)
        own = {key: Constant(f"{key}{number}", data) for key, data in row.per_unit.items()}
        steps.append(Apply(out, row, x, own))
        kernel = np.zeros((4, len(rows)), np.float32)
        kernel[:, number - 1] = np.random.default_rng(number).uniform(0.5, 1.5, 4)
        terms.append(Term(out, Constant(f"W{number}", kernel)))
    y = Value("y", tuple(f"y{number}" for number in range(1, len(rows) + 1)))
    return program("layered", x, y, *steps, Affine(y, tuple(terms)))


# -------------------------------------------------------------------------------- a text says what its program says


@pytest.mark.parametrize(("language", "layout"), TEXTS)
def test_every_activation(language: str, layout: str) -> None:
    x = samples() if language == "casadi" else samples()[::3]
    for options in NAMED[language]:
        require_same(everything(layout), language, x, options)


@pytest.mark.parametrize(("language", "layout"), TEXTS)
def test_everything_odd(language: str, layout: str) -> None:
    require_same(odd(layout), language, 3.0 * np.random.default_rng(1).standard_normal((50, 4)))
    require_same(constant(layout), language, np.random.default_rng(1).standard_normal((5, 2)))


@pytest.mark.parametrize(("language", "layout"), [*TEXTS[1:], ("smtlib", "layered")])
def test_numbers_read_back_to_the_last_bit(language: str, layout: str) -> None:
    for data in (EXTREMES, np.random.default_rng(3).standard_normal(100).astype(np.float32)):
        found = run(language, emit(exact(layout, data), language), np.ones((1, 1))).outputs[0]
        assert np.array_equal(found, data.astype(np.float64))


def test_every_activation_of_affine_pieces_in_smtlib() -> None:
    require_same(in_pieces(), "smtlib", samples()[::3, :4])


@pytest.mark.parametrize("row", [row for row in examples() if not row.row.pieces], ids=name)
def test_smtlib_refuses_the_others_by_name(row: Any) -> None:
    with pytest.raises(CannotEmit, match=rf"^{row.row.name} has no affine pieces.*\[not-affine\]$"):
        emit(layered(around(row, 4)), "smtlib")


@pytest.mark.parametrize(("order", "logic"), [(1, "QF_LRA"), (2, "QF_NRA")])
def test_smtlib_names_the_logic_of_a_polynomial(order: int, logic: str) -> None:
    program = taylor(dense(1, 2, 1), order, at=[0.25])
    assert f"(set-logic {logic})" in emit(replace(program, layout="layered"), "smtlib")
    require_taylor(program)


def test_smtlib_of_sixty_layers_is_solved_layer_by_layer() -> None:
    network = dense(3, *[4] * 60, 2, hidden="relu")
    assert check(network, emit(layered(network), "smtlib"), "smtlib").holds


def require_taylor(of: Program) -> None:
    """Hold a polynomial of the first degree to its text, which is affine."""
    x = np.linspace(-1.0, 1.0, 5)[:, None]
    found = run("smtlib", emit(replace(of, layout="layered"), "smtlib"), x).outputs
    np.testing.assert_allclose(found, of.evaluate(x), rtol=1e-12)


@pytest.mark.parametrize("language", PROGRAMS)
def test_polynomials(language: str) -> None:
    of = taylor(dense(2, 4, 2), 4, at=[0.5, -0.25])
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (20, 2))
    layouts = {"casadi": ("nested", "layered"), "pyomo": ("matrix",)}[language]
    for layout in layouts:
        found = run(language, emit(replace(of, layout=layout), language), x).outputs
        np.testing.assert_allclose(found, of.evaluate(x), rtol=1e-12, atol=1e-14)


def test_a_large_network() -> None:
    network = dense(196, 300, 100, 10, hidden="relu", last="softmax")
    agreement = check(network, emit(matrix(network), "casadi"), "casadi")
    assert agreement.holds, agreement.line()


# ----------------------------------------------------------------------------------------- the checkers catch errors


@pytest.mark.parametrize("language", ["casadi", "pyomo", "smtlib"])
def test_a_wrong_number_is_found_and_its_unit_is_named(language: str) -> None:
    network = dense(2, 3, 1, hidden="relu")
    text = emit(layered(network) if language != "pyomo" else matrix(network), language)
    bias = float(matrix(network).predict.constants.__next__().data[0, 1])
    for number in (repr(bias), str(abs(bias).as_integer_ratio()[0]) + ".0"):
        if number in text:
            wrong = check(network, text.replace(number, "0.5", 1), language)
    assert not wrong.holds
    assert wrong.unit.startswith("z1_2")


PLANTED = {
    "casadi": {
        r"predict = ca.Function": "other = ca.Function",
        r"import casadi as ca": "import casadi as ca\nca.nothing",
        r'sym\("x", 2\)': 'sym("x", 3)',
    },
    "pyomo": {
        r"def add_network": "def other",
        r'y = named\(.*\n': "block.y = Var(RangeSet(1))\n",
        r"variables\[k\] == values": "variables[k] >= values",
        r"RangeSet\(2\)\)": "RangeSet(3))",
        r'a1 = named\(block, "a1", ': 'a1 = named(block, "a1", 2 + block.component("z2") or ',
    },
    "smtlib": {
        r"\(assert \(= y .*\n": "",
        r"\(assert \(= a1_1 .*\n": "",
        r"$": "(assert (> y 1e9))\n",
        r"\(declare-const a1_1 Real\)": "",
        r"; inputs: x1, x2": "; inputs: x1",
        r"; inputs": "; outputs",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "old", "new"), [(key, old, new) for key, row in PLANTED.items() for old, new in row.items()]
)
def test_a_text_that_says_too_little_or_too_much_fails(language: str, old: str, new: str) -> None:
    network = dense(2, 2, 1, hidden="relu")
    text = emit(matrix(network) if language == "pyomo" else layered(network), language)
    assert check(network, text, language).holds
    planted = re.sub(old, new, text, count=1)
    assert planted != text
    with pytest.raises(Disagreement, match=r"\[text-fails\]$"):
        run(language, planted, np.zeros((2, 2)))


@pytest.mark.parametrize("language", ["casadi", "pyomo", "smtlib"])
def test_a_missing_library_is_told(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = emit(matrix(dense(1, 1)) if language == "pyomo" else layered(dense(1, 1)), language)

    def missing(module: str) -> ModuleType:
        raise ImportError(module)

    monkeypatch.setattr("nn2eq.proof.outside.import_module", missing)
    with pytest.raises(BadRequest, match=rf"is not installed; pip install 'nn2eq\[{language}\]'"):
        run(language, text, np.zeros((1, 1)))


@pytest.mark.parametrize("language", ["casadi", "pyomo", "smtlib"])
def test_it_is_run_when_asked_and_judged(language: str) -> None:
    network = dense(2, 3, 1, hidden="relu")
    assert convert(network, Request(language)).agreement is None
    conversion = convert(network, Request(language), run=True)
    assert conversion.agreement is not None
    with pytest.raises(BadRequest, match="only on request"):
        judge(network, conversion.text)
    assert judge(network, conversion.text, outside=True).holds
    bare = "\n".join(line for line in conversion.text.splitlines() if "nn2eq " not in line)
    assert recognised(bare) == language


# ------------------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize("language", ["casadi", "pyomo", "smtlib"])
@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_names_from_files_stay_in_their_comments(hostile: str, language: str) -> None:
    layers = tuple(
        Layer(hostile, hostile, (2,), (affine(2, 2, seed), activation("relu"))) for seed in range(2)
    )
    network = Network(layers, (2,))
    forms = [layered, matrix] if language == "casadi" else [layered if language == "smtlib" else matrix]
    for form in forms:
        text = emit(form(network), language)
        assert text.isascii()
        assert all(line.isprintable() for line in text.splitlines())
        assert check(network, text, language).holds


@pytest.mark.parametrize(
    ("language", "word"),
    [("casadi", "ca"), ("casadi", "inputs"), ("casadi", "lambda"), ("casadi", "W1"),
     ("smtlib", "assert"), ("smtlib", "ite"), ("smtlib", "z1_1"), ("smtlib", "a b"), ("smtlib", "|x|")],
)  # fmt: skip
def test_words_of_the_language_are_written_otherwise(language: str, word: str) -> None:
    network = renamed(dense(2, 3, 1, hidden="relu"), (word, "other"), ("y",))
    for form in [layered] if language == "smtlib" else [layered, matrix]:
        text = emit(form(network), language)
        assert f" stands for '{word}'\n" in text
        assert check(network, text, language).holds


def test_pyomo_takes_any_name_since_its_own_are_x_and_y() -> None:
    network = renamed(dense(2, 2, 1), ("block", '"""\nimport os'), ("Var",))
    text = emit(matrix(network), "pyomo")
    assert text.isascii()
    assert check(network, text, "pyomo").holds
