"""The true function, `--true 'x**2 + 10*sin(x)'`: parsed as a formula, never run as Python."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.errors import BadRequest

Array = NDArray[np.float64]

MORE: Mapping[str, Callable[[Array], Array]] = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh,
}  # fmt: skip
"""Functions of one number that no activation is made of, and that people fit networks to."""
LONGEST = 2_000


@dataclass(frozen=True)
class Truth:
    """The true function of a network's inputs.

    text: as it was given. inner: calls of `MORE` in the order in which they are needed, each a name, a function and
    the formula it is taken of. node: the formula, in the inputs' names and those names.
    """

    text: str
    inputs: tuple[str, ...]
    inner: tuple[tuple[str, str, fm.Node], ...]
    node: fm.Node

    def __call__(self, x: Array) -> Array:
        """Evaluate: x (n, inputs) to (n,), NaN where it is not defined."""
        values = dict(zip(self.inputs, x.T, strict=True))
        with np.errstate(all="ignore"):
            for name, function, node in self.inner:
                values[name] = MORE[function](fm.evaluate(node, values))
            return np.broadcast_to(fm.evaluate(self.node, values), len(x))


def truth(text: str, inputs: Sequence[str]) -> Truth:
    """Parse the true function of these inputs. Raises BadRequest."""
    calls = _Calls(inputs)
    try:
        if len(text) > LONGEST:
            raise ValueError(f"{len(text)} characters")
        tree = calls.visit(ast.parse(text.strip(), mode="eval"))
        node = fm.parse(ast.unparse(tree))
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise _bad(f"{str(error).splitlines()[0]:.120}") from None
    known = {*inputs, *(name for name, _, _ in calls.found)}
    parts = [part for tree in (*(inner for _, _, inner in calls.found), node) for part in fm.walk(tree)]
    strange = sorted({str(part.value) for part in parts if part.op == "name"} - known)
    if strange or any(part.op in (*fm.REDUCTIONS, "unit") for part in parts):
        raise _bad(f"{', '.join(strange) or 'a sum'} is not an input; the inputs are {', '.join(inputs[:8])}")
    return Truth(text.strip(), tuple(inputs), tuple(calls.found), node)


class _Calls(ast.NodeTransformer):
    """Take the calls of `MORE` out of a tree, the innermost first, and leave names in their places."""

    def __init__(self, inputs: Sequence[str]) -> None:
        self.found: list[tuple[str, str, fm.Node]] = []
        self._prefix = "_" * (1 + max(map(len, inputs), default=0))  # longer than any input's name

    def visit_Call(self, node: ast.Call) -> Any:  # the name that ast calls
        """Take one call out."""
        self.generic_visit(node)
        if not (isinstance(node.func, ast.Name) and node.func.id in MORE):
            return node
        if len(node.args) != 1 or node.keywords:
            raise ValueError(f"{node.func.id} takes one number")
        name = f"{self._prefix}{len(self.found)}"
        self.found.append((name, node.func.id, fm.parse(ast.unparse(node.args[0]))))
        return ast.copy_location(ast.Name(id=name), node)


def _bad(what: str) -> BadRequest:
    functions = ", ".join([*MORE, "exp", "log", "tanh", "sqrt", "abs", "max", "min", "where"])
    return BadRequest(
        f"--true: {what}",
        code="true",
        way_out=f"write a formula of the inputs with + - * / ** and {functions}",
    )
