"""A stranger's text, run in a limited child process: what hangs, explodes or crashes becomes one clear error.

The child is started afresh, looks at the text's syntax, runs it, and answers with plain JSON and the bytes of
arrays. It can open no file after its modules are there, and write none at all.
"""

from __future__ import annotations

import io
import json
import os
import sys
from importlib import import_module
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import BadRequest, CannotEmit, Disagreement, Nn2eqError
from nn2eq.proof.allow import DIALECTS, require_allowed
from nn2eq.proof.runners import RUNNERS, Answer, run
from nn2eq.reading.limits import MIB, Limits, apply

Array = NDArray[np.float64]

LIMITS = Limits(wall=60.0, cpu=50, memory=3 * 1024 * MIB)
_ERRORS: dict[str, type[Nn2eqError]] = {
    kind.__name__: kind for kind in (BadRequest, CannotEmit, Disagreement)
}


def run_limited(language: str, text: str, x: Array, name: str = "predict", limits: Limits = LIMITS) -> Answer:
    """Run a text at x (n, inputs) as `nn2eq.proof.runners.run` does, after looking at it, in a limited child.

    Raises BadRequest if it holds what our texts do not, Disagreement if it fails or uses more than the limits
    allow.
    """
    import subprocess

    asked = {"language": language, "name": name, "shape": x.shape, "text": len(data := text.encode())}
    asked |= {"cpu": limits.cpu, "memory": limits.memory}
    said = _framed(asked) + data + np.ascontiguousarray(x, dtype=np.float64).tobytes()
    path = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-m", __name__]
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, input=said, capture_output=True, timeout=limits.wall, env=environment)
    except subprocess.TimeoutExpired:
        raise _exhausted(f"takes longer than {limits.wall:.0f} s") from None
    try:
        return _answer(io.BytesIO(done.stdout))
    except (ValueError, KeyError, TypeError, EOFError):
        raise _exhausted(_ending(done.returncode)) from None


def _ending(status: int) -> str:
    import signal

    if status == -getattr(signal, "SIGXCPU", 0):
        return "takes too much time"
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def _exhausted(what: str) -> Disagreement:
    return Disagreement(f"the text fails: it {what}", code="text-fails")


# -------------------------------------------------------------------------------------------- across the pipe


def _framed(header: dict[str, Any]) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


def _take(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _header(stream: BinaryIO) -> dict[str, Any]:
    header = json.loads(_take(stream, int.from_bytes(_take(stream, 8), "little")))
    if not isinstance(header, dict):
        raise TypeError
    return header


def _array(stream: BinaryIO, shape: list[int]) -> Array:
    size = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(_take(stream, 8 * size), dtype=np.float64).reshape(shape)


def _answer(stream: BinaryIO) -> Answer:
    header = _header(stream)
    if "error" in header:
        kind = _ERRORS.get(header["error"], Disagreement)
        raise kind(header["what"], code=header["code"], where=header["where"], way_out=header["way_out"])
    outputs = _array(stream, header["outputs"])
    return Answer(outputs, {name: _array(stream, shape) for name, shape in header["values"]})


# ----------------------------------------------------------------------------------------------- in the child


def _said(stream: BinaryIO) -> bytes:
    """Do what was asked, and return the answer for the pipe."""
    asked = _header(stream)
    text = _take(stream, asked["text"]).decode()
    x = _array(stream, asked["shape"])
    for module in (RUNNERS.get(asked["language"], "math"), *_modules(asked["language"])):
        import_module(module)  # no file can be opened once the limits hold
    apply(Limits(0.0, asked["cpu"], asked["memory"]))
    try:
        require_allowed(text, asked["language"])
        return _told(run(asked["language"], text, x, asked["name"]))
    except Nn2eqError as error:
        fields = {"what": error.what, "code": error.code, "where": error.where, "way_out": error.way_out}
        return _framed({"error": type(error).__name__, **fields})
    except (MemoryError, RecursionError) as error:
        return _framed({"error": "", **_TOO_MUCH, "what": f"the text fails: {type(error).__name__}"})


_TOO_MUCH = {"code": "text-fails", "where": "", "way_out": ""}


def _modules(language: str) -> tuple[str, ...]:
    return tuple(DIALECTS[language].modules) if language in DIALECTS else ()


def _told(answer: Answer) -> bytes:
    values = {name: np.asarray(value) for name, value in answer.values.items()}
    kept = {name: value.astype(np.float64) for name, value in values.items() if value.dtype.kind in "fiu"}
    header = {
        "outputs": answer.outputs.shape,
        "values": [[name, value.shape] for name, value in kept.items()],
    }
    arrays = (answer.outputs.astype(np.float64), *kept.values())
    return _framed(header) + b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


def _serve() -> NoReturn:
    """Answer on what was standard output; a text that prints says nothing."""
    outward = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    view = memoryview(_said(sys.stdin.buffer))
    while view:
        view = view[os.write(outward, view) :]
    os._exit(0)


if __name__ == "__main__":
    _serve()
