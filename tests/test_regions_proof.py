"""Pieces that are missing are found out; merging, stopping and sharing the work lose and invent none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from affine_networks import (
    assert_equal_answers,
    dense,
    edges,
    network,
    random_network,
)

from nn2eq.cells import Regions, regions
from nn2eq.cells.explore import Progress
from nn2eq.cells.faces import Incidence
from nn2eq.cells.find import Decider, opening, steps, walk
from nn2eq.cells.parts import Part
from nn2eq.cells.sewing import prove, sewn
from nn2eq.errors import BadRequest, Disagreement
from nn2eq.network import Network


def test_a_missing_region_is_found_out() -> None:
    part = regions(random_network((2, 5, 4, 1), 4)).parts[0]
    prove((part,))
    for cell in (0, part.cells // 2, part.cells - 1):
        with pytest.raises(Disagreement, match="no twin"):
            prove((without(part, cell),))


def without(part: Part, cell: int) -> Part:
    """The same part less one cell, as if it had been lost."""
    level = part.state.faces.above[-1]
    kept = level.face != cell
    number = level.face[kept] - (level.face[kept] > cell)
    lost = Incidence(level.count - 1, number, level.sub[kept], level.side[kept])
    faces = replace(part.state.faces, above=(*part.state.faces.above[:-1], lost))
    prefixes = (*part.state.prefixes[:-1], np.delete(part.patterns, cell, axis=0))
    return Part(replace(part.state, faces=faces, prefixes=prefixes))


def test_a_lost_facet_is_found_out() -> None:
    part = regions(random_network((3, 4, 3, 1), 4), [(-1, 1)] * 3).parts[0]
    level = part.state.faces.above[-1]
    border = np.flatnonzero(part.state.planes.source[part.facet_planes, 0] < 0)
    row = np.flatnonzero(level.sub == border[0])[0]
    fewer = Incidence(
        level.count, *(np.delete(column, row) for column in (level.face, level.sub, level.side))
    )
    faces = replace(part.state.faces, above=(*part.state.faces.above[:-1], fewer))
    with pytest.raises(Disagreement, match="not closed"):
        prove((Part(replace(part.state, faces=faces)),))


def test_two_regions_of_one_pattern_are_found_out() -> None:
    part = regions(random_network((2, 4, 1), 4)).parts[0]
    patterns = part.patterns.copy()
    patterns[0] = patterns[1]
    doubled = Part(replace(part.state, prefixes=(*part.state.prefixes[:-1], patterns)))
    with pytest.raises(Disagreement, match="same pattern"):
        prove((doubled,))


def test_a_torn_facet_without_twin_is_found_out() -> None:
    net = random_network((2, 8, 8, 1), 4)
    decider = Decider(steps(net), 2)
    parts = tuple(map(Part, walk(opening(np.array([[-2.0, 2.0]] * 2)), decider, cells=30)))
    assert len(parts) > 2
    assert len(sewn(parts, decider, jumps=False)) > 0
    with pytest.raises(Disagreement, match="no twin"):
        sewn(parts[1:], decider, jumps=False)


# ------------------------------------------------------------------------------ merging, limits, work shared


def test_merging_joins_only_neighbours_with_exactly_the_same_map() -> None:
    # |x| - |x - 2| is flat on both outer sides, at different heights.
    hidden = dense([[1, -1, 1, -1]], [0, 0, -2, 2])
    assert regions(network(hidden, dense([[1], [1], [-1], [-1]], [0], None)), merge=True).merged == 3
    cancel = network(dense([[1, 1]], [0, 0]), dense([[1], [-1]], [0], None))
    nearly = network(dense([[1, 1]], [0, 0]), dense([[1], [-1 + 2.0**-52]], [0], None))
    assert regions(cancel, merge=True).merged == 1
    assert regions(nearly, merge=True).merged == 2


def test_work_split_up_finds_the_same() -> None:
    net = random_network((2, 12, 12, 1), 6)
    found = regions(net)
    decider = Decider(steps(net), 2)
    parts = tuple(map(Part, walk(opening(found.domain), decider, cells=50)))
    patterns = np.concatenate([part.patterns for part in parts])
    assert set(map(tuple, patterns.tolist())) == set(map(tuple, found.patterns.tolist()))
    within = np.concatenate(list(neighbours(parts)))
    assert edges(patterns, np.concatenate([within, sewn(parts, decider, jumps=False)])) == edges(
        found.patterns, found.adjacency
    )


def neighbours(parts: tuple[Part, ...]) -> Iterator[np.ndarray]:
    first = 0
    for part in parts:
        yield part.neighbours + first
        first += part.cells


def test_several_processes_find_the_same() -> None:
    net = random_network((2, 10, 10, 1), 8)
    one, two = regions(net), regions(net, jobs=2)
    assert two.proof is not None
    assert edges(one.patterns, one.adjacency) == edges(two.patterns, two.adjacency)
    assert one.story[-1].count == two.story[-1].count == one.count


@pytest.mark.parametrize("one_by_one", [True, False])
def test_any_backend_of_joblib_serves(one_by_one: bool) -> None:
    import joblib
    from joblib.parallel import ThreadingBackend

    class Counting(ThreadingBackend):  # type: ignore[misc]
        """Threads that tell how often they were asked, as Dask's and Ray's backends are.

        Not every backend gives answers as soon as it has them.
        """

        supports_return_generator = one_by_one
        asked = 0

        def submit(self, func: Any, callback: Any = None) -> Any:
            type(self).asked += 1
            return super().submit(func, callback)

    joblib.register_parallel_backend("counting", Counting)
    net = random_network((2, 10, 10, 1), 8)
    with joblib.parallel_config(backend="counting", n_jobs=2):
        found = regions(net, jobs=2)
    assert Counting.asked > 0
    assert edges(found.patterns, found.adjacency) == edges(regions(net).patterns, regions(net).adjacency)


def test_without_joblib_several_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "joblib", None)
    with pytest.raises(BadRequest, match=r"nn2eq\[parallel\]"):
        regions(random_network((2, 10, 10, 1), 8), jobs=2)


def test_no_processes_are_refused() -> None:
    with pytest.raises(BadRequest, match="-1 for all cores"):
        regions(random_network((2, 3, 1), 8), jobs=0)


def test_a_limit_keeps_what_was_found() -> None:
    net = random_network((2, 12, 12, 1), 6)
    found = regions(net, max_regions=40)
    assert found.count == 40
    assert not found.complete
    assert set(map(tuple, found.patterns.tolist())) <= set(map(tuple, regions(net).patterns.tolist()))
    assert len(found.as_dict()["regions"]) == 40
    assert regions(net, max_regions=10_000).complete


def found_by(net: Network, answer: Callable[[Progress], None], jobs: int = 1) -> Regions:
    """Look for pieces with a progress that may stop it; what is found of them must be true."""
    found, everything = regions(net, progress=answer, jobs=jobs), regions(net)
    assert everything.complete
    assert found.count > 0
    assert set(map(tuple, found.patterns.tolist())) <= set(map(tuple, everything.patterns.tolist()))
    for region, point in zip(found, found.interiors, strict=True):
        assert_equal_answers(region.matrix, region.vector, point[None], net.evaluate(point[None]))
    assert found.as_dict()["complete"] is found.complete
    assert bool(found.story) is found.complete  # no layer is told to add what was not looked at
    return found


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("widths", [(1, 30, 30, 1), (2, 16, 16, 1), (3, 8, 8, 1)])
def test_an_interrupt_before_anything_is_done_gives_some_pieces(widths: tuple[int, ...], jobs: int) -> None:
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    found = found_by(random_network(widths, 6), stop, jobs)
    assert not found.complete


def test_several_processes_keep_what_is_done() -> None:
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == 3:
            raise KeyboardInterrupt

    net = random_network((2, 24, 24, 1), 6)
    found = found_by(net, stop, jobs=2)
    assert not found.complete
    assert found.count == seen[-1].done > seen[0].done
    assert seen[-1].known > seen[-1].done
    assert regions(net, jobs=2, max_regions=100).count == 100


def test_an_interrupted_proof_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    net = random_network((2, 6, 6, 1), 6)
    whole = regions(net)
    monkeypatch.setattr("nn2eq.cells.find.prove", interrupted)
    found = regions(net)
    assert found.count == whole.count
    assert not found.complete


def test_an_interrupt_keeps_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nn2eq.cells.find.CELLS", 100)
    net = random_network((2, 16, 16, 1), 6)

    def stop(progress: Progress) -> None:
        if progress.done > 100:
            raise KeyboardInterrupt

    found, whole = regions(net, progress=stop), regions(net)
    assert whole.complete
    assert not found.complete
    assert 100 < found.count < whole.count
    assert set(map(tuple, found.patterns.tolist())) < set(map(tuple, whole.patterns.tolist()))
