"""What pieces are asked for, and told as: domains, plain data, the command line."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine_networks import (
    check,
    random_network,
)
from click.testing import CliRunner, Result
from conftest import PROJECT

import nn2eq
from nn2eq.cells import regions
from nn2eq.cli.regions import affine_text
from nn2eq.cli.regions import regions as regions_command
from nn2eq.errors import BadRequest, Nn2eqError
from nn2eq.reading import read


def test_domains_are_checked() -> None:
    net = random_network((2, 3, 1), 0)
    for wrong in ([(0, 1)], [(0, 1), (1, 1)], [(0, 1), (2, 1)], [(0, 1), (0, float("nan"))]):
        with pytest.raises(BadRequest, match="domain"):
            regions(net, wrong)


def test_half_open_domains() -> None:
    net = random_network((2, 6, 5, 1), 2)
    found = regions(net, [(0, np.inf), (-np.inf, 1)])
    check(net, found)
    finite = regions(net, [(0, 1e7), (-1e7, 1)])
    assert found.count == finite.count


def test_plain_data_has_the_promised_shape() -> None:
    net = random_network((2, 4, 3, 2), 5)
    plain = regions(net, [(-1, 1)] * 2).as_dict()
    assert plain["count"] == len(plain["regions"])
    region = plain["regions"][0]
    assert len(region["pattern"]) == 7
    assert np.array(region["matrix"]).shape == (2, 2)
    assert np.array(region["vector"]).shape == (2,)
    assert "halfspaces" not in region
    endless = regions(net).as_dict()["regions"]
    assert any(None in corner for r in endless for corner in r["vertices"])
    assert all("halfspaces" in r for r in endless if any(None in corner for corner in r["vertices"]))
    cells = regions(random_network((3, 4, 1), 5)).as_dict()["regions"]
    assert all(len(row) == 4 for r in cells for row in r["halfspaces"])


# ------------------------------------------------------------------------------------------ the command line


def run(*args: str) -> Result:
    found = CliRunner().invoke(regions_command, args, catch_exceptions=False)
    assert found.exit_code == 0
    return found


MODEL = str(PROJECT / "models" / "dense_1-3-1_relu_first.keras")


def test_the_command_lists_pieces_and_says_how_sure_it_is() -> None:
    found = run(MODEL, "--domain=-1:1", "--exact")
    assert found.stdout.splitlines()[0] == "3 pieces"
    assert "z1_2 at -0.5; z1_3 at 0.5" in found.stdout
    assert "-1/2  1/2   -2 x" in found.stdout
    assert "each of 2 inner facets has its twin" in found.stderr


def test_the_command_writes_json(tmp_path: Path) -> None:
    target = tmp_path / "pieces.json"
    run(MODEL, "--merge", "-o", str(target))
    plain = json.loads(target.read_text())
    assert plain["domain"] == [[None, None]]
    assert plain["merged"] == len(plain["regions"]) <= plain["count"]
    assert run(MODEL, "--merge", "--json").stdout == target.read_text()


def test_the_command_says_when_it_stopped() -> None:
    found = run(MODEL, "--max-regions", "1")
    assert found.stdout.splitlines()[0] == "at least 1 piece"
    assert "joints" not in found.stdout
    assert "incomplete: stopped after 1 piece; there are more" in found.stderr


def test_the_command_keeps_what_an_interrupt_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As shells have it, the exit code of what a user stops is 130; what was found is written all the same."""

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nn2eq.cli.regions.show_progress", interrupted)
    file = tmp_path / "some.json"
    monkeypatch.setattr("nn2eq.cli.regions.is_watched", lambda: True)
    found = CliRunner().invoke(regions_command, [MODEL, "-o", str(file)])
    assert found.exit_code == 130
    assert "incomplete: stopped after" in found.stderr
    plain = json.loads(file.read_text())
    assert plain["complete"] is False
    assert plain["count"] == len(plain["regions"]) > 0
    assert plain["layers"] == []


def test_slopes_of_one_are_not_written() -> None:
    assert affine_text(("a", "b"), (1.0, -1.0), 0.0) == "a - b"
    assert affine_text(("a", "b"), (-1.0, Fraction(1)), 2.0) == "-a + b + 2"
    assert affine_text(("a", "b"), (0.0, 0.5), 0.0) == "0.5 b"


def test_pyomo_leaves_pieces_to_switches_and_says_why() -> None:
    model = read(MODEL)
    with pytest.raises(
        Nn2eqError, match=r"pyomo cannot say the pieces form.*--form bigm with a --domain"
    ) as caught:
        nn2eq.convert(model, nn2eq.Request("pyomo", "pieces"))
    assert caught.value.code == "form-format"
    assert (
        "add_network" in nn2eq.convert(model, nn2eq.Request("pyomo", "bigm", shape={"domain": (-1, 1)})).text
    )
