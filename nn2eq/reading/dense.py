"""A network of dense layers from a few words, 2-3-1:tanh: its architecture, without weights."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from nn2eq.errors import BadRequest
from nn2eq.network import Network, needs_weights
from nn2eq.reading.archive import JSON, Archive

LINEAR = "linear"
_SPEC = re.compile(r"(?P<sizes>\d{1,6}(?:-\d{1,6})+)(?::(?P<names>\w+(?:,\w+)*))?")


@dataclass(frozen=True)
class Sketched:
    """An architecture in words, as `Started` is one in a file; `finish` builds it."""

    spec: str

    def finish(self, *, symbols: bool = False) -> Network:
        """Build the network; `symbols`: that it has no weights will do."""
        if not symbols:
            raise needs_weights("an architecture without weights")
        return dense(self.spec)

    def __enter__(self) -> Sketched:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was started."""


def dense(spec: str) -> Network:
    """Return the architecture of dense layers that is described by sizes and activations, for symbols alone.

    2-3-3-1:tanh has two hidden layers of tanh and a linear output; 2-3-1:sigmoid,sigmoid names each layer's own, and
    so does 2-1:sigmoid, which has one alone.
    Raises BadRequest for what is no such description.
    """
    from nn2eq.reading.build import build

    match = _SPEC.fullmatch(spec.strip())
    sizes = [int(size) for size in match["sizes"].split("-")] if match else []
    if match is None or 0 in sizes:
        raise BadRequest(
            f"--dense {spec!r:.60}", code="dense", way_out="write 2-3-1:tanh, or 2-3-1:tanh,sigmoid"
        )
    given = (match["names"] or LINEAR).split(",")
    layers = len(sizes) - 1
    names = [*given * (layers - 1), LINEAR] if len(given) == 1 < layers else given
    if len(names) != layers:
        what = f"--dense {spec!r:.60}: {len(given)} activations for {layers} layers"
        raise BadRequest(what, code="dense", way_out="name one for the hidden layers, or one for each layer")
    archive = Archive(JSON, config=json.dumps(_config(sizes, names)).encode())
    return build(archive, spec.strip(), symbols=True)


def _config(sizes: list[int], names: list[str]) -> dict[str, object]:
    """Return what Keras would write of it."""
    first = {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, sizes[0]]}}
    layers = [
        {"class_name": "Dense", "config": {"name": f"dense_{number}", "units": units, "activation": name}}
        for number, (units, name) in enumerate(zip(sizes[1:], names, strict=True), start=1)
    ]
    return {"class_name": "Sequential", "keras_version": "3", "config": {"layers": [first, *layers]}}
