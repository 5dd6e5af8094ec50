"""Without activations a network is one affine map: as a derivation, and as the numbers that it comes to."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest
from latex_networks import affine, dense, of
from test_cli import CIRCLES, TINY, nn2eq
from test_symbolic import require_same

from nn2eq.activations import activation
from nn2eq.conversion import Request, convert
from nn2eq.emit import emit
from nn2eq.emit.latex.symbolic.notations import NOTATIONS
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, UnsupportedModel
from nn2eq.forms.linear import taken_away, without_activations
from nn2eq.forms.symbolic import symbolic
from nn2eq.network import Affine
from nn2eq.proof.latex_reader import run
from nn2eq.reading import read

DEEP = dense(2, 3, 4, 2, hidden="linear")
IN_PART = of(
    affine(2, 3, 1),
    affine(3, 2, 2),
    activation("tanh"),
    affine(2, 3, 3),
    affine(3, 1, 4),
    inputs=2,
    outputs=1,
)
"""Two runs of layers that are linear anyway, one of them in an activation."""


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("orientation", ["column", "row"])
def test_runs_of_linear_layers_are_multiplied_out_and_said(notation: str, orientation: str) -> None:
    for network, view, first in product(
        (DEEP, IN_PART, dense(1, 2, 1, hidden="linear")), ("scalar", "vector"), "01"
    ):
        way = {"notation": notation, "orientation": orientation, "view": view, "count_from": first}
        for numbers in ("inline", "matrix", "table"):
            text = emit(symbolic(network, **way), "latex", Options(numbers=numbers))
            require_same(network, text)


def test_the_derivation_is_the_textbooks() -> None:
    text = emit(symbolic(dense(2, 3, 2, hidden="linear"), notation="mlp"), "latex")
    assert re.search(r"W &= W_2 W_1 = \\begin\{bmatrix\}\n-?\{?\d", text)
    assert re.search(r"b &= W_2 b_1 \+ b_2 = \\begin\{bmatrix\}\n", text)
    assert "y &= W x + b\n" in text
    kept = emit(symbolic(DEEP, notation="layers", view="vector", orientation="row"), "latex")
    assert "W &= W_1 W_2 W_3 = " in kept
    assert "b &= b_1 W_2 W_3 + b_2 W_3 + b_3 = " in kept


@pytest.mark.parametrize("wrong", ["W_1 W_2", "W_2 W_1 = 2", "number", "W_2 b_2"])
def test_a_wrong_derivation_is_seen(wrong: str) -> None:
    text = emit(symbolic(dense(2, 2, 2, hidden="linear"), notation="mlp"), "latex")
    if wrong == "number":
        place = re.search(r"W &= W_2 W_1 = \\begin\{bmatrix\}\n-?\{?\d\.\d\d(\d)", text)
        assert place is not None
        planted = text[: place.start(1)] + str((int(place[1]) + 5) % 10) + text[place.end(1) :]
    else:
        was = "W_2 b_1 +" if wrong == "W_2 b_2" else "W_2 W_1"
        planted = text.replace(was, wrong + " +" if wrong == "W_2 b_2" else wrong, 1)
    assert planted != text
    with pytest.raises(BadRequest):
        run(planted, np.ones((1, 2)))


def test_activations_are_taken_away_and_named() -> None:
    network = dense(3, 4, 2, hidden="relu", last="softmax")
    bare = without_activations(network)
    assert taken_away(network) == ("relu", "softmax")
    assert all(isinstance(part, Affine) for part in bare.maps)
    first, second = (part for part in network.maps if isinstance(part, Affine))
    x = np.random.default_rng(0).normal(size=(5, 3))
    kernel = first.kernel.astype(float) @ second.kernel.astype(float)
    bias = first.bias.astype(float) @ second.kernel.astype(float) + second.bias.astype(float)
    for request in (Request(), Request("numpy"), Request("sympy", "nested"), Request(form="symbolic")):
        conversion = convert(network, Request(request.language, request.form, linear=True))
        assert conversion.agreement is not None
        assert conversion.agreement.holds
        assert "without its activations: relu, softmax" in conversion.text
    assert np.allclose(bare.evaluate(x), x @ kernel + bias, rtol=1e-12)


def test_what_does_not_fit_without_its_activation_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="glu"):
        without_activations(of(affine(2, 4, 1), activation("glu"), inputs=2, outputs=2))


def test_on_the_command_line(tmp_path) -> None:
    file = str(tmp_path / "linear.tex")
    for more in ([], ["--notation", "edges", "--digits", "4"], ["--form", "nested"], ["--symbols", "only"]):
        assert nn2eq(CIRCLES, "--activations", "linear", "-o", file, *more).returncode == 0
        assert nn2eq("check", CIRCLES, file).returncode == 0
    assert nn2eq("check", TINY, file).returncode != 0
    text = nn2eq("--dense", "2-2-1:tanh", "--activations", "linear").stdout
    assert "W &= W_2 W_1 \\\\" in text
    assert read(CIRCLES).outputs == 1
