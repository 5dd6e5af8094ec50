r"""A worked example: every equation of a network filled in with the numbers of one input.

    z1_1 = 4.85463 * 0.5 + 4.25442 * 1 - 3.49232 = 3.18942        for the terminal
    z_{1,1} &= 4.85463 \cdot 0.5 + 4.25442 \cdot 1 - 3.49232 \approx 3.18942        as LaTeX

Numbers are rounded to so many significant digits where they are shown; what is behind = was computed in full.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

from nn2eq.activations import ROWS
from nn2eq.emit.header import escaped
from nn2eq.emit.latex.functions import with_index
from nn2eq.emit.latex.names import standing
from nn2eq.emit.latex.numbers import spelled
from nn2eq.network import Network
from nn2eq.proof.trace import Factor, Row

T = TypeVar("T")
TERMS = 4
"""Terms of a sum on one line."""
DIGITS = 6


def shown(value: float, digits: int = DIGITS) -> str:
    """Return a number with so many significant digits, without zeros at the end."""
    return f"{value + 0.0:.{digits}g}"


# -------------------------------------------------------------------------------------------------- as plain text


def text(row: Row, digits: int = DIGITS) -> str:
    """Return how a value comes about, in one line, the middle of a long sum left out; "" for an input."""
    if row.function:
        args = [shown(arg, digits) for arg in _few(row.args)]
        middle = ["..."] if len(row.args) > TERMS else []
        of = ", ".join([*args[:-1], *middle, *args[-1:]])
        return f"{row.function}({of})" + (f", unit {row.unit}" if row.unit else "")
    products = [_product(factor, digits) for factor in _few(row.factors)]
    if len(row.factors) > TERMS:
        products.insert(-1, "...")
    if row.offset:
        products.append(shown(row.offset, digits))
    return " + ".join(products).replace("+ -", "- ")


def _few(items: Sequence[T]) -> Sequence[T]:
    return items if len(items) <= TERMS else (*items[: TERMS - 1], items[-1])


def _product(factor: Factor, digits: int) -> str:
    value = shown(factor.number, digits)
    return f"{shown(factor.coefficient, digits)}*{value if factor.number >= 0 else f'({value})'}"


# ------------------------------------------------------------------------------------------------------- as LaTeX


def latex(network: Network, rows: Sequence[Row], digits: int = DIGITS) -> str:
    """Return the worked example as an `align*`; amsmath is all that it needs."""
    lines = [_latex_line(row, digits) for row in rows]
    said = escaped(f"the network of {os.path.basename(network.source.file)!r} at one input")
    return f"% {said}\n\\begin{{align*}}\n" + " \\\\\n".join(lines) + "\n\\end{align*}\n"


def markdown(network: Network, rows: Sequence[Row], digits: int = DIGITS) -> str:
    """Return the worked example as Markdown: a heading a layer, mathematics between dollar signs."""
    head = f"# {_plain(os.path.basename(network.source.file) or 'a network')} at one input\n"
    return "\n".join([head, *_paragraphs(rows, digits)])


STYLES: Mapping[str, Callable[[Network, Sequence[Row], int], str]] = {"latex": latex, "markdown": markdown}
"""The texts that a worked example can be, by name."""


def _paragraphs(rows: Sequence[Row], digits: int) -> Iterator[str]:
    for origin, own in groupby(rows, key=lambda row: row.origin):
        yield f"**{_plain(origin)}**\n"
        lines = " \\\\\n".join(_latex_line(row, digits) for row in own)
        yield f"$$\n\\begin{{aligned}}\n{lines}\n\\end{{aligned}}\n$$\n"


def _plain(words: str) -> str:
    """Return words of a file as Markdown cannot misread them."""
    return "".join(char if char.isalnum() or char == " " else f"&#{ord(char)};" for char in words) or "&nbsp;"


def _latex_line(row: Row, digits: int) -> str:
    left, result = standing(row.name), spelled(shown(row.number, digits))
    if row.function:
        return f"{left} &= {_called(row, digits)} {_sign(row, digits)} {result}"
    if not row.factors and row.offset is None:
        return f"{left} &= {result}"
    terms = [*(_latex_product(factor, digits) for factor in row.factors)]
    terms += [spelled(shown(row.offset, digits))] if row.offset else []
    lines = [_joined(terms[start : start + TERMS], start) for start in range(0, len(terms), TERMS)]
    return f"{left} &= " + " \\\\\n&\\quad ".join(lines) + f" {_sign(row, digits)} {result}"


def _joined(terms: Sequence[str], start: int) -> str:
    """Add terms up, with a sign in front where they go on from the line before."""
    text = " + ".join(terms).replace("+ -", "- ")
    if not start:
        return text
    return f"{{}}- {text[1:]}" if text.startswith("-") else f"{{}}+ {text}"


def _latex_product(factor: Factor, digits: int) -> str:
    value = spelled(shown(factor.number, digits))
    bracketed = value if factor.number >= 0 else f"({value})"
    return rf"{spelled(shown(factor.coefficient, digits))} \cdot {bracketed}"


def _called(row: Row, digits: int) -> str:
    name = ROWS[row.function].symbol or rf"\operatorname{{{row.function.replace('_', ' ')}}}"
    args = ", ".join(spelled(shown(arg, digits)) for arg in row.args)
    return f"{with_index(name, str(row.unit)) if row.unit else name}({args})"


def _sign(row: Row, digits: int) -> str:
    """Whether the numbers shown are the numbers themselves."""
    numbers = [row.number, row.offset or 0.0, *row.args]
    numbers += [number for factor in row.factors for number in (factor.coefficient, factor.number)]
    return "=" if not row.function and all(float(shown(n, digits)) == n for n in numbers) else r"\approx"
