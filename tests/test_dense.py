"""Architectures without weights: symbols are written of them, and tried with numbers drawn at random."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_cli import nn2eq

import nn2eq as library
from nn2eq.conversion import Request, convert
from nn2eq.errors import BadRequest, TooLarge, UnsupportedModel
from nn2eq.network import Affine
from nn2eq.reading import read
from nn2eq.reading.dense import dense

LAYERS = [
    {"class_name": "InputLayer", "config": {"batch_shape": [None, 3], "name": "in"}},
    {"class_name": "Normalization", "config": {"name": "norm"}},
    {"class_name": "Dense", "config": {"name": "first", "units": 4, "activation": "linear"}},
    {"class_name": "BatchNormalization", "config": {"name": "batch"}},
    {"class_name": "PReLU", "config": {"name": "prelu"}},
    {"class_name": "LayerNormalization", "config": {"name": "layer"}},
    {
        "class_name": "Dense",
        "config": {"name": "second", "units": 2, "activation": "softmax", "use_bias": False},
    },
]


@pytest.fixture
def architecture(tmp_path: Path) -> Path:
    """Return an architecture of every kind of layer that has weights."""
    config = {"class_name": "Sequential", "keras_version": "3", "config": {"layers": LAYERS}}
    (tmp_path / "model.json").write_text(json.dumps(config))
    return tmp_path / "model.json"


def test_sizes_and_activations_are_as_described() -> None:
    network = dense("2-4-3-1:tanh")
    kernels = [part.kernel.shape for part in network.maps if isinstance(part, Affine)]
    assert kernels == [(2, 4), (4, 3), (3, 1)]
    names = [part.row.name for part in network.maps if not isinstance(part, Affine)]
    assert names == ["tanh", "tanh"]
    names = [part.row.name for part in dense("2-4-3:sigmoid,softmax").maps if not isinstance(part, Affine)]
    assert names == ["sigmoid", "softmax"]
    assert [part.row.name for part in dense("2-1:tanh").maps if not isinstance(part, Affine)] == ["tanh"]
    assert not any(not isinstance(part, Affine) for part in dense("2-4-3").maps)


@pytest.mark.parametrize(
    "spec",
    ["", "2", "2-0-1", "2-x", "2-3-1:tanh,relu,tanh", "2-3-1:", "2--1", "2-3-1:nonsense", "2-1:nonsense"],
)
def test_what_is_no_description_is_refused(spec: str) -> None:
    with pytest.raises((BadRequest, UnsupportedModel)):
        dense(spec)


def test_more_weights_than_symbols_could_show_are_not_drawn() -> None:
    with pytest.raises(TooLarge):
        dense("90000-90000-1")


@pytest.mark.parametrize("notation", ["edges", "greek", "mlp", "layers"])
@pytest.mark.parametrize("view", ["scalar", "vector"])
def test_symbols_alone_are_tried_with_numbers_drawn_at_random(
    architecture: Path, notation: str, view: str
) -> None:
    for network in (dense("2-3-2:relu,sigmoid"), read(architecture, symbols=True)):
        request = Request(form="symbolic", shape={"notation": notation, "view": view})
        conversion = convert(network, request)
        assert conversion.agreement is not None
        assert conversion.agreement.holds
        assert "numbers drawn at random" in conversion.line()
        assert not re.search(r"\d\.\d{3}", re.sub(r"(?m)^%.*\n", "", conversion.text).replace("0.001", ""))


def test_an_architecture_says_what_the_whole_model_says(
    shipped_models: tuple[Path, ...], tmp_path: Path
) -> None:
    """Its symbols, filled with the weights of the model, are the model."""
    whole = next(path for path in shipped_models if "normalization.keras" in path.name)
    (tmp_path / "alone.json").write_bytes(zipfile.ZipFile(whole).read("config.json"))
    text = convert(read(tmp_path / "alone.json", symbols=True), Request(form="symbolic", fold=False)).text
    assert library.check(
        read(whole), text, "latex", program=library.symbolic(read(whole), fold=False, symbols="only")
    ).holds


REFUSED: dict[str, Callable[[library.Network], object]] = {
    **{
        name: getattr(library, name)
        for name in ("nested", "layered", "matrix", "taylor", "expressions", "info")
    },
    "symbolic": lambda network: library.symbolic(network, symbols="both"),
    "bounds": lambda network: library.bounds(network, [(-1, 1)] * network.inputs),
    "regions": library.regions,
    "compose": lambda network: library.compose(network, network),
    "trace": lambda network: library.trace(network, np.zeros(network.inputs)),
}


@pytest.mark.parametrize("verb", REFUSED)
def test_what_needs_numbers_refuses_by_name(verb: str) -> None:
    with pytest.raises(UnsupportedModel) as caught:
        REFUSED[verb](dense("2-3-2:relu"))
    assert caught.value.code == "needs-weights"


def test_a_planted_error_is_seen_without_weights() -> None:
    network = dense("2-3-1:tanh")
    program = library.symbolic(network)
    text = library.emit(program, "latex")
    assert library.check(network, text, "latex", program=program).holds
    wrong = text.replace("x_0 W_{x_0,r_1}", "x_0 W_{x_1,r_1}")
    assert wrong != text
    assert not library.check(network, wrong, "latex", program=program).holds


def test_on_the_command_line(architecture: Path, tmp_path: Path) -> None:
    done = nn2eq("--dense", "2-2-2-1:tanh", "--notation", "greek")
    assert done.returncode == 0
    assert r"h'_1 &= a[\psi_{10} + \psi_{11} h_1 + \psi_{12} h_2]" in done.stdout
    assert nn2eq(str(architecture), "-o", str(tmp_path / "a.tex")).returncode == 0
    assert nn2eq("check", str(architecture), str(tmp_path / "a.tex")).returncode == 0
    (tmp_path / "b.tex").write_text((tmp_path / "a.tex").read_text().replace("W_{r_0,s_0}", "W_{r_0,s_1}"))
    assert nn2eq("check", str(architecture), str(tmp_path / "b.tex")).returncode == 1
    for command in (
        ["info", str(architecture)],
        ["--dense", "2-2-1", "-f", "numpy"],
        ["--dense", "2-2-1", "--check"],
    ):
        done = nn2eq(*command)
        assert (done.returncode, "[needs-weights]" in done.stderr) == (2, True)
    assert "[usage]" in nn2eq("--dense", "2-2-1", str(architecture)).stderr


def test_drawn_numbers_are_the_same_every_time() -> None:
    first, second = dense("2-3-1"), dense("2-3-1")
    assert np.array_equal(first.evaluate(np.ones((1, 2))), second.evaluate(np.ones((1, 2))))
    assert replace(first, drawn=False).evaluate(np.ones((1, 2))).size == 1
