"""nn2eq's own network file: exact to the last bit, and as suspicious of strangers as every other reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nn2eq.activations import ROWS, filled
from nn2eq.errors import Nn2eqError
from nn2eq.network import Affine, Layer, Network, Selected, Source
from nn2eq.reading import read
from nn2eq.reading.own_json import write_network

RNG = np.random.default_rng(3)


def network() -> Network:
    """Both precisions, a diagonal map, blocks, per-unit parameters, a transformed input."""
    kernel, bias = RNG.normal(size=(2, 3)).astype(np.float32), RNG.normal(size=3).astype(np.float32)
    logarithm = Selected(filled(ROWS["log10"], {}), (1,))
    slopes = filled(ROWS["prelu"], {"alpha": RNG.normal(size=6).astype(np.float64)})
    layers = (
        Layer("log", "", (2, 2), (logarithm,), added=True),
        Layer("dense", "Dense", (2, 3), (Affine(kernel, bias, 2),), {"kernel": kernel, "bias": bias}),
        Layer("prelu", "PReLU", (2, 3), (slopes,), axes=(0, 1), epsilon=0.125),
        Layer("soft", "Softmax", (2, 3), (filled(ROWS["softmax"], {}, groups=2),)),
        Layer("flat", "Flatten", (6,)),
        Layer("scale", "", (6,), (Affine(RNG.normal(size=6), RNG.normal(size=6)),), added=True),
    )
    return Network(layers, (2, 2), ("a", "b", "c", "d"), (), Source("x.h5", "0" * 64, "HDF5", "2.4.0", "mse"))


def write(folder: Path, data: bytes | dict[str, Any]) -> Path:
    path = folder / "n.json"
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    return path


def test_a_network_comes_back_unchanged(tmp_path: Path) -> None:
    before = network()
    after = read(write(tmp_path, write_network(before)))
    x = RNG.uniform(0.1, 9, size=(20, 4))
    np.testing.assert_array_equal(after.evaluate(x), before.evaluate(x))
    assert (after.input_shape, after.input_names, after.output_names) == ((2, 2), ("a", "b", "c", "d"), ())
    assert [(layer.name, layer.class_name, layer.shape, layer.added) for layer in after.layers] == [
        (layer.name, layer.class_name, layer.shape, layer.added) for layer in before.layers
    ]
    assert after.layers[1].weights["kernel"].dtype == np.float32
    np.testing.assert_array_equal(after.layers[1].weights["kernel"], before.layers[1].weights["kernel"])
    assert (after.source.keras_version, after.source.loss) == ("2.4.0", "mse")
    assert [(layer.axes, str(layer.epsilon)) for layer in after.layers] == [
        (layer.axes, str(layer.epsilon)) for layer in before.layers
    ]


def test_a_weight_that_is_also_a_kernel_is_written_once() -> None:
    assert len(json.loads(write_network(network()))["arrays"]) == 5


def test_every_shipped_model(shipped_model: Path, tmp_path: Path) -> None:
    before = read(shipped_model)
    after = read(write(tmp_path, write_network(before)))
    x = RNG.normal(size=(20, before.inputs))
    np.testing.assert_array_equal(after.evaluate(x), before.evaluate(x))


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (("version",), 2, "version"),
        (("version",), "1", "config"),
        (("format",), "other", "config"),
        (("input_shape",), [3], "config"),
        (("input_shape",), [True], "config"),
        (("input_names",), ["a"], "config"),
        (("input_names",), ["import os; x", "b", "c", "d"], "config"),
        (("arrays", 0, "dtype"), "object", "config"),
        (("arrays", 0, "dtype"), "float64", "weight-shape"),
        (("arrays", 0, "shape"), [10**9, 10**9], "config"),
        (("arrays", 0, "base64"), "####", "json"),
        (("arrays", 0, "base64"), "AAAA", "weight-shape"),
        (("layers",), {}, "config"),
        (("layers", 1, "shape"), [7], "config"),
        (("layers", 1, "maps", 0, "kernel"), 99, "weight-missing"),
        (("layers", 1, "maps", 0, "kernel"), True, "weight-missing"),
        (("layers", 1, "maps", 0, "kernel"), 1, "weight-shape"),
        (("layers", 1, "maps", 0, "repeat"), 3, "weight-shape"),
        (("layers", 2, "maps", 0, "activation"), "__import__", "unsupported-activation"),
        (("layers", 2, "maps", 0, "parameters"), {"alpha": {"array": 1}}, "weight-shape"),
        (("layers", 2, "maps", 0, "parameters"), {"beta": 1.0}, "unsupported-activation"),
        (("layers", 3, "maps", 0, "groups"), 4, "weight-shape"),
        (("layers", 0, "maps", 0, "units"), [9], "weight-shape"),
        (("layers", 0, "maps", 0, "units"), [-1], "config"),
        (("layers", 0, "name"), 7, "config"),
        (("layers", 0, "added"), "yes", "config"),
    ],
)
def test_a_damaged_network_file_is_refused(
    tmp_path: Path, path: tuple[str | int, ...], value: Any, code: str
) -> None:
    whole = json.loads(write_network(network()))
    place = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(Nn2eqError) as told:
        read(write(tmp_path, whole))
    assert told.value.code == code, told.value


def test_weights_that_are_not_finite(tmp_path: Path) -> None:
    bad = Layer("d", "Dense", (1,), (Affine(np.array([[np.nan]])),))
    with pytest.raises(Nn2eqError, match="NaN"):
        read(write(tmp_path, write_network(Network((bad,), (1,)))))
