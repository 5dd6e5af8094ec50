"""Do a text's derivatives say what its network's are? Two links: text and program, program and power series.

The series know nothing of the slopes in the table of activations: they come from the formulas alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.emit import emitter
from nn2eq.emit.names import called
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, TooLarge
from nn2eq.forms.chosen import places
from nn2eq.forms.evaluation import answer
from nn2eq.forms.program import Affine, Combine, Constant, Function, Program, Step, Value, arguments
from nn2eq.forms.taylor import expand
from nn2eq.network import Network
from nn2eq.proof.agreement import TEXT_TOLERANCE, Agreement, compare
from nn2eq.proof.expected import OVERFLOWN, overflowed
from nn2eq.proof.rounding import DOUBLE, measured, rounding, widened
from nn2eq.proof.runners import Answer
from nn2eq.series import truncation

Array = NDArray[np.float64]
Operandum = TypeVar("Operandum", Value, Constant, Value | Constant)
Run = Callable[[Array, str], Answer]
"""Run a text's function of some name at x (n, inputs)."""

MOVES = 8
"""Moves of the inputs by roundoff: how much a slope changes by them is what rounding may cost."""
MARGIN = 4.0
STEEP, BEND = 1e4, 0.05
"""What counts as a bend: so many times the tolerance is what a slope changes by when rounding moves the inputs, and
never more than such a part of it."""
POINTS = 6
"""Samples at which the program is compared with power series."""
MOST_TERMS = 400
"""Terms of a series that is still expanded."""


def first(program: Program, language: str, name: str) -> str:
    """Return the name of the text's function that answers as the network does, beside derivatives or not."""
    functions = _spoken(program, language)
    return called(functions[0], Options(name=name)) if functions and emitter(language).merged else name


def with_derivatives(
    found: Agreement, network: Network, program: Program, language: str, run: Run, x: Array, *,
    name: str = "predict", unit: float = DOUBLE, exact: bool = True,
) -> Agreement:  # fmt: skip
    """Return the agreement of a text's outputs with a word on its derivatives, or what is wrong with these."""
    worst = derivatives_agree(network, program, language, run, x, name=name, unit=unit, exact=exact)
    if not worst.holds:
        return worst
    left_out = "".join(f", {count} left out {why}" for count, why in worst.left_out)
    said = f"its derivatives too: worst error {worst.error:.1e} of {worst.tolerance:.1e} allowed"
    said += f", on {worst.samples} samples{left_out}"
    return replace(found, note="; ".join(filter(None, (found.note, said))))


def derivatives_agree(
    network: Network, program: Program, language: str, run: Run, x: Array, *,
    name: str = "predict", unit: float = DOUBLE, exact: bool = True,
) -> Agreement:  # fmt: skip
    """Compare what a text answers for derivatives with the program's, and the program with power series.

    x (n, inputs): samples. name: of the text's first function. unit: the roundoff of its arithmetic. exact: whether
    the program's numbers are the network's, so that series are compared too.
    """
    found: list[Agreement] = []
    for function in _spoken(program, language):
        answers, size, tolerance, kept = _expected(network, program, function, x, unit)
        said = run(x[kept], called(function, Options(name=name))).outputs
        lost = np.zeros(len(said), dtype=np.bool_)
        if said.shape == answers[kept].shape:
            lost = overflowed(program.alone(function), language, x[kept], said)
            said, kept[kept] = said[~lost], ~lost
        agreement = compare(
            answers[kept], said, scale=size[kept], tolerance=tolerance[kept], link="text and network",
            how=f"derivatives, evaluated as {language}", x=x[kept], outputs=labels(program, function),
            precision=2 * unit,
        )  # fmt: skip
        found.append(replace(agreement, left_out=_left_out(int(np.count_nonzero(~kept)), int(lost.sum()))))
        if exact and agreement.holds:
            found += _against_series(network, program, function, x[kept])
        if not found[-1].holds:
            return found[-1]
    return max(found, key=lambda one: one.error / one.tolerance)


def _spoken(program: Program, language: str) -> tuple[Function, ...]:
    """Return the functions of a text that give derivatives."""
    if len(program.functions) == 1:
        return ()
    return program.merged().functions if emitter(language).merged else program.functions[1:]


