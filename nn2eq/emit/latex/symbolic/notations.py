"""The notations of textbooks. THE table of them is `NOTATIONS`; a new one is a class and a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nn2eq.emit.latex.names import index, standing
from nn2eq.emit.latex.symbolic.naming import Naming, kind

SPELLED = 10
"""Units of a layer whose matrix is spelled out row by row."""


class Edges(Naming):
    """r_0 = g_r(x_0 W_{x_0,r_0} + b_{r_0}): a letter a layer, a weight named by its edge, from and to."""

    LETTERS: ClassVar[str] = "rstuvwpqhklmn"
    row = True
    count = 0

    def vector(self, layer: int) -> str:  # noqa: D102 - as in the class above, and so below
        hidden = self.depth - 1
        return self.LETTERS[layer - 1] if hidden <= len(self.LETTERS) else rf"h^{{({layer})}}"

    def hidden(self, layer: int, unit: int) -> str:  # noqa: D102
        return self.vector(layer) + index(unit + self.first)

    def _letter(self, layer: int) -> str:
        return self.vector(layer) if 0 < layer < self.depth else self.answer() if layer else "x"

    def pre(self, layer: int, unit: int) -> str:  # noqa: D102
        return "z" + index(self._to(layer, unit))

    def pre_vector(self, layer: int) -> str:  # noqa: D102
        return "z" + index(self._letter(layer))

    def _to(self, layer: int, unit: int) -> str:
        """Return the unit that a sum leads to; glu has more sums than units."""
        if self.link(layer).sums.size == self.size(layer):
            return self.unit(layer, unit)
        return self._letter(layer) + index(unit + self.first)

    def weight(self, layer: int, arg: int, unit: int) -> str:  # noqa: D102
        return "W" + index(self.unit(layer - 1, arg), self._to(layer, unit))

    def bias(self, layer: int, unit: int) -> str:  # noqa: D102
        return "b" + index(self._to(layer, unit))

    def kernel(self, layer: int) -> str:  # noqa: D102
        letter = "W" if self.link(layer).is_dense else "d"
        return letter + index(self._letter(layer - 1), self._letter(layer))

    def offset(self, layer: int) -> str:  # noqa: D102
        return "b" + index(self._letter(layer))

    def template(self, layer: int) -> tuple[str, str]:  # noqa: D102
        return "W_{i,j}", "b_j"

    def head(self, layer: int, unit: int) -> str:  # noqa: D102
        return self.unit(layer, unit)

    def function(self, layer: int) -> str:  # noqa: D102
        return "g" + index(self._letter(layer)) if self.link(layer).apply else ""

    def parameter(self, layer: int, key: str, unit: int) -> str:  # noqa: D102
        return _letters(key) + index(self.unit(layer, unit))

    def parameters(self, layer: int, key: str) -> str:  # noqa: D102
        return _letters(key) + index(self._letter(layer))


class Greek(Naming):
    r"""h_1 = a[\theta_{10} + \theta_{11} x]: a Greek letter a layer, unit and input; input 0 stands for the bias.

    Counted from 0, input 0 is an input, and the bias has the index b.
    """

    units_first = True
    bias_first = True
    brackets = ("[", "]")

    def _mark(self, layer: int) -> str:
        """Return what tells the layers apart: primes as far as they are usual, then superscripts."""
        if self.depth > 3:
            return rf"^{{({layer})}}" if layer < self.depth else ""
        return "'" if self.depth == 3 and layer > 1 else ""

    def _letter(self, layer: int) -> str:
        if layer == self.depth:
            return r"\phi" + self._mark(layer)
        return r"\psi" if layer == 2 and self.depth == 3 else r"\theta" + self._mark(layer)

    def answer(self) -> str:  # noqa: D102
        return self.letter + ("'" if self.depth == 3 else "")

    def vector(self, layer: int) -> str:  # noqa: D102
        return "h" + self._mark(layer)

    def hidden(self, layer: int, unit: int) -> str:  # noqa: D102
        return self.vector(layer) + index(unit + self.first)

    def pre(self, layer: int, unit: int) -> str:  # noqa: D102
        several = self.link(layer).sums.size > 1 or layer < self.depth
        return self.pre_vector(layer) + (index(unit + self.first) if several else "")

    def pre_vector(self, layer: int) -> str:  # noqa: D102
        return ("f" if layer == self.depth else "z") + self._mark(layer)

    def _place(self, layer: int, unit: int, arg: str) -> str:
        """Return the indices: unit and input, the input alone where there is one output."""
        alone = layer == self.depth and self.link(layer).sums.size == 1
        return arg if alone else _joined(str(unit + self.first), arg)

    def weight(self, layer: int, arg: int, unit: int) -> str:  # noqa: D102
        return self._letter(layer) + index(self._place(layer, unit, str(arg + self.first)))

    def bias(self, layer: int, unit: int) -> str:  # noqa: D102
        return self._letter(layer) + index(self._place(layer, unit, self._zero()))

    def _zero(self) -> str:
        return "0" if self.first else "b"

    def kernel(self, layer: int) -> str:  # noqa: D102
        letter = self._letter(layer)
        return "\\" + letter[1].upper() + letter[2:] if self.link(layer).is_dense else letter + "_d"

    def offset(self, layer: int) -> str:  # noqa: D102
        return self._letter(layer) + index(self._zero())

    def template(self, layer: int) -> tuple[str, str]:  # noqa: D102
        alone = layer == self.depth and self.link(layer).sums.size == 1
        place = ("j", self._zero()) if alone else ("ij", "i" + self._zero())
        return self._letter(layer) + index(place[0]), self._letter(layer) + index(place[1])

    def function(self, layer: int) -> str:  # noqa: D102
        kinds = list(dict.fromkeys(kind(link) for link in self.links if link.apply))
        if not self.link(layer).apply:
            return ""
        return "a" if len(kinds) == 1 else "a" + index(kinds.index(kind(self.link(layer))) + 1)


class Perceptron(Naming):
    r"""\sigma(w_m^\top \sigma(W x + b) + b_m), or f_i(x) = g_i(W_i x + b_i) where there are more layers."""

    units_first = True
    view = "vector"

    @property
    def is_shallow(self) -> bool:
        """Whether it has the one hidden layer of which a textbook speaks first."""
        return self.depth == 2 and self.is_plain and self.links[0].apply is not None

    @property
    def is_plain(self) -> bool:
        """Whether each layer is g(W x + b), so that the network is their composition."""
        return all(link.is_dense and link.is_whole for link in self.links)

    def _index(self, layer: int, *places: int) -> str:
        """Return the indices: of the layer where there are several such, and of places in it."""
        numbers = [str(place + self.first) for place in places]
        if not self.is_shallow:
            return index(layer, *numbers)
        return "" if layer == 1 and not places else index(_mlp(layer, numbers))

    def vector(self, layer: int) -> str:  # noqa: D102
        return "h" + ("" if self.is_shallow else index(layer))

    def hidden(self, layer: int, unit: int) -> str:  # noqa: D102
        return "h" + self._index(layer, unit)

    def pre(self, layer: int, unit: int) -> str:  # noqa: D102
        return "z" + self._index(layer, unit)

    def pre_vector(self, layer: int) -> str:  # noqa: D102
        return "z" + self._index(layer)

    def _is_last_alone(self, layer: int) -> bool:
        return self.is_shallow and layer == 2 and self.link(2).sums.size == 1

    def weight(self, layer: int, arg: int, unit: int) -> str:  # noqa: D102
        if self._is_last_alone(layer):
            return "w" + self._index(layer, arg)
        if not self.link(layer).is_dense:
            return "d" + self._index(layer, unit)
        return "W" + self._index(layer, unit, arg)

    def bias(self, layer: int, unit: int) -> str:  # noqa: D102
        return "b" + (self._index(layer) if self._is_last_alone(layer) else self._index(layer, unit))

    def kernel(self, layer: int) -> str:  # noqa: D102
        letter = "w" if self._is_last_alone(layer) else "W" if self.link(layer).is_dense else "d"
        return letter + self._index(layer)

    def offset(self, layer: int) -> str:  # noqa: D102
        return "b" + self._index(layer)

    def has_rows_of_inputs(self, layer: int) -> bool:  # noqa: D102
        return self._is_last_alone(layer)

    def template(self, layer: int) -> tuple[str, str]:  # noqa: D102
        if self._is_last_alone(layer):
            return "w_{m,j}", "b_m"
        if self.is_shallow:
            return ("W_{ij}", "b_i") if layer == 1 else ("W_{m,ij}", "b_{m,i}")
        return "W" + index(layer, "i", "j"), "b" + index(layer, "i")

    def is_spelled(self, layer: int) -> bool:
        """Whether a layer's matrix is spelled out, a row w_i a unit: not one row, and not a page of them."""
        return self.is_plain and not self._is_last_alone(layer) and self.link(layer).sums.size <= SPELLED

    def line(self, layer: int, unit: int) -> str:
        """Return the symbol of a row of a layer's matrix: the weights of one unit."""
        return "w" + self._index(layer, unit)

    def function(self, layer: int) -> str:  # noqa: D102
        return "" if self.is_shallow or not self.link(layer).apply else "g" + index(layer)


