"""Telling containers apart by their bytes, never by a suffix, in the limited child."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from nn2eq.errors import DamagedFile, Nn2eqError, UnsupportedModel
from nn2eq.reading import files, json_text
from nn2eq.reading.archive import HDF5_SIGNATURE, JSON, OWN, Archive
from nn2eq.reading.limits import CONFIG_LIMIT, OWN_LIMIT

Told = TypeVar("Told")
Found = TypeVar("Found")

ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")

_STRANGERS = (
    (b"\x80", "a Python pickle, which is never opened"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "gzip-compressed; unpack it first"),
    (b"BZh", "bzip2-compressed; unpack it first"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x08", "perhaps an ONNX model"),
)

WHAT_IS_READ = "a .keras zip, an HDF5 file, a SavedModel folder, or JSON with --weights"


def load(
    path: str, weights: str | None = None, *, settle: Callable[[int], None] = lambda size: None
) -> Archive:
    """Read the container at PATH, with the weights of the one at WEIGHTS if given.

    settle: called with the number of bytes once everything is imported and opened, before anything is
    parsed; a child process puts itself under its limits there. The sha256 is that of the file's bytes; of two
    files' bytes, one after the other, where there are two.
    """
    if files.is_folder(path):
        from nn2eq.reading import saved_model

        return saved_model.read(path, settle=settle)
    names = [name for name in (path, weights) if name is not None]
    parts = [_of(name, files.read_bytes, name) for name in names]
    readers = [_of(name, reader, data) for name, data in zip(names, parts, strict=True)]
    settle(sum(map(len, parts)))
    archives = [_of(name, read, data) for name, read, data in zip(names, readers, parts, strict=True)]
    archive = archives[0] if weights is None else _joined(*archives)
    return replace(archive, sha256=hashlib.sha256(b"".join(parts)).hexdigest())


def _of(file: str, read: Callable[[Told], Found], told: Told) -> Found:
    """Return what is read; an error names the file, of two the one that it is about."""
    try:
        return read(told)
    except Nn2eqError as error:
        raise error.in_file(file) from None


def reader(data: bytes) -> Callable[[bytes], Archive]:
    """Return the function that reads a container with these bytes; its libraries are imported now."""
    if data.startswith(ZIP_SIGNATURES):
        from nn2eq.reading import keras_zip

        return keras_zip.read
    if is_hdf5(data):
        from nn2eq.reading import hdf5_file

        return hdf5_file.read
    if _start(data).startswith((b"{", b"[", b'"{')):
        return _json
    raise DamagedFile(
        f"not a model: {_guess(data)}", code="not-a-model", way_out=f"nn2eq reads {WHAT_IS_READ}"
    )


def _start(data: bytes) -> bytes:
    return data[:64].removeprefix(codecs.BOM_UTF8).lstrip()


def _json(data: bytes) -> Archive:
    """Take JSON as it is: what it means is for the parent to say.

    A text that holds JSON is unpacked: `json.dump(model.to_json(), file)` writes one.
    """
    if _start(data).startswith(b'"'):
        data = json_text.parse(data, "the JSON").encode("utf-8", "surrogatepass")
    limit = OWN_LIMIT if OWN.encode() in data[:200] else CONFIG_LIMIT
    if len(data) > limit:
        raise DamagedFile(
            f"the JSON is too large: {len(data):,} bytes, the limit is {limit:,}", code="too-large"
        )
    return Archive(JSON, config=data)


def is_hdf5(data: bytes) -> bool:
    """Whether HDF5 begins at 0, or behind a user block of 512, 1024, 2048 … bytes."""
    start = 0
    while start < len(data):
        if data.startswith(HDF5_SIGNATURE, start):
            return True
        start = 2 * start or 512
    return False


def _joined(model: Archive, weights: Archive) -> Archive:
    """Put the config of one file and the weights of another together."""
    if not weights.layout:
        raise UnsupportedModel("the file given with --weights holds no weights", code="no-weights")
    return Archive(
        container=model.container,
        layout=weights.layout,
        config=model.config,
        version=model.version or weights.version,
        groups=weights.groups,
    )


def _guess(data: bytes) -> str:
    if not data:
        return "the file is empty"
    for start, name in _STRANGERS:
        if data.startswith(start):
            return f"it looks like {name}"
    if b"HDF" in data[:8] or data.startswith(b"\x89"):
        return "neither HDF5 nor zip, or truncated"
    return "neither HDF5 nor zip nor JSON"
