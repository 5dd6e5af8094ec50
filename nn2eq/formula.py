"""The small language of formulas: what a row of the activation table, and every scalar step, is written in.

A formula is Python-like text over about twenty primitives, parsed once into a tree of `Node`:

    numbers, pi, names, + - * / **, unary minus, one comparison < <= > >= ==
    exp expm1 log log1p log10 tanh sqrt abs erf max(a, b) min(a, b) where(condition, a, b)
    sum(f(z[j]) for j in units), max(f(z[j]) for j in units)       reductions over the units of one group

A bare name such as `z` is this unit's value, `z[j]` the value of the unit a reduction runs over, `count` the
number of units in the group. Languages print trees; nothing here knows a language.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.erf import erf

Array = NDArray[np.float64]

FUNCTIONS: Mapping[str, int] = {
    "exp": 1, "expm1": 1, "log": 1, "log1p": 1, "log10": 1, "tanh": 1, "sqrt": 1, "abs": 1, "erf": 1,
    "max": 2, "min": 2, "where": 3,
}  # fmt: skip
COMPARISONS = ("<", "<=", ">", ">=", "==")
REDUCTIONS = ("sum", "largest")
FOLDS: Mapping[str, str] = {"sum": "+", "largest": "max"}
"""What a reduction does with two units."""
_OVER_UNITS: Mapping[str, str] = {"sum": "sum", "max": "largest"}
_OPERATORS: Mapping[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of a formula and what it is applied to.

    `op` is "number" (value: a float), "name" (value: its name), "unit" (value: (name, index), that name at
    the unit a reduction runs over), an operator, a function, a comparison, or a reduction (value: its index).
    """

    op: str
    args: tuple[Node, ...] = ()
    value: Any = None


def number(value: float) -> Node:
    """Return the leaf that stands for a number."""
    return Node("number", value=float(value))


def name(text: str) -> Node:
    """Return the leaf that stands for a named value."""
    return Node("name", value=text)


@cache
def parse(text: str) -> Node:
    """Parse a formula of the table; the text is ours, never a file's."""
    return _node(ast.parse(text, mode="eval").body, ())


def _node(tree: ast.AST, indices: tuple[str, ...]) -> Node:
    match tree:
        case ast.Constant(value=float() | int() as value):
            return number(value)
        case ast.Name(id="pi"):
            return number(math.pi)
        case ast.Name(id=text):
            return name(text)
        case ast.Subscript(value=ast.Name(id=text), slice=ast.Name(id=index)) if index in indices:
            return Node("unit", value=(text, index))
        case ast.Call(func=ast.Name(id=function), args=[ast.GeneratorExp() as body]) if (
            function in _OVER_UNITS
        ):
            return _reduction(_OVER_UNITS[function], body, indices)
    op, operands = _operation(tree)
    return Node(op, tuple(_node(operand, indices) for operand in operands))


def _operation(tree: ast.AST) -> tuple[str, Sequence[ast.AST]]:
    match tree:
        case ast.UnaryOp(op=ast.USub(), operand=only):
            return "neg", [only]
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return _OPERATORS[type(operator)], [left, right]
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _OPERATORS:
            return _OPERATORS[type(operator)], [left, right]
        case ast.Call(func=ast.Name(id=function), args=args) if FUNCTIONS.get(function) == len(args):
            return function, args
    raise ValueError(f"not a formula: {ast.unparse(tree)}")


def _reduction(op: str, body: ast.GeneratorExp, indices: tuple[str, ...]) -> Node:
    match body.generators:
        case [ast.comprehension(target=ast.Name(id=index), iter=ast.Name(id="units"), ifs=[])]:
            inner = _node(body.elt, (*indices, index))
            if any(part.op == "unit" and part.value[1] == index for part in walk(inner)):
                return Node(op, (inner,), index)
    raise ValueError(f"not a reduction over the units: {ast.unparse(body)}")


def walk(node: Node) -> Iterator[Node]:
    """Yield every node of a formula, parents first."""
    yield node
    for arg in node.args:
        yield from walk(arg)


