"""SavedModel folders before TensorFlow is asked for anything: what they must say, and what they may not."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import model_files as mf
import pytest

from nn2eq.errors import DamagedFile, Nn2eqError
from nn2eq.reading import protobuf, read, saved_model


def field(number: int, value: int | bytes) -> bytes:
    """One field in protobuf's wire format."""
    if isinstance(value, int):
        return bytes([number << 3]) + varint(value)
    return bytes([number << 3 | 2]) + varint(len(value)) + value


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything but a description."""
    (tmp_path / "variables").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(b"")
    (tmp_path / "variables" / "variables.index").write_bytes(b"no table")
    return tmp_path


@pytest.fixture
def no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be a mistake to import TensorFlow."""

    def never() -> Any:
        raise AssertionError("TensorFlow was imported")

    monkeypatch.setattr(saved_model, "_tensorflow", never)


def described(folder: Path, config: Any, kind: bytes = b"_tf_keras_sequential") -> Path:
    """Describe the model as Keras 2.5 and later do."""
    node = field(3, b"root") + field(4, kind) + field(5, json.dumps(config).encode())
    other = field(2, 1) + field(3, b"root.layer") + field(4, b"_tf_keras_layer") + field(5, b"{}")
    (folder / "keras_metadata.pb").write_bytes(field(1, other) + field(1, node))
    return folder


def described_as_before(folder: Path, config: Any) -> Path:
    """Describe the model as Keras 2.4 and earlier do, in the object graph."""
    user_object = field(1, b"_tf_keras_sequential") + field(3, json.dumps(config).encode())
    meta_graph = field(1, b"\x08\x01") + field(7, field(1, field(4, user_object)) + field(1, b""))
    (folder / "saved_model.pb").write_bytes(field(1, 1) + field(2, meta_graph))
    return folder


def refused(folder: Path, code: str) -> Nn2eqError:
    with pytest.raises(Nn2eqError) as told:
        saved_model.read(str(folder))
    assert told.value.code == code, told.value
    return told.value


@pytest.mark.usefixtures("no_tensorflow")
@pytest.mark.parametrize("describe", [described, described_as_before])
def test_a_layer_that_is_not_read_needs_no_tensorflow(folder: Path, describe: Any) -> None:
    told = refused(describe(folder, mf.sequential(mf.layer("Lambda", name="evil"))), "unsupported-layer")
    assert "layer 1 'evil' is a Lambda" in str(told)


@pytest.mark.usefixtures("no_tensorflow")
def test_a_folder_must_say_what_it_holds(folder: Path) -> None:
    refused(folder, "needs-config")  # as exported for serving
    refused(described(folder, mf.plain_config(), b"_tf_keras_model"), "needs-config")  # subclassed
    (folder / "keras_metadata.pb").write_bytes(b"\xff" * 99)
    refused(folder, "protobuf")
    (folder / "keras_metadata.pb").write_bytes(bytes(17 << 20))
    refused(folder, "too-large")
    (folder / "keras_metadata.pb").unlink()
    (folder / "saved_model.pb").unlink()
    refused(folder, "not-a-model")


@pytest.mark.usefixtures("no_tensorflow")
def test_a_folder_without_variables_or_with_a_trap_among_them(folder: Path) -> None:
    described(folder, mf.plain_config())
    os.mkfifo(folder / "variables" / "variables.data-00000-of-00001")
    refused(folder, "file")
    for path in (folder / "variables").iterdir():
        path.unlink()
    (folder / "variables").rmdir()
    refused(folder, "checkpoint")


@pytest.mark.keras
@pytest.mark.slow
def test_a_checkpoint_that_is_none(folder: Path) -> None:
    if find_spec("tensorflow") is None:
        pytest.skip("TensorFlow is not installed: pip install 'nn2eq[keras]'")
    with pytest.raises(Nn2eqError) as told:
        read(described(folder, mf.plain_config()))
    assert told.value.code == "checkpoint"


def test_the_digest_is_that_of_the_files_used(folder: Path) -> None:
    described(folder, mf.plain_config())
    before = saved_model.digest(str(folder))
    (folder / "assets").mkdir()
    (folder / "saved_model.pb").write_bytes(b"another graph")
    assert saved_model.digest(str(folder)) == before
    (folder / "variables" / "variables.index").write_bytes(b"another")
    assert saved_model.digest(str(folder)) != before


MESSAGE = field(1, 300) + field(2, b"two") + bytes([3 << 3 | 1]) + bytes(8) + bytes([4 << 3 | 5]) + bytes(4)


def test_fields_of_a_message() -> None:
    assert list(protobuf.fields(MESSAGE)) == [(1, 300), (2, b"two"), (3, bytes(8)), (4, bytes(4))]
    assert (protobuf.whole(MESSAGE, 1), protobuf.whole(MESSAGE, 9)) == (300, 0)
    assert (protobuf.data(MESSAGE, 2), protobuf.data(MESSAGE, 9)) == (b"two", b"")


@pytest.mark.parametrize(
    "damaged", [MESSAGE[:-1], MESSAGE[:1], b"\x0b", b"\x0a\x7f", b"\xff" * 12, b"\x08" + b"\x80" * 9]
)
def test_damaged_messages(damaged: bytes) -> None:
    with pytest.raises(DamagedFile):
        list(protobuf.fields(damaged))


def test_a_field_of_another_kind() -> None:
    for ask in (protobuf.whole, protobuf.data):
        with pytest.raises(DamagedFile):
            ask(MESSAGE, 2 if ask is protobuf.whole else 1)
