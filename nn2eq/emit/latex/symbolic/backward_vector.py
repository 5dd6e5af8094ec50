r"""The backward pass layer by layer: \delta_1 = W_2^\top \delta_2 \odot g_1'(z_1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nn2eq import formula as fm
from nn2eq.emit.latex.formulas import Writer
from nn2eq.emit.latex.pieces import Equation, Piece, listed, symbol
from nn2eq.emit.latex.symbolic.backward import Backward, partial
from nn2eq.emit.latex.symbolic.links import Link
from nn2eq.emit.latex.symbolic.naming import Naming
from nn2eq.emit.latex.symbolic.vector import Vectors
from nn2eq.emit.printing import SIGN, SUM

_SQUARE = fm.parse("a**2")


def _squares_named(node: fm.Node) -> fm.Node:
    """Give the square of a value a name: of a vector it is taken unit by unit."""
    if node == _SQUARE:
        return fm.name("square")
    return fm.Node(node.op, tuple(map(_squares_named, node.args)), node.value)


def _factor(piece: Piece) -> str:
    """Write a factor, in brackets if it is a sum."""
    return f"({piece.text})" if piece.strength == SUM else piece.text


@dataclass(frozen=True, eq=False)
class VectorBackward:
    """Writes whole layers; made: the loss and the units; target: the symbol of what the outputs should be."""

    made: Backward
    vectors: Vectors
    target: str

    @property
    def _naming(self) -> Naming:
        return self.made.naming

    @property
    def _row(self) -> bool:
        return self.vectors.row

    def blocks(self) -> list[list[Equation]]:
        """Return the equations forwards and backwards, and the derivatives."""
        layers = range(1, self._naming.depth + 1)
        loss = [] if self.made.loss.single else [Equation(symbol("L"), self.made.loss_formula())]
        forward = [line for layer in layers for line in self._forward(layer)]
        back = [line for layer in reversed(layers) for line in self._delta(layer)]
        return [self._stack(), forward, loss, back, *(list(self._gradients(layer)) for layer in layers)]

    def answers(self) -> list[str]:
        """Return the symbols of the loss and of every derivative, layer after layer."""
        found = [] if self.made.loss.single else ["L"]
        layers = range(1, self._naming.depth + 1)
        return found + [left.text for layer in layers for left, _ in self._gradients(layer)]

    def _stack(self) -> list[Equation]:
        naming = self._naming
        return (
            [Equation(symbol(naming.whole(0)), self.vectors.stack(naming.units(0)))]
            if naming.inputs[1:]
            else []
        )

    def _forward(self, layer: int) -> Iterator[Equation]:
        naming, link = self._naming, self._naming.link(layer)
        arg = symbol(naming.whole(layer - 1))
        if link.sum and link.apply:
            yield Equation(symbol(naming.pre_vector(layer)), self.vectors.sum(layer, arg))
            arg = symbol(naming.pre_vector(layer))
        elif link.sum:
            arg = self.vectors.sum(layer, arg)
        if link.apply:
            own = (symbol(naming.parameters(layer, key)) for key in link.apply.parameters)
            arg = self.made.calls.apply(layer, listed([arg, *own]))
        yield Equation(symbol(naming.whole(layer)), arg)
        if layer == naming.depth and naming.outputs[1:]:  # whose names are no parts of the vector's
            yield Equation(self.vectors.stack(naming.units(layer)), symbol(naming.whole(layer)))

    # --------------------------------------------------------------------------------------------------- backwards

    def _delta(self, layer: int) -> Iterator[Equation]:
        naming, link, left = self._naming, self._naming.link(layer), symbol(self.made.delta_vector(layer))
        if layer == naming.depth and self.made.is_natural:
            y = naming.whole(layer)
            yield Equation(left, self.made.shared(symbol(f"{y} - {self.target}")._replace(strength=1)))
            return
        if layer < naming.depth:
            before = symbol(self._back(layer + 1))
        elif self.made.loss.single:
            yield Equation(left, self.slope(link) if link.apply else symbol("1"))
            return
        else:
            before = partial(self.made.top, naming.whole(layer))
            yield Equation(before, self._slope_of_loss())
        text = before.text if link.apply is None else " = ".join(self._times_slope(link, before.text))
        yield Equation(left, symbol(text)._replace(tall=before.tall))

    def _times_slope(self, link: Link, before: str) -> Iterator[str]:
        """Yield the ways to write what comes back to an activation times its slope: by name, and by its value."""
        slope = self.slope(link).text
        if link.sums.size == 1:
            yield f"{before} {slope}"
            return
        yield rf"{before} \odot {slope}"
        if not self._row:
            yield rf"\operatorname{{diag}}({slope}) ({before})"
        if by_value := self.by_value(link, self._naming.whole(link.number)):
            yield rf"{before} \odot {by_value}"

    def by_value(self, link: Link, value: str) -> str:
        r"""Write the slope of an activation by its value alone, h \odot (1 - h), "" where that is not enough."""
        assert link.apply is not None
        node = link.apply.activation.derivative
        if node is None or fm.mentions(node, "z") or not fm.mentions(node, "a") or link.apply.parameters:
            return ""
        square = symbol(rf"{value} \odot {value}")._replace(strength=SIGN)
        writer = Writer(self.made.calls.numbers.one, {"a": symbol(value), "square": square})
        factors = map(_squares_named, node.args if node.op == "*" else (node,))
        return r" \odot ".join(_factor(writer.write(factor)) for factor in factors)

    def _slope_of_loss(self) -> Piece:
        units = [self.made.slope_of_loss(unit) for unit in range(len(self.made.targets))]
        return units[0] if len(units) == 1 else self.vectors.stack([unit.text for unit in units])

    def slope(self, link: Link) -> Piece:
        """Write the derivative of a layer's activation at all its sums."""
        naming, layer = self._naming, link.number
        assert link.apply is not None
        own = (symbol(naming.parameters(layer, key)) for key in link.apply.parameters)
        z = naming.pre_vector(layer) if link.sum else naming.whole(layer - 1)
        return self.made.calls.slope(layer, listed([symbol(z), *own]))

    def _back(self, layer: int) -> str:
        """Write a layer's deltas taken back through its matrix."""
        naming, link, delta = self._naming, self._naming.link(layer), self.made.delta_vector(layer)
        if link.sum is None:
            return delta
        if not link.is_dense:
            return rf"{naming.kernel(layer)} \odot {delta}"
        turned = naming.has_rows_of_inputs(layer) == self._row
        kernel = naming.turned(layer) if turned else naming.kernel(layer)
        return f"{delta} {kernel}" if self._row else f"{kernel} {delta}"

    def _gradients(self, layer: int) -> Iterator[Equation]:
        naming, link = self._naming, self._naming.link(layer)
        if not link.is_dense:
            return
        delta, arg = self.made.delta_vector(layer), naming.whole(layer - 1)
        if naming.units_first and naming.has_rows_of_inputs(layer) and not self._row:  # a vector of weights
            right = f"{delta} {arg}"
        elif naming.has_rows_of_inputs(layer):
            right = rf"{arg} \otimes {delta}"
        else:
            right = rf"{delta} \otimes {arg}"
        yield Equation(partial(self.made.top, naming.kernel(layer)), symbol(right))
        if link.offset is not None:
            yield Equation(partial(self.made.top, naming.offset(layer)), symbol(delta))
