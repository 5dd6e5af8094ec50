r"""The backward pass layer by layer: \delta_1 = W_2^\top \delta_2 \odot g_1'(z_1), and what a batch makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nn2eq.emit.latex.names import index
from nn2eq.emit.latex.pieces import Equation, Piece, listed, symbol
from nn2eq.emit.latex.symbolic.backward import Backward, partial
from nn2eq.emit.latex.symbolic.links import Link
from nn2eq.emit.latex.symbolic.naming import Naming
from nn2eq.emit.latex.symbolic.vector import Vectors

UNREAD = "not evaluated: a batch, X and Y with a row a sample, and the update with the learning rate alpha"
"""What the comment says of a display that only people read."""


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
        back = [line for layer in reversed(layers) for line in self._delta(layer)]
        forward = [line for layer in layers for line in self._forward(layer)]
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

    # --------------------------------------------------------------------------------------------------- backwards

    def _delta(self, layer: int) -> Iterator[Equation]:
        naming, link, left = self._naming, self._naming.link(layer), symbol(self.made.delta_vector(layer))
        if layer == naming.depth and self.made.is_natural:
            y = naming.whole(layer)
            yield Equation(left, self.made.shared(symbol(f"{y} - {self.target}")._replace(strength=1)))
            return
        if layer == naming.depth:
            before = partial(self.made.top, naming.whole(layer))
            yield Equation(before, self._slope_of_loss())
        else:
            before = symbol(self._back(layer + 1))
        if link.apply is None:
            yield Equation(left, before)
            return
        slope = self._slope(link)
        single = link.sums.size == 1
        text = f"{before.text} {slope.text}" if single else rf"{before.text} \odot {slope.text}"
        if not (self._row or single):
            text += rf" = \operatorname{{diag}}({slope.text}) ({before.text})"
        yield Equation(left, symbol(text)._replace(tall=before.tall))

    def _slope_of_loss(self) -> Piece:
        units = [
            self.made.shared(self.made.of_output(unit, slope=True)) for unit in range(len(self.made.targets))
        ]
        return units[0] if len(units) == 1 else self.vectors.stack([unit.text for unit in units])

    def _slope(self, link: Link) -> Piece:
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
        if naming.units_first and naming.has_rows_of_inputs(layer):  # a vector of weights
            right = f"{delta} {arg}"
        elif naming.has_rows_of_inputs(layer):
            right = rf"{arg} \otimes {delta}"
        else:
            right = rf"{delta} \otimes {arg}"
        yield Equation(partial(self.made.top, naming.kernel(layer)), symbol(right))
        if link.offset is not None:
            yield Equation(partial(self.made.top, naming.offset(layer)), symbol(delta))

    # ------------------------------------------------------------------------------------------------------- batches

    def batch(self) -> str:
        r"""Return the same of a batch, a row a sample, and what training does with it.

        It is for people: each line sums what the equations above say of its samples.
        """
        naming = self._naming
        if not all(link.is_dense and link.is_whole for link in naming.links) or not self.made.is_natural:
            return ""
        lines = [r"L &= \frac{1}{n} \sum_{i=1}^{n} L_i"] if not self.made.loss.single else []
        share = len(self.made.targets) if self.made.loss.mean else 1
        count = "n" if share == 1 else f"{share} n"
        capital = naming.answer().replace("y", "Y")
        lines.append(
            rf"\Delta{index(naming.depth)} &= \frac{{1}}{{{count}}} \, ({capital} - {self.target.upper()})"
        )
        for layer in range(naming.depth - 1, 0, -1):
            link = naming.link(layer)
            kernel = (
                naming.turned(layer + 1) if naming.has_rows_of_inputs(layer + 1) else naming.kernel(layer + 1)
            )
            slope = rf" \odot {self.made.calls.name(layer)}'(Z{index(layer)})" if link.apply else ""
            lines.append(rf"\Delta{index(layer)} &= \Delta{index(layer + 1)} {kernel}{slope}")
        lines += [line for layer in range(1, naming.depth + 1) for line in self._of_batch(layer)]
        return f"% {UNREAD}\n\\begin{{align*}}\n" + " \\\\\n".join(lines) + "\n\\end{align*}\n"

    def _of_batch(self, layer: int) -> Iterator[str]:
        naming = self._naming
        arg = "X" if layer == 1 else rf"H{index(layer - 1)}"
        kernel, by = naming.kernel(layer), partial(self.made.top, naming.kernel(layer)).text
        delta = rf"\Delta{index(layer)}"
        product = (
            rf"{arg}^{{\top}} {delta}" if naming.has_rows_of_inputs(layer) else rf"{delta}^{{\top}} {arg}"
        )
        yield rf"{by} &= {product}"
        if naming.link(layer).offset is not None:
            yield rf"{partial(self.made.top, naming.offset(layer)).text} &= {delta}^{{\top}} \mathbf{{1}}"
        yield rf"{kernel} &\leftarrow {kernel} - \alpha {by}"
