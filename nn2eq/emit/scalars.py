"""A Program unrolled into scalars: what languages that know numbers only are written from.

Each step becomes lines of three kinds: a `Sum` Σ coefficient · name + offset, a `Formula` over names, and a
`Call` of an activation that the language spells by its name. A coupled row's reductions get names of their own
(`sum1`, `largest1`), so that a softmax is not quadratic in its units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit.cases import formulas as formulas_of_cases
from nn2eq.emit.combined import combined, product
from nn2eq.emit.sharing import renamed
from nn2eq.forms.program import Affine, Apply, Cases, Combine, Function, Polynomial, Value
from nn2eq.forms.size import Spelling


@dataclass(frozen=True, eq=False)
class Sum:
    """out = Σ coefficients[i] · names[i] + offset; zero coefficients are left out, offset is () where there is none."""

    out: str
    coefficients: NDArray[Any]
    names: tuple[str, ...]
    offset: NDArray[Any] | None


@dataclass(frozen=True)
class Formula:
    """out = a formula over the names of inputs and of earlier lines."""

    out: str
    node: fm.Node


@dataclass(frozen=True, eq=False)
class Call:
    """outs = an activation by its name, of one unit or, for a coupled row, of a whole group.

    parameters: the per-unit ones, (1,) each.
    """

    outs: tuple[str, ...]
    activation: Activation
    args: tuple[str, ...]
    parameters: Mapping[str, NDArray[Any]]


Line = Sum | Formula | Call


def unrolled(function: Function, spelling: Spelling) -> Iterator[tuple[str, list[Line]]]:
    """Yield each step's origin and its lines; the lines' names are the parts of the function's values."""
    for number, step in enumerate(function.steps, start=1):
        if isinstance(step, Affine):
            yield step.out.origin, list(_sums(step))
        elif isinstance(step, Combine):
            yield step.out.origin, list(_combination(step, number))
        elif isinstance(step, Polynomial):
            yield step.out.origin, list(_polynomial(step, number))
        elif isinstance(step, Cases):
            yield step.out.origin, [Formula(name, node) for name, node in formulas_of_cases(step, number)]
        else:
            lines = _calls(step) if spelling(step.activation) is None else _formulas(step, spelling, number)
            yield step.out.origin, list(lines)


def _sums(step: Affine) -> Iterator[Sum]:
    for row in range(math.prod(step.out.rows)):
        yield from _row_of_sums(step, row)


def _row_of_sums(step: Affine, row: int) -> Iterator[Sum]:
    offset = step.offset.data if step.offset is not None else None
    names = tuple(name for term in step.terms for name in _in_row(term.arg, row))
    for unit, out in enumerate(_in_row(step.out, row)):
        chosen = names
        if len(step.terms) == 1 and step.terms[0].data.ndim == 1:
            chosen, columns = (names[unit],), step.terms[0].data[unit : unit + 1]
        else:
            columns = np.concatenate([_column(term.data, unit) for term in step.terms])
        used = np.flatnonzero(columns)
        if len(used) < len(columns):
            columns, chosen = columns[used], tuple(chosen[k] for k in used)
        here = None if offset is None or offset[unit] == 0 else offset[unit : unit + 1]
        yield Sum(out, columns, chosen, here)


def _in_row(value: Value, row: int) -> tuple[str, ...]:
    return value.parts[row * value.units : (row + 1) * value.units]


def _combination(step: Combine, number: int) -> Iterator[Line]:
    """Yield formulas; what is a weight alone, or a weight times a name, as a sum, which keeps its dtype."""
    found = product(step)
    if found is None:
        for out, node in combined(step, number):
            yield _constant(out, np.array([node.value])) if node.op == "number" else Formula(out, node)
        return
    data, names = found
    for place, out in enumerate(step.out.parts):
        here = data[place : place + 1]
        yield Sum(out, here, (names[place],), None) if names and here[0] else _constant(out, here)


def _constant(out: str, value: NDArray[Any]) -> Sum:
    """Return the line of a number that is the same at all samples."""
    return Sum(out, value[:0], (), value if value[0] else None)


