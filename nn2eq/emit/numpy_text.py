"""NumPy: a function over arrays (n, inputs) that imports numpy alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import numpy as np

from nn2eq import formula as fm
from nn2eq.emit import Emitter
from nn2eq.emit.cases import has_cases, look_up, tables
from nn2eq.emit.names import called
from nn2eq.emit.numpy_combined import documented, product, shaped
from nn2eq.emit.numpy_combined import statements as combinations
from nn2eq.emit.numpy_functions import ERF, NUMPY, definition, written
from nn2eq.emit.options import Options
from nn2eq.emit.printing import array_text
from nn2eq.emit.pythonic import (
    Scalars,
    applied,
    bare_expression,
    call,
    commented,
    described,
    formulas,
    function,
    is_one_operation,
    require_names,
    spelled,
    statements,
)
from nn2eq.emit.sharing import may_overflow
from nn2eq.errors import CannotEmit
from nn2eq.forms.program import Affine, Apply, Cases, Combine, Constant, Program, arguments
from nn2eq.forms.size import Spelling

READABLE = 1_000
"""Numbers that an array literal may hold: more are text, which NumPy parses far faster than Python."""

COLUMNS = Scalars(
    NUMPY,
    together="np.stack([{0}], axis=-1)",
    item="{0}[:, {1}]",
    unpacked="{0}.T",
    constant="np.full(len(x), {0})",
)


def write(program: Program, options: Options) -> str:
    """Write a Program as NumPy."""
    if program.training is not None:
        from nn2eq.emit import numpy_training  # which uses this

        return numpy_training.write(program, program.training, options)
    require_names(program, options, "numpy", {"np", "len", "shape", "erf", "ValueError"})
    spelling = spelled(options)
    if options.expression:
        return _expression(program, spelling)
    parts = ["import numpy as np\n", *_definitions(program, spelling)]
    whole = program.layout == "matrix" or has_cases(program)
    for one in program.functions:
        alone, name = program.alone(one), called(one, options)
        lines = layers(alone, spelling) if whole else _columns(alone, spelling)
        parts.append(_function(alone, name, lines))
    if whole:
        parts.append("\n".join(constant_text(constant) for constant in tables(program)) + "\n")
    return "\n\n".join(parts)


def _definitions(program: Program, spelling: Spelling) -> Iterator[str]:
    """Yield the functions that the text calls, one a row."""
    if _needs_erf(program):
        yield ERF
    yield from (definition(row) for row in applied(program).values() if spelling(row) is None)


def _needs_erf(program: Program) -> bool:
    return any(part.op == "erf" for node in formulas(program) for part in fm.walk(node))


def _expression(program: Program, spelling: Spelling) -> str:
    if _needs_erf(program):
        raise CannotEmit(
            "NumPy has no erf, so this network is not a single expression in it",
            code="no-erf",
            way_out="leave out --expression, or use --format python",
        )
    return bare_expression(program, COLUMNS, spelling, "import numpy as np")


# ----------------------------------------------------------------------------------------------- the function


def _function(program: Program, name: str, body: Iterable[str]) -> str:
    ignoring = '@np.errstate(over="ignore", invalid="ignore")  # exp(1000) is inf'
    above = [ignoring] if any(map(may_overflow, formulas(program))) else []
    returned = shaped(program) if program.predict.shapes else [_returned(program)]
    return function(name, [*_taken(program, name), *body, *returned], *above)


def _taken(program: Program, name: str) -> Iterator[str]:
    """Yield what makes x an array (n, inputs), or refuses it."""
    inputs = len(program.inputs)
    shapes = "a number, (n,) or (n, 1)" if inputs == 1 else f"(n, {inputs}) or ({inputs},)"
    yield described(program, shapes, documented(program.predict) if program.predict.shapes else "")
    yield "x = np.asarray(x, dtype=np.float64)"
    if program.one_for_all:
        yield "if x.shape[1:] == (1,):  # as in Keras, one number stands for all inputs"
        yield f"    x = x * np.ones({inputs})"
    yield "shape = x.shape"
    row = "shape[1:]" if inputs == 1 else "shape[1:] or shape"
    yield f"if np.prod({row}) != {inputs}:"
    yield f'    raise ValueError(f"{name} takes {shapes}, not {{shape}}")'
    yield f"x = x.reshape(-1, {inputs})"


def _returned(program: Program) -> str:
    """Return the line that gives the answer in the shape of the question."""
    if len(program.inputs) > 1:
        return "return y if len(shape) > 1 else y[0]"
    if len(program.outputs) > 1:
        return "return y if shape else y[0]"
    return "return y if len(shape) > 1 else y.reshape(shape)[()]"


def _columns(program: Program, spelling: Spelling) -> Iterator[str]:
    """Yield the lines of a text of scalars: one column a name."""
    names = program.inputs
    yield f"{', '.join(names)} = x.T" if len(names) > 1 else f"{names[0]} = x[:, 0]"
    yield from statements(program, COLUMNS, spelling)
    for result in program.predict.results:
        yield f"{result.name} = np.stack([{', '.join(result.parts)}], axis=-1)"


# ----------------------------------------------------------------------------------------------- whole layers


def layers(program: Program, spelling: Spelling, kept: Collection[str] | None = None) -> Iterator[str]:
    """Yield the lines of a text of arrays: one a layer where that can be said at once.

    kept: the arrays that are needed under their names behind these lines, None for the results alone.
    """
    steps = program.predict.steps
    free = _free(program)
    wanted = {value.name for step in steps if isinstance(step, Combine) for value in arguments(step)}
    wanted.update(kept or ())
    texts: dict[str, str] = {}
    for (origin, step), following in zip(
        commented((step.out.origin, step) for step in steps), (*steps[1:], None), strict=True
    ):
        yield from origin
        if isinstance(step, Apply):
            yield from _applied(step, texts.get(step.arg.name, step.arg.name), spelling)
            continue
        if isinstance(step, Combine):
            yield from combinations(step, free[step.out.name] if kept is None else ())
            continue
        if isinstance(step, Cases):
            yield from _looked_up(step)
            continue
        assert isinstance(step, Affine)  # a polynomial is written number by number
        if (
            isinstance(following, Apply)
            and following.arg == step.out
            and step.out.name not in wanted
            and _is_function(following, spelling)
        ):
            # Not under a name of its own: memory that is free again at once is faster than new memory.
            texts[step.out.name] = _affine(step)
        else:
            yield f"{step.out.name} = {_affine(step)}"


def _free(program: Program) -> dict[str, set[str]]:
    """Return for each step, by what it gives, the arrays that nobody uses after it; x and results are kept."""
    function = program.predict
    kept = {value.name for value in (*function.arguments, *function.results)}
    last = {value.name: step.out.name for step in function.steps for value in arguments(step)}
    free: dict[str, set[str]] = {step.out.name: set() for step in function.steps}
    for name, user in last.items():
        free[user] |= {name} - kept
    return free


def _looked_up(step: Cases) -> Iterator[str]:
    """Yield the lines that find each sample's case, and use its map."""
    found, x = look_up(step), step.arg.name
    if found.ends is not None:
        yield f"k = np.searchsorted({found.ends.name}, {x}[:, 0])"
    else:
        yield f"excess = np.maximum({x} @ {found.normals.name}.T - {found.bounds.name}, 0.0)"
        yield f"worst = np.max(excess.reshape(-1, {len(step.counts)}, {found.most}), axis=2)"
        yield "k = np.argmin(worst, axis=1)"
    slopes, inputs, outputs = f"{found.slopes.name}[k]", step.arg.size, step.out.size
    if inputs == 1:
        total = f"{x} * {slopes}"
    else:
        total = f"({x}[:, :, None] * {slopes}.reshape(-1, {inputs}, {outputs})).sum(axis=1)"
    yield f"{step.out.name} = {total} + {found.offsets.name}[k]"


