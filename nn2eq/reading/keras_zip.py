"""The `.keras` zip of Keras 3 and 2.12 to 2.15: exact members, each once, unpacked in bounded steps."""

from __future__ import annotations

import codecs
import io
import zipfile
import zlib
from dataclasses import replace

from nn2eq.errors import DamagedFile, UnsupportedModel
from nn2eq.reading import config, hdf5, json_text, store
from nn2eq.reading.archive import CONFIG_NAMES, HDF5_SIGNATURE, KERAS_ZIP, Archive
from nn2eq.reading.limits import CHUNKED_LIMIT, CONFIG_LIMIT

CONFIG, METADATA, WEIGHTS = CONFIG_NAMES[KERAS_ZIP], "metadata.json", "model.weights.h5"

codecs.lookup("cp437")  # zipfile needs it for names, later, when no file can be opened any more

METADATA_LIMIT = 1 << 16
STEP = 1 << 20

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


def read(data: bytes) -> Archive:
    """Read config, version and weights; other members are not looked at, nothing is ever extracted."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError) as error:
        raise DamagedFile(
            "not a sound zip file (truncated or corrupt)", code="zip", where=str(error)
        ) from None


def _read(archive: zipfile.ZipFile) -> Archive:
    names = archive.namelist()
    if CONFIG not in names:
        raise DamagedFile(f"a zip file, but not of a Keras model: it holds no {CONFIG}", code="not-a-model")
    told = _member(archive, CONFIG, CONFIG_LIMIT)
    config.understand(told, CONFIG)
    if WEIGHTS not in names:
        raise UnsupportedModel(
            f"the zip holds no {WEIGHTS}",
            code="no-weights",
            way_out="weights in shards or as .npz are not read",
        )
    weights = _member(archive, WEIGHTS, CHUNKED_LIMIT + 8 * archive.getinfo(WEIGHTS).compress_size)
    if not weights.startswith(HDF5_SIGNATURE):
        raise DamagedFile(f"{WEIGHTS} is not an HDF5 file", code="hdf5")
    found = store.read(hdf5.File(weights, WEIGHTS))
    return replace(found, container=KERAS_ZIP, config=told, version=_version(archive))


def _version(archive: zipfile.ZipFile) -> str:
    if METADATA not in archive.namelist():
        return ""
    metadata = json_text.parse(_member(archive, METADATA, METADATA_LIMIT), METADATA)
    version = metadata.get("keras_version", "") if isinstance(metadata, dict) else ""
    return version if isinstance(version, str) else ""


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Unpack one member, never more than LIMIT bytes of it; `read` checks the CRC at its end."""
    found = [info for info in archive.infolist() if info.filename == name]
    if len(found) != 1:
        raise DamagedFile(f"the zip holds {name} twice", code="zip")
    info = found[0]
    if info.flag_bits & _ENCRYPTED:
        raise UnsupportedModel(f"{name} is encrypted", code="zip")
    if info.compress_type not in _METHODS:
        raise UnsupportedModel(f"{name} is compressed by a method other than deflate", code="zip")
    if info.file_size > limit:
        raise DamagedFile(
            f"{name} is too large: {info.file_size:,} bytes, the limit is {limit:,}", code="too-large"
        )
    blocks, size = [], 0
    with archive.open(info) as stream:
        while block := stream.read(STEP):
            size += len(block)
            if size > info.file_size:
                raise DamagedFile(f"{name} unpacks to more than the {size:,} bytes it declares", code="zip")
            blocks.append(block)
    if size != info.file_size:
        raise DamagedFile(f"{name} is cut off", code="zip")
    return b"".join(blocks)
