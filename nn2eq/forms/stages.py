"""A network as stages: an affine map, then an activation, either of which may be missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.errors import TooLarge
from nn2eq.network import Affine, Layer, Network, Selected

REPEATED_LIMIT = 20_000_000
"""Numbers that a kernel repeated over blocks may be written out to."""


@dataclass(frozen=True, eq=False)
class Stage:
    """One step of the network as mathematics counts it; `layers`: of the file, that it comes from."""

    affine: Affine | None = None
    activation: Activation | Selected | None = None
    layers: tuple[str, ...] = ()

    def outputs(self, inputs: int) -> int:
        """Return the size of its answer for an input of so many numbers."""
        units = self.affine.outputs if self.affine else inputs
        return self.activation.outputs(units) if isinstance(self.activation, Activation) else units


def stages(network: Network, *, fold: bool = True, products: bool = True) -> tuple[Stage, ...]:
    """Return the network's stages, linear activations left out.

    With `fold`, consecutive affine maps become one wherever that does not take more numbers; without `products`
    diagonal ones alone.
    """
    found: list[Stage] = []
    for layer in network.layers:
        for part in layer.maps:
            stage = _stage(part, layer)
            if stage is not None:
                _append(found, stage, fold=fold, products=products)
    if not found:
        found.append(Stage(Affine(np.ones(network.inputs)), layers=("identity",)))
    return tuple(found)


def _stage(part: Affine | Activation | Selected, layer: Layer) -> Stage | None:
    if isinstance(part, Affine):
        return Stage(affine=written_out(part, layer.name), layers=(layer.name,))
    if isinstance(part, Activation) and part.is_linear:
        return None
    return Stage(activation=part, layers=(layer.name,))


def _append(found: list[Stage], stage: Stage, *, fold: bool, products: bool) -> None:
    """Put a stage behind the others, joining it with the last one where the two make one stage."""
    last = found[-1] if found else None
    if last is None or last.activation is not None:
        found.append(stage)
    elif stage.affine is None:
        found[-1] = replace(last, activation=stage.activation, layers=_joined(last, stage))
    else:
        assert last.affine is not None
        is_product = not (last.affine.is_diagonal or stage.affine.is_diagonal)
        folded = compose(last.affine, stage.affine) if fold and (products or not is_product) else None
        if folded is None:
            found.append(stage)
        else:
            found[-1] = Stage(affine=folded, layers=_joined(last, stage))


def _joined(first: Stage, second: Stage) -> tuple[str, ...]:
    return tuple(dict.fromkeys(first.layers + second.layers))


def compose(first: Affine, second: Affine) -> Affine | None:
    """Return second(first(x)) as one affine map in float64, None if that takes more numbers than the two."""
    both = first.kernel.size + second.kernel.size
    diagonal = first.is_diagonal or second.is_diagonal
    if not diagonal and first.kernel.shape[0] * second.kernel.shape[1] > both:
        return None
    one, two = first.kernel.astype(np.float64), second.kernel.astype(np.float64)
    kernel = _times(one, two)
    bias = None if first.bias is None else _apply(first.bias.astype(np.float64), two)
    if second.bias is not None:
        bias = second.bias.astype(np.float64) + (0.0 if bias is None else bias)
    return Affine(kernel, bias)


def _times(one: NDArray[Any], two: NDArray[Any]) -> NDArray[Any]:
    if one.ndim == 1:
        return np.asarray(one * two if two.ndim == 1 else one[:, None] * two)
    return np.asarray(one * two if two.ndim == 1 else one @ two)


def _apply(vector: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(vector * matrix if matrix.ndim == 1 else vector @ matrix)


def written_out(affine: Affine, layer: str) -> Affine:
    """Return the map with its repeated blocks written out in one kernel."""
    if affine.repeat == 1:
        return affine
    bias = None if affine.bias is None else np.tile(affine.bias, affine.repeat)
    if affine.is_diagonal:
        return Affine(np.tile(affine.kernel, affine.repeat), bias)
    if affine.inputs * affine.outputs > REPEATED_LIMIT:
        raise TooLarge(
            f"layer {layer!r} repeats its kernel {affine.repeat} times:"
            f" {affine.inputs * affine.outputs:,} numbers",
            code="too-large",
        )
    identity = np.eye(affine.repeat, dtype=affine.kernel.dtype)
    return Affine(np.kron(identity, affine.kernel), bias)


def sizes(network: Network, found: tuple[Stage, ...]) -> Iterator[int]:
    """Yield the size of each stage's answer."""
    size = network.inputs
    for stage in found:
        size = stage.outputs(size)
        yield size
