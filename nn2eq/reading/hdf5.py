"""HDF5 from a stranger: look-ups by name along hard links only, and data sets that are plainly what they say.

Runs in the limited child, the only place where h5py is imported. The whole file is in memory and no further
file can be opened, so even a link or an external storage that were overlooked here would lead nowhere.
"""

from __future__ import annotations

import codecs
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from nn2eq.errors import DamagedFile, UnsupportedModel
from nn2eq.reading.archive import Array
from nn2eq.reading.limits import CHUNKED_LIMIT
from nn2eq.reading.names import quoted

codecs.lookup("ascii")  # h5py needs it later, when no file can be opened any more

NAMES_LIMIT = 100_000
"""Entries that a list of names may have."""

MEMBERS_LIMIT = 20_000
"""Members that a group may have where it must be listed."""

_FLOATS = {
    h5py.h5t.IEEE_F16LE: "<f2",
    h5py.h5t.IEEE_F16BE: ">f2",
    h5py.h5t.IEEE_F32LE: "<f4",
    h5py.h5t.IEEE_F32BE: ">f4",
    h5py.h5t.IEEE_F64LE: "<f8",
    h5py.h5t.IEEE_F64BE: ">f8",
}

_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}


class File:
    """An HDF5 file in memory, and how many bytes of weights may still be taken from it."""

    def __init__(self, data: bytes, where: str) -> None:
        self.where = where
        self.plain_bytes, self.chunked_bytes = len(data), CHUNKED_LIMIT
        access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
        access.set_fileobj_driver(h5py.h5fd.fileobj_driver, _Bytes(data))
        with damage(f"{where} is not a sound HDF5 file"):
            self.root = h5py.Group(h5py.h5g.open(h5py.h5f.open(b"model", h5py.h5f.ACC_RDONLY, access), b"/"))

    def weight(self, group: h5py.Group, path: str) -> Array:
        """Return one weight as float32 or float64, or a whole number as int64."""
        where = f"weight {quoted(path)}"
        with damage(f"{where} cannot be read"):
            data = member(group, path)
            if not isinstance(data, h5py.Dataset):
                raise DamagedFile(f"{where} is a group, not a data set", code="weight-shape")
            kind = _dtype(data, where)
            self._check_storage(data, kind, where)
            found = np.empty(data.shape, kind)
            data.id.read(h5py.h5s.ALL, h5py.h5s.ALL, found, mtype=data.id.get_type())
            return _widened(found, _is_bfloat16(data))

    def _check_storage(self, data: h5py.Dataset, kind: np.dtype[Any], where: str) -> None:
        """Refuse what lies outside of the file, or declares more than it stores."""
        plan = data.id.get_create_plist()
        layout = plan.get_layout()
        if layout == h5py.h5d.VIRTUAL or plan.get_external_count():
            raise DamagedFile(f"{where} lies in another file (external or virtual storage)", code="storage")
        declared = math.prod(data.shape) * kind.itemsize
        stored = data.id.get_storage_size()
        if layout == h5py.h5d.CHUNKED:
            self._check_chunked(plan, declared, stored, where)
        elif stored != declared:
            raise DamagedFile(f"{where} declares {declared:,} bytes, {stored:,} are stored", code="storage")
        else:
            self.plain_bytes -= declared
        if self.plain_bytes < 0 or self.chunked_bytes < 0:
            raise DamagedFile(f"{where} makes the weights larger than the file can hold", code="too-large")

    def _check_chunked(self, plan: Any, declared: int, stored: int, where: str) -> None:
        """Allow honest compression: known filters, each once, hardly more stored than declared."""
        filters = [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]
        if len(set(filters)) < len(filters) or not _FILTERS.issuperset(filters):
            raise UnsupportedModel(
                f"{where} passes through a filter (compression) that is not read", code="storage"
            )
        self.chunked_bytes -= declared
        if self.chunked_bytes < 0:
            raise DamagedFile(
                f"{where} is too large: {declared:,} bytes in compressed chunks", code="too-large"
            )
        if not 0 < stored <= declared + declared // 8 + 4096:
            raise DamagedFile(
                f"{where} declares {declared:,} bytes, its chunks store {stored:,}", code="storage"
            )


