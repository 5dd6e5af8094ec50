"""Cases as what languages know: comparisons of numbers, or tables in which the case is looked up.

On a line the first case that ends behind x holds. Elsewhere a case's excess is by how much it is violated, the
largest of normal · x - bound and 0, and the case with the least excess holds, of equal ones the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.forms.program import Cases, Constant, Program, step_constants

TOGETHER = 8
"""Cases that one formula distinguishes: more are put together from several, lest it grows too deep or too long."""


def has_cases(program: Program) -> bool:
    """Whether a program distinguishes cases in a step of its own."""
    return any(isinstance(step, Cases) for step in program.predict.steps)


def in_fractions(program: Program) -> bool:
    """Whether a program's numbers are fractions."""
    return any(isinstance(step, Cases) and step.in_fractions for step in program.predict.steps)


# -------------------------------------------------------------------------------------------- number by number


@dataclass(frozen=True)
class _Some:
    """Some cases that follow each other: what each output is in them.

    key: on a line where they end, None for the last ones; elsewhere their least excess.
    """

    key: fm.Node | None
    values: tuple[fm.Node, ...]


def formulas(step: Cases, number: int) -> Iterator[tuple[str, fm.Node]]:
    """Yield names and formulas, the outputs' own last; number: of the step.

    Other names have two underscores, as no value has: e1__4 is the excess of case 4; of the fourth few cases put
    together e1__4_0 is the least one, and p1__4_2 the second output.
    """
    some = [_Some(_literal(end), _maps(step, case)) for case, end in enumerate(_keys(step))]
    if step.ends is None:
        for case, rows in enumerate(step.conditions):
            key = fm.number(0.0)
            if step.counts[case]:
                key = fm.name(f"e{number}__{case + 1}")
                yield key.value, _excess(step, rows)
            some[case] = replace(some[case], key=key)
    labels = count(1)
    while len(some) > TOGETHER:
        groups = [some[k : k + TOGETHER] for k in range(0, len(some), TOGETHER)]
        some = []
        for group in groups:
            if len(group) == 1:
                some += group
                continue
            lines = list(_named(step, group, f"{number}__{next(labels)}"))
            yield from lines
            some.append(_of_lines(step, group, lines))
    for output, out in enumerate(step.out.parts):
        yield out, _chosen(step, some, output)


def _keys(step: Cases) -> Sequence[Any]:
    return [None] * len(step.counts) if step.ends is None else [*step.ends.tolist(), None]


def _literal(value: Any) -> fm.Node | None:
    return None if value is None else _number(value)


def _number(value: Any) -> fm.Node:
    return (
        fm.number(float(value)) if isinstance(value, float | np.floating) else fm.Node("number", value=value)
    )


def _maps(step: Cases, case: int) -> tuple[fm.Node, ...]:
    matrix, offsets = step.matrices.data[case], step.offsets.data[case]
    return tuple(_affine(step, column, offset) for column, offset in zip(matrix.T, offsets, strict=True))


def _affine(step: Cases, weights: NDArray[Any], offset: Any) -> fm.Node:
    """Return Σ weight · input + offset without what is zero."""
    pairs = zip(weights.tolist(), step.arg.parts, strict=True)
    terms = [
        (weight, fm.Node("*", (_number(abs(weight)), fm.name(part)))) for weight, part in pairs if weight
    ]
    if offset or not terms:
        terms.append((offset, _number(abs(offset))))
    (first, node), *rest = terms
    node = fm.Node(node.op, (_number(first), *node.args[1:])) if node.args else _number(first)
    for weight, term in rest:
        node = fm.Node("-" if weight < 0 else "+", (node, term))
    return node


def _excess(step: Cases, rows: slice) -> fm.Node:
    """Return the largest of normal · x - bound and 0."""
    pairs = zip(step.normals.data[rows], step.bounds.data[rows], strict=True)
    return fm.balanced("max", [_number(0.0), *(_affine(step, normal, -bound) for normal, bound in pairs)])


def _named(step: Cases, group: Sequence[_Some], label: str) -> Iterator[tuple[str, fm.Node]]:
    if step.ends is None:
        yield f"e{label}_0", _least(group)
    for output in range(step.out.size):
        yield f"p{label}_{output + 1}", _chosen(step, group, output)


def _of_lines(step: Cases, group: Sequence[_Some], lines: Sequence[tuple[str, fm.Node]]) -> _Some:
    names = [fm.name(name) for name, _ in lines]
    return _Some(group[-1].key, tuple(names)) if step.ends is not None else _Some(names[0], tuple(names[1:]))


def _chosen(step: Cases, some: Sequence[_Some], output: int) -> fm.Node:
    """Return an output as the choice among its values in some cases."""
    if len(some) == 1:
        return some[0].values[output]
    if step.ends is not None:
        first, *rest = some
        assert first.key is not None
        condition = fm.Node("<=", (fm.name(step.arg.parts[0]), first.key))
        return fm.Node("where", (condition, first.values[output], _chosen(step, rest, output)))
    halves = some[: len(some) // 2], some[len(some) // 2 :]
    condition = fm.Node("<=", tuple(map(_least, halves)))
    return fm.Node("where", (condition, *(_chosen(step, half, output) for half in halves)))


def _least(some: Sequence[_Some]) -> fm.Node:
    return fm.balanced("min", [part.key for part in some if part.key is not None])


# --------------------------------------------------------------------------------------------------- as tables


@dataclass(frozen=True, eq=False)
class LookUp:
    """Tables in which a case is looked up, and its map.

    ends: where each case but the last ends on a line, None elsewhere. normals (cases · most, inputs) and bounds
    (cases · most,): the conditions, as many a case as the case with most of them has; 0 · x <= 0 fills them up.
    slopes (cases, inputs · outputs), an input's outputs side by side; offsets (cases, outputs).
    """

    ends: Constant | None
    normals: Constant
    bounds: Constant
    slopes: Constant
    offsets: Constant
    most: int

    @property
    def constants(self) -> tuple[Constant, ...]:
        """The tables, in order."""
        where = (self.normals, self.bounds) if self.ends is None else (self.ends,)
        return (*where, self.slopes, self.offsets)


def tables(program: Program) -> Iterator[Constant]:
    """Yield all arrays of numbers of a program, those in which its cases are looked up last."""
    yield from other_tables(program)
    yield from looked_up(program)


def other_tables(program: Program) -> Iterator[Constant]:
    """Yield the arrays of numbers of all steps but cases, each once."""
    steps = (step for one in program.functions for step in one.steps if not isinstance(step, Cases))
    found = {constant.name: constant for step in steps for constant in step_constants(step)}
    yield from found.values()


def looked_up(program: Program) -> Iterator[Constant]:
    """Yield the arrays in which cases are looked up."""
    for step in program.predict.steps:
        if isinstance(step, Cases):
            yield from look_up(step).constants


def look_up(step: Cases) -> LookUp:
    """Return the tables of a step."""
    cases, most = len(step.counts), max(step.counts)
    normals, bounds = np.zeros((cases, most, step.arg.size)), np.zeros((cases, most))
    for case, rows in enumerate(step.conditions):
        here = slice(0, step.counts[case])
        normals[case, here], bounds[case, here] = step.normals.data[rows], step.bounds.data[rows]
    return LookUp(
        None if step.ends is None else step.bounds,
        Constant(step.normals.name, normals.reshape(cases * most, -1)),
        Constant(step.bounds.name, bounds.ravel()),
        Constant(step.matrices.name, step.matrices.data.reshape(cases, -1)),
        step.offsets,
        most,
    )
