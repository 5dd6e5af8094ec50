r"""The smallest parts of a formula in LaTeX: tokens, and the terms that are a number times symbols."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nn2eq.proof.latex_symbols import (
    DRESSED,
    GROUP,
    NUMBER,
    SIGNS,
    SKIP,
    SYMBOL,
    canonical,
    floats,
    programmers,
)

TRANSPOSE = frozenset({r"\top", "T", r"\mathsf{T}", r"\mathrm{T}", r"\intercal"})
RELATIONS: Mapping[str, str] = {
    "<": "<", r"\lt": "<", r"\le": "<=", r"\leq": "<=",
    ">": ">", r"\gt": ">", r"\ge": ">=", r"\geq": ">=", "=": "=",
}  # fmt: skip
OPERATORS: Mapping[str, str] = {
    "*": "*",
    r"\cdot": "*",
    r"\times": "*",
    r"\odot": "o",
    r"\otimes": "x",
    "/": "/",
}

TOKEN = re.compile(
    rf"{SKIP}(?:(?P<number>{NUMBER})|(?P<sign>[-+])|(?P<open>[(\[])|(?P<close>[)\]])|(?P<brace>\{{)"
    r"|(?P<operator>[*/]|\\(?:cdot|times|odot|otimes)(?![A-Za-z]))"
    r"|(?P<relation>[<>=]|\\(?:leq?|geq?|lt|gt)(?![A-Za-z]))"
    r"|(?P<frac>\\[dt]?frac(?![A-Za-z]))|(?P<root>\\sqrt(?![A-Za-z]))"
    r"|(?P<bar>\\lvert(?![A-Za-z]))|(?P<unbar>\\rvert(?![A-Za-z]))|(?P<stroke>\|)"
    r"|(?P<over>\\(?:sum|max|min)(?=\s*_))|\\begin\{(?P<begin>[a-z]+)\}"
    rf"|(?P<words>\\text\{{[^{{}}]*\}})|(?P<symbol>{SYMBOL})|(?P<power>\^)|(?P<comma>,)|(?P<end>\Z)|(?P<other>.))",
    re.DOTALL,
)
# A plain term is matched at once; whatever is dressed up or spaced by hand goes through the tokens.
_INDEX = r"(?:_(?:\{(?:[\w,]|\\mathrm\{\w+\})*\}|\w))?"
_PLAIN = rf"(?>(?:\\(?!{SIGNS}(?![A-Za-z]))[A-Za-z]+|[A-Za-z]){_INDEX})"
_GAP = r"(?>(?:[\s&]|\\[bB]igg?r(?![A-Za-z])|\\\\(?:\[[^\]\n]*\])?|\\quad|\{\})*)"
TERM = re.compile(
    rf"{_GAP}(?P<sign>[-+]?){_GAP}(?:(?P<wide>\{{)?(?P<number>(?>{NUMBER}))(?(wide)\}}))?"
    rf"{_GAP}(?P<symbol>{_PLAIN})?{_GAP}(?P<second>{_PLAIN})?{_GAP}(?=[-+,]|\Z)"
)
LIMITS = re.compile(
    r"\s*_\s*(?:\{(?P<under>[^{}]*)\}|(?P<letter>[a-z]))"
    r"(?:\s*\^\s*(?:\{\s*(?P<to>\d+|n)\s*\}|(?P<digit>\d)))?"
)
CELL = re.compile(rf"{DRESSED}\s*{GROUP}" r"|\\\\(?:\[[^\]\n]*\])?|&|[({\[]|\\begin\{[a-z]+\}|\\[{}]")


WHOLE = re.compile(r"\\[dt]?frac\{(\d{1,4000})\}\{0*([1-9]\d{0,3999})\}")
"""A fraction of whole numbers, which may have hundreds of digits."""


class Node:
    """One operation and what it is applied to; value: what is particular about it; at: where it stands."""

    __slots__ = ("args", "at", "op", "value")

    def __init__(self, op: str, args: tuple[Node, ...] = (), value: Any = None, at: int = 0) -> None:
        self.op, self.args, self.value, self.at = op, args, value, at


class Terms:
    """The terms of a sum: a number times up to two symbols in one table, all others one by one."""

    def __init__(self, single: bool) -> None:
        self._single = single
        self._decimals: tuple[list[str], list[str]] = ([], [])
        self._symbols: tuple[list[tuple[str, ...]], list[tuple[str, ...]]] = ([], [])
        self._others: list[Node] = []
        self._signs: list[int] = []

    def add_simple(self, match: re.Match[str]) -> None:
        """Add what matched TERM."""
        is_single = self._single and not match["wide"]
        number = match["number"] or "1"
        self._decimals[is_single].append(match["sign"] + programmers(number))
        symbols = (match["symbol"], match["second"])
        self._symbols[is_single].append(tuple(canonical(symbol) for symbol in symbols if symbol))

    def add(self, negative: bool, node: Node) -> None:
        """Add any other term."""
        self._others.append(node)
        self._signs.append(-1 if negative else 1)

    def node(self, at: int) -> Node:
        """Return the sum as one node."""
        linear = self._linear(at)
        others, signs = [*self._others, *linear], [*self._signs, *(1 for _ in linear)]
        if len(others) == 1 and signs[0] == 1:
            return others[0]
        return Node("sum", tuple(others), tuple(signs), at)

    def _linear(self, at: int) -> list[Node]:
        """Σ coefficient · symbols + constant; a lone symbol or number is itself."""
        values = [float(v) for kind in (0, 1) for v in floats(self._decimals[kind], single=bool(kind))]
        symbols = [*self._symbols[0], *self._symbols[1]]
        if not symbols:
            return []
        terms = [(value, names) for value, names in zip(values, symbols, strict=True) if names]
        constant = sum(value for value, names in zip(values, symbols, strict=True) if not names)
        if not terms:
            return [Node("number", value=float(constant), at=at)]
        if len(symbols) == 1 and terms[0] == (1.0, (terms[0][1][0],)):
            return [Node("name", value=terms[0][1][0], at=at)]
        coefficients, names = zip(*terms, strict=True)
        return [Node("linear", value=(coefficients, names, constant), at=at)]


def loosely(symbol: str) -> str:
    """Match a symbol of several atoms, whatever spaces stand between them."""
    atoms = re.findall(r"\\[A-Za-z]+|\\.|\S", symbol)
    return r"\s*".join(re.escape(atom) for atom in atoms)


def joined(conditions: Sequence[Node]) -> Sequence[Node]:
    """Join conditions that all hold into one; of none there is none."""
    return conditions if len(conditions) < 2 else [Node("all", tuple(conditions), at=conditions[0].at)]


def composition(text: str) -> tuple[str, ...]:
    r"""Return the functions of f \circ g, () if there is but one."""
    parts = re.split(r"\\circ(?![A-Za-z])", text)
    return tuple(map(canonical, parts)) if len(parts) > 1 else ()
