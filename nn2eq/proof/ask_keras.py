"""What Keras itself answers, compared with our own forward pass: the first link of the chain of proof.

Keras of the generation that saved the file is asked: Keras 3 for its files, tf_keras for those of Keras 1 and
2. Our own reader goes first and must have accepted the file; Keras runs in a limited child.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import BadRequest
from nn2eq.network import Layer, Network
from nn2eq.proof import keras_description, pipe
from nn2eq.proof.agreement import Agreement, compare
from nn2eq.proof.child import ending
from nn2eq.proof.rounding import Rounding, rounding, widened
from nn2eq.proof.samples import samples
from nn2eq.reading import child
from nn2eq.reading.archive import Archive
from nn2eq.reading.limits import MIB

Array = NDArray[np.float64]

LINK = "Keras and network"
WALL, CPU, MEMORY = 300.0, 600, 4096 * MIB
UNITS = {"bfloat16": 2.0**-9, "float16": 2.0**-11, "float32": 2.0**-24, "float64": 2.0**-24}
"""The unit roundoff of what Keras computes in; inputs and answers of a float64 model may still be float32."""
HALF = UNITS["float16"]


@dataclass(frozen=True, eq=False)
class KerasAnswer:
    """What Keras answers: outputs (n, outputs), and between, of each layer; how: which Keras, given what."""

    outputs: Array
    between: tuple[Array, ...]
    how: str
    unit: float


@dataclass(frozen=True, eq=False)
class Asked:
    """What Keras answered: y (n, outputs) in the network's units to x (n, inputs), and how well that agrees.

    how: which Keras, given what.
    """

    agreement: Agreement
    x: Array
    answers: Array
    how: str


def ask_keras(
    network: Network,
    path: str | os.PathLike[str],
    *,
    weights: str | os.PathLike[str] | None = None,
    data: Array | None = None,
) -> Agreement:
    """Ask Keras for its answers to the model at PATH, and compare: see `answers_of_keras`."""
    return answers_of_keras(network, path, weights=weights, data=data).agreement


def answers_of_keras(
    network: Network,
    path: str | os.PathLike[str],
    *,
    weights: str | os.PathLike[str] | None = None,
    data: Array | None = None,
) -> Asked:
    """Ask Keras for its answers to the model at PATH, from which this network was read, and compare.

    weights: the file that belongs to an architecture in JSON. data (n, inputs): rows to ask besides the
    samples. Scalers that were put around the network are not the model's: Keras is asked what comes out of
    those in front. Raises BadRequest if Keras is not installed or cannot answer.
    """
    core, files = widened(network.core), (os.fspath(path), None if weights is None else os.fspath(weights))
    archive = _archive(core, *files)
    taken = keras_description.taken(archive)
    given = samples(network, data)
    given = given if network.layers[0].added else taken(given)
    x, kept = _scaled(network, given, taken)
    answer = _answer(core, archive, files[1] or files[0], x.astype(np.float32))
    answers = answer.outputs.astype(np.float64).reshape(len(x), -1)
    for layer in _behind(network):
        for step in layer.maps:
            answers = step(answers)
    return Asked(compared(core, x, answer), given[kept], answers, answer.how)


def _behind(network: Network) -> tuple[Layer, ...]:
    """Return the scalers put behind the model of the file."""
    return tuple(takewhile(lambda layer: layer.added, reversed(network.layers)))[::-1]


def _scaled(network: Network, x: Array, taken: Callable[[Array], Array]) -> tuple[Array, NDArray[np.bool_]]:
    """Return what reaches the model of the file, as float32 numbers that it takes, and which of the samples do."""
    for layer in network.layers:
        if not layer.added:
            break
        for step in layer.maps:
            x = step(x)
    with np.errstate(over="ignore"):
        x = x.astype(np.float32).astype(np.float64)
        kept = np.isfinite(x).all(axis=1) & np.equal(taken(x), x).all(axis=1)
    if not kept.any():
        raise _failed("no sample reaches it as the kind of number that it takes")
    return x[kept], np.asarray(kept)


def compared(core: Network, x: Array, answer: KerasAnswer) -> Agreement:
    """Compare what Keras answers at x (n, inputs) with the network of the file, within its own rounding."""
    cost = rounding(core, x, answer.unit)
    outputs = answer.outputs.reshape(len(x), -1)
    kept = ~cost.at_jump & np.isfinite(cost.error).all(axis=1)
    if answer.unit == HALF and np.isfinite(outputs[kept]).any():  # a square of 256 is beyond it already
        kept &= np.isfinite(outputs).all(axis=1)
    size = np.maximum(1.0, np.abs(cost.answers))
    agreement = compare(
        cost.answers[kept],
        outputs[kept],
        scale=size[kept],
        tolerance=(cost.error / size)[kept],
        link=LINK,
        how=answer.how,
        x=x[kept],
        outputs=core.output_names,
        precision=2 * answer.unit,
    )
    left_out = (
        (int(np.count_nonzero(cost.at_jump)), "at a jump"),
        (int(np.count_nonzero(~kept & ~cost.at_jump)), f"beyond {_precision(answer.unit)}"),
    )
    unit = "" if agreement.holds else _first_difference(core, x[kept], answer, kept)
    return replace(agreement, left_out=tuple(item for item in left_out if item[0]), unit=unit)


def _precision(unit: float) -> str:
    return "float16" if unit == HALF else "float32"


def _first_difference(core: Network, x: Array, answer: KerasAnswer, kept: NDArray[np.bool_]) -> str:
    """Name the first layer, and its first unit, at which Keras is somewhere else."""
    if len(answer.between) != len(core.layers) or not kept.any():
        return ""
    for number, found in enumerate(answer.between, start=1):
        cost: Rounding = rounding(replace(core, layers=core.layers[:number]), x, answer.unit)
        values = found.reshape(len(found), -1)[kept]
        if values.shape != cost.answers.shape:
            return _layer(core, number)
        wrong = ~(np.abs(values - cost.answers) <= cost.error)
        if wrong.any():
            return f"{_layer(core, number)}, unit {int(np.argmax(wrong.any(axis=0))) + 1}"
    return ""


def _layer(core: Network, number: int) -> str:
    layer = core.layers[number - 1]
    return f"of layer {number} {layer.name!r} ({layer.class_name})"


# -------------------------------------------------------------------------------------------------- the child


def _archive(core: Network, path: str, weights: str | None) -> Archive:
    """Read what the file holds once more. Raises BadRequest if the network is not from it."""
    archive = child.start(path, weights).finish()
    if core.source.sha256 not in ("", archive.sha256):
        raise _failed("the file is not the one that the network was read from")
    if not archive.config or not archive.layout:
        raise _failed("it knows nothing of this kind of file")
    return archive


def _answer(core: Network, archive: Archive, weights: str, x: NDArray[np.float32]) -> KerasAnswer:
    library = "keras" if core.source.keras_major >= 3 else "tf_keras"
    with tempfile.TemporaryDirectory(prefix="nn2eq-") as folder:
        asked = _asked(core, archive, library, os.path.abspath(weights), folder)
        arrays = [array for layer in core.layers for array in layer.weights.values()]
        header, found = ask_child(pipe.framed(asked, [x, *arrays]), folder)
    if "missing" in header:
        raise BadRequest(
            f"Keras cannot be asked: {header['missing']}",
            code="keras-missing",
            way_out="pip install 'nn2eq[keras]'",
        )
    if "failed" in header:
        raise _failed(str(header["failed"]))
    how = f"{library} {header['version']}"
    how += (
        f", model rebuilt from its description since {header['why']}" if header["why"] else ", model loaded"
    )
    unit = max(UNITS.get(name, UNITS["float32"]) for name in header["precisions"] or ["float32"])
    return KerasAnswer(found[0], tuple(found[1:]), how, unit)


def _asked(core: Network, archive: Archive, library: str, weights: str, folder: str) -> dict[str, Any]:
    config = keras_description.cleaned(archive, core.source.keras_major)
    described = keras_description.layers(archive)
    for item, layer in zip(described, core.layers, strict=True):
        item["weights"] = len(layer.weights)
    return {
        "library": library, "cpu": CPU, "memory": MEMORY, "input_shape": core.input_shape,
        "why": _why_rebuilt(core, config, weights), "config": config, "layers": described,
        "weights": _called(archive, weights, folder),
    }  # fmt: skip


def _why_rebuilt(core: Network, config: str, weights: str) -> str:
    """Return why Keras is not given the file itself, "" if it is."""
    if os.path.isdir(weights):
        return "a SavedModel would bring its own graph"
    if core.source.keras_major < 2:
        return "no Keras of today reads files of Keras 1"
    return "" if config else "its description holds more than Keras' own layers"


def _called(archive: Archive, weights: str, folder: str) -> str:
    """Return a link to the weights under a name whose suffix says what they are: Keras goes by the suffix."""
    if os.path.isdir(weights):
        return ""
    with open(weights, "rb") as file:
        is_zip = file.read(2) == b"PK"
    suffix = ".keras" if is_zip else ".h5" if archive.layout == "order" else ".weights.h5"
    link = os.path.join(folder, f"model{suffix}")
    os.symlink(weights, link)
    return link


def ask_child(said: bytes, folder: str) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """Start Keras in a child, and return what it answers: a header, arrays. Raises BadRequest if it does not."""
    command = [sys.executable, "-m", "nn2eq.proof.keras_child"]
    environment = pipe.child_environment(KERAS_HOME=folder)
    try:
        done = subprocess.run(
            command, input=said, capture_output=True, timeout=WALL, env=environment, cwd=folder
        )
    except subprocess.TimeoutExpired:
        raise _failed(f"it takes longer than {WALL:.0f} s") from None
    try:
        return pipe.unframed(io.BytesIO(done.stdout))
    except (ValueError, KeyError, TypeError, EOFError):
        raise _failed(f"it {ending(done.returncode)}") from None


def _failed(what: str) -> BadRequest:
    return BadRequest(f"Keras cannot be asked: {what}", code="keras-failed")
