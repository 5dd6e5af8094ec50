"""The matrix layout: whole layers at a time, as matrices of numbers or as symbols."""

from __future__ import annotations

from typing import NamedTuple

from nn2eq.emit.latex.formulas import Writer
from nn2eq.emit.latex.functions import Functions, is_its_formula
from nn2eq.emit.latex.names import Symbols, index, standing
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import DIGIT, OPERATOR, Equation, Piece, listed, symbol
from nn2eq.emit.latex.weights import bmatrix, matrix, name
from nn2eq.emit.printing import SUM
from nn2eq.forms.program import Affine, Apply, Constant, Function, Step, Term, Value


class Matrices(NamedTuple):
    """What the matrix layout is written with; symbolic: W_1 in place of its numbers."""

    numbers: Numbers
    symbolic: bool
    symbols: Symbols
    functions: Functions

    def equations(self, function: Function) -> list[list[Equation]]:
        """Return what the vector of inputs is, if that needs to be said, and one equation a stage."""
        [x], [y] = function.arguments, function.results
        known = {x.name: self._vector(x)}
        left = {step.out.name: symbol(standing(step.out.name)) for step in function.steps} | {
            y.name: self._left(y)
        }
        main: list[Equation] = []
        sums: Piece | None = None
        for step, after in zip(function.steps, (*function.steps[1:], None), strict=True):
            right = self._right(step, known, sums)
            joins = isinstance(step, Affine) and isinstance(after, Apply) and self._is_whole(after)
            sums = right if joins else None
            if not joins:
                main.append(Equation(left[step.out.name], right))
            known[step.out.name] = left[step.out.name]
        return [[Equation(known[x.name], self._stack(x))], main] if self._needs_stack(x) else [main]

    # ---------------------------------------------------------------------------------- inputs and outputs

    def _vector(self, value: Value) -> Piece:
        """Name the vector of inputs: by its one part, else x, bold if a part is called so."""
        parts = [self.symbols.of(part) for part in value.parts]
        if len(parts) == 1:
            return symbol(parts[0])
        return symbol(rf"\mathbf{{{value.name}}}" if value.name in parts else value.name)

    def _left(self, value: Value) -> Piece:
        """Return what stands on the left of the last equation."""
        return self._stack(value) if self._needs_stack(value) else self._vector(value)

    def _needs_stack(self, value: Value) -> bool:
        """Whether a vector's parts are not called x_1, x_2 ..., so that it must be said what they are."""
        parts = [self.symbols.of(part) for part in value.parts]
        return len(parts) > 1 and parts != [value.name + index(k + 1) for k in range(len(parts))]

    def _stack(self, value: Value) -> Piece:
        return matrix(self.symbols.of(part) for part in value.parts)

    # ------------------------------------------------------------------------------------------------ steps

    def _is_whole(self, step: Apply) -> bool:
        """Whether an activation takes the layer's vector as it is."""
        return not (step.units or step.activation.groups > 1 or is_its_formula(step.activation))

    def _right(self, step: Step, known: dict[str, Piece], sums: Piece | None) -> Piece:
        if isinstance(step, Affine):
            return self._affine(step, known)
        assert isinstance(step, Apply)  # a polynomial is written number by number
        if not self._is_whole(step):
            return self._stacked(step)
        parameters = [self._constant(constant) for constant in step.parameters.values()]
        return self.functions.call(step, listed([sums or known[step.arg.name], *parameters]))

    def _affine(self, step: Affine, known: dict[str, Piece]) -> Piece:
        parts = [self._product(term, known[term.arg.name]) for term in step.terms]
        if step.offset is not None and (self.symbolic or step.offset.data.any()):
            parts.append(self._constant(step.offset))
        return _sum(parts)

    def _product(self, term: Term, arg: Piece) -> Piece:
        """Write W^T x: a kernel's columns are its units. A diagonal multiplies unit by unit."""
        constant = term.matrix
        if constant.data.ndim == 1:
            return _beside([self._constant(constant), arg], " " if constant.data.size == 1 else r" \odot ")
        if self.symbolic:
            transposition = "" if term.transposed else r"^{\top}"
            return _beside([symbol(f"{name(constant)}{transposition}"), arg])
        return _beside([bmatrix(self.numbers, constant, transposed=not term.transposed), arg])

    def _constant(self, constant: Constant) -> Piece:
        return symbol(name(constant)) if self.symbolic else bmatrix(self.numbers, constant)

    def _stacked(self, step: Apply) -> Piece:
        """Stack what is done to parts of a vector: a softmax in groups, a logarithm of one input."""
        is_input = step.arg.name == "x"
        parts = [symbol(self.symbols.of(part) if is_input else standing(part)) for part in step.arg.parts]
        if step.units or is_its_formula(step.activation):
            rows = [self._one(step, unit, part) for unit, part in enumerate(parts)]
        else:
            size = len(parts) // step.activation.groups
            groups = (parts[start : start + size] for start in range(0, len(parts), size))
            rows = [self.functions.call(step, listed(group)) for group in groups]
        return matrix([row.text for row in rows], 1, int(max(row.width for row in rows) / DIGIT))

    def _one(self, step: Apply, unit: int, part: Piece) -> Piece:
        if step.units and unit not in step.units:
            return part
        if is_its_formula(step.activation):
            return Writer(self.numbers.one, {"z": part}).write(step.activation.formula)
        return self.functions.call(step, part)


def _sum(parts: list[Piece]) -> Piece:
    """Add pieces, signs merged: in matrices nothing is broken into lines."""
    text = parts[0].text + "".join(
        f" - {p.text[1:]}" if p.text[0] == "-" else f" + {p.text}" for p in parts[1:]
    )
    return _beside(parts)._replace(text=text)


def _beside(parts: list[Piece], sign: str = " ") -> Piece:
    """Put pieces side by side."""
    width = sum(part.width for part in parts) + OPERATOR * (len(parts) - 1)
    return Piece(sign.join(part.text for part in parts), width, SUM, max(part.tall for part in parts))
