"""A network as it was read: layers of affine maps and activations, and what they answer in float64."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.errors import UnsupportedModel

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Affine:
    """x @ kernel + bias, the same for each of `repeat` consecutive blocks of the input.

    kernel (inputs, units), or (units,) for a diagonal one; bias (units,) or None. Arrays keep the dtype in
    which they were stored (float32, float64) and are read-only; they are widened when used.
    """

    kernel: NDArray[Any]
    bias: NDArray[Any] | None = None
    repeat: int = 1

    def __post_init__(self) -> None:
        for array in (self.kernel, self.bias):
            if array is not None:
                array.setflags(write=False)
        assert self.bias is None or self.bias.shape == self.kernel.shape[-1:]

    @property
    def is_diagonal(self) -> bool:
        """Whether each output depends on its own input alone."""
        return self.kernel.ndim == 1

    @property
    def inputs(self) -> int:
        """The size of what it takes."""
        return int(self.kernel.shape[0]) * self.repeat

    @property
    def outputs(self) -> int:
        """The size of what it gives."""
        return int(self.kernel.shape[-1]) * self.repeat

    def __call__(self, x: Array) -> Array:
        """Evaluate in float64: x (..., inputs) to (..., outputs)."""
        blocks = x.reshape(-1, len(self.kernel))  # two axes: of more, NumPy multiplies matrix by matrix
        kernel = self.kernel.astype(np.float64, copy=False)
        y = blocks * kernel if self.is_diagonal else blocks @ kernel
        if self.bias is not None:
            y = y + self.bias.astype(np.float64, copy=False)
        return y.reshape(*x.shape[:-1], self.outputs)


@dataclass(frozen=True, eq=False)
class Selected:
    """An activation at some units only, the others pass: a logarithm taken of one input."""

    activation: Activation
    units: tuple[int, ...]

    def __call__(self, x: Array) -> Array:
        """Evaluate in float64: x (..., units) to the same shape."""
        y = np.array(x, dtype=np.float64)
        y[..., list(self.units)] = self.activation(y[..., list(self.units)])
        return y


Map = Affine | Activation | Selected


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of the file: its place in Keras, its weights as stored, and the maps it amounts to.

    name, class_name: as in the file (untrusted text). shape: of one output, without the batch. maps: in
    order, () for Dropout and Flatten. weights: Keras' own, by their Keras names (kernel, bias, gamma ...), in
    Keras' order. added: not from the file, but put in front or behind (a scaler); Keras knows nothing of it.
    left_out: maps of the file that stand behind the others, and that a decision on z makes superfluous. fitted: of
    a scaler, where the data lay that it was fitted to, (low, high) for each input; () if unknown. axes: of its shape,
    along which its weights lie, () for the last one. epsilon: what it adds to a variance, NaN if it has none.
    """

    name: str
    class_name: str
    shape: tuple[int, ...]
    maps: tuple[Map, ...] = ()
    weights: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    added: bool = False
    fitted: tuple[tuple[float, float], ...] = ()
    left_out: tuple[Map, ...] = ()
    axes: tuple[int, ...] = ()
    epsilon: float = math.nan

    @property
    def parameters(self) -> int:
        """How many numbers Keras stores for it."""
        return sum(int(array.size) for array in self.weights.values())


def numbered(letter: str, count: int) -> tuple[str, ...]:
    """Return the standing names: `x` for one, else `x1 ... xn`."""
    return (letter,) if count == 1 else tuple(f"{letter}{unit}" for unit in range(1, count + 1))


@dataclass(frozen=True)
class Source:
    """Where a network came from: file (untrusted text), sha256 of its bytes, container, Keras that saved it.

    loss: with which it was compiled, as Keras calls it (untrusted text), "" where that is not told.
    """

    file: str = ""
    sha256: str = ""
    container: str = ""
    keras_version: str = ""
    loss: str = ""

    @property
    def keras_major(self) -> int:
        """The generation of Keras that saved it; names mean what they meant there."""
        head = self.keras_version.split(".", maxsplit=1)[0]
        return int(head) if head.isdigit() else 3


def needs_weights(what: str) -> UnsupportedModel:
    """Return the error for an architecture of which more is asked than symbols."""
    way_out = "give them with --weights FILE, or write symbols alone: --form symbolic"
    return UnsupportedModel(what, code="needs-weights", way_out=way_out)


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A chain of layers from x to y.

    input_shape: of one input without the batch; inputs are taken flattened, row by row. input_names,
    output_names: one each, () for the standing x1 ... and y1 .... one_for_all: the file leaves open how many
    inputs there are, so that Keras takes one number for all of them too. drawn: its weights are not known, and
    drawn at random: only what is said in symbols is said of it. around: what was put around the file's network, in
    order, as `nn2eq.surroundings` spells it.
    """

    layers: tuple[Layer, ...]
    input_shape: tuple[int, ...]
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    source: Source = Source()
    one_for_all: bool = False
    drawn: bool = False
    around: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        """Say in one line what it is; a dump of all arrays would help nobody."""
        sizes = f"{self.inputs} -> {self.outputs}, {len(self.layers)} layers, {self.parameters:,} parameters"
        return f"<Network {self.source.file!r}: {sizes}>"

    @property
    def inputs(self) -> int:
        """How many numbers go in."""
        return math.prod(self.input_shape)

    @property
    def input_labels(self) -> tuple[str, ...]:
        """What the inputs are called: their names, or the standing x1 ... xn."""
        return self.input_names or numbered("x", self.inputs)

    @property
    def output_labels(self) -> tuple[str, ...]:
        """What the outputs are called: their names, or the standing y1 ... ym."""
        return self.output_names or numbered("y", self.outputs)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of one output, without the batch."""
        return self.layers[-1].shape if self.layers else self.input_shape

    @property
    def outputs(self) -> int:
        """How many numbers come out."""
        return math.prod(self.output_shape)

    @property
    def maps(self) -> Iterator[Map]:
        """Every affine map and activation, in order."""
        for layer in self.layers:
            yield from layer.maps

    @property
    def parameters(self) -> int:
        """How many numbers Keras stores for it."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def core(self) -> Network:
        """The network of the file alone, without scalers put around it: what Keras is asked about."""
        layers = (layer for layer in self.layers if not layer.added)
        return replace(
            self,
            layers=tuple(replace(layer, maps=layer.maps + layer.left_out) for layer in layers),
            around=(),
        )

    def require_numbers(self, what: str) -> None:
        """Raise UnsupportedModel if the weights are not known that something needs."""
        if self.drawn:
            raise needs_weights(f"{what} needs weights, and this is an architecture without")

    def evaluate(self, x: Array) -> Array:
        """Answer in float64 with the exact weights: x (n, inputs) to (n, outputs)."""
        value = np.asarray(x, dtype=np.float64).reshape(-1, self.inputs)
        for step in self.maps:
            value = step(value)
        return value
