"""Plain Python: a function of one input's numbers that imports math alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit import Emitter
from nn2eq.emit.cases import in_fractions, look_up, looked_up, other_tables
from nn2eq.emit.names import called
from nn2eq.emit.options import Options
from nn2eq.emit.printing import array_text
from nn2eq.emit.python_functions import BARE, EXACT, MATH, definition, loop, never_overflowing, over_list
from nn2eq.emit.pythonic import (
    Scalars,
    applied,
    bare_expression,
    commented,
    described,
    function,
    require_names,
    spelled,
    statements,
)
from nn2eq.forms.program import Affine, Apply, Cases, Combine, Constant, Function, Program, Step
from nn2eq.forms.size import Spelling

READABLE = 1_000
"""Numbers that a tuple may hold: more are text, which is read a hundred times faster than it is compiled."""

USED = frozenset("Fraction ValueError abs enumerate float len math max min range rows sum zip".split())
"""Names that the texts use besides their own."""
ROWS = """\
def rows(text):
    return [[float(number) for number in line.split(",")] for line in text.split()]
"""


def write(program: Program, options: Options) -> str:
    """Write a Program as plain Python."""
    require_names(program, options, "python", USED | fm.FUNCTIONS.keys() if options.expression else USED)
    spelling = spelling_of(options)
    if options.expression:
        return bare_expression(program, Scalars(BARE), spelling, "from math import *")
    needs = "from fractions import Fraction\n" if in_fractions(program) else "import math\n"
    parts = [needs, *_definitions(program, spelling)]
    if program.layout != "matrix":
        alone = {called(one, options): program.alone(one) for one in program.functions}
        return "\n\n".join(
            [*parts, *(function(name, _scalars(one, name, spelling)) for name, one in alone.items())]
        )
    by_unit, by_case = list(other_tables(program)), list(looked_up(program))
    if any(is_long(constant) for constant in (*by_unit, *by_case)):
        parts.append(ROWS)
    parts.append(function(options.name, _lists(program, options.name, spelling)))
    numbers = [*map(constant_lines, by_unit), *(_array(constant.name, constant.data) for constant in by_case)]
    parts.append("\n".join(numbers) + "\n")
    return "\n\n".join(parts)


def spelling_of(options: Options) -> Spelling:
    """Return how activations are written: as for NumPy, in formulas that raise no OverflowError."""
    plain = spelled(options)

    def spelling(activation: Activation) -> fm.Node | None:
        node = plain(activation)
        return None if node is None else never_overflowing(node)

    return spelling


def _definitions(program: Program, spelling: Spelling) -> Iterator[str]:
    """Yield the functions that the text calls; whole groups are always a function's."""
    for row in applied(program).values():
        if spelling(row) is None or (row.row.coupled and program.layout == "matrix"):
            yield definition(row, never_overflowing(fm.parse(row.row.runnable)), MATH)


def _taken(program: Program, name: str) -> Iterator[str]:
    """Yield the docstring, and what refuses a wrong number of inputs."""
    inputs = program.inputs
    taken = "a number" if len(inputs) == 1 else f"a sequence of {len(inputs)} numbers"
    given = "" if len(program.outputs) == 1 else ", as a list,"
    given += " as an exact Fraction" if in_fractions(program) else ""
    yield described(program, taken, _returned(program.predict) or given)
    if len(inputs) > 1:
        yield f"if len(x) != {len(inputs)}:"
        yield f'    raise ValueError(f"{name} takes {len(inputs)} numbers, not {{len(x)}}")'


def _returned(function: Function) -> str:
    """Return what the results of a function with several shapes are, for its docstring."""
    words = ("", "", " as a list of rows", " as a list of matrices, one an output,")
    parts = zip(function.results, function.shapes, strict=False)
    return " and ".join(f"{result.name}{words[len(shape)]}" for result, shape in parts)


def _scalars(program: Program, name: str, spelling: Spelling) -> Iterator[str]:
    """Yield the lines of a text of scalars."""
    yield from _taken(program, name)
    if in_fractions(program):
        yield f"{program.inputs[0]} = Fraction(x)"
    elif program.inputs != ("x",):
        yield f"{', '.join(program.inputs)} = x"
    yield from statements(_finite(program), Scalars(EXACT if in_fractions(program) else MATH), spelling)
    function = program.predict
    if function.shapes:
        results = zip(function.results, function.shapes, strict=True)
        yield "return " + ", ".join(_listed(result.parts, shape) for result, shape in results)
        return
    outputs = ", ".join(program.outputs)
    yield f"return {outputs}" if len(program.outputs) == 1 else f"return [{outputs}]"


