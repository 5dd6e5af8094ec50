"""PostgreSQL: a server of our own, in a folder that goes away, reached through a socket in it."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import psycopg

from nn2eq.errors import BadRequest, Disagreement
from nn2eq.proof.engines import SAMPLES, Array, Rows, failed

USER = "nn2eq"
PLACES = "/usr/lib/postgresql/*/bin"
"""Where Debian keeps the programs that are not on the path."""
PATIENCE = 120.0
"""Seconds that a program may take, or the server until it answers."""
PAUSE = 0.1
"""Seconds between two looks whether it does."""
_INIT = ("--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8", f"--username={USER}")
_SERVER = "-c listen_addresses= -c fsync=off -c shared_buffers=16MB -c max_connections=8 -c jit=off".split()
_WATCHED = '"$0" "$@" & read _; kill -QUIT $!; wait'
"""The server, until standard input ends: so it ends with this process, however that ends."""


def rows(text: str, columns: Sequence[str], data: Array) -> Rows:
    """Return what a query answers. Raises BadRequest if there is no PostgreSQL, Disagreement."""
    try:
        with psycopg.connect(host=str(start()), user=USER, dbname="postgres") as connection:
            typed = ", ".join(f"{name} double precision" for name in columns)
            connection.execute(f"CREATE TEMPORARY TABLE {SAMPLES} ({typed})".encode())
            with connection.cursor().copy(f"COPY {SAMPLES} FROM STDIN") as copy:
                for row in data.tolist():
                    copy.write_row(row)
            return connection.execute(text.encode()).fetchall()
    except psycopg.Error as error:
        raise failed(error) from None


@cache
def start() -> Path:
    """Start a server, once in this process, and return the folder of its socket; it ends with the process."""
    folder = Path(tempfile.mkdtemp(prefix="nn2eq-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    user = _user()
    if user is not None:
        shutil.chown(folder, user)
    _done("initdb", *_INIT, f"--pgdata={folder}/data")
    settings = [*_SERVER, "-c", f"unix_socket_directories={folder}", "-D", f"{folder}/data"]
    command = ["sh", "-c", _WATCHED, program("postgres"), *settings]
    watched = subprocess.Popen(
        command, user=user, cwd="/",
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    atexit.register(watched.communicate)
    _wait(folder, watched)
    return folder


def _wait(folder: Path, watched: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    ready = [program("pg_isready"), f"--host={folder}", "--quiet"]
    for _ in range(int(PATIENCE / PAUSE)):
        if watched.poll() is not None:
            break
        if subprocess.run(ready, check=False).returncode == 0:
            return
        time.sleep(PAUSE)
    raise _not_started("it does not answer")


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs. Raises BadRequest if it is not installed."""
    places = sorted(Path("/").glob(f"{PLACES}/{name}".lstrip("/")))
    found = shutil.which(name) or (str(places[-1]) if places else "")
    if not found:
        what = f"{name} of PostgreSQL is not installed"
        raise BadRequest(what, code="no-tool", way_out="install postgresql, or leave out --run")
    return found


def _user() -> str | None:
    """Return who is to run the server, None for oneself: it refuses to be run by root."""
    return None if os.getuid() else "nobody"


def _done(name: str, *arguments: str) -> None:
    try:
        done = subprocess.run(
            [program(name), *arguments], user=_user(), cwd="/", timeout=PATIENCE, check=False, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise _not_started(f"{name} takes longer than {PATIENCE:.0f} s") from None
    if done.returncode:
        raise _not_started(f"{name}: {done.stdout.strip()[-200:]}")


def _not_started(what: str) -> Disagreement:
    return Disagreement(f"PostgreSQL does not start: {what}", code="text-fails")
