"""Standard error, standard output and files: what is said, where, and how safely."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from nn2eq.errors import BadRequest

NARROWEST = 24
"""Characters that a column has at least, however narrow the terminal is."""


def printable(text: str) -> str:
    """Escape what is not printable, so that a file's name cannot drive a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode()
                   for char in text.encode("utf-8", "backslashreplace").decode())  # fmt: skip


def say(text: str) -> None:
    """Say a line on standard error; that nobody can hear it is no reason to stop."""
    with suppress(OSError):
        print(f"nn2eq: {printable(text)}", file=sys.stderr, flush=True)


def open_standard_streams() -> None:
    """Put something in the place of standard streams that are closed, so that no file comes to stand there.

    Python has None for such a stream, and what is printed to None goes to standard output. What is written to a
    closed standard output fails, what is said on a closed standard error is lost.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            found = os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            os.dup2(found, number)
            os.set_inheritable(number, True)
            if found != number:
                os.close(found)
            setattr(sys, name, open(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))


def drop_standard_output() -> None:
    """Forget what could not be written, so that Python does not try again at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def waiting(text: str, *, long: bool = True) -> Iterator[None]:
    """Show that something longer is under way: a spinner on standard error, on a terminal only."""
    if not (long and sys.stderr.isatty()):
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(printable(text)):
        yield


def write(text: str | bytes, path: str) -> None:
    """Write a result to standard output, or to a file all at once: it is there whole, or as it was before."""
    data = text.encode("utf-8") if isinstance(text, str) else text
    if path in ("", "-"):
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    target = os.path.realpath(path)
    try:
        if os.path.exists(target) and not os.path.isfile(target):
            with open(target, "wb") as file:  # a device or a pipe cannot be replaced, only written
                file.write(data)
            return
        _replace(target, data)
    except OSError as error:
        raise BadRequest(f"cannot be written: {error.strerror}", code="output", file=path) from None


def _replace(target: str, data: bytes) -> None:
    beside = f"{target}.{os.getpid()}.part"
    mode = os.stat(target).st_mode & 0o777 if os.path.exists(target) else 0o666
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, wrapped: int | None = None) -> None:
    """Print a table on standard output: numbers to the right, words to the left.

    wrapped: the column that takes more lines than one where a terminal is too narrow; in a pipe all stay whole.
    """
    cells = [[printable(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    right = [all(_is_number(row[column]) for row in cells[1:]) for column in range(len(head))]
    if wrapped is not None:
        widths[wrapped] = min(widths[wrapped], _room(sum(widths) - widths[wrapped] + 2 * (len(head) - 1)))
    for row in cells:
        for line in [row] if wrapped is None else _lines(row, wrapped, widths[wrapped]):
            placed = (
                cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(line, widths, right, strict=True)
            )
            print("  ".join(placed).rstrip())


def _room(taken: int) -> int:
    """Return how many characters a line has left: on a terminal that can be known, elsewhere there is no end."""
    if not sys.stdout.isatty():
        return sys.maxsize
    import shutil  # which takes a while to load

    return max(NARROWEST, shutil.get_terminal_size().columns - taken)


def _lines(row: Sequence[str], column: int, width: int) -> Iterator[Sequence[str]]:
    """Yield a row on as many lines as one of its cells needs."""
    if len(row[column]) <= width:
        yield row
        return
    import textwrap

    parts = textwrap.wrap(row[column], width, break_on_hyphens=False)
    yield [*row[:column], parts[0], *row[column + 1 :]]
    for part in parts[1:]:
        yield [*[""] * column, part, *[""] * (len(row) - column - 1)]


def _is_number(cell: str) -> bool:
    return cell in ("inf", "-inf") or not set(cell) - set("+-0123456789.,e")
