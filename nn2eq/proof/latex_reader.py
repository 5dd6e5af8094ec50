"""LaTeX read back and evaluated: the proof that a typeset formula says what its network says.

It reads what `nn2eq.emit.latex` writes, and reasonable edits of that by hand, and nothing else: anything it
does not know is an error with its line. It shares no code with the emitter, and it does not know the table of
activations: a function is what the text says it is, or one of a few standard operators.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import BadRequest
from nn2eq.proof.latex_parser import Parser
from nn2eq.proof.latex_symbols import SYMBOL, canonical, cell_values, indexed, indices
from nn2eq.proof.latex_text import DEEPEST, Equation, Mathematics, Table, Text, taken_apart
from nn2eq.proof.latex_tokens import Node
from nn2eq.proof.latex_values import STANDARD, Definition, Evaluation, Matrix
from nn2eq.proof.runners import Answer

Array = NDArray[np.float64]
T = TypeVar("T")

_DEFINED = re.compile(rf"(?P<name>{SYMBOL})\((?P<parameters>.*)\)")
_STACK = re.compile(r"\\begin\{[bp]?matrix\}(?P<rows>.*)\\end\{[bp]?matrix\}", re.DOTALL)
_UNIT = re.compile(r"([az])_(?:\{(\d+),(\d+)\}|\{?(\d+)\}?)")


def run(text: str, x: Array, name: str = "predict") -> Answer:
    """Read a LaTeX text and evaluate it at x (n, inputs).

    Where float64 overflows on the way (the quotient of exponentials of a tanh at 1000 is inf/inf), the sample
    is evaluated again with the machine's longer exponents; what overflows even there is NaN. Raises
    BadRequest for what cannot be read.
    """
    with _deep():
        formulas = _read(taken_apart(text))
        answer = _evaluated(formulas, x)
        lost = ~np.isfinite(answer.outputs).all(axis=1)
        if lost.any() and np.finfo(np.longdouble).maxexp > np.finfo(np.float64).maxexp:
            again = _evaluated(formulas, x[lost].astype(np.longdouble))
            answer.outputs[lost] = again.outputs
            for key, value in answer.values.items():
                value[lost] = again.values[key]
    return answer


@contextmanager
def _deep() -> Iterator[None]:
    """Let functions call themselves as deep as brackets may be nested."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, limit + 12 * DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


class _Formulas(NamedTuple):
    """A text that was read: its equations and functions by name, and the symbols of inputs and outputs."""

    mathematics: Mathematics
    equations: Mapping[str, Node]
    functions: Mapping[str, Definition]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def _read(text: Text) -> _Formulas:
    inputs, outputs = (tuple(map(canonical, names)) for names in (text.inputs, text.outputs))
    heads = [(_signature(equation, outputs), equation) for equation in text.equations]
    signatures = [(signature, equation) for signature, equation in heads if signature]
    parser = Parser(
        text.mathematics,
        functions=frozenset({*STANDARD, *(signature.name for signature, _ in signatures)}),
        components=frozenset(signature.name for signature, _ in signatures if signature.letter),
        single=text.single,
        phrases=tuple(name for name in (*text.inputs, *text.outputs) if not re.fullmatch(SYMBOL, name)),
    )
    functions: dict[str, Definition] = {}
    for signature, equation in signatures:
        body = parser.formula(equation.start, equation.end, tuple(signature.letter))
        definition = Definition(signature.parameters, body, signature.letter)
        _add(text, functions, signature.name, definition, equation)
    equations: dict[str, Node] = {}
    for equation in (equation for signature, equation in heads if not signature):
        for name, node in _assigned(text, equation, parser):
            _add(text, equations, name, node, equation)
    equations |= _tabled(text)
    return _Formulas(text.mathematics, equations, functions, inputs, outputs)


def _add(text: Text, known: dict[str, T], name: str, value: T, equation: Equation) -> None:
    if name in known:
        raise text.mathematics.error(f"{name} stands for two things", equation.start)
    known[name] = value


class _Signature(NamedTuple):
    name: str
    parameters: tuple[str, ...]
    letter: str


def _signature(equation: Equation, outputs: tuple[str, ...]) -> _Signature | None:
    """Take f(z, p), or softmax_i(z) with the unit's letter, apart; None for a symbol, and for y(x) = ...."""
    match = _DEFINED.fullmatch(equation.left)
    if match is None or canonical(match["name"]) in (outputs or ("y",)):
        return None
    head, places = indices(canonical(match["name"]))
    letter = places[-1] if places and re.fullmatch("[a-z]", places[-1]) else ""
    name = indexed(head, places[:-1]) if letter else canonical(match["name"])
    return _Signature(name, tuple(canonical(part) for part in match["parameters"].split(",")), letter)


def _assigned(text: Text, equation: Equation, parser: Parser) -> Iterator[tuple[str, Node]]:
    """Yield what an equation gives a value to: a symbol, or the parts of a stack of symbols."""
    node = parser.formula(equation.start, equation.end)
    if stack := _STACK.fullmatch(equation.left):
        parts = [canonical(part) for part in stack["rows"].split("\\\\")]
        whole = f"stack of {', '.join(parts)}"
        yield whole, node
        for row, part in enumerate(parts):
            yield part, Node("row", (Node("name", value=whole, at=equation.start),), row, equation.start)
        return
    called = _DEFINED.fullmatch(equation.left)
    left = called["name"] if called else equation.left
    if not re.fullmatch(SYMBOL, left) and left not in text.outputs:
        raise text.mathematics.error(f"the left-hand side {left[:40]!r} is no symbol", equation.start)
    yield canonical(left), node


