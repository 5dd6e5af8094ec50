r"""How numbers and symbols stand in LaTeX: 3 \times 10^{-5}, T_{\mathrm{in}}, \operatorname{f}_{1,i}."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_POWER = r"10\s*\^\s*(?:\{\s*[-+]?\d+\s*\}|\d)"
NUMBER = rf"(?:{_POWER}|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+|\s*\\(?:times|cdot)\s*{_POWER})?)"
GROUP = r"\{(?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.)*\})*\})*\}"
DRESSED = (
    r"\\(?:operatorname\*?|math(?:rm|it|bf|sf|tt|cal|bb)|text(?:rm|it|bf|sf|tt)?|boldsymbol|d?dot|hat|bar|tilde|vec|acute"
    r"|grave|mathring|overline|underline|widehat|widetilde)"
)
SIGNS = (
    r"(?:[dt]?frac|sqrt|sum|begin|end|[lr]vert|cdot|times|odot|leq?|geq?|lt|gt|text"
    r"|circ|otimes|approx|left|right|middle|[bB]igg?[lrm]?|q?quad|displaystyle|textstyle|limits|nonumber|notag)"
)
"""Macros that are no symbols."""
_ATOM = rf"(?:{DRESSED}\s*{GROUP}|\\(?!{SIGNS}(?![A-Za-z]))[A-Za-z]+|[A-Za-z])"
LAYER = r"(?:\s*\^\s*\{\s*\(\s*\d+\s*\)\s*\})"
"""The number of a layer above a symbol, h^{(2)}: no power is written so."""
SYMBOL = rf"(?>{_ATOM}'*{LAYER}?(?:\s*_\s*(?:{GROUP}|{DRESSED}\s*{GROUP}|\\[A-Za-z]+|[A-Za-z0-9]))?'*)"
NUMERIC = r"(?>[-+0-9.eE\s&{}^]+|\\\\|\\(?:times|cdot)\b)*+"
"""The inside of a matrix of plain numbers."""
SKIP = (
    r"(?>(?:\s|~|&|\\\\(?:\[[^\]\n]*\])?|\\[,;:! ]|\{\}|\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])"
    r"|\\(?:q?quad|displaystyle|textstyle|limits|nonumber|notag)(?![A-Za-z])"
    r"|\\(?:begin|end)\{(?:aligned|gathered|split|alignedat)\})*)"
)

_EXPONENT = re.compile(r"\\(?:times|cdot)10\^\{?([-+]?\d+)\}?")
_BARE = re.compile(r"10\^(?<![\d.]10\^)\{?([-+]?\d+)\}?")
_SPACES = re.compile(r"\s+(?![A-Za-z])|(?<=[^A-Za-z])\s+|(?<![\\A-Za-z])(?<=[A-Za-z])\s+")
_SINGLE_TOKEN = re.compile(rf"_\{{({DRESSED}{GROUP}|\\[A-Za-z]+|[A-Za-z0-9])\}}")
_MIDDLE = np.int64(1) << 28
_LOW_BITS = (np.int64(1) << 29) - 1


def programmers(text: str) -> str:
    """Return LaTeX's powers of ten, one or many, as programmers write them, 3e-5, and no spaces."""
    tight = text.replace(" ", "").replace("\n", "").replace("\t", "").replace("\r", "")
    return _BARE.sub(r"1e\1", _EXPONENT.sub(r"e\1", tight)) if "^" in tight else tight


def floats(decimals: Sequence[str], *, single: bool) -> NDArray[np.float64]:
    """Return the numbers that programmers' decimals mean; single: the float32 nearest to each, widened."""
    wide = np.array(decimals, dtype=np.float64) if len(decimals) else np.zeros(0)
    if not single:
        return wide
    with np.errstate(over="ignore", under="ignore"):
        narrow = wide.astype(np.float32)
    # A decimal that a float64 puts exactly between two float32 may itself lie beside the middle.
    for at in np.flatnonzero((wide.view(np.int64) & _LOW_BITS) == _MIDDLE).tolist():
        narrow[at] = _nearest(decimals[at], narrow[at])
    return narrow.astype(np.float64)


def cell_values(text: str, separator: str, *, single: bool) -> NDArray[np.float64]:
    """Return the numbers of a table or matrix; one in braces is a float64 whatever the others are."""
    tight = programmers(text)
    if "{" not in tight:
        return floats(tight.split(separator), single=single)
    bare = tight.replace("{", "").replace("}", "").split(separator)
    in_braces = ["{" in cell for cell in tight.split(separator)]
    return np.where(in_braces, floats(bare, single=False), floats(bare, single=single))


def _nearest(decimal: str, guess: np.float32) -> np.float32:
    from fractions import Fraction  # takes a while to load, and hardly any number needs it

    exact = Fraction(decimal)
    with np.errstate(over="ignore"):
        sides = (guess, *(np.nextafter(guess, np.float32(side)) for side in (-np.inf, np.inf)))
    return min(filter(np.isfinite, sides), key=lambda side: abs(Fraction(float(side)) - exact))


@lru_cache(maxsize=1 << 16)
def canonical(symbol: str) -> str:
    r"""Return a symbol without the spaces and braces that make no difference: x_{1} is x_1."""
    return _SINGLE_TOKEN.sub(r"_\1", _SPACES.sub("", symbol.strip()))


@lru_cache(maxsize=1 << 16)
def indices(symbol: str) -> tuple[str, tuple[str, ...]]:
    """Split a canonical symbol into its head and what its subscript lists: W_{1,2,3} is W, (1, 2, 3)."""
    head, underscore, rest = symbol.partition("_")
    if not underscore:
        return symbol, ()
    inside = rest[1:-1] if rest.startswith("{") else rest
    return head, tuple(item.replace(" ", "") for item in inside.split(","))


def indexed(head: str, places: Sequence[str | int]) -> str:
    """Put a symbol together from its head and its indices."""
    inside = ",".join(map(str, places))
    return f"{head}_{inside}" if len(inside) == 1 else f"{head}_{{{inside}}}" if inside else head


PARTIAL = re.compile(
    rf"\\frac\s*\{{\s*\\partial\s*(?P<top>{SYMBOL})\s*\}}\s*\{{\s*\\partial\s*(?P<bottom>{SYMBOL})\s*\}}"
)
"""A derivative, which is a name like any other."""


def named(symbol: str) -> str:
    """Return the name of a symbol, or of a derivative of one by another."""
    match = PARTIAL.fullmatch(symbol.strip())
    return (
        canonical(symbol)
        if match is None
        else f"d {canonical(match['top'])} / d {canonical(match['bottom'])}"
    )
