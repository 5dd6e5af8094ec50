"""NumPy: `gradients(x, y)`, a batch's mean loss and by how much it moves with every weight, layer by layer."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from nn2eq import formula as fm
from nn2eq.emit.header import escaped
from nn2eq.emit.names import called
from nn2eq.emit.numpy_functions import ERF, definition, written
from nn2eq.emit.numpy_text import constant_text, layers
from nn2eq.emit.options import Options
from nn2eq.emit.pythonic import applied, formulas, function, require_names, spelled
from nn2eq.emit.sharing import may_overflow
from nn2eq.forms.losses import CLIPPED
from nn2eq.forms.program import Program
from nn2eq.forms.training import Sum, Training

WIDTH = 110
"""Characters that a line of what the text says of itself may have."""
USED = frozenset("np int len t samples loss erf ValueError".split())


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
    head, target = f"def {name}(x", "y=None" if training.loss.single else "y"
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
    inputs, outputs, loss = len(program.inputs), training.target.size, training.loss
    yield f'"""Return the mean loss ({loss.name}) of a batch, and its gradients: a tuple a layer, in Keras\' order.'
    yield ""
    asked = "" if loss.single else f", y is {_answers(training)}"
    said = f"x is (n, {inputs}){asked}. Layers answer as they do in use.{_clipping(training)}"
    yield from textwrap.wrap(said, WIDTH)
    yield '"""'
    yield f"x = np.asarray(x, dtype=np.float64).reshape(-1, {inputs})"
    yield "samples = len(x)"
    if loss.single:
        return
    if loss.classes and outputs > 1:  # of one class the number says nothing
        yield "y = np.asarray(y)"
        yield "if y.size == samples:"
        yield f"    y = np.eye({outputs})[y.astype(int).reshape(-1)]"
    yield f"t = np.asarray(y, dtype=np.float64).reshape(-1, {outputs})"
    yield "if len(t) != samples:"
    yield f'    raise ValueError(f"{name} takes as many rows of y as of x, not {{len(t)}} and {{samples}}")'


def _answers(training: Training) -> str:
    """Say what the network should answer."""
    rows = f"(n, {training.target.size}), what it should answer"
    numbers = ", or (n,), numbers of classes" if training.target.size > 1 else ""
    return f"{rows}, which adds up to 1{numbers}" if training.loss.classes else rows


def _clipping(training: Training) -> str:
    """Say how the text takes probabilities near 0 and 1, and how Keras does."""
    if not training.loss.probabilities:
        return ""
    if training.criterion.of_sums:
        return f" No probability is clipped; Keras clips, at {CLIPPED}, those of which it does not see the logits."
    return f" Probabilities are kept, as in Keras, {CLIPPED} away from 0 and 1."


def _returned(training: Training) -> Iterator[str]:
    names = {"y": "y", "t": "t", "z": training.logits.name if training.logits else "y"}
    term = written(training.criterion.term, names)
    yield f"loss = {f'np.mean({term})' if training.loss.mean else f'np.sum({term}) / samples'}"
    yield "return loss, ["
    for name, sums in training.sums:
        yield f"    # {escaped(name)}: {', '.join(one.name for one in sums)}"
        yield f"    ({', '.join(map(_sum, sums))}{',' if len(sums) == 1 else ''}),"
    yield "]"


def _sum(one: Sum) -> str:
    """Write the sum for a weight, over the batch and over all places where the weight acts."""
    slopes = one.slopes.name
    if one.arg is None:
        return _added(slopes, one)
    if one.whole:
        arg, slopes = (
            _in_blocks(name, size, one) for name, size in zip((one.arg.name, slopes), one.shape, strict=True)
        )
        return f"{arg}.T @ {slopes}"
    arg = f"np.minimum({one.arg.name}, 0.0)" if one.negative else one.arg.name
    if one.centre is not None and one.scale is not None:
        arg = f"({arg} - {one.centre.name}) * {one.scale.name}"
    return _added(f"({arg} * {slopes})", one)


def _in_blocks(name: str, size: int, one: Sum) -> str:
    return name if one.blocks == 1 else f"{name}.reshape(-1, {size})"


def _added(product: str, one: Sum) -> str:
    """Add up what belongs to the same number of a weight."""
    if len(one.inner) > 1:
        product = f"{product}.reshape(-1, {', '.join(map(str, one.inner))})"
    axes = (0, *(axis + 1 for axis in one.dropped))
    found = f"{product}.sum(axis={axes if one.dropped else 0})"
    return (
        found if one.shape == tuple(one.inner[axis] for axis in one.kept) else f"{found}.reshape{one.shape}"
    )
