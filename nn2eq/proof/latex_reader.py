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
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn2eq.errors import BadRequest
from nn2eq.proof.latex_batch import BatchEvaluation
from nn2eq.proof.latex_meanings import STANDARD, Claim, Definition, Matrix
from nn2eq.proof.latex_parser import Parser
from nn2eq.proof.latex_symbols import PARTIAL, SYMBOL, canonical, indexed, indices, named
from nn2eq.proof.latex_tables import tabled
from nn2eq.proof.latex_text import DEEPEST, Equation, Text, taken_apart
from nn2eq.proof.latex_tokens import Node
from nn2eq.proof.latex_values import Evaluation
from nn2eq.proof.runners import Answer

Array = NDArray[np.float64]

_DEFINED = re.compile(rf"(?P<name>{SYMBOL})[(\[](?P<parameters>[^;]*)(?:;.*)?[)\]]", re.DOTALL)
_STACK = re.compile(
    r"(?:\\left\[)?\\begin\{(?:[bp]?matrix|array)\}(?:\{[lcr]*\})?(?P<rows>.*)\\end\{(?:[bp]?matrix|array)\}(?:\\right\])?",
    re.DOTALL,
)
_UNIT = re.compile(r"([az])_(?:\{(\d+),(\d+)\}|\{?(\d+)\}?)")


def run(text: str, x: Array, name: str = "predict") -> Answer:
    """Read a LaTeX text and evaluate it at x (n, inputs).

    Where float64 overflows on the way (the quotient of exponentials of a tanh at 1000 is inf/inf), the sample
    is evaluated again with the machine's longer exponents; what overflows even there is NaN. Raises
    BadRequest for what cannot be read.
    """
    return _run(taken_apart(text), x)


def run_batch(display: str, told: str, x: Array) -> Answer:
    r"""Read the display of a batch behind what is told of its symbols, and evaluate it at all of x (n, inputs) at once.

    What an update makes of a symbol, W \leftarrow ..., is called \widetilde{W}. Every row of the answer is the same.
    Raises BadRequest for what cannot be read.
    """
    read = re.sub(r"^(.*?) *&? *\\leftarrow", r"\\widetilde{\1} &=", display, flags=re.MULTILINE)
    return _run(taken_apart(told + read, batch=True), x)


def _run(text: Text, x: Array) -> Answer:
    with _deep():
        formulas = _read(text)
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
    """A text that was read: its equations and functions by name, and what it says more than once."""

    text: Text
    equations: Mapping[str, Node]
    functions: Mapping[str, Definition]
    claims: Sequence[Claim]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The symbols of the inputs, as the text says."""
        return tuple(map(named, self.text.inputs))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The symbols of the outputs, as the text says."""
        return tuple(map(named, self.text.outputs))


def _read(text: Text) -> _Formulas:
    outputs = tuple(map(canonical, text.outputs))
    heads = [(_signature(text, equation, outputs), equation) for equation in text.equations]
    signatures = [(signature, equation) for signature, equation in heads if signature]
    parser = Parser(
        text.mathematics,
        functions=frozenset({*STANDARD, *(signature.name for signature, _ in signatures)}),
        components=frozenset(signature.name for signature, _ in signatures if signature.letter),
        single=text.single,
        phrases=tuple(name for name in (*text.inputs, *text.outputs) if _is_phrase(name)),
    )
    functions: dict[str, Definition] = {}
    for signature, equation in signatures:
        body = parser.formula(equation.start, equation.end, tuple(signature.letter))
        if signature.name in functions:
            raise text.mathematics.error(f"{signature.name} stands for two things", equation.start)
        functions[signature.name] = Definition(signature.parameters, body, signature.letter)
    plain = [equation for signature, equation in heads if not signature]
    equations, claims = _equations(text, plain, parser)
    return _Formulas(text, equations, functions, claims)


