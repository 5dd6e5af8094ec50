"""SymPy: Python that builds the expressions, nothing evaluated on the way.

A nested text assigns each output its expression. The others give the steps as SymPy's own `cse` does: pairs of
a symbol and the expression that it stands for, each in terms of the inputs and of earlier symbols.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit import Emitter
from nn2eq.emit.cases import has_cases
from nn2eq.emit.options import Options
from nn2eq.emit.printing import Infix, Names, array_text, number
from nn2eq.emit.python_functions import definition, over_list
from nn2eq.emit.pythonic import (
    Scalars,
    applied,
    commented,
    is_one_operation,
    require_names,
    require_no_symbols,
    statements,
    texts_of,
)
from nn2eq.emit.scalars import Call, Formula, Line, unrolled
from nn2eq.errors import NESTED_CASES, CannotEmit
from nn2eq.forms.program import Affine, Apply, Constant, Function, Program, Step
from nn2eq.forms.size import Spelling, textbook


def _number(value: float | Fraction) -> str:
    """Write a formula's number: a whole one as an integer, so that z**2 stays a polynomial."""
    if isinstance(value, Fraction) and value.denominator > 1:
        return f"Rational({value.numerator}, {value.denominator})"
    return str(int(value)) if value == int(value) else number(float(value))


SYMPY = Infix(
    {
        "exp": "exp({0})", "expm1": "(exp({0}) - 1)",
        "log": "log({0})", "log1p": "log(1 + {0})", "log10": "(log({0}) / log(10))",
        "sqrt": "sqrt({0})", "tanh": "tanh({0})", "erf": "erf({0})",
        "abs": "Abs({0})", "max": "Max({0}, {1})", "min": "Min({0}, {1})",
        "sum": "Add(*[{0} for {1} in z])", "largest": "Max(*[{0} for {1} in z])",
        "sum of all": "Add(*z)", "largest of all": "Max(*z)",
    },
    number=_number,
    chain=("Piecewise(", "({1}, {0}), ", "({0}, True))"),
)  # fmt: skip
SCALARS = Scalars(SYMPY, constant="Float({0})", total="Add({0})")
IMPORTED = (
    "Abs",
    "Add",
    "Float",
    "Matrix",
    "Max",
    "Min",
    "Piecewise",
    "Rational",
    "erf",
    "exp",
    "log",
    "sqrt",
    "tanh",
)
"""What a text may need of SymPy besides `evaluate` and `symbols`."""

USED = ("enumerate", "evaluate", "inputs", "len", "outputs", "range", "steps", "symbols", "zip")
"""Other names that a text uses."""


def write(program: Program, options: Options) -> str:
    """Write a Program as SymPy."""
    program = program.merged()
    require_names(program, options, "sympy", {*IMPORTED, *USED})
    spelling = spelling_of(options)
    program = replace(program, layout="layered") if has_cases(program) else program
    body = _LAYOUTS[program.layout](program, spelling)
    functions = [definition(row, fm.parse(row.row.formula), SYMPY) for row in _functions(program, spelling)]
    lines = [_declared(program.inputs, " = inputs")]
    if program.layout == "matrix":
        lines += [_constant(constant) for constant in program.predict.constants]
    lines += ["", "with evaluate(False):"]
    lines += [f"    {line}" for line in body]
    lines += [f"outputs = [{', '.join(program.predict.results[0].parts)}]", *_derivatives(program.predict)]
    text = "\n\n".join([*functions, "\n".join(lines) + "\n"])
    used = [name for name in IMPORTED if f"{name}(" in text]
    return (
        f"from sympy import {', '.join([*used, 'evaluate', 'symbols'])}\n\n"
        + ("\n" if functions else "")
        + text
    )


def _derivatives(function: Function) -> Iterator[str]:
    """Yield the lines that gather the derivatives: a matrix, or a list of matrices, one an output."""
    for result, shape in zip(function.results[1:], function.shapes[1:], strict=True):
        size = len(result.parts) // math.prod(shape[:-2])
        flat = [result.parts[k : k + size] for k in range(0, len(result.parts), size)]
        matrices = [f"Matrix({shape[-2]}, {shape[-1]}, [{', '.join(parts)}])" for parts in flat]
        yield f"{result.name} = {matrices[0] if len(shape) == 2 else '[' + ', '.join(matrices) + ']'}"


def spelling_of(options: Options) -> Spelling:
    """Return how activations are written: by a function, SymPy's or the text's own, or as a textbook does."""
    require_no_symbols(options)
    return textbook if options.activations == "explicit" else _by_name


def _by_name(activation: Activation) -> fm.Node | None:
    return activation.stable if is_one_operation(activation) else None


