"""A function as a tape: numbered values, each made from earlier ones. What the bounds are proved of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.network import Affine, Network, Selected

Numbers = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Sum:
    """Σ value @ kernel + bias; a kernel (n,) is a diagonal one; each serves `repeat` blocks of the value."""

    terms: tuple[tuple[int, Numbers], ...]
    bias: Numbers | None = None
    repeat: int = 1


@dataclass(frozen=True, eq=False)
class Applied:
    """An activation of a value, at some units only unless `units` is ()."""

    arg: int
    activation: Activation
    units: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Powers:
    """Σ coefficients · Π basis((value - centre) / scale) ^ exponents, the basis being powers or Chebyshev's.

    exponents (terms, inputs), coefficients (terms, outputs), centre and scale (inputs,).
    """

    arg: int
    exponents: NDArray[np.int64]
    coefficients: Numbers
    centre: Numbers
    scale: Numbers
    basis: str = "power"


Op = Sum | Applied | Powers


@dataclass(frozen=True, eq=False)
class Tape:
    """Value 0 is the input, value k + 1 what the k-th operation makes, the last the answer."""

    inputs: int
    ops: tuple[Op, ...]

    @property
    def outputs(self) -> int:
        """The size of the answer."""
        return self._size(len(self.ops))

    def _size(self, value: int) -> int:
        if value == 0:
            return self.inputs
        op = self.ops[value - 1]
        if isinstance(op, Sum):
            return int(op.terms[0][1].shape[-1]) * op.repeat
        if isinstance(op, Powers):
            return int(op.coefficients.shape[1])
        return self._size(op.arg) if op.units else op.activation.outputs(self._size(op.arg))


def of_network(network: Network) -> Tape:
    """Return a network's own maps, with the exact weights of its file."""
    ops: list[Op] = []
    for step in network.maps:
        if isinstance(step, Affine):
            ops.append(Sum(((len(ops), step.kernel),), step.bias, step.repeat))
        elif isinstance(step, Selected):
            ops.append(Applied(len(ops), step.activation, step.units))
        elif not step.is_linear:
            ops.append(Applied(len(ops), step))
    return Tape(network.inputs, tuple(ops) or (Sum(((0, np.ones(network.inputs)),)),))


def difference(first: Tape, second: Tape) -> Tape:
    """Return first - second, of the same input."""
    assert first.inputs == second.inputs
    outputs = first.outputs
    by = len(first.ops)
    ops = (*first.ops, *(_moved(op, by) for op in second.ops))
    ones = np.ones(outputs)
    return Tape(first.inputs, (*ops, Sum(((by, ones), (len(ops), -ones)))))


def same(first: Tape, second: Tape) -> bool:
    """Whether two tapes do the same with the same numbers, so that there is nothing between them."""
    if first.inputs != second.inputs or len(first.ops) != len(second.ops):
        return False
    return all(_same(one, two) for one, two in zip(first.ops, second.ops, strict=True))


def _same(one: Op, two: Op) -> bool:
    if isinstance(one, Sum) and isinstance(two, Sum):
        places = [arg for arg, _ in one.terms] == [arg for arg, _ in two.terms] and one.repeat == two.repeat
        kernels = zip(one.terms, two.terms, strict=False)
        return places and _equal(one.bias, two.bias) and all(_equal(a, b) for (_, a), (_, b) in kernels)
    if isinstance(one, Applied) and isinstance(two, Applied):
        alike = (one.arg, one.units) == (
            two.arg,
            two.units,
        ) and one.activation.groups == two.activation.groups
        keys = one.activation.parameters.keys() if alike else ()
        return (
            alike
            and one.activation.row == two.activation.row
            and all(_equal(one.activation.parameters[key], two.activation.parameters[key]) for key in keys)
        )
    return one is two


def _equal(one: Any, two: Any) -> bool:
    if one is None or two is None:
        return one is two
    return np.array_equal(np.asarray(one, dtype=np.float64), np.asarray(two, dtype=np.float64))


def _moved(op: Op, by: int) -> Op:
    """Renumber what an operation takes; the input stays the input."""

    def place(arg: int) -> int:
        return arg + by if arg else 0

    if isinstance(op, Sum):
        return replace(op, terms=tuple((place(arg), kernel) for arg, kernel in op.terms))
    return replace(op, arg=place(op.arg))
