"""Model files written by hand, so that a test can put one thing wrong in an otherwise sound file.

The network is always the same: 4 inputs, Dense(3, relu), Dense(2).
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nn2eq.errors import DamagedFile, Nn2eqError, UnsupportedModel
from nn2eq.network import Network
from nn2eq.reading import read

RNG = np.random.default_rng(11)
KERNELS = [RNG.normal(size=shape).astype(np.float32) for shape in ((4, 3), (3, 2))]
BIASES = [RNG.normal(size=size).astype(np.float32) for size in (3, 2)]
X = RNG.normal(size=(5, 4))
Y = np.maximum(X @ KERNELS[0] + BIASES[0], 0) @ KERNELS[1].astype(float) + BIASES[1]

Edit = Callable[[h5py.File], None]


def nothing(file: h5py.File) -> None:
    """Leave a file as it is."""


def dense(name: str, units: int, activation: Any = "linear", **more: Any) -> dict[str, Any]:
    """A Dense layer as Keras 2 writes it."""
    return layer("Dense", name=name, units=units, activation=activation, use_bias=True, **more)


def layer(class_name: str, **config: Any) -> dict[str, Any]:
    """Any layer."""
    return {"class_name": class_name, "config": config}


def sequential(*layers: Any, **more: Any) -> dict[str, Any]:
    """A Sequential model."""
    return {"class_name": "Sequential", "config": {"name": "model", "layers": list(layers), **more}}


def plain_config() -> dict[str, Any]:
    """The config of the network."""
    first = dense("dense", 3, "relu", batch_input_shape=[None, 4])
    return sequential(first, dense("dense_1", 2))


Groups = Mapping[str, Mapping[str, Any]]


def plain_groups() -> dict[str, dict[str, Any]]:
    """Its weights as a legacy file groups them."""
    return {
        name: {f"{name}/kernel:0": kernel, f"{name}/bias:0": bias}
        for name, kernel, bias in zip(("dense", "dense_1"), KERNELS, BIASES, strict=True)
    }


def write_groups(place: h5py.Group, groups: Groups) -> None:
    """Write a legacy file's weights."""
    place.attrs["layer_names"] = [name.encode() for name in groups]
    for name, weights in groups.items():
        group = place.require_group(name)
        group.attrs["weight_names"] = [path.encode() for path in weights]
        for path, array in weights.items():
            group[path] = array


def legacy(
    path: Path,
    config: Any = None,
    groups: Groups | None = None,
    *,
    version: str = "2.15.0",
    edit: Edit = nothing,
) -> Path:
    """A legacy HDF5 file; EDIT has the last word."""
    with h5py.File(path, "w") as file:
        told = plain_config() if config is None else config
        file.attrs["model_config"] = told if isinstance(told, bytes) else json.dumps(told).encode()
        if version:
            file.attrs["keras_version"] = version
        write_groups(file.create_group("model_weights"), plain_groups() if groups is None else groups)
        edit(file)
    return path


def store(variables: Mapping[str, Any], edit: Edit = nothing) -> bytes:
    """Keras 3's weights: path of a layer's group to its variables."""
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        for group, arrays in variables.items():
            place = file.require_group(f"{group}/vars")
            for number, array in enumerate(arrays):
                place[str(number)] = array
        edit(file)
    return data.getvalue()


def plain_variables(names: tuple[str, str] = ("layers/dense", "layers/dense_1")) -> dict[str, Any]:
    """The network's variables."""
    return {name: weights for name, *weights in zip(names, KERNELS, BIASES, strict=True)}


METADATA = json.dumps({"keras_version": "3.15.1"}).encode()


def keras(
    path: Path,
    config: Any = None,
    weights: bytes | None = None,
    *,
    members: Mapping[str, bytes] | None = None,
) -> Path:
    """A `.keras` zip; MEMBERS replace or join the standing three."""
    told = plain_config() if config is None else config
    found = {
        "metadata.json": METADATA,
        "config.json": told if isinstance(told, bytes) else json.dumps(told).encode(),
        "model.weights.h5": store(plain_variables()) if weights is None else weights,
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**found, **(members or {})}.items():
            archive.writestr(name, data)
    return path


# ----------------------------------------------------------------------------------------- what a reader may say


def agrees(network: Network) -> None:
    """Hold a network to the answers of the plain one."""
    np.testing.assert_allclose(network.evaluate(X), Y, rtol=1e-12, atol=1e-12)


def refused(path: Path | str, code: str, *words: str) -> Nn2eqError:
    """Return the refusal of a file: one line, with this code, the path and the words in it."""
    with pytest.raises((DamagedFile, UnsupportedModel)) as told:
        read(path)
    message = str(told.value)
    assert told.value.code == code, message
    assert all(word in message for word in (str(path), *words)), message
    assert "\n" not in message
    assert len(message) < 1000
    return told.value


def refusal(path: Path, **how: Any) -> Nn2eqError:
    """Return the refusal of a file that is read with these keywords."""
    with pytest.raises(Nn2eqError) as told:
        read(path, **how)
    assert str(path) in str(told.value)
    return told.value
