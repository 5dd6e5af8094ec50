"""Does a text of the backward pass say by how much the loss moves? It is evaluated, and compared with a second way.

The second way is the chain rule over whole layers, from the rows' derivatives; the tests hold it against automatic
differentiation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit import emitter
from nn2eq.forms.backprop import Passes, passes
from nn2eq.forms.losses import LOSSES
from nn2eq.forms.program import Affine, Program
from nn2eq.network import Network
from nn2eq.proof.agreement import Agreement, compare
from nn2eq.proof.batch import Mean, batch_agrees
from nn2eq.proof.latex_text import batch_in
from nn2eq.proof.rounding import DOUBLE
from nn2eq.proof.runners import Runner, as_latex
from nn2eq.proof.samples import samples

Array = NDArray[np.float64]
TOLERANCE = 1e-11
"""Relative to the largest derivative at the sample: a product of as many factors as there are layers, summed."""
MOVES, STEEP = 8, 1e4
"""Moves of the inputs by roundoff, and how many times the tolerance a derivative may change by them."""
FAR = 20.0
"""Samples with larger inputs are left out: probabilities round to 0 and 1 there, whose logarithms have no slope."""


def check_backward(
    network: Network,
    text: str,
    language: str,
    program: Program,
    run: Runner,
    name: str,
    data: Array | None = None,
) -> Agreement:
    """Evaluate a text of the backward pass, and compare the loss and every derivative with the chain rule's."""
    x, target = _samples(network, program, data)
    found = passes(program, x, target)
    expected, names = _expected(program, found)
    kept = np.isfinite(expected).all(axis=1)
    clear = "at" in program.told or _is_clear(program, x, target, expected)
    left_out = int(np.count_nonzero(kept & ~np.broadcast_to(clear, kept.shape)))
    kept &= clear
    if (
        "derivation" in program.told
    ):  # which has the slope of the loss by itself, infinite where it is saturated
        kept &= np.isfinite(found.slope).all(axis=1)
    single = LOSSES[program.told["loss"]].single
    given = np.zeros((1, 0)) if "at" in program.told else x if single else np.hstack([x, target])
    filled = emitter(language).fill(text, program)
    answer = run(filled, given[kept], name)
    size = np.maximum(1.0, np.abs(expected[kept]).max(axis=1, keepdims=True))
    agreement = compare(
        expected[kept], answer.outputs, scale=np.broadcast_to(size, expected[kept].shape), tolerance=TOLERANCE,
        link="text and chain rule", how=f"evaluated as {language}", x=x[kept], outputs=names,
    )  # fmt: skip
    agreement = replace(agreement, left_out=((left_out, "at a bend"),) if left_out else ())
    agreement = noted(agreement, network if filled != text else None)
    latex = as_latex(language, text) if agreement.holds else ""
    return (
        _with_batch(agreement, program, latex, _several(network, program)) if batch_in(latex) else agreement
    )


def _is_clear(program: Program, x: Array, target: Array, expected: Array) -> NDArray[np.bool_]:
    """Return at which samples (n,) rounding does not decide on which side of a bend, and so how steep, a unit is."""
    random, clear = np.random.default_rng(0), np.ones(len(x), dtype=np.bool_)
    size = np.maximum(1.0, np.abs(expected).max(axis=1, keepdims=True))
    for _ in range(MOVES):
        moved = x + 4 * DOUBLE * random.choice([-1.0, 1.0], x.shape) * (1.0 + np.abs(x))
        there, _names = _expected(program, passes(program, moved, target))
        clear &= np.all(np.abs(there - expected) <= STEEP * TOLERANCE * size, axis=1)
    return clear


def _several(network: Network, program: Program) -> tuple[Array, Array]:
    """Return the samples of a batch, also of a worked example, which has one only."""
    told = {key: value for key, value in program.told.items() if key not in ("at", "target")}
    return _samples(network, replace(program, told=told), None)