# ---------------------------------------------------------------------------------------------------- tables


def _tabled(text: Text) -> dict[str, Node]:
    """Return the constants that stand in tables, put together from their blocks."""
    entries: dict[str, dict[tuple[int, int], str]] = {}
    places: dict[str, int] = {}
    for table in text.tables:
        for name, place, cell in _entries(text.mathematics, table):
            entries.setdefault(name, {})[place] = cell
            places[name] = table.at
    return {name: _array(text, block, places[name]) for name, block in entries.items()}


def _entries(mathematics: Mathematics, table: Table) -> Iterator[tuple[str, tuple[int, int], str]]:
    """Yield each number of a table with its constant and its place in that.

    The kernel's symbol W_{1,i,j} stands in the corner, its rows and columns are numbered, i = 1; a row that
    has a symbol of its own, b_{1,j}, is a vector, which is a column.
    """
    if not table.rows:
        raise mathematics.error("an empty table", table.at)
    corner, *heads = table.rows[0]
    columns = [cell.rpartition("=")[2].strip() for cell in heads]
    if not all(column.isdigit() for column in columns):
        raise mathematics.error("a table whose columns are not numbered", table.at)
    for label, *cells in table.rows[1:]:
        row = label.rpartition("=")[2].strip()
        name = _constant(corner if row.isdigit() else label)
        if len(cells) != len(columns):
            raise mathematics.error(
                f"a table's row of {len(cells)} numbers under {len(columns)} columns", table.at
            )
        for column, cell in zip(map(int, columns), cells, strict=True):
            yield name, ((int(row), column) if row.isdigit() else (column, 1)), cell


def _constant(symbol: str) -> str:
    """Return the constant of which W_{1,i,j} is an entry: W_1."""
    head, places = indices(canonical(symbol))
    return indexed(head, [place for place in places if place.isdigit()])


def _array(text: Text, block: Mapping[tuple[int, int], str], at: int) -> Node:
    rows, columns = (max(place[axis] for place in block) for axis in (0, 1))
    if set(block) != set(product(range(1, rows + 1), range(1, columns + 1))):
        raise text.mathematics.error(
            f"a table of {rows} times {columns} numbers in which some are missing", at
        )
    cells = [block[row, column] for row in range(1, rows + 1) for column in range(1, columns + 1)]
    try:
        values = cell_values("&".join(cells), "&", single=text.single)
    except ValueError as problem:
        raise text.mathematics.error(
            f"a table with something in it that is no number ({problem})", at
        ) from None
    return Node("numbers", value=values.reshape(rows, columns), at=at)


# ------------------------------------------------------------------------------------------------ evaluation


def _evaluated(formulas: _Formulas, x: NDArray[Any]) -> Answer:
    symbols = formulas.inputs or _standing("x", x.shape[1])
    if len(symbols) != x.shape[1]:
        raise BadRequest(
            f"the text has {len(symbols)} inputs, the model {x.shape[1]}", code="latex", where="% inputs: ..."
        )
    if clash := set(symbols) & set(formulas.equations):
        raise BadRequest(f"{min(clash)} is an input and the left-hand side of an equation", code="latex")
    inputs = {symbol: x[:, column] for column, symbol in enumerate(symbols)}
    evaluation = Evaluation(formulas.mathematics, inputs, formulas.equations, formulas.functions)
    with np.errstate(all="ignore"):
        values = evaluation.all()
        outputs = [evaluation.symbol(name, 0) for name in formulas.outputs or _last(formulas)]
        columns = [part for value in outputs for part in _parts(value)]
        stacked = np.stack([np.broadcast_to(column, len(x)) for column in columns], axis=1)
        return Answer(stacked.astype(np.float64), dict(_units(values, len(x))))


def _standing(letter: str, count: int) -> tuple[str, ...]:
    return (letter,) if count == 1 else tuple(indexed(letter, (str(place),)) for place in range(1, count + 1))


def _last(formulas: _Formulas) -> Sequence[str]:
    """Without a comment, the answer is y, or y_1, y_2 ..., or what the last equation says."""
    numbered = [name for name in formulas.equations if re.fullmatch(r"y_(?:\d|\{\d+\})", name)]
    if "y" in formulas.equations or not formulas.equations:
        return ["y"]
    return numbered or [list(formulas.equations)[-1]]


def _parts(value: Any) -> Iterator[Any]:
    value = value.data if isinstance(value, Matrix) else np.asarray(value)
    yield from (value if value.ndim == 2 else [value])


def _units(values: Mapping[str, Any], samples: int) -> Iterator[tuple[str, Array]]:
    """Yield the values on the way by the program's names: z1_3 a unit, z1 a layer (samples, units)."""
    for name, value in values.items():
        match = _UNIT.fullmatch(name)
        if match is None or isinstance(value, Matrix):
            continue
        letter, layer, unit, whole = match.groups()
        if unit and np.ndim(value) < 2:
            yield f"{letter}{layer}_{unit}", np.array(np.broadcast_to(value, samples), dtype=np.float64)
        elif whole and np.ndim(value) == 2:
            yield (
                f"{letter}{whole}",
                np.array(np.broadcast_to(value, (len(value), samples)).T, dtype=np.float64),
            )
