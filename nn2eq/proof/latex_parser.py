"""Formulas in LaTeX as trees. The same text in the same place of the language is read once and shared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import cast

from nn2eq.errors import BadRequest
from nn2eq.proof.latex_symbols import (
    NUMBER,
    NUMERIC,
    PARTIAL,
    canonical,
    cell_values,
    floats,
    indexed,
    indices,
    named,
    programmers,
)
from nn2eq.proof.latex_text import Mathematics
from nn2eq.proof.latex_tokens import (
    CELL,
    LIMITS,
    OPERATORS,
    RELATIONS,
    TERM,
    TOKEN,
    TRANSPOSE,
    WHOLE,
    Node,
    Terms,
    composition,
    joined,
    loosely,
)  # fmt: skip

Read = tuple[Node, int]  # what was read, and the place behind it


class Parser:
    r"""Reads the formulas of one text.

    functions: the names that stand for functions; components: those of which one unit's value may be meant.
    single: whether plain decimals are float32. phrases: the symbols that take several atoms, such as \Delta
    T.
    """

    def __init__(
        self,
        mathematics: Mathematics,
        *,
        functions: frozenset[str],
        components: frozenset[str],
        single: bool,
        phrases: tuple[str, ...] = (),
    ) -> None:
        self._mathematics = mathematics
        self._text = mathematics.text
        self._functions, self._components, self._single = functions, components, single
        self._phrases = {re.compile(loosely(phrase)): canonical(phrase) for phrase in phrases}
        self._bound: tuple[str, ...] = ()
        self._known: dict[tuple[str, tuple[str, ...]], Node] = {}
        self._listed: dict[tuple[str, tuple[str, ...]], tuple[Node, ...]] = {}
        self._calls: dict[tuple[str, tuple[Node, ...]], Node] = {}

    def formula(self, start: int, end: int, bound: tuple[str, ...] = ()) -> Node:
        """Read the formula between two places; bound: the indices that run. Raises BadRequest."""
        self._bound = bound
        if chain := composition(self._text[start:end]):
            if unknown := set(chain) - self._functions:
                raise self._error(f"{min(unknown)} is not a function of this text", start, end)
            return Node("composed", value=chain, at=start)
        return self._group(start, end)

    def guarded(self, start: int, end: int) -> tuple[Node, Node | None]:
        r"""Read a formula behind which a condition may stand: x + 1 \text{if } x > 2. Raises BadRequest."""
        self._bound = ()
        if r"\text{" not in self._text[start:end]:
            return self.formula(start, end), None
        node, at = self._sum(start, end)
        return node, self._condition(at, end)

    # --------------------------------------------------------------------------------- sums, products, powers

    def _group(self, start: int, end: int) -> Node:
        """Read a formula that fills the whole stretch; the same text is read once."""
        key = (self._text[start:end], self._bound)
        if key not in self._known:
            node, at = self._sum(start, end)
            if self._kind(at, end) != "end":
                raise self._error("cannot read on here", at, end)
            self._known[key] = node
        return self._known[key]

    def _sum(self, at: int, end: int) -> Read:
        terms, start = Terms(self._single), at
        while True:
            if simple := self._simple(at, end):
                terms.add_simple(simple)
                at = simple.end()
            else:
                negative, at = self._signs(at, end)
                node, at = self._product(at, end)
                terms.add(negative, node)
            if self._kind(at, end) != "sign":
                return terms.node(start), at

    def _signs(self, at: int, end: int) -> tuple[bool, int]:
        """Read the signs before a term, none or several: whether they make it negative."""
        negative = False
        while (token := self._token(at, end))["sign"]:
            negative, at = negative != (token["sign"] == "-"), token.end()
        return negative, at

    def _simple(self, at: int, end: int) -> re.Match[str] | None:
        """Match a term that is a number, a symbol, or a product of those: most terms of a long text."""
        if self._bound or self._phrases:
            return None
        match = TERM.match(self._text, at, end)
        if match is None or not (match["number"] or match["symbol"]):
            return None
        calls = match["second"] and canonical(match["symbol"]) in self._functions
        return None if calls else match

    def _product(self, at: int, end: int) -> Read:
        start = at
        node, at = self._power(at, end)
        factors, operators = [node], []
        while (token := self._token(at, end)).lastgroup in _FACTORS:
            if token["number"] and factors[-1].op == "number":
                raise self._error("two numbers side by side", at, end)
            operators.append(OPERATORS[token["operator"] or "*"])
            node, at = self._power(token.end() if token["operator"] else at, end)
            factors.append(node)
        if len(factors) == 1:
            return node, at
        return Node("product", tuple(factors), tuple(operators), start), at

    def _power(self, at: int, end: int) -> Read:
        node, at = self._primary(at, end)
        while (token := self._token(at, end))["power"]:
            start, stop, at = self._exponent(token.end(), end)
            if self._text[start:stop].strip() in TRANSPOSE:
                node = Node("transpose", (node,), at=start)
            elif node.op == "name" and node.value == "e":
                node = Node("exponential", (self._group(start, stop),), at=start)
            else:
                node = Node("power", (node, self._group(start, stop)), at=start)
        return node, at

    def _exponent(self, at: int, end: int) -> tuple[int, int, int]:
        """Return where an exponent starts and stops, {...}, a digit or a symbol, and the place behind it."""
        token = self._token(at, end)
        if token["brace"]:
            start, after = self._inside(token.end())
            return start, after - 1, after
        start = token.start(token.lastgroup or 0)
        stop = start + 1 if token["number"] else token.end()
        return start, stop, stop

    def _primary(self, at: int, end: int) -> Read:
        token = self._token(at, end)
        if token.lastgroup not in _PRIMARY:
            raise self._error("a number, a symbol or a bracket was expected", at, end)
        return _PRIMARY[token.lastgroup](self, token, end)

    # -------------------------------------------------------------------------------------------- primaries

    def _number(self, token: re.Match[str], end: int) -> Read:
        [value] = floats([programmers(token["number"])], single=self._single)
        return Node("number", value=float(value), at=token.start()), token.end()

    def _bracket(self, token: re.Match[str], end: int) -> Read:
        start, after = self._inside(token.end())
        return self._group(start, after - 1), after

    def _brace(self, token: re.Match[str], end: int) -> Read:
        """A number in braces is a float64 whatever plain decimals are."""
        start, after = self._inside(token.end())
        text = self._text[start : after - 1]
        if re.fullmatch(NUMBER, text.strip()):
            return Node("number", value=float(programmers(text.strip())), at=start), after
        return self._group(start, after - 1), after

    def _fraction(self, token: re.Match[str], end: int) -> Read:
        if match := PARTIAL.match(self._text, token.start("frac"), end):
            return Node("name", value=named(match[0]), at=match.start()), match.end()
        top, at = self._argument(token.end(), end)
        bottom, at = self._argument(at, end)
        if whole := WHOLE.match(self._text, token.start(), end):
            return Node("number", value=float(Fraction(int(whole[1]), int(whole[2]))), at=token.start()), at
        return Node("product", (top, bottom), ("/",), token.start()), at

    def _root(self, token: re.Match[str], end: int) -> Read:
        inner, at = self._argument(token.end(), end)
        return Node("call", (inner,), r"\sqrt", token.start()), at

    def _argument(self, at: int, end: int) -> Read:
        r"""Read what a macro takes: {...}, or the one digit or symbol behind it, as in \frac12."""
        start, stop, at = self._exponent(at, end)
        return self._group(start, stop), at

    def _bars(self, token: re.Match[str], end: int) -> Read:
        inner, at = self._sum(token.end(), end)
        closing = self._token(at, end)
        if not closing["unbar"] and not closing["stroke"]:
            raise self._error("a bar that is not closed", token.start(), end)
        return Node("call", (inner,), r"\abs", token.start()), closing.end()

    def _reduction(self, token: re.Match[str], end: int) -> Read:
        r"""Read \sum_{j=1}^{3}, \sum_j, or \sum_{i=1}^{n} over samples, and what is summed: up to the next sign."""
        sign = token["over"].strip()
        limits = LIMITS.match(self._text, token.end(), end)
        if limits is None:
            raise self._error(f"{sign} without an index", token.start(), end)
        index, _, low = (limits["under"] or limits["letter"]).partition("=")
        high = limits["to"] or limits["digit"]
        outer, self._bound = self._bound, self._bound + ((index.strip(),) if high != "n" else ())
        body, at = self._product(limits.end(), end)
        self._bound = outer
        places = (int(low), int(high)) if (high or "n") != "n" and low.strip().isdigit() else None
        op, value = ("samples", sign) if high == "n" else (sign, (index.strip(), places))
        return Node(op, (body,), value, token.start()), at

    def _environment(self, token: re.Match[str], end: int) -> Read:
        name, start = token["begin"], token.end()
        close = self._mathematics.closes.get(start)
        if close is None or name not in ("cases", "bmatrix", "pmatrix", "matrix", "array"):
            raise self._error(f"the environment {name!r:.40} is not read", token.start(), end)
        after = close + len(rf"\end{{{name}}}")
        if name == "cases":
            return self._cases(start, close), after
        if name == "array":
            start = self._inside(self._token(start, close).end())[1]
        return self._matrix(start, close), after

    def _symbol(self, token: re.Match[str], end: int) -> Read:
        for phrase, name in self._phrases.items():
            if match := phrase.match(self._text, token.start("symbol"), end):
                return Node("name", value=name, at=match.start()), match.end()
        at, after = token.start("symbol"), token.end()
        name = canonical(token["symbol"])
        if (function := self._function(name, at, after, end)) is not None:
            return function
        head, places = indices(name)
        if any(place.split("+")[0] in self._bound for place in places):
            return Node("indexed", value=(head, places), at=at), after
        return Node("name", value=name, at=at), after

    def _function(self, name: str, at: int, after: int, end: int) -> Read | None:
        """Read a call if the name is a function's; a unit of one: softmax_3(...)."""
        unit = None
        if name not in self._functions:
            head, places = indices(name)
            if not places or not places[-1].isdigit() or indexed(head, places[:-1]) not in self._components:
                return None
            name, unit = indexed(head, places[:-1]), int(places[-1])
        token = self._token(after, end)
        if token["power"]:  # \tanh^2(z)
            exponent, after = self._argument(token.end(), end)
            inner, after = self._arguments(after, end)
            return Node("power", (Node("call", inner, name, at), exponent), at=at), after
        args, after = self._arguments(after, end)
        call = self._call(name, args, at)
        return (call if unit is None else Node("unit", (call,), unit, at)), after

    def _arguments(self, at: int, end: int) -> tuple[tuple[Node, ...], int]:
        r"""Read (a, b), or the one factor that stands behind \tanh; the same text is read once."""
        token = self._token(at, end)
        if not token["open"]:
            node, at = self._power(at, end)
            return (node,), at
        start, after = self._inside(token.end())
        key = (self._text[start : after - 1], self._bound)
        if key not in self._listed:
            self._listed[key] = tuple(self._list(start, after - 1))
        return self._listed[key], after

    def _list(self, at: int, end: int) -> Iterator[Node]:
        while True:
            node, at = self._sum(at, end)
            yield node
            comma = self._token(at, end)
            if comma.lastgroup == "end":
                return
            if not comma["comma"]:
                raise self._error("a comma was expected", at, end)
            at = comma.end()

    def _call(self, name: str, args: tuple[Node, ...], at: int) -> Node:
        """Return the call of a function, one for the same arguments."""
        return self._calls.setdefault((name, args), Node("call", args, name, at))

    # ---------------------------------------------------------------------------------- cases and matrices

    def _cases(self, start: int, end: int) -> Node:
        """Read rows `value & conditions`, words in place of the last ones; a row may have conditions only."""
        rows: list[tuple[Node, list[Node]]] = []
        for value, *conditions in self._cells(start, end):
            if self._kind(*value) != "end" or not rows:
                rows.append((self._group(*value), []))
            found = (self._condition(*condition) for condition in conditions)
            rows[-1][1].extend(condition for condition in found if condition is not None)
        if not all(conditions for _, conditions in rows[:-1]):
            raise self._error("a case without a condition, and not the last one", start, end)
        args = (node for value, conditions in rows for node in (value, *joined(conditions)))
        return Node("cases", tuple(args), at=start)

    def _condition(self, at: int, end: int) -> Node | None:
        """Read comparisons that all hold, with commas or words between them; None for words alone."""
        found: list[Node] = []
        while True:
            while (token := self._token(at, end)).lastgroup in ("words", "comma"):
                at = token.end()
            if token.lastgroup == "end":
                break
            compared, at = self._comparison(at, end)
            found += compared
            if self._kind(at, end) not in ("words", "comma", "end"):
                raise self._error("cannot read on here", at, end)
        return next(iter(joined(found)), None)

    def _comparison(self, at: int, end: int) -> tuple[list[Node], int]:
        r"""Read a < b, or a chain of them: a < x \le b."""
        left, at = self._sum(at, end)
        found: list[Node] = []
        while (relation := self._token(at, end))["relation"]:
            right, at = self._sum(relation.end(), end)
            found.append(Node("compare", (left, right), RELATIONS[relation["relation"]], at))
            left = right
        if not found:
            raise self._error("a comparison was expected", at, end)
        return found, at

    def _matrix(self, start: int, end: int) -> Node:
        """Read numbers all at once, anything else cell by cell."""
        text = self._text[start:end]
        if re.fullmatch(NUMERIC, text):
            return self._numeric(text.strip().removesuffix("\\\\"), start)
        rows_of_cells = list(self._cells(start, end))
        args = tuple(self._group(*cell) for cells in rows_of_cells for cell in cells)
        return Node("matrix", args, len(rows_of_cells[0]) if rows_of_cells else 0, start)

    def _numeric(self, text: str, at: int) -> Node:
        rows = text.split("\\\\")
        if len({row.count("&") for row in rows}) != 1:
            raise self._error("a matrix whose rows are not of one length", at, at)
        try:
            values = cell_values(text.replace("\\\\", "&"), "&", single=self._single)
        except ValueError as problem:
            what = f"a matrix with something in it that is not a number ({problem})"
            raise self._error(what, at, at) from None
        return Node("numbers", value=values.reshape(len(rows), -1), at=at)

    def _cells(self, start: int, end: int) -> Iterator[list[tuple[int, int]]]:
        r"""Yield the cells of each row, cut at & and \\ outside all brackets."""
        row, begin, at = [], start, start
        while match := CELL.search(self._text, at, end):
            at = match.end()
            if match[0] == "&":
                row.append((begin, match.start()))
                begin = at
            elif match[0].startswith("\\\\"):
                yield [*row, (begin, match.start())]
                row, begin = [], at
            elif at in self._mathematics.closes:
                at = self._mathematics.closes[at] + 1
        if row or self._text[begin:end].strip():
            yield [*row, (begin, end)]

    # ---------------------------------------------------------------------------------------------- tokens

    def _token(self, at: int, end: int) -> re.Match[str]:
        match = TOKEN.match(self._text, at, end)  # whose last alternative takes anything
        return cast("re.Match[str]", match)

    def _kind(self, at: int, end: int) -> str | None:
        return self._token(at, end).lastgroup

    def _inside(self, start: int) -> tuple[int, int]:
        """Return where the inside of a bracket starts, and the place after the closing one."""
        if (close := self._mathematics.closes.get(start)) is None:
            raise self._error("a bracket that is not closed", start, start)
        return start, close + 1

    def _error(self, what: str, at: int, end: int) -> BadRequest:
        shown = " ".join(self._text[at : min(at + 40, end)].split())
        return self._mathematics.error(f"{what}: {shown!r}" if shown else what, at)


_PRIMARY: Mapping[str | None, Callable[[Parser, re.Match[str], int], Read]] = {
    "number": Parser._number, "open": Parser._bracket, "brace": Parser._brace, "frac": Parser._fraction,
    "root": Parser._root, "bar": Parser._bars, "stroke": Parser._bars, "over": Parser._reduction,
    "begin": Parser._environment, "symbol": Parser._symbol,
}  # fmt: skip
_FACTORS = frozenset(_PRIMARY) - {"stroke"} | {"operator"}
"""What may stand behind a factor: the next, or the sign between; a stroke closes an absolute value."""
