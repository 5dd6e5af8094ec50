"""The hidden units of a Program: where their numbers stand, and what is left when some are never used.

A program that was thinned out keeps its shape, with zeros, so that it can be compared with its network layer by
layer. `compact` takes what is not used out of it, which changes no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.forms.coefficients import of_step
from nn2eq.forms.program import Affine, Apply, Constant, Program, Step, Term, Value, arguments

Array = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Layer:
    """A hidden layer that works unit by unit: the sum before it, and the sums that take its answers.

    Places in the vector of coefficients: kernels in front (inputs, units) each, bias (units,), outgoing kernels
    (units, outputs) each, and the biases beside those (outputs,) each.
    """

    step: Apply
    kernels: tuple[Places, ...]
    bias: Places
    outgoing: tuple[Places, ...]
    beside: tuple[Places, ...]

    def unit(self, unit: int) -> Places:
        """Return the places through which a unit reaches anything."""
        return np.concatenate([kernel[unit] for kernel in self.outgoing])

    def settled(self, numbers: Array) -> Array:
        """Return the numbers with units that are constant in their consumers' biases, and unused ones all 0."""
        numbers = numbers.copy()
        idle = np.all([np.all(numbers[kernel] == 0, axis=0) for kernel in self.kernels], axis=0)
        answers = self.step.activation(numbers[self.bias][None])[0]
        for kernel, bias in zip(self.outgoing, self.beside, strict=True):
            numbers[bias] += np.where(idle, answers, 0.0) @ numbers[kernel]
            numbers[kernel[idle]] = 0.0
        unused = np.all([np.all(numbers[kernel] == 0, axis=1) for kernel in self.outgoing], axis=0)
        for kernel in self.kernels:
            numbers[kernel[:, unused]] = 0.0
        numbers[self.bias[unused]] = 0.0
        return numbers


def layers(program: Program) -> Iterator[Layer]:
    """Yield the hidden layers whose units can be taken out one by one, the last first."""
    place = _places(program)
    steps = program.predict.steps
    makers = {step.out.name: step for step in steps}
    for step in reversed(steps):
        if not isinstance(step, Apply) or step.activation.row.coupled or step.units or step.parameters:
            continue
        before = makers.get(step.arg.name)
        users = [other for other in steps if step.out.name in _names(other)]
        if not isinstance(before, Affine) or before.offset is None:
            continue
        if not users or not all(isinstance(user, Affine) and user.offset is not None for user in users):
            continue
        if sum(step.arg.name in _names(other) for other in steps) > 1 or not _are_full([before, *users]):
            continue
        terms = [term for user in users if isinstance(user, Affine) for term in user.terms]
        yield Layer(
            step,
            tuple(place[id(term.matrix)] for term in before.terms),
            place[id(before.offset)],
            tuple(place[id(term.matrix)] for term in terms if term.arg.name == step.out.name),
            tuple(
                place[id(user.offset)]
                for user in users
                if isinstance(user, Affine)
                for term in user.terms
                if term.arg.name == step.out.name
            ),
        )


def _places(program: Program) -> Mapping[int, Places]:
    """Return where each constant's numbers stand in the vector, by the constant's identity."""
    found, start = {}, 0
    for step in program.predict.steps:
        for constant in of_step(step):
            found[id(constant)] = np.arange(start, start + constant.data.size).reshape(constant.data.shape)
            start += constant.data.size
    return found


def _names(step: Step) -> list[str]:
    return [value.name for value in arguments(step)]


def _are_full(steps: list[Step]) -> bool:
    return all(
        term.matrix.data.ndim == 2 for step in steps if isinstance(step, Affine) for term in step.terms
    )


# ---------------------------------------------------------------------------------------------- compact


def compact(program: Program) -> Program:
    """Return the program without units that nothing uses and terms that are 0; it answers the same."""
    while True:
        [x] = program.predict.arguments
        steps = _without_unused(program.predict.steps, x, program.predict.results[0].name)
        if steps == program.predict.steps:
            return program
        program = replace(program, functions=(replace(program.predict, steps=steps),))


def _without_unused(steps: tuple[Step, ...], x: Value, result: str) -> tuple[Step, ...]:
    """Take units out of the last layer in which some are not used, or steps of which nothing is."""
    used = {step.out.name: np.zeros(step.out.size, dtype=bool) for step in steps}
    used[result][:] = True
    for step in reversed(steps):
        if isinstance(step, Apply) and step.activation.row.coupled:
            used[step.out.name] |= np.any(used[step.out.name])  # its answers are made together
        for name, mask in _needs(step, used[step.out.name]):
            if name in used:
                used[name] |= mask
    kept = [step for step in steps if np.any(used[step.out.name])]
    cut = {step.out.name: _cut(step.out, used[step.out.name]) for step in kept}
    found = tuple(_narrowed(step, x, used, cut) for step in kept)
    return steps if all(np.all(mask) for mask in used.values()) and _same_terms(found, steps) else found


def _same_terms(found: tuple[Step, ...], steps: tuple[Step, ...]) -> bool:
    pairs = zip(found, steps, strict=True)
    return all(len(_names(one)) == len(_names(two)) for one, two in pairs)


def _needs(step: Step, used: NDArray[np.bool_]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield which units of its arguments a step needs for those of its answer that are used."""
    if isinstance(step, Affine):
        for term in step.terms:
            matrix = term.matrix.data
            yield (
                term.arg.name,
                (matrix != 0) & used if matrix.ndim == 1 else np.any(matrix[:, used] != 0, axis=1),
            )
    elif isinstance(step, Apply) and not step.activation.row.coupled:
        yield step.arg.name, used
    else:
        yield from ((value.name, np.full(value.size, np.any(used))) for value in arguments(step))


def _cut(value: Value, used: NDArray[np.bool_]) -> Value:
    """Return the value with its used units, numbered anew; inputs and outputs stay as they are."""
    if np.all(used):
        return value
    parts = tuple(f"{value.name}_{unit}" for unit in range(1, int(used.sum()) + 1))
    return replace(value, parts=parts)


def _narrowed(step: Step, x: Value, used: Mapping[str, NDArray[np.bool_]], cut: Mapping[str, Value]) -> Step:
    mine, out = used[step.out.name], cut[step.out.name]
    if isinstance(step, Affine):
        terms = tuple(_narrow_term(term, mine, used, cut) for term in step.terms)
        live = tuple(term for term in terms if np.any(term.matrix.data)) or (_nothing(x, out),)
        offset = step.offset and Constant(step.offset.name, step.offset.data[mine])
        return Affine(out, live, offset)
    if isinstance(step, Apply):
        arg = cut.get(step.arg.name, step.arg)
        parameters = {key: Constant(value.name, value.data[mine]) for key, value in step.parameters.items()}
        return replace(step, out=out, arg=arg, parameters=parameters)
    return step


def _nothing(x: Value, out: Value) -> Term:
    """Return a term that is 0."""
    return Term(x, Constant(f"W_{out.name}", np.zeros((x.size, out.size))))


def _narrow_term(
    term: Term, mine: NDArray[np.bool_], used: Mapping[str, NDArray[np.bool_]], cut: Mapping[str, Value]
) -> Term:
    rows = used.get(term.arg.name, np.ones(term.arg.size, dtype=bool))
    matrix = term.matrix.data
    if matrix.ndim == 1:
        if np.all(mine) and np.all(rows):
            return term
        matrix = np.diag(matrix)
    return Term(cut.get(term.arg.name, term.arg), Constant(term.matrix.name, matrix[rows][:, mine]))
