"""JSON: the Program itself, for other programs to read.

    {
    "format": "nn2eq-program", "version": 1,
    "form": "matrix", "layout": "matrix", "model": "model.keras", "sha256": "9c1e...", "notes": [],
    "functions": [{"name": "predict",
     "arguments": [{"name": "x", "parts": ["x1", "x2"], "origin": "the inputs"}],
     "results": ["y"],
     "steps": [
      {"step": "affine", "out": {"name": "z1", "parts": ["z1_1", "z1_2"], "origin": "dense"},
       "terms": [{"arg": "x", "matrix":
         {"name": "W1", "dtype": "float32", "data": [[0.1, 0.2], [0.3, 0.4]]}}],
       "offset": {"name": "b1", "dtype": "float32", "data": [0.5, 0.6]}},
      {"step": "apply", "out": {"name": "y", "parts": ["y1", "y2"], "origin": "dense"}, "arg": "z1",
       "activation": "elu", "formula": "where(z > 0, z, alpha * (exp(z) - 1))", "parameters": {"alpha": 1.0}}
     ]}]
    }

Values are vectors; steps stand in order and use only values from above. An affine step is out = Σ arg @
matrix + offset, in float64: a matrix is (size of arg, size of out), or a vector if it is diagonal; the
offset may be null. Numbers of dtype float32 are to be rounded to float32 and widened again.

An apply step computes `formula` for every unit z, in the language of `nn2eq.formula`: the operators of
Python and exp, expm1, log, log1p, log10, tanh, sqrt, abs, erf, max(a, b), min(a, b), where(condition, a,
b). In sum(... for j in units) and max(... for j in units), z[j] runs over the units of the group, `count`
of them; the whole layer is one group, or "groups": n consecutive ones of equal size. If the formula speaks
of `partner`, a group has half as many outputs as units: z is one of the first half, partner its like in the
second. A parameter is a number, or an array where each unit has its own. With "units": [0], only these,
counted from 0, are transformed; the others pass.

A polynomial step is out = Σ coefficients · Π t ^ exponents with t = (arg - centre) / scale, null for 0 and 1:
exponents has a row a term and a column an input, coefficients a row a term and a column an output. In the
basis "chebyshev", t ^ k means Chebyshev's T_k(t). If there is a "denominator", coefficients likewise, the sum is
divided by that of the denominator.

The file of an approximate form has a further member "error": the "domain", (low, high) for each input, on which it
is meant, the bound of its distance from the network that is "proved" there, and the distance "observed"; null where
nothing is known.

A cases step is out = arg @ matrix + offset of one of its cases: normals has a row a condition and a column an
input, and says normal · arg <= bound; the first counts[0] conditions are the first case's, and so on; matrices
has a row a case and in it the numbers of a matrix (inputs, outputs), row by row; offsets a row a case. The first
case holds whose conditions all hold, one without conditions always; where rounding lets none hold, it is the one
of which the worst condition is violated least. Numbers of dtype fraction are texts, "-1/3" or "2", and exact.

A combine step is out = a formula over the units of several values or constants, its "args". Values may have
"rows", and steps then work on each of them: a value of size 12 with "rows": [3] is (3, 4); where an argument
has fewer rows than out, it is the same for all, axis by axis from the last on. An argument that is
"transposed" has its last two axes exchanged, one that is "spread" lies along the first of two axes of rows,
and of one with "part": [k, n] the k-th of n equal parts of each group is meant, counted from 0. "formulas"
has one for each equal part of out's groups; sum(... for j in units) runs over the units of a group. A term
of an affine step that is "transposed" means the transpose of its matrix. A function beside the first returns
"results" of the "shapes" that stand beside them.

The texts of a file (model, notes, origin) are escaped as in all headers. A text in front of which nn2eq has
put its header has a further member "header", an array of strings. A file of another version is refused.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np
import orjson

from nn2eq import formula as fm
from nn2eq.emit import Emitter
from nn2eq.emit.header import escaped
from nn2eq.emit.options import Options
from nn2eq.emit.printing import Infix, Names, array_text
from nn2eq.forms.program import (
    Affine,
    Apply,
    Cases,
    Combine,
    Constant,
    Function,
    Operand,
    Polynomial,
    Program,
    Step,
    Term,
    Value,
)
from nn2eq.forms.size import by_name

FORMAT, VERSION = "nn2eq-program", 1


def write(program: Program, options: Options) -> str:
    """Write a Program as JSON, one step a line."""
    members: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "form": program.form,
        "layout": program.layout,
        "model": escaped(program.model),
        "sha256": escaped(program.sha256),
        "notes": [escaped(note) for note in program.notes],
    }
    if not program.exact:
        members["error"] = _error(program)
    lines = [f'"{key}": {_dumped(value)},' for key, value in members.items()]
    functions = ",\n".join(_function(function) for function in program.functions)
    return "\n".join(["{", *lines, f'"functions": [{functions}]', "}"]) + "\n"


def _error(program: Program) -> dict[str, Any]:
    """Return how far an approximate form is from its network, and where; null is what nothing is known of."""
    numbers = {"proved": program.proved, "observed": program.observed}
    told = {key: value if isfinite(value) else None for key, value in numbers.items()}
    return {"domain": [list(interval) for interval in program.domain], **told}


def _dumped(value: Any) -> str:
    return orjson.dumps(value).decode()


def _function(function: Function) -> str:
    members: dict[str, Any] = {
        "name": function.name,
        "arguments": [_value(value) for value in function.arguments],
        "results": [value.name for value in function.results],
    }
    if function.shapes:
        members["shapes"] = function.shapes
    steps = ",\n".join(_dumped(_step(step)) for step in function.steps)
    return f'{_dumped(members)[:-1]},"steps":[\n{steps}\n]}}'


def _step(step: Step) -> dict[str, Any]:
    if isinstance(step, Affine):
        terms = [_term(term) for term in step.terms]
        offset = _constant(step.offset) if step.offset else None
        return {"step": "affine", "out": _value(step.out), "terms": terms, "offset": offset}
    if isinstance(step, Polynomial):
        return _polynomial(step)
    if isinstance(step, Combine):
        return _combine(step)
    if isinstance(step, Cases):
        return _cases(step)
    return {
        "step": "apply",
        "out": _value(step.out),
        "arg": step.arg.name,
        "activation": step.activation.row.name,
        "formula": step.activation.row.runnable,
        **_details(step),
    }


def _term(term: Term) -> dict[str, Any]:
    plain = {"arg": term.arg.name, "matrix": _constant(term.matrix)}
    return {**plain, "transposed": True} if term.transposed else plain


def _combine(step: Combine) -> dict[str, Any]:
    groups = {"groups": step.groups} if step.groups > 1 else {}
    return {
        "step": "combine",
        "out": _value(step.out),
        "formulas": [TEXT.write(_indexed(node), Names()).text for node in step.formulas],
        "args": {name: _operand(arg) for name, arg in step.args.items()},
        **groups,
    }


def _operand(arg: Operand) -> dict[str, Any]:
    """Return what an operand is, and the few things that may be particular about it."""
    of = {"arg": arg.of.name} if isinstance(arg.of, Value) else {"constant": _constant(arg.of)}
    flags = {key: True for key in ("transposed", "spread") if getattr(arg, key)}
    return of | flags | ({"part": [arg.part, arg.parts]} if arg.parts > 1 else {})


TEXT = Infix(
    {name: f"{name}({', '.join(f'{{{k}}}' for k in range(count))})" for name, count in fm.FUNCTIONS.items()}
    | {"sum": "sum({0} for {1} in units)", "largest": "max({0} for {1} in units)"}
)
"""Formulas as they are parsed, a reduction with its index as its second argument."""


def _indexed(node: fm.Node) -> fm.Node:
    """Give a reduction its index, and write a unit as z[j]."""
    if node.op == "unit":
        return fm.name("{}[{}]".format(*node.value))
    args = tuple(map(_indexed, node.args))
    return fm.Node(node.op, (*args, fm.name(node.value)) if node.op in fm.REDUCTIONS else args, node.value)


def _polynomial(step: Polynomial) -> dict[str, Any]:
    return {
        "step": "polynomial",
        "out": _value(step.out),
        "arg": step.arg.name,
        "basis": step.basis,
        "exponents": step.exponents.tolist(),
        "coefficients": _constant(step.coefficients),
        "centre": _constant(step.centre) if step.centre else None,
        "scale": _constant(step.scale) if step.scale else None,
        **({"denominator": _constant(step.denominator)} if step.denominator else {}),
    }


def _cases(step: Cases) -> dict[str, Any]:
    """Return what a cases step has, its matrices as rows."""
    matrices = replace(step.matrices, data=step.matrices.data.reshape(len(step.counts), -1))
    return {
        "step": "cases",
        "out": _value(step.out),
        "arg": step.arg.name,
        "normals": _constant(step.normals),
        "bounds": _constant(step.bounds),
        "counts": step.counts,
        "matrices": _constant(matrices),
        "offsets": _constant(step.offsets),
    }


def _details(step: Apply) -> dict[str, Any]:
    """Return what few activations have."""
    numbers = {key: node.value for key, node in step.activation.numbers.items()}
    per_unit = {key: _constant(constant) for key, constant in step.parameters.items()}
    details = {"parameters": {**numbers, **per_unit}, "units": step.units}
    groups = {"groups": step.activation.groups} if step.activation.groups > 1 else {}
    return {key: value for key, value in details.items() if value} | groups


def _value(value: Value) -> dict[str, Any]:
    plain = {"name": value.name, "parts": value.parts, "origin": escaped(value.origin)}
    return {**plain, "rows": value.rows} if value.rows else plain


def _constant(constant: Constant) -> dict[str, Any]:
    if constant.data.dtype.kind == "O":
        texts = np.frompyfunc(str, 1, 1)(constant.data).tolist()
        return {"name": constant.name, "dtype": "fraction", "data": texts}
    dtype = "float32" if constant.data.dtype == "float32" else "float64"
    return {"name": constant.name, "dtype": dtype, "data": orjson.Fragment(array_text(constant.data))}


EMITTER = Emitter(
    name="json",
    suffix=".json",
    comment="",
    layouts=("nested", "layered", "matrix"),
    default="matrix",
    write=write,
    spelling=lambda options: by_name,
    options=frozenset({"digits"}),
    derivatives=("matrix", "layered"),
    fractions=True,
)