class Layers(Naming):
    """z_{1,3} and a_{1,3}, as all of nn2eq counts: layer and unit, W_{1,2,3} from input 2 to unit 3."""

    def vector(self, layer: int) -> str:  # noqa: D102
        return "a" + index(layer)

    def hidden(self, layer: int, unit: int) -> str:  # noqa: D102
        return "a" + index(layer, unit + self.first)

    def pre(self, layer: int, unit: int) -> str:  # noqa: D102
        return "z" + index(layer, unit + self.first)

    def pre_vector(self, layer: int) -> str:  # noqa: D102
        return "z" + index(layer)

    def weight(self, layer: int, arg: int, unit: int) -> str:  # noqa: D102
        if not self.link(layer).is_dense:
            return "d" + index(layer, unit + self.first)
        return "W" + index(layer, arg + self.first, unit + self.first)

    def bias(self, layer: int, unit: int) -> str:  # noqa: D102
        return "b" + index(layer, unit + self.first)

    def kernel(self, layer: int) -> str:  # noqa: D102
        return ("W" if self.link(layer).is_dense else "d") + index(layer)

    def offset(self, layer: int) -> str:  # noqa: D102
        return "b" + index(layer)

    def template(self, layer: int) -> tuple[str, str]:  # noqa: D102
        return "W" + index(layer, "i", "j"), "b" + index(layer, "j")


def _joined(*numbers: str) -> str:
    """Put indices together: 11, with a comma from ten on."""
    return ("," if any(len(number) > 1 for number in numbers) else "").join(numbers)


def _mlp(layer: int, numbers: list[str]) -> str:
    """Return the indices of a network of one hidden layer: 11 in the first, m and 1 in the second."""
    inside = _joined(*numbers)
    return inside if layer == 1 else f"m,{inside}" if inside else "m"


def _letters(key: str) -> str:
    """Spell the name of an activation's parameter."""
    return standing(key)


NOTATIONS: Mapping[str, type[Naming]] = {
    "edges": Edges, "greek": Greek, "mlp": Perceptron, "layers": Layers,
}  # fmt: skip
