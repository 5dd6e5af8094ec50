"""Original units: a scaled network is the inverse scaler after the network after the scaler."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from nn2eq.activations import activation
from nn2eq.domain import default_domain
from nn2eq.errors import BadRequest
from nn2eq.network import Affine, Layer, Network
from nn2eq.reading import read
from nn2eq.reading.own_json import write_network
from nn2eq.scaling import in_original_units, parse_scaler

RNG = np.random.default_rng(7)
DATA = RNG.normal(size=(40, 3)) * [1.0, 50.0, 0.01] + [0.0, 300.0, 1.0]
ANSWERS = RNG.normal(size=(40, 2)) * [4.0, 1e5] + [1.0, 1e6]


def network() -> Network:
    first = Affine(RNG.normal(size=(3, 4)).astype(np.float32), RNG.normal(size=4).astype(np.float32))
    second = Affine(RNG.normal(size=(4, 2)).astype(np.float32), RNG.normal(size=2).astype(np.float32))
    layers = (
        Layer("one", "Dense", (4,), (first, activation("tanh"))),
        Layer("two", "Dense", (2,), (second,)),
    )
    return Network(layers, (3,))


def saved(path: Path, scaler: MinMaxScaler | StandardScaler) -> str:
    if isinstance(scaler, MinMaxScaler):
        found = {"kind": "minmax", "low": scaler.data_min_.tolist(), "high": scaler.data_max_.tolist(),
                 "range": list(scaler.feature_range)}  # fmt: skip
    else:
        found = {"kind": "standard", "mean": scaler.mean_.tolist(), "sd": scaler.scale_.tolist()}
    path.write_text(json.dumps(found))
    return str(path)


@pytest.mark.parametrize("make", [lambda: MinMaxScaler((-1, 1)), MinMaxScaler, StandardScaler])
def test_fitted_scalers_of_scikit_learn(tmp_path: Path, make: type) -> None:
    before, behind = make().fit(DATA), make().fit(ANSWERS)
    plain = network()
    scaled = in_original_units(
        plain,
        scale_input=saved(tmp_path / "in.json", before),
        scale_output=saved(tmp_path / "out.json", behind),
    )
    expected = behind.inverse_transform(plain.evaluate(before.transform(DATA)))
    np.testing.assert_allclose(scaled.evaluate(DATA), expected, rtol=1e-12)
    assert scaled.core.evaluate(DATA) == pytest.approx(plain.evaluate(DATA))


def spoken(text: str, names: tuple[str, ...], x: list[float]) -> NDArray[np.float64]:
    scaler = parse_scaler(text, names, "--scale-input")
    return np.array(x) * scaler.factor + scaler.shift


def test_spoken_scalers() -> None:
    assert spoken("minmax:0:5", ("x",), [5.0]) == pytest.approx([1.0])
    assert spoken("minmax:0:5:-1:1", ("a", "b"), [0.0, 2.5]) == pytest.approx([-1.0, 0.0])
    assert spoken("standard:10:2", ("x",), [14.0]) == pytest.approx([2.0])
    assert spoken("b=standard:10:2", ("a", "b"), [14.0, 14.0]) == pytest.approx([14.0, 2.0])


def test_a_transform_comes_before_the_scaler() -> None:
    plain = network()
    scaled = in_original_units(plain, transform_input="x2=log10", scale_input="x2=minmax:0:3")
    x = np.array([[0.3, 100.0, -2.0]])
    assert scaled.evaluate(x) == pytest.approx(plain.evaluate(np.array([[0.3, 2 / 3, -2.0]])))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("minmax:5:0", "LO < HI"),
        ("minmax:0:0", "LO < HI"),
        ("standard:0:0", "SD > 0"),
        ("standard:nan:1", "finite"),
        ("minmax:a:b", "not a number"),
        ("robust:1:2", "is not a scaler"),
        ("q=minmax:0:1", "no 'q' in this network"),
        ("x1=minmax:0:1,x1=minmax:0:2", "appears twice"),
        ("x1=minmax:0:1,minmax:0:2", "no '='"),
    ],
)
def test_what_is_no_scaler_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        in_original_units(network(), scale_input=text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"kind": "minmax", "low": [0, 0], "high": [1, 1, 1]}', "has 2 numbers"),
        ('{"kind": "minmax", "low": [0, 0, 0]}', "not a list of numbers"),
        ('{"kind": "standard", "mean": [0, 0, true], "sd": 1}', "not a list of numbers"),
        ('{"kind": "pickle"}', "is not a scaler"),
        ("[1, 2]", "not a JSON object"),
        ("{", "is no scaler's JSON"),
        ("\x80\x04\x95", "a Python pickle, which is never opened"),
        ("[" * 100_000, "scaler's JSON"),
    ],
)
def test_what_is_no_scaler_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "scaler.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(BadRequest, match=said):
        in_original_units(network(), scale_input=str(path))


def test_unknown_transform_is_refused() -> None:
    with pytest.raises(BadRequest, match="log10"):
        in_original_units(network(), transform_input="x1=fourier")


def test_the_scaler_says_where_the_data_are() -> None:
    plain = network()
    assert default_domain(in_original_units(plain, scale_input="minmax:0:5:-1:1")) == ((0.0, 5.0),) * 3
    by_name = "x1=minmax:0:5,x2=standard:10:2,x3=minmax:-1:1"
    assert default_domain(in_original_units(plain, scale_input=by_name)) == ((0, 5), (4, 16), (-1, 1))
    with pytest.raises(BadRequest, match="none is known"):
        default_domain(in_original_units(plain, scale_input="x1=minmax:0:5"))
    with pytest.raises(BadRequest, match="none is known"):
        default_domain(in_original_units(plain, scale_output="minmax:0:5"))


def test_the_fitted_range_of_scikit_learns_scaler(tmp_path: Path) -> None:
    scaled = in_original_units(network(), scale_input=saved(tmp_path / "in.json", MinMaxScaler().fit(DATA)))
    np.testing.assert_allclose(default_domain(scaled), np.stack([DATA.min(axis=0), DATA.max(axis=0)], axis=1))


def test_the_domain_goes_back_through_a_transform() -> None:
    by_name = "x1=minmax:0:5,x2=minmax:-2:3,x3=minmax:0:3"
    scaled = in_original_units(network(), scale_input=by_name, transform_input="x2=log10,x3=expm1")
    domain = np.array(default_domain(scaled))
    np.testing.assert_allclose(domain[1], [0.01, 1000.0], rtol=1e-12)
    assert np.expm1(domain[2, 1]) == pytest.approx(3.0)
    for function in ("square", "sqrt"):  # a square is met twice, a root never is -1
        with pytest.raises(BadRequest, match="none is known"):
            default_domain(
                in_original_units(network(), scale_input="minmax:-1:5", transform_input=f"x1={function}")
            )


def test_the_fitted_range_is_kept_in_a_network_file(tmp_path: Path) -> None:
    scaled = in_original_units(network(), scale_input="minmax:0:5")
    path = tmp_path / "scaled.json"
    path.write_bytes(write_network(scaled))
    assert default_domain(read(path)) == ((0.0, 5.0),) * 3
