"""Octave and MATLAB: a function file that takes one sample a row, many at once."""

from __future__ import annotations

import numpy as np

from nn2eq.emit.code.arrays import Arrays
from nn2eq.emit.code.dialect import Dialect, Lines, Routine, Several
from nn2eq.emit.code.helpers import Helper
from nn2eq.emit.code.stacks import Stacks
from nn2eq.emit.code.tables import broken, rows
from nn2eq.emit.code.text import emitter_of
from nn2eq.emit.printing import Infix
from nn2eq.forms.program import Constant

RESERVED = frozenset(
    """
    break case catch classdef continue do else elseif end end_try_catch end_unwind_protect endclassdef
    endenumeration endevents endfor endfunction endif endmethods endparfor endproperties endswitch endwhile
    enumeration events for function global if methods otherwise parfor persistent properties return spmd switch
    try until unwind_protect unwind_protect_cleanup while
    abs ans arrayfun cell2mat double erf error exp expm1 isempty log log10 log1p logical max min permute repelem repmat
    reshape single size sqrt sscanf sum tanh where zeros false true
    """.split()
)
FUNCTIONS = {
    **{name: f"{name}({{0}})" for name in ("exp", "expm1", "log", "log1p", "log10", "tanh", "sqrt", "abs", "erf")},
    "max": "max({0}, {1})", "min": "min({0}, {1})", "where": "where({0}, {1}, {2})",
    "sum": "sum({0}, 2)", "largest": "max({0}, [], 2)",
    "each": "cell2mat(arrayfun(@({1}) {0}, 1:size(z, 2), 'UniformOutput', false))",
}  # fmt: skip
RIGHT_SIZE = (
    "if size({x}, 2) ~= {inputs}",
    "  error('{name} takes {inputs} columns, not %d', size({x}, 2));",
    "end",
)
WHERE = """\
function a = where(condition, yes, no)
  all = zeros(size(condition + yes + no));
  condition = logical(condition + all);
  a = no + all;
  yes = yes + all;
  a(condition) = yes(condition);
end"""


def routine(of: Routine) -> Lines:
    """Write a function, of numbers or of groups of them."""
    lets: Lines = [f"{name} = {text};" for name, text in of.lets]
    return [f"function a = {of.name}({', '.join(of.arguments)})", [*lets, f"a = {of.answer};"], "end"]


def tables(constants: list[Constant]) -> Lines:
    """Write arrays of numbers that are made once, when the function is called first."""
    if not constants:
        return []
    names = [constant.name for constant in constants]
    made: Lines = [line for constant in constants for line in _table(constant)]
    return [f"persistent {' '.join(names)}", f"if isempty({names[0]})", made, "end"]


def _table(constant: Constant) -> Lines:
    opening, closing = ("double(single([", "]));") if constant.data.dtype == np.float32 else ("[", "];")
    lines: Lines = []
    for text in rows(constant.data):
        *begun, last = broken(text)
        lines += [*(f"{line} ..." for line in begun), f"{last};"]
    return [f"{constant.name} = {opening} ...", lines, closing]


def result(name: str, shape: tuple[int, ...], parts: tuple[str, ...], x: str) -> str:
    """Write a result: samples by outputs, by inputs ..., column after column as they lie in memory."""
    if len(shape) == 1:
        return f"{name} = [{', '.join(parts)}];"
    columns = np.array(parts, dtype=object).reshape(shape).ravel(order="F")
    return f"{name} = reshape([{', '.join(columns)}], [], {', '.join(map(str, shape))});"


def whole(name: str, shape: tuple[int, ...]) -> str:
    """Write an array of stacked rows as a result."""
    if len(shape) == 1:
        return ""
    sizes = ", ".join(map(str, reversed(shape[:-1])))
    pages = f"reshape({name}, [], {sizes}, {shape[-1]})"
    return f"{name} = {pages if len(shape) == 2 else f'permute({pages}, [1, 3, 2, 4])'};"


STACKS = Stacks(
    transposed="{0}'",
    sampled="repelem({0}, size(x, 1), 1)",
    across="repmat({0}, {1} * size(x, 1), 1)",
    repeated="repmat({0}, {1}, 1)",
    tiled="repmat({0}, {1}, 1)",
    stretched="reshape(repmat(reshape({0}, size(x, 1), 1, {2}, {3}), 1, {1}), [], {3})",
    turned="reshape(permute(reshape({0}, size(x, 1), {1}, {2}), [1, 3, 2]), [], {1})",
    part="{0}(:, {1}:{2})",
    rows="{0}({1}:{2}, :)",
    filled="repmat({0}, {1} * size(x, 1), {2})",
    empty="{0} = zeros({1} * size(x, 1), {2});",
    routine=routine,
    unit="{1}(:, {0})",
    each="cell2mat(arrayfun(@({1}) {0}, 1:{2}, 'UniformOutput', false))",
)
DIALECT = Dialect(
    name="octave",
    suffix=".m",
    comment="%",
    reserved=RESERVED,
    infix=Infix(FUNCTIONS, operators={"*": ".*", "/": "./"}),
    routine=routine,
    let="{0} = {1};",
    set="{0} = {1};",
    item="{0}(:, {1})",
    first=1,
    said="Return [{answers}] of the columns {given}: x has one row for each sample.",
    predict=(
        "function {y} = {name}({x})",
        *RIGHT_SIZE,
    ),
    returned="{y} = [{0}];",
    layers=Arrays(
        product="{0} * {1}",
        scaled="{0} .* {1}",
        state=("{0} = {1};",),
        part="{0}(:, {1}:{2})",
        into="{0}(:, {1}:{2})",
        chosen="{0}(:, [{1}])",
        empty="{0} = zeros(size(x, 1), {1});",
        routine=routine,
        unit="{1}(:, {0})",
        halves=("z(:, 1:end/2)", "z(:, end/2+1:end)"),
        count="size(z, 2)",
        constants=tables,
        inside=True,
        stacks=STACKS,
    ),
    end="end",
    leading=True,
    constant="({0} + zeros(size({1}, 1), 1))",
    indent="  ",
    continuation=" ...",
    helpers={"where": Helper("where", (), "", text=WHERE)},
    several=Several(
        opening=(
            "function [{results}] = {name}({x})",
            *RIGHT_SIZE,
        ),
        said="Return {results} for the columns {given}: x has one row for each sample, matrices are its pages.",
        group=result,
        whole=whole,
        statements=True,
    ),
    merged=True,
)

EMITTER = emitter_of(DIALECT)
