"""A network as nested SymPy expressions, with the textbook formulas of its activations: the independent way.

Built straight from the network's maps, without a Program, it is the reference for every text. Nothing is
simplified on the way and what is used twice is one object, so that some hundred units take milliseconds,
where SymPy takes minutes to evaluate.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, reduce
from types import MappingProxyType
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp
from numpy.typing import NDArray
from sympy.functions.elementary.piecewise import ExprCondPair

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.erf import erf
from nn2eq.errors import CannotEmit
from nn2eq.network import Affine, Map, Network, numbered
from nn2eq.reading import read

Array = NDArray[np.float64]
Expr = Any  # SymPy ships no types
_NO_STEPS: Mapping[str, Expr] = MappingProxyType({})


def expressions(network: Network | str | os.PathLike[str]) -> list[Expr]:
    """Return one expression per output of a network, or of the file it is in; symbols are called as the inputs."""
    if not isinstance(network, Network):
        network = read(network)
    network.require_numbers("a SymPy expression")
    values: list[Expr] = [sp.Symbol(name) for name in network.input_labels]
    with sp.evaluate(False):
        for step in network.maps:
            values = _through(step, values)
    return values


def _through(step: Map, values: list[Expr]) -> list[Expr]:
    if isinstance(step, Affine):
        size = len(values) // step.repeat
        return [out for k in range(0, len(values), size) for out in _affine(step, values[k : k + size])]
    if isinstance(step, Activation):
        return list(_applied(step, values))
    chosen = dict(zip(step.units, _applied(step.activation, [values[k] for k in step.units]), strict=True))
    return [chosen.get(unit, value) for unit, value in enumerate(values)]


def _affine(step: Affine, block: Sequence[Expr]) -> list[Expr]:
    offsets = [0.0] * step.kernel.shape[-1] if step.bias is None else step.bias.tolist()
    if step.is_diagonal:
        return [_sum([w], [a], b) for w, a, b in zip(step.kernel.tolist(), block, offsets, strict=True)]
    return [
        _sum(column, block, offset) for column, offset in zip(step.kernel.T.tolist(), offsets, strict=True)
    ]


def _sum(weights: Sequence[float], block: Sequence[Expr], offset: float) -> Expr:
    terms = [sp.Mul(sp.Float(w), value) for w, value in zip(weights, block, strict=True) if w]
    return sp.Add(*terms, *([sp.Float(offset)] if offset else []))


# ---------------------------------------------------------------------------------------------- activations


def _applied(activation: Activation, values: Sequence[Expr]) -> Iterator[Expr]:
    """Yield the outputs of an activation: its formula, for each unit of each group."""
    size = len(values) // activation.groups
    for start in range(0, len(values), size):
        group = _Group(tuple(values[start : start + size]))
        outputs = activation.outputs(size)
        for unit in range(outputs):
            own = {"z": group.values[unit], "count": sp.Integer(size)}
            if activation.row.halves:
                own["partner"] = group.values[unit + outputs]
            own |= {key: sp.Float(float(data[start + unit])) for key, data in activation.per_unit.items()}
            yield group.said(_as_people_say(activation), own, {})


def _as_people_say(activation: Activation) -> fm.Node:
    """Return the formula, the function itself where SymPy has it: tanh(z), not a quotient of exponentials."""
    stable = activation.stable
    return stable if stable.args == (fm.name("z"),) and stable.op in fm.FUNCTIONS else activation.formula


def _where(condition: Expr, value: Expr, otherwise: Expr) -> Expr:
    """Return a Piecewise as it stands: SymPy multiplies out the cases of a Piecewise inside a condition."""
    pairs = (sp.Basic.__new__(ExprCondPair, *pair) for pair in ((value, condition), (otherwise, sp.true)))
    return sp.Basic.__new__(sp.Piecewise, *pairs)


_SYMPY: Mapping[str, Callable[..., Expr]] = {
    "+": sp.Add, "-": lambda a, b: sp.Add(a, sp.Mul(-1, b)),
    "*": sp.Mul, "/": lambda a, b: sp.Mul(a, sp.Pow(b, -1)), "**": sp.Pow, "neg": lambda a: sp.Mul(-1, a),
    "<": sp.Lt, "<=": sp.Le, ">": sp.Gt, ">=": sp.Ge, "==": sp.Eq,
    "exp": sp.exp, "expm1": lambda a: sp.Add(sp.exp(a), -1),
    "log": sp.log, "log1p": lambda a: sp.log(sp.Add(1, a)),
    "log10": lambda a: sp.Mul(sp.log(a), sp.Pow(sp.log(10), -1)),
    "tanh": sp.tanh, "erf": sp.erf, "sqrt": sp.sqrt, "abs": sp.Abs,
    "max": sp.Max, "min": sp.Min, "where": _where, "sum": sp.Add, "largest": sp.Max,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Group:
    """The units that an activation couples, and what was said of them before."""

    values: tuple[Expr, ...]
    known: dict[Any, Expr] = field(default_factory=dict)

    def said(self, node: fm.Node, own: Mapping[str, Expr], at: Mapping[str, int]) -> Expr:
        """Return a formula as an expression; own: what its names stand for, at: where its reductions are."""
        free = _free(node)
        key = (node, *(id(own[name]) if name in own else at[name] for name in free))
        if key not in self.known:
            self.known[key] = self._said(node, own, at)
        return self.known[key]

    def _said(self, node: fm.Node, own: Mapping[str, Expr], at: Mapping[str, int]) -> Expr:
        match node.op:
            case "number":
                return sp.Integer(int(node.value)) if node.value == int(node.value) else sp.Float(node.value)
            case "name":
                return own[node.value]
            case "unit":
                return self.values[at[node.value[1]]]
            case "sum" | "largest":
                units = range(len(self.values))
                args = [self.said(node.args[0], own, {**at, node.value: unit}) for unit in units]
            case _:
                args = [self.said(arg, own, at) for arg in node.args]
        return _SYMPY[node.op](*args)


@cache
def _free(node: fm.Node) -> tuple[str, ...]:
    """Return the names in a formula, and the indices of reductions around it that it speaks of."""
    if not node.args:
        return {"name": (node.value,), "unit": node.value[1:] if node.op == "unit" else ()}.get(node.op, ())
    inside = dict.fromkeys(name for arg in node.args for name in _free(arg))
    return tuple(name for name in inside if node.op not in fm.REDUCTIONS or name != node.value)


# ---------------------------------------------------------------------------------------------- evaluation


def evaluate_expressions(
    found: Sequence[Expr], x: Array, names: Sequence[str] = (), steps: Mapping[str, Expr] = _NO_STEPS
) -> Array:
    """Evaluate expressions at x (n, inputs), to (n, outputs); names: of the inputs, if not the standing ones.

    In the machine's longest floating point; where a textbook formula overflows there, with thirty digits and
    no largest exponent. What is one object is evaluated once. steps: what further symbols stand for.
    """
    columns = dict(zip(names or numbered("x", x.shape[1]), x.T, strict=True))
    with np.errstate(all="ignore"):
        long = {name: column.astype(np.longdouble) for name, column in columns.items()}
        answers = _Evaluation(long, steps, _FLOATS).of(found, len(x))
    lost = ~np.isfinite(answers).all(axis=1)
    if lost.any():
        with mp.workdps(30):
            exact = {name: np.array(list(map(mp.mpf, column[lost]))) for name, column in columns.items()}
            answers[lost] = _Evaluation(exact, steps, _EXACT).of(found, int(lost.sum()))
    return answers


@dataclass(frozen=True, eq=False)
class _Evaluation:
    """Values of the inputs, what other symbols stand for, and what SymPy's functions are there."""

    columns: Mapping[str, Any]
    steps: Mapping[str, Expr]
    table: Mapping[Any, Any]

    def of(self, found: Sequence[Expr], samples: int) -> Array:
        """Return the values (samples, expressions), keeping each value on the way as long as it is needed."""
        order, needed = self._ordered(found)
        values: dict[int, Any] = {}
        for expr in order:
            parts = self._parts(expr)
            values[id(expr)] = self._value(expr, [values[id(part)] for part in parts])
            for part in parts:
                needed[id(part)] -= 1
                if not needed[id(part)]:
                    del values[id(part)]
        answers = [np.broadcast_to(values[id(expr)], samples).astype(np.float64) for expr in found]
        return np.stack(answers, axis=-1)

    def _parts(self, expr: Expr) -> Sequence[Expr]:
        return (self.steps[expr.name],) if expr.is_Symbol and expr.name in self.steps else expr.args

    def _ordered(self, found: Sequence[Expr]) -> tuple[list[Expr], Counter[int]]:
        """Return every expression once, its parts first, and how many wait for the value of each."""
        order: list[Expr] = []
        needed = Counter(id(expr) for expr in found)
        seen: set[int] = set()
        todo = [(expr, False) for expr in found]
        while todo:
            expr, is_ready = todo.pop()
            if is_ready:
                order.append(expr)
            elif id(expr) not in seen:
                seen.add(id(expr))
                parts = self._parts(expr)
                needed.update(map(id, parts))
                todo += [(expr, True), *((part, False) for part in parts)]
        return order, needed

    def _value(self, expr: Expr, parts: Sequence[Any]) -> Any:
        if expr.is_Symbol:
            return parts[0] if parts else self.columns[expr.name]
        if expr.is_Rational:
            return self.table["number"](expr.p) / expr.q
        if not parts:
            return True if expr is sp.true else self.table["number"](expr)
        if expr.func not in self.table:
            raise CannotEmit(f"{expr.func.__name__} cannot be evaluated", code="unknown-function")
        return self.table[expr.func](*parts)


