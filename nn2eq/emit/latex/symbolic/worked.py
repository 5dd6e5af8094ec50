"""A worked example of the backward pass: each equation, the numbers of one input put in, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.latex.numbers import spelled
from nn2eq.emit.latex.pieces import DIGIT, LINE, OPERATOR, Equation, Piece, symbol
from nn2eq.emit.latex.symbolic.backward import Backward, partial
from nn2eq.emit.latex.symbolic.backward_vector import VectorBackward
from nn2eq.emit.latex.symbolic.links import Link
from nn2eq.emit.latex.symbolic.put_in import put_in
from nn2eq.emit.latex.weights import matrix
from nn2eq.forms.backprop import Passes, passes, restated, slope_of
from nn2eq.forms.program import Program

Array = NDArray[np.float64]
SHOWN = 6
"""Significant digits of a number that is shown, and of those put in, if the result does not ask for more."""
MORE = (SHOWN, 7, 8, 10, 12, 14, 17)
WITHIN = 9e-6
"""How far, relative to itself, a result may be off that is calculated from the numbers shown: one in the last digit."""
BRACED = 9
"""Digits from which on a decimal is a float64 where others are float32."""


def worked(
    program: Program, made: Backward, blocks: list[list[Equation]], whole: VectorBackward | None = None
) -> list[list[Equation]]:
    """Give the input and its answer, and behind each equation the numbers put in and what it comes to."""
    naming = made.naming
    given = dict(zip(naming.units(0), program.told["at"], strict=True))
    given |= dict(zip(made.targets, program.told.get("target", ()), strict=False))
    texts = made.calls.numbers.written(np.array(list(given.values())))
    start = [Equation(symbol(name), symbol(text)) for name, text in zip(given, texts, strict=True)]
    example = Example(program, made, whole)
    return [start, *([example.filled(equation) for equation in block] for block in blocks)]


@dataclass(frozen=True, eq=False)
class Example:
    """The numbers of both passes at one input, by the symbols of a text; whole: where its view is a vector's."""

    program: Program
    made: Backward
    whole: VectorBackward | None

    def filled(self, equation: Equation) -> Equation:
        """Return an equation with the numbers put in and what it comes to; as it is where that is not known."""
        left, right = _bare(equation.left.text), equation.right
        if left not in self._results:
            return equation
        result, digits = self._results[left], self._digits.get(left)
        sign = "=" if _is_shown(result, SHOWN, self._single) else r"\approx"
        steps = [] if digits is None else self._put_in(right, digits)
        return Equation(
            equation.left, _chain(right, [*steps, (sign, self._shown(result, SHOWN))], equation.left)
        )

    def _put_in(self, right: Piece, digits: int) -> list[tuple[str, Piece]]:
        """Return the formula with numbers of so many digits, of several ways to write it the plainest."""
        ways = right.text.split(" = ")
        formula = right._replace(text=ways[0] if self.whole else ways[-1])
        used = {name: number for name, number in self._numbers.items() if name in formula.text}
        found = put_in(formula, {name: self._shown(number, digits) for name, number in used.items()})
        if found is None:
            return []
        piece, symbols = found
        exact = all(_is_shown(used[name], digits, self._single) for name in symbols)
        return [("=" if exact else r"\approx", piece)]

    @property
    def _single(self) -> bool:
        return self.made.calls.numbers.single

    def _shown(self, data: Array, digits: int) -> Piece:
        """Write a number, or a matrix of them; one number by itself."""
        if data.size == 1:
            text = decimal(float(data.ravel()[0]), digits, self._single)
            return Piece(text, DIGIT * len(text.strip("{}")))
        rows = [[decimal(value, digits, self._single) for value in row] for row in data.tolist()]
        return matrix(map(" & ".join, rows), data.shape[1], max(len(text) for row in rows for text in row))

    # ------------------------------------------------------------------------------------------ what is known

    @cached_property
    def _target(self) -> Array:
        outputs = self.made.naming.size(self.made.naming.depth)
        return np.array([self.program.told.get("target", (0.0,) * outputs)])

    @cached_property
    def _found(self) -> Passes:
        return passes(self.program, np.array([self.program.told["at"]]), self._target)

    @cached_property
    def _results(self) -> Mapping[str, Array]:
        return dict(self._left(self._found, self._found))

    @cached_property
    def _digits(self) -> Mapping[str, int]:
        """How many digits the numbers put in must have, by what is calculated from them."""
        found: dict[str, int] = {}
        for digits in MORE:
            if len(found) == len(self._results):
                break
            again = restated(self.program, self._found, self._target, digits)
            near = _with_digits(self._found, digits)
            for name, number in self._left(again, near):
                if np.all(np.abs(number - self._results[name]) <= WITHIN * np.abs(self._results[name])):
                    found.setdefault(name, digits)
        return found

    @cached_property
    def _numbers(self) -> Mapping[str, Array]:
        """What stands for each symbol on a right-hand side."""
        naming, known = self.made.naming, dict(self._results)
        known |= dict(zip(naming.units(0), np.array(self.program.told["at"]), strict=True))
        known |= {naming.whole(0): self._vector(np.array([self.program.told["at"]]))}
        known |= dict(zip(self.made.targets, self._target[0], strict=False))
        known |= {self.whole.target: self._vector(self._target)} if self.whole else {}
        for link in naming.links:
            known |= dict(self._weights(link))
        return {name: np.atleast_2d(number) for name, number in known.items()}

    # ----------------------------------------------------------------------------------------------- both passes

    def _left(self, found: Passes, given: Passes) -> Iterator[tuple[str, Array]]:
        """Yield what each left-hand side comes to; given: what products of two numbers are taken of."""
        made, naming = self.made, self.made.naming
        if not made.loss.single:
            yield "L", found.loss
            yield made.by(naming.whole(naming.depth)), self._vector(self._behind(found, naming.links[-1]))
        for link in naming.links:
            yield from self._of_units(link, found, given)
            yield from self._of_layer(link, found, given)

    def _behind(self, found: Passes, link: Link) -> Array:
        """Return by how much the loss moves with a layer's values."""
        return found.deltas[link.out.name]

    def _of_units(self, link: Link, found: Passes, given: Passes) -> Iterator[tuple[str, Array]]:
        made, naming, layer = self.made, self.made.naming, link.number
        values, behind = found.values[link.out.name][0], self._behind(found, link)[0]
        for unit, number in enumerate(values):
            own = naming.unit(layer, unit)
            yield own, number
            yield made.by(own), behind[unit]
        slopes = self._slopes(link)
        for unit, number in enumerate(found.deltas[link.sums.name][0]):
            z = made.sum_of(layer, unit)
            yield _bare(made.delta(layer, unit).text), number
            yield made.by(z), number
            if link.sum:
                yield z, found.values[link.sums.name][0, unit]
                yield from self._of_weights(link, unit, given)
            if slopes is not None:
                yield partial(naming.unit(layer, unit), z).text, slopes[0, unit]

    def _of_weights(self, link: Link, unit: int, given: Passes) -> Iterator[tuple[str, Array]]:
        """Yield the slopes by the weights of a unit, and the factors that lead to them."""
        made, naming, layer = self.made, self.made.naming, link.number
        z, delta, bias = (
            made.sum_of(layer, unit),
            given.deltas[link.sums.name][0, unit],
            naming.bias(layer, unit),
        )
        yield made.by(bias), delta
        yield partial(z, bias).text, np.array(1.0)
        for arg, value in enumerate(given.values[link.arg.name][0]):
            weight = naming.weight(layer, arg, unit)
            yield made.by(weight), delta * value
            yield partial(z, weight).text, value
            if link.kernel is not None and link.is_dense:
                yield (
                    partial(z, naming.unit(layer - 1, arg)).text,
                    link.kernel.data[arg, unit].astype(np.float64),
                )

    def _of_layer(self, link: Link, found: Passes, given: Passes) -> Iterator[tuple[str, Array]]:
        """Yield a whole layer's vectors, and its gradient laid out as its matrix is."""
        made, naming, layer = self.made, self.made.naming, link.number
        yield naming.whole(layer), self._vector(found.values[link.out.name])
        yield made.delta_vector(layer), self._vector(found.deltas[link.sums.name])
        if link.sum is None:
            return
        delta = given.deltas[link.sums.name]
        yield naming.pre_vector(layer), self._vector(found.values[link.sums.name])
        yield made.by(naming.offset(layer)), self._vector(delta)
        if link.is_dense:
            gradient = given.values[link.arg.name].T @ delta
            yield made.by(naming.kernel(layer)), self._laid_out(layer, gradient)

    def _weights(self, link: Link) -> Iterator[tuple[str, Array]]:
        """Yield what is fixed: weights, biases, slopes of activations, unit by unit and as a whole."""
        made, naming, layer, slopes = self.made, self.made.naming, link.number, self._slopes(link)
        if link.kernel is not None:
            data = link.kernel.data.astype(np.float64)
            wide = self._laid_out(layer, data) if link.is_dense else self._vector(data[None])
            yield naming.kernel(layer), wide
            yield naming.turned(layer), wide.T
            for arg, unit in np.ndindex(link.arg.size, link.sums.size):
                if link.is_dense or arg == unit:
                    yield naming.weight(layer, arg, unit), data[arg, unit] if link.is_dense else data[unit]
        if link.offset is not None:
            bias = link.offset.data.astype(np.float64)
            yield naming.offset(layer), self._vector(bias[None])
            yield from ((naming.bias(layer, unit), number) for unit, number in enumerate(bias))
        if slopes is not None:
            yield from ((made.slope(link, unit).text, slopes[0, unit]) for unit in range(link.sums.size))
            if self.whole:
                yield self.whole.slope(link).text, self._vector(slopes)

    def _slopes(self, link: Link) -> Array | None:
        """Return the slope of an activation at each unit, (1, units), None where there is none of its own."""
        if link.apply is None or link.apply.activation.row.coupled:
            return None
        return slope_of(link.apply, self._found.values)

    def _vector(self, values: Array) -> Array:
        return values if self.made.row else values.T

    def _laid_out(self, layer: int, kernel: Array) -> Array:
        naming = self.made.naming
        return kernel.T if naming.units_first and not naming.has_rows_of_inputs(layer) else kernel


