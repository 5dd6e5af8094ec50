"""What the activations of a text in symbols are called, and the lines that say what the names mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from nn2eq.emit.latex.formulas import Units, Writer
from nn2eq.emit.latex.functions import is_standard, operator, without_i
from nn2eq.emit.latex.names import index, spelled, upright
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import Equation, Piece, bracketed, listed, symbol
from nn2eq.emit.latex.symbolic.naming import Naming, kind
from nn2eq.emit.options import Options
from nn2eq.forms.program import Apply

GREEK = frozenset({"alpha", "beta", "gamma", "delta", "theta", "epsilon"})


@dataclass(frozen=True, eq=False)
class Calls:
    """The activations of one text by the names that its notation gives them; used, sloped: those of which it speaks."""

    naming: Naming
    options: Options
    numbers: Numbers
    used: dict[str, int] = field(default_factory=dict)
    sloped: dict[str, int] = field(default_factory=dict)

    def name(self, layer: int) -> str:
        """Return what a layer's activation is called."""
        apply = self.naming.link(layer).apply
        assert apply is not None
        own = self.naming.function(layer) or self._own_name(layer)
        self.used.setdefault(own, layer)
        return own

    def _own_name(self, layer: int) -> str:
        """Return an activation's own name, numbered where several of that name differ in their numbers."""
        found = [link for link in self.naming.links if link.apply]
        kinds = {kind(link): operator(link.apply.activation) for link in found if link.apply}
        own = kinds[kind(self.naming.link(layer))]
        same = [key for key, name in kinds.items() if name == own]
        return own if len(same) == 1 else own + index(same.index(kind(self.naming.link(layer))) + 1)

    def apply(self, layer: int, arg: Piece) -> Piece:
        """Write the activation of a layer applied to its arguments."""
        return bracketed(self.name(layer), arg, *self._brackets(layer))

    def call(self, step: Apply, arg: Piece) -> Piece:
        """Write a step's activation applied to its arguments."""
        return self.apply(self._layer(step), arg)

    def call_at(self, step: Apply, unit: int, arg: Piece) -> Piece:
        """Write one unit's value, counted from 1, of a coupled activation applied to its whole group."""
        layer = self._layer(step)
        name = with_index(self.name(layer), str(unit - 1 + self.naming.first))
        return bracketed(name, arg, *self._brackets(layer))

    def _layer(self, step: Apply) -> int:
        return next(link.number for link in self.naming.links if link.apply is step)

    def _brackets(self, layer: int) -> tuple[str, str]:
        return self.naming.brackets if self.naming.function(layer) else ("(", ")")

    def slope(self, layer: int, arg: Piece) -> Piece:
        """Write the derivative of a layer's activation at its arguments."""
        name = self.name(layer)
        self.sloped.setdefault(name, layer)
        return bracketed(f"{name}'", arg, *self._brackets(layer))

    # ----------------------------------------------------------------------------------------------- definitions

    def slopes(self) -> list[Equation]:
        """Return what the derivatives that were used are, in terms of the activations."""
        return [self._slope(name, layer) for name, layer in self.sloped.items()]

    def _slope(self, name: str, layer: int) -> Equation:
        apply = self.naming.link(layer).apply
        assert apply is not None
        assert apply.activation.derivative is not None
        brackets = self._brackets(layer)
        own = {
            key: symbol(spelled(key) if key in GREEK else upright(key)) for key in apply.activation.per_unit
        }
        args = listed([symbol("z"), *own.values()])
        names = {"z": symbol("z"), "a": bracketed(name, args, *brackets), **own}
        body = Writer(self.numbers.one, names).write(apply.activation.derivative)
        return Equation(bracketed(f"{name}'", args, *brackets), body)

    def definitions(self) -> list[Equation]:
        """Return what the names that were used mean."""
        found = (self._definition(name, layer) for name, layer in self.used.items())
        return [equation for equation in found if equation.left.text != equation.right.text]

    def _definition(self, name: str, layer: int) -> Equation:
        apply = self.naming.link(layer).apply
        assert apply is not None
        activation, brackets = apply.activation, self._brackets(layer)
        if activation.row.coupled:
            units = Units(symbol("n"), under=str, name=lambda letter: symbol(f"z_{letter}"))
            names = {"z": symbol("z_i"), "partner": symbol("z_{i + n/2}")}
            body = Writer(self.numbers.one, names, units).write(without_i(activation.formula))
            return Equation(bracketed(with_index(name, "i"), symbol("z"), *brackets), body)
        own = {key: symbol(spelled(key) if key in GREEK else upright(key)) for key in activation.per_unit}
        left = bracketed(name, listed([symbol("z"), *own.values()]), *brackets)
        if is_standard(activation) and self.options.activations != "explicit":
            return Equation(left, bracketed(activation.row.symbol, symbol("z")))
        return Equation(left, Writer(self.numbers.one, {"z": symbol("z"), **own}).write(activation.formula))


_INDEXED = re.compile(r"(.*)_(?:\{([^{}]*)\}|(\w))")


def with_index(name: str, unit: str) -> str:
    """Add a unit to a function's name, behind an index of its own: g_{y,0}."""
    match = _INDEXED.fullmatch(name)
    return match[1] + index(match[2] or match[3], unit) if match else name + index(unit)
