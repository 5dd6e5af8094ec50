"""One network behind another: it answers as the two do, is a file like any other, and its derivation holds."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import dense

from nn2eq.cells import regions
from nn2eq.composition import compose
from nn2eq.errors import BadRequest
from nn2eq.network import Affine, Network, Source
from nn2eq.reading import read
from nn2eq.reading.own_json import read_network, write_network
from nn2eq.show.derivation import derivation

MODELS = Path(__file__).parent.parent / "models"
MATRIX = re.compile(r"\\begin\{bmatrix\}\n(.*?)\n\\end\{bmatrix\}", re.DOTALL)


def textbook_pair() -> tuple[Network, Network]:
    return tuple(read(str(MODELS / f"dense_1-3-1_relu_{which}.keras")) for which in ("first", "second"))  # type: ignore[return-value]


def test_it_answers_as_the_two_do() -> None:
    first, second = dense((3, 5, 2), ("tanh", "sigmoid")), dense((2, 4, 3), ("relu", "softmax"))
    x = np.random.default_rng(0).normal(size=(50, 3))
    both = read_network(write_network(compose(first, second)))
    assert np.array_equal(both.evaluate(x), second.evaluate(first.evaluate(x)))
    assert len({layer.name for layer in both.layers}) == len(both.layers)


def test_it_is_trained_by_the_loss_of_the_second() -> None:
    first, second = (
        replace(dense((2, 2), ("sigmoid",)), source=Source(loss=loss))
        for loss in ("mse", "binary_crossentropy")
    )
    assert read_network(write_network(compose(first, second))).source.loss == "binary_crossentropy"


def test_the_textbook_pair_has_nine_pieces() -> None:
    both = compose(*textbook_pair())
    assert [regions(part, [(-1.0, 1.0)]).count for part in (*textbook_pair(), both)] == [3, 3, 9]


def test_sizes_must_fit() -> None:
    with pytest.raises(BadRequest, match="gives 2 numbers, and the second takes 3"):
        compose(dense((3, 2), ("tanh",)), dense((3, 2), ("tanh",)))


@pytest.mark.parametrize("between", [1, 2])
def test_the_numbers_of_the_derivation_are_the_merged_map(between: int) -> None:
    first, second = dense((3, 4, between), ("tanh", "linear")), dense((between, 5, 1), ("relu", "linear"))
    text = derivation(first, second)
    found = [
        np.array([[_number(entry) for entry in row.split("&")] for row in body.split(r"\\")])
        for body in MATRIX.findall(text)
    ]
    psi, psi_0 = found[-2], found[-1][:, 0]
    assert np.linalg.matrix_rank(psi) == between
    assert f"rank {between}" in text
    h = np.tanh(_affine(first, 0)(np.random.default_rng(0).normal(size=(7, 3))))
    z = _affine(second, 0)(_affine(first, 1)(h))
    assert np.allclose(h @ psi.T + psi_0, z, rtol=1e-13, atol=1e-13)


def _affine(network: Network, place: int) -> Affine:
    return [step for step in network.maps if isinstance(step, Affine)][place]


def _number(text: str) -> float:
    return float(re.sub(r" \\times 10\^\{(-?\d+)\}", r"e\1", text.strip()))


def test_an_activation_between_is_said() -> None:
    text = derivation(dense((1, 2), ("tanh",)), dense((2, 1), ("linear",)))
    assert "no two affine maps meet" in text


def test_the_derivation_compiles(tmp_path: Path, tool: Callable[[str], str]) -> None:
    body = derivation(*textbook_pair())
    page = (
        f"\\documentclass{{article}}\n\\usepackage{{amsmath}}\n\\begin{{document}}\n{body}\\end{{document}}\n"
    )
    (tmp_path / "page.tex").write_text(page)
    command = [tool("pdflatex"), "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-1000:]


def test_on_the_command_line(tmp_path: Path) -> None:
    first, second = (str(MODELS / f"dense_1-3-1_relu_{which}.h5") for which in ("first", "second"))
    target = tmp_path / "both.json"
    command = [sys.executable, "-m", "nn2eq", "compose", first, second]
    done = subprocess.run([*command, "-o", str(target)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    x = np.linspace(-1, 1, 9)[:, None]
    assert np.allclose(
        read(str(target)).evaluate(x), read(second).evaluate(read(first).evaluate(x)), rtol=1e-15
    )
    piped = subprocess.run(command, capture_output=True, text=True, check=True)
    assert piped.stdout == target.read_text()
    derived = subprocess.run([*command, "--derivation"], capture_output=True, text=True, check=True)
    assert "rank 1" in derived.stdout
    assert "base64" not in derived.stdout
    command[-1] = str(MODELS / "dense_2-3-1_sigmoid.h5")
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "[sizes]" in refused.stderr
