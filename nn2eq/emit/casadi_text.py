"""CasADi: `predict` is a casadi.Function of a column of inputs, ready to be differentiated or to stand in a problem.

Whole layers are MX expressions, single units SX ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nn2eq import formula as fm
from nn2eq.emit import Emitter
from nn2eq.emit.cases import has_cases
from nn2eq.emit.names import called
from nn2eq.emit.options import Options
from nn2eq.emit.printing import Infix, array_text
from nn2eq.emit.python_functions import definition, over_list, written
from nn2eq.emit.pythonic import (
    Scalars,
    applied,
    call,
    commented,
    in_letters,
    require_names,
    spelled,
    statements,
)
from nn2eq.emit.renaming import explained
from nn2eq.forms.program import Affine, Apply, Constant, Program
from nn2eq.forms.size import Spelling

CASADI = Infix(
    {
        **{name: f"ca.{name}({{0}})" for name in ("exp", "expm1", "log", "log1p", "log10", "sqrt", "tanh", "erf")},
        "abs": "ca.fabs({0})", "max": "ca.fmax({0}, {1})", "min": "ca.fmin({0}, {1})",
        "where": "ca.if_else({0}, {1}, {2})",
        "sum": "sum({0} for {1} in z)", "largest": "ca.mmax(ca.vertcat(*[{0} for {1} in z]))",
        "sum of all": "sum(z)", "largest of all": "ca.mmax(ca.vertcat(*z))",
    }
)  # fmt: skip
"""Of numbers and of columns alike; a reduction runs over the list z."""
SCALARS = Scalars(CASADI, constant="ca.SX({0})")
USED = frozenset("ca enumerate inputs len range sum zip".split())
"""Names that the texts use besides their own."""


def write(program: Program, options: Options) -> str:
    """Write a Program as CasADi; derivatives stand beside the answers, a column each, row by row."""
    program, meant = in_letters(program.merged(), options, USED)
    name = called(program.predict, options)
    require_names(program, options, "casadi", USED)
    spelling = spelled(options)
    whole = program.layout == "matrix" and not has_cases(program)
    body = _columns(program, spelling) if whole else _units(program, spelling)
    constants = [_constant(constant) for constant in program.predict.constants] if whole else []
    results = program.predict.results
    answers = [one.name if whole else f"ca.vertcat({', '.join(one.parts)})" for one in results]
    names = ", ".join(f'"{one.name}"' for one in results)
    lines = [
        *constants,
        f"# {', '.join(program.inputs)}",
        f'inputs = ca.{"MX" if whole else "SX"}.sym("x", {len(program.inputs)})',
        *body,
        f"# {', '.join(program.outputs)}",
        f'{name} = ca.Function("{name}", [inputs], [{", ".join(answers)}], ["x"], [{names}])',
    ]
    opening = f"{explained(meant, '#')}import casadi as ca\n"
    return "\n\n".join([opening, *_definitions(program, spelling), "\n".join(lines) + "\n"])


def _definitions(program: Program, spelling: Spelling) -> Iterator[str]:
    """Yield the functions that the text calls; whole groups are always a function's."""
    for row in applied(program).values():
        if spelling(row) is None or (row.row.coupled and program.layout == "matrix"):
            yield definition(row, fm.parse(row.row.runnable), CASADI)


def _units(program: Program, spelling: Spelling) -> Iterator[str]:
    """Yield the lines of a text of units: one each, or one an output."""
    yield f"{', '.join(program.inputs)}, = ca.vertsplit(inputs)"
    yield from statements(program, SCALARS, spelling)


# ----------------------------------------------------------------------------------------------- whole layers


def _columns(program: Program, spelling: Spelling) -> Iterator[str]:
    """Yield the lines of a text of columns: one a step."""
    yield f"{program.predict.arguments[0].name} = inputs"
    for origin, step in commented((step.out.origin, step) for step in program.predict.steps):
        yield from origin
        if isinstance(step, Affine):
            yield f"{step.out.name} = {_affine(step)}"
        else:
            assert isinstance(step, Apply)  # a polynomial is written number by number
            yield f"{step.out.name} = {_applied(step, spelling)}"


def _affine(step: Affine) -> str:
    terms = [
        f"{term.matrix.name}{' * ' if term.matrix.data.ndim == 1 else '.T @ '}{term.arg.name}"
        for term in step.terms
    ]
    return " + ".join([*terms, step.offset.name] if step.offset else terms)


def _applied(step: Apply, spelling: Spelling) -> str:
    """Write an activation of a column: at once, or unit by unit where they are not all treated alike."""
    node = spelling(step.activation)
    if step.activation.row.coupled or step.units:
        apart = replace(step, arg=replace(step.arg, name=f"ca.vertsplit({step.arg.name})"))
        return f"ca.vertcat(*{over_list(apart, node, CASADI)})"
    own = {key: constant.name for key, constant in step.parameters.items()}
    if node is None:
        return call(step.activation, step.arg.name, own)
    names = {"z": step.arg.name, **own}
    return written(fm.substitute(node, {key: fm.name(text) for key, text in names.items()}), CASADI)


def _constant(constant: Constant) -> str:
    """Write an array of float64, a matrix (inputs, units) row by row."""
    text = array_text(constant.data.astype(np.float64)).replace(",", ", ")
    if constant.data.ndim == 2:
        text = "[\n    " + text[1:-1].replace("], [", "],\n    [") + ",\n]"
    return f"{constant.name} = ca.DM({text})"


EMITTER = Emitter(
    name="casadi",
    suffix=".py",
    comment="#",
    layouts=("nested", "layered", "matrix"),
    default="matrix",
    write=write,
    spelling=spelled,
    options=frozenset({"name", "activations", "digits"}),
    external=True,
    derivatives=("layered",),
    merged=True,
)
