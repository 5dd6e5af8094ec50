"""The network itself as a Program, in three layouts: nested, layered, matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nn2eq.forms import STRAIGHT
from nn2eq.forms.frame import applied, inputs_of, predicting, program_of, value_of
from nn2eq.forms.program import Affine, Constant, Program, Step, Term, Value
from nn2eq.forms.stages import Stage, stages
from nn2eq.network import Network


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
    x = inputs_of(network)
    made = tuple(steps(network, found, x))
    function = predicting(x, made[-1].out, *made)
    layout = form if form in STRAIGHT and not written else "symbolic"
    return program_of(network, function, layout, form, told=dict(written))


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
            out = value_of(network, named, number, stage.affine.outputs, origin)
            yield _affine(out, arg, stage, number)
            arg = out
        if stage.activation is not None:
            size = stage.outputs(arg.size)
            out = value_of(network, "y" if is_last else "a", number, size, origin)
            yield applied(out, stage.activation, arg, number)
            arg = out


def _affine(out: Value, arg: Value, stage: Stage, number: int) -> Affine:
    assert stage.affine is not None
    offset = None if stage.affine.bias is None else Constant(f"b{number}", stage.affine.bias)
    return Affine(out, (Term(arg, Constant(f"W{number}", stage.affine.kernel)),), offset)
