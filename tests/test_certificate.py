"""Certificates: proved again by Arb's balls alone, and caught where they say too little, or are of something else."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flint import arb, arb_mat
from networks import dense, row

from nn2eq.activations import ROWS
from nn2eq.cli import main
from nn2eq.conversion import Request, convert
from nn2eq.emit import emit
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, DamagedFile, Disagreement
from nn2eq.forms.distance import measured
from nn2eq.forms.polynomial import polynomial
from nn2eq.forms.program import Program
from nn2eq.forms.rounded import rounded
from nn2eq.forms.straight import layered
from nn2eq.forms.taylor import taylor
from nn2eq.network import Network, Source
from nn2eq.proof.ball_formulas import activated
from nn2eq.proof.ball_ranges import is_within
from nn2eq.proof.balls import Model, affine, precision, variables
from nn2eq.proof.certificate import Certificate, certify, digest, read_certificate, verify
from nn2eq.proof.certified import certified
from nn2eq.reading import read
from nn2eq.series import truncation

SHIPPED = "models/dense_1-10-2-1_tanh.keras"


def approximated(seed: int = 0) -> tuple[Network, Program]:
    network = replace(dense([2, 4, 2], ["tanh", "linear"], seed=seed), source=Source("net.h5", "ab" * 32))
    return network, polynomial(network, tolerance=5e-3, domain=(-1.0, 1.0))


@pytest.fixture(scope="module")
def case() -> tuple[Network, Program]:
    return approximated()


@pytest.fixture(scope="module")
def issued(case: tuple[Network, Program]) -> tuple[str, Certificate]:
    """The text of the case in JSON, and its certificate."""
    text = emit(case[1], "json")
    return text, certify(*case, text, "json")


@pytest.mark.parametrize("language", ["json", "latex", "numpy", "python"])
def test_what_is_certified_is_verified(language: str, case: tuple[Network, Program]) -> None:
    network, program = case
    text = emit(program, language)
    certificate = certify(network, program, text, language)
    assert certificate.bound == 5e-3
    again = read_certificate(certificate.as_json())
    assert again == certificate
    said = certified(network, text, again)
    assert "proved again on" in said
    assert ("of the text itself" in said) == (language == "json")


def test_a_bound_too_small_is_caught(case: tuple[Network, Program], issued: tuple[str, Certificate]) -> None:
    (network, program), (text, certificate) = case, issued
    with pytest.raises(Disagreement, match="it does not follow"):
        verify(network, text, replace(certificate, bound=0.99 * program.observed))


def test_another_text_and_another_model_are_caught(
    case: tuple[Network, Program], issued: tuple[str, Certificate]
) -> None:
    (network, _), (text, certificate) = case, issued
    with pytest.raises(Disagreement, match="of another text"):
        verify(network, text + " ", certificate)
    other = replace(network, source=Source("net.h5", "cd" * 32))
    with pytest.raises(Disagreement, match="of another model"):
        verify(other, text, certificate)


def test_a_text_that_does_not_say_what_is_proved_is_caught(case: tuple[Network, Program]) -> None:
    network, program = case
    text = emit(program, "numpy")
    certificate = certify(network, program, text, "numpy")
    wrong = text.replace("return y if", "y = y + 1e-6\n    return y if")
    assert wrong != text
    with pytest.raises(Disagreement, match="something else than what it is proved of"):
        certified(network, wrong, replace(certificate, text=digest(wrong)))


def test_another_network_behind_the_same_name_is_caught(issued: tuple[str, Certificate]) -> None:
    with pytest.raises(Disagreement, match="it does not follow"):
        verify(approximated(seed=1)[0], *issued)


@pytest.mark.parametrize(("pieces", "message"), [
    ("a.", "not among its pieces"), ("..", "more halvings"), ("c..", "a halving by"), ("", "not among its pieces"),
    (".", "it does not follow"),
])  # fmt: skip
def test_pieces_that_are_not_the_box_are_caught(
    pieces: str, message: str, case: tuple[Network, Program], issued: tuple[str, Certificate]
) -> None:
    (network, _), (text, certificate) = case, issued
    certificate = replace(certificate, pieces=pieces)
    with pytest.raises(Disagreement, match=message):
        verify(network, text, certificate)


@pytest.mark.parametrize("change", ['"version": 1', '"bound": ', '"halvings"', '"format"'])
def test_damaged_certificates_are_refused(change: str, issued: tuple[str, Certificate]) -> None:
    text = issued[1].as_json()
    assert change in text
    with pytest.raises(DamagedFile, match="no certificate"):
        read_certificate(
            text.replace(change, change.replace("1", "2").replace(": ", ': "x').replace("a", "b"))
        )


def test_nothing_is_certified_of_what_is_not_proved(case: tuple[Network, Program]) -> None:
    network, program = case
    with pytest.raises(BadRequest, match="a box and an error proved on it"):
        certify(network, layered(network), "", "latex")
    with pytest.raises(BadRequest, match="not proved yet"):
        certify(network, replace(program, told={"tolerance": 1e-9}), "", "latex", seconds=0.1)


@pytest.mark.parametrize("kind", ["relu", "elu", "leaky_relu", "hard_tanh"])
def test_corners_do_not_stand_in_the_way(kind: str) -> None:
    network = dense([1, 4, 1], [kind, "linear"], seed=3)
    program = polynomial(network, 6, domain=(-1.0, 1.0))
    text = emit(program, "json")
    certificate = certify(network, program, text, "json")
    verify(network, text, certificate)
    with pytest.raises(Disagreement):
        verify(network, text, replace(certificate, bound=0.99 * program.observed))


def ball(model: Model, t: Sequence[float]) -> arb:
    """What a model says of a point of its box -1 ... 1."""
    total = arb(0, 1) * model.rest
    for powers, term in zip(model.space.exponents.tolist(), model.terms, strict=True):
        total += math.prod((arb(x) ** power for x, power in zip(t, powers, strict=True)), start=term)
    return total


PLACES = [(-0.75, 1.25), (-0.125, 0.0625), (0.5, 3.0), (-20.0, 30.0)]


@pytest.mark.parametrize(
    "name", [name for name, row in ROWS.items() if not row.coupled and not row.transform]
)
def test_balls_hold_the_values_of_every_activation(name: str) -> None:
    space = truncation(1, 3)
    for low, high in PLACES:
        with precision(3):
            [found] = activated(row(name), variables(space, [low], [high]))
            for t in np.linspace(-1.0, 1.0, 101).tolist():
                x = low / 2 + high / 2 + t * (high / 2 - low / 2)
                value = float(row(name)(np.array([[x]]))[0, 0])
                assert ball(found, [t]).overlaps(arb(value, 1e-13 * (1 + abs(value)))), (name, x)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "layer_normalization", "glu", "sparsemax"])
@pytest.mark.parametrize("width", [0.01, 0.5])
def test_balls_hold_the_values_of_coupled_activations(name: str, width: float) -> None:
    space, middle = truncation(2, 2), np.array([0.25, -0.5])
    low, high = middle - width, middle + width
    kernel, bias = np.array([[1.0, -2.0, 0.5, 1.5], [0.5, 1.0, -1.0, 0.25]]), np.array([0.1, -0.2, 0.3, 0.0])
    with precision(2):
        z = affine(variables(space, low.tolist(), high.tolist()), arb_mat(kernel.tolist()), bias.tolist())
        found = activated(row(name), z)
        for t in np.random.default_rng(0).uniform(-1.0, 1.0, size=(40, 2)):
            values = row(name)(((middle + width * t) @ kernel + bias)[None])[0]
            for model, value in zip(found, values.tolist(), strict=True):
                assert ball(model, t.tolist()).overlaps(arb(value, 1e-13)), (name, t)


def test_a_model_is_sharp_where_it_is_smooth_and_straight_around_a_corner() -> None:
    with precision(8):
        [smooth] = activated(row("tanh"), variables(truncation(1, 8), [0.0], [0.5]))
        assert float(smooth.rest) < 2e-6
        [corner] = activated(row("relu"), variables(truncation(1, 8), [-1.0], [3.0]))
        assert float(corner.rest) == pytest.approx(0.375)  # half of 0.75, which the line is above 0 at 0


@pytest.mark.parametrize(("variables_", "order"), [(1, 7), (2, 4), (3, 3)])
def test_the_range_of_a_polynomial_is_told_sharply(variables_: int, order: int) -> None:
    space, rng = truncation(variables_, order), np.random.default_rng(order)
    terms = rng.normal(size=space.terms)
    x = rng.uniform(-1.0, 1.0, size=(200_000, variables_))
    x[:1000] = np.sign(x[:1000])
    powers = np.prod(x[:, None, :] ** space.exponents[None], axis=2) if variables_ < 3 else None
    values = powers @ terms if powers is not None else sum(
        t * np.prod(x**row, axis=1) for t, row in zip(terms, space.exponents, strict=True)
    )  # fmt: skip
    most = float(np.abs(values).max())
    with precision(order):
        model = Model(space, [arb(float(t)) for t in terms], arb(1e-3))
        assert is_within(model, 1.05 * most + 1e-3)
        assert not is_within(model, 0.999 * most + 1e-3)
        assert not is_within(model, 0.999 * most)


def test_balls_are_as_narrow_as_they_can_be_at_a_point() -> None:
    space = truncation(1, 4)
    with precision(4):
        [x] = variables(space, [0.5], [0.5])
        [found] = activated(row("tanh"), [x])
        assert abs(float(found.range.mid()) - math.tanh(0.5)) < 1e-15
        assert float(found.range.rad()) < 1e-20


def test_four_inputs_and_three_hidden_layers_take_few_pieces() -> None:
    network = read("models/dense_4-16-16-16-1_tanh.keras")
    program = taylor(network, 3, at=(0.0,) * 4, domain=((-0.1, 0.1),) * 4)
    text = emit(program, "json")
    certificate = certify(network, program, text, "json")
    assert certificate.count < 40
    verify(network, text, certificate)
    with pytest.raises(Disagreement, match="it does not follow"):
        verify(network, text, replace(certificate, bound=0.9 * program.observed))


def test_rounded_texts_are_certified_too() -> None:
    network = replace(dense([1, 6, 1], ["sigmoid", "linear"], seed=2), source=Source("net.h5", "ab" * 32))
    program = measured(network, rounded(layered(network), 3), (-2.0, 2.0))
    assert 0.0 < program.observed <= program.proved < 0.02
    text = emit(program, "json")
    verify(network, text, certify(network, program, text, "json"))


@pytest.mark.parametrize("form", ["", "matrix", "taylor"])
def test_digits_on_a_box_carry_both_errors(form: str) -> None:
    network = dense([1, 6, 1], ["sigmoid", "linear"], seed=2)
    shape = {"domain": ((-0.5, 0.5),)}
    found = convert(network, Request("numpy", form, options=Options(digits=3), shape=shape))
    assert "# proved error: " in found.text
    assert "# observed error: " in found.text
    x = np.linspace(-0.5, 0.5, 5001)[:, None]
    apart = np.abs(found.program.evaluate(x) - network.evaluate(x)).max()
    assert 0.0 < apart <= found.program.proved
    with pytest.raises(BadRequest, match="--domain does not apply"):
        convert(network, Request("numpy", "matrix", shape=shape))


def said(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nn2eq", *args]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.mark.slow
def test_on_the_command_line(tmp_path: Path) -> None:
    model = str(Path(SHIPPED).absolute())
    made = said(
        model, "--form", "polynomial", "--tolerance", "1e-3", "--domain=-1:1", "-o", "f.tex", "--certificate", "c.json",
        cwd=tmp_path,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    done = said("check", model, "f.tex", "--certificate", "c.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the certificate holds: within 0.001" in done.stdout
    planted = (tmp_path / "c.json").read_text().replace('"bound": 0.001', '"bound": 0.0005')
    (tmp_path / "c.json").write_text(planted)
    done = said("check", model, "f.tex", "--certificate", "c.json", cwd=tmp_path)
    assert done.returncode == 1
    assert "the certificate fails" in done.stdout
    assert said("check", model, "f.tex", "f.tex", "--certificate", "c.json", cwd=tmp_path).returncode == 2


def test_nothing_to_certify_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([SHIPPED, "--certificate", "c.json"])
    assert ended.value.code == 2
    assert "a certificate needs a box" in capsys.readouterr().err


def test_a_workbook_is_not_certified(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main([SHIPPED, "-f", "excel", "-o", str(tmp_path / "a.xlsx"), "--certificate", "c.json"])
    assert ended.value.code == 2
    assert "a workbook is not one" in capsys.readouterr().err
