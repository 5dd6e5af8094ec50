"""A network as exact affine steps and the places where its units bend: what its pieces are made from."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations import Activation, Piece
from nn2eq.errors import TooLarge, UnsupportedModel
from nn2eq.network import Affine, Layer, Network, Selected

Array = NDArray[np.float64]
Ints = NDArray[np.intp]

_Shape = tuple[int, int, bool]  # inputs, outputs, whether diagonal
KERNEL_LIMIT = 20_000_000
"""Numbers that a diagonal or repeated kernel may be written out to."""


@dataclass(frozen=True)
class Line:
    """One affine piece of one unit: slope z + intercept, from `start` on (None: from minus infinity)."""

    start: Fraction | None
    slope: Fraction
    intercept: Fraction
    open: bool


Lines = tuple[Line, ...]
"""The pieces of one unit, left to right."""


@dataclass(frozen=True, eq=False)
class Bend:
    """The activations of one layer, unit by unit, as exact affine pieces.

    number: the layer's number in names such as z1_3; kinds: the pieces that units have; kind (units,): which
    of them.
    """

    number: int
    kinds: tuple[Lines, ...]
    kind: Ints

    @property
    def units(self) -> int:
        """How many units there are."""
        return len(self.kind)

    @cached_property
    def thresholds(self) -> tuple[tuple[Fraction, ...], ...]:
        """Where a unit of each kind passes from one piece to the next, without repetition."""
        return tuple(
            tuple(dict.fromkeys(line.start for line in lines if line.start is not None))
            for lines in self.kinds
        )

    @cached_property
    def cut_units(self) -> Ints:
        """The unit of each cut, (cuts,): a cut is one threshold of one unit."""
        counts = [len(self.thresholds[kind]) for kind in self.kind]
        return np.repeat(np.arange(self.units), counts)

    @cached_property
    def cut_values(self) -> tuple[Fraction, ...]:
        """The threshold of each cut."""
        return tuple(start for kind in self.kind for start in self.thresholds[kind])

    @cached_property
    def thresholds_of_cuts(self) -> Array:
        """The same in floating point."""
        return np.array([float(value) for value in self.cut_values])

    @cached_property
    def _pieces_at(self) -> NDArray[np.int16]:
        """The piece of each kind by position, (kinds, positions): before, on and behind each threshold."""
        most = max(len(starts) for starts in self.thresholds)
        table = np.zeros((len(self.kinds), 2 * most + 1), dtype=np.int16)
        for kind, (lines, starts) in enumerate(zip(self.kinds, self.thresholds, strict=True)):
            for position in range(1, 2 * len(starts) + 1):
                table[kind, position] = _piece_from(lines, starts[(position - 1) // 2], on=position % 2 == 1)
        return table

    def pieces(self, sides: NDArray[np.int8]) -> NDArray[np.int16]:
        """Return the piece of every unit, (n, units), from the side of every cut (-1, 0 or 1), (n, cuts)."""
        if self._one_each:
            return self._pieces_at[self.kind, sides + 1]
        position = np.zeros((len(sides), self.units), dtype=np.intp)
        for cut, unit in enumerate(self.cut_units):
            position[:, unit] += sides[:, cut] + 1
        return self._pieces_at[self.kind, position]

    @property
    def _one_each(self) -> bool:
        """Whether every unit has one threshold."""
        return all(len(starts) == 1 for starts in self.thresholds)

    @cached_property
    def slopes(self) -> Array:
        """The slope of each piece, (units, pieces)."""
        return self._table(lambda line: line.slope)

    @cached_property
    def intercepts(self) -> Array:
        """The intercept of each piece, (units, pieces)."""
        return self._table(lambda line: line.intercept)

    def _table(self, number: Callable[[Line], Fraction]) -> Array:
        return np.array([[float(number(line)) for line in lines] for lines in self.padded])[self.kind]

    @cached_property
    def padded(self) -> tuple[Lines, ...]:
        """The pieces of each kind, the last one repeated so that all have the same number."""
        most = max(map(len, self.kinds))
        return tuple(lines + lines[-1:] * (most - len(lines)) for lines in self.kinds)

    @cached_property
    def jumps(self) -> bool:
        """Whether some unit is not continuous."""
        return any(
            len({_value_before(lines, start), _value(lines, start, on=True), _value(lines, start, on=False)})
            > 1
            for lines, starts in zip(self.kinds, self.thresholds, strict=True)
            for start in starts
        )


def _piece_from(lines: Lines, place: Fraction, *, on: bool) -> int:
    """Return the last piece that has begun at a threshold (`on`) or just behind it."""
    begun = 0
    for index, line in enumerate(lines):
        if line.start is not None and line.start <= place and not (on and line.open and line.start == place):
            begun = index
    return begun


def _value(lines: Lines, place: Fraction, *, on: bool) -> Fraction:
    line = lines[_piece_from(lines, place, on=on)]
    return line.slope * place + line.intercept


def _value_before(lines: Lines, place: Fraction) -> Fraction:
    line = [line for line in lines if line.start is None or line.start < place][-1]
    return line.slope * place + line.intercept


@dataclass(frozen=True, eq=False)
class Step:
    """x @ kernel + bias, then a bend if there is one; kernel (inputs, units), bias (units,), both exact."""

    kernel: Array
    bias: Array
    bend: Bend | None = None


def steps(network: Network) -> tuple[Step, ...]:
    """Return the network as exact steps. Raises UnsupportedModel if it is not piecewise affine."""
    found: list[Step] = []
    open_shape: _Shape | None = None
    units, number = network.inputs, 0
    for layer in network.layers:
        for part in layer.maps:
            if isinstance(part, Affine):
                joined = _folded(open_shape, _shape(part))
                number, open_shape = number + (joined is None), joined or _shape(part)
                found.append(Step(*_dense(part, layer)))
                units = part.outputs
                continue
            bent = _kinds(part, units, layer)
            if bent is not None:
                number, open_shape = number + (open_shape is None), None
                _bend_last(found, units, Bend(number, *bent))
    return tuple(found) or (Step(np.eye(units), np.zeros(units)),)


def _bend_last(found: list[Step], units: int, bend: Bend) -> None:
    """Put a bend behind the last affine map, or behind the identity where there is none."""
    if not found or found[-1].bend is not None:
        found.append(Step(np.eye(units), np.zeros(units)))
    found[-1] = replace(found[-1], bend=bend)


def _shape(affine: Affine) -> _Shape:
    return affine.inputs, affine.outputs, affine.is_diagonal


def _folded(first: _Shape | None, second: _Shape) -> _Shape | None:
    """Return the shape of two consecutive affine maps counted as one; None if that took more numbers.

    Layers are so counted in the other forms, and z1_3 means the same unit in all.
    """
    if first is None:
        return None
    sizes = (outputs if diagonal else inputs * outputs for inputs, outputs, diagonal in (first, second))
    if not (first[2] or second[2]) and first[0] * second[1] > sum(sizes):
        return None
    return first[0], second[1], first[2] and second[2]


def _dense(affine: Affine, layer: Layer) -> tuple[Array, Array]:
    if affine.inputs * affine.outputs > max(KERNEL_LIMIT, affine.kernel.size):
        raise TooLarge(f"layer {layer.name!r} is too large for its pieces", code="too-large")
    given: Array = np.asarray(affine.kernel, dtype=np.float64)
    block = np.diag(given) if affine.is_diagonal else given
    kernel = np.kron(np.eye(affine.repeat), block).astype(np.float64)
    bias = np.zeros(affine.outputs)
    if affine.bias is not None:
        bias = np.tile(np.asarray(affine.bias, dtype=np.float64), affine.repeat)
    if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
        raise UnsupportedModel(f"layer {layer.name!r}: a weight is not a finite number", code="not-finite")
    return kernel, bias


_PASSES = (Line(None, Fraction(1), Fraction(0), open=False),)


def _kinds(part: Activation | Selected, units: int, layer: Layer) -> tuple[tuple[Lines, ...], Ints] | None:
    """Return the kinds of units and which one each unit is, None for the identity."""
    activation = part.activation if isinstance(part, Selected) else part
    if not activation.row.pieces:
        raise UnsupportedModel(
            f"layer {layer.name!r}: {activation.row.name} is not piecewise affine",
            code="not-piecewise-affine",
            way_out="pieces are for ReLU and its kind",
        )
    if activation.is_linear:
        return None
    chosen = list(range(units)) if isinstance(part, Activation) else list(part.units)
    bent = tuple(_unit_lines(activation, len(chosen)))
    kind = np.full(units, len(bent), dtype=np.intp)
    kind[chosen] = np.arange(len(chosen)) % len(bent)
    return (bent if len(chosen) == units else (*bent, _PASSES)), kind


def _unit_lines(activation: Activation, units: int) -> Iterator[Lines]:
    """Yield the pieces that all units have, or, where each has parameters of its own, those of each."""
    shared = {key: value for key, value in activation.parameters.items() if key not in activation.per_unit}
    if not activation.per_unit:
        yield _exact_lines(activation.row.pieces, shared)
        return
    for unit in range(units):
        own = {key: values[unit] for key, values in activation.per_unit.items()}
        yield _exact_lines(activation.row.pieces, {**shared, **own})


def _exact_lines(pieces: tuple[Piece, ...], parameters: Mapping[str, Any]) -> Lines:
    if not all(np.isfinite(value) for value in parameters.values()):
        raise UnsupportedModel("an activation has a parameter that is not a finite number", code="not-finite")
    values = {key: Fraction(float(value)) for key, value in parameters.items()}

    def exact(text: str) -> Fraction:
        return _exact(fm.parse(text), values)

    def line(piece: Piece) -> Line:
        start = None if piece.start == "-inf" else exact(piece.start)
        return Line(start, exact(piece.slope), exact(piece.intercept), piece.open)

    return tuple(map(line, pieces))


_EXACTLY: Mapping[str, Callable[..., Fraction]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "neg": operator.neg,
    "max": max, "min": min, "abs": abs,
}  # fmt: skip


def _exact(node: fm.Node, values: Mapping[str, Fraction]) -> Fraction:
    """Evaluate a text of the table exactly; 0.2 in it is one fifth, while a parameter is the float it is."""
    if node.op == "number":
        return Fraction(repr(node.value))
    if node.op == "name":
        return values[node.value]
    return _EXACTLY[node.op](*(_exact(arg, values) for arg in node.args))
