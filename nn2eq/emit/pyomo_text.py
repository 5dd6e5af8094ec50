"""Pyomo: `add_network(block)` gives a block the variables x and y, and one for each unit between them.

The full space: an equation for every unit. On a domain on which every pre-activation is bounded, ReLU and its
kind are switches between two affine pieces, as solvers of mixed-integer programs take them. Derivatives are
variables too, jacobian[output, input] and hessian[output, input, input], held to equations layer by layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit import Emitter
from nn2eq.emit.code.helpers import ERF, Helper
from nn2eq.emit.code.routines import by_function_or_group
from nn2eq.emit.header import escaped
from nn2eq.emit.options import Options
from nn2eq.emit.printing import Infix, Names, Text
from nn2eq.emit.python_functions import definition, over_list, written
from nn2eq.emit.python_text import ROWS, affine, constant_lines, is_long
from nn2eq.emit.pythonic import Scalars, applied, commented, texts_of
from nn2eq.emit.scalars import Line, unrolled
from nn2eq.emit.sharing import named_parts
from nn2eq.errors import CannotEmit
from nn2eq.forms.program import (
    WHOLE,
    Affine,
    Apply,
    Array,
    Combine,
    Constant,
    Program,
    Step,
    Value,
    arguments,
    step_constants,
    with_constants,
)
from nn2eq.forms.size import Spelling

PYOMO = Infix(
    {
        **{name: f"{name}({{0}})" for name in ("exp", "expm1", "log", "log1p", "log10", "sqrt", "tanh", "abs", "erf")},
        "max": "larger({0}, {1})", "min": "smaller({0}, {1})",
        "max with 0": "positive({0})", "min with 0": "negative({0})",
        "where": "Expr_if(IF={0}, THEN={1}, ELSE={2})",
    }
)  # fmt: skip
SCALARS = Scalars(PYOMO)
LOG1P = """\
def log1p(z):
    # log(1 + z), accurate where z is small
    return asinh(z * (2.0 + z) / (2.0 * (1.0 + z)))
