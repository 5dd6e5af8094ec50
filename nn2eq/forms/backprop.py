"""The backward pass: by how much a loss moves with every weight and bias, layer by layer from the answer back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.errors import BadRequest, UnsupportedModel
from nn2eq.forms.evaluation import answer
from nn2eq.forms.frame import inputs_of, predicting, program_of
from nn2eq.forms.losses import LOSSES, Loss
from nn2eq.forms.losses import chosen as chosen_loss
from nn2eq.forms.program import Affine, Apply, Program, Step
from nn2eq.forms.rounded import rounded, significant
from nn2eq.forms.stages import stages
from nn2eq.forms.straight import in_symbols, steps
from nn2eq.network import Affine as Linear
from nn2eq.network import Network

Array = NDArray[np.float64]


def backprop(
    network: Network,
    *,
    loss: str = "",
    at: Sequence[float] | None = None,
    target: Sequence[float] | None = None,
    derivation: bool = False,
    **written: str,
) -> Program:
    """Return the network, each of its layers by itself, for the equations of its backward pass.

    loss: a name of LOSSES (none: the output itself) or compiled (as the file tells), else what goes with the last
    activation. at, target: an input and its answer, for a worked example. derivation: every factor of the chain rule
    too. written: as `symbolic` takes it. Gradients are by kernels and biases; a note names what else has weights.
    Raises BadRequest for a loss that does not go with the network, UnsupportedModel for activations inside that couple
    units, and for weights that act on several places.
    """
    _require_single_places(network)
    found = stages(network, fold=False)
    x = inputs_of(network)
    made = tuple(steps(network, found, x))
    _require_simple(made)
    last = made[-1]
    chosen = chosen_loss(network, loss, last.activation if isinstance(last, Apply) else None)
    _require_natural(last, chosen)
    if derivation and written.get("view") == "vector":
        what = "--derivation goes from unit to unit"
        raise BadRequest(what, code="usage", way_out="leave --view vector out")
    if (at is None) != (target is None) and not (target is None and chosen.single):
        raise BadRequest("--at and --target", code="usage", way_out="give both of them, or neither")
    if at is not None:
        network.require_numbers("--at")
    notation = "mlp" if written.get("view") == "vector" else "edges"
    told: dict[str, Any] = {"loss": chosen.name, "notation": notation, "view": "scalar"}
    told |= in_symbols(network, written)
    told |= {"derivation": True} if derivation else {}
    told |= {"at": _point(at, network.inputs, "at")} if at is not None else {}
    told |= {"target": _point(target, network.outputs, "target")} if target is not None else {}
    function = predicting(x, made[-1].out, *made)
    return program_of(network, function, "backprop", "backprop", told=told, notes=tuple(_notes(network)))


def _require_single_places(network: Network) -> None:
    """Raise UnsupportedModel for kernels whose numbers stand at several places of the equations."""
    for layer in network.layers:
        if any(isinstance(part, Linear) and part.repeat > 1 and not part.is_diagonal for part in layer.maps):
            what = "equations of weights that act on several places"
            raise UnsupportedModel(
                what, code="backprop", where=layer.name, way_out="--format numpy says them"
            )


def _require_simple(made: tuple[Step, ...]) -> None:
    """Raise UnsupportedModel where units are coupled inside, or only some of them go through an activation."""
    for step in made[:-1]:
        if isinstance(step, Apply) and (step.activation.row.coupled or step.units):
            raise UnsupportedModel(
                f"the backward pass through {step.activation.row.name}",
                code="backprop",
                where=step.out.origin,
            )


def _require_natural(last: Step, loss: Loss) -> None:
    if isinstance(last, Apply) and last.activation.row.coupled and last.activation.row.name != loss.natural:
        able = [row.name for row in LOSSES.values() if last.activation.row.name == row.natural]
        raise UnsupportedModel(
            f"--loss {loss.name} behind {last.activation.row.name}",
            code="backprop",
            way_out=f"use --loss {able[0]}" if able else "",
        )


def _point(values: Sequence[float], count: int, name: str) -> tuple[float, ...]:
    if len(values) != count:
        raise BadRequest(f"--{name}: {len(values)} numbers", code=name, way_out=f"this network has {count}")
    return tuple(map(float, values))


def _notes(network: Network) -> list[str]:
    others = [
        layer.name for layer in network.layers if not layer.added and set(layer.weights) - {"kernel", "bias"}
    ]
    return [f"no gradients by the weights of {', '.join(map(repr, others))}"] if others else []


@dataclass(frozen=True, eq=False)
class Passes:
    """Both passes at some samples: values by name, (n, size); deltas, by how much the loss moves with each, likewise.

    loss (n,); slope: of the loss by the outputs, (n, outputs).
    """

    values: dict[str, Array]
    deltas: dict[str, Array]
    loss: Array
    slope: Array


def passes(program: Program, x: Array, target: Array) -> Passes:
    """Run the network forwards at x (n, inputs), and its loss against target (n, outputs) backwards."""
    values = program.values(x)
    y = values[program.predict.results[0].name]
    with np.errstate(all="ignore"):
        total, slope = _losses(program, y, target)
        natural = _share(program, y) * (y - target)
        return Passes(values, _deltas(program, values, slope, natural), total, slope)


def restated(program: Program, found: Passes, target: Array, digits: int) -> Passes:
    """Return what each step of both passes comes to if all that it is given has so many significant digits.

    As by hand: each number by its own equation, from the true numbers of the others, rounded.
    """
    given = {name: significant(value, digits) for name, value in found.values.items()}
    target, y = significant(target, digits), given[program.predict.results[0].name]
    values = given | {step.out.name: answer(step, given) for step in rounded(program, digits).predict.steps}
    with np.errstate(all="ignore"):
        total, slope = _losses(program, y, target)
        natural = _share(program, y) * (y - target)
        deltas = _deltas(program, found.values, found.slope, natural, (found.deltas, digits))
        return Passes(values, {**deltas, program.predict.results[0].name: slope}, total, slope)


def _share(program: Program, y: Array) -> float:
    return 1.0 / y.shape[1] if LOSSES[program.told["loss"]].mean else 1.0


def _losses(program: Program, y: Array, target: Array) -> tuple[Array, Array]:
    """Return the loss (n,), and by how much it moves with the outputs (n, outputs)."""
    loss, names = LOSSES[program.told["loss"]], {"y": y, "t": target}
    total = np.broadcast_to(fm.evaluate(loss.node, names), y.shape).sum(axis=1)
    slope = np.broadcast_to(fm.evaluate(loss.derivative, names), y.shape)
    return _share(program, y) * total, _share(program, y) * slope


def _deltas(
    program: Program,
    values: dict[str, Array],
    slope: Array,
    natural: Array,
    rounding: tuple[dict[str, Array], int] | None = None,
) -> dict[str, Array]:
    """Take the slope back through all steps; rounding: known deltas to go on from behind each sum, and digits."""
    loss, found = LOSSES[program.told["loss"]], {}
    known, near = (rounding[0], partial(significant, digits=rounding[1])) if rounding else ({}, np.asarray)
    made, moved = program.predict.steps, near(slope)
    for number, step in reversed(list(enumerate(made))):
        found[step.out.name] = moved
        if isinstance(step, Affine):
            moved = near(known.get(step.out.name, moved))
            matrix = near(step.terms[0].matrix.data.astype(np.float64))
            moved = moved * matrix if matrix.ndim == 1 else moved @ matrix.T
        elif isinstance(step, Apply):
            is_natural = number == len(made) - 1 and step.activation.row.name == loss.natural
            moved = natural if is_natural else moved * near(slope_of(step, values))
    return found | {program.predict.arguments[0].name: moved}


def slope_of(step: Apply, values: dict[str, Array]) -> Array:
    """Return the derivative of an activation at each unit, (n, units)."""
    node = step.activation.derivative
    assert node is not None
    own = {key: constant.data.astype(np.float64) for key, constant in step.parameters.items()}
    z, a = values[step.arg.name], values[step.out.name]
    return np.asarray(np.broadcast_to(fm.evaluate(node, {"z": z, "a": a, **own}), z.shape))
