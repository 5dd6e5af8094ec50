"""A Program: straight-line mathematics, the one thing that every form makes and every language writes.

Values are named and of fixed shape; steps stand in order and use only what stands before them. The steps speak of
whole layers, so that kernels stay arrays; `nn2eq.emit.scalars` unrolls them for languages that know numbers only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations import Activation

if TYPE_CHECKING:  # which is made of steps
    from nn2eq.forms.training import Training

Array = NDArray[np.float64]
WHOLE = ("matrix", "bigm")
"""The layouts that speak of whole layers, and hold every number once."""
LAYOUTS = ("nested", "layered", "symbolic", "backprop", *WHOLE)


@dataclass(frozen=True)
class Value:
    """A named vector (n,): one layer's pre-activations, say; or a vector in each of several directions.

    name: of the whole, `z1`; parts: of each unit, `z1_1 ...`, row by row; origin: what it is, in words. rows: how
    many directions, along up to two axes, () for a plain vector: slopes by an output each, or by an input.
    """

    name: str
    parts: tuple[str, ...]
    origin: str = ""
    rows: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return len(self.parts)

    @property
    def units(self) -> int:
        """How many numbers each of its rows has."""
        return self.size // math.prod(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that it has as an array."""
        return (*self.rows, self.units)


@dataclass(frozen=True, eq=False)
class Constant:
    """A named array of numbers, (n, m) or (n,), float32 or float64 as it was stored or folded."""

    name: str
    data: NDArray[Any]


@dataclass(frozen=True)
class Term:
    """arg @ matrix: (n,) @ (n, m), row by row; a matrix (n,) is a diagonal one.

    transposed: the matrix is (m, n), and it is its transpose that is meant.
    """

    arg: Value
    matrix: Constant
    transposed: bool = False

    @property
    def data(self) -> NDArray[Any]:
        """The numbers of the matrix that is meant, (n, m) or (n,)."""
        return self.matrix.data.T if self.transposed else self.matrix.data


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
    """out = Σ coefficients · Π basis((arg - centre) / scale) by the exponents, over a denominator if there is one.

    exponents (terms, inputs), lowest degree first; coefficients (terms, outputs), denominator likewise, None for
    1; centre and scale (inputs,), None for 0 and 1. basis: a name of BASES, "power" for t^k, "chebyshev" for
    T_k(t).
    """

    out: Value
    arg: Value
    exponents: NDArray[np.int64]
    coefficients: Constant
    centre: Constant | None = None
    scale: Constant | None = None
    basis: str = "power"
    denominator: Constant | None = None

    @property
    def constants(self) -> Iterator[Constant]:
        """Its constants, in order."""
        given = (self.coefficients, self.denominator, self.centre, self.scale)
        yield from (constant for constant in given if constant is not None)

    @property
    def is_ratio(self) -> NDArray[np.bool_]:
        """Which outputs, (outputs,), have another denominator than 1."""
        if self.denominator is None:
            return np.zeros(self.out.size, dtype=np.bool_)
        one = (self.exponents == 0).all(axis=1).astype(np.float64)
        return np.asarray((self.denominator.data != one[:, None]).any(axis=0))


@dataclass(frozen=True, eq=False)
class Cases:
    """out = arg @ matrix + offset of the case in which arg lies: the first one whose conditions all hold.

    normals (conditions, inputs) and bounds (conditions,): each says normal · arg <= bound. counts: how many of
    them, in order, are each case's; a case of none holds otherwise. matrices (cases, inputs, outputs), offsets
    (cases, outputs). Where rounding lets no case hold, as can be beside a common corner, it is the one that is
    violated least. Numbers are floats, or all of them are fractions.
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
        """Its constants, in order; on a line there is nothing to say of normals."""
        yield from (self.normals,) if self.ends is None else ()
        yield from (self.bounds, self.matrices, self.offsets)

    @property
    def ends(self) -> NDArray[Any] | None:
        """Where each case but the last ends if they follow each other on a line, (cases - 1,), else None."""
        in_order = self.arg.size == 1 and self.counts == (*[1] * (len(self.counts) - 1), 0)
        return self.bounds.data if in_order and bool(np.all(self.normals.data == 1)) else None

    @property
    def conditions(self) -> tuple[slice, ...]:
        """Which rows of normals and bounds are each case's."""
        last = np.cumsum(self.counts).tolist()
        return tuple(slice(end - count, end) for end, count in zip(last, self.counts, strict=True))

    @property
    def in_fractions(self) -> bool:
        """Whether its numbers are fractions."""
        return self.offsets.data.dtype.kind == "O"


