"""A network as nodes: sums of earlier answers, each followed by an activation, every number with its spread.

Here units can be taken out exactly: a unit that is a constant, a straight line, or a multiple of another becomes
part of the sums that take its answer (`replaced`). What rounding leaves unsure of the new numbers is kept, so
that what is proved of the nodes is proved of the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.bounds.tape import Applied, Op, Sum, Tape
from nn2eq.bounds.unsure import Unsure
from nn2eq.forms.frame import applied, inputs_of, predicting, program_of, value_of
from nn2eq.forms.program import Affine, Constant, Program, Step, Term, Value
from nn2eq.forms.rounded import short
from nn2eq.forms.stages import Stage, stages
from nn2eq.network import Network, Selected

Array = NDArray[np.float64]

_ULPS = 2.0**-50


@dataclass(frozen=True, eq=False)
class Node:
    """activation(Σ answer @ kernel + bias), the activation maybe missing.

    terms: by the number of the answer, 0 the input and k what node k makes; kernels (units before, units).
    """

    terms: Mapping[int, Unsure]
    bias: Unsure
    activation: Activation | Selected | None
    origin: str

    @property
    def units(self) -> int:
        """How many sums it makes."""
        return len(self.bias.numbers)


@dataclass(frozen=True, eq=False)
class Nodes:
    """All nodes, the last one the answer."""

    inputs: int
    nodes: tuple[Node, ...]

    def consumers(self, number: int) -> Iterator[int]:
        """Yield the numbers of the nodes that take an answer."""
        yield from (k for k, node in enumerate(self.nodes, start=1) if number in node.terms)


def nodes(network: Network) -> Nodes:
    """Return the stages of a network as nodes, affine maps not folded yet."""
    found: list[Node] = []
    size = network.inputs
    for stage in stages(network, fold=False):
        found.append(_node(stage, len(found), size))
        size = stage.outputs(size)
    return Nodes(network.inputs, tuple(found))


def _node(stage: Stage, before: int, size: int) -> Node:
    kernel, bias = np.eye(size), np.zeros(size)
    if stage.affine is not None:
        stored = stage.affine.kernel.astype(np.float64)
        kernel = np.diag(stored) if stored.ndim == 1 else stored
        bias = np.zeros(kernel.shape[1]) if stage.affine.bias is None else stage.affine.bias
    return Node(
        {before: Unsure.exactly(kernel)}, Unsure.exactly(bias), stage.activation, ", ".join(stage.layers)
    )


# ---------------------------------------------------------------------------------------- what is proved of


def tape(found: Nodes, last: int = 0) -> Tape:
    """Return what bounds are proved of: up to the sums of node `last`, or up to the answer."""
    place, ops = {0: 0}, list[Op]()
    for number, node in enumerate(found.nodes, start=1):
        terms = tuple((place[arg], kernel.numbers) for arg, kernel in node.terms.items())
        spreads = tuple(kernel.spread for kernel in node.terms.values())
        ops.append(Sum(terms, node.bias.numbers, 1, spreads, node.bias.spread))
        if number == last:
            break
        if isinstance(node.activation, Selected):
            ops.append(Applied(len(ops), node.activation.activation, node.activation.units))
        elif node.activation is not None:
            ops.append(Applied(len(ops), node.activation))
        place[number] = len(ops)
    return Tape(found.inputs, tuple(ops))


# ------------------------------------------------------------------------------------------ taking units out


@dataclass(frozen=True, eq=False)
class Replacement:
    """What a node's answers a become: a[kept] @ mixed + z @ lines + constants, z being its sums.

    mixed (kept, units), lines (units, units), constants (units,).
    """

    kept: NDArray[np.intp]
    mixed: Unsure
    lines: Unsure
    constants: Unsure


def replaced(found: Nodes, number: int, by: Replacement) -> Nodes:
    """Return the nodes with only some units of one kept, and those that take its answers changed accordingly."""
    node = found.nodes[number - 1]
    rest = list(found.nodes)
    for consumer in found.consumers(number):
        rest[consumer - 1] = _taking(rest[consumer - 1], number, node, by, found.inputs)
    rest[number - 1] = _narrow(node, by.kept)
    return Nodes(found.inputs, tuple(rest))


def _taking(consumer: Node, number: int, node: Node, by: Replacement, inputs: int) -> Node:
    terms, bias = dict(consumer.terms), consumer.bias
    outgoing = terms.pop(number)
    if np.any(by.constants.numbers) or np.any(by.constants.spread):
        bias = bias + by.constants @ outgoing
    if len(by.kept):
        terms[number] = by.mixed @ outgoing
    if np.any(by.lines.numbers):
        lines = by.lines @ outgoing
        bias = bias + node.bias @ lines
        for arg, kernel in node.terms.items():
            more = kernel @ lines
            terms[arg] = terms[arg] + more if arg in terms else more
    return replace(consumer, terms=terms or _nothing(inputs, consumer.units), bias=bias)


def _nothing(inputs: int, units: int) -> dict[int, Unsure]:
    return {0: Unsure.exactly(np.zeros((inputs, units)))}


def _narrow(node: Node, kept: NDArray[np.intp]) -> Node:
    activation = node.activation
    if isinstance(activation, Activation) and activation.per_unit:
        own = {key: data[kept] for key, data in activation.per_unit.items()}
        activation = replace(activation, parameters={**activation.parameters, **own})
    terms = {arg: kernel[:, kept] for arg, kernel in node.terms.items()}
    return replace(node, terms=terms, bias=node.bias[kept], activation=activation)


def without_empty(found: Nodes) -> Nodes:
    """Return the nodes that have units, numbered anew; an answer that nothing takes is left out too."""
    last = len(found.nodes)
    live = [
        number
        for number, node in enumerate(found.nodes, start=1)
        if number == last or (node.units and any(found.consumers(number)))
    ]
    if len(live) == last:
        return found
    place = {0: 0} | {number: k for k, number in enumerate(live, start=1)}
    rest = []
    for number in live:
        node = found.nodes[number - 1]
        terms = {place[arg]: kernel for arg, kernel in node.terms.items() if arg in place}
        rest.append(replace(node, terms=terms or _nothing(found.inputs, node.units)))
    return without_empty(Nodes(found.inputs, tuple(rest)))


# ---------------------------------------------------------------------------------------------- a program


def program(found: Nodes, network: Network, *, wide: bool = False) -> Program:
    """Return the nodes as a Program. wide: all numbers in float64, else float32 where that is what they are."""
    x = inputs_of(network)
    answers, steps = {0: x}, list[Step]()
    for number, node in enumerate(found.nodes, start=1):
        is_last = number == len(found.nodes)
        sums = _affine(node, number, answers, is_last, network, wide)
        arg = answers[next(iter(node.terms))] if sums is None else sums.out
        if sums is not None:
            steps.append(sums)
        if node.activation is not None:
            size = node.activation.outputs(arg.size) if isinstance(node.activation, Activation) else arg.size
            out = value_of(network, "y" if is_last else "a", number, size, node.origin)
            steps.append(applied(out, node.activation, arg, number))
            arg = out
        answers[number] = arg
    function = predicting(x, answers[len(found.nodes)], *steps)
    return program_of(network, function, "nested", "simplified")


def _affine(
    node: Node, number: int, answers: Mapping[int, Value], is_last: bool, network: Network, wide: bool
) -> Affine | None:
    """Return a node's sums, None if they are just what comes in."""
    if node.activation is not None and len(node.terms) == 1 and not np.any(node.bias.numbers):
        [kernel] = (kernel.numbers for kernel in node.terms.values())
        if kernel.shape[0] == kernel.shape[1] and np.array_equal(kernel, np.eye(len(kernel))):
            return None
    letter = "z" if node.activation is not None else "y" if is_last else "a"
    out = value_of(network, letter, number, node.units, node.origin)
    names = [f"W{number}"] if len(node.terms) == 1 else [f"W{number}_{arg}" for arg in node.terms]
    terms = tuple(
        Term(answers[arg], Constant(name, _stored(kernel, wide)))
        for name, (arg, kernel) in zip(names, node.terms.items(), strict=True)
    )
    return Affine(out, terms, Constant(f"b{number}", _stored(node.bias, wide)))


def _stored(unsure: Unsure, wide: bool) -> NDArray[np.float32] | Array:
    """Return numbers to print: of those that are exact only within a spread, the shortest."""
    numbers = np.array(unsure.numbers, dtype=np.float64)
    for place in np.argwhere(unsure.spread > 0):
        at = tuple(place)
        value, spread = float(numbers[at]), float(unsure.spread[at])
        numbers[at] = 0.0 if abs(value) <= spread else short(value, min(spread, _ULPS * abs(value)))
    with np.errstate(over="ignore", under="ignore"):
        narrow = numbers.astype(np.float32)
    return narrow if not wide and np.array_equal(narrow, numbers) else numbers
