"""What can be left out of a network without changing anything on a box, or on the whole space.

Units that nothing takes; that are constant, or saturated as far as float64 tells; that are straight lines over
the box; that are equal, opposite or proportional to another; affine maps with nothing in between.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.bounds import bounds, charts
from nn2eq.bounds.unsure import Unsure
from nn2eq.domain import Domain
from nn2eq.forms.nodes import Node, Nodes, Replacement, nodes, replaced, tape, without_empty
from nn2eq.forms.work import Work
from nn2eq.network import Network

Array = NDArray[np.float64]
Ends = tuple[Array, Array]

_ROUNDING = 2.0**-52
_LONGEST = 60.0
"""Seconds by the clock that one proof of ranges may take, whatever the machine."""
_DIGITS = 11
"""Digits in which the numbers of proportional units are compared before they are compared exactly."""


def reduced(network: Network, domain: Domain = (), *, seconds: float = 2.5) -> Nodes:
    """Return the network as nodes without what can be left out on a domain, () for the whole space.

    seconds: what proofs of ranges may take, counted in work.
    """
    work = Work(seconds)
    found = _folded(nodes(network))
    while True:
        before = _size(found)
        number = 1
        while number <= len(found.nodes):
            count = len(found.nodes)
            found = _one_reduced(found, number, domain, work.part(1 / (count - number + 1)))
            number += 1 if len(found.nodes) == count else 0
        found = _folded(found)
        if _size(found) == before:
            return found


def _size(found: Nodes) -> int:
    """Count the numbers."""
    return sum(
        int(np.count_nonzero(array.numbers))
        for node in found.nodes
        for array in (*node.terms.values(), node.bias)
    )


def _folded(found: Nodes) -> Nodes:
    """Multiply affine maps into those behind them, unless that takes more numbers."""
    for number in range(len(found.nodes) - 1, 0, -1):
        node = found.nodes[number - 1]
        if node.activation is None:
            nothing = Unsure.exactly(np.zeros((0, node.units)))
            lines, constants = np.eye(node.units), np.zeros(node.units)
            by = Replacement(
                np.zeros(0, dtype=np.intp), nothing, Unsure.exactly(lines), Unsure.exactly(constants)
            )
            found = _if_smaller(found, without_empty(replaced(found, number, by)))
    return found


def _if_smaller(found: Nodes, other: Nodes) -> Nodes:
    return other if _size(other) <= _size(found) else found


def _one_reduced(found: Nodes, number: int, domain: Domain, work: Work) -> Nodes:
    """Leave out what can be left out of one node."""
    node = found.nodes[number - 1]
    activation = node.activation
    if not isinstance(activation, Activation) or activation.row.coupled:
        return found
    ends = ends_of(found, number, domain, work)
    if number == len(found.nodes):
        return _straight_answer(found, activation, ends)
    for way in (_constants, _alike, _lines):
        node = found.nodes[number - 1]
        assert isinstance(node.activation, Activation)
        by = way(node, node.activation, ends, _unused(found, number))
        if by is None:
            continue
        other = without_empty(replaced(found, number, by))
        smaller = _if_smaller(found, other)
        if len(smaller.nodes) < len(found.nodes):
            return smaller
        if smaller is not found:
            found, ends = smaller, (ends[0][by.kept], ends[1][by.kept])
    return found


def ends_of(found: Nodes, number: int, domain: Domain, work: Work) -> Ends:
    """Bound the sums of a node: proved on a domain; on the whole space only what depends on nothing is known."""
    node = found.nodes[number - 1]
    if domain:
        proved = bounds(tape(found, number), domain, seconds=_LONGEST, work=work.left, jacobian=False)
        work.spend(proved.work)
        ends = zip(*((each.low, each.high) for each in proved.outputs), strict=True)
        low, high = (np.array(end) for end in ends)
        return low, high
    moves = np.any([_is_used(kernel, axis=0) for kernel in node.terms.values()], axis=0)
    middle, spread = node.bias.numbers, node.bias.spread
    return np.where(moves, -np.inf, middle - spread), np.where(moves, np.inf, middle + spread)


def _unused(found: Nodes, number: int) -> NDArray[np.bool_]:
    kernels = [found.nodes[k - 1].terms[number] for k in found.consumers(number)]
    return np.asarray(~np.any([_is_used(kernel, axis=1) for kernel in kernels], axis=0))


def _is_used(kernel: Unsure, axis: int) -> NDArray[np.bool_]:
    return np.asarray(np.any(kernel.numbers, axis=axis) | np.any(kernel.spread, axis=axis))


# ------------------------------------------------------------------------------------------ the ways


def _constants(
    node: Node, activation: Activation, ends: Ends, unused: NDArray[np.bool_]
) -> Replacement | None:
    """Replace units whose answer is one number, as far as float64 tells."""
    with np.errstate(invalid="ignore"):
        low, high = activation.bounds(*ends)
        middle = activation(ends[0] / 2 + ends[1] / 2)
        spread = np.maximum(high - middle, middle - low)
        constant = np.isfinite(spread) & (spread <= _ROUNDING * 16 * np.maximum(1.0, np.abs(middle)))
    if not np.any(constant | unused):
        return None
    kept = np.flatnonzero(~(constant | unused))
    values = np.where(constant & ~unused, middle, 0.0)
    small = np.abs(values) <= spread
    spread = np.where(constant & ~unused, spread + np.where(small, np.abs(values), 0.0), 0.0)
    constants = Unsure(np.where(small, 0.0, values), spread)
    return Replacement(kept, _rows(kept, node.units), _none(node.units), constants)


def _lines(node: Node, activation: Activation, ends: Ends, unused: NDArray[np.bool_]) -> Replacement | None:
    """Replace units that are straight over the box."""
    slopes, constants, spread, straight = _straight(activation, ends)
    if not np.any(straight):
        return None
    kept = np.flatnonzero(~straight)
    return Replacement(
        kept, _rows(kept, node.units), Unsure.exactly(np.diag(slopes)), Unsure(constants, spread)
    )


def _straight(activation: Activation, ends: Ends) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Return slope, intercept, and how far that is from the function, where it is straight; 0 elsewhere."""
    units = len(ends[0])
    found = np.zeros((3, units))
    straight = np.zeros(units, dtype=bool)
    for unit in range(units):
        chart = charts.of(activation, unit)
        low, high = (end[unit : unit + 1] for end in ends)
        if not (low[0] >= chart.edges[0] and high[0] <= chart.edges[-1]):
            continue
        first, last = chart.cells(low, high)
        if chart.stretch[first][0] != chart.stretch[last][0] or chart.bound(2, first, last)[0] != 0.0:
            continue
        value, slope = chart.coefficients[:2, first[0]]
        centre, errors = chart.centres[first[0]], chart.errors[:2, first[0]]
        reach = max(abs(low[0]), abs(high[0])) + abs(centre)
        rounding = _ROUNDING * 8 * (abs(value) + abs(slope) * reach)
        intercept = value - slope * centre
        near = abs(intercept) <= rounding
        found[:, unit] = slope, 0.0 if near else intercept, errors[0] + errors[1] * reach + 2 * rounding
        straight[unit] = True
    return found[0], found[1], found[2], straight


