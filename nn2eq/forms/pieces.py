"""A network of ReLU and its kind as its exact affine pieces: cases, each with the half-spaces it holds in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells import Region, Regions, regions
from nn2eq.domain import domain_of
from nn2eq.errors import BadRequest, TooLarge
from nn2eq.forms.frame import inputs_of, outputs_of, predicting, program_of
from nn2eq.forms.program import Affine, Cases, Constant, Program, Step, Term, Value
from nn2eq.network import Network

Array = NDArray[np.float64]
Domain = Sequence[Sequence[float]] | Sequence[float]

MOST = 20_000
"""Pieces that a text may have if nothing else is said."""
PRODUCTS = 10_000_000
"""Products of fractions that are no trouble: they take a second."""
FEW_ON_A_LINE, FEW = 16, 8
"""Pieces that are told apart by comparisons, with one input and with more; in more of them the piece is looked up."""


def pieces(
    network: Network,
    *,
    domain: Domain | None = None,
    max_regions: int | None = None,
    exact: bool = False,
) -> Program:
    """One case a piece, neighbours with the same map joined where that leaves an interval.

    domain: (low, high) for all inputs or for each, the whole space if it is left out. max_regions: refuse a network
    that has more; 20,000 if left out. exact: in fractions, with one input. Raises UnsupportedModel if the network
    is not affine in pieces, TooLarge, BadRequest.
    """
    if exact and network.inputs > 1:
        what = f"--exact writes fractions for one input, and this network has {network.inputs}"
        raise BadRequest(
            what, code="exact", way_out="leave it out; `nn2eq regions --exact` lists them for any"
        )
    box = domain_of(domain, network.inputs) if domain is not None else ()
    most = MOST if max_regions is None else max_regions
    found = regions(network, box or None, merge=network.inputs == 1, max_regions=most)
    _require_all(found, most)
    found = replace(found, exact=exact or _is_soon_exact(network, found))
    x, y = inputs_of(network), outputs_of(network, "the affine map of the piece")
    step = _step(y, x, found, object if exact else np.float64)
    layout = "layered" if _is_small(step, exact) else "matrix"
    notes = tuple(_notes(found, "in fractions, " if exact else ""))
    return program_of(network, predicting(x, y, step), layout, "pieces", notes=notes, domain=box)


def _require_all(found: Regions, most: int) -> None:
    """Raise TooLarge if the search stopped at its limit, KeyboardInterrupt if it was stopped: a part is no network."""
    if found.complete:
        return
    if found.count < most:
        raise KeyboardInterrupt
    way_out = "raise --max-regions, give a smaller --domain, or count them: nn2eq regions MODEL"
    raise TooLarge(f"there are more than {most:,} pieces", code="too-large", way_out=way_out)


def _is_soon_exact(network: Network, found: Regions) -> bool:
    """Whether the pieces of a line are quickly found in fractions, so that floats can be the nearest ones to them."""
    return network.inputs == 1 and found.count * network.parameters <= PRODUCTS


def _is_small(step: Step, exact: bool) -> bool:
    if not isinstance(step, Cases) or exact:
        return True
    return len(step.counts) <= (FEW if step.ends is None else FEW_ON_A_LINE)


def _step(out: Value, arg: Value, found: Regions, dtype: type) -> Step:
    shown = tuple(found.pieces())
    matrices = Constant("slopes1", np.stack([region.matrix.T for region in shown]).astype(dtype))
    offsets = Constant("offsets1", np.stack([region.vector for region in shown]).astype(dtype))
    if len(shown) == 1 and dtype is not object:
        term = Term(arg, Constant("W1", matrices.data[0]))
        return Affine(out, (term,), Constant("b1", offsets.data[0]))
    if arg.size == 1:
        # From left to right, the first case that ends behind x is the one: the last needs no end.
        ends = [region.interval[1] for region in shown[:-1] if region.interval is not None]
        bounds = Constant("ends1", np.array(ends).astype(dtype))
        normals = Constant("normals1", np.ones((len(ends), 1)))
        return Cases(out, arg, normals, bounds, (*[1] * len(ends), 0), matrices, offsets)
    conditions = [_conditions(region, found.domain) for region in shown]
    rows = np.concatenate(conditions)
    normals, bounds = Constant("normals1", rows[:, :-1]), Constant("bounds1", 0.0 - rows[:, -1])
    return Cases(out, arg, normals, bounds, tuple(map(len, conditions)), matrices, offsets)


def _conditions(region: Region, domain: Array) -> Array:
    """Return rows a, b with a · x + b <= 0 that tell a piece from its neighbours, not the domain's ends."""
    assert region.halfspaces is not None
    ends = {tuple(row) for row in _ends(domain)}
    return np.array([row for row in region.halfspaces if tuple(row) not in ends]).reshape(-1, len(domain) + 1)


def _ends(domain: Array) -> Iterator[list[float]]:
    """Yield the half-spaces that are the ends of a box."""
    unit = np.eye(len(domain))
    for direction, (low, high) in zip(unit, domain, strict=True):
        yield [*-direction, low]
        yield [*direction, -high]


def _notes(found: Regions, kind: str) -> Iterator[str]:
    yield _note(found, kind)
    if any(step.bend is not None and step.bend.jumps for step in found.decider.steps):
        yield "where it jumps, the border itself is of the piece written first; the network may take the other"


def _note(found: Regions, kind: str) -> str:
    assert found.proof is not None
    joined = found.merged is not None and found.merged < found.count
    counted = found.merged if joined else found.count
    merged = f" ({found.count} before joining equal ones)" if joined else ""
    inner = found.proof.inner
    proved = f": each of the {inner} borders between them has its two sides" if inner else ""
    return f"{counted} piece{'s' * (counted != 1)}{merged}, {kind}all of them{proved}"