def mentions(node: Node, text: str) -> int:
    """Count how often a name stands in a formula: k in the size law of the nested form."""
    return sum(part == name(text) or (part.op == "unit" and part.value[0] == text) for part in walk(node))


def substitute(node: Node, values: Mapping[str, Node]) -> Node:
    """Replace names by nodes."""
    if node.op == "name":
        return values.get(node.value, node)
    return _rebuilt(node, [substitute(arg, values) for arg in node.args]) if node.args else node


def balanced(op: str, parts: Sequence[Node]) -> Node:
    """Join formulas by a binary operation as a balanced tree: a thousand of them are ten deep."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return Node(op, (balanced(op, parts[:middle]), balanced(op, parts[middle:])))


def tidied(node: Node) -> Node:
    """Drop what a parameter's usual value leaves behind: 1 x, x / 1, x + 0, x - 0, 0 x."""
    args = [tidied(arg) for arg in node.args]
    for place, arg in enumerate(args):
        if arg.op == "number" and (node.op, place, arg.value) in _NEUTRAL:
            return args[1 - place]
        if arg.op == "number" and node.op == "*" and arg.value == 0:
            return arg
    return _rebuilt(node, args) if args else node


# (operation, which operand, its value) that leave the other operand as it is
_NEUTRAL = {("*", 0, 1.0), ("*", 1, 1.0), ("/", 1, 1.0), ("+", 0, 0.0), ("+", 1, 0.0), ("-", 1, 0.0)}


def _rebuilt(node: Node, args: Sequence[Node]) -> Node:
    return Node(node.op, tuple(args), node.value)


# ---------------------------------------------------------------------------------------------- evaluation

_NUMPY: Mapping[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power, "neg": np.negative,
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal,
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "log10": np.log10, "tanh": np.tanh,
    "sqrt": np.sqrt, "abs": np.abs, "erf": erf, "max": np.maximum, "min": np.minimum, "where": np.where,
    "sum": partial(np.sum, axis=-1), "largest": partial(np.max, axis=-1),
}  # fmt: skip


def evaluate(node: Node, values: Mapping[str, Any], rounded: Callable[[Any], Any] | None = None) -> Array:
    """Evaluate a formula over arrays; reductions run over the last axis.

    `values` maps names to arrays (..., units) or numbers; a repeated subformula is computed once. rounded: what
    becomes of the answer of each operation, to see what another arithmetic makes of the formula.
    """
    arrays = {key: np.asarray(value, dtype=np.float64) for key, value in values.items()}
    units = next((array.shape[-1] for array in arrays.values() if array.ndim), 1)
    with np.errstate(all="ignore"):
        return np.asarray(_evaluate(node, {"count": np.float64(units), **arrays}, {}, (), rounded))


Known = dict[tuple[Node, tuple[str, ...]], Any]


def _evaluate(
    node: Node,
    values: Mapping[str, Any],
    known: Known,
    indices: tuple[str, ...],
    rounded: Callable[[Any], Any] | None,
) -> Any:
    """Evaluate with one more axis, at the end, for each enclosing reduction."""
    key = (node, indices)
    if key not in known:
        if not node.args:
            known[key] = _leaf(node, values, indices)
        else:
            within = (*indices, node.value) if node.op in REDUCTIONS else indices
            args = (_evaluate(arg, values, known, within, rounded) for arg in node.args)
            answer = _NUMPY[node.op](*args)
            known[key] = rounded(answer) if rounded else answer
    return known[key]


def _leaf(node: Node, values: Mapping[str, Any], indices: tuple[str, ...]) -> Any:
    if node.op == "number":
        return np.float64(node.value)
    if node.op == "name":
        value = values[node.value]
        return value.reshape(value.shape + (1,) * len(indices)) if value.ndim else value
    text, index = node.value
    value, before = values[text], indices.index(index)
    shape = [1] * (1 + len(indices))
    shape[1 + before] = value.shape[-1]
    return value.reshape(*value.shape[:-1], *shape)
