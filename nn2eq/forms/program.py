"""A Program: straight-line mathematics, the one thing that every form makes and every language writes.

Values are named and of fixed shape; steps stand in order and use only what stands before them. The steps speak of
whole layers, so that kernels stay arrays; `nn2eq.emit.scalars` unrolls them for languages that know numbers only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation

Array = NDArray[np.float64]
WHOLE = ("matrix", "bigm")
"""The layouts that speak of whole layers, and hold every number once."""
LAYOUTS = ("nested", "layered", "symbolic", *WHOLE)


@dataclass(frozen=True)
class Value:
    """A named vector (n,): one layer's pre-activations, say.

    name: of the whole, `z1`; parts: of each unit, `z1_1 ...`; origin: what it is, in words.
    """

    name: str
    parts: tuple[str, ...]
    origin: str = ""

    @property
    def size(self) -> int:
        """How many units it has."""
        return len(self.parts)


@dataclass(frozen=True, eq=False)
class Constant:
    """A named array of numbers, (n, m) or (n,), float32 or float64 as it was stored or folded."""

    name: str
    data: NDArray[Any]


@dataclass(frozen=True)
class Term:
    """arg @ matrix: (n,) @ (n, m); a matrix (n,) is a diagonal one."""

    arg: Value
    matrix: Constant


@dataclass(frozen=True)
class Affine:
    """out = Σ arg @ matrix + offset."""

    out: Value
    terms: tuple[Term, ...]
    offset: Constant | None = None


@dataclass(frozen=True, eq=False)
class Apply:
    """out = activation(arg), unit by unit or, for a coupled row, group by group.

    parameters: the row's per-unit parameters by name, (n,) each. units: only these are transformed, () for all.
    """

    out: Value
    activation: Activation
    arg: Value
    parameters: Mapping[str, Constant] = field(default_factory=dict)
    units: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Polynomial:
    """out = Σ coefficients · Π basis((arg - centre) / scale) by the exponents.

    exponents (terms, inputs), lowest degree first; coefficients (terms, outputs); centre and scale (inputs,),
    None for 0 and 1. basis: a name of BASES, "power" for t^k, "chebyshev" for T_k(t).
    """

    out: Value
    arg: Value
    exponents: NDArray[np.int64]
    coefficients: Constant
    centre: Constant | None = None
    scale: Constant | None = None
    basis: str = "power"

    @property
    def constants(self) -> Iterator[Constant]:
        """Its constants, in order."""
        yield from (
            constant for constant in (self.coefficients, self.centre, self.scale) if constant is not None
        )


@dataclass(frozen=True, eq=False)
class Cases:
    """out = arg @ matrix + offset of the case in which arg lies: the first one whose conditions all hold.

    normals (conditions, inputs) and bounds (conditions,): each says normal · arg <= bound. counts: how many of
    them, in order, are each case's; a case of none holds otherwise. matrices (cases, inputs, outputs), offsets
    (cases, outputs). Where rounding lets no case hold, as can be beside a common corner, it is the one that is
    violated least.
    """

    out: Value
    arg: Value
    normals: Constant
    bounds: Constant
    counts: tuple[int, ...]
    matrices: Constant
    offsets: Constant

    @property
    def constants(self) -> Iterator[Constant]:
        """Its constants, in order."""
        yield from (self.normals, self.bounds, self.matrices, self.offsets)


Step = Affine | Apply | Polynomial


@dataclass(frozen=True)
class Function:
    """A function: what it takes, its steps, and which values it returns."""

    name: str
    arguments: tuple[Value, ...]
    results: tuple[Value, ...]
    steps: tuple[Step, ...]

    @property
    def constants(self) -> Iterator[Constant]:
        """Every constant its steps use, in order."""
        for step in self.steps:
            if isinstance(step, Affine):
                yield from (term.matrix for term in step.terms)
                if step.offset is not None:
                    yield step.offset
            elif isinstance(step, Apply):
                yield from step.parameters.values()
            else:
                yield from step.constants


@dataclass(frozen=True)
class Program:
    """A form of a network, ready to be written in any language.

    functions: `predict` first. layout: how its steps are laid out, one of LAYOUTS. form: the name the user asked
    for. model, sha256: the file it came from (untrusted text). notes: lines for people, said in the header.
    one_for_all: one number may stand for all inputs, as in `Network`.

    exact: whether it is the network itself. Of an approximate form: domain, where its error is bounded, (low, high)
    for each input; proved, the bound of its distance from the network there, as real functions, NaN if none is;
    observed, a distance that was seen. told: the arguments that it was built with, by name. An exact form with a
    domain is the network on it; ranges: of values by their names what they are proved to lie within there, low and
    high (n,) each.
    """

    functions: tuple[Function, ...]
    layout: str
    form: str
    model: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()
    one_for_all: bool = False
    exact: bool = True
    domain: tuple[tuple[float, float], ...] = ()
    proved: float = math.nan
    observed: float = math.nan
    told: Mapping[str, Any] = field(default_factory=dict)
    ranges: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)

    @property
    def predict(self) -> Function:
        """The function that answers as the network does."""
        return self.functions[0]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, one a number."""
        return self.predict.arguments[0].parts

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs, one a number."""
        return self.predict.results[0].parts

    def evaluate(self, x: Array) -> Array:
        """Run `predict` in float64: x (n, inputs) to (n, outputs)."""
        return self.values(x)[self.predict.results[0].name]

    def values(self, x: Array) -> dict[str, Array]:
        """Run `predict` in float64 and return all its values by name, (n, size) each."""
        values = {self.predict.arguments[0].name: np.asarray(x, dtype=np.float64)}
        for step in self.predict.steps:
            values[step.out.name] = _answer(step, values)
        return values


def _answer(step: Step, values: Mapping[str, Array]) -> Array:
    if isinstance(step, Affine):
        total = reduce(np.add, (_product(values[term.arg.name], term.matrix.data) for term in step.terms))
        return total if step.offset is None else total + step.offset.data.astype(np.float64)
    arg = values[step.arg.name]
    if isinstance(step, Polynomial):
        return _powers(step, arg)
    if isinstance(step, Cases):
        return _chosen(step, arg)
    activation = with_constants(step)
    if not step.units:
        return activation(arg)
    chosen = list(step.units)
    out = arg.copy()
    out[:, chosen] = activation(arg[:, chosen])
    return out


def with_constants(step: Apply) -> Activation:
    """Return the activation with the step's own constants, which may be rounded."""
    constants = {key: constant.data for key, constant in step.parameters.items()}
    return replace(step.activation, parameters={**step.activation.parameters, **constants})


