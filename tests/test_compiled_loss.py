"""The loss that a model was compiled with is read from its file, and its backward pass is of that loss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nn2eq.errors import BadRequest
from nn2eq.forms.backprop import backprop
from nn2eq.forms.losses import COMPILED, LOSSES
from nn2eq.forms.training import training
from nn2eq.reading import read
from nn2eq.reading.losses import compiled_with, loss_name


@pytest.mark.parametrize("key", ["compile_config", "training_config"])
@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("mse", "mse"),
        (["mse"], "mse"),
        (
            {"class_name": "MeanSquaredError", "config": {"reduction": "sum_over_batch_size"}},
            "MeanSquaredError",
        ),
        ({"class_name": "function", "config": "binary_crossentropy"}, "binary_crossentropy"),
        (
            {"class_name": "BinaryCrossentropy", "config": {"from_logits": True}},
            "BinaryCrossentropy(from_logits=True)",
        ),
        ({"class_name": "Huber", "config": {"delta": 1.0, "reduction": "auto"}}, "Huber"),
        (
            {"class_name": "Huber", "config": {"delta": 2.0, "reduction": "sum"}},
            "Huber(delta=2.0, reduction=sum)",
        ),
        (None, ""),
        ({"a": "mse", "b": "mse"}, ""),
        (7, ""),
    ],
)
def test_what_a_config_says(key: str, told: Any, name: str) -> None:
    assert compiled_with({key: {"loss": told}}) == name


def test_a_name_is_short_whatever_the_file_says() -> None:
    assert len(loss_name("x" * 10_000)) <= 100
    assert len(loss_name({"class_name": "y" * 10_000, "config": {}})) <= 100
    assert compiled_with([]) == compiled_with({"compile_config": 3}) == ""


@pytest.mark.keras
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("loss", "activation", "units"),
    [("mse", "tanh", 2), ("binary_crossentropy", "sigmoid", 1), ("categorical_crossentropy", "softmax", 3)],
)
def test_the_loss_of_a_file(suffix: str, loss: str, activation: str, units: int, tmp_path: Path) -> None:
    import keras

    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(units, activation=activation)(inputs))
    classes = {"mse": "MeanSquaredError", "binary_crossentropy": "BinaryCrossentropy"}
    made = getattr(keras.losses, classes.get(loss, "CategoricalCrossentropy"))()
    for compiled in (loss, keras.losses.get(loss), made):
        model.compile("sgd", loss=compiled)
        path = tmp_path / f"model{suffix}"
        model.save(path)
        (wanted,) = [row.name for row in LOSSES.values() if loss in row.keras]
        for network in (read(str(path)), read(model)):
            assert training(network, COMPILED).loss.name == wanted
            assert backprop(network, loss=COMPILED).told["loss"] == wanted


def test_what_is_not_told_is_refused(shipped_models: tuple[Path, ...]) -> None:
    network = read(str(shipped_models[0]))
    untold = replace(network, source=replace(network.source, loss=""))
    with pytest.raises(BadRequest, match="does not say"):
        training(untold, COMPILED)