def _folded(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: reduce(function, args)


def _piecewise(*pairs: tuple[Any, Any]) -> Any:
    """Return the value of the first condition that holds, NaN where none does."""
    chosen: Any = np.nan
    for value, condition in reversed(pairs):
        chosen = np.where(condition, value, chosen)
    return chosen


_FLOATS: Mapping[Any, Callable[..., Any]] = {
    "number": lambda number: np.longdouble(float(number)),
    sp.Add: _folded(np.add), sp.Mul: _folded(np.multiply), sp.Pow: np.power,
    sp.exp: np.exp, sp.log: np.log, sp.tanh: np.tanh, sp.sinh: np.sinh, sp.cosh: np.cosh,
    sp.erf: lambda a: erf(np.asarray(a, dtype=np.float64)),
    sp.Abs: np.abs, sp.Max: _folded(np.maximum), sp.Min: _folded(np.minimum),
    sp.Piecewise: _piecewise, ExprCondPair: lambda value, condition: (value, condition),
    sp.Lt: np.less, sp.Le: np.less_equal, sp.Gt: np.greater, sp.Ge: np.greater_equal, sp.Eq: np.equal,
}  # fmt: skip
"""What SymPy's functions are over arrays of longdouble."""
_EXACT: Mapping[Any, Callable[..., Any]] = {
    **_FLOATS,
    "number": lambda number: mp.mpf(sp.Float(number)._mpf_),
    **{getattr(sp, name): np.frompyfunc(getattr(mp, name), 1, 1) for name in ("exp", "log", "tanh", "erf")},
    **{getattr(sp, name): np.frompyfunc(getattr(mp, name), 1, 1) for name in ("sinh", "cosh")},
}  # fmt: skip
"""What they are over arrays of mpmath's numbers."""
