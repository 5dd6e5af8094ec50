"""A Program unrolled into scalars: what languages that know numbers only are written from.

Each step becomes lines of three kinds: a `Sum` Σ coefficient · name + offset, a `Formula` over names, and a
`Call` of an activation that the language spells by its name. A coupled row's reductions get names of their own
(`sum1`, `largest1`), so that a softmax is not quadratic in its units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit.sharing import renamed
from nn2eq.forms.program import Affine, Apply, Function
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
        else:
            assert isinstance(step, Apply)  # a polynomial has a layout of its own
            lines = _calls(step) if spelling(step.activation) is None else _formulas(step, spelling, number)
            yield step.out.origin, list(lines)


def _sums(step: Affine) -> Iterator[Sum]:
    offset = step.offset.data if step.offset is not None else None
    names = tuple(name for term in step.terms for name in term.arg.parts)
    for unit, out in enumerate(step.out.parts):
        chosen = names
        if len(step.terms) == 1 and step.terms[0].matrix.data.ndim == 1:
            chosen, columns = (names[unit],), step.terms[0].matrix.data[unit : unit + 1]
        else:
            columns = np.concatenate([_column(term.matrix.data, unit) for term in step.terms])
        used = np.flatnonzero(columns)
        if len(used) < len(columns):
            columns, chosen = columns[used], tuple(chosen[k] for k in used)
        here = None if offset is None or offset[unit] == 0 else offset[unit : unit + 1]
        yield Sum(out, columns, chosen, here)


def _column(matrix: NDArray[Any], unit: int) -> NDArray[Any]:
    if matrix.ndim == 2:
        return matrix[:, unit]
    return np.where(np.arange(len(matrix)) == unit, matrix, matrix.dtype.type(0))


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
    if node.op in FOLDS:
        return _folded(
            FOLDS[node.op], [_written_out(node.args[0], names, {**units, node.value: n}) for n in names]
        )
    return fm.Node(node.op, tuple(_written_out(arg, names, units) for arg in node.args), node.value)


FOLDS = {"sum": "+", "largest": "max"}


def _folded(op: str, parts: Sequence[fm.Node]) -> fm.Node:
    """Join parts by a binary operation as a balanced tree: a thousand units are ten deep."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return fm.Node(op, (_folded(op, parts[:middle]), _folded(op, parts[middle:])))