def _left_out(count: int, overflown: int) -> tuple[tuple[int, str], ...]:
    bent = count - overflown
    reasons = ((bent, "at a bend or where slopes are not finite"), (overflown, OVERFLOWN))
    return tuple(reason for reason in reasons if reason[0])


def _expected(
    network: Network, program: Program, function: Function, x: Array, unit: float
) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Return answers, their scale and tolerance, (n, results), and which samples (n,) rounding does not decide."""
    alone, random = program.alone(function), np.random.default_rng(0)
    with np.errstate(all="ignore"):
        answers, size = alone.evaluate(x), np.maximum(_magnitudes(alone, x), _least(unit))
        moved = np.zeros(answers.shape)
        for _ in range(MOVES):
            there = x + 4 * unit * random.choice([-1.0, 1.0], x.shape) * (1.0 + np.abs(x))
            moved = np.maximum(moved, np.abs(alone.evaluate(there) - answers))
        relative = moved / size
    relative = np.where(moved == 0.0, 0.0, relative)
    base = TEXT_TOLERANCE * unit / DOUBLE
    finite = np.isfinite(answers) & np.isfinite(size) & np.isfinite(relative)
    kept = np.all(finite & (relative < min(STEEP * base, BEND)), axis=1)
    size, tolerance = _with_outputs(
        network, _numbers(program, function), x, unit, size, np.maximum(base, MARGIN * relative)
    )
    return answers, size, tolerance, kept


def _with_outputs(
    network: Network, numbers: Iterable[tuple[int, ...]], x: Array, unit: float, size: Array, tolerance: Array
) -> tuple[Array, Array]:
    """Return scale and tolerance, (n, results), in which answers among slopes are measured as a network's are."""
    answers = [(column, output) for column, (output, *by) in enumerate(numbers) if not by]
    if not answers:
        return size, tolerance
    columns, outputs = map(list, zip(*answers, strict=True))
    wide = widened(network)
    own, allowed = (each[:, outputs] for each in measured(wide, x, rounding(wide, x, unit).error))
    most = np.maximum(size[:, columns] * tolerance[:, columns], own * allowed)
    size, tolerance = size.copy(), tolerance.copy()
    size[:, columns] = np.maximum(size[:, columns], own)
    tolerance[:, columns] = most / size[:, columns]
    return size, tolerance


def _least(unit: float) -> float:
    """Return the size from which on down numbers of some roundoff have fewer digits than others."""
    return float(np.finfo(np.float64 if unit == DOUBLE else np.float32).tiny) / unit


def _magnitudes(program: Program, x: Array) -> Array:
    """Return what the sums and products of all slopes come to in size, (n, results), as if nothing cancelled."""
    values = program.values(x)
    known = values | {f"|{name}|": np.abs(value) for name, value in values.items()}
    slopes: set[str] = set()
    for step in program.predict.steps:
        name = step.out.name
        if isinstance(step, Combine) or slopes.intersection(value.name for value in arguments(step)):
            slopes.add(name)
            size = np.broadcast_to(answer(_in_size(step), known), values[name].shape)
            known[f"|{name}|"] = np.maximum(size, np.abs(values[name]))
    return np.concatenate([known[f"|{result.name}|"] for result in program.predict.results], axis=1)


def _in_size(step: Step) -> Step:
    """Return a step that gives the size of its terms, of values that are called |name|."""
    if isinstance(step, Affine):
        terms = [replace(term, matrix=_positive(term.matrix), arg=_sized(term.arg)) for term in step.terms]
        return Affine(step.out, tuple(terms))
    assert isinstance(step, Combine)
    sizes = {f"|{key}|": replace(arg, of=_sized(arg.of)) for key, arg in step.args.items()}
    return replace(step, formulas=tuple(map(_added, step.formulas)), args={**step.args, **sizes})


def _positive(constant: Constant) -> Constant:
    return replace(constant, data=np.abs(constant.data))


def _sized(of: Operandum) -> Operandum:
    return replace(of, name=f"|{of.name}|") if isinstance(of, Value) else _positive(of)