def _equations(text: Text, plain: Sequence[Equation], parser: Parser) -> tuple[dict[str, Node], list[Claim]]:
    """Read what symbols are given values, and what is said of one again.

    Equations of one symbol with conditions behind them are its cases.
    """
    equations, claims = dict(tabled(text)), list[Claim]()
    cases: dict[str, list[Node]] = {}
    for equation in plain:
        formula, condition = parser.guarded(equation.start, equation.end)
        for name, node in _assigned(text, equation, formula):
            if condition is not None:
                cases.setdefault(name, []).extend((node, condition))
            elif equations.setdefault(name, node) is not node:
                claims.append(Claim(name, node, equation.start, equation.rounded))
    for name, args in cases.items():
        if name in equations:
            raise text.mathematics.error(f"{name} stands for two things", args[0].at)
        equations[name] = Node("cases", tuple(args), at=args[0].at)
    return equations, claims


def _is_phrase(name: str) -> bool:
    return not (re.fullmatch(SYMBOL, name) or PARTIAL.fullmatch(name))


class _Signature(NamedTuple):
    name: str
    parameters: tuple[str, ...]
    letter: str


def _signature(text: Text, equation: Equation, outputs: tuple[str, ...]) -> _Signature | None:
    r"""Take f(z, p), or softmax_i(z) with the unit's letter, apart; None for a symbol, and for y(x) = ....

    Behind a semicolon stands what is fixed, f(x; W, b). A composition, f = g \circ h, takes one argument.
    """
    match = _DEFINED.fullmatch(equation.left)
    body = text.mathematics.text[equation.start : equation.end]
    if match is None and re.search(r"\\circ(?![A-Za-z])", body):
        return _Signature(canonical(equation.left), ("x",), "")
    if match is None or canonical(match["name"]) in (outputs or ("y",)):
        return None
    head, places = indices(canonical(match["name"]))
    letter = places[-1] if places and re.fullmatch("[a-z]", places[-1]) else ""
    used = rf"_\s*(?:{letter}|\{{\s*{letter}\W)|(?<![A-Za-z\\_]){letter} "  # z_i, or a number: k \arccos(t)
    letter = letter if letter and re.search(used, body) else ""
    name = indexed(head, places[:-1]) if letter else canonical(match["name"])
    return _Signature(name, tuple(canonical(part) for part in match["parameters"].split(",")), letter)


def _entered(stack: str, node: Node, at: int) -> Iterator[tuple[str, Node]]:
    """Yield the entries of a matrix of symbols, each a part of what the whole of it is."""
    lines = (re.split(r"(?<!\\)&", line) for line in stack.split("\\\\") if line.strip())
    rows = [[canonical(cell) for cell in line] for line in lines]
    whole = f"matrix of {rows} at {at}"
    yield whole, node
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            place = (row, column, len(rows), len(cells))
            yield cell, Node("entry", (Node("name", value=whole, at=at),), place, at)


def _assigned(text: Text, equation: Equation, node: Node) -> Iterator[tuple[str, Node]]:
    """Yield what an equation gives a value to: a symbol, or the parts of a stack of symbols."""
    if stack := _STACK.fullmatch(equation.left):
        yield from _entered(stack["rows"], node, equation.start)
        return
    called = _DEFINED.fullmatch(equation.left)
    left = called["name"] if called else equation.left
    if not (re.fullmatch(SYMBOL, left) or PARTIAL.fullmatch(left) or left in text.outputs):
        raise text.mathematics.error(f"the left-hand side {left[:40]!r} is not a symbol", equation.start)
    yield named(left), node


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
    kind = BatchEvaluation if formulas.text.batch else Evaluation
    evaluation = kind(formulas.text, inputs, formulas.equations, formulas.functions)
    with np.errstate(all="ignore"):
        values = evaluation.all()
        evaluation.require(formulas.claims)
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
    if isinstance(value, Matrix):
        yield from value.data.ravel()
        return
    value = np.asarray(value)
    yield from (value.reshape(-1, value.shape[-1]) if value.ndim >= 2 else [value])


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