def _affine(step: Affine) -> str:
    return " + ".join([*(product(term) for term in step.terms), *([step.offset.name] if step.offset else [])])


def _is_function(step: Apply, spelling: Spelling) -> bool:
    """Whether an activation is written as a function of one argument, which may be any text."""
    node = spelling(step.activation)
    is_call = node is None or (is_one_operation(step.activation) and node.op in fm.FUNCTIONS)
    return is_call and step.activation.groups == 1 and not step.units


def _applied(step: Apply, arg: str, spelling: Spelling) -> Iterator[str]:
    out, groups = step.out.name, step.activation.groups
    if step.units:
        chosen = f"[:, {list(step.units)}]"
        yield f"{out} = np.array({arg})"
        yield f"{out}{chosen} = {_activation(step, arg + chosen, spelling)}"
    elif groups > 1:
        yield f"{out} = {arg}.reshape(-1, {groups}, {step.arg.size // groups})"
        yield f"{out} = {_activation(step, out, spelling)}"
        yield f"{out} = {out}.reshape(-1, {step.out.size})"
    else:
        yield f"{out} = {_activation(step, arg, spelling)}"


def _activation(step: Apply, arg: str, spelling: Spelling) -> str:
    """Write an activation of an array (..., units)."""
    activation, per_unit = step.activation, {key: constant.name for key, constant in step.parameters.items()}
    node = spelling(activation)
    if node is None:
        return call(activation, arg, per_unit)
    units = step.arg.size // activation.groups
    halves = {"z": f"{arg}[..., :{units // 2}]", "partner": f"{arg}[..., {units // 2}:]"}
    names: Mapping[str, str] = halves if activation.row.halves else {"z": arg}
    return written(node, {**names, "count": str(units), **per_unit})


def constant_text(constant: Constant) -> str:
    """Write an array: its numbers are exact in its own dtype, and float64 from then on."""
    data = constant.data
    text = array_text(data)
    dtype = ", dtype=np.float32" if data.dtype == np.float32 else ""
    widened = ".astype(np.float64)" if dtype else ""
    if data.size <= READABLE:
        rows = text.replace(",", ", ")
        if data.ndim == 2:
            rows = "[\n    " + rows[1:-1].replace("], [", "],\n    [") + ",\n]"
        return f"{constant.name} = np.array({rows}{dtype}){widened}"
    flat = text.strip("[]").replace("],[", ",\n")
    shaped = f".reshape{data.shape}" if data.ndim == 2 else ""
    return f'{constant.name} = np.fromstring("""\n{flat}""", sep=","{dtype}){shaped}{widened}'


EMITTER = Emitter(
    name="numpy",
    suffix=".py",
    comment="#",
    layouts=("nested", "layered", "matrix", "backprop"),
    default="matrix",
    write=write,
    spelling=spelled,
    options=frozenset({"name", "activations", "digits", "expression"}),
    derivatives=("matrix", "layered"),
)
