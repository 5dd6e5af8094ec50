"""The reader of Programs in JSON, whose format nn2eq.emit.json_text tells: no field is used unchecked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations import ROWS, Activation, filled
from nn2eq.emit.header import unescaped
from nn2eq.emit.json_text import FORMAT, VERSION
from nn2eq.emit.names import is_identifier
from nn2eq.errors import DamagedFile, Nn2eqError
from nn2eq.forms.program import (
    BASES,
    LAYOUTS,
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

Array = NDArray[np.float64]
Fields = Mapping[str, Any]

DTYPES = {"float32": np.float32, "float64": np.float64}
LONGEST_FORMULA = 4_000
_FRACTION = re.compile(r"-?[0-9]{1,4000}(/0*[1-9][0-9]{0,3999})?")
HIGHEST_POWER = 1_000


def read_program(text: str | bytes) -> Program:
    """Read a Program; its activations are the formulas that stand in the text.

    Raises DamagedFile for what is no Program, or not one of this version.
    """
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _damaged(f"no JSON: {error!s:.100}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise _damaged(f'no "format": "{FORMAT}"')
    if found.get("version") != VERSION:
        raise _damaged(f"version {found.get('version')!r:.20}; this nn2eq reads {VERSION}")
    try:
        return _program(found)
    except (TypeError, ValueError, KeyError, OverflowError, RecursionError, SyntaxError) as error:
        raise _damaged(f"{type(error).__name__}: {error!s:.100}") from None


def _program(found: Fields) -> Program:
    needed = {"format", "version", "form", "layout", "model", "sha256", "notes", "functions"}
    _members(found, needed, {"header", "error"}, "the file")
    layout = _text(found, "layout")
    if layout not in LAYOUTS:
        raise _damaged(f"the layout is {layout!r:.40}")
    notes = [unescaped(note) for note in _list(found, "notes", str)]
    functions = tuple(_function(function) for function in _list(found, "functions", dict))
    if not functions:
        raise _damaged("it has no functions")
    model, sha256 = unescaped(_text(found, "model")), unescaped(_text(found, "sha256"))
    program = Program(functions, layout, _text(found, "form"), model, sha256, tuple(notes))
    return replace(program, exact=False, **_error(found["error"])) if "error" in found else program


def _error(found: Any) -> dict[str, Any]:
    """Read how far an approximate form is from its network."""
    _members(found, {"domain", "proved", "observed"}, set(), "the error")
    domain = [(_number(low), _number(high)) for low, high in _list(found, "domain", list)]
    told = {key: math.nan if found[key] is None else _number(found[key]) for key in ("proved", "observed")}
    return {"domain": tuple(domain), **told}


def _function(found: Fields) -> Function:
    _members(found, {"name", "arguments", "results", "steps"}, {"shapes"}, "a function")
    values: dict[str, Value] = {}
    arguments = [_value(value, values) for value in _list(found, "arguments", dict)]
    steps = [_step(step, values) for step in _list(found, "steps", dict)]
    results = [_known(name, values) for name in _list(found, "results", str)]
    shapes = [_sizes(shape) for shape in _list(found, "shapes", list)] if "shapes" in found else []
    if len(arguments) != 1 or not steps or len(results) != (len(shapes) or 1):
        raise _damaged("a function has one argument, one result or one of each shape, and some steps")
    if [math.prod(shape) for shape in shapes] != [result.size for result in results][: len(shapes)]:
        raise _damaged("a result has another size than its shape")
    name = _identifier(_text(found, "name"))
    return Function(name, tuple(arguments), tuple(results), tuple(steps), tuple(shapes))


def _step(found: Fields, values: dict[str, Value]) -> Step:
    kinds: Mapping[Any, Callable[[Fields, dict[str, Value]], Step]] = {
        "affine": _affine, "apply": _apply, "polynomial": _polynomial, "combine": _combine, "cases": _cases,
    }  # fmt: skip
    kind = found.get("step")
    if kind not in kinds:
        raise _damaged(f"a step is {kind!r:.40}")
    return kinds[kind](found, values)


def _affine(found: Fields, values: dict[str, Value]) -> Affine:
    _members(found, {"step", "out", "terms", "offset"}, set(), "an affine step")
    terms = [_term(term, values) for term in _list(found, "terms", dict)]
    offset = None if found["offset"] is None else _constant(found["offset"])
    out = _value(found["out"], values)
    for term in terms:
        shape, ends = term.data.shape, (term.arg.units, out.units)
        if term.arg.rows != out.rows or (shape != ends and not (shape == ends[1:] == ends[:1])):
            raise _damaged(f"{term.matrix.name} is {shape}, from {term.arg.size} to {out.size} numbers")
    if not terms or (offset is not None and offset.data.shape != (out.units,)):
        raise _damaged(f"{out.name} has no terms, or an offset of another size")
    return Affine(out, tuple(terms), offset)


def _term(found: Fields, values: Mapping[str, Value]) -> Term:
    _members(found, {"arg", "matrix"}, {"transposed"}, "a term")
    return Term(_known(found["arg"], values), _constant(found["matrix"]), _flag(found, "transposed"))


def _apply(found: Fields, values: dict[str, Value]) -> Apply:
    _members(
        found, {"step", "out", "arg", "activation", "formula"}, {"parameters", "units", "groups"}, "a step"
    )
    arg = _known(found["arg"], values)
    given = {key: _parameter(value) for key, value in found.get("parameters", {}).items()}
    constants = {key: value for key, value in given.items() if isinstance(value, Constant)}
    activation = _activation(found, {**given, **{key: value.data for key, value in constants.items()}})
    out, units = _value(found["out"], values), _units(found.get("units", []), arg)
    if any(constant.data.shape != (arg.size,) or units for constant in constants.values()):
        raise _damaged(f"{out.name} has parameters of another size")
    if (
        arg.size % activation.groups
        or activation.outputs(arg.size) != out.size
        or (units and out.size != arg.size)
    ):
        raise _damaged(f"{out.name} has another size than its activation makes of {arg.name}")
    return Apply(out, activation, arg, constants, units)


def _polynomial(found: Fields, values: dict[str, Value]) -> Polynomial:
    needed = {"step", "out", "arg", "basis", "exponents", "coefficients", "centre", "scale"}
    _members(found, needed, {"denominator"}, "a polynomial step")
    arg, out = _known(found["arg"], values), _value(found["out"], values)
    centre, scale = (None if found[key] is None else _constant(found[key]) for key in ("centre", "scale"))
    coefficients = _constant(found["coefficients"])
    denominator = _constant(found["denominator"]) if "denominator" in found else None
    exponents = np.array(_list(found, "exponents", list), dtype=np.int64)
    if exponents.shape[1:] != (arg.size,) or coefficients.data.shape != (len(exponents), out.size):
        raise _damaged(f"{out.name} has exponents or coefficients of another size")
    if denominator is not None and denominator.data.shape != coefficients.data.shape:
        raise _damaged(f"{out.name} has a denominator of another size")
    if np.any(exponents < 0) or np.any(exponents > HIGHEST_POWER) or found["basis"] not in BASES:
        raise _damaged(f"{out.name} has a power below 0 or above {HIGHEST_POWER}, or an unknown basis")
    if any(constant is not None and constant.data.shape != (arg.size,) for constant in (centre, scale)):
        raise _damaged(f"{out.name} has a centre or scale of another size")
    return Polynomial(out, arg, exponents, coefficients, centre, scale, found["basis"], denominator)


def _combine(found: Fields, values: dict[str, Value]) -> Combine:
    _members(found, {"step", "out", "formulas", "args"}, {"groups"}, "a combine step")
    if not isinstance(found["args"], dict):
        raise _damaged("its arguments are no object")
    args = {_identifier(name): _operand(arg, values) for name, arg in found["args"].items()}
    out, groups = _value(found["out"], values), found.get("groups", 1)
    formulas = tuple(_formula(text, {"count", *args}) for text in _list(found, "formulas", str))
    if type(groups) is not int or groups < 1 or not formulas or out.units % (groups * len(formulas)):
        raise _damaged(f"{out.name} has formulas or groups that do not divide its units")
    units = out.units // groups // len(formulas)
    for arg in args.values():
        if not _fits(arg, out, groups, units):
            raise _damaged(f"{out.name} is combined of arrays of other sizes")
    return Combine(out, formulas, args, groups)


def _fits(arg: Operand, out: Value, groups: int, units: int) -> bool:
    """Whether an operand has the units of the result, and its rows or 1 along each axis."""
    *rows, last = arg.shape
    ends = zip(reversed(rows), reversed(out.rows), strict=False)
    is_short = len(rows) <= len(out.rows) and all(one in (1, size) for one, size in ends)
    return is_short and last == units * groups * arg.parts and 0 <= arg.part < arg.parts


def _operand(found: Fields, values: Mapping[str, Value]) -> Operand:
    kind = "arg" if "arg" in found else "constant"
    _members(found, {kind}, {"transposed", "spread", "part"}, "an operand")
    of = _known(found["arg"], values) if kind == "arg" else _constant(found["constant"])
    part, parts = _sizes(found.get("part", [0, 1]))
    flags = {name: _flag(found, name) for name in ("transposed", "spread")}
    if flags["transposed"] and len(of.shape if isinstance(of, Value) else of.data.shape) < 2:
        raise _damaged(f"{of.name} is a vector and cannot be transposed")
    return Operand(of, part, parts, **flags)


def _formula(text: str, names: Collection[str]) -> fm.Node:
    """Parse a formula that mentions nothing but these names."""
    if len(text) > LONGEST_FORMULA:
        raise _damaged("a formula is too long")
    node = fm.parse(text)
    leaves = (part for part in fm.walk(node) if part.op in ("name", "unit"))
    if not {part.value if part.op == "name" else part.value[0] for part in leaves} <= set(names):
        raise _damaged(f"the formula {text!r:.80} has names of its own")
    return node


def _sizes(found: Any) -> tuple[int, ...]:
    if not isinstance(found, list) or not all(type(size) is int and size >= 0 for size in found):
        raise _damaged(f"{found!r:.40} are no sizes")
    return tuple(found)


def _flag(found: Fields, name: str) -> bool:
    if not isinstance(found.get(name, False), bool):
        raise _damaged(f"{name} is neither true nor false")
    return bool(found.get(name, False))


def _cases(found: Fields, values: dict[str, Value]) -> Cases:
    needed = {"step", "out", "arg", "normals", "bounds", "counts", "matrices", "offsets"}
    _members(found, needed, set(), "a cases step")
    arg, out, counts = _known(found["arg"], values), _value(found["out"], values), _list(found, "counts", int)
    conditions, cases = sum(counts), len(counts)
    if not cases or any(type(count) is not int or count < 0 for count in counts):
        raise _damaged(f"{out.name} has no cases, or counts that are not counts")
    rows, offsets = _constant(found["matrices"]), _constant(found["offsets"])
    none = {"normals": np.zeros((0, arg.size)), "bounds": np.zeros(0)}
    normals, bounds = (
        _constant(found[key]) if conditions else _empty(found[key], shaped) for key, shaped in none.items()
    )
    if normals.data.shape != (conditions, arg.size) or bounds.data.shape != (conditions,):
        raise _damaged(f"{out.name} has other conditions than it counts")
    if rows.data.shape != (cases, arg.size * out.size) or offsets.data.shape != (cases, out.size):
        raise _damaged(f"{out.name} has matrices or offsets of another size")
    matrices = replace(rows, data=rows.data.reshape(cases, arg.size, out.size))
    return Cases(out, arg, normals, bounds, tuple(counts), matrices, offsets)


def _activation(found: Fields, parameters: Mapping[str, Any]) -> Activation:
    """Return a row of the table that is evaluated by the formula in the file."""
    name, formula, groups = _text(found, "activation"), _text(found, "formula"), found.get("groups", 1)
    if name not in ROWS or type(groups) is not int or groups < 1:
        raise _damaged(f"the activation {name!r:.40} of {groups!r:.20} groups")
    row = ROWS[name]
    node = _formula(formula, {"z", "count", *(["partner"] if row.halves else []), *parameters})

    def evaluated(z: Array, **parameters: Any) -> Array:
        values = dict(zip(("z", "partner"), np.split(z, 2, axis=-1), strict=True)) if row.halves else {"z": z}
        return np.broadcast_to(fm.evaluate(node, {**values, **parameters}), values["z"].shape)

    try:
        return filled(replace(row, numpy=evaluated), parameters, groups=groups)
    except Nn2eqError as error:
        raise _damaged(error.what) from None


def _parameter(value: Any) -> float | Constant:
    return _constant(value) if isinstance(value, dict) else _number(value)


# ------------------------------------------------------------------------------------------------- the fields


def _constant(found: Fields) -> Constant:
    _members(found, {"name", "dtype", "data"}, set(), "an array")
    if _text(found, "dtype") == "fraction":
        return Constant(_identifier(_text(found, "name")), _fractions(found["data"]))
    data = np.array(found["data"])
    if data.dtype.kind not in "fiu" or not 1 <= data.ndim <= 2 or data.size == 0:
        raise _damaged("an array is neither a vector nor a matrix of numbers")
    with np.errstate(over="ignore"):
        data = data.astype(np.float64).astype(DTYPES[_text(found, "dtype")])
    if not np.isfinite(data).all():
        raise _damaged("an array holds a number that is not finite")
    data.setflags(write=False)
    return Constant(_identifier(_text(found, "name")), data)


def _empty(found: Fields, data: Array) -> Constant:
    """Read an array of nothing, which in JSON has no shape."""
    _members(found, {"name", "dtype", "data"}, set(), "an array")
    if found["data"] != []:
        raise _damaged("an array holds numbers of which there are none")
    return Constant(_identifier(_text(found, "name")), data)


def _fractions(rows: Any) -> NDArray[Any]:
    """Read a vector or matrix of exact fractions."""
    texts = np.array(rows, dtype=object)
    if not 1 <= texts.ndim <= 2 or not all(isinstance(t, str) and _FRACTION.fullmatch(t) for t in texts.flat):
        raise _damaged("an array is neither a vector nor a matrix of fractions")
    data = np.array([Fraction(text) for text in texts.flat], dtype=object).reshape(texts.shape)
    data.setflags(write=False)
    return data


def _value(found: Any, values: dict[str, Value]) -> Value:
    """Read a new value, and make it known."""
    _members(found, {"name", "parts", "origin"}, {"rows"}, "a value")
    name, parts = _identifier(_text(found, "name")), _list(found, "parts", str)
    if name in values or not parts or len(set(parts)) < len(parts):
        raise _damaged(f"the value {name} appears twice, or has parts that do")
    rows = _sizes(found.get("rows", []))
    if len(rows) > 2 or 0 in rows or len(parts) % math.prod(rows):
        raise _damaged(f"the value {name} has rows that do not divide it")
    values[name] = Value(name, tuple(parts), unescaped(_text(found, "origin")), rows)
    return values[name]


def _known(name: Any, values: Mapping[str, Value]) -> Value:
    if not isinstance(name, str) or name not in values:
        raise _damaged(f"{name!r:.40} is used before it is computed")
    return values[name]


def _units(found: Any, arg: Value) -> tuple[int, ...]:
    if not isinstance(found, list) or not all(type(unit) is int and 0 <= unit < arg.size for unit in found):
        raise _damaged(f"units that {arg.name} has not")
    if len(set(found)) < len(found):
        raise _damaged(f"a unit of {arg.name} twice")
    return tuple(found)


def _members(found: Any, needed: Collection[str], possible: Collection[str], what: str) -> None:
    if not isinstance(found, dict):
        raise _damaged(f"{what} is not an object")
    wrong = set(needed) - set(found) or set(found) - {*needed, *possible}
    if wrong:
        raise _damaged(f"{what} with or without {min(wrong)!r:.40}")


def _list(found: Fields, key: str, kind: type) -> list[Any]:
    value = found[key]
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        raise _damaged(f"{key!r} is not an array of {kind.__name__}")
    return value


def _text(found: Fields, key: str) -> str:
    if not isinstance(found[key], str):
        raise _damaged(f"{key!r} is not a string")
    return str(found[key])


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _damaged(f"{value!r:.40} is not a number")
    return float(value)


def _identifier(name: str) -> str:
    if not is_identifier(name):
        raise _damaged(f"{name!r:.40} is not a name")
    return name


def _damaged(what: str) -> DamagedFile:
    return DamagedFile(f"the program cannot be read: {what}", code="program-json")
