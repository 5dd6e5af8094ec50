"""Steps written number by number: what the nested and the layered layout share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from nn2eq import formula as fm
from nn2eq.emit.latex.formulas import Units, Writer
from nn2eq.emit.latex.names import Symbols
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import Piece, Place, listed, symbol
from nn2eq.emit.latex.polynomials import polynomials
from nn2eq.forms.program import Affine, Apply, Combine, Constant, Polynomial, Step, Value
from nn2eq.forms.size import Spelling


class Sums(Protocol):
    """What writes the sums of affine steps, in numbers or in symbols."""

    @property
    def numbers(self) -> Numbers:
        """How numbers are written."""

    @property
    def symbolic(self) -> bool:
        """Whether weights are symbols."""

    def sums(self, step: Affine, args: Mapping[str, list[Piece]], place: Place) -> list[Piece]:
        """Return each unit's sum over the pieces of the step's arguments."""

    def parameter(self, constant: Constant, unit: int) -> Piece:
        """Return one unit's own parameter of an activation."""


class Called(Protocol):
    """What writes activations by a name."""

    def call(self, step: Apply, arg: Piece) -> Piece:
        """Write a step's activation applied to its arguments."""

    def call_at(self, step: Apply, unit: int, arg: Piece) -> Piece:
        """Write one unit's value, from 1, of a coupled activation applied to its whole group."""


class Scalars(NamedTuple):
    """What the equations of one text are written with; box: where they hold, () for everywhere."""

    weights: Sums
    symbols: Symbols
    functions: Called
    spelling: Spelling
    box: Sequence[tuple[float, float]] = ()

    def named(self, value: Value) -> list[Piece]:
        """Return the symbols of inputs or outputs."""
        return [symbol(self.symbols.of(part)) for part in value.parts]

    def answer(self, step: Step, known: dict[str, list[Piece]], place: Place) -> list[Piece]:
        """Return each unit of a step's answer, every argument written out."""
        if isinstance(step, Affine):
            return self.weights.sums(step, known, place)
        assert not isinstance(step, Combine)  # a formula over several values is the layered layout's
        args = known[step.arg.name]
        if isinstance(step, Polynomial):
            return polynomials(step, args, self.weights.numbers, place)
        assert isinstance(step, Apply)  # cases are equations of their own
        size = len(args) // step.activation.groups
        groups = [args[start : start + size] for start in range(0, len(args), size)]
        outputs = step.activation.outputs(size)
        return [
            self._unit(step, group, unit, number * outputs + unit, place)
            for number, group in enumerate(groups)
            for unit in range(outputs)
        ]

    def _unit(self, step: Apply, group: Sequence[Piece], unit: int, out: int, place: Place) -> Piece:
        """Return one unit of a group, `out` counted over all groups."""
        if step.units and out not in step.units:
            return group[unit]
        node = self.spelling(step.activation)
        if node is not None:
            return self.formula(
                step, node, group, unit, out, Units(symbol(str(len(group))), written=tuple(group)), place
            )
        if step.activation.row.coupled:
            return self.functions.call_at(step, unit + 1, listed(group, place.outside()))
        return self.functions.call(step, listed([group[unit], *self.parameters(step, out).values()], place))

    def formula(
        self,
        step: Apply,
        node: fm.Node,
        group: Sequence[Piece],
        unit: int,
        out: int,
        units: Units,
        place: Place,
    ) -> Piece:
        """Write one unit's formula; units: how sums over the group are written."""
        partner = group[(unit + len(group) // 2) % len(group)]
        names = {"z": group[unit], "partner": partner, **self.parameters(step, out)}
        return Writer(self.weights.numbers.one, names, units, place).write(node)

    def parameters(self, step: Apply, out: int) -> dict[str, Piece]:
        """Return one unit's own parameters of an activation."""
        return {key: self.weights.parameter(constant, out) for key, constant in step.parameters.items()}