def _with_batch(
    agreement: Agreement, program: Program, latex: str, samples: tuple[Array, Array]
) -> Agreement:
    """Compare the display of a batch too, at all samples together."""
    found = passes(program, *samples)
    blocks = [block for _, block in gradients(program, found)]
    kept = np.isfinite(found.loss) & np.all(
        [np.isfinite(b.reshape(len(b), -1)).all(axis=1) for b in blocks], axis=0
    )
    kept &= _is_clear(program, *samples, _expected(program, found)[0])
    mean = Mean(
        float(found.loss[kept].mean()),
        tuple(block[kept].mean(axis=0) for block in blocks),
        tuple(_weights(program)),
    )
    given = np.hstack(samples)[kept]
    of_batch = batch_agrees(program, latex, batch_in(latex), given, found.loss[kept], mean)
    if not of_batch.holds:
        return of_batch
    said = f"its batch and update too, {of_batch.error:.1e}"
    return replace(agreement, note="; ".join(filter(None, (agreement.note, said))))


def noted(agreement: Agreement, filled: Network | None) -> Agreement:
    """Say of a text of symbols alone with what numbers it was filled."""
    how = "numbers drawn at random" if filled and filled.drawn else "the numbers"
    notes = (agreement.note, f"its symbols filled with {how}" if filled else "")
    return replace(agreement, note="; ".join(filter(None, notes)))


def _samples(network: Network, program: Program, data: Array | None) -> tuple[Array, Array]:
    """Return inputs, and answers that are probabilities: at random, or one unit of several."""
    outputs = program.predict.results[0].size
    if "at" in program.told:
        target = program.told.get("target", (0.0,) * outputs)
        return np.array([program.told["at"]]), np.array([target])
    x = samples(network, data)
    x = x[np.abs(x).max(axis=1) <= FAR]
    random = np.random.default_rng(0)
    if LOSSES[program.told["loss"]].alone:
        return x, np.eye(outputs)[random.integers(outputs, size=len(x))]
    return x, random.uniform(0.0, 1.0, (len(x), outputs))


def _expected(program: Program, found: Passes) -> tuple[Array, tuple[str, ...]]:
    """Return the loss and every derivative, a column each, and what they are called."""
    columns, names = [], []
    if not LOSSES[program.told["loss"]].single:
        columns.append(found.loss[:, None])
        names.append("the loss")
    for name, block in gradients(program, found):
        columns.append(block.reshape(len(block), -1))
        names += [f"{name}[{place}]" for place in range(columns[-1].shape[1])]
    return np.hstack(columns), tuple(names)


def gradients(program: Program, found: Passes) -> Iterator[tuple[str, Array]]:
    """Yield the derivative by each kernel and bias, samples first, a kernel as the text lays it out."""
    turned = _is_turned(program)
    for step in _dense(program):
        arg, delta = found.values[step.terms[0].arg.name], found.deltas[step.out.name]
        kernel = arg[:, :, None] * delta[:, None, :]
        yield step.terms[0].matrix.name, kernel.swapaxes(1, 2) if turned else kernel
        if step.offset is not None:
            yield step.offset.name, delta


def _weights(program: Program) -> Iterator[Array]:
    """Yield each kernel and bias, a kernel as the text lays it out."""
    for step in _dense(program):
        kernel = step.terms[0].matrix.data.astype(np.float64)
        yield kernel.T if _is_turned(program) else kernel
        if step.offset is not None:
            yield step.offset.data.astype(np.float64)


def _dense(program: Program) -> Iterator[Affine]:
    for step in program.predict.steps:
        if isinstance(step, Affine) and step.terms[0].matrix.data.ndim == 2:
            yield step


def _is_turned(program: Program) -> bool:
    """Whether a text has a row a unit where a kernel has a column."""
    from nn2eq.emit.latex.symbolic.notations import NOTATIONS

    return program.told["view"] == "vector" and NOTATIONS[program.told["notation"]].units_first