"""
HELPERS = (
    ERF,
    Helper("log1p", ("z",), "", text=LOG1P),
    Helper("expm1", ("z",), "tanh(z / 2) * (exp(z) + 1)", "exp(z) - 1, accurate where z is small"),
    Helper("larger", ("a", "b"), "where(a > b, a, b)"),
    Helper("smaller", ("a", "b"), "where(a < b, a, b)"),
    Helper("positive", ("z",), "(z + abs(z)) / 2", "max(z, 0), exactly, and without cases"),
    Helper("negative", ("z",), "(z - abs(z)) / 2", "min(z, 0), exactly, and without cases"),
)
"""What Pyomo lacks: smooth where the function is, and without cases where that can be. Each behind what uses it."""
IMPORTED = (
    "Binary", "Constraint", "ConstraintList", "Expr_if", "RangeSet", "Var",
    "asinh", "exp", "log", "log10", "sqrt", "tanh",
)  # fmt: skip
"""What a text may need of Pyomo."""
NAMED = '''\
def named(block, name, values):
    """Add a variable for each of some expressions, and the equations that they are held to."""
    units = RangeSet(len(values))
    variables = Var(units)
    block.add_component(name, variables)
    equations = Constraint(units, rule=lambda _, k: variables[k] == values[k - 1])
    block.add_component(f"{name}_equation", equations)
    return [variables[k] for k in units]
'''
INDEXED = '''\
def indexed(block, name, values, *sizes):
    """Add a variable for each of some expressions, by several indices, and the equations that they are held to."""
    variables, equations = Var(*map(RangeSet, sizes)), ConstraintList()
    block.add_component(name, variables)
    block.add_component(f"{name}_equations", equations)
    for place, value in zip(variables, values):
        equations.add(variables[place] == value)
    return [variables[place] for place in variables]
'''
SWITCHED = '''\
def switched(block, name, left, right, above, below):
    """Add a variable for the larger of two expressions of each unit, and a switch that says which one that is.

    above, below: how far the right one can be above and below the left one.
    """
    units = RangeSet(len(left))
    variables, switch, limits = Var(units), Var(units, domain=Binary), ConstraintList()
    block.add_component(name, variables)
    block.add_component(f"{name}_switch", switch)
    block.add_component(f"{name}_limits", limits)
    for k in units:
        limits.add(variables[k] >= left[k - 1])
        limits.add(variables[k] >= right[k - 1])
        limits.add(variables[k] <= left[k - 1] + above[k - 1] * switch[k])
        limits.add(variables[k] <= right[k - 1] + below[k - 1] * (1 - switch[k]))
    return [variables[k] for k in units]
'''


def write(program: Program, options: Options) -> str:
    """Write a Program as Pyomo. Raises CannotEmit for switches of which nothing is proved any more."""
    if program.layout == "bigm" and not program.ranges:
        what = "the bounds of big-M are proved of the exact numbers"
        raise CannotEmit(what, code="option-format", way_out="leave out --digits")
    program = program.merged() if len(program.functions) > 1 else program
    switches = dict(_switches(program))
    tables = [*_tables(program), *(table for pair in switches.values() for table in pair)]
    body = _function(program, switches)
    parts = _definitions(program, body)
    parts += [ROWS] if any(map(is_long, tables)) else []
    parts += [SWITCHED] if switches else []
    parts += [text for text, called in ((NAMED, "= named("), (INDEXED, "= indexed(")) if called in body]
    parts += [body]
    used = [name for name in IMPORTED if any(re.search(rf"(?<!def )\b{name}\b", part) for part in parts)]
    numbers = "\n".join([*_domain(program), *map(constant_lines, tables)]) + "\n"
    return "\n\n".join([f"from pyomo.environ import {', '.join(used)}\n", *parts, numbers])


def _tables(program: Program) -> Iterator[Constant]:
    """Yield the arrays of numbers; those of formulas over several values are written where they are used."""
    steps = (step for step in program.predict.steps if not isinstance(step, Combine))
    yield from {constant.name: constant for step in steps for constant in step_constants(step)}.values()


def _definitions(program: Program, body: str) -> list[str]:
    """Return the functions that the text calls, and those that these call."""
    rows = (row for row in applied(program).values() if spelled(row) is None)
    parts = [
        definition(row, beside_zero(fm.parse(row.row.runnable)), PYOMO)
        for row in rows
        if re.search(rf"\b{row.row.name}\(", body)
    ]
    for helper in HELPERS:
        if any(re.search(rf"\b{helper.name}\(", part) for part in (*parts, body)):
            parts.append(_helper(helper))
    return parts


def _domain(program: Program) -> Iterator[str]:
    if program.domain:
        yield "\n".join(["DOMAIN = [", *(f"    ({low!r}, {high!r})," for low, high in program.domain), "]"])


def spelling_of(options: Options) -> Spelling:
    """Return how activations are written."""
    return spelled


def spelled(activation: Activation) -> fm.Node | None:
    """Spell an activation by a function of a unit, or where units are coupled by the formula of each."""
    node = by_function_or_group(activation)
    return None if node is None else beside_zero(node)


def beside_zero(node: fm.Node) -> fm.Node:
    """Return a formula that says of what the larger or smaller of 0 and another number is taken."""
    args = tuple(beside_zero(arg) for arg in node.args)
    if node.op in ("max", "min") and fm.number(0.0) in args:
        return fm.Node(f"{node.op} with 0", (args[1 - args.index(fm.number(0.0))],))
    return fm.Node(node.op, args, node.value)


def _helper(helper: Helper) -> str:
    if helper.text:
        return helper.text
    first, last = named_parts(fm.parse(helper.formula), set(helper.arguments))
    lines = [f"# {helper.said}"] if helper.said else []
    lines += [f"{name} = {written(part, PYOMO)}" for name, part in first]
    return "\n    ".join(
        [f"def {helper.name}({', '.join(helper.arguments)}):", *lines, f"return {written(last, PYOMO)}\n"]
    )


# --------------------------------------------------------------------------------------------------- equations


def _function(program: Program, switches: Switches) -> str:
    results = zip(program.predict.results, program.predict.shapes or [()], strict=True)
    sizes = " and ".join([f"x[1..{len(program.inputs)}]", *(_sized(*result) for result in results)])
    said = f'"""Add variables {sizes} to a block, and what holds between them."""'
    return "\n    ".join(["def add_network(block):", said, *_body(program, switches)]) + "\n"


def _sized(result: Value, shape: tuple[int, ...]) -> str:
    """Say what the indices of a result are."""
    if len(shape) < 2:
        return f"y[1..{result.size}]"
    return f"{result.name}[{', '.join(f'1..{size}' for size in shape)}]"


def _body(program: Program, switches: Switches) -> Iterator[str]:
    """Yield the lines of the function: a variable for every unit."""
    function = program.predict
    x, y = function.arguments[0].name, function.results[0].name
    yield f"# x: {escaped(', '.join(program.inputs))}"
    yield f"# y: {escaped(', '.join(function.results[0].parts))}"
    within = ", bounds=lambda _, k: DOMAIN[k - 1]" if program.domain else ""
    yield f"block.x = Var(RangeSet({len(program.inputs)}){within})"
    yield f"{x} = [block.x[k] for k in block.x]"
    apart = tuple(step for step in function.steps if _is_apart(step))
    lines = unrolled(replace(function, steps=apart), spelled)
    shapes = {one.name: of for one, of in zip(function.results, function.shapes, strict=False) if len(of) > 1}
    for said, step in commented((step.out.origin, step) for step in function.steps):
        yield from said
        name = "y" if step.out.name == y else step.out.name
        adding = _adding(name, shapes.get(name, ()))
        if step.out.name in switches:
            yield _switched(step, name, switches[step.out.name])
        elif _is_apart(step):
            yield from _units(step, adding, next(lines)[1])
        else:
            yield f"{step.out.name} = {adding.format(_at_once(step))}"


def _is_apart(step: Step) -> bool:
    """Whether a step is written unit by unit."""
    return not isinstance(step, Affine | Apply) or (isinstance(step, Apply) and step.activation.row.coupled)


def _adding(name: str, shape: tuple[int, ...]) -> str:
    """Return what adds variables for some values {0}, by several indices if they have such a shape."""
    sizes = "".join(f", {size}" for size in shape)
    return f'{"indexed" if shape else "named"}(block, "{name}", {{0}}{sizes})'


def _at_once(step: Step) -> str:
    """Return a step that is written as a list."""
    if isinstance(step, Affine):
        return _by_rows(step) if step.out.rows else affine(step)
    assert isinstance(step, Apply)
    return over_list(step, spelled(step.activation), PYOMO)


def _by_rows(step: Affine) -> str:
    """Write arg @ matrix for each row, which all stand in one list."""
    [term] = step.terms
    matrix, units = term.matrix.name, term.arg.units
    rows = f"for r in range({step.out.size // step.out.units})"
    row = f"{term.arg.name}[{units} * r : {units} * r + {units}]"
    if term.matrix.data.ndim == 1:
        return f"[w * v {rows} for w, v in zip({matrix}, {row})]"
    columns = f"zip(*{matrix})" if term.transposed else matrix
    return f"[sum(w * v for w, v in zip(row, {row})) {rows} for row in {columns}]"


def _units(step: Step, adding: str, lines: Iterable[Line]) -> Iterator[str]:
    """Yield a step that is written unit by unit, what the units share first."""
    places = {part: f"{of.name}[{k}]" for of in arguments(step) for k, part in enumerate(of.parts)}
    names = Names({part: Text(place) for part, place in places.items()})
    texts: dict[str, str] = {}
    for line in lines:
        for out, text in texts_of(line, SCALARS, names).items():
            if out in step.out.parts:
                texts[out] = text.text
            else:
                yield f'({out},) = named(block, "{out}", [{text.text}])'
    opening, closing = adding.split("{0}")
    yield f"{step.out.name} = {opening}["
    yield from (f"    {texts[part]}," for part in step.out.parts)
    yield f"]{closing}"


# ---------------------------------------------------------------------------------------------------- switches


Switches = Mapping[str, tuple[Constant, Constant]]
"""By the name of the value that a switch makes: how far its right piece can be above and below its left one."""


def _switches(program: Program) -> Iterator[tuple[str, tuple[Constant, Constant]]]:
    for step in program.predict.steps:
        if isinstance(step, Apply) and step.arg.name in program.ranges:
            left, right = with_constants(step).segments
            low, high = program.ranges[step.arg.name]
            slope, intercept = right.slope - left.slope, right.intercept - left.intercept
            yield (
                step.out.name,
                (
                    Constant(f"above_{step.out.name}", _at_most(slope * high + intercept)),
                    Constant(f"below_{step.out.name}", _at_most(-(slope * low + intercept))),
                ),
            )


def _at_most(difference: Array) -> Array:
    """Return what a difference can come to at most, its rounding counted."""
    return np.maximum(difference + 8 * np.finfo(np.float64).eps * np.abs(difference), 0.0)


def _switched(step: Step, name: str, tables: tuple[Constant, Constant]) -> str:
    assert isinstance(step, Apply)
    left, right = (
        over_list(step, step.activation.node(f"({piece.slope}) * z + ({piece.intercept})"), PYOMO)
        for piece in step.activation.row.pieces
    )
    above, below = (table.name for table in tables)
    return f'{step.out.name} = switched(block, "{name}", {left}, {right}, {above}, {below})'


EMITTER = Emitter(
    name="pyomo",
    suffix=".py",
    comment="#",
    layouts=WHOLE,
    default="matrix",
    write=write,
    spelling=spelling_of,
    options=frozenset({"digits"}),
    external=True,
    derivatives=("matrix",),
    merged=True,
    instead={
        "pieces": "--form bigm with a --domain is the same function, with a binary variable a unit; pieces would "
        "need one each, and there are usually far more of them"
    },
)
