"""What stands around a network is said in a text's header, and put there again when the text is checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import dense

from nn2eq.conversion import Request, convert
from nn2eq.decision import deciding
from nn2eq.emit import as_text
from nn2eq.errors import BadRequest
from nn2eq.network import Network
from nn2eq.proof.judge import judge
from nn2eq.scaling import in_original_units
from nn2eq.surroundings import SHORT, Told, as_told, in_short, surrounded

PLAIN = dense((3, 4, 2), ("tanh", "sigmoid"))
X = np.random.default_rng(7).normal(size=(50, 3)) + 4.0

AROUND = {
    "scalers": in_original_units(PLAIN, scale_input="minmax:0:5:-1:1", scale_output="y2=standard:0.1:0.3"),
    "transforms": in_original_units(PLAIN, transform_input="x2=log10", scale_input="x2=minmax:0:0.7"),
    "twice": in_original_units(
        in_original_units(PLAIN, scale_input="minmax:0:5"), scale_input="standard:1:3"
    ),
    "decision": deciding(in_original_units(PLAIN, scale_input="minmax:1:3,none,standard:4:2"), 0.55),
    "on z": deciding(PLAIN, 0.25, on="z"),
}


@pytest.mark.parametrize("network", AROUND.values(), ids=AROUND)
def test_it_is_put_there_again_to_the_last_bit(network: Network) -> None:
    again = surrounded(PLAIN, in_short(network))
    assert again.around == network.around
    assert np.array_equal(again.evaluate(X), network.evaluate(X))
    assert not np.array_equal(again.evaluate(X), PLAIN.evaluate(X))


@pytest.mark.parametrize("language", ["numpy", "latex", "json"])
@pytest.mark.parametrize("network", AROUND.values(), ids=AROUND)
def test_a_text_is_checked_without_saying_it_again(network: Network, language: str) -> None:
    text = as_text(convert(network, Request(language)).text)
    found = judge(PLAIN, text)
    assert found.holds, found.line()
    assert "as the header says" in found.note
    assert judge(network, text).note == ""


def test_a_planted_number_in_the_header_is_caught() -> None:
    text = as_text(convert(AROUND["scalers"], Request("numpy")).text)
    assert not judge(PLAIN, text.replace("standard:0.1:0.3", "standard:0.1:0.30001")).holds


def test_what_is_given_stands_whatever_the_header_says() -> None:
    text = as_text(convert(AROUND["scalers"], Request("numpy")).text)
    other = in_original_units(PLAIN, scale_input="minmax:0:5")
    found = judge(other, text)
    assert not found.holds
    assert "other things stand around the network" in found.note
    untold = "\n".join(line for line in text.splitlines() if "around" not in line)
    assert judge(AROUND["scalers"], untold).holds
    assert not judge(PLAIN, untold).holds


def test_many_numbers_are_named_by_their_sha256(tmp_path: Path) -> None:
    plain = dense((90, 2, 1), ("tanh", "linear"))
    lows = np.random.default_rng(3).normal(size=90)
    path = tmp_path / "scaler.json"
    path.write_text(f'{{"kind": "minmax", "low": {lows.tolist()}, "high": {(lows + 1.5).tolist()}}}')
    network = in_original_units(plain, scale_input=str(path))
    text = as_text(convert(network, Request("numpy")).text)
    assert all(len(line) < 200 + SHORT for line in text.splitlines()[:8])
    assert judge(network, text).note == ""
    with pytest.raises(BadRequest, match="--scale-input"):
        judge(plain, text)
    spoken = in_original_units(plain, scale_input=network.around[0][1])
    assert judge(spoken, text).note == ""  # the numbers count, not the file they came from


@pytest.mark.parametrize(
    "told",
    [
        (("scale_input", __file__),),
        (("scale_input", "minmax:0:5,none"),),
        (("scale_input", "minmax:0:inf"),),
        (("transform_input", "log10,none"),),
        (("transform_input", "fourier,none,none"),),
        (("threshold", "half"),),
        (("threshold", "nan"),),
        (("exec", "import os"),),
        (("scale_output", "sha256 0"),),
    ],
)
def test_a_header_that_tells_nonsense_is_refused(told: Told) -> None:
    with pytest.raises(BadRequest):
        as_told(PLAIN, told)
