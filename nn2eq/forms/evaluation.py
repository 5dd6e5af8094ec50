"""Steps evaluated over samples in float64: the meaning of a Program, which every text is held to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.forms.program import (
    BASES,
    Affine,
    Array,
    Cases,
    Combine,
    Function,
    Operand,
    Polynomial,
    Step,
    Term,
    Value,
    with_constants,
)


def values_of(function: Function, x: Array) -> dict[str, Array]:
    """Run a function in float64 at x (n, inputs), and return all its values by name, (n, size) each."""
    values = {function.arguments[0].name: x}
    for step in function.steps:
        values[step.out.name] = np.broadcast_to(answer(step, values), (len(x), step.out.size))
    return values


def answer(step: Step, values: Mapping[str, Array]) -> Array:
    """Return a step's answer in float64 from the values that it uses, (n, size) each."""
    if isinstance(step, Affine):
        total = reduce(np.add, (_product(values[term.arg.name], term) for term in step.terms))
        return total if step.offset is None else total + step.offset.data.astype(np.float64)
    if isinstance(step, Combine):
        return _combined(step, values)
    arg = values[step.arg.name]
    if isinstance(step, Polynomial):
        return _polynomial(step, arg)
    if isinstance(step, Cases):
        return _chosen(step, arg)
    activation = with_constants(step)
    if not step.units:
        return activation(arg)
    chosen = list(step.units)
    out = arg.copy()
    out[:, chosen] = activation(arg[:, chosen])
    return out


def _chosen(step: Cases, x: Array) -> Array:
    numbers = (step.normals, step.bounds, step.matrices, step.offsets)
    normals, bounds, matrices, offsets = (constant.data.astype(np.float64) for constant in numbers)
    excess = x @ normals.T - bounds
    case = np.argmin([excess[:, own].max(axis=1, initial=0.0) for own in step.conditions], axis=0)
    answer: Array = np.einsum("ni,nio->no", x, matrices[case]) + offsets[case]
    return answer


def _polynomial(step: Polynomial, x: Array) -> Array:
    t = x if step.centre is None else x - step.centre.data.astype(np.float64)
    t = t if step.scale is None else t / step.scale.data.astype(np.float64)
    found = monomials(t, step.exponents, step.basis)
    above = found @ step.coefficients.data.astype(np.float64)
    if step.denominator is None:
        return np.asarray(above)
    return np.asarray(above / (found @ step.denominator.data.astype(np.float64)))


def monomials(t: Array, exponents: NDArray[np.int64], basis: str) -> Array:
    """Return the products of a basis' functions of t (n, inputs) by exponents (terms, inputs): (n, terms)."""
    found = np.ones((len(t), len(exponents)))
    for variable, column in zip(t.T, exponents.T, strict=True):
        ladder = [np.ones(len(t)), variable]
        while len(ladder) <= column.max(initial=0):
            ladder.append(BASES[basis](variable, ladder))
        found *= np.stack(ladder, axis=1)[:, column]
    return found


def _product(x: Array, term: Term) -> Array:
    wide = term.data.astype(np.float64)
    rows = x.reshape(-1, term.arg.units)
    return np.asarray(rows * wide if wide.ndim == 1 else rows @ wide).reshape(len(x), -1)


def _combined(step: Combine, values: Mapping[str, Array]) -> Array:
    arrays = {name: _operand(arg, values, step) for name, arg in step.args.items()}
    samples = max((len(array) for array in arrays.values()), default=1)
    parts = len(step.formulas)
    units = step.out.units // step.groups // parts
    shape = (samples, *step.out.rows, step.groups, units)
    known = {"count": float(units), **arrays}
    found = [np.broadcast_to(fm.evaluate(node, known), shape) for node in step.formulas]
    return np.concatenate(found, axis=-1).reshape(samples, -1)


def _operand(arg: Operand, values: Mapping[str, Array], step: Combine) -> Array:
    """Return an array (samples or 1, rows ..., groups, units) that broadcasts with the others."""
    if isinstance(arg.of, Value):
        array = values[arg.of.name].reshape(-1, *arg.of.shape)
    else:
        array = arg.of.data.astype(np.float64)[None]
    array = np.swapaxes(array, -1, -2) if arg.transposed else array
    missing = len(step.out.shape) - len(arg.shape)
    shape = (len(array), *(1,) * missing, *arg.shape[:-1], step.groups, -1)
    return np.split(array.reshape(shape), arg.parts, axis=-1)[arg.part]
