"""What is asked of pictures: what a kind is not for is refused, and a file is whole or not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_networks import dense
from picture_parts import MODELS

import nn2eq
from nn2eq.cli.main import main
from nn2eq.errors import Nn2eqError
from nn2eq.network import Network
from nn2eq.show import pictures
from nn2eq.show.pictures import drawn


@pytest.mark.parametrize(
    ("kind", "networks", "given", "code", "said"),
    [
        ("pie", (dense(1, 1),), {}, "unknown-kind", "function, layers"),
        ("function", (dense(3, 2, 1),), {"domain": (0, 1)}, "kind-model", "has 3"),
        ("layers", (dense(2, 2, 1),), {"domain": (0, 1)}, "kind-model", "for 1 input"),
        ("layers", (dense(1, 2, 1), dense(1, 1)), {"domain": (0, 1)}, "kind-model", "of 1 network"),
        ("composition", (dense(1, 2, 1),), {"domain": (0, 1)}, "kind-model", "of 2 networks"),
        ("composition", (dense(1, 2), dense(1, 1)), {"domain": (0, 1)}, "kind-model", "1 output"),
        ("regions", (dense(1, 2, 1),), {"domain": (0, 1)}, "kind-model", "2 inputs"),
        ("regions", (dense(2, 2, 1, activation="tanh"),), {"domain": (0, 1)}, "not-piecewise-affine", "tanh"),
        ("regions", (dense(2, 1),), {"domain": (0, 1)}, "not-piecewise", "bends"),
        ("boundary", (dense(3, 1),), {"domain": (0, 1)}, "kind-model", "2 inputs"),
        ("boundary", (dense(2, 11),), {"domain": (0, 1)}, "kind-model", "11 classes"),
        ("boundary", (dense(2, 3),), {"domain": (0, 1), "threshold": 0.5}, "option-kind", "one output"),
        ("projection", (dense(3, 1),), {"domain": (0, 1)}, "kind-model", "no hidden layer"),
        ("projection", (dense(3, 1, 1),), {"domain": (0, 1)}, "kind-model", "a1_1"),
        ("projection", (dense(3, 4, 1),), {"domain": (0, 1), "units": "a1_1,a9_9"}, "units", "a9_9"),
        ("projection", (dense(3, 4, 1),), {"domain": (0, 1), "units": "a1_1"}, "units", "two or three"),
        ("projection", (dense(3, 4, 1, last="sigmoid"),), {"domain": (0, 1), "threshold": 2.0}, "threshold", "2"),
        ("diagram", (dense(3, 4, 1),), {"path": "a7_1"}, "path", "a7_1"),
        ("diagram", (dense(3, 4, 1),), {"path": "a1_1", "view": "layers"}, "option-kind", "--path"),
        ("diagram", (dense(3, 4, 1),), {"view": "all"}, "usage", "units, layers"),
        ("diagram", (dense(3, 4, 1),), {"domain": (0, 1)}, "option-kind", "--domain"),
        ("derivatives", (dense(3, 4, 1),), {"domain": (0, 1)}, "kind-model", "has 3"),
        ("weights", (dense(3, 4, 1),), {"form": "taylor"}, "option-kind", "--form"),
        ("errors", (dense(1, 1),), {"domain": (0, 1)}, "kind-model", "--form"),
        ("errors", (dense(1, 1),), {"domain": (0, 1), "form": "pie"}, "unknown-form", "pie"),
        ("function", (dense(1, 1),), {"domain": (0, 1), "form": "matrix", "order": 2}, "option-form", "--order"),
        ("function", (dense(1, 1),), {"domain": (0, 1), "order": 2}, "option-form", "--form"),
        ("function", (dense(1, 1),), {}, "domain", "--domain"),
        ("function", (dense(1, 1),), {"domain": (1, 1)}, "domain", "width"),
        ("function", (dense(1, 1),), {"data": np.ones((3, 4))}, "data", "(3, 4)"),
        ("function", (dense(1, 1), dense(2, 1)), {"domain": (0, 1)}, "kind-model", "differ"),
        ("function", (dense(1, 30),), {"domain": (0, 1)}, "too-large", "30"),
        ("function", (dense(1, 1),), {"domain": (0, 1), "theme": "pink"}, "usage", "light, dark"),
    ],
)  # fmt: skip
def test_what_a_kind_is_not_for_is_refused(
    kind: str, networks: tuple[Network, ...], given: dict[str, Any], code: str, said: str
) -> None:
    with pytest.raises(Nn2eqError) as caught:
        nn2eq.plot(networks, kind, **given)
    assert caught.value.code == code
    assert said in str(caught.value)


def run(*args: object) -> int:
    with pytest.raises(SystemExit) as done:
        main(["plot", *map(str, args)])
    return int(done.value.code or 0)


def test_the_command_writes_whole_files_or_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, file = MODELS / "dense_1-3-3-1_relu.keras", tmp_path / "a b.svg"
    given = (model, "--kind", "function", "--domain")
    assert run(*given, "0:2", "-o", file) == 0
    assert capsys.readouterr() == ("", "")
    whole = file.read_bytes()
    assert whole == drawn(nn2eq.read(model), "function", "svg", domain=(0, 2))
    assert run(*given, "2:0", "-o", file) == 2
    assert "[domain]" in capsys.readouterr().err
    for name in ("f.gif", "f", "f.dot", "no/f.png"):
        assert run(*given, "0:2", "-o", tmp_path / name) == 2
        assert "[output]" in capsys.readouterr().err
    assert file.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["a b.svg"]


def test_the_command_draws_what_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, file = MODELS / "dense_2-3-1_sigmoid.keras", tmp_path / "f.svg"
    given = (model, "--domain=-1:1", "-o", file, "--threshold", 0.9, "--kind")
    assert run(*given, "boundary", "--inputs", "a,b", "--theme", "dark") == 0
    network = nn2eq.read(model)
    named = replace(network, input_names=("a", "b"))
    told: dict[str, Any] = {"domain": (-1, 1), "threshold": 0.9, "theme": "dark"}
    assert file.read_bytes() == drawn(named, "boundary", "svg", **told)
    assert run(*given, "boundary", "--decide-on", "z") == 2
    assert "--decide-on does not apply to --kind boundary" in capsys.readouterr().err
    assert run(*given, "function") == 0


def test_without_matplotlib_a_diagram_is_still_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "find_spec", lambda name: None)
    with pytest.raises(Nn2eqError, match=r"nn2eq\[plot\]") as caught:
        nn2eq.plot(dense(1, 1), "diagram")
    assert caught.value.code == "no-matplotlib"
    assert drawn(dense(1, 1), "diagram", "dot").startswith(b"digraph")
