r"""The backward pass of a batch, a row a sample: \Delta_1 = \Delta_2 W_2 \odot H_1 \odot (1 - H_1), and the update."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nn2eq.emit.latex.display import BATCH, display
from nn2eq.emit.latex.names import index
from nn2eq.emit.latex.pieces import Equation, symbol
from nn2eq.emit.latex.symbolic.backward import partial
from nn2eq.emit.latex.symbolic.backward_vector import VectorBackward
from nn2eq.emit.latex.symbolic.links import Link
from nn2eq.emit.latex.symbolic.naming import Naming

MARK = "% batch: a row a sample; L_i is the loss of sample i, n their number, alpha the learning rate"
"""The comment in front of the display: it is read by itself, since L is the mean over the samples there."""
ONES = r"\mathbf{1}"
"""The column of as many ones as there are samples."""
_LETTER = re.compile(r"(?<![\\A-Za-z])[a-z](?![A-Za-z])")


def capital(name: str) -> str:
    r"""Return what a vector is called whose samples lie one below the other: H_1 of h_1, \hat{Y} of \hat{y}."""
    return _LETTER.sub(lambda letter: letter[0].upper(), name, count=1)


def replaced(name: str) -> str:
    """Return by what symbol a reader is told of the weights behind the update."""
    return rf"\widetilde{{{name}}}"


@dataclass(frozen=True, eq=False)
class Batch:
    """Writes the batch; of: the equations of one sample."""

    of: VectorBackward

    @property
    def _naming(self) -> Naming:
        return self.of.made.naming

    @property
    def layers(self) -> range:
        """The numbers of the layers."""
        return range(1, self._naming.depth + 1)

    def value(self, layer: int) -> str:
        """Return the symbol of a layer's values, a row a sample: X, H_1, and the answers."""
        naming = self._naming
        outside = {0: "X", naming.depth: capital(naming.answer())}
        return outside.get(layer) or capital(naming.whole(layer))

    @property
    def target(self) -> str:
        """The symbol of what the answers should be, a row a sample."""
        return capital(self.of.target)

    @property
    def is_said(self) -> bool:
        """Whether the network and its loss are such that textbooks write them so, and no symbol means two things."""
        naming = self._naming
        plain = all(
            link.is_dense and link.is_whole and not (link.apply and link.apply.parameters)
            for link in naming.links
        )
        own = {self.target, *map(self.value, (0, *self.layers)), *(self._sums(link) for link in naming.links)}
        others = {*self.weights(), *naming.units(0), *naming.units(naming.depth), *self.of.made.targets}
        return plain and bool(self._first()) and not own & others

    def write(self) -> str:
        """Return the display with its mark, "" if there is nothing to say."""
        if not self.is_said:
            return ""
        forward = [line for layer in self.layers for line in self._forward(layer)]
        loss = [Equation(symbol("L"), symbol(r"\frac{1}{n} \sum_{i=1}^{n} L_i"))]
        back = [line for layer in reversed(self.layers) for line in self._back(layer)]
        blocks = [forward, loss, back, *(list(self._gradients(layer)) for layer in self.layers)]
        updates = [rf"{name} &\leftarrow {name} - \alpha {self._by(name)}" for name in self.weights()]
        return f"{BATCH}\n{MARK}\n" + display(blocks).replace(
            "\n\\end{align*}", " \\\\[1ex]\n" + " \\\\\n".join(updates) + "\n\\end{align*}"
        )

    def weights(self) -> list[str]:
        """Return the symbols of all kernels and offsets, layer after layer."""
        naming, found = self._naming, []
        for layer in self.layers:
            found += [naming.kernel(layer)]
            found += [naming.offset(layer)] if naming.link(layer).offset is not None else []
        return found

    def answers(self) -> list[str]:
        """Return the symbols of the loss, of all derivatives, and of the weights behind the update."""
        weights = self.weights()
        return ["L", *map(self._by, weights), *map(replaced, weights)]

    def _by(self, name: str) -> str:
        return partial(self.of.made.top, name).text

    def _sums(self, link: Link) -> str:
        """Return the symbol of a layer's sums, which are its values if it has no activation."""
        naming = self._naming
        if link.apply is None:
            return self.value(link.number)
        return capital(naming.pre_vector(link.number))

    def _forward(self, layer: int) -> Iterator[Equation]:
        naming, link = self._naming, self._naming.link(layer)
        kernel = naming.kernel(layer) if naming.has_rows_of_inputs(layer) else naming.turned(layer)
        text = f"{self.value(layer - 1)} {kernel}"
        if link.offset is not None:
            offset = naming.offset(layer)
            is_one = link.sums.size == 1 or self.of.vectors.row
            text += f" + {ONES} {offset if is_one else turned(offset)}"
        yield Equation(symbol(self._sums(link)), symbol(text))
        if link.apply is not None:
            called = self.of.made.calls.apply(layer, symbol(self._sums(link)))
            yield Equation(symbol(self.value(layer)), called)

    def _first(self) -> str:
        """Write the derivative by the sums of the outputs, "" for a loss that has no formula of whole arrays."""
        made, link = self.of.made, self._naming.link(self._naming.depth)
        share = len(made.targets) if made.loss.mean else 1
        difference = f"({self.value(link.number)} - {self.target})"
        count = "n" if share == 1 else f"{share} n"
        if made.is_natural:
            return rf"\frac{{1}}{{{count}}} \, {difference}"
        if made.loss.name != "mse":
            return ""
        slope = self._slope(link)
        return rf"\frac{{2}}{{{count}}} \, {difference}" + (rf" \odot {slope}" if slope else "")

    def _slope(self, link: Link) -> str:
        if link.apply is None:
            return ""
        by_value = self.of.by_value(link, self.value(link.number))
        return by_value or self.of.made.calls.slope(link.number, symbol(self._sums(link))).text

    def _back(self, layer: int) -> Iterator[Equation]:
        naming, left = self._naming, symbol(rf"\Delta{index(layer)}")
        if layer == naming.depth:
            yield Equation(left, symbol(self._first()))
            return
        behind = layer + 1
        kernel = naming.turned(behind) if naming.has_rows_of_inputs(behind) else naming.kernel(behind)
        slope = self._slope(naming.link(layer))
        text = rf"\Delta{index(behind)} {kernel}" + (rf" \odot {slope}" if slope else "")
        yield Equation(left, symbol(text))

    def _gradients(self, layer: int) -> Iterator[Equation]:
        naming, delta = self._naming, rf"\Delta{index(layer)}"
        arg = self.value(layer - 1)
        of_inputs = naming.has_rows_of_inputs(layer)
        product = f"{turned(arg)} {delta}" if of_inputs else f"{turned(delta)} {arg}"
        yield Equation(partial(self.of.made.top, naming.kernel(layer)), symbol(product))
        if naming.link(layer).offset is not None:
            one = f"{turned(ONES)} {delta}" if self.of.vectors.row else f"{turned(delta)} {ONES}"
            yield Equation(partial(self.of.made.top, naming.offset(layer)), symbol(one))


def turned(name: str) -> str:
    """Return a symbol transposed; one that has a superscript stands in braces."""
    return rf"{{{name}}}^{{\top}}" if "^" in name else rf"{name}^{{\top}}"
