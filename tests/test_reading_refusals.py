"""What a stranger's file may try, one rule at a time; each ends in one clear error with its stable code."""

from __future__ import annotations

import errno
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import model_files as mf
import numpy as np
import pytest

from nn2eq.errors import DamagedFile, Nn2eqError, UnsupportedModel
from nn2eq.reading import files, read

KERNEL = "model_weights/dense/dense/kernel:0"


def refused(path: Path | str, code: str, *words: str) -> Nn2eqError:
    with pytest.raises((DamagedFile, UnsupportedModel)) as told:
        read(path)
    message = str(told.value)
    assert told.value.code == code, message
    assert all(word in message for word in (str(path), *words)), message
    assert "\n" not in message
    assert len(message) < 1000
    return told.value


# ------------------------------------------------------------------------------------------- what is no model


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"hello", "nn2eq reads"),
        (b"\x89PNG\r\n\x1a\n....", "PNG"),
        (b"\x80\x02cos\nsystem\n", "pickle"),
        (b"\x89HD", "truncated"),
    ],
)
def test_bytes_that_are_no_model(tmp_path: Path, data: bytes, word: str) -> None:
    (tmp_path / "a.keras").write_bytes(data)
    refused(tmp_path / "a.keras", "not-a-model", word)


def test_other_hdf5_and_other_zips(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["temperature"] = np.arange(9.0)
    refused(tmp_path / "a.h5", "not-a-model", "model_config")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../config.json", "{}")
    refused(tmp_path / "a.zip", "not-a-model", "config.json")


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    refused(tmp_path / "missing.h5", "file", "no such file")
    os.mkfifo(tmp_path / "fifo.h5")
    refused(tmp_path / "fifo.h5", "file", "pipe")
    (tmp_path / "zero.h5").symlink_to("/dev/zero")
    refused(tmp_path / "zero.h5", "file", "device")
    (tmp_path / "loop.h5").symlink_to("loop.h5")
    refused(tmp_path / "loop.h5", "file", "loop")
    refused(tmp_path / ("n" * 300), "file", "name")
    (tmp_path / "file").touch()
    refused(tmp_path / "file" / "a.h5", "file", "folder")


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = mf.legacy(tmp_path / "a.h5")

    def denied(*_: Any) -> int:  # root, who may run the tests, is denied nothing
        raise PermissionError(errno.EACCES, "denied")

    monkeypatch.setattr(files.os, "open", denied)
    with pytest.raises(DamagedFile, match="no permission") as told:
        files.read_bytes(str(path))
    assert told.value.code == "file"


def test_a_sparse_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with open(tmp_path / "a.h5", "wb") as file:
        file.truncate(1 << 40)
    refused(tmp_path / "a.h5", "too-large")


@pytest.mark.parametrize("kept", [8, 95, 800, 2048, -1, -1500])
def test_truncated_files(tmp_path: Path, kept: int) -> None:
    data = mf.legacy(tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.h5").write_bytes(data[:kept])
    refused(tmp_path / "a.h5", "hdf5", "truncated")
    data = mf.keras(tmp_path / "a.keras").read_bytes()
    (tmp_path / "a.keras").write_bytes(data[:kept])
    refused(tmp_path / "a.keras", "zip", "truncated")


# ---------------------------------------------------------------------------------------------------- the zip


def test_members_each_once(tmp_path: Path) -> None:
    mf.keras(tmp_path / "a.keras")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "a.keras", "a") as archive:
        archive.writestr("config.json", "{}")
    refused(tmp_path / "a.keras", "zip", "config.json", "twice")


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    for name in ("config.json", "model.weights.h5", "metadata.json"):
        mf.keras(tmp_path / "a.keras", members={name: b""})
        with zipfile.ZipFile(tmp_path / "a.keras") as archive:
            members = {each: archive.read(each) for each in archive.namelist()}
        with zipfile.ZipFile(tmp_path / "a.keras", "w", zipfile.ZIP_DEFLATED) as archive:
            for each, data in members.items():
                archive.writestr(each, b"\x89HDF\r\n\x1a\n" + bytes(100 << 20) if each == name else data)
        refused(tmp_path / "a.keras", "too-large", name)


def test_a_member_that_unpacks_to_more_than_it_says(tmp_path: Path) -> None:
    path = mf.keras(tmp_path / "a.keras")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps(mf.plain_config()) + " " * 5000)
        archive.writestr("model.weights.h5", mf.store(mf.plain_variables()))
    data = path.read_bytes()
    size = len(json.dumps(mf.plain_config())) + 5000
    path.write_bytes(data.replace(struct.pack("<I", size), struct.pack("<I", 600)))
    refused(path, "zip")


