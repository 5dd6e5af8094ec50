"""As many digits as are said are enough, and one less for all is not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from networks import dense
from numpy.typing import NDArray

from nn2eq.cli.digits import digits as command
from nn2eq.errors import BadRequest
from nn2eq.forms.coefficients import vector, with_vector
from nn2eq.forms.digits import Digits, digits
from nn2eq.forms.rounded import rounded
from nn2eq.forms.straight import matrix
from nn2eq.network import Network
from nn2eq.reading import read

MODELS = Path(__file__).resolve().parent.parent / "models"
Array = NDArray[np.float64]


def worst(network: Network, found: Digits, numbers: Array | None = None) -> float:
    """The largest error that samples find, of all coefficients alike or with other numbers."""
    program = matrix(network)
    program = rounded(program, found.overall) if numbers is None else with_vector(program, numbers)
    low, high = np.array(found.domain).T
    x = np.random.default_rng(0).uniform(low, high, size=(50_000, network.inputs))
    x[:200] = np.where(np.random.default_rng(1).random((200, network.inputs)) < 0.5, low, high)
    return float(np.abs(program.evaluate(x) - network.evaluate(x)).max())


def require_enough(network: Network, found: Digits) -> None:
    assert worst(network, found) <= found.proved <= found.tolerance
    printed = np.array([one.printed for one in found.each])
    assert worst(network, found, printed) <= found.proved_each <= found.tolerance
    for one in found.each:
        assert one.printed == float(f"{one.value:.{one.digits - 1}e}")


@pytest.mark.parametrize("seed", range(12))
def test_digits_are_enough_for_random_networks(seed: int) -> None:
    names = [["tanh", "relu"], ["sigmoid", "softplus"], ["gelu", "softmax"]][seed % 3]
    network = dense([1 + seed % 3, 5, 4, 2], [*names, "linear"], seed=seed)
    found = digits(network, 10.0 ** -(1 + seed % 4), (-1.0, 1.0), seconds=6.0)
    require_enough(network, found)
    assert np.mean([one.digits for one in found.each]) <= found.overall


def test_one_digit_less_is_not_enough() -> None:
    network = read(str(MODELS / "dense_1-5-1_sigmoid.keras"))
    found = digits(network, 1e-3, (-1.0, 1.0))
    require_enough(network, found)
    fewer = Digits(found.domain, found.tolerance, found.overall - 1, 1e-3, found.each, 1e-3)
    assert worst(network, fewer) > 1e-3
    with pytest.raises(AssertionError):  # a planted claim that is too good
        require_enough(network, fewer)
    assert sum(one.digits for one in found.each) < found.overall * len(found.each)


def test_names_say_where_a_coefficient_stands() -> None:
    network = read(str(MODELS / "dense_2-3-1_sigmoid.keras"))
    found = {one.name: one.value for one in digits(network, 0.05, (-1.0, 1.0)).each}
    [first, second] = (layer.weights for layer in network.layers if layer.weights)
    assert found["W1_2_3"] == first["kernel"][1, 2]
    assert found["b1_3"] == first["bias"][2]
    assert found["W2_3_1"] == second["kernel"][2, 0]
    assert len(found) == len(vector(matrix(network)))


def test_what_cannot_be_is_refused() -> None:
    network = dense([2, 3, 1], ["tanh", "linear"])
    with pytest.raises(BadRequest, match="no number above 0"):
        digits(network, 0.0, (-1.0, 1.0))
    with pytest.raises(BadRequest, match="none is known"):
        digits(network, 0.1)


def test_all_digits_are_the_network_itself() -> None:
    network = dense([2, 3, 1], ["tanh", "linear"])
    found = digits(network, 1e-30, (-1.0, 1.0), seconds=0.3)
    assert found.proved == 0.0
    assert 9 < found.overall <= 17


def test_the_command_is_the_librarys_twin() -> None:
    model = str(MODELS / "dense_1-3-2-1_tanh.keras")
    run = CliRunner().invoke(command, [model, "--tolerance", "0.01", "--domain=-1:1", "--json"])
    assert run.exit_code == 0
    said = json.loads(run.stdout)
    assert said == json.loads(json.dumps(digits(read(model), 0.01, (-1.0, 1.0)).as_dict()))
    assert list(said) == ["domain", "tolerance", "overall", "proved", "each", "proved_each"]
    shown = CliRunner().invoke(command, [model, "--tolerance", "0.01", "--domain=-1:1"]).stdout
    assert f"overall: {said['overall']} digits" in shown
    assert all(one["name"] in shown for one in said["each"])
