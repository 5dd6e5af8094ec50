"""What a stranger's file may be or pretend to be: no model, half of one, or a zip with a trap."""

from __future__ import annotations

import errno
import json
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import h5py
import model_files as mf
import numpy as np
import pytest
from model_files import refused

from nn2eq.errors import DamagedFile
from nn2eq.reading import files


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


# ----------------------------------------------------------------------------------------------------- the zip


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