def _column(matrix: NDArray[Any], unit: int) -> NDArray[Any]:
    if matrix.ndim == 2:
        return matrix[:, unit]
    return np.where(np.arange(len(matrix)) == unit, matrix, matrix.dtype.type(0))


def _polynomial(step: Polynomial, number: int) -> Iterator[Line]:
    """Yield lines for the variables where they are moved, for what they are raised to, and for the monomials.

    Their names have two underscores, as no value has: t1__2, T1__2_3 for Chebyshev's polynomials, m1__5.
    """
    ladders: list[list[fm.Node]] = []
    for variable, part in enumerate(step.arg.parts, start=1):
        t = _moved(step, variable - 1, fm.name(part))
        if t.op != "name":
            yield Formula(f"t{number}__{variable}", t)
            t = fm.name(f"t{number}__{variable}")
        ladder, top = [fm.number(1.0), t], int(step.exponents[:, variable - 1].max(initial=0))
        for power in range(2, top + 1):
            node = _RAISED[step.basis](t, power, ladder)
            if step.basis != "power":
                yield Formula(f"T{number}__{variable}_{power}", node)
                node = fm.name(f"T{number}__{variable}_{power}")
            ladder.append(node)
        ladders.append(ladder)
    names = []
    for place, powers in enumerate(step.exponents.tolist(), start=1):
        factors = [ladder[power] for ladder, power in zip(ladders, powers, strict=True) if power]
        product = _product(factors)
        if product is not None and product.op != "name":
            yield Formula(f"m{number}__{place}", product)
            product = fm.name(f"m{number}__{place}")
        names.append(product.value if product is not None else "")
    yield from _divided(step, names, number)


def _moved(step: Polynomial, variable: int, node: fm.Node) -> fm.Node:
    """Return (x - centre) / scale without what changes nothing."""
    centre = 0.0 if step.centre is None else float(step.centre.data[variable])
    scale = 1.0 if step.scale is None else float(step.scale.data[variable])
    if centre:
        node = fm.Node("-" if centre > 0 else "+", (node, fm.number(abs(centre))))
    return node if scale == 1.0 else fm.Node("/", (node, fm.number(scale)))