def test_other_compressions_and_passwords(tmp_path: Path) -> None:
    mf.keras(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("config.json", json.dumps(mf.plain_config()))
    refused(tmp_path / "a.keras", "zip", "config.json", "deflate")
    data = bytearray(mf.keras(tmp_path / "a.keras").read_bytes())
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(b"config.json"))
    data[place + 8] |= 1
    (tmp_path / "a.keras").write_bytes(data)
    refused(tmp_path / "a.keras", "zip", "encrypted")


def test_a_wrong_checksum(tmp_path: Path) -> None:
    data = bytearray(mf.keras(tmp_path / "a.keras").read_bytes())
    data[data.index(mf.KERNELS[0].tobytes())] ^= 1
    (tmp_path / "a.keras").write_bytes(data)
    refused(tmp_path / "a.keras", "zip", "CRC")


def test_weights_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(mf.plain_config()))
        archive.writestr("model.weights.json", '{"weight_map": {"/layers/dense/vars": "../secret.h5"}}')
    refused(path, "no-weights", "shards")


# --------------------------------------------------------------------------------------------------- the JSON


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


# ------------------------------------------------------------------------------------- what is not Keras' own


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


# ------------------------------------------------------------------------------------------------ the weights


def put(path: str, make: Callable[[h5py.File, str], None]) -> mf.Edit:
    """Replace a data set."""

    def edit(file: h5py.File) -> None:
        del file[path]
        make(file, path)

    return edit


def external(file: h5py.File, path: str) -> None:
    file.create_dataset(path, (4, 3), "f4", external=[("/etc/hostname", 0, 48)])


def virtual(file: h5py.File, path: str) -> None:
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "kernel", (4, 3))
    file.create_virtual_dataset(path, layout)


def soft(file: h5py.File, path: str) -> None:
    file["elsewhere"] = mf.KERNELS[0]
    file[path] = h5py.SoftLink("/elsewhere")


def beyond(file: h5py.File, path: str) -> None:
    file[path] = h5py.ExternalLink("/etc/hostname", "/kernel")


@pytest.mark.parametrize(
    ("make", "code"), [(external, "storage"), (virtual, "storage"), (soft, "link"), (beyond, "link")]
)
def test_no_link_out_of_its_place_is_followed(tmp_path: Path, make: Callable[..., None], code: str) -> None:
    refused(mf.legacy(tmp_path / "a.h5", edit=put(KERNEL, make)), code, "kernel:0")
    data = mf.store(mf.plain_variables(), put("layers/dense/vars/0", make))
    refused(mf.keras(tmp_path / "a.keras", weights=data), code, "'dense'")


def test_a_link_in_the_middle_of_a_path(tmp_path: Path) -> None:
    def edit(file: h5py.File) -> None:
        file["elsewhere/kernel:0"] = mf.KERNELS[0]
        group = file["model_weights/dense"]
        group["sub"] = h5py.SoftLink("/elsewhere")
        group.attrs["weight_names"] = [b"sub/kernel:0", b"dense/bias:0"]

    refused(mf.legacy(tmp_path / "a.h5", edit=edit), "link", "sub/kernel:0")


@pytest.mark.parametrize("path", [b"/elsewhere/kernel:0", b"dense/kernel:0\0x"])
def test_paths_that_leave_their_group(tmp_path: Path, path: bytes) -> None:
    def edit(file: h5py.File) -> None:
        file["elsewhere/kernel:0"] = mf.KERNELS[0]
        file["model_weights/dense"].attrs["weight_names"] = np.array([path, b"dense/bias:0"], "S30")

    refused(mf.legacy(tmp_path / "a.h5", edit=edit), "link", "kernel:0", "'dense'")


def chunked(**how: Any) -> Callable[[h5py.File, str], None]:
    def make(file: h5py.File, path: str) -> None:
        file.create_dataset(path, dtype="f4", **how)

    return make


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (chunked(shape=(10**6, 10**6), chunks=(1000, 1000), compression="gzip"), "too-large"),
        (chunked(shape=(20000, 20000)), "storage"),
        (chunked(shape=(4, 3), chunks=(4, 3)), "storage"),
        (chunked(data=mf.KERNELS[0], chunks=(4, 3), compression="lzf"), "storage"),
    ],
    ids=("declared huge", "never written", "chunks never written", "an unusual filter"),
)
def test_no_size_is_believed(tmp_path: Path, make: Callable[..., None], code: str) -> None:
    refused(mf.legacy(tmp_path / "a.h5", edit=put(KERNEL, make)), code, "dense")


def test_a_chunk_that_explodes(tmp_path: Path) -> None:
    packed = zlib.compress(zlib.compress(bytes(100 << 20), 9), 9)

    def make(file: h5py.File, path: str) -> None:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((4, 3))
        plan.set_deflate(9)
        plan.set_deflate(9)
        space = h5py.h5s.create_simple((4, 3))
        place = file["model_weights/dense/dense"]
        made = h5py.h5d.create(place.id, b"kernel:0", h5py.h5t.IEEE_F32LE, space, dcpl=plan)
        made.write_direct_chunk((0, 0), packed)

    refused(mf.legacy(tmp_path / "a.h5", edit=put(KERNEL, make)), "storage", "compress")


