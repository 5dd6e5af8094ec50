"""Does the display of a batch say what training does with it? It is evaluated, and compared with the samples' mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.latex.symbolic.backprop import batch_of
from nn2eq.emit.latex.symbolic.text import given_in
from nn2eq.forms.program import Affine, Program
from nn2eq.proof.agreement import Agreement, compare
from nn2eq.proof.latex_reader import run_batch

Array = NDArray[np.float64]
RATE = 0.125
"""The learning rate at which the update is tried."""
TOLERANCE = 1e-11
"""Relative to the largest number of the same symbol."""


@dataclass(frozen=True, eq=False)
class Mean:
    """What a batch comes to: the mean loss, the mean derivative by each weight, and these weights, laid out alike."""

    loss: float
    gradients: tuple[Array, ...]
    weights: tuple[Array, ...]


def batch_agrees(
    program: Program, text: str, display: str, given: Array, losses: Array, mean: Mean
) -> Agreement:
    """Evaluate a display of a batch at samples, and compare the loss, all derivatives and the update.

    given (n, inputs and outputs): inputs, and what the answers should be; losses (n,): each sample's. Raises
    BadRequest for what cannot be read.
    """
    told = batch_of(program, given_in(text, program), len(given), RATE)
    updated = (one - RATE * slope for one, slope in zip(mean.weights, mean.gradients, strict=True))
    blocks = [np.array([mean.loss]), *(block.ravel() for block in (*mean.gradients, *updated))]
    names = [
        "the loss of the batch",
        *_names(program, "the batch's derivative by"),
        *_names(program, "the updated"),
    ]
    found = run_batch(display, told, np.column_stack([given, losses, np.ones(len(given))])).outputs
    scale = [np.full(block.size, max(float(np.abs(block).max()), 1e-300)) for block in blocks]
    outputs = [
        f"{name}[{place}]" for name, block in zip(names, blocks, strict=True) for place in range(block.size)
    ]
    return compare(
        np.concatenate(blocks)[None], found[:1], scale=np.concatenate(scale)[None], tolerance=TOLERANCE,
        outputs=outputs, link="text and chain rule", how="the batch, evaluated as latex",
    )  # fmt: skip


def _names(program: Program, what: str) -> list[str]:
    """Name kernels and offsets in the order of the layers."""
    found = []
    for step in program.predict.steps:
        if isinstance(step, Affine):
            found += [f"{what} {step.terms[0].matrix.name}"]
            found += [f"{what} {step.offset.name}"] if step.offset is not None else []
    return found
