"""A network of ReLU and its kind as its exact affine pieces: cases, each with the half-spaces it holds in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells import Region, Regions, regions
from nn2eq.forms.program import Cases, Constant, Function, Program, Value
from nn2eq.network import Network, numbered

Array = NDArray[np.float64]


def pieces(
    network: Network,
    *,
    fold: bool = True,
    domain: Sequence[tuple[float, float]] | None = None,
    max_regions: int | None = None,
) -> Program:
    """One case a piece, neighbours with the same map joined where that leaves an interval.

    The pieces are exact, so there is nothing to fold. Raises UnsupportedModel if the network has none.
    """
    del fold
    found = regions(network, domain, merge=network.inputs == 1, max_regions=max_regions)
    x = Value("x", network.input_names or numbered("x", network.inputs), "the inputs")
    y = Value("y", network.output_names or numbered("y", network.outputs), "the affine map of the piece")
    step = _cases(y, x, found)
    steps: tuple[Any, ...] = (step,)
    function = Function("predict", (x,), (y,), steps)
    return Program(
        (function,),
        "layered",
        "pieces",
        network.source.file,
        network.source.sha256,
        notes=(_note(found, len(step.counts)),),
        one_for_all=network.one_for_all,
        domain=tuple((float(low), float(high)) for low, high in domain or ()),
    )


def _cases(out: Value, arg: Value, found: Regions) -> Cases:
    shown = tuple(found.pieces())
    conditions = [_conditions(region, found.domain) for region in shown]
    if arg.size == 1:
        # From left to right, the first case that ends behind x is the one: the last needs no end.
        conditions = [rows[rows[:, 0] > 0] for rows in conditions[:-1]] + [conditions[-1][:0]]
    rows = np.concatenate(conditions)
    return Cases(
        out,
        arg,
        Constant("normals", rows[:, :-1]),
        Constant("bounds", -rows[:, -1]),
        tuple(len(own) for own in conditions),
        Constant("matrices", np.stack([region.matrix.T for region in shown])),
        Constant("offsets", np.stack([region.vector for region in shown])),
    )


def _conditions(region: Region, domain: Array) -> Array:
    """Return rows a, b with a · x + b <= 0 that tell a piece from its neighbours, not the domain's ends."""
    if region.interval is not None:
        low, high = region.interval
        return np.array([row for row, end in (((-1.0, low), low), ((1.0, -high), high)) if end not in domain])
    assert region.halfspaces is not None
    ends = {tuple(row) for row in _ends(domain)}
    return np.array([row for row in region.halfspaces if tuple(row) not in ends]).reshape(-1, len(domain) + 1)


def _ends(domain: Array) -> Iterator[list[float]]:
    """Yield the half-spaces that are the ends of a box."""
    unit = np.eye(len(domain))
    for direction, (low, high) in zip(unit, domain, strict=True):
        yield [*-direction, low]
        yield [*direction, -high]


def _note(found: Regions, cases: int) -> str:
    if found.proof is None:
        return f"{cases} pieces, of more"
    merged = "" if found.merged in (None, found.count) else f" ({found.count} before joining equal ones)"
    return f"{cases} pieces{merged}, all of them: each of {found.proof.inner} inner borders has two sides"
