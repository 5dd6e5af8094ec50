"""Texts that other programs compile or interpret: a folder, a few commands, numbers in and out as bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.names import is_identifier
from nn2eq.errors import BadRequest, text_fails
from nn2eq.proof.runners import Answer

Array = NDArray[np.float64]

PATIENCE = 600.0
"""Seconds that one command may take."""
_SAID = 300
"""Characters of a command's complaint that are passed on."""


@dataclass(frozen=True)
class Toolchain:
    """How texts of a language are run.

    text: what the text's file is called. files: what stands beside it, by name: a program that reads the inputs
    from `x.bin`, float64 with the lowest byte first, calls the text for each row, and writes the answers to
    `y.bin` likewise. commands: what is to be run, one after the other. In all of these $name is the text's
    function, $Name the same with a capital, $inputs and $samples the shape of x.
    """

    text: str
    files: Mapping[str, str]
    commands: tuple[tuple[str, ...], ...]

    def run(self, text: str, x: Array, name: str, **fields: str) -> Answer:
        """Run a text at x (n, inputs).

        Raises BadRequest if a program is not installed, Disagreement if the text does not compile or fails.
        """
        if not is_identifier(name):
            raise BadRequest(f"{name!a:.80} is not the name of a function", code="bad-name")
        fields = {"name": name, "Name": name[:1].upper() + name[1:], **fields}
        fields |= {"inputs": str(x.shape[1]), "samples": str(len(x))}
        with tempfile.TemporaryDirectory(prefix="nn2eq-") as folder:
            place = Path(folder)
            (place / _filled(self.text, fields)).write_text(text, encoding="utf-8")
            for file, content in self.files.items():
                (place / _filled(file, fields)).write_text(_filled(content, fields), encoding="utf-8")
            x.astype("<f8").tofile(place / "x.bin")
            for command in self.commands:
                done([_filled(word, fields) for word in command], place)
            return Answer(_answers(place / "y.bin", len(x)))


def library(module: str, extra: str) -> Any:
    """Import a library that runs texts; extra: of nn2eq, that brings it. Raises BadRequest if it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        way_out = f"pip install 'nn2eq[{extra}]', or leave out --run"
        raise BadRequest(f"{module} is not installed", code="no-tool", way_out=way_out) from None


def _filled(template: str, fields: Mapping[str, str]) -> str:
    return Template(template).substitute(fields)


def done(command: list[str], folder: Path) -> None:
    """Run a command in a folder. Raises BadRequest if it is not installed, Disagreement if it fails."""
    program = command[0] if os.sep in command[0] else shutil.which(command[0])
    if program is None:
        raise BadRequest(
            f"{command[0]} is not installed", code="no-tool", way_out="install it, or leave out --run"
        )
    try:
        ended = subprocess.run(
            [program, *command[1:]], cwd=folder, env={**os.environ, "LC_ALL": "C"}, timeout=PATIENCE,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise text_fails(f"{command[0]} takes longer than {PATIENCE:.0f} s") from None
    if ended.returncode:
        raise text_fails(f"{command[0]}: {_complaint(ended.stdout)}")


def _complaint(said: bytes) -> str:
    """Return the line of a program's output in which it says what is wrong."""
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "no word why")[
        :_SAID
    ]


def _answers(file: Path, samples: int) -> Array:
    if not file.is_file():
        raise text_fails("it wrote no answers")
    found = np.fromfile(file, dtype="<f8")
    if not samples or found.size % samples:
        raise text_fails(f"it wrote {found.size} numbers for {samples} samples")
    return found.astype(np.float64).reshape(samples, -1)
