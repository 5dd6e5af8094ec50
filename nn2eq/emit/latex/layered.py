"""The layered layout: a line a unit, layer by layer; a sum stands in its activation where it can."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nn2eq import formula as fm
from nn2eq.emit.latex.cases import cases
from nn2eq.emit.latex.combined import combinations, rows_of_sums
from nn2eq.emit.latex.formulas import Units
from nn2eq.emit.latex.names import index, standing
from nn2eq.emit.latex.pieces import Equation, Piece, Place, listed, symbol
from nn2eq.emit.latex.scalars import Scalars
from nn2eq.forms.program import Affine, Apply, Cases, Combine, Function, Step, Value, arguments

INSIDE = Place(1, 35.0)
"""A sum in the brackets of an activation."""


def layered(function: Function, scalars: Scalars) -> list[list[Equation]]:
    """Return the equations, a block a step."""
    known = {value.name: scalars.named(value) for value in function.arguments}
    last = function.results[0]
    wanted = {value.name for step in function.steps if isinstance(step, Combine) for value in arguments(step)}
    blocks: list[list[Equation]] = []
    for number, (step, after) in enumerate(zip(function.steps, (*function.steps[1:], None), strict=True)):
        names = (
            scalars.named(last) if step.out == last else [symbol(standing(part)) for part in step.out.parts]
        )
        joins = isinstance(after, Apply) and takes_sums(after, scalars) and step.out.name not in wanted
        if isinstance(step, Affine) and joins:
            known[step.out.name] = scalars.weights.sums(step, known, INSIDE)
            continue
        if isinstance(step, Combine):
            blocks.append(list(combinations(step, number, known, scalars.weights)))
        elif isinstance(step, Cases):
            blocks.append(cases(step, names, known[step.arg.name], scalars.weights.numbers, scalars.box))
        else:
            blocks.append(list(map(Equation, names, _answer(step, known, scalars))))
        known[step.out.name] = names
    return blocks


def takes_sums(step: Apply, scalars: Scalars) -> bool:
    """Whether an activation mentions its argument once, so that the argument need not have a line."""
    node = scalars.spelling(step.activation)
    once = node is None or fm.mentions(node, "z") == 1
    return once and not step.activation.row.coupled and not step.units


def _answer(step: Step, known: dict[str, list[Piece]], scalars: Scalars) -> list[Piece]:
    if isinstance(step, Affine) and step.out.rows:
        return rows_of_sums(step, known, scalars.weights)
    if not (isinstance(step, Apply) and step.activation.row.coupled):
        return scalars.answer(step, known, Place())
    args = known[step.arg.name]
    if scalars.spelling(step.activation) is None:
        return list(_called(step, args, scalars))
    return (
        list(_with_sums(step, args, scalars))
        if _is_numbered(step.arg)
        else scalars.answer(step, known, Place())
    )


def _called(step: Apply, args: Sequence[Piece], scalars: Scalars) -> Iterator[Piece]:
    """Write f_3(z_2), the group as a vector where it has a symbol of its own."""
    size = len(args) // step.activation.groups
    is_vector = step.activation.groups == 1 and _is_numbered(step.arg)
    for start in range(0, len(args), size):
        arg = symbol(standing(step.arg.name)) if is_vector else listed(args[start : start + size])
        for unit in range(step.activation.outputs(size)):
            yield scalars.functions.call_at(step, unit + 1, arg)


def _with_sums(step: Apply, args: Sequence[Piece], scalars: Scalars) -> Iterator[Piece]:
    r"""Write each unit's formula with \sum_j: the units of a layer have numbers."""
    node = scalars.spelling(step.activation)
    assert node is not None
    size = len(args) // step.activation.groups
    outputs = step.activation.outputs(size)
    for number, start in enumerate(range(0, len(args), size)):
        units = _numbered(step.arg.name, start + 1, start + size)
        group = args[start : start + size]
        for unit in range(outputs):
            yield scalars.formula(step, node, group, unit, number * outputs + unit, units, Place())


def _is_numbered(value: Value) -> bool:
    """Whether units are called z2_1, z2_2 ..., so that z_{2,j} means one of them and z_2 all."""
    return re.fullmatch(r"[az]\d+", value.name) is not None


def _numbered(name: str, first: int, last: int) -> Units:
    """Units 4 to 6 of z2 are z_{2,j} for j = 4 to 6."""
    return Units(
        symbol(str(last - first + 1)),
        under=lambda j: f"{j}={first}}}^{{{last}",
        name=lambda j: symbol(name[0] + index(name[1:], j)),
    )