def _functions(program: Program, spelling: Spelling) -> Iterator[Activation]:
    """Yield what the text defines a function for; whole groups are always a function's."""
    for row in applied(program).values():
        if spelling(row) is None or (row.row.coupled and program.layout == "matrix"):
            yield row


def _declared(names: Sequence[str], also: str = "") -> str:
    """Return the line that makes names symbols."""
    return f'{_unpacked(names)}{also} = symbols("{_ranged(names)}", real=True, seq=True)'


def _unpacked(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) > 1 else f"({names[0]},)"


def _ranged(names: Sequence[str]) -> str:
    """Return names as `symbols` reads them, consecutive ones as a range: a1_1:17."""
    stem = names[0].removesuffix("1")
    consecutive = len(names) > 2 and all(name == f"{stem}{k}" for k, name in enumerate(names, start=1))
    return f"{stem}1:{len(names) + 1}" if consecutive else " ".join(names)


# ------------------------------------------------------------------------------------------------ the layouts


def _nested(program: Program, spelling: Spelling) -> Iterator[str]:
    """Yield one assignment an output."""
    rows = (step.activation for step in program.predict.steps if isinstance(step, Apply))
    if sum(any(part.op == "where" for part in fm.walk(row.formula)) for row in rows) > 1:
        raise CannotEmit(
            "SymPy multiplies out the cases of a Piecewise inside the condition of another",
            code=NESTED_CASES,
            way_out="use --form layered",
        )
    yield from statements(program, SCALARS, spelling)


def _layered(program: Program, spelling: Spelling) -> Iterator[str]:
    """Yield the steps of a text of scalars, one a unit."""
    yield "steps = []"
    for origin, lines in commented(unrolled(program.predict, spelling)):
        yield from origin
        yield _declared([name for line in lines for name in _outs(line)])
        yield "steps += ["
        yield from (f"    {pair}," for line in lines for pair in _pairs(line))
        yield "]"


def _outs(line: Line) -> tuple[str, ...]:
    return line.outs if isinstance(line, Call) else (line.out,)


def _pairs(line: Line) -> Iterator[str]:
    if isinstance(line, Call) and len(line.outs) > 1:
        yield f"*zip([{', '.join(line.outs)}], {SCALARS.call(line, Names())})"
    elif (
        isinstance(line, Formula) and line.node.op == "number"
    ):  # Python's own has nothing that SymPy asks for
        yield f"({line.out}, Rational({_number(line.node.value)}))"
    else:
        yield from (f"({name}, {text.text})" for name, text in texts_of(line, SCALARS, Names()).items())


def _vectors(program: Program, spelling: Spelling) -> Iterator[str]:
    """Yield the steps of a text of vectors, one or two a layer."""
    yield "steps = []"
    yield f"{program.predict.arguments[0].name} = Matrix(inputs)"
    for origin, step in commented((step.out.origin, step) for step in program.predict.steps):
        yield from origin
        yield f'{step.out.name} = Matrix(symbols("{_ranged(step.out.parts)}", real=True, seq=True))'
        yield f"steps += zip({step.out.name}, {_vector(step, spelling)})"
    yield f"{_unpacked(program.outputs)} = {program.predict.results[0].name}"


def _vector(step: Step, spelling: Spelling) -> str:
    if isinstance(step, Affine):
        terms = [
            f"Matrix([w*v for w, v in zip({term.matrix.name}, {term.arg.name})])"
            if term.matrix.data.ndim == 1
            else f"{term.matrix.name}{'' if term.transposed else '.T'}*{term.arg.name}"
            for term in step.terms
        ]
        return " + ".join([*terms, step.offset.name] if step.offset else terms)
    assert isinstance(step, Apply)  # a polynomial is written number by number
    return over_list(step, spelling(step.activation), SYMPY)


_LAYOUTS = {"nested": _nested, "layered": _layered, "matrix": _vectors}


def _constant(constant: Constant) -> str:
    """Write an array as a Matrix of float64: SymPy keeps their 53 bits, and prints 15 digits of them."""
    spaced = array_text(constant.data.astype(np.float64)).replace(",", ", ")
    if constant.data.ndim == 1:
        return f"{constant.name} = Matrix({spaced})"
    return f"{constant.name} = Matrix([\n    " + spaced[1:-1].replace("], [", "],\n    [") + ",\n])"


EMITTER = Emitter(
    name="sympy",
    suffix=".py",
    comment="#",
    layouts=("nested", "layered", "matrix"),
    write=write,
    spelling=spelling_of,
    options=frozenset({"activations", "digits"}),
    fractions=True,
    quick=200_000,  # ten seconds, and a gigabyte
    derivatives=("layered",),
    merged=True,
)
