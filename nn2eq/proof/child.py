"""A stranger's text, run in a limited child process: what hangs, explodes or crashes becomes one clear error.

The child is started afresh, looks at the text's syntax, runs it, and answers with plain JSON and the bytes of
arrays. It can open no file after its modules are there, and write none at all.
"""

from __future__ import annotations

import io
import subprocess
import sys
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import BadRequest, CannotEmit, Disagreement, Nn2eqError, text_fails
from nn2eq.proof import pipe
from nn2eq.proof.allow import DIALECTS, require_allowed
from nn2eq.proof.runners import RUNNERS, Answer, run
from nn2eq.reading.limits import MIB, Limits, apply

Array = NDArray[np.float64]

LIMITS = Limits(wall=60.0, cpu=50, memory=3 * 1024 * MIB)
_ERRORS: dict[str, type[Nn2eqError]] = {
    kind.__name__: kind for kind in (BadRequest, CannotEmit, Disagreement)
}


def run_limited(
    language: str, text: str, x: Array, name: str = "predict", *, limits: Limits = LIMITS
) -> Answer:
    """Run a text at x (n, inputs) as `nn2eq.proof.runners.run` does, after looking at it, in a limited child.

    Raises BadRequest if it holds what our texts do not, Disagreement if it fails or uses more than the limits
    allow.
    """
    asked = {"language": language, "name": name, "cpu": limits.cpu, "memory": limits.memory, "text": text}
    command = [sys.executable, "-m", __name__]
    environment = pipe.child_environment(OMP_NUM_THREADS="1")
    try:
        done = subprocess.run(
            command, input=pipe.framed(asked, [x]), capture_output=True, timeout=limits.wall, env=environment
        )
    except subprocess.TimeoutExpired:
        raise text_fails(f"it takes longer than {limits.wall:.0f} s") from None
    try:
        return _answer(done.stdout)
    except (ValueError, KeyError, TypeError, EOFError):
        raise text_fails(f"it {ending(done.returncode)}") from None


def _answer(said: bytes) -> Answer:
    header, arrays = pipe.unframed(io.BytesIO(said))
    if "error" in header:
        kind = _ERRORS.get(header["error"], Disagreement)
        raise kind(header["what"], code=header["code"], where=header["where"], way_out=header["way_out"])
    outputs, *values = arrays
    return Answer(outputs, dict(zip(header["values"], values, strict=True)), header["by"])


def ending(status: int) -> str:
    """Return in words how a child ended that did not answer."""
    import signal

    if status == -getattr(signal, "SIGXCPU", 0):
        return "takes too much time"
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


# ----------------------------------------------------------------------------------------------- in the child


def _said() -> bytes:
    """Do what was asked, and return the answer for the pipe."""
    asked, (x,) = pipe.unframed(sys.stdin.buffer)
    language, text = asked["language"], asked["text"]
    try:
        _prepare(language, text)
        apply(Limits(0.0, asked["cpu"], asked["memory"]))
        require_allowed(text, language)
        return _told(run(language, text, x, asked["name"]))
    except Nn2eqError as error:
        fields = {"what": error.what, "code": error.code, "where": error.where, "way_out": error.way_out}
        return pipe.framed({"error": type(error).__name__, **fields})
    except (MemoryError, RecursionError) as error:
        what = f"the text fails: {type(error).__name__}"
        return pipe.framed({"error": "", "what": what, "code": "text-fails", "where": "", "way_out": ""})


def _prepare(language: str, text: str) -> None:
    """Import what running the text takes: no file can be opened once the limits hold.

    What a text needs beyond its language, its runner's function `prepare` imports.
    """
    for module in DIALECTS[language].modules if language in DIALECTS else ():
        import_module(module)
    prepare = getattr(import_module(RUNNERS.get(language, "math")), "prepare", None)
    if prepare is not None:
        prepare(text)


def _told(answer: Answer) -> bytes:
    values = {name: np.asarray(value) for name, value in answer.values.items()}
    kept = {name: value.astype(np.float64) for name, value in values.items() if value.dtype.kind in "fiu"}
    return pipe.framed(
        {"values": list(kept), "by": answer.by}, [answer.outputs.astype(np.float64), *kept.values()]
    )


if __name__ == "__main__":
    _outward = pipe.silenced()
    pipe.answer(_outward, _said())
