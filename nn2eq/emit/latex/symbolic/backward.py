r"""The backward pass unit by unit: \delta_{r_0} = (\delta_{s_0} W_{r_0,s_0} + ...) g_r'(z_{r_0}), each in a colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from nn2eq import formula as fm
from nn2eq.emit.latex.formulas import Writer
from nn2eq.emit.latex.names import index
from nn2eq.emit.latex.pieces import Equation, Piece, Term, listed, symbol, total
from nn2eq.emit.latex.scalars import Scalars
from nn2eq.emit.latex.symbolic.calls import Calls
from nn2eq.emit.latex.symbolic.colours import coloured, palette
from nn2eq.emit.latex.symbolic.links import Link
from nn2eq.emit.latex.symbolic.naming import Naming
from nn2eq.emit.latex.symbolic.scalar import unit_equations
from nn2eq.emit.printing import ATOM, SIGN, SUM
from nn2eq.forms.losses import Loss

TALL = 3
"""How tall a derivative is as a fraction."""


def partial(top: str, bottom: str) -> Piece:
    """Write a derivative."""
    text = rf"\frac{{\partial {top}}}{{\partial {bottom}}}"
    return Piece(text, max(symbol(top).width, symbol(bottom).width) + 12, ATOM, TALL)


def product(left: Piece, right: Piece) -> Piece:
    """Write two factors side by side."""
    left, right = left.within(SIGN), right.within(SIGN)
    width = left.width + right.width + 2
    return Piece(f"{left.text} {right.text}", width, SIGN, max(left.tall, right.tall))


def chained(first: Piece, second: Piece) -> Piece:
    """Write what something is in two ways, one behind the other."""
    return Piece(
        f"{first.text} = {second.text}", first.width + second.width + 12, SUM, max(first.tall, second.tall)
    )


@dataclass(frozen=True, eq=False)
class Backward:
    """Writes the backward pass of one text.

    targets: what the outputs should be. derivation: every factor of the chain rule too. row: vectors are rows.
    """

    naming: Naming
    scalars: Scalars
    calls: Calls
    loss: Loss
    targets: tuple[str, ...]
    derivation: bool = False
    row: bool = False
    colours: dict[tuple[int, int], str] = field(default_factory=dict)

    def in_colours(self) -> Backward:
        """Give each delta that the equations mention more than once a colour of its own."""
        naming = self.naming
        shared = [(layer, unit) for layer in range(naming.depth, 0, -1) for unit in range(naming.size(layer))]
        return replace(self, colours=dict(palette(shared)))

    @property
    def top(self) -> str:
        """Return what is differentiated: the loss, or the output itself."""
        return self.naming.unit(self.naming.depth, 0) if self.loss.single else "L"

    def delta(self, layer: int, unit: int) -> Piece:
        """Write the derivative by a unit's sum."""
        piece = symbol(rf"\delta{index(self.naming.unit(layer, unit))}")
        colour = self.colours.get((layer, unit))
        return coloured(piece, colour) if colour else piece

    def by(self, name: str) -> str:
        """Return the symbol of the derivative by something."""
        return partial(self.top, name).text

    def partial_of_output(self, unit: int) -> str:
        """Return the symbol of the derivative by an output."""
        return self.by(self.naming.unit(self.naming.depth, unit))

    def delta_vector(self, layer: int) -> str:
        """Return the symbol of the derivative by a layer's sums."""
        return rf"\delta{index(layer)}"

    # ---------------------------------------------------------------------------------------------- the equations

    def forward(self) -> list[list[Equation]]:
        """Return every sum and every unit, and the loss."""
        blocks = [
            list(unit_equations(self.naming, self.scalars, link, joined=False)) for link in self.naming.links
        ]
        return blocks if self.loss.single else [*blocks, [Equation(symbol("L"), self.loss_formula())]]

    def loss_formula(self) -> Piece:
        """Write the loss of one sample."""
        terms = [self._term(unit) for unit in range(len(self.targets))]
        return self.shared(total(terms)) if len(terms) > 1 else self.of_output(0, self.loss.node)

    def _term(self, unit: int) -> Term:
        """Write what one output adds to the loss, its sign apart: a - b, not a + -b."""
        node = self.loss.node
        if node.op == "neg":
            return Term(True, self.of_output(unit, node.args[0]).within(SIGN))
        return Term(False, self.of_output(unit, node))

    def of_output(self, unit: int, node: fm.Node) -> Piece:
        """Write a formula of the loss at one output."""
        y = symbol(self.naming.unit(self.naming.depth, unit))
        names = {"y": y} if self.loss.single else {"y": y, "t": symbol(self.targets[unit])}
        return Writer(self.scalars.weights.numbers.one, names).write(node)

    def slope_of_loss(self, unit: int) -> Piece:
        """Write the derivative of the loss by one output."""
        return self.shared(self.of_output(unit, self.loss.derivative))

    def shared(self, piece: Piece) -> Piece:
        """Divide by the number of outputs where the loss is their mean."""
        count = len(self.targets)
        if count == 1 or not self.loss.mean:
            return piece
        return product(Piece(rf"\frac{{1}}{{{count}}}", 8.0, ATOM, TALL), piece)

    @property
    def is_natural(self) -> bool:
        """Whether the loss goes with the last activation, so that its derivative is y - t."""
        apply = self.naming.links[-1].apply
        return apply is not None and apply.activation.row.name == self.loss.natural

    def deltas(self) -> list[list[Equation]]:
        """Return the deltas, from the outputs back as far as there are weights."""
        first = next((link.number for link in self.naming.links if link.is_dense), self.naming.depth)
        layers = range(self.naming.depth, first - 1, -1)
        return [
            [line for unit in range(self.naming.size(k)) for line in self._delta(k, unit)] for k in layers
        ]

    def _delta(self, layer: int, unit: int) -> Iterator[Equation]:
        if self.derivation:
            yield from self._derived(layer, unit)
            return
        link, left = self.naming.link(layer), self.delta(layer, unit)
        if layer < self.naming.depth:
            before = self._behind(layer, unit)
            yield Equation(left, product(before, self.slope(link, unit)) if link.apply else before)
        elif self.is_natural:
            yield Equation(left, self.difference(unit))
        elif self.loss.single:
            yield Equation(left, self.slope(link, unit) if link.apply else symbol("1"))
        else:
            before = partial(self.top, self.naming.unit(layer, unit))
            yield Equation(before, self.slope_of_loss(unit))
            yield Equation(left, product(before, self.slope(link, unit)) if link.apply else before)

    def difference(self, unit: int) -> Piece:
        """Write what the derivative by the sum of an output is where the loss goes with its activation."""
        y, t = self.naming.unit(self.naming.depth, unit), self.targets[unit]
        return self.shared(total([Term(False, symbol(y)), Term(True, symbol(t))]))

    def _behind(self, layer: int, unit: int) -> Piece:
        """Write by how much the loss moves with a hidden unit: the sum over what it leads to."""
        link = self.naming.link(layer + 1)
        if link.sum is None:
            return self.delta(layer + 1, unit)
        units = range(link.sums.size) if link.is_dense else (unit,)
        terms = [
            Term(False, product(self.delta(layer + 1, to), symbol(self.naming.weight(layer + 1, unit, to))))
            for to in units
        ]
        return total(terms)

    def slope(self, link: Link, unit: int) -> Piece:
        """Write the derivative of a unit's activation at its sum."""
        assert link.apply is not None
        z = symbol(self.sum_of(link.number, unit))
        return self.calls.slope(link.number, listed([z, *self.scalars.parameters(link.apply, unit).values()]))

    def sum_of(self, layer: int, unit: int) -> str:
        """Return the symbol of what a unit's activation takes."""
        link = self.naming.link(layer)
        if link.apply is None:
            return self.naming.unit(layer, unit)
        return self.naming.pre(layer, unit) if link.sum else self.naming.unit(layer - 1, unit)

    # ----------------------------------------------------------------------------------------------- the gradients

    def gradients(self) -> list[list[Equation]]:
        """Return the derivative by every weight and bias, a block a layer."""
        return [list(self._gradients(link)) for link in self.naming.links if link.is_dense]

    def _gradients(self, link: Link) -> Iterator[Equation]:
        naming, layer = self.naming, link.number
        for arg in range(link.arg.size):
            for unit in range(link.sums.size):
                by = symbol(naming.unit(layer - 1, arg))
                yield from self._gradient(layer, unit, naming.weight(layer, arg, unit), by)
        for unit in range(link.sums.size) if link.offset is not None else ():
            yield from self._gradient(layer, unit, naming.bias(layer, unit), None)

    def _gradient(self, layer: int, unit: int, weight: str, by: Piece | None) -> Iterator[Equation]:
        """Yield the derivative by a weight, which is multiplied by something, or by a bias."""
        delta, left = self.delta(layer, unit), partial(self.top, weight)
        found = delta if by is None else product(delta, by)
        if not self.derivation:
            yield Equation(left, found)
            return
        factor = partial(self.sum_of(layer, unit), weight)
        yield Equation(left, chained(product(delta, factor), found))
        yield Equation(factor, by or symbol("1"))

    def answers(self) -> list[str]:
        """Return the symbols of the loss and of every derivative, layer after layer, as Keras keeps its weights."""
        found = [] if self.loss.single else ["L"]
        return found + [left.text for block in self._plain().gradients() for left, _ in block]

    def _plain(self) -> Backward:
        """Return the same without the factors of the chain rule."""
        return replace(self, derivation=False)

    # -------------------------------------------------------------------------------------------- the chain rule

    def _derived(self, layer: int, unit: int) -> Iterator[Equation]:
        """Yield a delta as textbooks derive it: the product of the chain rule, each factor, and what comes of it."""
        naming, link, left = self.naming, self.naming.link(layer), self.delta(layer, unit)
        own, z = naming.unit(layer, unit), self.sum_of(layer, unit)
        if self.is_natural and layer == naming.depth:
            yield from self._natural(unit)
            return
        if own == self.top:
            yield Equation(left, self.slope(link, unit) if link.apply else symbol("1"))
            return
        if link.apply:
            yield Equation(partial(self.top, z), product(partial(self.top, own), partial(own, z)))
        yield from self._by_unit(layer, unit)
        if link.apply is None:
            yield Equation(left, partial(self.top, own))
            return
        yield Equation(partial(own, z), self.slope(link, unit))
        before = partial(self.top, own) if layer == naming.depth else self._behind(layer, unit)
        yield Equation(left, chained(partial(self.top, z), product(before, self.slope(link, unit))))

    def _by_unit(self, layer: int, unit: int) -> Iterator[Equation]:
        """Yield the derivative by a unit's value: the loss', or over all that the unit leads to."""
        by = partial(self.top, self.naming.unit(layer, unit))
        if layer == self.naming.depth:
            yield Equation(by, self.slope_of_loss(unit))
            return
        yield Equation(by, self._over_ways(layer, unit))
        yield from self._ways(layer, unit)

    def _natural(self, unit: int) -> Iterator[Equation]:
        """Yield what the loss and the last activation make together: sums over the outputs if it couples them."""
        layer, link = self.naming.depth, self.naming.link(self.naming.depth)
        assert link.apply is not None
        z, coupled = self.sum_of(layer, unit), link.apply.activation.row.coupled
        others = range(len(self.targets)) if coupled else (unit,)
        names = {other: self.naming.unit(layer, other) for other in others}
        ways = [Term(False, product(partial(self.top, own), partial(own, z))) for own in names.values()]
        yield Equation(partial(self.top, z), total(ways))
        for other in others if not coupled or unit == 0 else ():
            yield Equation(partial(self.top, names[other]), self.slope_of_loss(other))
        for other, own in names.items():
            slope = self._coupled(own, names[unit], other == unit) if coupled else self.slope(link, unit)
            yield Equation(partial(own, z), slope)
        yield Equation(self.delta(layer, unit), chained(partial(self.top, z), self.difference(unit)))

    def _coupled(self, own: str, other: str, same: bool) -> Piece:
        """Write the derivative of one answer of a softmax by the sum of another, or by its own."""
        rest = total([Term(False, symbol("1")), Term(True, symbol(other))]) if same else symbol(other)
        found = product(symbol(own), rest)
        return found if same else total([Term(True, found)])

    def _to(self, layer: int, unit: int) -> Sequence[int]:
        link = self.naming.link(layer + 1)
        return range(link.sums.size) if link.is_dense else (unit,)

    def _ways(self, layer: int, unit: int) -> Iterator[Equation]:
        """Yield by how much each sum that a unit leads to moves with it."""
        link, own = self.naming.link(layer + 1), self.naming.unit(layer, unit)
        for to in self._to(layer, unit) if link.sum else ():
            weight = symbol(self.naming.weight(layer + 1, unit, to))
            yield Equation(partial(self.sum_of(layer + 1, to), own), weight)

    def _over_ways(self, layer: int, unit: int) -> Piece:
        link, own = self.naming.link(layer + 1), self.naming.unit(layer, unit)
        if link.sum is None:
            return self.delta(layer + 1, unit)
        factors = [
            product(self.delta(layer + 1, to), partial(self.sum_of(layer + 1, to), own))
            for to in self._to(layer, unit)
        ]
        return total([Term(False, factor) for factor in factors])
