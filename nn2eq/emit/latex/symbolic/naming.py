"""What a notation must say of the parts of a network, and what all notations have in common.

Layers are counted from 0, the inputs, to the last; units and inputs from 0 within their layer, whatever they are
called. A symbol is LaTeX, complete with its indices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from nn2eq.emit.latex.names import index
from nn2eq.emit.latex.symbolic.links import Link
from nn2eq.emit.latex.weights import entry, name


@dataclass(frozen=True)
class Naming:
    """The names of one text.

    first: the number of the first unit. inputs, outputs: symbols given, () for standing. letter: of the outputs.
    units_first: a weight's indices, and its matrix' rows, are unit and input, not from and to. bias_first: a sum
    begins with its bias. brackets: around an activation's argument. view, row, count: what is usual in this
    notation, a vector's equation or a unit's; whether vectors are rows; the number of the first unit.
    """

    links: tuple[Link, ...]
    first: int
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    letter: str = "y"

    units_first: ClassVar[bool] = False
    bias_first: ClassVar[bool] = False
    brackets: ClassVar[tuple[str, str]] = ("(", ")")
    view: ClassVar[str] = "scalar"
    row: ClassVar[bool] = False
    count: ClassVar[int] = 1

    # ------------------------------------------------------------------- what each notation says in its own way

    def vector(self, layer: int) -> str:
        """Return the symbol of a hidden layer's vector."""
        raise NotImplementedError

    def hidden(self, layer: int, unit: int) -> str:
        """Return the symbol of a hidden unit."""
        raise NotImplementedError

    def pre(self, layer: int, unit: int) -> str:
        """Return the symbol of a unit's sum, before its activation."""
        raise NotImplementedError

    def pre_vector(self, layer: int) -> str:
        """Return the symbol of a layer's sums."""
        raise NotImplementedError

    def weight(self, layer: int, arg: int, unit: int) -> str:
        """Return the symbol of the weight between a unit of the layer before and one of this."""
        raise NotImplementedError

    def bias(self, layer: int, unit: int) -> str:
        """Return the symbol of a unit's bias."""
        raise NotImplementedError

    def kernel(self, layer: int) -> str:
        """Return the symbol of a layer's matrix of weights."""
        raise NotImplementedError

    def offset(self, layer: int) -> str:
        """Return the symbol of a layer's vector of biases."""
        raise NotImplementedError

    def function(self, layer: int) -> str:
        """Return the symbol of a layer's activation, "" to call it by its own name."""
        return ""

    def template(self, layer: int) -> tuple[str, str]:
        """Return the symbols of any weight and any bias of a layer, for the head of a table.

        The letters i and j stand for the two indices of a weight, in the notation's own order.
        """
        raise NotImplementedError

    # ---------------------------------------------------------------------------------- what they have in common

    def has_rows_of_inputs(self, layer: int) -> bool:
        """Whether a layer's matrix has a row an input and a column a unit, as Keras' kernels have."""
        return not self.units_first

    def turned(self, layer: int) -> str:
        """Return the symbol of a layer's matrix transposed; one that has a superscript stands in braces."""
        kernel = self.kernel(layer)
        return rf"{{{kernel}}}^{{\top}}" if "^" in kernel else rf"{kernel}^{{\top}}"

    def head(self, layer: int, unit: int) -> str:
        """Return what the index of a unit is, in a table."""
        return str(unit + self.first)

    @property
    def depth(self) -> int:
        """How many layers there are, the output's among them."""
        return len(self.links)

    def link(self, layer: int) -> Link:
        """Return a layer, from 1."""
        return self.links[layer - 1]

    def size(self, layer: int) -> int:
        """Return how many units a layer has, or how many inputs there are."""
        return self.link(layer).out.size if layer else self.links[0].arg.size

    def answer(self) -> str:
        """Return the letter of the output."""
        return self.letter

    def unit(self, layer: int, unit: int) -> str:
        """Return the symbol of an input, a hidden unit or an output."""
        if 0 < layer < self.depth:
            return self.hidden(layer, unit)
        given, letter = (self.outputs, self.answer()) if layer else (self.inputs, "x")
        if given:
            return given[unit]
        return letter if self.size(layer) == 1 else letter + index(unit + self.first)

    def units(self, layer: int) -> list[str]:
        """Return the symbols of a layer's units."""
        return [self.unit(layer, unit) for unit in range(self.size(layer))]

    def whole(self, layer: int) -> str:
        """Return the symbol of a layer's vector; of one number its own symbol, bold where a part is called so."""
        if 0 < layer < self.depth:
            return self.vector(layer)
        letter, parts = self.answer() if layer else "x", self.units(layer)
        if len(parts) == 1:
            return parts[0]
        return rf"\mathbf{{{letter}}}" if letter in parts else letter

    def parameter(self, layer: int, key: str, unit: int) -> str:
        """Return the symbol of a unit's own parameter of an activation."""
        apply = self.link(layer).apply
        assert apply is not None
        return entry(apply.parameters[key], unit + self.first)

    def parameters(self, layer: int, key: str) -> str:
        """Return the symbol of a layer's vector of them."""
        apply = self.link(layer).apply
        assert apply is not None
        return name(apply.parameters[key])

    def taken(self) -> Iterator[str]:
        """Yield every symbol that no input or output may have."""
        yield from ("W", "b")  # of what several layers amount to
        for layer in range(self.depth + 1):
            yield from (self.unit(layer, unit) for unit in range(self.size(layer)) if 0 < layer < self.depth)
            yield self.whole(layer)
        for layer in range(1, self.depth + 1):
            yield from (self.kernel(layer), self.offset(layer), self.pre_vector(layer), self.function(layer))
            yield from (self.pre(layer, unit) for unit in range(self.link(layer).sums.size))
            yield from (self.bias(layer, unit) for unit in range(self.link(layer).sums.size))


def kind(link: Link) -> tuple[str, tuple[tuple[str, object], ...]]:
    """Return what makes two activations the same function."""
    assert link.apply is not None
    activation = link.apply.activation
    return activation.row.name, tuple(sorted((key, node.value) for key, node in activation.numbers.items()))