def _with_digits(found: Passes, digits: int) -> Passes:
    from nn2eq.forms.rounded import significant

    values, deltas = (
        {name: significant(number, digits) for name, number in numbers.items()}
        for numbers in (found.values, found.deltas)
    )
    return replace(found, values=values, deltas=deltas)


def _bare(text: str) -> str:
    """Return a left-hand side without its colour."""
    return text.partition("}{")[2][:-1] if text.startswith(r"\textcolor") else text


def decimal(value: float, digits: int = SHOWN, single: bool = False) -> str:
    """Write a number with so many digits; single: where that is more than a float32 has, it stands in braces."""
    plain = f"{abs(value):.{digits}g}"
    text = spelled(plain)
    text = (
        f"{{{text}}}"
        if single and len(plain.partition("e")[0].replace(".", "").lstrip("0")) > BRACED
        else text
    )
    return f"-{text}" if value < 0 else text


def _is_shown(data: Array, digits: int, single: bool) -> bool:
    """Whether numbers are what is shown of them, as a text is read whose decimals are float32 or float64."""
    short = np.array([float(f"{value:.{digits}g}") for value in data.ravel().tolist()])
    read = short.astype(np.float32).astype(np.float64) if single and digits <= BRACED else short
    return bool(np.array_equal(read, data.ravel()))


def _chain(formula: Piece, steps: list[tuple[str, Piece]], left: Piece) -> Piece:
    """Put what a formula comes to behind it, each step on a line of its own where they do not fit on one."""
    room = left.width + formula.width + sum(step.width + OPERATOR for _, step in steps)
    on_one_line = (room <= LINE and not formula.broken) or len(steps) == 1
    text = formula.text
    for sign, step in steps:
        text += f" {sign} {step.text}" if on_one_line else f" \\\\\n&{sign} {step.text}"
    widest = max(formula.width, *(step.width for _, step in steps))
    return formula._replace(text=text, width=room - left.width if on_one_line else widest)
