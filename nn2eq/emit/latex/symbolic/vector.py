r"""One equation a layer: h = a[\theta_0 + \Theta x], or the whole as a composition of functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nn2eq.emit.latex.pieces import DIGIT, OPERATOR, Equation, Piece, Place, listed, symbol
from nn2eq.emit.latex.scalars import Scalars
from nn2eq.emit.latex.symbolic.calls import Calls
from nn2eq.emit.latex.symbolic.links import Link
from nn2eq.emit.latex.symbolic.naming import Naming
from nn2eq.emit.latex.symbolic.notations import Perceptron
from nn2eq.emit.latex.weights import matrix
from nn2eq.emit.printing import SUM


@dataclass(frozen=True, eq=False)
class Vectors:
    """Writes whole layers; row: vectors are rows, and stand in front of their matrices; spelled: so are these."""

    naming: Naming
    row: bool
    calls: Calls
    scalars: Scalars
    spelled: bool = True

    def equations(self) -> list[list[Equation]]:
        """Return what the inputs' vector is, if that must be said, and the layers' equations."""
        naming = self.naming
        stack = [Equation(symbol(naming.whole(0)), self.stack(naming.units(0)))] if naming.inputs[1:] else []
        if isinstance(naming, Perceptron) and naming.is_plain and naming.depth > 1:
            return [stack, *self._composition(naming), *self._spelled(naming)]
        lines = [line for link in naming.links for line in self._layer(link)]
        if isinstance(naming, Perceptron) and naming.is_plain:  # one layer, which is no composition
            return [stack, lines, *self._spelled(naming)]
        return [stack, lines]

    def stack(self, parts: list[str]) -> Piece:
        """Write the vector of some symbols."""
        return matrix([" & ".join(parts)], len(parts)) if self.row else matrix(parts)

    def product(self, layer: int, arg: str) -> str:
        """Write a layer's matrix times a vector, or a vector times it: transposed where its rows ask for that."""
        kernel = self.naming.kernel(layer)
        if not self.naming.link(layer).is_dense:
            return rf"{arg} \odot {kernel}" if self.row else rf"{kernel} \odot {arg}"
        if self.naming.has_rows_of_inputs(layer) != self.row:
            kernel = self.naming.turned(layer)
        return f"{arg} {kernel}" if self.row else f"{kernel} {arg}"

    def sum(self, layer: int, arg: Piece) -> Piece:
        """Write a layer's affine map."""
        parts = [self.product(layer, arg.text)]
        if self.naming.link(layer).offset is not None:
            parts.insert(0 if self.naming.bias_first else 1, self.naming.offset(layer))
        text = " + ".join(parts)
        return Piece(text, arg.width + DIGIT * 6 + OPERATOR * (len(parts) - 1), SUM, arg.tall)

    def _layer(self, link: Link) -> Iterator[Equation]:
        naming, number = self.naming, link.number
        left = self._left(number)
        arg = symbol(naming.whole(number - 1))
        if link.sum:
            arg = self.sum(number, arg)
        if link.apply is None:
            yield Equation(left, arg)
        elif link.is_whole:
            own = (symbol(naming.parameters(number, key)) for key in link.apply.parameters)
            yield Equation(left, self.calls.apply(number, listed([arg, *own])))
        else:
            yield from self._unit_by_unit(link, left, arg)

    def _left(self, layer: int) -> Piece:
        named = layer == self.naming.depth and self.naming.outputs[1:]
        return self.stack(self.naming.units(layer)) if named else symbol(self.naming.whole(layer))

    def _unit_by_unit(self, link: Link, left: Piece, arg: Piece) -> Iterator[Equation]:
        """Take a vector apart for an activation that acts on some units only, or in groups."""
        assert link.apply is not None
        naming, number = self.naming, link.number
        if link.sum:
            names = [naming.pre(number, unit) for unit in range(link.sums.size)]
        else:
            names = naming.units(number - 1)
        if link.sum or number > 1:
            yield Equation(self.stack(names), arg)
        known = {link.apply.arg.name: [symbol(text) for text in names]}
        answers = self.scalars.answer(link.apply, known, Place())
        stack = self.stack([answer.text for answer in answers])
        tall = max(answer.tall for answer in answers)
        yield Equation(left, stack._replace(tall=max(stack.tall, tall)))

    # ---------------------------------------------------------------------------- the network as one function

    def _composition(self, naming: Perceptron) -> Iterator[list[Equation]]:
        name, x = r"\operatorname{MLP}", symbol(naming.whole(0))
        whole = Equation(self._left(naming.depth), symbol(f"{name}({x.text})"))
        if naming.is_shallow:
            inner = self._applied(1, self.sum(1, x))
            weights = ", ".join(self._constants(2) + self._constants(1))
            left = symbol(f"{name}({x.text};\\, {weights})")
            yield [Equation(left, self._applied(2, self.sum(2, inner))), whole]
            return
        yield [
            Equation(symbol(rf"f{_low(layer)}({x.text})"), self._applied(layer, self.sum(layer, x)))
            for layer in range(1, naming.depth + 1)
        ]
        chain = r" \circ ".join(f"f{_low(layer)}" for layer in range(naming.depth, 0, -1))
        yield [Equation(symbol(name), symbol(chain)), whole]

    def _applied(self, layer: int, arg: Piece) -> Piece:
        link = self.naming.link(layer)
        if link.apply is None:
            return arg
        own = (symbol(self.naming.parameters(layer, key)) for key in link.apply.parameters)
        return self.calls.apply(layer, listed([arg, *own]))

    def _constants(self, layer: int) -> list[str]:
        found = [self.naming.kernel(layer)]
        return found if self.naming.link(layer).offset is None else [*found, self.naming.offset(layer)]

    def _spelled(self, naming: Perceptron) -> Iterator[list[Equation]]:
        """Spell matrices and biases out: a row w_i a unit."""
        for layer in filter(naming.is_spelled, range(1, naming.depth + 1) if self.spelled else ()):
            count = naming.link(layer).sums.size
            rows = matrix(
                [" \\\\[0.5ex]\n".join(rf"{naming.line(layer, unit)}^{{\top}}" for unit in range(count))]
            )
            yield [Equation(symbol(naming.kernel(layer)), rows)]
            if naming.link(layer).offset is not None:
                biases = self.stack([naming.bias(layer, unit) for unit in range(count)])
                yield [Equation(symbol(naming.offset(layer)), biases)]


def _low(number: int) -> str:
    return f"_{number}" if number < 10 else f"_{{{number}}}"