def _added(node: fm.Node) -> fm.Node:
    """Return a formula that adds where it subtracts; what stands within a function counts as it is."""
    match node.op:
        case "name":
            return fm.name(f"|{node.value}|") if node.value != "count" else node
        case "unit":
            return fm.Node("unit", value=(f"|{node.value[0]}|", node.value[1]))
        case "-":
            return fm.Node("+", tuple(map(_added, node.args)))
        case "neg":
            return _added(node.args[0])
        case "+" | "*" | "sum":
            return fm.Node(node.op, tuple(map(_added, node.args)), node.value)
        case "/":
            return fm.Node("/", (_added(node.args[0]), fm.Node("abs", node.args[1:])))
        case "where":
            return fm.Node("where", (node.args[0], *map(_added, node.args[1:])))
    return fm.Node("abs", (node,))


def labels(program: Program, function: Function) -> tuple[str, ...]:
    """Return what each number of a function's results is called: y, dy/dx1, d2y/dx1dx2."""
    inputs, outputs = program.inputs, program.predict.results[0].parts
    found: list[str] = []
    for output, *by in _numbers(program, function):
        order = str(len(by)) if len(by) > 1 else ""
        below = "".join(f"d{inputs[k]}" for k in by)
        found.append(f"d{order}{outputs[output]}/{below}" if by else outputs[output])
    return tuple(found)


def _numbers(program: Program, function: Function) -> Iterator[tuple[int, ...]]:
    """Yield for each number of a function's results which output it is of, and by which inputs."""
    of, by = places(program)
    for shape in function.shapes:
        for output, *inputs in np.ndindex(shape):
            yield (of[output], *(by[k] for k in inputs)) if inputs else (output,)


# ------------------------------------------------------------------------------------------------- power series


def _against_series(network: Network, program: Program, function: Function, x: Array) -> Iterator[Agreement]:
    """Compare with the coefficients of power series, at some samples, unless they would have too many terms."""
    order = max(len(shape) for shape in function.shapes) - 1
    try:
        space = truncation(network.inputs, order)
    except TooLarge:
        return
    if space.terms > MOST_TERMS:
        return
    points, expected = _expanded(network, program, function, x, order)
    if not points:
        return
    at = np.array(points)
    answers, size, tolerance, kept = _expected(network, program, function, at, DOUBLE)

    def compared(tolerance: Array) -> Agreement:
        return compare(
            np.array(expected)[kept], answers[kept], scale=size[kept], tolerance=tolerance[kept],
            link="program and network", how="derivatives, against power series", x=at[kept],
            outputs=labels(program, function),
        )  # fmt: skip

    found = compared(tolerance)
    if not found.holds:  # a formula may cancel, as z - tanh(z) does: then its series is rough next door too
        beside = at + 4 * DOUBLE * (1.0 + np.abs(at))
        with suppress(BadRequest):
            moved = np.array([_series(network, program, function, point, order) for point in beside])
            found = compared(np.maximum(tolerance, MARGIN * np.abs(moved - expected) / size))
    yield found


def _expanded(
    network: Network, program: Program, function: Function, x: Array, order: int
) -> tuple[list[Array], list[Array]]:
    """Return some samples, the nearest to 0 first, and what power series around them say."""
    near = x[np.argsort(np.abs(x).max(axis=1), kind="stable")]
    points, expected = [], []
    for at in near[:: max(1, len(near) // (2 * POINTS))]:
        try:
            expected.append(_series(network, program, function, at, order))
        except BadRequest:
            continue
        points.append(at)
        if len(points) == POINTS:
            break
    return points, expected


def _series(network: Network, program: Program, function: Function, at: Array, order: int) -> Array:
    """Return what a function's results are by a power series around a point. Raises BadRequest at a bend."""
    exponents = truncation(network.inputs, order).exponents
    return _results(expand(network, at, order), exponents, _numbers(program, function))


def _results(series: Array, exponents: NDArray[np.int64], numbers: Iterable[tuple[int, ...]]) -> Array:
    """Return values, first and second derivatives by their outputs and inputs, from coefficients (terms, outputs)."""
    inputs = exponents.shape[1]
    place = {tuple(row): number for number, row in enumerate(exponents.tolist())}
    found: list[float] = []
    for output, *by in numbers:
        powers = np.bincount(by, minlength=inputs)
        factor = 2.0 if len(by) == 2 and by[0] == by[1] else 1.0
        found.append(factor * float(series[place[tuple(powers.tolist())], output]))
    return np.array(found)
