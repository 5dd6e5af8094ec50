"""How the answer of a Program changes with each of its coefficients: by going backwards through its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import CannotEmit
from nn2eq.forms.coefficients import of_step
from nn2eq.forms.evaluation import monomials
from nn2eq.forms.program import Affine, Apply, Polynomial, Program, Step, with_constants

Array = NDArray[np.float64]
_ROOM, _PARTS = 20_000_000, 20
_STEP = 6e-6
"""Half the way between two arguments whose difference tells a slope: the cube root of float64's roundoff."""


def sensitivity(program: Program, x: Array) -> Array:
    """Return ∂ answer / ∂ coefficient at x (n, inputs): (n, outputs, numbers), in the order of `vector`."""
    values = program.values(x)
    slopes = {
        step.out.name: _slopes(step, values) for step in program.predict.steps if isinstance(step, Apply)
    }
    rows = []
    for output in range(len(program.outputs)):
        upstream = {program.predict.results[0].name: np.zeros((len(x), len(program.outputs)))}
        upstream[program.predict.results[0].name][:, output] = 1.0
        columns: list[Array] = []
        for step in reversed(program.predict.steps):
            above = upstream.pop(step.out.name, None)
            above = np.zeros((len(x), step.out.size)) if above is None else above
            columns = [*_of_numbers(step, values, above), *columns]
            for name, part in _of_arguments(step, above, slopes):
                upstream[name] = upstream.get(name, 0.0) + part
        rows.append(np.concatenate([np.zeros((len(x), 0)), *columns], axis=1))
    return np.stack(rows, axis=1)


def most(program: Program, x: Array) -> Array:
    """Return the largest |∂ answer / ∂ coefficient| at x over all outputs, (numbers,), samples a few at a time."""
    at_once = max(1, _ROOM // max(1, count(program) * len(program.outputs)))
    found = np.zeros(count(program))
    for start in range(0, len(x), at_once):
        part = np.abs(sensitivity(program, x[start : start + at_once])).max(axis=(0, 1))
        found = np.maximum(found, part)
        if start >= _PARTS * at_once:  # of a network so large, a few samples tell enough
            break
    return found


def _of_numbers(step: Step, values: Mapping[str, Array], above: Array) -> Iterator[Array]:
    """Yield what a change of each of a step's constants does, (n, numbers) each."""
    if isinstance(step, Affine):
        for term in step.terms:
            arg = values[term.arg.name]
            full = arg * above if term.matrix.data.ndim == 1 else arg[:, :, None] * above[:, None, :]
            yield full.reshape(len(arg), -1)
        if step.offset is not None:
            yield above
    elif isinstance(step, Apply):
        yield from (_of_parameter(step, key, values[step.arg.name]) * above for key in step.parameters)
    elif isinstance(step, Polynomial):
        yield from _of_polynomial(step, values, above)
    else:
        raise CannotEmit(f"no sensitivity of {type(step).__name__.lower()}", code="no-sensitivity")


def _of_polynomial(step: Polynomial, values: Mapping[str, Array], above: Array) -> Iterator[Array]:
    t = values[step.arg.name] - (0.0 if step.centre is None else step.centre.data)
    found = monomials(t / (1.0 if step.scale is None else step.scale.data), step.exponents, step.basis)
    below = np.ones(above.shape) if step.denominator is None else found @ step.denominator.data
    factor = above / below
    yield (found[:, :, None] * factor[:, None, :]).reshape(len(above), -1)
    if step.denominator is not None:
        factor = -factor * values[step.out.name]
        yield (found[:, :, None] * factor[:, None, :]).reshape(len(above), -1)


def _of_parameter(step: Apply, key: str, z: Array) -> Array:
    def at(by: float) -> Array:
        moved = {**step.parameters, key: replace(step.parameters[key], data=step.parameters[key].data + by)}
        return with_constants(replace(step, parameters=moved))(z)

    return _difference(at)


Slopes = Callable[[Array], Array]
"""From how the answer changes with a value to how it changes with that value's argument."""


def _slopes(step: Apply, values: Mapping[str, Array]) -> Slopes:
    z, activation = values[step.arg.name], with_constants(step)
    chosen = list(step.units or range(z.shape[1]))
    if not activation.row.coupled:
        factor = np.ones(z.shape)
        factor[:, chosen] = _difference(lambda by: activation(z[:, chosen] + by))
        return lambda above: above * factor
    size = z.shape[1] // activation.groups
    # Units at the same place of every group are moved together; the groups do not see each other.
    places = [np.arange(z.shape[1]) % size == place for place in range(size)]
    moved = [_difference(lambda by, mask=mask: activation(z + by * mask)) for mask in places]  # type: ignore[misc]

    def through(above: Array) -> Array:
        grouped = [(above * change).reshape(len(z), activation.groups, -1).sum(axis=2) for change in moved]
        return np.stack(grouped, axis=2).reshape(z.shape)

    return through


def _difference(at: Callable[[float], Array]) -> Array:
    return np.asarray((at(_STEP) - at(-_STEP)) / (2 * _STEP))


def _of_arguments(step: Step, above: Array, slopes: Mapping[str, Slopes]) -> Iterator[tuple[str, Array]]:
    """Yield what a change of each of a step's arguments does; a polynomial's is the input, which stays."""
    if isinstance(step, Affine):
        for term in step.terms:
            matrix = term.matrix.data.astype(np.float64)
            yield term.arg.name, above * matrix if matrix.ndim == 1 else above @ matrix.T
    elif isinstance(step, Apply):
        yield step.arg.name, slopes[step.out.name](above)


def count(program: Program) -> int:
    """Return how many coefficients a program has."""
    return sum(int(constant.data.size) for step in program.predict.steps for constant in of_step(step))
