"""Derivatives of formulas: what a formula moves by when its names do, as a formula of the same small language."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from nn2eq import formula as fm
from nn2eq.formula import Node

ZERO, ONE, TWO = fm.number(0), fm.number(1), fm.number(2)


def tangent(node: Node, moves: Mapping[str, str]) -> Node:
    """Return by how much a formula moves, to first order, when each name in `moves` moves by what that is called.

    Names that are not there stand still. Of two that are equal, `max` and `min` follow the second; `abs` stands
    still at 0; a condition does not move. Raises ValueError for the largest of several units.
    """
    match node.op:
        case "number":
            return ZERO
        case "name":
            return fm.name(moves[node.value]) if node.value in moves else ZERO
        case "unit":
            text, index = node.value
            return Node("unit", value=(moves[text], index)) if text in moves else ZERO
        case "sum":
            inner = tangent(node.args[0], moves)
            return ZERO if inner == ZERO else Node("sum", (inner,), node.value)
        case "where":
            condition, *branches = node.args
            return where(condition, *(tangent(branch, moves) for branch in branches))
    if node.op not in _RULES:
        raise ValueError(f"no derivative of {node.op}")
    return _RULES[node.op](*node.args, *(tangent(arg, moves) for arg in node.args))


def slope(node: Node, by: str, given: Mapping[str, Node]) -> Node:
    """Return the derivative of a formula by a name; given: the derivatives by it of other names."""
    moved = tangent(node, {by: "moved", **{name: f"moved {name}" for name in given}})
    return simplified(
        fm.substitute(moved, {"moved": ONE, **{f"moved {name}": node for name, node in given.items()}})
    )


# ------------------------------------------------------------------------------ operations that tidy up at once


def plus(a: Node, b: Node) -> Node:
    """Return a + b."""
    if b.op == "neg":
        return minus(a, b.args[0])
    return b if a == ZERO else a if b == ZERO else Node("+", (a, b))


def minus(a: Node, b: Node) -> Node:
    """Return a - b."""
    if b.op == "neg":
        return plus(a, b.args[0])
    if a.op == b.op == "*" and (shared := next((factor for factor in a.args if factor in b.args), None)):
        return times(shared, minus(_without(shared, a), _without(shared, b)))
    if a.op == "-" and a.args[1] == b:
        return minus(a.args[0], times(TWO, b))
    return a if b == ZERO else negative(b) if a == ZERO else Node("-", (a, b))


def _without(factor: Node, product: Node) -> Node:
    """Return the other factor of a product of two."""
    left, right = product.args
    return right if left == factor else left


def negative(a: Node) -> Node:
    """Return -a."""
    if a.op == "number":
        return fm.number(0.0 - a.value)
    return a.args[0] if a.op == "neg" else Node("neg", (a,))


def times(a: Node, b: Node) -> Node:
    """Return a b."""
    if ZERO in (a, b):
        return ZERO
    if b.op == "neg":
        return negative(times(a, b.args[0]))
    return b if a == ONE else a if b == ONE else Node("*", (a, b))


def over(a: Node, b: Node) -> Node:
    """Return a / b."""
    return ZERO if a == ZERO else a if b == ONE else Node("/", (a, b))


def where(condition: Node, yes: Node, no: Node) -> Node:
    """Return a where the condition holds, else b; a condition of two numbers is decided."""
    left, right = condition.args
    if left.op == right.op == "number":
        return yes if bool(fm.evaluate(condition, {})) else no
    return yes if yes == no else Node("where", (condition, yes, no))


def _power(a: Node, n: Node) -> Node:
    return ONE if n == ZERO else a if n == ONE else Node("**", (a, n))


_BUILT: Mapping[str, Callable[..., Node]] = {
    "+": plus, "-": minus, "neg": negative, "*": times, "/": over, "**": _power, "where": where,
}  # fmt: skip


def simplified(node: Node) -> Node:
    """Drop what says nothing: 1 x, x + 0, 0 x, a condition of two numbers, a sum of zeros."""
    args = tuple(simplified(arg) for arg in node.args)
    if node.op == "sum" and args[0] == ZERO:
        return ZERO
    return _BUILT[node.op](*args) if node.op in _BUILT else Node(node.op, args, node.value)


def computed(node: Node) -> Node:
    """Drop what says nothing, and compute what consists of numbers alone."""
    args = tuple(computed(arg) for arg in node.args)
    node = simplified(Node(node.op, args, node.value)) if args else node
    is_sum = node.op in _BUILT and all(arg.op == "number" for arg in node.args)
    return fm.number(float(fm.evaluate(node, {}))) if is_sum and node.args else node


# --------------------------------------------------------------------------------- one rule an operation: a, b
# are the operands, p, q by how much they move.


def _raised(a: Node, n: Node, p: Node, q: Node) -> Node:
    if q != ZERO or n.op != "number":
        raise ValueError("no derivative of a power that varies")
    return times(times(n, _power(a, fm.number(n.value - 1))), p)


def _chosen(op: str) -> Callable[..., Node]:
    return lambda a, b, p, q: where(Node(op, (a, b)), p, q)


def _sign(a: Node) -> Node:
    return where(Node(">", (a, ZERO)), ONE, where(Node("<", (a, ZERO)), fm.number(-1), ZERO))


def _call(op: str, *args: Node) -> Node:
    return Node(op, args)


_RULES: Mapping[str, Callable[..., Node]] = {
    "+": lambda a, b, p, q: plus(p, q),
    "-": lambda a, b, p, q: minus(p, q),
    "*": lambda a, b, p, q: plus(times(p, b), times(a, q)),
    "/": lambda a, b, p, q: minus(over(p, b), over(times(a, q), times(b, b))),
    "neg": lambda a, p: negative(p),
    "**": _raised,
    "exp": lambda a, p: times(_call("exp", a), p),
    "expm1": lambda a, p: times(_call("exp", a), p),
    "log": lambda a, p: over(p, a),
    "log1p": lambda a, p: over(p, plus(ONE, a)),
    "log10": lambda a, p: over(p, times(a, fm.number(math.log(10)))),
    "tanh": lambda a, p: times(minus(ONE, _power(_call("tanh", a), TWO)), p),
    "sqrt": lambda a, p: over(p, times(TWO, _call("sqrt", a))),
    "erf": lambda a, p: times(
        times(fm.number(2 / math.sqrt(math.pi)), _call("exp", negative(_power(a, TWO)))), p
    ),
    "abs": lambda a, p: times(_sign(a), p) if p != ZERO else ZERO,
    "max": _chosen(">"),
    "min": _chosen("<"),
}
