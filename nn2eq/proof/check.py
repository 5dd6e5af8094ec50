"""Does a text say what its network says? It is run or read back, and compared with it on many samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nn2eq.domain import Domain
from nn2eq.emit import emitter
from nn2eq.emit.names import called
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, CannotEmit, Disagreement
from nn2eq.forms.program import Affine, Cases, Program, Value, arguments
from nn2eq.forms.straight import matrix
from nn2eq.network import Network
from nn2eq.proof.agreement import Agreement, compare
from nn2eq.proof.approximate import affine_size, expect_program, in_box
from nn2eq.proof.expected import OVERFLOWN, Expected, overflowed
from nn2eq.proof.rounding import DOUBLE, SINGLE, measured, rounding, widened
from nn2eq.proof.runners import Answer
from nn2eq.proof.runners import run as answered
from nn2eq.proof.samples import samples

Array = NDArray[np.float64]
LINK = "text and network"
UNITS = {"float64": DOUBLE, "float32": SINGLE}
"""The unit roundoff of what a text computes in."""
FLOAT32_RANGE = 1e12
"""How large numbers on the way may be in float32: formulas of activations cube them."""
UNIT_TOLERANCE = 1e-10
"""How far a value on the way may be off, relative to its magnitude, and still be the same: errors grow."""


def expect(
    network: Network, data: Array | None = None, *, dtype: str = "float64", domain: Domain = ()
) -> Expected:
    """Return what a text of this network must answer that computes in float64 or in float32, and how exactly.

    See `nn2eq.proof.rounding`. In float32 the samples are float32 numbers, at which nothing is beyond float32.
    domain: where the text is the network, everywhere if empty.
    """
    wide, unit = widened(network), UNITS[dtype]
    x = in_box(domain, _inside(samples(wide, data), domain)) if domain else samples(wide, data)
    x = x if unit == DOUBLE else _within_float32(wide, x)
    cost = rounding(wide, x, unit)
    kept = ~cost.at_jump
    size, tolerance = measured(wide, x[kept], cost.error[kept])
    left_out = int(np.count_nonzero(~kept))
    return Expected(x[kept], cost.answers[kept], size, tolerance, left_out, unit=unit)


def _inside(x: Array, domain: Domain) -> Array:
    low, high = np.array(domain, dtype=np.float64).T
    return np.asarray(x[np.all((x >= low) & (x <= high), axis=1)])


def _within_float32(network: Network, x: Array) -> Array:
    """Return the samples as float32 numbers, those at which the network stays within their range.

    Raises CannotEmit if there are none.
    """
    with np.errstate(all="ignore"):
        x = value = x.astype(np.float32).astype(np.float64)
        largest = np.abs(x).max(axis=1)
        for step in network.maps:
            value = step(value)
            largest = np.maximum(largest, np.abs(value).max(axis=1))
    within = np.asarray(x[largest <= FLOAT32_RANGE])
    if not len(within):
        what = f"nowhere are this network's numbers on the way below {FLOAT32_RANGE:g}, as float32 needs"
        raise CannotEmit(what, code="dtype", way_out="leave out --dtype float32")
    return within


def check(
    network: Network,
    text: str | bytes,
    language: str = "",
    *,
    name: str = "",
    data: Array | None = None,
    program: Program | None = None,
    digits: int = 0,
    dtype: str = "float64",
    run: bool = False,
) -> Agreement:
    """Run a text, or read it back, and compare it with the network.

    language: of a text of our own, just written; left out, anybody's text is judged as `nn2eq check` does, by its
    header, and run says whether a compiler or another program may be started for it. name: of the text's function.
    data (n, inputs): rows to compare on besides the samples. program: what the text was written from; its values
    tell what differs first, and an approximate one is held to what is proved of it. digits: of the program's numbers,
    if they were rounded on purpose: the text must say what the program says, and that may cost no more than so few
    digits can. dtype: in which the text computes. Raises Disagreement, and BadRequest if nothing tells what it is.
    """
    if not language:
        _require_untold(program, digits, dtype)
        return _judged(network, text, name, data, outside=run)
    name = name or "predict"
    program = program or matrix(network)
    if program.layout == "backprop":
        return _backward_pass(network, program, language, str(text), name, data)
    if not program.exact:
        expected = expect_program(network, program, data)
    else:
        expected = expect(network, data, dtype=dtype, domain=program.domain)
    if digits and program.exact:
        expected = rounded_on_purpose(network, program, expected, digits)
    filled = emitter(language).fill(text, program) if isinstance(text, str) else text
    if len(program.functions) > 1:
        return _with_derivatives(
            network, program, expected, language, text, name=name, dtype=dtype, digits=digits
        )
    found = compare_answer(expected, answered(language, filled, expected.x, name), program, language)
    if filled == text:
        return found
    from nn2eq.proof.backward import noted

    return noted(found, network)


def _require_untold(program: Program | None, digits: int, dtype: str) -> None:
    if program is not None or digits or dtype != "float64":
        what = "a program, digits and a dtype are of a text whose language is said"
        raise BadRequest(what, code="usage", way_out="name the language, or leave them out")


def _judged(
    network: Network, text: str | bytes, name: str, data: Array | None, *, outside: bool
) -> Agreement:
    """Judge anybody's text."""
    from nn2eq.proof.judge import judge  # which stands on this

    return judge(network, text, name=name, data=data, outside=outside)


