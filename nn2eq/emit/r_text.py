"""R: a function that takes one sample a row, many at once; what it needs is hidden behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.code.arrays import Arrays
from nn2eq.emit.code.dialect import Dialect, Lines, Routine, Several
from nn2eq.emit.code.helpers import Helper
from nn2eq.emit.code.stacks import Stacks
from nn2eq.emit.code.tables import broken
from nn2eq.emit.code.text import emitter_of
from nn2eq.emit.printing import Infix, number
from nn2eq.forms.program import Constant

RESERVED = frozenset(
    """
    if else repeat while function for next break in TRUE FALSE NULL Inf NaN NA
    NA_integer_ NA_real_ NA_complex_ NA_character_
    """.split()
)
# What the texts call, which is not to be called anew.
STANDING = frozenset(
    """
    abs aperm apply array as.matrix as.numeric c cbind dim double exp expm1 function head ifelse is.null length
    list local log log10 log1p matrix max min ncol nrow numeric pchisq pmax pmin rep sapply scan seq_along
    seq_len sign sqrt stop strsplit sum t tail tanh unlist vapply which
    """.split()
)
FUNCTIONS = {
    **{name: f"{name}({{0}})" for name in ("exp", "expm1", "log", "log1p", "log10", "tanh", "sqrt", "abs", "erf")},
    "max": "pmax({0}, {1})", "min": "pmin({0}, {1})", "where": "ifelse({0}, {1}, {2})",
    "sum": "sum({0})", "largest": "max({0})", "each": "sapply(seq_along(z), function({1}) {0})",
}  # fmt: skip
ERF = """\
erf <- function(z) {
  sign(z) * pchisq(2 * z * z, 1)
}"""
_ZEROS = "0000000p"
"""What a float32 number ends with in hexadecimal, before its exponent."""
READABLE = 1_000
"""Numbers that a call of c() may hold: more are text, which R reads faster than it parses."""


def exact(values: Sequence[float]) -> list[str]:
    """Write numbers so that R reads them back: in decimals it reads one in some ten thousand a bit too large.

    What is a multiple of 1/1024, and not large, is exact in decimals too.
    """
    return [
        number(value)
        if (value * 1024).is_integer() and abs(value) < 1e6
        else value.hex().replace(_ZEROS, "p")
        for value in values
    ]


def coefficients(data: NDArray[Any]) -> list[str]:
    """Write the numbers of a vector."""
    return exact(data.astype(np.float64).tolist())


def routine(of: Routine) -> Lines:
    """Write a function, of numbers or of groups of them."""
    lets: Lines = [f"{name} <- {text}" for name, text in of.lets]
    return [f"{of.name} <- function({', '.join(of.arguments)}) {{", [*lets, of.answer], "}"]


def tables(constants: list[Constant]) -> Lines:
    """Write arrays of numbers."""
    return [line for constant in constants for line in _table(constant)]


def _table(constant: Constant) -> Lines:
    data = constant.data
    rows = np.atleast_2d(data.astype(np.float64)).tolist()
    numbers = [", ".join(map(float.hex, row)).replace(_ZEROS, "p") for row in rows]
    lines: Lines = [line for row in numbers[:-1] for line in broken(f"{row},")]
    lines += broken(numbers[-1])
    shape = f", nrow = {data.shape[0]}, byrow = TRUE)" if data.ndim == 2 else ""
    opening, closing = ("matrix(", ")" + shape) if data.ndim == 2 else ("", ")")
    if data.size <= READABLE:
        return [f"{constant.name} <- {opening}c(", lines, closing]
    text = "\n".join(str(line).rstrip(",") for line in lines)
    return [f'{constant.name} <- {opening}scan(text = "', text, f'", sep = ",", quiet = TRUE{closing}']


def result(name: str, shape: tuple[int, ...], parts: tuple[str, ...], x: str) -> str:
    """Write a result: samples by outputs, by inputs ..., column after column as they lie in memory."""
    if len(shape) == 1:
        return f"{name} = cbind({', '.join(parts)})"
    columns = np.array(parts, dtype=object).reshape(shape).ravel(order="F")
    sizes = ", ".join(map(str, shape))
    return f"{name} = array(c({', '.join(columns)}), c(nrow({x}), {sizes}))"


def whole(name: str, shape: tuple[int, ...]) -> str:
    """Write an array of stacked rows as a result."""
    if len(shape) == 1:
        return f"{name} = {name}"
    sizes = ", ".join(map(str, reversed(shape[:-1])))
    pages = f"array({name}, c(nrow(x), {sizes}, {shape[-1]}))"
    return f"{name} = {pages if len(shape) == 2 else f'aperm({pages}, c(1, 3, 2, 4))'}"


def of_stacks(of: Routine) -> Lines:
    """Write a function of stacked groups, for each of them."""
    first, *_ = of.arguments
    rows: Lines = [f"{name} <- {name}[r, ]" for name in of.arguments]
    lets: Lines = [f"{name} <- {text}" for name, text in of.lets]
    opening = f"matrix(vapply(seq_len(nrow({first})), function(r) {{"
    closing = f"}}, numeric({of.size})), ncol = {of.size}, byrow = TRUE)"
    return [
        f"{of.name} <- function({', '.join(of.arguments)}) {{",
        [opening, [*rows, *lets, of.answer], closing],
        "}",
    ]


STACKS = Stacks(
    transposed="t({0})",
    sampled="{0}[rep(seq_len({1}), each = nrow(x)), , drop = FALSE]",
    across="matrix(rep({0}, each = {1} * nrow(x)), ncol = {2})",
    repeated="{0}[rep(seq_len(nrow(x)), {1}), , drop = FALSE]",
    tiled="{0}[rep(seq_len({2} * nrow(x)), {1}), , drop = FALSE]",
    stretched=(
        "{0}[rep(seq_len(nrow(x)), {1} * {2}) + nrow(x) * rep(seq_len({2}) - 1, each = {1} * nrow(x)), , drop = FALSE]"
    ),
    turned="matrix(aperm(array({0}, c(nrow(x), {1}, {2})), c(1, 3, 2)), ncol = {1})",
    part="{0}[, {1}:{2}, drop = FALSE]",
    rows="{0}[{1}:{2}, , drop = FALSE]",
    state=("{0} <- matrix(0, {2} * nrow(x), {3})", "{0}[] <- {1}"),
    empty="{0} <- matrix(0, {1} * nrow(x), {2})",
    routine=of_stacks,
    unit="{1}[{0}]",
    each="sapply(seq_len({2}), function({1}) {0})",
)
DIALECT = Dialect(
    name="r",
    suffix=".R",
    comment="#",
    reserved=RESERVED,
    standing=STANDING,
    infix=Infix(FUNCTIONS, number=lambda value: exact([value])[0]),
    routine=routine,
    let="{0} <- {1}",
    set="{0} <- {1}",
    item="{0}[, {1}]",
    first=1,
    said="Return the columns {answers} for the columns {given}: x has one row for each sample.",
    predict=(
        "function({x}) {{",
        "{x} <- if (is.null(dim({x}))) matrix({x}, ncol = {inputs}, byrow = TRUE) else as.matrix({x})",
        'if (ncol({x}) != {inputs}) stop("{name} takes {inputs} columns, not ", ncol({x}))',
    ),
    returned="cbind({0})",
    layers=Arrays(
        product="{0} %*% {1}",
        scaled="{0} * {1}",
        across="rep({0}, each = nrow(x))",
        state=("{0} <- {2}", "{0}[] <- {1}"),
        part="{0}[, {1}:{2}, drop = FALSE]",
        into="{0}[, {1}:{2}]",
        chosen="{0}[, c({1})]",
        empty="{0} <- matrix(0, nrow(x), {1})",
        routine=routine,
        group="matrix(apply({1}, 1, {0}{2}), ncol = {3}, byrow = TRUE)",
        unit="{1}[{0}]",
        halves=("head(z, length(z) / 2)", "tail(z, length(z) / 2)"),
        count="length(z)",
        constants=tables,
        returned="{0}",
        stacks=STACKS,
    ),
    before="{name} <- local({{\n",
    after="}})\n",
    inside=1,
    indent="  ",
    helpers={"erf": Helper("erf", (), "", text=ERF)},
    numbers=coefficients,
    constant="rep({0}, nrow({1}))",
    several=Several(
        said="Return a list of {results} for the columns {given}: x has one row for each sample.",
        group=result,
        whole=whole,
        returned="list({0})",
    ),
    merged=True,
)

EMITTER = emitter_of(DIALECT)
