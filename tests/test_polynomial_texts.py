"""Polynomial steps in every language: what a text answers is what the Program answers."""

from __future__ import annotations

import numpy as np
import pytest
from networks import dense

from nn2eq.emit import LANGUAGES, emit, emitter
from nn2eq.errors import CannotEmit, DamagedFile
from nn2eq.forms.program import Constant, Function, Polynomial, Program, Value
from nn2eq.forms.taylor import taylor
from nn2eq.proof.program_json import read_program
from nn2eq.proof.runners import run

IN_PROCESS = [language for language in LANGUAGES if not emitter(language).external]
POINTS = np.random.default_rng(0).uniform(-1.0, 1.0, size=(30, 2))


def chebyshev() -> Program:
    exponents = np.array([[0, 0], [1, 0], [0, 4], [2, 3], [5, 0]])
    coefficients = np.random.default_rng(3).normal(size=(5, 2))
    x, y = Value("x", ("x1", "x2")), Value("y", ("y1", "y2"))
    moved = Constant("x0", np.array([0.25, 0.0])), Constant("s", np.array([1.5, 2.0]))
    step = Polynomial(y, x, exponents, Constant("c", coefficients), *moved, "chebyshev")
    return Program((Function("predict", (x,), (y,), (step,)),), "nested", "polynomial")


@pytest.mark.parametrize("language", IN_PROCESS)
@pytest.mark.parametrize("order", [0, 1, 5])
def test_a_taylor_polynomial_runs_in_every_language(language: str, order: int) -> None:
    network = dense([2, 4, 2], ["tanh", "linear"], seed=1)
    program = taylor(network, order, at=[0.5, -0.25])
    answers = run(language, emit(program, language), POINTS)
    np.testing.assert_allclose(answers.outputs, program.evaluate(POINTS), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("language", [language for language in IN_PROCESS if language != "latex"])
def test_chebyshevs_basis_runs_in_languages_for_machines(language: str) -> None:
    program = chebyshev()
    answers = run(language, emit(program, language), POINTS)
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


def test_people_are_not_given_chebyshevs_basis() -> None:
    with pytest.raises(CannotEmit, match="chebyshev"):
        emit(chebyshev(), "latex")


@pytest.mark.parametrize(
    ("old", "new"), [('"basis":"chebyshev"', '"basis":"fourier"'), ("[2,3]", "[2,-3]"), ("[2,3]", "[2]")]
)
def test_damaged_json_is_refused(old: str, new: str) -> None:
    text = emit(chebyshev(), "json").replace(" ", "")
    assert old in text
    read_program(text)
    with pytest.raises(DamagedFile):
        read_program(text.replace(old, new))
