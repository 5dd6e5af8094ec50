"""What a picture is of: networks, and what is shown beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.data import read_columns
from nn2eq.domain import Domain, default_domain
from nn2eq.errors import BadRequest
from nn2eq.forms.program import Program
from nn2eq.network import Network
from nn2eq.show.pictures.theme import Theme, plain
from nn2eq.show.pictures.truth import Truth

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Data:
    """Samples: rows (n, inputs), and targets (n, outputs) where they are known."""

    rows: Array
    targets: Array | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that a picture may show; each kind takes its part.

    networks: alike in their inputs. domain: None for the data's own, or a Normalization's. form, shape, digits: the
    approximate form drawn beside the network. path: names of units that a highlighted path leads through. view:
    `units` or `layers`. colour: regions by `map` or by `pattern`. threshold: where an answer means yes. units: those
    whose space is shown.
    """

    networks: tuple[Network, ...]
    theme: Theme
    domain: Domain | None = None
    data: Data | None = None
    truth: Truth | None = None
    form: str = ""
    shape: Mapping[str, Any] = field(default_factory=dict)
    digits: int = 0
    path: tuple[str, ...] = ()
    view: str = "units"
    colour: str = "map"
    threshold: float | None = None
    units: tuple[str, ...] = ()

    @property
    def network(self) -> Network:
        """The first network."""
        return self.networks[0]

    @property
    def titles(self) -> tuple[str, ...]:
        """What each network is called, as it can be shown."""
        files = [plain(os.path.splitext(os.path.basename(one.source.file))[0], 44) for one in self.networks]
        return tuple(file or f"network {number}" for number, file in enumerate(files, start=1))

    def box(self, network: Network) -> Domain:
        """Return where a network is shown. Raises BadRequest if that is not known, or has no width."""
        found = self.domain or default_domain(network, None if self.data is None else self.data.rows)
        if any(low >= high for low, high in found):
            raise BadRequest(
                "domain: an interval without width", code="domain", way_out="give --domain LOW:HIGH"
            )
        return found

    def approximation(self, network: Network) -> Program | None:
        """Return the form drawn beside a network, with its proved distance on the box, if one is asked for."""
        if not (self.form or self.digits):
            return None
        from nn2eq.show.pictures.approximation import approximation

        return approximation(network, self.form, self.shape, self.digits, self.box(network))


def data_of(given: str | os.PathLike[str] | Sequence[Any] | Array, network: Network) -> Data:
    """Read samples from a CSV file, or take rows (n, inputs) or (n, inputs + outputs). Raises BadRequest."""
    if isinstance(given, str | os.PathLike):
        table = _columns(os.fspath(given), network)
    else:
        table = np.atleast_2d(np.asarray(given, dtype=np.float64))
    sizes = network.inputs, network.inputs + network.outputs
    if table.ndim != 2 or table.shape[1] not in sizes or not len(table) or not np.isfinite(table).all():
        raise BadRequest(
            f"--data: an array of shape {table.shape}, or a number that is not finite", code="data",
            way_out=f"give rows of {sizes[0]} inputs, or of {sizes[1]} inputs and outputs",
        )  # fmt: skip
    rows, targets = table[:, : network.inputs], table[:, network.inputs :]
    return Data(rows, targets if targets.size else None)


def _columns(path: str, network: Network) -> Array:
    """Read inputs and outputs if the file has columns for both, else the inputs alone."""
    inputs, outputs = network.input_labels, network.output_labels
    try:
        return read_columns(path, (*inputs, *outputs))
    except BadRequest:
        return read_columns(path, inputs)


def require_inputs(network: Network, *counts: int, kind: str) -> None:
    """Raise BadRequest unless a network has one of these numbers of inputs."""
    if network.inputs not in counts:
        wanted = " or ".join(f"{count}" for count in counts)
        raise BadRequest(
            f"--kind {kind} is for {wanted} input{'s' * (counts != (1,))}",
            code="kind-model", where=f"this network has {network.inputs}",
            way_out="try --kind diagram, weights or projection",
        ).in_file(network.source.file)  # fmt: skip


def require_outputs(network: Network, count: int, *, kind: str) -> None:
    """Raise BadRequest unless a network has so many outputs."""
    if network.outputs != count:
        raise BadRequest(
            f"--kind {kind} is for {count} output{'s' * (count != 1)}",
            code="kind-model", where=f"this network has {network.outputs}", way_out="try another --kind",
        ).in_file(network.source.file)  # fmt: skip