_RAISED: Mapping[str, Callable[[fm.Node, int, list[fm.Node]], fm.Node]] = {
    # Every language knows squares and cubes; what is higher is their product.
    "power": lambda t, power, ladder: (
        fm.Node("**", (t, fm.number(power)))
        if power <= 3
        else fm.Node("*", (ladder[power // 2], ladder[power - power // 2]))
    ),
    "chebyshev": lambda t, _, ladder: fm.Node(
        "-", (fm.Node("*", (fm.Node("*", (fm.number(2.0), t)), ladder[-1])), ladder[-2])
    ),
}
"""What stands for a power, or for the next of a basis: from t, the power, and those before it."""


def _product(factors: Sequence[fm.Node]) -> fm.Node | None:
    return reduce(lambda one, two: fm.Node("*", (one, two)), factors) if factors else None


def _divided(step: Polynomial, names: Sequence[str], number: int) -> Iterator[Line]:
    """Yield each output: the sum of its monomials, n1__2 and d1__2 where it is a ratio of two."""
    for unit, (out, column) in enumerate(zip(step.out.parts, step.coefficients.data.T, strict=True)):
        if step.denominator is None or not step.is_ratio[unit]:
            yield _combined(out, column, names)
            continue
        above, below = f"n{number}__{unit + 1}", f"d{number}__{unit + 1}"
        yield _combined(above, column, names)
        yield _combined(below, step.denominator.data[:, unit], names)
        yield Formula(out, fm.Node("/", (fm.name(above), fm.name(below))))


def _combined(out: str, column: NDArray[Any], names: Sequence[str]) -> Sum:
    """Return a sum of monomials."""
    used = [place for place, name in enumerate(names) if name and column[place]]
    constant = [place for place, name in enumerate(names) if not name and column[place]]
    offset = column[constant] if constant else None
    return Sum(out, column[used], tuple(names[place] for place in used), offset)


def _calls(step: Apply) -> Iterator[Line]:
    activation = step.activation
    if activation.row.coupled:
        for args, outs in _groups(step):
            yield Call(outs, activation, args, {})
        return
    for unit, (arg, out) in enumerate(zip(step.arg.parts, step.out.parts, strict=True)):
        if step.units and unit not in step.units:
            yield Formula(out, fm.name(arg))
        else:
            per_unit = {key: constant.data[unit : unit + 1] for key, constant in step.parameters.items()}
            yield Call((out,), activation, (arg,), per_unit)


def _groups(step: Apply) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield the names of each group's units and of its results."""
    count = step.activation.groups
    units, results = step.arg.size // count, step.out.size // count
    for group in range(count):
        yield (
            step.arg.parts[group * units : (group + 1) * units],
            step.out.parts[group * results : (group + 1) * results],
        )


def _formulas(step: Apply, spelling: Spelling, number: int) -> Iterator[Line]:
    node = spelling(step.activation)
    assert node is not None
    for group, (names, outs) in enumerate(_groups(step), start=1):
        suffix = f"{number}" if step.activation.groups == 1 else f"{number}_{group}"
        shared, body = _shared(renamed(node), names, suffix)
        yield from shared
        for position, out in enumerate(outs):
            unit = (group - 1) * len(outs) + position
            yield Formula(out, _at(step, body, names, position, unit))


def _at(step: Apply, body: fm.Node, names: Sequence[str], position: int, unit: int) -> fm.Node:
    """Return the formula of one unit."""
    if step.units and unit not in step.units:
        return fm.name(names[position])
    values = {"z": fm.name(names[position]), "count": fm.number(len(names))}
    if step.activation.row.halves:
        values["partner"] = fm.name(names[position + len(names) // 2])
    values |= {key: fm.number(constant.data[unit]) for key, constant in step.parameters.items()}
    return fm.substitute(body, values)


def _shared(node: fm.Node, names: Sequence[str], suffix: str) -> tuple[list[Formula], fm.Node]:
    """Take the reductions that are the same for all units out of a formula, each under a name of its own."""
    lines: list[Formula] = []
    known: dict[fm.Node, fm.Node] = {}

    def taken_out(part: fm.Node) -> fm.Node:
        if part in known:
            return known[part]
        if part.op in fm.REDUCTIONS:
            inner = fm.Node(part.op, tuple(taken_out(arg) for arg in part.args), part.value)
            if _is_closed(inner):
                out = f"{'sum' if part.op == 'sum' else 'largest'}{suffix}"
                out += "" if not any(line.out == out for line in lines) else f"_{len(lines) + 1}"
                lines.append(Formula(out, _written_out(inner, names, {})))
                known[part] = fm.name(out)
                return known[part]
            return inner
        if not part.args:
            return part
        return fm.Node(part.op, tuple(taken_out(arg) for arg in part.args), part.value)

    body = taken_out(node)
    return lines, body


def _is_closed(node: fm.Node) -> bool:
    """Whether a reduction speaks of no unit but its own."""
    bound = {part.value for part in fm.walk(node) if part.op in fm.REDUCTIONS}
    free = (part for part in fm.walk(node) if part.op == "unit" and part.value[1] not in bound)
    own = (part for part in fm.walk(node) if part.op == "name" and part.value in ("z", "partner", "a"))
    return not any(free) and not any(own)


def _written_out(node: fm.Node, names: Sequence[str], units: Mapping[str, str]) -> fm.Node:
    """Write a reduction out over the named units."""
    if node.op == "unit":
        return fm.name(units[node.value[1]])
    if node.op == "name" and node.value == "count":
        return fm.number(len(names))
    if node.op in fm.FOLDS:
        parts = [_written_out(node.args[0], names, {**units, node.value: n}) for n in names]
        return fm.balanced(fm.FOLDS[node.op], parts)
    return fm.Node(node.op, tuple(_written_out(arg, names, units) for arg in node.args), node.value)
