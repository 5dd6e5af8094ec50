"""What a text must answer that is not the network itself, or is it on a box only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.domain import Domain
from nn2eq.errors import Disagreement
from nn2eq.forms.evaluation import answer, monomials
from nn2eq.forms.program import Affine, Polynomial, Program, Step, arguments
from nn2eq.network import Network
from nn2eq.proof.agreement import TEXT_TOLERANCE
from nn2eq.proof.expected import Expected
from nn2eq.proof.rounding import widened
from nn2eq.proof.samples import samples

Array = NDArray[np.float64]

IN_A_BOX = 400
"""Samples in the box that a text is for."""


def in_box(domain: Domain, data: Array | None = None) -> Array:
    """Return samples (n, inputs) of a box: its ends, points within, and the rows of the data that lie in it."""
    low, high = np.array(domain, dtype=np.float64).T
    within = np.random.default_rng(0).uniform(low, high, (IN_A_BOX, len(low)))
    rows = np.zeros((0, len(low))) if data is None else np.asarray(data, dtype=np.float64)
    rows = rows[np.all((rows >= low) & (rows <= high), axis=1)]
    return np.concatenate([np.stack([low, high, low / 2 + high / 2]), within, rows])


def expect_program(network: Network, program: Program, data: Array | None = None) -> Expected:
    """Return what a text of an approximate program must answer: what the program does, at 1e-12 of its terms.

    How far that is from the network is observed. Raises Disagreement if it is more than the program says is proved.
    """
    x = in_box(program.domain, data) if program.domain else samples(network, data)
    with np.errstate(all="ignore"):
        answers, size = program.evaluate(x), magnitudes(program, x)
        kept = np.isfinite(answers).all(axis=1) & np.isfinite(size).all(axis=1)
    found = Expected(x[kept], answers[kept], size[kept], np.full(answers[kept].shape, TEXT_TOLERANCE))
    return replace(found, note=_how_far(network, program, found))


def _how_far(network: Network, program: Program, found: Expected) -> str:
    """Say how far the program is from the network, where a domain tells where to look."""
    if not program.domain or not found.x.size:
        return ""
    apart = np.abs(found.answers - widened(network).evaluate(found.x))
    seen = float(np.nanmax(apart))
    if math.isnan(program.proved):
        return f"the {program.form} form was observed to be off by {seen:.1e} on its domain"
    beyond = apart > program.proved + TEXT_TOLERANCE * found.scale
    if beyond.any():
        raise Disagreement(
            f"the {program.form} form is off by {seen:.3e}, and {program.proved:.3e} was said to be proved",
            code="disagreement",
        )
    return (
        f"the {program.form} form is off by at most {program.proved:.1e} on its domain (proved), "
        f"{max(seen, _known(program.observed)):.1e} observed"
    )


def _known(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def by_bound(network: Network, domain: Domain, bound: float, data: Array | None = None) -> Expected:
    """Return what a text must answer that is to be within a bound of the network on a box."""
    x = in_box(domain, data)
    answers = widened(network).evaluate(x)
    rounding = TEXT_TOLERANCE * np.maximum(1.0, np.abs(answers))
    return Expected(x, answers, np.ones(answers.shape), bound + rounding)


def magnitudes(program: Program, x: Array) -> Array:
    """Return what the last sums of a program come to in size, (n, outputs): what rounding is relative to."""
    values = program.values(x)
    sizes = {program.predict.arguments[0].name: np.abs(x)}
    for step in program.predict.steps:
        sizes[step.out.name] = np.maximum(_size(step, values, sizes), np.abs(values[step.out.name]))
    return np.asarray(sizes[program.predict.results[0].name])


def _size(step: Step, values: Mapping[str, Array], sizes: Mapping[str, Array]) -> Array | float:
    if isinstance(step, Affine):
        return affine_size(step, values)
    if isinstance(step, Polynomial):
        return _polynomial_size(step, values[step.arg.name])
    before = sizes[next(arguments(step)).name]
    return before if before.shape == values[step.out.name].shape else before.max(axis=1, keepdims=True)


def affine_size(step: Affine, values: Mapping[str, Array]) -> Array:
    """Return the sizes of an affine step's terms, added up."""
    total = 0.0 if step.offset is None else np.abs(step.offset.data.astype(np.float64))
    for term in step.terms:
        kernel, arg = np.abs(term.data.astype(np.float64)), np.abs(values[term.arg.name])
        total = total + (arg * kernel if kernel.ndim == 1 else arg @ kernel)
    return np.asarray(total)


def _polynomial_size(step: Polynomial, x: Array) -> Array:
    """Add the sizes of a polynomial's terms, those of the subtracted centre included.

    Of a ratio that is p / q, this is (|p| + |p / q| |q|) / |q| with the sizes of the terms of p and q.
    """
    centre = 0.0 if step.centre is None else np.abs(step.centre.data.astype(np.float64))
    scale = 1.0 if step.scale is None else np.abs(step.scale.data.astype(np.float64))
    t = (np.abs(x) + centre) / scale
    t = t if step.basis == "power" else np.maximum(t, 1.0)
    found = monomials(t, step.exponents, step.basis)
    above = found @ np.abs(step.coefficients.data.astype(np.float64))
    if step.denominator is None:
        return np.asarray(above)
    below = found @ np.abs(step.denominator.data.astype(np.float64))
    values = {step.arg.name: x}
    divisor = np.abs(answer(replace(step, coefficients=step.denominator, denominator=None), values))
    return np.asarray((above + np.abs(answer(step, values)) * below) / divisor)
