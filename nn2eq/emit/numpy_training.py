"""NumPy: `gradients(x, y)`, a batch's mean loss and by how much it moves with every weight, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator

from nn2eq import formula as fm
from nn2eq.emit.header import escaped
from nn2eq.emit.names import called
from nn2eq.emit.numpy_functions import ERF, definition, written
from nn2eq.emit.numpy_text import constant_text, layers
from nn2eq.emit.options import Options
from nn2eq.emit.pythonic import applied, formulas, function, require_names, spelled
from nn2eq.emit.sharing import may_overflow
from nn2eq.forms.program import Program
from nn2eq.forms.training import Sum, Training

USED = frozenset("np len t samples loss erf ValueError".split())


def write(program: Program, training: Training, options: Options) -> str:
    """Write the text. Raises CannotEmit for names that it needs itself."""
    program = program.alone(training.function)
    require_names(program, options, "numpy", USED)
    spelling = spelled(options)
    parts = ["import numpy as np\n"]
    if any(part.op == "erf" for node in formulas(program) for part in fm.walk(node)):
        parts.append(ERF)
    parts += [definition(row) for row in applied(program).values() if spelling(row) is None]
    name = called(training.function, options)
    taken, walk = _taken(program, training, name), layers(program, spelling, _kept(training))
    body = [*taken, *walk, *_returned(training)]
    ignoring = '@np.errstate(over="ignore", invalid="ignore")  # exp(1000) is inf'
    above = [ignoring] if any(map(may_overflow, formulas(program))) else []
    head, target = f"def {name}(x", "y=None" if training.loss == "none" else "y"
    text = function(name, body, *above).replace(f"{head}):", f"{head}, {target}):", 1)
    constants = {c.name: c for c in program.constants} | {
        c.name: c
        for _, sums in training.sums
        for one in sums
        for c in (one.centre, one.scale)
        if c is not None
    }
    return "\n\n".join([*parts, text, "\n".join(map(constant_text, constants.values())) + "\n"])


def _kept(training: Training) -> set[str]:
    """Return the names of the arrays that the loss and the sums use."""
    sums = [one for _, sums in training.sums for one in sums]
    values = [training.logits, *(one.arg for one in sums), *(one.slopes for one in sums)]
    return {value.name for value in values if value is not None}


def _taken(program: Program, training: Training, name: str) -> Iterator[str]:
    inputs, outputs = len(program.inputs), training.target.size
    yield f'"""Return the mean loss ({training.loss}) of a batch, and its gradients: a tuple a layer, in Keras\' order.'
    yield ""
    yield f"x is (n, {inputs}), y is (n, {outputs}), what the network should answer. Layers answer as they do in"
    yield "use. No probability is clipped; Keras clips, at 1e-7, those of which it does not see the logits."
    yield '"""'
    yield f"x = np.asarray(x, dtype=np.float64).reshape(-1, {inputs})"
    yield "samples = len(x)"
    if training.loss != "none":
        yield f"t = np.asarray(y, dtype=np.float64).reshape(-1, {outputs})"
        yield "if len(t) != samples:"
        yield f'    raise ValueError(f"{name} takes as many rows of y as of x, not {{len(t)}} and {{samples}}")'


def _returned(training: Training) -> Iterator[str]:
    names = {"y": "y", "t": "t", "z": training.logits.name if training.logits else "y"}
    term = written(fm.parse(training.criterion.term), names)
    total = f"np.mean({term})" if training.criterion.mean else f"np.sum({term}) / samples"
    yield f"loss = {total}"
    yield "return loss, ["
    for name, sums in training.sums:
        yield f"    # {escaped(name)}: {', '.join(one.name for one in sums)}"
        yield f"    ({', '.join(map(_sum, sums))}{',' if len(sums) == 1 else ''}),"
    yield "]"


def _sum(one: Sum) -> str:
    slopes = one.slopes.name
    if one.arg is None:
        return f"{slopes}.sum(axis=0)"
    arg = f"np.minimum({one.arg.name}, 0.0)" if one.negative else one.arg.name
    if one.centre is not None and one.scale is not None:
        arg = f"({arg} - {one.centre.name}) * {one.scale.name}"
    if one.whole:
        return f"{arg}.T @ {slopes}"
    if not one.negative:
        return f"({arg} * {slopes}).sum(axis=0)"
    kept = tuple(k + 1 for k, size in enumerate(one.shape[-len(one.inner) :]) if size == 1 < one.inner[k])
    inner = ", ".join(map(str, one.inner))
    return f"({arg} * {slopes}).reshape(-1, {inner}).sum(axis={(0, *kept)}).reshape{one.shape}"