def _finite(program: Program) -> Program:
    """Return the program with formulas over several values whose exponentials stay finite."""

    def finite(step: Step) -> Step:
        if not isinstance(step, Combine):
            return step
        return replace(step, formulas=tuple(map(never_overflowing, step.formulas)))

    function = program.predict
    return program.alone(replace(function, steps=tuple(map(finite, function.steps))))


def _listed(parts: Sequence[str], shape: tuple[int, ...]) -> str:
    """Write a result as lists within lists; a single output is a number."""
    if len(shape) == 1:
        return parts[0] if len(parts) == 1 else f"[{', '.join(parts)}]"
    size = len(parts) // shape[0]
    rows = (parts[k : k + size] for k in range(0, len(parts), size))
    return (
        "["
        + ", ".join(f"[{', '.join(row)}]" if len(shape) == 2 else _listed(row, shape[1:]) for row in rows)
        + "]"
    )


# ----------------------------------------------------------------------------------------------- whole layers


def _lists(program: Program, name: str, spelling: Spelling) -> Iterator[str]:
    """Yield the lines of a text of lists: one a step."""
    yield from _taken(program, name)
    if len(program.inputs) == 1:
        yield "x = [x]"
    for origin, step in commented((step.out.origin, step) for step in program.predict.steps):
        yield from origin
        if isinstance(step, Affine):
            text = affine(step)
        elif isinstance(step, Cases):
            *finding, text = _looked_up(step)
            yield from finding
        else:
            assert isinstance(step, Apply)  # a polynomial is written number by number
            text = over_list(step, spelling(step.activation), MATH)
        yield f"{step.out.name} = {text}"
    result = program.predict.results[0].name
    yield f"return {result}" if len(program.outputs) > 1 else f"return {result}[0]"


def affine(step: Affine) -> str:
    """Write Σ arg @ matrix + offset as a loop over units; matrices are written unit by unit."""
    products, names, loops = [], [], []
    for number, term in enumerate(step.terms, start=1):
        row = "row" if number == 1 else f"row{number}"
        diagonal = term.matrix.data.ndim == 1
        dot = f"sum(w * v for w, v in zip({row}, {term.arg.name}))"
        products.append(f"w{number} * v{number}" if diagonal else dot)
        names += [f"w{number}", f"v{number}"] if diagonal else [row]
        matrix = f"zip(*{term.matrix.name})" if term.transposed else term.matrix.name
        loops += [matrix, term.arg.name] if diagonal else [matrix]
    if step.offset is not None:
        products, names, loops = [*products, "b"], [*names, "b"], [*loops, step.offset.name]
    return f"[{' + '.join(products)} for {loop(names, loops)}]"


def _looked_up(step: Cases) -> Iterator[str]:
    """Yield the lines that find the case, and then the list of what its map gives."""
    found, x = look_up(step), step.arg.name
    if found.ends is not None:
        yield f"k = sum(end < {x}[0] for end in {found.ends.name})"
    else:
        dot = f"sum(w * v for w, v in zip(row, {x}))"
        yield f"excess = [{dot} - b for row, b in zip({found.normals.name}, {found.bounds.name})]"
        yield f"worst = [max(0.0, *excess[k : k + {found.most}]) for k in range(0, len(excess), {found.most})]"
        yield "k = min((e, k) for k, e in enumerate(worst))[1]"
    row = f"{found.slopes.name}[k]" + (f"[j::{step.out.size}]" if step.out.size > 1 else "")
    dot = f"sum(w * v for w, v in zip({row}, {x}))"
    outputs = (
        f"j, b in enumerate({found.offsets.name}[k])"
        if step.out.size > 1
        else f"b in {found.offsets.name}[k]"
    )
    yield f"[{dot} + b for {outputs}]"


def constant_lines(constant: Constant) -> str:
    """Write an array unit by unit."""
    return _array(constant.name, constant.data.T, "  # one row a unit")


def _array(name: str, data: NDArray[Any], said: str = "") -> str:
    """Write an array row by row, in float64."""
    text = array_text(data.astype(np.float64))
    if data.size > READABLE:
        lines = text.strip("[]").replace("],[", "\n")
        return f'{name} = rows("""\n{lines}""")' + ("" if data.ndim == 2 else "[0]")
    spaced = text.replace(",", ", ")
    if data.ndim == 1:
        return f"{name} = {spaced}"
    return f"{name} = [{said}\n    " + spaced[1:-1].replace("], [", "],\n    [") + ",\n]"


def is_long(constant: Constant) -> bool:
    """Whether an array is written as a text, by `ROWS`."""
    return constant.data.size > READABLE


EMITTER = Emitter(
    name="python",
    suffix=".py",
    comment="#",
    layouts=("nested", "layered", "matrix"),
    default="layered",
    write=write,
    spelling=spelling_of,
    options=frozenset({"name", "activations", "digits", "expression"}),
    derivatives=("layered",),
    fractions=True,
)
