"""The nested and the layered layout: equations between numbers, one an output or one a unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nn2eq import formula as fm
from nn2eq.emit.latex.formulas import Units, Writer
from nn2eq.emit.latex.functions import Functions
from nn2eq.emit.latex.names import Symbols, index, standing
from nn2eq.emit.latex.pieces import Piece, listed, symbol
from nn2eq.emit.latex.weights import Weights
from nn2eq.forms.program import Affine, Apply, Function, Step
from nn2eq.forms.size import Spelling

Equation = tuple[str, str]
"""Left and right-hand side."""


@dataclass(frozen=True)
class Scalars:
    """What the scalar layouts are written with."""

    weights: Weights
    symbols: Symbols
    functions: Functions
    spelling: Spelling

    # ------------------------------------------------------------------------------------------------ nested

    def nested(self, function: Function) -> list[list[Equation]]:
        """Return one equation an output, every value written out."""
        known = {
            value.name: [symbol(self.symbols.of(part)) for part in value.parts]
            for value in function.arguments
        }
        for step, level in zip(function.steps, _levels(function.steps), strict=True):
            known[step.out.name] = self._answer(step, known, level)
        [result] = function.results
        left = [self.symbols.of(part) for part in result.parts]
        return [[(name, piece.text) for name, piece in zip(left, known[result.name], strict=True)]]

    def _answer(self, step: Step, known: dict[str, list[Piece]], level: int) -> list[Piece]:
        if isinstance(step, Affine):
            return self.weights.sums(step, known, level)
        return self._activated(step, known[step.arg.name], level)

    def _activated(self, step: Apply, args: Sequence[Piece], level: int) -> list[Piece]:
        """Return an activation of each unit, every argument written out."""
        node = self.spelling(step.activation)
        size = len(args) // step.activation.groups
        found: list[Piece] = []
        for group in (args[start : start + size] for start in range(0, len(args), size)):
            for place in range(step.activation.outputs(size)):
                found.append(self._at(step, node, group, place, len(found), level))
        return found

    def _at(
        self, step: Apply, node: fm.Node | None, group: Sequence[Piece], place: int, unit: int, level: int
    ) -> Piece:
        if step.units and unit not in step.units:
            return group[place]
        parameters = {
            key: self.weights.parameter(constant, unit) for key, constant in step.parameters.items()
        }
        if node is None and step.activation.row.coupled:
            return self.functions.call_at(step, place + 1, listed(group, level))
        if node is None:
            return self.functions.call(step, listed([group[place], *parameters.values()], level))
        names = {"z": group[place], "partner": group[(place + len(group) // 2) % len(group)], **parameters}
        units = Units(symbol(str(len(group))), written=tuple(group))
        return Writer(self.weights.numbers.one, names, units, level).write(node)

    # ----------------------------------------------------------------------------------------------- layered

    def layered(self, function: Function) -> list[list[Equation]]:
        """Return the equations layer by layer, a line a unit; a sum stands in its activation where it can."""
        known = {
            value.name: [symbol(self.symbols.of(part)) for part in value.parts]
            for value in function.arguments
        }
        last = function.results[0].name
        blocks: list[list[Equation]] = []
        for step, after in zip(function.steps, (*function.steps[1:], None), strict=True):
            names = [
                self.symbols.of(part) if step.out.name == last else standing(part) for part in step.out.parts
            ]
            if isinstance(step, Affine) and isinstance(after, Apply) and self._takes_sums(after):
                known[step.out.name] = self.weights.sums(step, known, 1)
                continue
            blocks.append(list(self._lines(step, known, names)))
            known[step.out.name] = [symbol(name) for name in names]
        return blocks

    def _takes_sums(self, step: Apply) -> bool:
        """Whether an activation mentions its argument once, so that the argument need not have a line."""
        node = self._formula(step)
        once = node is None or fm.mentions(node, "z") == 1
        return once and not step.activation.row.coupled and not step.units

    def _formula(self, step: Apply) -> fm.Node | None:
        """A line of its own has room for cases."""
        return self.spelling(step.activation)

    def _lines(self, step: Step, known: dict[str, list[Piece]], names: list[str]) -> Iterator[Equation]:
        if isinstance(step, Affine):
            pieces = self.weights.sums(step, known, 0)
        elif self._formula(step) is None and step.activation.row.coupled:
            yield from self._whole_groups(step, known[step.arg.name], names)
            return
        elif step.activation.row.coupled:
            pieces = self._with_sums(step, known[step.arg.name])
        else:
            pieces = self._activated(step, known[step.arg.name], 0)
        yield from zip(names, (piece.text for piece in pieces), strict=True)

    def _whole_groups(self, step: Apply, args: Sequence[Piece], names: list[str]) -> Iterator[Equation]:
        """Write y_3 = f_3(z_2): a line a unit, the group a vector where it has a symbol of its own."""
        groups = step.activation.groups
        size, outputs = len(args) // groups, len(names) // groups
        for unit, name in enumerate(names):
            group, place = divmod(unit, outputs)
            whole = listed(args[group * size : (group + 1) * size])
            arg = symbol(standing(step.arg.name)) if groups == 1 and _is_numbered(step.arg.parts) else whole
            yield name, self.functions.call_at(step, place + 1, arg).text

    def _with_sums(self, step: Apply, args: Sequence[Piece]) -> list[Piece]:
        """Write each unit's formula with sums over an index j: the units of a layer have numbers."""
        node = self._formula(step)
        assert node is not None
        size = len(args) // step.activation.groups
        names, found = step.arg.parts, []
        if not _is_numbered(names):
            return self._activated(step, args, 0)
        for start in range(0, len(args), size):
            first, final = names[start], names[start + size - 1]
            units = _numbered(first, final, symbol(str(size)))
            for place in range(step.activation.outputs(size)):
                partner = args[start + (place + size // 2) % size]
                values = {"z": args[start + place], "partner": partner}
                values |= {k: self.weights.parameter(c, len(found)) for k, c in step.parameters.items()}
                found.append(Writer(self.weights.numbers.one, values, units).write(node))
        return found


def _is_numbered(parts: Sequence[str]) -> bool:
    """Whether units are called z2_1, z2_2 ..., so that z_{2,j} means one of them and z_2 all."""
    return re.fullmatch(r"[az]\d+_1", parts[0]) is not None


def _numbered(first: str, final: str, count: Piece) -> Units:
    """Units z2_4 to z2_6 are z_{2,j} for j = 4 to 6."""
    letter, layer, start = first[0], *first[1:].split("_")
    end = final.rpartition("_")[2]
    return Units(
        count,
        under=lambda j: f"{j}={start}}}^{{{end}",
        name=lambda j: symbol(letter + index(layer, j)),
    )


def _levels(steps: Sequence[Step]) -> Iterator[int]:
    """Yield how many sums each step's answer stands inside of, in the nested form."""
    above = sum(isinstance(step, Affine) for step in steps)
    wrapped = isinstance(steps[-1], Apply)
    for step in steps:
        above -= isinstance(step, Affine)
        yield above + wrapped
