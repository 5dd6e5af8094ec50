"""Reading in a limited child process: a crash, a hang or a bomb in a stranger's file becomes one clear error.

HDF5's C library crashes or hangs on a few damaged files in a thousand. So the file is read by a child that is
forked before h5py is imported (spawned where fork is not there or not safe), that puts itself under limits of
memory, time, writing and opening, and that answers through a pipe with plain JSON and the bytes of arrays.
"""

from __future__ import annotations

import faulthandler
import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn

import numpy as np

from nn2eq.errors import DamagedFile, Nn2eqError
from nn2eq.reading import archive, files, limits
from nn2eq.reading.archive import Archive
from nn2eq.reading.names import quoted

ANSWER_LIMIT = 2 * limits.FILE_LIMIT
"""Bytes that a child may hand back."""

_UNSAFE_TO_FORK = ("tensorflow", "jax", "torch")
"""Libraries with threads of their own: a fork behind their back may hang."""


@dataclass
class Reading:
    """A child that reads, and the pipe through which it answers; `finish` is called once."""

    stream: io.FileIO
    wall: float
    kill: Callable[[], None]
    wait: Callable[[], int]
    _timed_out: threading.Event = field(default_factory=threading.Event)
    _taken: int = 0

    def finish(self) -> Archive:
        """Wait for the answer, and for the child's end."""
        watchdog = threading.Timer(self.wall, self._time_out)
        watchdog.daemon = True
        watchdog.start()
        status = 0
        try:
            return archive.decode(self._take)
        except (EOFError, ValueError, KeyError, TypeError, IndexError, AttributeError):
            watchdog.cancel()
            self.kill()
            status = self.wait()
        finally:
            watchdog.cancel()
            self.stream.close()
            self.kill()  # it has said all it has to say, or nobody listens any more
            self.wait()
        raise self._failure(status)

    def _take(self, size: int) -> memoryview:
        self._taken += size
        if self._taken > ANSWER_LIMIT:
            raise EOFError
        view = np.empty(size, np.uint8).data
        done = 0
        while done < size:
            step = self.stream.readinto(view[done:])
            if not step:
                raise EOFError
            done += step
        return view

    def _time_out(self) -> None:
        self._timed_out.set()
        self.kill()

    def _failure(self, status: int) -> DamagedFile:
        """Say why the answer ended early."""
        if self._timed_out.is_set() or status == -getattr(signal, "SIGXCPU", 0):
            return DamagedFile(f"reading it took too long, more than {self.wall:.0f} s", code="time-limit")
        cause = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return DamagedFile(
            "damaged: reading it made the library that reads it crash", code="crash", where=cause
        )


def start(path: str, weights: str | None = None) -> Reading:
    """Start to read in a child; other work can be done before `finish` is called."""
    return (_forked if may_fork() else _spawned)(path, weights)


def may_fork() -> bool:
    """Whether a fork is there, and safe: not behind the back of other threads."""
    return (
        hasattr(os, "fork")
        and sys.platform != "darwin"  # its system libraries do not outlive a fork
        and threading.active_count() == 1
        and not any(library in sys.modules for library in _UNSAFE_TO_FORK)
    )


def _forked(path: str, weights: str | None) -> Reading:
    inward, outward = os.pipe()
    _widen(outward)
    with warnings.catch_warnings():
        # From 3.12 on Python warns of other threads. There are none but OpenBLAS', which it ends for a fork.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        os.close(inward)
        _serve(outward, path, weights)
    os.close(outward)
    ended: list[int] = []

    def wait() -> int:
        if not ended:
            ended.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        return ended[0]

    def kill() -> None:
        if not ended:
            os.kill(pid, signal.SIGKILL)

    return Reading(io.FileIO(inward, "rb"), _wall(path, weights), kill, wait)


def _widen(pipe: int) -> None:
    """Let a pipe hold more at once, so that the processes change places less often; Linux alone can."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)


def _spawned(path: str, weights: str | None) -> Reading:
    import subprocess

    names = [name for name in (path, weights) if name is not None]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, *names],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert isinstance(process.stdout, io.FileIO)
    return Reading(process.stdout, _wall(path, weights), process.kill, process.wait)


def _wall(path: str, weights: str | None) -> float:
    if files.is_folder(path):
        return limits.FOLDER.wall
    return limits.for_bytes(sum(files.size(name) for name in (path, weights) if name is not None)).wall


def _serve(descriptor: int, path: str, weights: str | None) -> NoReturn:
    """Be the child: answer and end, silent on the standard streams and without the parent's farewells."""
    status = 1
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        faulthandler.disable()  # a crash here is told by the parent, in one line
        for part in _answer(path, weights):
            view = memoryview(part)
            while view:
                view = view[os.write(descriptor, view) :]
        status = 0
    finally:
        os._exit(status)


def _answer(path: str, weights: str | None) -> Iterator[bytes | memoryview]:
    from nn2eq.reading import containers  # of no use to the parent

    settle = partial(_settle, files.is_folder(path))
    try:
        return archive.encode(containers.load(path, weights, settle=settle))
    except Nn2eqError as error:
        return archive.encode_error(error)
    except MemoryError:
        return archive.encode_error(DamagedFile("too large: it takes too much memory", code="too-large"))
    except Exception as error:  # whatever else a stranger's bytes bring about is told in one line too
        cause = quoted(f"{type(error).__name__}: {error}")
        return archive.encode_error(DamagedFile("damaged: it cannot be read", code="damaged", where=cause))


def _settle(is_folder: bool, size: int) -> None:
    limits.apply(limits.FOLDER if is_folder else limits.for_bytes(size))


if __name__ == "__main__":
    _serve(os.dup(1), sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
