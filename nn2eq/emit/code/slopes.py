"""Formulas over several arrays as loops: the slopes and tangents of derivatives, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial, reduce

import numpy as np

from nn2eq import formula as fm
from nn2eq.emit.code.dialect import Dialect, Lines, Words
from nn2eq.emit.code.groups import GROUP, Group, scoped
from nn2eq.emit.code.searches import entry, place
from nn2eq.forms.program import Combine, Constant, Operand, Program, Value, step_constants

ROWS = ("r", "s")
"""The indices of the rows of an array, along either axis."""


def combination(dialect: Dialect, words: Words, step: Combine, called: Mapping[str, str]) -> Lines:
    """Write a formula over several arrays; called: the arrays of the caller's, by the values that they take."""
    return _Combination(dialect, words, step, called).lines()


def is_identity(constant: Constant) -> bool:
    """Whether a table would say nothing but which unit is which."""
    data = constant.data
    return data.ndim == 2 and data.shape[0] == data.shape[1] and bool(np.array_equal(data, np.eye(len(data))))


def unsaid(program: Program) -> set[str]:
    """Return the names of the constants that formulas alone use, and that they say by comparing indices."""
    steps = [step for function in program.functions for step in function.steps]
    used = {of.name for step in steps if not isinstance(step, Combine) for of in step_constants(step)}
    return {of.name for step in steps for of in step_constants(step) if is_identity(of)} - used


class _Combination:
    def __init__(self, dialect: Dialect, words: Words, step: Combine, called: Mapping[str, str]) -> None:
        self._dialect, self._words, self._step, self._called = dialect, words, step, called
        self._size = step.out.units // step.groups
        self._units = self._size // len(step.formulas)
        narrow = [constant for constant in step.constants if constant.data.dtype == np.float32]
        self._widened = (words.cast if len(narrow) > 1 else "") or words.widened

    def lines(self) -> Lines:
        """Write all of it."""
        step = self._step
        places = {name: partial(self._place, arg) for name, arg in step.args.items()}
        taken = {arg.of.name for arg in step.args.values()} | {*ROWS, GROUP, self._name(step.out)}
        group = Group(self._dialect, self._words, places, self._units, taken)
        body: Lines = []
        for part, node in enumerate(step.formulas):
            body += group.lines(node, self._units, partial(self._out, part * self._units))
        loops = [*zip(ROWS, step.out.rows, strict=False), (GROUP, step.groups)]
        around = [(index, count) for index, count in loops if count > 1]
        body = body if around else scoped(body)
        for index, count in reversed(around):
            body = [self._words.loop.format(index, 0, count), body, self._dialect.end]
        return body

    def _name(self, value: Value) -> str:
        return self._called.get(value.name, value.name)

    def _out(self, start: int, unit: str) -> str:
        out = self._step.out
        indices = [*self._rows(out.rows, spread=False), self._unit(self._size, start, unit)]
        return self._item(self._name(out), out.shape, indices)

    def _place(self, arg: Operand, unit: str) -> fm.Node:
        """Return what a name is at a unit of the group: a number of an array, or 0 or 1 by the indices."""
        shape = arg.of.shape if isinstance(arg.of, Value) else arg.of.data.shape
        turned = (*shape[:-2], *shape[:-3:-1]) if arg.transposed else shape
        size = turned[-1] // self._step.groups
        last = self._unit(size, arg.part * (size // arg.parts), unit)
        indices = [*self._rows(turned[:-1], spread=arg.spread), last]
        if arg.transposed:
            indices[-2:] = indices[:-3:-1]
        if isinstance(arg.of, Value):
            return fm.name(self._item(self._name(arg.of), shape, indices))
        return self._constant(arg.of, indices)

    def _constant(self, constant: Constant, indices: list[str]) -> fm.Node:
        if is_identity(constant):
            same = fm.Node("==", (fm.name(indices[0]), fm.name(indices[1])))
            return fm.Node("where", (same, fm.number(1), fm.number(0)))
        shape = constant.data.shape
        text = self._item(constant.name, shape, indices)
        if len(shape) == 2:
            row, column = indices
            text = entry(self._dialect, self._words.entry, constant.name, row, column, shape[1])
        return fm.name(self._widened.format(text) if constant.data.dtype == np.float32 else text)

    def _rows(self, sizes: tuple[int, ...], *, spread: bool) -> list[str]:
        """Return the indices of axes of rows: they are the last ones of the result, or the first if spread."""
        rows = self._step.out.rows
        known = list(ROWS[: len(rows)])
        here = known[: len(sizes)] if spread else known[len(known) - len(sizes) :]
        here = here or ["0"] * len(sizes)  # a single row, where the result has none
        return [index if size > 1 else "0" for index, size in zip(here, sizes, strict=True)]

    def _unit(self, size: int, start: int, unit: str) -> str:
        """Return the index of a unit: of the group's first one, of the first one of a part, and its own."""
        return " + ".join(self._terms(size, start, unit)) or "0"

    def _terms(self, size: int, start: int, unit: str) -> Iterator[str]:
        if self._step.groups > 1:
            yield f"{size} * {GROUP}" if size > 1 else GROUP
        if unit.isdigit():
            yield from [str(start + int(unit))] if start + int(unit) else []
        else:
            yield from [unit, *([str(start)] if start else [])]

    def _item(self, array: str, shape: tuple[int, ...], indices: list[str]) -> str:
        sizes = iter(shape[1:])
        return self._dialect.item.format(array, reduce(lambda row, k: place(row, k, next(sizes)), indices))
