"""What a stranger's description may try, one rule at a time; each ends in one clear error with its stable code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import model_files as mf
import numpy as np
import pytest
from model_files import refusal, refused


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"this is not JSON", "json"),
        (b"", "json"),
        (b"d\xff\xfe", "json"),
        ('{"class_name": "Sequential"}'.encode("utf-16-be"), "json"),
        (b"[" * 100_000 + b"]" * 100_000, "json"),
        (b'{"config":' * 100_000 + b"1" + b"}" * 100_000, "json"),
        (b'{"class_name": "A", "class_name": "B"}', "json"),
        (b'{"class_name": NaN}', "json"),
        (b'{"class_name": -Infinity}', "json"),
        (b'{"class_name": 1e999}', "json"),
        (b'{"class_name": ' + b"9" * 5000 + b"}", "json"),
        (b"[" + b"{}," * 300_000 + b"{}]", "too-large"),
        (b"[" + b"1," * 2_000_001 + b"1]", "too-large"),
        (b'"' + b"A" * (5 << 20) + b'"', "too-large"),
        (b"null", "config"),
        (b"{}", "config"),
        (b'[{"class_name": "Dense"}]', "config"),
        (b'{"class_name": ["Sequential"], "config": {}}', "config"),
        (b'{"class_name": "Sequential", "config": {"layers": {}}}', "config"),
        (b'{"class_name": "Sequential", "config": {"layers": [7]}}', "config"),
        (b'{"class_name": "Functional", "config": {"layers": []}}', "config"),
        (b'{"class_name": "Sequential", "config": {"layers": []}}', "no-layers"),
        (b'{"class_name": "Dense", "config": {}}', "config"),
    ],
)
def test_configs_that_are_none(tmp_path: Path, text: bytes, code: str) -> None:
    refused(mf.keras(tmp_path / "a.keras", text, mf.store({})), code)
    if text and b"\0" not in text:
        refused(mf.legacy(tmp_path / "a.h5", text, {}), code)


@pytest.mark.parametrize("text", [b'"{', b'"{}" "{}"', b'"{\\ud800}"', b'"{\\"', b'"{}"'])
def test_texts_that_hold_no_model(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.json").write_bytes(text)
    assert refusal(tmp_path / "a.json").code in ("json", "config")


def test_a_model_config_of_another_type(tmp_path: Path) -> None:
    for value in (np.arange(5), 3.5, h5py.Empty("S10"), np.array([b"{}", b"[]"])):

        def change(file: h5py.File, value: Any = value) -> None:
            file.attrs["model_config"] = value

        refused(mf.legacy(tmp_path / "a.h5", edit=change), "hdf5", "model_config")


@pytest.mark.parametrize("units", [-1, 0, "3", 10**18, 3.5, True, None, [3], {}])
def test_units_of_another_type(tmp_path: Path, units: Any) -> None:
    config = mf.plain_config()
    config["config"]["layers"][0]["config"]["units"] = units
    refused(mf.legacy(tmp_path / "a.h5", config), "config", "'dense'", "units")


def test_fields_of_another_type(tmp_path: Path) -> None:
    for key, value in (("use_bias", "false"), ("name", 7)):
        config = mf.plain_config()
        config["config"]["layers"][0]["config"][key] = value
        refused(mf.legacy(tmp_path / "a.h5", config), "config")


# -------------------------------------------------------------------------------------- what is not Keras' own


@pytest.mark.parametrize(
    "activation",
    [
        "frobnicate",
        "__class__",
        "__import__('os').system('true')",
        7,
        ["relu"],
        {"class_name": "function", "config": "system", "module": "os", "registered_name": "function"},
        {"class_name": "function", "config": "my", "module": "builtins", "registered_name": "evil>my"},
        {
            "class_name": "function",
            "config": "relu",
            "module": "keras.activations",
            "registered_name": "evil>relu",
        },
        {"class_name": "__lambda__", "config": {"code": "4wE=", "defaults": None, "closure": None}},
        {"class_name": "Dense", "config": {"units": 3}, "module": "keras.layers"},
        {"class_name": "ReLU", "config": {}, "module": "evil.layers"},
    ],
)
def test_activations_that_are_not_keras_own(tmp_path: Path, activation: Any) -> None:
    config = mf.plain_config()
    config["config"]["layers"][0]["config"]["activation"] = activation
    refused(mf.legacy(tmp_path / "a.h5", config), "unsupported-activation", "'dense'")


@pytest.mark.parametrize(
    "more",
    [
        {"class_name": "Lambda"},
        {"class_name": "TFSMLayer"},
        {"class_name": "TimeDistributed"},
        {"class_name": "evil>Dense"},
        {"module": "builtins"},
        {"module": "keras.layers.evil"},
        {"module": "keras.layers", "registered_name": "evil>Dense"},
        {"registered_name": "evil>Dense"},
    ],
)
def test_layers_that_are_not_keras_own_or_not_read(tmp_path: Path, more: dict[str, Any]) -> None:
    config = mf.plain_config()
    config["config"]["layers"][1].update(more)
    refused(mf.legacy(tmp_path / "a.h5", config), "unsupported-layer", "layer 2 'dense_1'")
    nested = mf.sequential(config)
    refused(
        mf.keras(tmp_path / "a.keras", nested), "unsupported-layer", "layer 2 'dense_1' in layer 1 'model'"
    )


def test_a_layer_that_is_not_read_is_refused_with_the_list_of_those_that_are(tmp_path: Path) -> None:
    config = mf.sequential(*mf.plain_config()["config"]["layers"], mf.layer("Conv2D", name="conv"))
    refused(
        mf.legacy(tmp_path / "a.h5", config),
        "unsupported-layer",
        "layer 3 'conv' is a Conv2D",
        "Dense",
        "PReLU",
    )


@pytest.mark.parametrize(
    "more",
    [
        {"quantization_config": {"class_name": "Int8QuantizationConfig"}},
        {"dtype": "int8_from_float32"},
        {"dtype": "int8"},
        {"dtype": {"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8"}}},
        {"dtype": {"class_name": "DTypePolicyMap", "config": {"policy_map": {}}}},
    ],
)
def test_quantized_layers(tmp_path: Path, more: dict[str, Any]) -> None:
    config = mf.plain_config()
    config["config"]["layers"][0]["config"].update(more)
    refused(mf.keras(tmp_path / "a.keras", config), "quantized", "layer 1 'dense'")


# ---------------------------------------------------------------------------------------- the model as a whole


def test_two_layers_of_one_name(tmp_path: Path) -> None:
    config = mf.sequential(*(mf.dense("dense", 4) for _ in range(2)))
    refused(mf.keras(tmp_path / "a.keras", config), "duplicate-name", "'dense'")


def test_an_input_too_large_to_write_down(tmp_path: Path) -> None:
    config = mf.sequential(mf.layer("ReLU", name="relu", batch_input_shape=[None, 10**6, 10**6]))
    refused(mf.legacy(tmp_path / "a.h5", config, {}), "too-large")


def test_names_are_shown_printable_and_short(tmp_path: Path) -> None:
    for name in ("\x1b]0;TITLE\x07", "x\u202e\u2066", "a\u2028b", "n" * 10_000, "a\nb"):
        config = mf.sequential(mf.layer("Lambda", name=name))
        assert str(refused(mf.legacy(tmp_path / "a.h5", config, {}), "unsupported-layer")).isprintable()


def test_models_nested_without_end(tmp_path: Path) -> None:
    config = mf.plain_config()
    for _ in range(200):
        config = mf.sequential(config)
    refused(mf.legacy(tmp_path / "a.h5", config), "json", "nested")

    def loop(file: h5py.File) -> None:
        file["layers/dense/layers"] = file["layers"]

    refused(
        mf.keras(tmp_path / "a.keras", weights=mf.store(mf.plain_variables(), loop)), "too-large", "nested"
    )
