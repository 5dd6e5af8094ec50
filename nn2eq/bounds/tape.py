"""A function as a tape: numbered values, each made from earlier ones. What the bounds are proved of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.bounds.unsure import Unsure
from nn2eq.network import Affine, Network, Selected

Numbers = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Sum:
    """Σ value @ kernel + bias; a kernel (n,) is a diagonal one; each serves `repeat` blocks of the value.

    spreads: how far each kernel's exact numbers may be from those here, () where they are exact; likewise
    bias_spread. What is proved of the sum then holds for all of them.
    """

    terms: tuple[tuple[int, Numbers], ...]
    bias: Numbers | None = None
    repeat: int = 1
    spreads: tuple[Numbers, ...] = ()
    bias_spread: Numbers | None = None

    @property
    def is_exact(self) -> bool:
        """Whether its numbers are exactly these."""
        return not self.spreads and self.bias_spread is None


@dataclass(frozen=True, eq=False)
class Applied:
    """An activation of a value, at some units only unless `units` is ()."""

    arg: int
    activation: Activation
    units: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Powers:
    """Σ coefficients · Π basis((value - centre) / scale) ^ exponents, the basis being powers or Chebyshev's.

    exponents (terms, inputs), coefficients (terms, outputs), centre and scale (inputs,). denominator, like the
    coefficients, of what the sum is divided by, None for 1.
    """

    arg: int
    exponents: NDArray[np.int64]
    coefficients: Numbers
    centre: Numbers
    scale: Numbers
    basis: str = "power"
    denominator: Numbers | None = None


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
    network.require_numbers("a proved range")
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
        places = places and one.is_exact and two.is_exact
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


# --------------------------------------------------------------------------------------- sums joined


def joined(tape: Tape) -> Tape:
    """Return the tape with its sums written out in full, and each multiplied into the one sum that takes it.

    What rounding leaves unsure is in the spreads.
    """
    uses = Counter(arg for op in tape.ops for arg in _args(op))
    ops: list[Op] = []
    place, pending = {0: 0}, dict[int, Sum]()
    for number, op in enumerate(tape.ops, start=1):
        if not isinstance(op, Sum):
            ops.append(replace(op, arg=place[op.arg]))
        else:
            whole = _expanded(_written_out(op), pending, place)
            only = [other for other in tape.ops if number in _args(other)] if uses[number] == 1 else []
            if only and isinstance(only[0], Sum):
                pending[number] = whole
                continue
            ops.append(whole)
        place[number] = len(ops)
    return Tape(tape.inputs, tuple(ops))


def _args(op: Op) -> tuple[int, ...]:
    return tuple(arg for arg, _ in op.terms) if isinstance(op, Sum) else (op.arg,)


def _written_out(op: Sum) -> Sum:
    """Return the sum with full kernels, a bias, and a spread for each."""
    identity = np.eye(op.repeat)
    spreads = op.spreads or tuple(np.zeros(kernel.shape) for _, kernel in op.terms)
    kernels, spreads = (
        tuple(np.kron(identity, _square(array.astype(np.float64))) for array in arrays)
        for arrays in ((kernel for _, kernel in op.terms), spreads)
    )
    nothing = np.zeros(kernels[0].shape[1])
    bias, spread = (
        nothing if array is None else np.tile(array.astype(np.float64), op.repeat)
        for array in (op.bias, op.bias_spread)
    )
    terms = tuple((arg, kernel) for (arg, _), kernel in zip(op.terms, kernels, strict=True))
    return Sum(terms, bias, 1, spreads, spread)


def _square(kernel: Numbers) -> Numbers:
    return np.diag(kernel) if kernel.ndim == 1 else kernel


def _expanded(op: Sum, pending: Mapping[int, Sum], place: Mapping[int, int]) -> Sum:
    """Return a sum with the pending ones among its arguments multiplied out."""
    found: dict[int, Unsure] = {}
    bias = Unsure(np.asarray(op.bias), np.asarray(op.bias_spread))
    for (arg, numbers), spread in zip(op.terms, op.spreads, strict=True):
        kernel = Unsure(numbers, spread)
        inner = pending.get(arg)
        if inner is None:
            found[place[arg]] = found[place[arg]] + kernel if place[arg] in found else kernel
            continue
        for (first, other), unsure in zip(inner.terms, inner.spreads, strict=True):
            product = Unsure(other, unsure) @ kernel
            found[first] = found[first] + product if first in found else product
        bias = bias + Unsure(np.asarray(inner.bias), np.asarray(inner.bias_spread)) @ kernel
    terms = tuple((arg, kernel.numbers) for arg, kernel in found.items())
    return Sum(terms, bias.numbers, 1, tuple(kernel.spread for kernel in found.values()), bias.spread)
