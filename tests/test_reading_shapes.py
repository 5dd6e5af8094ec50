"""What a file says of shapes and axes, in every way that Keras has said it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import model_files as mf
import pytest
from model_files import agrees, refusal

from nn2eq.reading import read


@pytest.mark.parametrize(
    "shape",
    [
        [None, 4],
        {"class_name": "__tuple__", "items": [None, 4]},
        {"class_name": "TensorShape", "items": [None, 4]},
        {"class_name": "__tuple__", "config": {"value": [None, 4]}},
    ],
)
def test_shapes_as_keras_wraps_them(tmp_path: Path, shape: Any) -> None:
    config = mf.sequential(mf.layer("InputLayer", name="in", batch_input_shape=shape), *plain_layers())
    found = read(mf.legacy(tmp_path / "a.h5", config))
    assert found.input_shape == (4,)
    agrees(found)


def plain_layers() -> list[Any]:
    layers = mf.plain_config()["config"]["layers"]
    del layers[0]["config"]["batch_input_shape"]
    return list(layers)


def test_no_input_shape_anywhere(tmp_path: Path) -> None:
    found = read(mf.legacy(tmp_path / "a.h5", mf.sequential(*plain_layers())))
    assert found.input_shape == (4,)
    agrees(found)


@pytest.mark.parametrize("shape", [[None, None, 4], [None, None, None, 4], [None, 7, None, 4], [None, None]])
def test_open_axes_are_like_the_batch(tmp_path: Path, shape: list[int | None]) -> None:
    config = mf.sequential(mf.layer("InputLayer", name="in", batch_input_shape=shape), *plain_layers())
    found = read(mf.legacy(tmp_path / "a.h5", config))
    assert (found.input_shape, found.output_shape) == ((4,), (2,))
    agrees(found)


def test_flatten_needs_every_axis(tmp_path: Path) -> None:
    start = mf.layer("InputLayer", name="in", batch_input_shape=[None, None, 4])
    config = mf.sequential(start, mf.layer("Flatten", name="flatten"), *plain_layers())
    assert refusal(mf.legacy(tmp_path / "a.h5", config)).code == "input-shape"


def test_flatten_in_other_orders_is_refused_or_harmless(tmp_path: Path) -> None:
    for shape, refused in (([None, 2, 2], True), ([None, 1, 4], False)):
        start = mf.layer("Flatten", name="f", data_format="channels_first", batch_input_shape=shape)
        path = mf.legacy(tmp_path / "a.h5", mf.sequential(start, *plain_layers()))
        if refused:
            assert refusal(path).code == "axis"
        else:
            agrees(read(path))


def test_axes_beside_the_last_are_refused_by_name(tmp_path: Path) -> None:
    for class_name in ("Softmax", "LayerNormalization"):
        more = {"center": False, "scale": False} if class_name == "LayerNormalization" else {}
        config = mf.sequential(mf.layer(class_name, name="a", axis=1, batch_input_shape=[None, 3, 4], **more))
        told = refusal(mf.legacy(tmp_path / "a.h5", config, {}))
        assert told.code == "axis"
        assert class_name.lower() in str(told).lower().replace("_", "")
