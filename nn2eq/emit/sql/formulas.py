"""Formulas as an engine computes them: what it lacks over what it has, numbers worked out, expensive parts named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit.code.routines import multiplied
from nn2eq.emit.options import Options
from nn2eq.emit.pythonic import require_no_symbols
from nn2eq.emit.sharing import named_parts
from nn2eq.emit.sql.dialects import Dialect, Rewriting
from nn2eq.forms.size import Spelling

COSTLY = frozenset(("exp", "expm1", "log", "log1p", "log10", "tanh", "sqrt", "erf"))
MUCH = 20
"""Operations for which a column is worth its while: a function of those above counts as so many."""


def spelled(dialect: Dialect, options: Options) -> Spelling:
    """Return how activations are written: always as formulas, since a query defines no functions."""
    require_no_symbols(options)

    def spelling(activation: Activation) -> fm.Node:
        return as_computed(activation.stable, dialect.lacking)

    return spelling


def as_computed(node: fm.Node, rewritings: Mapping[str, Rewriting]) -> fm.Node:
    """Return a formula over what an engine has, its numbers worked out."""
    return fm.tidied(_worked_out(_rewritten(multiplied(node), rewritings, frozenset())))


def _rewritten(node: fm.Node, rewritings: Mapping[str, Rewriting], done: frozenset[fm.Node]) -> fm.Node:
    """Rewrite a formula from the inside out; done: parts of it that need no more."""
    if node in done:
        return node
    args = tuple(_rewritten(arg, rewritings, done) for arg in node.args)
    if node.op not in rewritings:
        return fm.Node(node.op, args, node.value)
    others = {op: rewriting for op, rewriting in rewritings.items() if op != node.op}
    return _rewritten(rewritings[node.op](*args), others, frozenset(args))


def _worked_out(node: fm.Node) -> fm.Node:
    """Compute what is of numbers alone: engines would in decimals, to some sixteen digits."""
    args = tuple(map(_worked_out, node.args))
    if args and all(arg.op == "number" for arg in args) and node.op not in (*fm.REDUCTIONS, *fm.COMPARISONS):
        return fm.number(float(fm.evaluate(fm.Node(node.op, args), {})))
    return fm.Node(node.op, args, node.value)


def parts(node: fm.Node) -> tuple[list[tuple[str, fm.Node]], fm.Node]:
    """Return what is worth a column of its own, in order, as names and formulas, and the formula that is left."""
    found: list[tuple[str, fm.Node]] = []
    while True:  # from the inside out: 1 + exp(z) is cheap where exp(z) has a column
        more, node = named_parts(node, [name for name, _ in found], worth=_is_worth)
        if not more:
            return found, node
        found += more


def _is_worth(part: fm.Node, times: int) -> bool:
    inside = max(map(_cost, part.args), default=0)
    return inside < MUCH <= (times - 1) * _cost(part)


def _cost(node: fm.Node) -> int:
    """Count the operations of a formula."""
    counts = Counter(part.op in COSTLY for part in fm.walk(node) if part.args)
    return counts[False] + MUCH * counts[True]