class _Bytes(io.BytesIO):
    """Bytes of which h5py may not read more than there are; by itself it would not notice."""

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, or fail."""
        done = super().readinto(buffer)
        if done < len(memoryview(buffer).cast("B")):
            raise EOFError("beyond the end of the file")
        return done


@contextmanager
def damage(what: str) -> Iterator[None]:
    """Say in our words what h5py could not do; it raises nearly every kind of error."""
    try:
        yield
    except MemoryError:
        raise DamagedFile(f"{what}: it needs too much memory", code="too-large") from None
    except (
        OSError,
        EOFError,
        RuntimeError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        OverflowError,
    ) as error:
        raise DamagedFile(
            f"{what} (damaged or truncated HDF5)", code="hdf5", where=quoted(str(error))
        ) from None


def member(group: h5py.Group, path: str) -> h5py.Group | h5py.Dataset:
    """Follow PATH down from GROUP; each step must be a hard link to an object of this file."""
    if path.startswith("/") or "\0" in path:
        raise DamagedFile(f"the path {quoted(path)} does not stay in its group", code="link")
    found: Any = group
    for step in filter(None, path.split("/")):
        if not isinstance(found, h5py.Group) or not has(found, step):
            raise DamagedFile(f"{quoted(path)} is not in the file", code="weight-missing")
        if found.id.links.get_info(_key(step)).type != h5py.h5l.TYPE_HARD:
            raise DamagedFile(
                f"{quoted(path)} is a soft or external link, which is never followed", code="link"
            )
        found = found[step]
    return found


def group_at(group: h5py.Group, path: str) -> h5py.Group:
    """Like `member`, for what must be a group."""
    found = member(group, path)
    if not isinstance(found, h5py.Group):
        raise DamagedFile(f"{quoted(path)} is not a group", code="hdf5")
    return found


def has(group: h5py.Group, name: str) -> bool:
    """Whether GROUP has a link of this name, whatever it leads to."""
    return bool(group.id.links.exists(_key(name)))


def members(group: h5py.Group) -> list[str]:
    """List the names in a group."""
    if group.id.get_num_objs() > MEMBERS_LIMIT:
        raise DamagedFile(f"a group has more than {MEMBERS_LIMIT:,} members", code="too-large")
    return list(group)


def texts(group: h5py.Group, name: str) -> list[str]:
    """Return an attribute that lists names; Keras splits a long list into NAME0, NAME1 and so on."""
    if name in group.attrs:
        return _texts(group, name)
    found: list[str] = []
    part = 0
    while f"{name}{part}" in group.attrs:
        found += _texts(group, f"{name}{part}")
        part += 1
    return found


def _texts(group: h5py.Group, name: str) -> list[str]:
    if math.prod(group.attrs.get_id(name).shape or (0,)) > NAMES_LIMIT:
        raise DamagedFile(f"{name} is too large: more than {NAMES_LIMIT:,} names", code="too-large")
    with damage(f"{name} cannot be read"):
        value = group.attrs[name]
    items = value.tolist() if isinstance(value, np.ndarray) and value.ndim == 1 else [None]
    names = [_text(item) for item in items if isinstance(item, str | bytes)]
    if len(names) < len(items):
        raise DamagedFile(f"{name} is not a list of names", code="hdf5")
    return names


def text(group: h5py.Group, name: str) -> str | None:
    """Return an attribute that is one text, None where it is missing."""
    if name not in group.attrs:
        return None
    with damage(f"{name} cannot be read"):
        value = group.attrs[name]
    if isinstance(value, np.ndarray) and value.shape == ():
        value = value.item()
    if not isinstance(value, str | bytes):
        raise DamagedFile(f"{name} is not a text", code="hdf5")
    return _text(value)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")


def _key(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _is_bfloat16(data: h5py.Dataset) -> bool:
    return "dtype" in data.attrs and text(data, "dtype") == "bfloat16"


def _dtype(data: h5py.Dataset, where: str) -> np.dtype[Any]:
    """Return the NumPy type of what is stored, from a closed list."""
    if data.id.get_space().get_simple_extent_type() == h5py.h5s.NULL:
        raise DamagedFile(f"{where} is empty: it has no shape", code="weight-shape")
    stored = data.id.get_type()
    for known, name in _FLOATS.items():
        if stored.equal(known):
            return np.dtype(name)
    kind: np.dtype[Any] = stored.dtype
    if _is_bfloat16(data) and kind.itemsize == 2:
        return kind
    if kind.kind in "iu" and data.shape == () and kind.itemsize <= 8:
        return kind
    raise UnsupportedModel(
        f"{where} has the dtype {quoted(str(kind))}, not a floating point type", code="weight-dtype"
    )


def _widened(found: Array, is_bfloat16: bool) -> Array:
    """Widen exactly to a native float32, or keep float64; whole numbers become int64."""
    if is_bfloat16 and found.dtype.itemsize == 2:
        return (found.view("<u2").astype("<u4") << 16).view("<f4").astype(np.float32)
    if found.dtype.kind in "iu":
        return found.astype(np.int64)
    return found.astype(np.float64 if found.dtype.itemsize == 8 else np.float32, copy=False)
