"""Units that are nearly equal or opposite to another, taken as that one; what it costs is kept as a spread.

Training often ends with several copies of a unit, the same but for the last digits. The nodes that are left still
hold the network: an answer that is replaced is where the other one is, give or take what the numbers differ by.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.bounds import charts
from nn2eq.bounds.unsure import Unsure
from nn2eq.domain import Domain
from nn2eq.forms.nodes import Node, Nodes, replaced, without_empty
from nn2eq.forms.reduced import Ends, by_owners, ends_of
from nn2eq.forms.work import Work

Array = NDArray[np.float64]

_UP = 1.0 + 2.0**-30
"""What rounding may add to a bound, far more than it does."""


def merged(found: Nodes, domain: Domain, budget: float, *, seconds: float = 1.0) -> Nodes:
    """Return the nodes with units that are nearly alike taken as one.

    budget: how much all of it may move the sums that take their answers. seconds: what proofs of ranges may take,
    counted in work.
    """
    work = Work(seconds)
    for number in range(1, len(found.nodes)):
        found, budget = _one_merged(found, number, domain, budget, work)
    return without_empty(found)


def _one_merged(found: Nodes, number: int, domain: Domain, budget: float, work: Work) -> tuple[Nodes, float]:
    node = found.nodes[number - 1]
    activation = node.activation
    if not isinstance(activation, Activation) or activation.row.coupled or activation.per_unit:
        return found, budget
    if node.units < 2 or charts.of(activation).jumps:
        return found, budget
    apart = _Apart.of(found, number, domain, work)
    weights = [np.abs(found.nodes[k - 1].terms[number].numbers) for k in found.consumers(number)]
    matters = np.max([sizes.max(axis=1) for sizes in weights], axis=0)
    owner, sign, moved = np.arange(node.units), np.ones(node.units), np.zeros(node.units)
    for unit in range(1, node.units):
        first, way, by = apart.nearest(unit, owner, opposite=bool(activation.mirror))
        if by * matters[unit] <= budget:
            budget -= by * matters[unit]
            owner[unit], sign[unit], moved[unit] = first, way, by
    if np.all(owner == np.arange(node.units)):
        return found, budget
    by_them = by_owners(activation, owner, sign)
    constants = Unsure(by_them.constants.numbers, by_them.constants.spread + moved)
    return replaced(found, number, replace(by_them, constants=constants)), budget


class _Apart:
    """How far the answers of a node's units are apart at most, all over a domain."""

    def __init__(self, columns: Unsure, reach: Array, steepest: float) -> None:
        self.columns, self.reach, self.steepest = columns, reach, steepest

    @classmethod
    def of(cls, found: Nodes, number: int, domain: Domain, work: Work) -> _Apart:
        node = found.nodes[number - 1]
        parts = (*node.terms.values(), Unsure(node.bias.numbers[None], node.bias.spread[None]))
        numbers, spread = (
            np.concatenate([getattr(part, key) for part in parts]) for key in ("numbers", "spread")
        )
        reach = [_reach(found, arg, domain, work) for arg in node.terms]
        ends = ends_of(found, number, domain, work)
        return cls(Unsure(numbers, spread), np.concatenate([*reach, np.ones(1)]), _steepest(node, ends))

    def nearest(self, unit: int, owner: NDArray[np.intp], *, opposite: bool) -> tuple[int, float, float]:
        """Return the unit before this one, kept as it is, that is nearest; 1, or -1 for opposite; how far off."""
        found = (0, 1.0, np.inf)
        for first in np.flatnonzero(owner[:unit] == np.arange(unit)).tolist():
            for sign in (1.0, -1.0)[: 1 + opposite]:
                change = np.abs(self.columns.numbers[:, unit] - sign * self.columns.numbers[:, first])
                change = change + self.columns.spread[:, unit] + self.columns.spread[:, first]
                by = float(self.reach @ change) * self.steepest * _UP
                found = min(found, (first, sign, by), key=lambda each: each[2])
        return found


def _reach(found: Nodes, arg: int, domain: Domain, work: Work) -> Array:
    """Bound the sizes of an earlier answer's units, infinite where nothing is known."""
    if arg == 0:
        return np.asarray(np.abs(np.array(domain)).max(axis=1))
    activation = found.nodes[arg - 1].activation
    low, high = ends_of(found, arg, domain, work)
    if activation is None:
        return np.maximum(np.abs(low), np.abs(high))
    if not isinstance(activation, Activation):
        return np.full(len(low), np.inf)
    if activation.row.coupled:
        return np.full(activation.outputs(len(low)), np.inf)
    low, high = activation.bounds(low, high)
    return np.maximum(np.abs(low), np.abs(high)) * _UP


def _steepest(node: Node, ends: Ends) -> float:
    """Bound the slope of a node's activation over all that its sums come to."""
    assert isinstance(node.activation, Activation)
    chart = charts.of(node.activation)
    first, last = float(ends[0].min()), float(ends[1].max())
    if node.activation.mirror:  # the other way round is as far on the other side
        first, last = min(first, -last), max(last, -first)
    low, high = np.array([first]), np.array([last])
    if not (low[0] >= chart.edges[0] and high[0] <= chart.edges[-1]):
        return float("inf")
    return float(chart.bound(1, *chart.cells(low, high))[0])