@pytest.mark.parametrize(
    "array",
    [
        (mf.KERNELS[0] * 8).astype("i1"),
        np.full((4, 3), 2**63, "u8"),
        mf.KERNELS[0] > 0,
        mf.KERNELS[0] + 1j,
        np.zeros((4, 3), [("a", "f4")]),
        np.full((4, 3), b"0.5"),
        np.zeros((4, 3), "V4"),
        mf.KERNELS[0].astype(np.longdouble),
    ],
    ids=lambda array: str(array.dtype),
)
def test_weights_of_other_types(tmp_path: Path, array: Any) -> None:
    groups: dict[str, Any] = mf.plain_groups()
    groups["dense"]["dense/kernel:0"] = array
    refused(mf.legacy(tmp_path / "a.h5", groups=groups), "weight-dtype", "kernel", "'dense'")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(tmp_path: Path, value: float) -> None:
    groups = mf.plain_groups()
    groups["dense_1"]["dense_1/bias:0"] = np.array([0.0, value], np.float32)
    refused(mf.legacy(tmp_path / "a.h5", groups=groups), "weight-value", "layer 2 'dense_1'", "bias")


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("kernel", np.ones((4, 5))),
        ("kernel", mf.KERNELS[0].T.copy()),
        ("kernel", mf.KERNELS[0][:, :, None]),
        ("kernel", mf.KERNELS[0].ravel()),
        ("bias", np.ones(4)),
        ("bias", np.ones(1)),
        ("bias", np.float32(1)),
    ],
)
def test_weights_of_another_shape(tmp_path: Path, name: str, array: Any) -> None:
    groups: dict[str, Any] = mf.plain_groups()
    groups["dense"][f"dense/{name}:0"] = array
    refused(mf.legacy(tmp_path / "a.h5", groups=groups), "weight-shape", "layer 1 'dense'", name)
    variables = mf.plain_variables()
    variables["layers/dense"][name == "bias"] = array
    refused(
        mf.keras(tmp_path / "a.keras", weights=mf.store(variables)), "weight-shape", "layer 1 'dense'", name
    )


def test_weights_too_many_or_too_few(tmp_path: Path) -> None:
    impostor: dict[str, Any] = mf.plain_groups()
    impostor["dense"]["dense/mask:0"] = mf.KERNELS[0]
    renamed: dict[str, Any] = mf.plain_groups()
    renamed["dense"] = {"dense/kernel:0": mf.KERNELS[0], "dense/mask:0": mf.BIASES[0]}
    short: dict[str, Any] = mf.plain_groups()
    del short["dense"]["dense/bias:0"]
    missing = {"dense": mf.plain_groups()["dense"]}
    for groups, code in ((impostor, "weight-count"), (renamed, "weight-names"), (short, "weight-count"),
                         (missing, "weight-count")):  # fmt: skip
        refused(mf.legacy(tmp_path / "a.h5", groups=groups), code, "dense")
    for variables in (
        {**mf.plain_variables(), "layers/dense_2": [mf.BIASES[0]]},
        {**mf.plain_variables(), "layers/quantizer": [mf.BIASES[0]]},
        {**mf.plain_variables(), "layers/dense_01": [mf.BIASES[0]]},
        {**mf.plain_variables(), ".": [mf.BIASES[0]]},
        {"layers/dense": mf.plain_variables()["layers/dense"]},
        {
            "layers/dense": [*mf.plain_variables()["layers/dense"], mf.KERNELS[0]],
            "layers/dense_1": [mf.KERNELS[1]],
        },
    ):
        refused(mf.keras(tmp_path / "a.keras", weights=mf.store(variables)), "weight-count")


def test_weights_named_but_not_stored(tmp_path: Path) -> None:
    def remove(file: h5py.File) -> None:
        del file[KERNEL]

    refused(mf.legacy(tmp_path / "a.h5", edit=remove), "weight-missing", "kernel", "'dense'")


def test_two_layers_of_one_name(tmp_path: Path) -> None:
    config = mf.sequential(*(mf.dense("dense", 4) for _ in range(2)))
    refused(mf.keras(tmp_path / "a.keras", config), "duplicate-name", "'dense'")


def test_a_root_of_a_negative_variance(tmp_path: Path) -> None:
    config = mf.sequential(mf.layer("BatchNormalization", name="bn", batch_input_shape=[None, 2]))
    weights = {f"bn/{name}:0": np.ones(2) for name in ("gamma", "beta", "moving_mean")}
    weights["bn/moving_variance:0"] = np.array([1.0, -1.0])
    refused(mf.legacy(tmp_path / "a.h5", config, {"bn": weights}), "weight-value", "'bn'", "moving_variance")


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
