"""The matrix layout: whole layers at a time, as matrices of numbers or as symbols."""

from __future__ import annotations

from dataclasses import dataclass

from nn2eq.emit.latex.formulas import Writer
from nn2eq.emit.latex.functions import Functions, is_its_formula
from nn2eq.emit.latex.names import Symbols, index, standing
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import Piece, listed, symbol
from nn2eq.emit.latex.scalars import Equation
from nn2eq.emit.latex.weights import bmatrix, matrix, name
from nn2eq.forms.program import Affine, Apply, Constant, Function, Step, Value


@dataclass(frozen=True)
class Matrices:
    """What the matrix layout is written with; symbolic: W_1 in place of its numbers."""

    numbers: Numbers
    symbolic: bool
    symbols: Symbols
    functions: Functions

    def equations(self, function: Function) -> list[list[Equation]]:
        """Return what the vector of inputs is, if that needs to be said, and one equation a stage."""
        [x], [y] = function.arguments, function.results
        known = {x.name: self._vector(x)}
        names = {step.out.name: standing(step.out.name) for step in function.steps} | {y.name: self._left(y)}
        main: list[Equation] = []
        sums: Piece | None = None
        for step, after in zip(function.steps, (*function.steps[1:], None), strict=True):
            right = self._right(step, known, sums)
            joins = isinstance(step, Affine) and isinstance(after, Apply) and self._is_whole(after)
            sums = right if joins else None
            if not joins:
                main.append((names[step.out.name], right.text))
            known[step.out.name] = names[step.out.name]
        return [[(known[x.name], self._stack(x))], main] if self._needs_stack(x) else [main]

    def _vector(self, value: Value) -> str:
        """Name the vector of inputs: by its one part, else x, bold if a part is called so."""
        parts = [self.symbols.of(part) for part in value.parts]
        if len(parts) == 1:
            return parts[0]
        return rf"\mathbf{{{value.name}}}" if value.name in parts else value.name

    def _left(self, value: Value) -> str:
        """Return what stands on the left of the last equation."""
        return self._stack(value) if self._needs_stack(value) else self._vector(value)

    def _needs_stack(self, value: Value) -> bool:
        """Whether the parts of a vector are not called x_1, x_2 ..., so that it must be said what they are."""
        parts = [self.symbols.of(part) for part in value.parts]
        return len(parts) > 1 and parts != [value.name + index(k + 1) for k in range(len(parts))]

    def _stack(self, value: Value) -> str:
        return matrix(" \\\\ ".join(self.symbols.of(part) for part in value.parts), 1)

    def _is_whole(self, step: Apply) -> bool:
        """Whether an activation takes the layer's vector as it is."""
        return not (step.units or step.activation.groups > 1 or is_its_formula(step.activation))

    def _right(self, step: Step, known: dict[str, str], arg: Piece | None) -> Piece:
        if isinstance(step, Affine):
            return self._affine(step, known)
        if self._is_whole(step):
            parameters = [self._constant(constant) for constant in step.parameters.values()]
            return self.functions.call(
                step, listed([arg or symbol(known[step.arg.name]), *map(symbol, parameters)])
            )
        return self._stacked(step, known)

    def _affine(self, step: Affine, known: dict[str, str]) -> Piece:
        parts = [self._product(term.matrix, known[term.arg.name]) for term in step.terms]
        if step.offset is not None:
            parts.append(self._constant(step.offset))
        return Piece(" + ".join(parts), 0)._replace(tall=0 if self.symbolic else 3)

    def _product(self, constant: Constant, arg: str) -> str:
        """Write W^T x: a kernel's columns are its units. A diagonal multiplies unit by unit."""
        if constant.data.ndim == 1:
            return rf"{self._constant(constant)} \odot {arg}"
        if self.symbolic:
            return rf"{name(constant)}^{{\top}} {arg}"
        return f"{bmatrix(self.numbers, constant, transposed=True)} {arg}"

    def _constant(self, constant: Constant) -> str:
        return name(constant) if self.symbolic else bmatrix(self.numbers, constant)

    def _stacked(self, step: Apply, known: dict[str, str]) -> Piece:
        """Stack what is done to parts of a vector: a softmax in groups, a logarithm of one input."""
        parts = [standing(part) for part in step.arg.parts]
        if known[step.arg.name] != standing(step.arg.name) or step.arg.name == "x":
            parts = [self.symbols.of(part) for part in step.arg.parts]
        if step.units or is_its_formula(step.activation):
            rows = [self._one(step, unit, part) for unit, part in enumerate(parts)]
        else:
            size = len(parts) // step.activation.groups
            groups = (parts[start : start + size] for start in range(0, len(parts), size))
            rows = [
                self.functions.call(step, listed([symbol(part) for part in group])).text for group in groups
            ]
        return Piece(matrix(" \\\\\n".join(rows), 1), 0)

    def _one(self, step: Apply, unit: int, part: str) -> str:
        if step.units and unit not in step.units:
            return part
        if is_its_formula(step.activation):
            return Writer(self.numbers.one, {"z": symbol(part)}).write(step.activation.formula).text
        return self.functions.call(step, symbol(part)).text