def _straight_answer(found: Nodes, activation: Activation, ends: Ends) -> Nodes:
    """Leave out the last activation if all of it is straight over the box."""
    slopes, constants, spread, straight = _straight(activation, ends)
    if not np.all(straight):
        return found
    node, diagonal = found.nodes[-1], Unsure.exactly(np.diag(slopes))
    terms = {arg: kernel @ diagonal for arg, kernel in node.terms.items()}
    bias = node.bias @ diagonal + Unsure(constants, spread)
    return Nodes(found.inputs, (*found.nodes[:-1], replace(node, terms=terms, bias=bias, activation=None)))


def _alike(node: Node, activation: Activation, ends: Ends, unused: NDArray[np.bool_]) -> Replacement | None:
    """Replace units that are equal, opposite or proportional to an earlier one by that one."""
    columns = np.concatenate([*(kernel.numbers for kernel in node.terms.values()), node.bias.numbers[None]])
    spreads = np.concatenate([*(kernel.spread for kernel in node.terms.values()), node.bias.spread[None]])
    if np.any(spreads) or activation.per_unit:
        return None
    owner, ratio = _owners(columns, opposite=bool(activation.mirror), scaled=activation.is_homogeneous)
    if np.all(owner == np.arange(node.units)):
        return None
    return by_owners(activation, owner, ratio)


def by_owners(activation: Activation, owner: NDArray[np.intp], ratio: Array) -> Replacement:
    """Return what makes each unit a multiple of its owner, (units,) each; one that is its own owner stays."""
    units = len(owner)
    kept = np.flatnonzero(owner == np.arange(units))
    mixed, lines, constants = np.zeros((units, units)), np.zeros((units, units)), np.zeros(units)
    for unit in range(units):
        size, first = abs(ratio[unit]), owner[unit]
        mixed[first, unit] = size
        if ratio[unit] < 0:
            p, q, r = (float(value) for value in activation.mirror)
            mixed[first, unit], lines[first, unit], constants[unit] = size * p, size * q, r
    return Replacement(kept, *(_nearly(array) for array in (mixed[kept], lines, constants)))


def _nearly(array: Array) -> Unsure:
    """Return numbers of which all but 0, 1 and -1 may be rounded."""
    return Unsure(array, np.where(np.isin(array, (0.0, 1.0, -1.0)), 0.0, _ROUNDING * np.abs(array)))


def _owners(columns: Array, *, opposite: bool, scaled: bool) -> tuple[NDArray[np.intp], Array]:
    """Return for each unit the first one that it is a multiple of, and the factor; itself and 1 if there is none."""
    owner, ratio = np.arange(columns.shape[1]), np.ones(columns.shape[1])
    known: dict[bytes, int] = {}
    for unit, column in enumerate(columns.T):
        used = np.flatnonzero(column)
        if not len(used):
            continue
        lead = column[used[0]]
        scale = lead if scaled else np.sign(lead)
        scale = scale if opposite else abs(scale)
        key = np.array([float(f"{value:.{_DIGITS}e}") for value in (column / scale).tolist()]).tobytes()
        first = known.setdefault(key, unit)
        if first != unit and _is_multiple(columns[:, first], column, used[0]):
            owner[unit], ratio[unit] = first, lead / columns[used[0], first]
    return owner, ratio


def _is_multiple(one: Array, two: Array, lead: int) -> bool:
    """Whether two columns are proportional, exactly."""
    factors = Fraction(float(one[lead])), Fraction(float(two[lead]))
    pairs = zip(one.tolist(), two.tolist(), strict=True)
    return all(Fraction(a) * factors[1] == Fraction(b) * factors[0] for a, b in pairs)


def _rows(kept: NDArray[np.intp], units: int) -> Unsure:
    return Unsure.exactly(np.eye(units)[kept])


def _none(units: int) -> Unsure:
    return Unsure.exactly(np.zeros((units, units)))
