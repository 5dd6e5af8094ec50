"""What a container holds, as plain data, JSON and named arrays; and how it crosses a pipe without pickle."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import DamagedFile, Nn2eqError, UnsupportedModel

Array = NDArray[Any]

DTYPES = ("float32", "float64", "int64")
"""What crosses the pipe: float16 and bfloat16 are widened before (exactly), integers are counts."""

HDF5, KERAS_ZIP, STORE, SAVED_MODEL, JSON = "HDF5", "keras zip", "Keras weights", "SavedModel", "JSON"
OWN, LIVE = "nn2eq-network", "live model"
"""The kinds of containers, as people are told."""
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"

CONFIG_NAMES = {HDF5: "model_config", KERAS_ZIP: "config.json", SAVED_MODEL: "the metadata"}
"""Where each container keeps the model's description."""

HEADER_LIMIT = 1 << 26
"""Bytes of names and shapes that a header may take."""


@dataclass(frozen=True, eq=False)
class Group:
    """The weights in one place of a container: its path, and (name, array) in the order of the file."""

    path: tuple[str, ...]
    weights: tuple[tuple[str, Array], ...]

    @property
    def label(self) -> str:
        """The path in one piece, for messages."""
        return "/".join(self.path)


@dataclass(frozen=True, eq=False)
class Archive:
    """A container's content, not yet understood.

    container    what kind of container it is, for people
    layout       how groups belong to layers, a key of the table in `pairing`; "" where there are none
    config       the bytes of the model's JSON, b"" where only weights are stored
    version      the Keras version that saved it, "" where it does not say
    sha256       of the file's bytes
    loss         with which it was compiled, where that is not told in the config
    """

    container: str
    layout: str = ""
    config: bytes = b""
    version: str = ""
    sha256: str = ""
    groups: tuple[Group, ...] = ()
    loss: str = ""

    @property
    def where(self) -> str:
        """What the config is called in messages."""
        return CONFIG_NAMES.get(self.container, "the JSON")


def encode(archive: Archive) -> Iterator[bytes | memoryview]:
    """Yield a length, a JSON header, the config and every array's bytes."""
    header = {
        "container": archive.container,
        "layout": archive.layout,
        "version": archive.version,
        "sha256": archive.sha256,
        "loss": archive.loss,
        "config": len(archive.config),
        "groups": [
            [group.path, [[name, array.dtype.name, array.shape] for name, array in group.weights]]
            for group in archive.groups
        ],
    }
    yield from _framed(header)
    yield archive.config
    for group in archive.groups:
        for _, array in group.weights:
            yield np.ascontiguousarray(array).data.cast("B")


def encode_error(error: Nn2eqError) -> Iterator[bytes | memoryview]:
    """Yield an error, so that the other side can raise it."""
    fields = {"what": error.what, "code": error.code, "where": error.where, "way_out": error.way_out}
    fields["file"] = error.file
    yield from _framed({"error": type(error).__name__, **fields})


def _framed(header: dict[str, Any]) -> Iterator[bytes]:
    text = json.dumps(header).encode()
    yield len(text).to_bytes(8, "little")
    yield text


def decode(take: Callable[[int], memoryview]) -> Archive:
    """Build an archive from a stream; take(n) gives exactly n bytes. Nothing in it is believed unchecked."""
    size = int.from_bytes(take(8), "little")
    if size > HEADER_LIMIT:
        raise DamagedFile("names and shapes alone are larger than any model's", code="too-large")
    header = json.loads(bytes(take(size)))
    if "error" in header:
        raise _error(header)
    config = bytes(take(int(header["config"])))
    groups = tuple(
        Group(tuple(path), tuple((name, _array(take, dtype, shape)) for name, dtype, shape in weights))
        for path, weights in header["groups"]
    )
    told = {key: str(header[key]) for key in ("container", "layout", "version", "sha256", "loss")}
    return Archive(config=config, groups=groups, **told)


def _error(header: dict[str, str]) -> Nn2eqError:
    kind = UnsupportedModel if header["error"] == "UnsupportedModel" else DamagedFile
    fields = {name: header[name] for name in ("code", "where", "way_out", "file")}
    return kind(header["what"], **fields)


def _array(take: Callable[[int], memoryview], dtype: str, shape: list[int]) -> Array:
    if dtype not in DTYPES or not all(isinstance(size, int) and size >= 0 for size in shape):
        raise DamagedFile("a weight's type or shape is impossible", code="weight-shape")
    kind = np.dtype(dtype)
    data = take(math.prod(shape) * kind.itemsize)
    return np.frombuffer(data, kind).reshape(shape)
