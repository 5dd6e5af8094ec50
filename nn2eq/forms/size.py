"""How many numbers a Program's text will hold, known exactly before it is built.

A nested text grows by the law c ← k (n (1 + c) + 1): n inputs to a unit, k mentions of z in its activation.
Here it is followed unit by unit, so that zero weights, missing biases and coupled rows count as they are
written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.errors import CannotEmit, TooLarge
from nn2eq.forms.program import (
    LAYOUTS,
    WHOLE,
    Affine,
    Apply,
    Cases,
    Combine,
    Polynomial,
    Program,
    Step,
    step_constants,
)

Spelling = Callable[[Activation], fm.Node | None]
"""How a language writes an activation: the formula it prints, or None for the bare name f(z)."""


def by_name(activation: Activation) -> fm.Node | None:
    """Spell an activation by its name: z is mentioned once."""
    return None


def textbook(activation: Activation) -> fm.Node | None:
    """Spell an activation by its textbook formula."""
    return activation.formula


def runnable(activation: Activation) -> fm.Node | None:
    """Spell an activation by the formula to run."""
    return activation.stable


def numbers(program: Program, spelling: Spelling = by_name) -> int:
    """Return how many weights and biases the text of all functions holds (the formulas' own numbers apart)."""
    if program.training is not None:
        return sum(int(constant.data.size) for constant in program.constants)
    if program.layout in (*WHOLE, "backprop") or (program.layout == "symbolic" and program.form != "nested"):
        return sum(int(constant.data.size) for constant in program.constants)
    if program.layout == "layered":
        return sum(_written(step) for function in program.functions for step in function.steps)
    counts = {program.predict.arguments[0].name: np.zeros(len(program.inputs))}
    for step in program.predict.steps:
        counts[step.out.name] = _count(step, counts, spelling)
    return int(counts[program.predict.results[0].name].sum())


def require_at_most(
    program: Program, limit: int, spelling: Spelling = by_name, layouts: Collection[str] = LAYOUTS
) -> None:
    """Refuse a program whose text would hold more numbers than the limit; the matrix layout is never refused.

    layouts: those that the text's language says. Raises TooLarge, naming the size and the way out.
    """
    size = numbers(program, spelling)
    if not {program.layout, program.form} & set(WHOLE) and size > limit:
        forms = ("layered", "matrix") if program.form == "nested" else ("matrix",)
        smaller = [name for name in forms if name in layouts]
        other = "use another --format, or " if program.form == "nested" else ""
        named = f"use --form {' or '.join(smaller)}, or " if smaller else other
        raise TooLarge(
            f"the {program.form} form would hold {size:,} numbers (limit {limit:,})",
            code="too-large",
            way_out=f"{named}raise --limit",
        )


def _written(step: Step) -> int:
    """Count the numbers of a step that is written unit by unit: a matrix once for each row that it is used on."""
    used = sum(int(np.count_nonzero(constant.data)) for constant in step_constants(step))
    if isinstance(step, Cases):
        return used + _again(step)
    return used * math.prod(step.out.rows) if isinstance(step, Affine) else used


def _count(step: Step, counts: dict[str, NDArray[np.float64]], spelling: Spelling) -> NDArray[np.float64]:
    if isinstance(step, Affine):
        total = np.zeros(step.out.size)
        for term in step.terms:
            used = (term.matrix.data != 0).astype(np.float64)
            inner = 1.0 + counts[term.arg.name]
            total = total + (inner * used if used.ndim == 1 else inner @ used)
        return total if step.offset is None else total + (step.offset.data != 0)
    if isinstance(step, Polynomial):
        below = (
            0 if step.denominator is None else np.count_nonzero(step.denominator.data, axis=0) * step.is_ratio
        )
        return np.asarray(np.count_nonzero(step.coefficients.data, axis=0) + below, dtype=np.float64)
    if isinstance(step, Combine):
        raise CannotEmit("derivatives are written layer by layer", code="form-format")
    if isinstance(step, Cases):
        return _count_cases(step, counts[step.arg.name])
    return _count_activation(step, counts[step.arg.name], spelling)


def _again(step: Cases) -> int:
    """Count the ends that are said again for each further output."""
    return 0 if step.ends is None else (step.out.size - 1) * int(np.count_nonzero(step.ends))


def _count_cases(step: Cases, inner: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count what each output's own text holds: all conditions, and the output's part of every map."""
    weighed = inner if step.ends is not None else 1.0 + inner
    conditions = ((step.normals.data != 0) @ weighed).sum() + np.count_nonzero(step.bounds.data)
    used = (step.matrices.data != 0).astype(np.float64)
    maps = np.einsum("i,kio->o", 1.0 + inner, used) + np.count_nonzero(step.offsets.data, axis=0)
    return np.asarray(maps + conditions, dtype=np.float64)


def _count_activation(step: Apply, inner: NDArray[np.float64], spelling: Spelling) -> NDArray[np.float64]:
    activation, node = step.activation, spelling(step.activation)
    groups = inner.reshape(activation.groups, -1)
    if node is None and activation.row.coupled:
        result = np.repeat(groups.sum(axis=1), activation.outputs(groups.shape[1]))
    elif node is None:
        result = inner + len(step.parameters)
    else:
        result = np.concatenate([_mentioned(node, group, step) for group in groups])
    if step.units:
        result = np.where(np.isin(np.arange(len(inner)), step.units), result, inner)
    return np.asarray(result, dtype=np.float64)


def _mentioned(node: fm.Node, group: NDArray[np.float64], step: Apply) -> NDArray[np.float64]:
    """Count in a formula: each z weighs what its text holds, each per-unit parameter is one number."""
    units = step.activation.outputs(len(group))
    ones = {name: np.ones(units) for name in step.parameters}
    known = {"z": group[:units], "partner": group[len(group) - units :], **ones}
    return np.broadcast_to(_total(node, known, group, ()), (units,)).astype(np.float64)


def _total(
    node: fm.Node, known: dict[str, NDArray[np.float64]], group: NDArray[np.float64], indices: tuple[str, ...]
) -> NDArray[np.float64]:
    """Sum over the tree, with one more axis at the end for each enclosing reduction."""
    if node.op == "name":
        value = known.get(node.value, np.zeros(()))
        return value.reshape(value.shape + (1,) * len(indices)) if value.ndim else value
    if node.op == "unit":
        axis = indices.index(node.value[1])
        return group.reshape((1,) * (axis + 1) + (-1,) + (1,) * (len(indices) - axis - 1))
    if node.op in fm.REDUCTIONS:
        inner = _total(node.args[0], known, group, (*indices, node.value))
        full = np.broadcast_to(
            inner, np.broadcast_shapes(inner.shape, (1,) * (len(indices) + 1) + (len(group),))
        )
        return np.asarray(full.sum(axis=-1))
    return sum((_total(arg, known, group, indices) for arg in node.args), start=np.zeros(()))