@dataclass(frozen=True)
class Operand:
    """What a name in the formula of a `Combine` means: a value or a constant.

    parts, part: if its groups consist of several equal parts, how many and which one is meant. transposed: its
    last two axes have changed places. spread: its rows lie along the first of out's two axes of rows.
    """

    of: Value | Constant
    part: int = 0
    parts: int = 1
    transposed: bool = False
    spread: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array that is meant, all its parts together; a single row is a vector."""
        shape = self.of.shape if isinstance(self.of, Value) else self.of.data.shape
        shape = (*shape[:-2], *shape[:-3:-1]) if self.transposed else shape
        shape = shape[1:] if len(shape) == 2 and shape[0] == 1 else shape
        return (shape[0], 1, *shape[1:]) if self.spread else shape


@dataclass(frozen=True, eq=False)
class Combine:
    """out = a formula over the units of several values, which share their units or a reduction of them.

    Arrays of fewer rows are the same for all rows, axis by axis, as NumPy broadcasts. Reductions run over the units
    of a group, of which there are `groups` side by side in each row. formulas: one for each equal part of out's groups.
    """

    out: Value
    formulas: tuple[fm.Node, ...]
    args: Mapping[str, Operand]
    groups: int = 1

    @property
    def constants(self) -> Iterator[Constant]:
        """Its constants, in order."""
        yield from (arg.of for arg in self.args.values() if isinstance(arg.of, Constant))


Step = Affine | Apply | Polynomial | Combine | Cases


@dataclass(frozen=True)
class Function:
    """A function: what it takes, its steps, and which values it returns.

    shapes: of its results as they are returned, without the samples, () if each is a vector.
    """

    name: str
    arguments: tuple[Value, ...]
    results: tuple[Value, ...]
    steps: tuple[Step, ...]
    shapes: tuple[tuple[int, ...], ...] = ()

    @property
    def constants(self) -> Iterator[Constant]:
        """Every constant its steps use, in order."""
        for step in self.steps:
            yield from step_constants(step)


def arguments(step: Step) -> Iterator[Value]:
    """Yield the values that a step uses."""
    if isinstance(step, Affine):
        yield from (term.arg for term in step.terms)
    elif isinstance(step, Combine):
        yield from (arg.of for arg in step.args.values() if isinstance(arg.of, Value))
    else:
        yield step.arg


def needed(steps: tuple[Step, ...], wanted: Collection[str]) -> tuple[Step, ...]:
    """Leave out the steps that none of the wanted values depends on."""
    used, kept = set(wanted), []
    for step in reversed(steps):
        if step.out.name in used:
            used.update(value.name for value in arguments(step))
            kept.append(step)
    return tuple(reversed(kept))


def step_constants(step: Step) -> Iterator[Constant]:
    """Yield the constants that a step uses, in order."""
    if isinstance(step, Affine):
        yield from (term.matrix for term in step.terms)
        if step.offset is not None:
            yield step.offset
    elif isinstance(step, Apply):
        yield from step.parameters.values()
    else:
        yield from step.constants


@dataclass(frozen=True, repr=False)
class Program:
    """A form of a network, ready to be written in any language.

    functions: `predict` first. layout: how its steps are laid out, one of LAYOUTS. form: the name the user asked
    for. model, sha256: the file it came from (untrusted text). notes: lines for people, said in the header.
    one_for_all: one number may stand for all inputs, as in `Network`.

    exact: whether it is the network itself. Of an approximate form: domain, where its error is bounded, (low, high)
    for each input; proved, the bound of its distance from the network there, as real functions, NaN if none is;
    observed, a distance that was seen. told: the arguments that it was built with, by name. An exact form with a
    domain is the network on it; ranges: of values by their names what they are proved to lie within there, low and
    high (n,) each. training: of a backward pass, the loss and the sums by which it moves with every weight.
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
    training: Training | None = None
    ranges: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Say in one line what it is; a dump of all steps would help nobody."""
        return f"<Program of {self.model!r}: {self.form} form, {len(self.inputs)} -> {len(self.outputs)}>"

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
        """The names of the outputs, one a number; of all results, where there are several."""
        return tuple(part for result in self.predict.results for part in result.parts)

    @property
    def constants(self) -> tuple[Constant, ...]:
        """Every constant of all functions, each once, in the order of its first use."""
        found = {constant.name: constant for function in self.functions for constant in function.constants}
        return tuple(found.values())

    def evaluate(self, x: Array) -> Array:
        """Run `predict` in float64: x (n, inputs) to (n, outputs)."""
        values = self.values(x)
        return np.concatenate([values[result.name] for result in self.predict.results], axis=1)

    def values(self, x: Array) -> dict[str, Array]:
        """Run `predict` in float64 and return all its values by name, (n, size) each."""
        from nn2eq.forms.evaluation import values_of  # which knows the steps

        return values_of(self.predict, np.asarray(x, dtype=np.float64))

    def merged(self) -> Program:
        """Return the program with all its functions in one, which gives the results of all; each step stands once."""
        steps = {step.out.name: step for function in self.functions for step in function.steps}
        results = {one.name: one for function in self.functions for one in function.results}
        shapes = {
            one.name: shape
            for function in self.functions
            for one, shape in zip(function.results, function.shapes, strict=False)
        }
        function = replace(
            self.functions[min(1, len(self.functions) - 1)],
            results=tuple(results.values()), steps=tuple(steps.values()), shapes=tuple(shapes.values()),
        )  # fmt: skip
        return self.alone(function)

    def alone(self, function: Function) -> Program:
        """Return the program of one of its functions alone, in the place of `predict`."""
        return replace(self, functions=(function,))


def with_constants(step: Apply) -> Activation:
    """Return the activation with the step's own constants, which may be rounded."""
    constants = {key: constant.data for key, constant in step.parameters.items()}
    return replace(step.activation, parameters={**step.activation.parameters, **constants})


BASES: Mapping[str, Callable[[Array, list[Array]], Array]] = {
    "power": lambda t, ladder: t * ladder[-1],
    "chebyshev": lambda t, ladder: 2.0 * t * ladder[-1] - ladder[-2],
}
"""How the next function of a polynomial's basis follows from those before it, 1 and t being the first two."""
