"""What a process that reads a stranger's bytes may use: the limits, and how it puts itself under them."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

MIB = 1 << 20

FILE_LIMIT = 512 * MIB
"""Bytes of a model file. A hundred million float32 weights are 400 MiB."""

CHUNKED_LIMIT = 64 * MIB
"""Bytes that compressed or chunked weights may have when unpacked, together."""

CONFIG_LIMIT = 4 * MIB
"""Bytes of a model's JSON; the configs of very deep networks take one or two."""


OWN_LIMIT = 128 * MIB
"""Bytes of a network file of our own, which holds its weights in its JSON."""


@dataclass(frozen=True, eq=False)
class Limits:
    """What a reading process may use: seconds by the clock and of work, bytes of memory, further files."""

    wall: float
    cpu: int
    memory: int
    opens_files: bool = False


def for_bytes(size: int) -> Limits:
    """Return the limits for a file of so many bytes: read once, copied twice."""
    extra = size // (32 * MIB)
    return Limits(wall=10.0 + extra, cpu=6 + extra, memory=512 * MIB + 3 * size)


FOLDER = Limits(wall=60.0, cpu=6, memory=3 << 30, opens_files=True)
"""For a SavedModel: TensorFlow is large, opens files, and is slow to start, which the clock allows for."""


def apply(limits: Limits) -> None:
    """Put this process under LIMITS for good: nothing can be written, no further file opened."""
    try:
        import resource
    except ImportError:  # no such thing on Windows: there the clock alone limits
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + limits.cpu
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_AS: _mapped() + limits.memory,
    }
    if not limits.opens_files:
        wanted[resource.RLIMIT_NOFILE] = 0
    for what, most in wanted.items():
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(ValueError, OSError):  # macOS knows RLIMIT_AS but refuses to set it
            resource.setrlimit(what, (most, hard if what == resource.RLIMIT_CPU else most))


def _mapped() -> int:
    """How many bytes of address space this process already uses."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 1 << 30