def _backward_pass(
    network: Network, program: Program, language: str, text: str, name: str, data: Array | None
) -> Agreement:
    """Compare the gradients of a text: the function of one that runs, the equations of one that people read."""
    if program.training is not None:
        from nn2eq.proof.gradients import gradients_agree  # here, as a start should not wait for it

        function = called(program.training.function, Options(name=name))
        return gradients_agree(network, text, program.training, function, partial(answered, language))
    from nn2eq.proof.backward import check_backward

    return check_backward(network, text, language, program, partial(answered, language), name, data)


def _with_derivatives(
    network: Network, program: Program, expected: Expected, language: str, text: str | bytes, *, name: str, dtype: str,
    digits: int,
) -> Agreement:  # fmt: skip
    """Compare the answers of a text, and if they hold its derivatives."""
    from nn2eq.proof.derivatives import first, with_derivatives

    answer = answered(language, text, expected.x, first(program, language, name))
    found = compare_answer(expected, answer, program, language)
    if not found.holds:
        return found
    return with_derivatives(
        found, network, program, language, lambda x, called: answered(language, text, x, called), expected.x,
        name=name, unit=UNITS[dtype], exact=not digits,
    )  # fmt: skip


def compare_answer(expected: Expected, answer: Answer, program: Program, language: str) -> Agreement:
    """Compare what a text answered with what it must, and if they differ name the first value that does."""
    answer = (
        replace(answer, outputs=answer.outputs[:, : len(program.outputs)])
        if len(program.functions) > 1
        else answer
    )
    kept = np.ones(len(expected.x), dtype=np.bool_)
    if answer.outputs.shape == expected.answers.shape:
        kept = ~overflowed(program, language, expected.x, answer.outputs)
    agreement = compare(
        expected.answers[kept],
        answer.outputs[kept] if len(answer.outputs) == len(kept) else answer.outputs,
        scale=expected.scale[kept],
        tolerance=expected.tolerance[kept],
        link=LINK,
        how=f"evaluated as {language}{f' by {answer.by}' if answer.by else ''}",
        x=expected.x[kept],
        outputs=program.outputs,
        precision=2 * expected.unit,
    )
    unit = "" if agreement.holds else first_difference(program, expected.x, answer.values)
    reasons = {
        "at a jump": expected.left_out,
        OVERFLOWN: int(np.count_nonzero(~kept)),
    }
    left_out = tuple((count, why) for why, count in reasons.items() if count)
    return replace(agreement, left_out=left_out, unit=unit, cost=expected.cost, note=expected.note)


def unit_of(digits: int) -> float:
    """Return the roundoff of numbers with so many significant digits."""
    return 0.5 * 10.0 ** (1 - digits)


def rounded_on_purpose(network: Network, program: Program, expected: Expected, digits: int) -> Expected:
    """Return what a text must answer that says a program of rounded numbers, and what the rounding costs.

    Raises Disagreement if it costs more than half a unit in each number's last digit can.
    """
    answers = program.evaluate(expected.x)
    size = np.maximum(1.0, np.abs(expected.answers))
    last = program.predict.steps[-1]
    if isinstance(last, Cases):
        from nn2eq.proof.cases import cost_of_rounding

        most = cost_of_rounding(last, expected.x, unit_of(digits))
    else:
        most = rounding(widened(network), expected.x, unit_of(digits)).error
    cost = compare(
        expected.answers,
        answers,
        scale=size,
        tolerance=most / size,
        link="program and network",
        how=f"rounded to {digits} digits",
        x=expected.x,
    )
    if not cost.holds:
        raise Disagreement(cost.line(), code="disagreement", where=cost.where())
    return replace(expected, answers=answers, cost=cost.error)


# ----------------------------------------------------------------------------------------- what differs first


def first_difference(program: Program, x: Array, values: Mapping[str, Array]) -> str:
    """Return the first named value, in the order of the layers, that a text has otherwise, or "".

    values: what the text's names stood for, (n,) for a unit, (n, units) for a whole layer.
    """
    exact = program.values(x)
    size = {program.predict.arguments[0].name: np.abs(exact[program.predict.arguments[0].name])}
    for step in program.predict.steps:
        out, answer = step.out, exact[step.out.name]
        before = affine_size(step, exact) if isinstance(step, Affine) else size[next(arguments(step)).name]
        size[out.name] = (
            np.maximum(before, np.abs(answer)) if before.shape == answer.shape else np.abs(answer)
        )
        for unit, name in enumerate(out.parts):
            found = _found(values, out, unit)
            if found is None or found.shape != answer[:, unit].shape:
                continue
            if not compare(
                answer[:, unit], found, scale=size[out.name][:, unit], tolerance=UNIT_TOLERANCE
            ).holds:
                return f"{name} ({out.origin})" if out.origin else name
    return ""


def _found(values: Mapping[str, Array], value: Value, unit: int) -> Array | None:
    """Return what a text had under a unit's own name, or in the column of its layer."""
    if value.parts[unit] in values and (value.size == 1 or value.parts[unit] != value.name):
        return np.ravel(values[value.parts[unit]])
    whole = values.get(value.name)
    return whole[:, unit] if whole is not None and whole.ndim == 2 and whole.shape[1] == value.size else None
