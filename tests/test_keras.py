"""Keras itself: asked about the shipped models, told nothing of a stranger's file, named when it differs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nn2eq import read
from nn2eq.activations import activation
from nn2eq.errors import BadRequest
from nn2eq.network import Affine, Layer, Network
from nn2eq.proof import ask_keras as asking
from nn2eq.proof import keras_description
from nn2eq.proof.ask_keras import ask_keras
from nn2eq.reading.archive import JSON, Archive
from nn2eq.scaling import in_original_units

KERAS = pytest.mark.keras


def asked_of_many(*told: Path | str) -> list[tuple[str, bool, str, int, list[tuple[int, str]]]]:
    """Ask Keras about models, files or told by their layers: name, whether it holds, line, samples, left out."""
    command = [sys.executable, Path(__file__).with_name("ask_keras_of_many.py"), *told]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return list(map(tuple, json.loads(done.stdout)))


@KERAS
@pytest.mark.slow
def test_keras_agrees_with_every_shipped_model(shipped_models: tuple[Path, ...]) -> None:
    agreements = asked_of_many(*shipped_models)
    assert len(agreements) >= 20
    for name, holds, line, samples, _ in agreements:
        assert holds, f"{name}: {line}"
        assert "model loaded" in line, name
        assert samples > 50, name


@KERAS
@pytest.mark.slow
def test_a_scaled_network_is_asked_behind_its_scaler_and_a_wrong_layer_is_named(shipped_models: Any) -> None:
    path = next(path for path in shipped_models if path.name == "dense_1-3-2-1_tanh.keras")
    network = in_original_units(read(path), scale_input="minmax:300:400:-1:1", scale_output="standard:7:3")
    assert ask_keras(network, path).holds
    layers = list(network.layers)
    second = [index for index, layer in enumerate(layers) if not layer.added][1]
    first, *rest = layers[second].maps
    assert isinstance(first, Affine)
    wrong = np.array(first.kernel)
    wrong[0, 1] += 1e-3
    layers[second] = replace(layers[second], maps=(Affine(wrong, first.bias), *rest))
    agreement = ask_keras(replace(network, layers=tuple(layers)), path)
    assert not agreement.holds
    assert agreement.link == "Keras and network"
    assert agreement.unit == f"of layer 2 {layers[second].name!r} (Dense), unit 2"


@KERAS
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning")
def test_names_that_tensorflow_cannot_use_are_asked_by_a_rebuilt_model(tmp_path: Path) -> None:
    """The names in an HDF5 file of Keras 2 are TensorFlow's scopes, and may not have spaces there."""
    tf_keras = pytest.importorskip("tf_keras")
    model = tf_keras.Sequential(
        [tf_keras.layers.Input((2,)), tf_keras.layers.Dense(2, "tanh", name="abcdefgh")]
    )
    path = tmp_path / "model.h5"
    with pytest.warns(UserWarning, match="legacy"):
        model.save(path, save_format="h5")
    path.write_bytes(path.read_bytes().replace(b"abcdefgh", b"ab de,gh"))
    agreement = ask_keras(read(path), path)
    assert agreement.holds, agreement.line()
    assert "rebuilt from its description" in agreement.line()


MODELS = {
    "whole": "L.Input((4,), dtype='int16'), L.Rescaling(0.1), L.Dense(3, 'tanh'), L.Dense(2)",
    "half": "L.Input((4,)), L.Dense(5, 'squareplus', dtype='float16'), L.LayerNormalization(dtype='float16')",
    "root": "L.Input((4,)), L.RMSNormalization(), L.Dense(2), L.LayerNormalization(rms_scaling=True)",
    "a b": "L.Input((4,)), L.RMSNormalization(name='a b'), L.LayerNormalization(rms_scaling=True)",
    "near 0": "L.Input((2,)), L.LayerNormalization(epsilon=1e-6), L.Dense(2)",
    "falling": "L.Input((3,)), L.Dense(5, 'mish'), L.Dense(4, 'elu'), L.Dense(2, 'gelu')",
    "cancelling": "L.Input((3,)), L.Dense(5, 'squareplus'), L.Dense(3, 'log_sigmoid'), L.Dense(2, 'gelu')",
}


