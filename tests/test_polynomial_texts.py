"""Polynomial steps in every language: what a text answers is what the Program answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import dense

from nn2eq.emit import LANGUAGES, content, emit, emitter
from nn2eq.errors import DamagedFile
from nn2eq.forms import form
from nn2eq.forms.program import Constant, Function, Polynomial, Program, Value
from nn2eq.forms.taylor import taylor
from nn2eq.proof.program_json import read_program
from nn2eq.proof.runners import run

SHORT_FORMS = ("taylor", "polynomial", "simplified")
IN_PROCESS = [language for language in LANGUAGES if not emitter(language).external]
POINTS = np.random.default_rng(0).uniform(-1.0, 1.0, size=(30, 2))


def said_in(program: Program, language: str) -> Program:
    """Return the program in the layout in which a language says polynomials."""
    return replace(program, layout=form("polynomial").layout_among(emitter(language).layouts))


@pytest.mark.parametrize("name", SHORT_FORMS)
def test_every_language_says_the_short_forms(name: str) -> None:
    for language in LANGUAGES:
        layouts = emitter(language).layouts
        assert form(name).layout_among(layouts) in layouts


def chebyshev() -> Program:
    exponents = np.array([[0, 0], [1, 0], [0, 4], [2, 3], [5, 0]])
    coefficients = np.random.default_rng(3).normal(size=(5, 2))
    x, y = Value("x", ("x1", "x2")), Value("y", ("y1", "y2"))
    moved = Constant("x0", np.array([0.25, 0.0])), Constant("s", np.array([1.5, 2.0]))
    step = Polynomial(y, x, exponents, Constant("c", coefficients), *moved, "chebyshev")
    return Program((Function("predict", (x,), (y,), (step,)),), "layered", "polynomial")


@pytest.mark.parametrize("language", IN_PROCESS)
@pytest.mark.parametrize("order", [0, 1, 5])
def test_a_taylor_polynomial_runs_in_every_language(language: str, order: int) -> None:
    network = dense([2, 4, 2], ["tanh", "linear"], seed=1)
    program = taylor(network, order, at=[0.5, -0.25])
    answers = run(language, emit(program, language), POINTS)
    np.testing.assert_allclose(answers.outputs, program.evaluate(POINTS), rtol=1e-12, atol=1e-14)


def ratio() -> Program:
    """Two outputs, of which the first is a ratio."""
    exponents = np.array([[0, 0], [1, 0], [0, 2], [1, 1]])
    above = np.random.default_rng(4).normal(size=(4, 2))
    below = np.array([[1.0, 1.0], [0.25, 0.0], [0.5, 0.0], [0.0, 0.0]])
    x, y = Value("x", ("x1", "x2")), Value("y", ("y1", "y2"))
    step = Polynomial(y, x, exponents, Constant("c", above), denominator=Constant("d", below))
    return Program((Function("predict", (x,), (y,), (step,)),), "layered", "polynomial")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_ratio_runs_in_every_language(language: str) -> None:
    program = ratio()
    x1, x2 = POINTS.T
    step = program.predict.steps[0]
    assert isinstance(step, Polynomial)
    monomials = np.stack([np.ones(30), x1, x2**2, x1 * x2], axis=1)
    wanted = monomials @ step.coefficients.data / np.stack([1 + 0.25 * x1 + 0.5 * x2**2, np.ones(30)], axis=1)
    np.testing.assert_allclose(program.evaluate(POINTS), wanted, rtol=1e-13)
    answers = run(language, content(said_in(program, language), language), POINTS)
    np.testing.assert_allclose(answers.outputs, wanted, rtol=1e-12, atol=1e-14)


def test_a_ratio_too_wide_for_a_fraction_is_read_back_too() -> None:
    exponents = np.arange(12)[:, None]
    above, below = np.linspace(0.123456789, 1.3, 12), np.linspace(1.0, 0.1111111111, 12)
    x, y = Value("x", ("x",)), Value("y", ("y",))
    step = Polynomial(
        y, x, exponents, Constant("c", above[:, None]), denominator=Constant("d", below[:, None])
    )
    program = Program((Function("predict", (x,), (y,), (step,)),), "layered", "polynomial")
    text = emit(program, "latex")
    assert r"\frac" not in text
    points = POINTS[:, :1]
    np.testing.assert_allclose(run("latex", text, points).outputs, program.evaluate(points), rtol=1e-12)


@pytest.mark.parametrize("language", LANGUAGES)
def test_chebyshevs_basis_runs_in_every_language(language: str) -> None:
    program = chebyshev()
    answers = run(language, content(said_in(program, language), language), POINTS)
    np.testing.assert_allclose(answers.outputs, program.evaluate(POINTS), rtol=1e-12, atol=1e-14)


def test_chebyshevs_basis_is_numpys() -> None:
    program = chebyshev()
    step = program.predict.steps[0]
    assert isinstance(step, Polynomial)
    t = (POINTS - [0.25, 0.0]) / [1.5, 2.0]
    wanted = sum(
        np.outer(np.cos(a * np.arccos(t[:, 0])) * np.cos(b * np.arccos(t[:, 1])), row)
        for (a, b), row in zip(step.exponents, step.coefficients.data, strict=True)
    )
    np.testing.assert_allclose(program.evaluate(POINTS), wanted, atol=1e-12)


def test_an_input_that_is_called_as_chebyshevs_polynomials_keeps_apart_from_them() -> None:
    program = chebyshev()
    [function] = program.functions
    x = Value("x", ("T", "x2"))
    step = replace(function.steps[0], arg=x)  # type: ignore[type-var]
    program = replace(program, functions=(replace(function, arguments=(x,), steps=(step,)),))
    answers = run("latex", emit(program, "latex"), POINTS)
    np.testing.assert_allclose(answers.outputs, program.evaluate(POINTS), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("old", "new"), [('"basis":"chebyshev"', '"basis":"fourier"'), ("[2,3]", "[2,-3]"), ("[2,3]", "[2]")]
)
def test_damaged_json_is_refused(old: str, new: str) -> None:
    text = emit(chebyshev(), "json").replace(" ", "")
    assert old in text
    read_program(text)
    with pytest.raises(DamagedFile):
        read_program(text.replace(old, new))
