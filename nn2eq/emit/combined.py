"""Formulas over several values unrolled into scalars, row by row, group by group, unit by unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.emit.sharing import renamed
from nn2eq.forms.program import Combine, Constant, Operand, Value
from nn2eq.tangent import computed

Units = Mapping[str, NDArray[Any]]
"""What a name is at each unit of a group: the names of numbers, or numbers."""


def combined(step: Combine, number: int) -> Iterator[tuple[str, fm.Node]]:
    """Yield names and what they stand for; reductions over a group come first, under names of their own."""
    grids = {name: _grid(arg, step) for name, arg in step.args.items()}
    formulas = [renamed(node) for node in step.formulas]
    outs = np.array(step.out.parts, dtype=object).reshape(*step.out.rows, step.groups, len(formulas), -1)
    shared = _Shared(f"{number}")
    for row in np.ndindex(*step.out.rows, step.groups):
        units = {name: grid[row] for name, grid in grids.items()}
        for node, names in zip(formulas, outs[row], strict=True):
            body = shared.taken_out(node, units)
            yield from shared.new()
            for unit, out in enumerate(names):
                yield out, computed(_written_out(body, units, {}, unit))


def product(step: Combine) -> tuple[NDArray[Any], list[str]] | None:
    """Return the numbers that a step is, and the names that they are times, if any; None if it is no such step.

    So a weight can be written as the weight it is, float32 or float64.
    """
    [node] = step.formulas if len(step.formulas) == 1 else [fm.number(0)]
    leaves = [arg.value for arg in (node, *node.args) if arg.op == "name"]
    if set(leaves) != set(step.args) or node.op not in ("*", "name"):
        return None
    constants = [name for name in leaves if isinstance(step.args[name].of, Constant)]
    if len(constants) != 1:
        return None
    grids = {name: _grid(step.args[name], step).ravel() for name in leaves}
    data = grids.pop(constants[0]).astype(_dtype(step.args[constants[0]]))
    return data, [name for grid in grids.values() for name in grid]


def _dtype(arg: Operand) -> Any:
    assert isinstance(arg.of, Constant)
    return arg.of.data.dtype


def _grid(arg: Operand, step: Combine) -> NDArray[Any]:
    """Return what an operand is at each place of the result: (rows ..., groups, units)."""
    if isinstance(arg.of, Value):
        array: NDArray[Any] = np.array(arg.of.parts, dtype=object).reshape(arg.of.shape)
    else:
        array = arg.of.data
    array = np.swapaxes(array, -1, -2) if arg.transposed else array
    shape = (*(1,) * (len(step.out.shape) - len(arg.shape)), *arg.shape[:-1], step.groups, -1)
    part = np.split(array.reshape(shape), arg.parts, axis=-1)[arg.part]
    return np.broadcast_to(part, (*step.out.rows, *part.shape[-2:]))


@dataclass
class _Shared:
    """The reductions that were given names, each once however often it is asked for."""

    suffix: str
    known: dict[fm.Node, str] = field(default_factory=dict)
    lines: list[tuple[str, fm.Node]] = field(default_factory=list)

    def new(self) -> Iterator[tuple[str, fm.Node]]:
        """Yield the lines that came since the last time."""
        yield from self.lines
        self.lines.clear()

    def taken_out(self, node: fm.Node, units: Units) -> fm.Node:
        """Replace the reductions that are the same for all units of a group by their names."""
        if node.op in fm.REDUCTIONS:
            is_own = any(part.op == "name" and part.value in units for part in fm.walk(node))
            if is_own:
                return node
            found = computed(_written_out(node, units, {}, 0))
            is_one = found.op == "name" and found.value not in units  # a sum of one term is that term
            return found if is_one else self._named(found, node.op)
        args = tuple(self.taken_out(arg, units) for arg in node.args)
        return fm.Node(node.op, args, node.value) if args else node

    def _named(self, node: fm.Node, op: str) -> fm.Node:
        if node.op == "number":
            return node
        if node not in self.known:
            again = f"_{len(self.known) + 1}" if self.known else ""
            self.known[node] = f"{op}{self.suffix}{again}"
            self.lines.append((self.known[node], node))
        return fm.name(self.known[node])


def _written_out(node: fm.Node, units: Units, at: Mapping[str, int], own: int) -> fm.Node:
    """Write a formula at one unit, reductions written out over the units of the group; at: where indices are."""
    if node.op == "name":
        return _leaf(units[node.value][own]) if node.value in units else _counted(node, units)
    if node.op == "unit":
        text, index = node.value
        return _leaf(units[text][at[index]])
    if node.op in fm.REDUCTIONS:
        count = len(next(iter(units.values())))
        inner = [_written_out(node.args[0], units, {**at, node.value: unit}, own) for unit in range(count)]
        return fm.balanced(fm.FOLDS[node.op], inner)
    args = tuple(_written_out(arg, units, at, own) for arg in node.args)
    return fm.Node(node.op, args, node.value)


def _leaf(value: Any) -> fm.Node:
    return fm.name(value) if isinstance(value, str) else fm.number(float(value))


def _counted(node: fm.Node, units: Units) -> fm.Node:
    return fm.number(len(next(iter(units.values())))) if node.value == "count" else node