def _chosen(step: Cases, x: Array) -> Array:
    excess = x @ step.normals.data.T - step.bounds.data
    cases = np.split(excess, np.cumsum(step.counts)[:-1], axis=1)
    case = np.argmin([own.max(axis=1, initial=0.0) for own in cases], axis=0)
    answer: Array = np.einsum("ni,nio->no", x, step.matrices.data[case]) + step.offsets.data[case]
    return answer


def _powers(step: Polynomial, x: Array) -> Array:
    t = x if step.centre is None else x - step.centre.data.astype(np.float64)
    t = t if step.scale is None else t / step.scale.data.astype(np.float64)
    monomials = np.ones((len(t), len(step.exponents)))
    for variable, column in zip(t.T, step.exponents.T, strict=True):
        ladder = [np.ones(len(t)), variable]
        while len(ladder) <= column.max(initial=0):
            ladder.append(BASES[step.basis](variable, ladder))
        monomials *= np.stack(ladder, axis=1)[:, column]
    return np.asarray(monomials @ step.coefficients.data.astype(np.float64))


BASES: Mapping[str, Callable[[Array, list[Array]], Array]] = {
    "power": lambda t, ladder: t * ladder[-1],
    "chebyshev": lambda t, ladder: 2.0 * t * ladder[-1] - ladder[-2],
}
"""How the next function of a polynomial's basis follows from those before it, 1 and t being the first two."""


def _product(x: Array, matrix: NDArray[Any]) -> Array:
    wide = matrix.astype(np.float64)
    return x * wide if wide.ndim == 1 else x @ wide
