"""The limited child: whatever happens in it becomes one clear error, and nothing is left behind."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import model_files as mf
import numpy as np
import pytest

from nn2eq.errors import DamagedFile
from nn2eq.reading import archive, child, containers, limits, read, start

Load = Callable[..., archive.Archive]


def reading(monkeypatch: pytest.MonkeyPatch, load: Callable[[], Any], path: Path) -> DamagedFile:
    """Read with something else in the place of a container's reader, after the limits are set."""

    def reader(data: bytes) -> Callable[[bytes], Any]:
        return lambda data: load()

    monkeypatch.setattr(containers, "reader", reader)
    monkeypatch.setattr(child, "may_fork", lambda: True)  # a spawned child would not have the planted reader
    with pytest.raises(DamagedFile) as told:
        read(path)
    return told.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return mf.legacy(tmp_path / "a.h5")


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_a_crash(monkeypatch: pytest.MonkeyPatch, path: Path, number: signal.Signals) -> None:
    told = reading(monkeypatch, lambda: os.kill(os.getpid(), number), path)
    assert (told.code, told.where) == ("crash", number.name)


def test_an_end_without_an_answer(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    assert reading(monkeypatch, lambda: os._exit(3), path).code == "crash"


def test_a_hang(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(child, "_wall", lambda *paths: 0.3)
    began = time.monotonic()
    assert reading(monkeypatch, lambda: time.sleep(60), path).code == "time-limit"
    assert time.monotonic() - began < 10


def test_endless_work(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(limits, "for_bytes", lambda size: limits.Limits(wall=60, cpu=1, memory=1 << 30))

    def work() -> None:
        while True:
            pass

    assert reading(monkeypatch, work, path).code == "time-limit"


def test_a_bomb(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    assert reading(monkeypatch, lambda: bytes(4 << 30), path).code == "too-large"


def test_nothing_can_be_written_or_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: Path
) -> None:
    for attempt in (lambda: (tmp_path / "CANARY").write_text("x"), lambda: open("/etc/hostname"), os.pipe):
        told = reading(monkeypatch, attempt, path)
        assert (told.code, "Too many open files" in told.where) == ("damaged", True)
    assert not (tmp_path / "CANARY").exists()


def test_what_is_open_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: Path) -> None:
    with open(tmp_path / "open", "wb", buffering=0) as file:
        reading(monkeypatch, lambda: file.write(b"x"), path)
    assert (tmp_path / "open").stat().st_size == 0


def test_any_error_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    def fail() -> None:
        raise ZeroDivisionError("first line\nsecond \x1b[31mline")

    told = reading(monkeypatch, fail, path)
    assert told.code == "damaged"
    assert str(told).isprintable()


def taking(data: bytes) -> Callable[[int], memoryview]:
    """What a pipe would give of these bytes."""
    stream = io.BytesIO(data)

    def take(size: int) -> memoryview:
        taken = stream.read(size)
        if len(taken) < size:
            raise EOFError
        return memoryview(taken)

    return take


ARCHIVE = archive.Archive(
    "HDF5",
    "order",
    b"{}",
    "2.1",
    "00",
    (archive.Group(("a", "\ud800"), (("k", np.eye(2, dtype=np.float32)),)),),
)


def test_an_archive_crosses_the_pipe_unchanged() -> None:
    sent = b"".join(archive.encode(ARCHIVE))
    found = archive.decode(taking(sent))
    assert (found.container, found.layout, found.config, found.version, found.sha256) == (
        "HDF5", "order", b"{}", "2.1", "00",
    )  # fmt: skip
    assert found.groups[0].path == ("a", "\ud800")
    np.testing.assert_array_equal(found.groups[0].weights[0][1], np.eye(2))


def test_a_child_is_not_believed() -> None:
    sent = b"".join(archive.encode(ARCHIVE))
    for wrong in (
        sent[:-1],
        sent.replace(b"float32", b"object_"),
        sent.replace(b"[2, 2]", b"[2,-2]"),
        b"\xff" * 99,
    ):
        with pytest.raises((DamagedFile, EOFError, ValueError, KeyError, TypeError)):
            archive.decode(taking(wrong))


def test_threads_and_no_fork_lead_to_a_spawned_child(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        assert not child.may_fork()
        np.testing.assert_allclose(read(path).evaluate(mf.X), mf.Y)
    finally:
        done.set()
        other.join()
    monkeypatch.setattr(child, "may_fork", lambda: False)
    with pytest.raises(DamagedFile) as told:
        read(path.parent / "missing")
    assert told.value.code == "file"


def test_other_work_can_be_done_while_the_child_reads(path: Path) -> None:
    begun = [start(path), start(path)]
    for reading_now in begun:
        np.testing.assert_allclose(reading_now.finish().evaluate(mf.X), mf.Y)


def test_standard_input(path: Path) -> None:
    script = "from nn2eq.reading import read; print(read('-').source.sha256)"
    with open(path, "rb") as file:
        found = subprocess.run(
            [sys.executable, "-c", script], stdin=file, capture_output=True, text=True, check=True
        )
    assert found.stdout.strip() == read(path).source.sha256


def test_h5py_stays_in_the_child(path: Path) -> None:
    script = f"import sys; from nn2eq.reading import read; read({str(path)!r}); print('h5py' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_no_child_is_left(path: Path) -> None:
    read(path)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_large_model_comes_through(tmp_path: Path) -> None:
    kernel = np.random.default_rng(0).normal(size=(1000, 3000)).astype(np.float32)
    layer = mf.layer("Dense", name="d", units=3000, use_bias=False, activation="linear")
    path = mf.legacy(tmp_path / "a.h5", mf.sequential(layer), {"d": {"d/kernel:0": kernel}})
    np.testing.assert_array_equal(read(path).layers[0].weights["kernel"], kernel)
