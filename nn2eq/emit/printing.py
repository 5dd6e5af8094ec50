"""The one number formatter, and the one way a formula becomes infix text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from nn2eq import formula as fm


def decimals(data: NDArray[Any], *, wide: bool = False) -> list[str]:
    """Return the shortest decimal of each number of a vector (n,): read back in its dtype, it is the same number.

    With `wide`, float32 numbers are written as the float64 they widen to, for languages without float32.
    """
    text = array_text(data.astype(np.float64) if wide else data)[1:-1]
    return text.split(",") if text else []


def array_text(data: NDArray[Any]) -> str:
    """Return a whole array as nested lists, [[0.1,0.2],[0.3,0.4]], each number the shortest in its dtype."""
    array = np.ascontiguousarray(data, dtype=np.float32 if data.dtype == np.float32 else np.float64)
    text = orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    # Of all float32 numbers this one alone becomes another when its shortest decimal is read as a float64 and
    # then rounded, as NumPy and Python read it.
    return text.replace("7.038531e-26", "7.0385307e-26") if array.dtype == np.float32 else text


def number(value: float) -> str:
    """Return the shortest decimal that reads back as the same float64."""
    return orjson.dumps(float(value)).decode()


# Binding strength, weakest first; a child that binds weaker than its place needs brackets.
WHERE, COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(7)
_STRENGTH = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "neg": SIGN, "**": POWER} | dict.fromkeys(
    fm.COMPARISONS, COMPARE
)


@dataclass(frozen=True)
class Text:
    """A piece of emitted text and how strongly it binds."""

    text: str
    strength: int = ATOM

    def within(self, strength: int) -> str:
        """Return the text, in brackets where the place binds more strongly."""
        return self.text if self.strength >= strength else f"({self.text})"


class Names(dict[str, Text]):
    """Texts by name; a name that is not there stands for itself."""

    def __missing__(self, name: str) -> Text:
        return Text(name)


@dataclass(frozen=True)
class Infix:
    """How a language writes formulas: its functions as templates, its power and conditional, its numbers.

    functions: a template for each name of nn2eq.formula.FUNCTIONS, the arguments as {0} {1} {2}; what is missing
    cannot be said. power: a template where the language has no ** operator. sign: how strongly a minus sign
    binds. operators: those that it writes otherwise. loose: functions written so that they need brackets within
    an operation, such as `a if condition else b`. chain: how where(c, a, where(d, b, e)) is written as one: what
    opens it, a condition {0} with its value {1}, and the last value {0}.
    """

    functions: Mapping[str, str]
    number: Callable[[float], str] = number
    power: str = ""
    sign: int = SIGN
    operators: Mapping[str, str] = field(default_factory=dict)
    loose: Collection[str] = ()
    chain: tuple[str, str, str] | tuple[()] = ()

    def write(self, node: fm.Node, names: Mapping[str, Text]) -> Text:
        """Write a formula (without reductions) with its names replaced by texts."""
        match node.op:
            case "number":
                text = self.number(node.value)
                return Text(text, self.sign if text.startswith("-") else ATOM)
            case "name":
                return names[node.value]
            case "neg":
                return Text("-" + self.write(node.args[0], names).within(POWER), self.sign)
            case "where" if self.chain:
                return self._chained(node, names)
            case "**" if self.power:
                return Text(self.power.format(*(self.write(arg, names).text for arg in node.args)))
            case "+" | "-" | "*" | "/" | "**" | "<" | "<=" | ">" | ">=" | "==":
                return self._binary(node, names)
        text = self.functions[node.op].format(*(self.write(arg, names).text for arg in node.args))
        return Text(text, WHERE if node.op in self.loose else ATOM)

    def _chained(self, node: fm.Node, names: Mapping[str, Text]) -> Text:
        assert self.chain
        opening, pair, last = self.chain
        parts = [opening]
        while node.op == "where":
            condition, value, node = node.args
            parts.append(pair.format(self.write(condition, names).text, self.write(value, names).text))
        text = "".join([*parts, last.format(self.write(node, names).text)])
        return Text(text, WHERE if "where" in self.loose else ATOM)

    def _binary(self, node: fm.Node, names: Mapping[str, Text]) -> Text:
        strength, sign = _STRENGTH[node.op], self.operators.get(node.op, node.op)
        left, right = (self.write(arg, names) for arg in node.args)
        # a - (b - c), a / (b c) and (a ** b) ** c need their brackets; a + (b + c) does not
        tight_left, tight_right = node.op == "**", node.op in "-/**" or strength == COMPARE
        return Text(
            f"{left.within(strength + tight_left)} {sign} {right.within(strength + tight_right)}", strength
        )