@KERAS
@pytest.mark.slow
def test_keras_is_asked_what_it_takes_and_allowed_what_it_computes_in(tmp_path: Path) -> None:
    """Whole numbers are cut off on their way into a model, float16 ends at 65,504, and formulas cancel in float32."""
    for name, holds, line, samples, left_out in asked_of_many(
        *(f"{tmp_path}/{name}.keras={layers}" for name, layers in MODELS.items())
    ):
        assert holds, f"{name}: {line}"
        assert samples > 100, line
        assert {why for _, why in left_out} <= {"beyond float16"}


def archive(layer: dict[str, Any]) -> Archive:
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [layer]}}
    return Archive(JSON, "order", json.dumps(config).encode())


DENSE = {"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "tanh"}}


@pytest.mark.parametrize(
    "field",
    [
        "kernel_initializer",
        "bias_regularizer",
        "kernel_constraint",
        "activity_regularizer",
        "quantization_config",
    ],
)
def test_what_keras_would_import_or_call_is_not_handed_on(field: str) -> None:
    armed = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    layer = {**DENSE, "config": {**DENSE["config"], field: armed}}
    told = keras_description.cleaned(archive(layer), 3)
    assert told
    assert "system" not in told


@pytest.mark.parametrize(
    "armed",
    [
        {"module": "os", "class_name": "function", "config": "system"},
        {"module": "keras.utils", "class_name": "function", "config": "get_file"},
        {"class_name": "Lambda", "config": {"function": ["4wEAAAA=", None, None]}},
        {"module": "keras.layers", "class_name": "Dense", "config": {}, "registered_name": "my>Dense"},
        {"class_name": "__lambda__", "config": {"value": ""}},
    ],
)
def test_a_description_that_holds_anything_unknown_is_not_handed_on_at_all(armed: dict[str, Any]) -> None:
    for layer in ({**DENSE, "extra": armed}, {**DENSE, "config": {**DENSE["config"], "anything": [armed]}}):
        assert keras_description.cleaned(archive(layer), 3) == ""


def test_layers_are_described_by_numbers_and_names_of_keras_own() -> None:
    old = {
        "class_name": "Dense",
        "config": {"output_dim": 3, "bias": False, "init": "uniform", "name": "x y"},
    }
    assert keras_description.layers(archive(old)) == [
        {"class_name": "Dense", "arguments": {"units": 3, "use_bias": False}}
    ]


def one_layer() -> Network:
    kernel = np.array([[0.5, -0.25]], np.float32)
    return Network((Layer("d", "Dense", (2,), (Affine(kernel), activation("tanh"))),), (1,))


def answered(network: Network, x: np.ndarray, by: float) -> asking.KerasAnswer:
    answers = network.evaluate(x)
    answers[3, 1] += by
    return asking.KerasAnswer(answers, (answers,), "keras", 2.0**-24)


def test_float32_rounding_agrees_and_more_does_not() -> None:
    network, x = one_layer(), np.linspace(-2, 2, 9)[:, None]
    assert asking.compared(network, x, answered(network, x, 6e-8)).holds
    agreement = asking.compared(network, x, answered(network, x, 1e-5))
    assert not agreement.holds
    assert agreement.unit == "of layer 1 'd' (Dense), unit 2"
    assert agreement.spot is not None
    assert agreement.spot.ulps == pytest.approx(1e-5 * 2**23)
    assert not asking.compared(network, x, answered(network, x, np.nan)).holds


def test_missing_keras_is_named_with_the_way_out(
    shipped_models: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tensorflow.py").write_text("raise ImportError('No module named tensorflow')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BadRequest, match=r"nn2eq\[keras\].*keras-missing"):
        ask_keras(read(shipped_models[0]), shipped_models[0])


def test_keras_that_dies_is_told(
    shipped_models: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tensorflow.py").write_text("import os\nos.kill(os.getpid(), 11)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BadRequest, match=r"SIGSEGV.*keras-failed"):
        ask_keras(read(shipped_models[0]), shipped_models[0])


def test_a_file_that_changed_in_between_is_not_asked_about(shipped_models: Any, tmp_path: Path) -> None:
    first, second = tmp_path / "a.keras", shipped_models[-1]
    shutil.copy(shipped_models[0], first)
    network = read(first)
    shutil.copy(second, first)
    with pytest.raises(BadRequest, match="not the one"):
        ask_keras(network, first)
