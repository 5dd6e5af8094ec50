"""The network itself as a Program, in three layouts: nested, layered, matrix."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from nn2eq.activations import Activation
from nn2eq.forms import STRAIGHT
from nn2eq.forms.program import Affine, Apply, Constant, Function, Program, Step, Term, Value
from nn2eq.forms.stages import Stage, stages
from nn2eq.network import Network, Selected, numbered


def nested(network: Network, *, fold: bool = True, **written: str) -> Program:
    """One closed expression per output; written: in symbols, as `symbolic` takes it."""
    return program(network, stages(network, fold=fold), "nested", written)


def layered(network: Network, *, fold: bool = True, **written: str) -> Program:
    """Named scalars, one line a unit; written: in symbols, as `symbolic` takes it."""
    return program(network, stages(network, fold=fold), "layered", written)


def matrix(network: Network, *, fold: bool = True, **written: str) -> Program:
    """Whole layers at a time: y = W2ᵀ a(W1ᵀ x + b1) + b2; written: in symbols, as `symbolic` takes it."""
    return program(network, stages(network, fold=fold), "matrix", written)


def program(network: Network, found: tuple[Stage, ...], form: str, written: Mapping[str, str]) -> Program:
    """Return the network, cut into stages, as a Program: in numbers, or in symbols if it is told how.

    Raises UnsupportedModel for numbers of a network that has none.
    """
    if form not in STRAIGHT or written:
        written = in_symbols(network, written)
    else:
        network.require_numbers(f"the {form} form")
    x = Value("x", network.input_names or numbered("x", network.inputs), "the inputs")
    made = tuple(steps(network, found, x))
    function = Function("predict", (x,), (made[-1].out,), made)
    layout = form if form in STRAIGHT and not written else "symbolic"
    return Program(
        (function,), layout, form, os.path.basename(network.source.file), network.source.sha256,
        one_for_all=network.one_for_all, told=dict(written),
    )  # fmt: skip


def in_symbols(network: Network, written: Mapping[str, str]) -> Mapping[str, str]:
    """Return how a network is to be written in symbols: alone if it has no numbers."""
    if not network.drawn:
        return written
    if written.get("symbols") == "both":
        network.require_numbers("--symbols both")
    return {**written, "symbols": "only"}


def steps(network: Network, found: tuple[Stage, ...], x: Value) -> Iterator[Step]:
    """Yield the steps of stages, values named as mathematics counts: z pre-activations, a activations, y the answer."""
    arg = x
    for number, stage in enumerate(found, start=1):
        is_last = number == len(found)
        origin = ", ".join(stage.layers)
        if stage.affine is not None:
            named = "z" if stage.activation is not None else ("y" if is_last else "a")
            out = _value(network, named, number, stage.affine.outputs, origin)
            yield _affine(out, arg, stage, number)
            arg = out
        if stage.activation is not None:
            size = stage.outputs(arg.size)
            out = _value(network, "y" if is_last else "a", number, size, origin)
            yield _apply(out, stage.activation, arg, number)
            arg = out


def _value(network: Network, letter: str, number: int, size: int, origin: str) -> Value:
    if letter == "y":
        return Value("y", network.output_names or numbered("y", size), origin)
    parts = tuple(f"{letter}{number}_{unit}" for unit in range(1, size + 1))
    return Value(f"{letter}{number}", parts, origin)


def _affine(out: Value, arg: Value, stage: Stage, number: int) -> Affine:
    assert stage.affine is not None
    offset = None if stage.affine.bias is None else Constant(f"b{number}", stage.affine.bias)
    return Affine(out, (Term(arg, Constant(f"W{number}", stage.affine.kernel)),), offset)


def _apply(out: Value, activation: Activation | Selected, arg: Value, number: int) -> Apply:
    if isinstance(activation, Selected):
        return Apply(out, activation.activation, arg, units=activation.units)
    per_unit = {key: Constant(f"{key}{number}", data) for key, data in activation.per_unit.items()}
    return Apply(out, activation, arg, per_unit)
