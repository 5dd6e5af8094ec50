"""Opening what a path names: regular files (or standard input) as bytes, read once and bounded."""

from __future__ import annotations

import errno
import os
import stat

from nn2eq.errors import DamagedFile
from nn2eq.reading.limits import FILE_LIMIT

STANDARD_INPUT = "-"

STEP = 1 << 20
"""Bytes to read at once from what does not say how much it has."""

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe (FIFO)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

_REASONS = {
    errno.ENOENT: "no such file",
    errno.EACCES: "no permission to read it",
    errno.EPERM: "no permission to read it",
    errno.ELOOP: "a symbolic link that leads to itself (a loop)",
    errno.ENAMETOOLONG: "no file can have so long a name",
    errno.ENOTDIR: "no such file: a part of its path is not a folder",
}


def is_folder(path: str) -> bool:
    """Whether PATH names a folder."""
    return path != STANDARD_INPUT and os.path.isdir(path)


def size(path: str) -> int:
    """Return how large a file says it is; 0 for what has no size."""
    try:
        return min(os.stat(path).st_size, FILE_LIMIT)
    except (OSError, ValueError):
        return 0


def read_bytes(path: str, limit: int = FILE_LIMIT) -> bytes:
    """Read a regular file whole, or standard input for "-"; what is parsed and what is hashed is then one."""
    try:
        if path == STANDARD_INPUT:
            return _read_all(0, limit, STEP)
        _refuse_unless_regular(os.stat(path).st_mode)
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            found = os.fstat(descriptor)
            _refuse_unless_regular(found.st_mode)  # it may have changed since
            return _read_all(descriptor, limit, found.st_size)
        finally:
            os.close(descriptor)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or "it cannot be read")
        raise DamagedFile(reason, code="file") from None
    except ValueError:  # a path with a NUL in it
        raise DamagedFile("no file can have such a name", code="file") from None


def _refuse_unless_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _KINDS if test(mode)), "something else")
        raise DamagedFile(f"not a regular file but {kind}", code="file")


def _read_all(descriptor: int, limit: int, size: int) -> bytes:
    """Read to the end, at once if the file is as large as it says; what it says is not believed."""
    blocks, left = [], limit
    while left >= 0 and size <= limit and (block := os.read(descriptor, min(max(size, STEP), left) + 1)):
        blocks.append(block)
        left -= len(block)
    if left < 0 or size > limit:
        raise DamagedFile(f"larger than {limit:,} bytes, the limit for a model", code="too-large")
    return b"".join(blocks)
