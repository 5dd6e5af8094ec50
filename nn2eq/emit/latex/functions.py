"""What the activations of a text are called, and the lines that say what the names mean."""

from __future__ import annotations

from typing import NamedTuple

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit.latex.formulas import Units, Writer
from nn2eq.emit.latex.names import index, spelled, upright
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import Equation, Piece, bracketed, listed, symbol
from nn2eq.emit.options import Options
from nn2eq.forms.program import Apply, Function
from nn2eq.forms.size import Spelling

STANDARD = frozenset({r"\tanh", r"\exp", r"\ln", r"\log_{10}", r"\log_{2}"})
"""Operators that every reader knows."""


def is_standard(activation: Activation) -> bool:
    """Whether every reader knows what its name means."""
    return activation.row.symbol in STANDARD


def is_its_formula(activation: Activation) -> bool:
    """Whether its formula says it better than a name: a square, a root, a reciprocal of an input."""
    return bool(activation.row.transform) and not is_standard(activation)


def by_options(options: Options) -> Spelling:
    """Return how activations are spelled: by formula or by name, as the options ask.

    A formula with cases stays a name even if formulas are asked for, and is defined in a line of its own: a
    long expression has no place inside a brace.
    """

    def spelling(activation: Activation) -> fm.Node | None:
        if is_its_formula(activation):
            return activation.formula
        if options.activations != "explicit" or has_cases(activation.formula):
            return None
        return activation.formula

    return spelling


def has_cases(node: fm.Node) -> bool:
    """Whether a formula distinguishes cases."""
    return any(part.op == "where" for part in fm.walk(node))


class _Kind(NamedTuple):
    """What makes two activations the same function, whatever their units' own parameters are."""

    row: str
    numbers: tuple[tuple[str, fm.Node], ...]


def _kind(activation: Activation) -> _Kind:
    return _Kind(activation.row.name, tuple(sorted(activation.numbers.items(), key=lambda item: item[0])))


class Functions:
    """The functions of one text, a name each."""

    def __init__(self, function: Function, options: Options, numbers: Numbers) -> None:
        found = {
            _kind(step.activation): step.activation for step in function.steps if isinstance(step, Apply)
        }
        self._activations = {key: found[key] for key in found if not is_its_formula(found[key])}
        self._numbers = numbers
        self._options = options
        self._names = self._named(options.activations == "symbol")
        self._used: set[_Kind] = set()

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every name, which nothing else may have."""
        return tuple(self._names.values())

    def _named(self, anonymous: bool) -> dict[_Kind, str]:
        plain = {key: r"\sigma" if anonymous else operator(a) for key, a in self._activations.items()}
        names: dict[_Kind, str] = {}
        for key, name in plain.items():
            same = [other for other in plain if plain[other] == name]
            names[key] = name if len(same) == 1 else name + index(same.index(key) + 1)
        return names

    def call(self, step: Apply, arg: Piece) -> Piece:
        """Return the function's name applied to its arguments."""
        key = _kind(step.activation)
        self._used.add(key)
        return bracketed(self._names[key], arg)

    def call_at(self, step: Apply, unit: int, arg: Piece) -> Piece:
        """Return one unit's value of a coupled function applied to its whole group."""
        key = _kind(step.activation)
        self._used.add(key)
        return bracketed(with_index(self._names[key], str(unit)), arg)

    def definitions(self) -> list[Equation]:
        """Return what the names that were used mean."""
        used = {key: activation for key, activation in self._activations.items() if key in self._used}
        found = [
            self._definition(self._names[key], a) for key, a in used.items() if self._needs_definition(a)
        ]
        return [equation for equation in found if equation.left.text != equation.right.text]

    def _needs_definition(self, activation: Activation) -> bool:
        return self._options.activations != "name" or not is_standard(activation)

    def _definition(self, name: str, activation: Activation) -> Equation:
        parameters = {
            key: symbol(spelled(key) if key in _LETTERS else upright(key)) for key in activation.per_unit
        }
        if activation.row.coupled:
            return self._coupled(name, activation)
        z = symbol("z")
        left = bracketed(name, listed([z, *parameters.values()]))
        if self._options.activations == "symbol" and is_standard(activation):
            return Equation(left, bracketed(activation.row.symbol, z))
        writer = Writer(self._numbers.one, {"z": z, **parameters})
        return Equation(left, writer.write(activation.formula))

    def _coupled(self, name: str, activation: Activation) -> Equation:
        """Define unit i of a function of the vector z."""
        units = Units(symbol("n"), under=str, name=lambda index: symbol(f"z_{index}"))
        names = {"z": symbol("z_i"), "partner": symbol("z_{i + n/2}")}
        body = Writer(self._numbers.one, names, units).write(without_i(activation.formula))
        return Equation(bracketed(with_index(name, "i"), symbol("z")), body)


_LETTERS = frozenset({"alpha", "beta", "gamma", "delta", "theta", "epsilon"})


def operator(activation: Activation) -> str:
    """Return how LaTeX calls an activation by its name."""
    return activation.row.symbol or rf"\operatorname{{{activation.row.name}}}"


def with_index(name: str, unit: str) -> str:
    r"""Add a unit to a function's name: \operatorname{softmax}_3, or _{1,3} behind an index of its own."""
    head, underscore, own = name.rpartition("_")
    if underscore and own.strip("{}").isdigit():
        return head + index(own.strip("{}"), unit)
    return name + index(unit)


def without_i(node: fm.Node) -> fm.Node:
    """Call a reduction's index m where the table calls it i, which is the unit's own here."""

    def renamed(value: object) -> object:
        if value == "i":
            return "m"
        return (value[0], "m") if isinstance(value, tuple) and value[1] == "i" else value

    value = renamed(node.value) if node.op in ("unit", *fm.REDUCTIONS) else node.value
    return fm.Node(node.op, tuple(without_i(arg) for arg in node.args), value)
