"""The affine pieces with two inputs and more: against brute force, exact arithmetic, areas and volumes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from affine_networks import (
    PIECEWISE,
    RELU,
    brute_force,
    check,
    dense,
    integer_network,
    made,
    network,
    random_network,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from nn2eq.activations import ROWS, Activation
from nn2eq.cells import Regions, regions
from nn2eq.cells.find import Decider, opening, steps, walk
from nn2eq.cells.parts import Part
from nn2eq.errors import UnsupportedModel
from nn2eq.network import Affine, Layer, Network, Selected


@pytest.mark.parametrize("widths", [(2, 5, 4, 1), (2, 3, 3, 3, 2), (3, 4, 4, 1), (4, 5, 2, 1)])
@pytest.mark.parametrize("domain", [None, (-1.5, 2.0)], ids=["whole", "box"])
def test_patterns_are_those_of_brute_force(
    widths: tuple[int, ...], domain: tuple[float, float] | None
) -> None:
    net = random_network(widths, 7)
    box = None if domain is None else [domain] * widths[0]
    found = regions(net, box)
    assert set(map(tuple, found.patterns.tolist())) == brute_force(net, box)
    check(net, found)


@settings(max_examples=60)
@given(
    st.data(),
    st.sampled_from([(2, 3, 1), (2, 3, 2, 1), (2, 2, 2, 2, 1), (3, 3, 2, 1)]),
    st.sampled_from([None, (-2.0, 2.0)]),
)
def test_degenerate_arrangements(
    data: st.DataObject, widths: tuple[int, ...], domain: tuple[float, float] | None
) -> None:
    """Small whole weights: dead and repeated units, parallel lines, many lines through one vertex."""
    count = sum((a + 1) * b for a, b in itertools.pairwise(widths))
    numbers = data.draw(st.lists(st.integers(-1, 1), min_size=count, max_size=count))
    net = integer_network(widths, iter(numbers))
    box = None if domain is None else [domain] * widths[0]
    found = regions(net, box)
    alive = {tuple(p) for p in found.patterns.tolist()}
    assert len(alive) == found.count
    # On a unit that is 0 throughout a region brute force may name either piece, so compare what they compute.
    assert canonical(net, alive, box) == canonical(net, brute_force(net, box), box)
    check(net, found, samples=50)


def canonical(
    net: Network, patterns: set[tuple[int, ...]], box: Sequence[tuple[float, float]] | None
) -> set[tuple[int, ...]]:
    """Patterns with 2 for units that are constantly 0 where their predecessors have those pieces."""
    return {_canonical(net, pattern) for pattern in patterns}


def _canonical(net: Network, pattern: tuple[int, ...]) -> tuple[int, ...]:
    matrix, vector, place, found = np.eye(net.inputs), np.zeros(net.inputs), 0, []
    for layer in net.layers:
        affine = layer.maps[0]
        assert isinstance(affine, Affine)
        matrix, vector = affine.kernel.T @ matrix, affine.kernel.T @ vector + affine.bias
        if len(layer.maps) == 2:
            own = np.array(pattern[place : place + len(vector)])
            zero = (matrix == 0).all(axis=1) & (vector == 0)
            found += np.where(zero, 2, own).tolist()
            matrix, vector, place = matrix * own[:, None], vector * own, place + len(vector)
    return tuple(found)


def test_areas_add_up() -> None:
    net = random_network((2, 12, 12, 1), 3)
    found = regions(net, [(-2, 2), (-1, 3)])
    assert sum(area(region.vertices) for region in found) == pytest.approx(16, rel=1e-12)


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def test_volumes_add_up() -> None:
    net = random_network((3, 6, 5, 1), 3)
    found = regions(net, [(-1, 1)] * 3)
    part = found.parts[0]
    volume = 0.0
    for cell in range(part.cells):
        volume += ConvexHull(vertices_of(part, cell)).volume
    assert volume == pytest.approx(8, rel=1e-9)


def vertices_of(part: Part, cell: int) -> np.ndarray:
    faces = part.state.faces
    found = {cell}
    for level in reversed(faces.above):
        found = set(level.sub[np.isin(level.face, list(found))].tolist())
    return part.state.vertices.point[np.unique(faces.ends[sorted(found)])]


def test_zero_bias_puts_every_line_through_the_origin() -> None:
    rng = np.random.default_rng(5)
    net = network(
        dense(rng.normal(size=(2, 5)), np.zeros(5)), dense(rng.normal(size=(5, 4)), np.zeros(4)),
        dense(rng.normal(size=(4, 1)), [0.0], None),
    )  # fmt: skip
    whole, box = regions(net), regions(net, [(-1, 1)] * 2)
    assert whole.count == box.count == len(brute_force(net, [(-1, 1)] * 2))
    assert all(region.halfspaces.shape == (2, 3) for region in whole)


def test_hairline_regions_are_neither_lost_nor_invented() -> None:
    # Three lines x + y = 1, x - y = 0.5 and 2x = 1.5, or one unit in the last place beside it: three in one
    # point, or a triangle 1e-16 wide.
    last = np.nextafter(-1.5, -2)
    for bias, expected in ((-1.5, 6), (last, 7)):
        net = network(dense([[1, 1, 2], [1, -1, 0]], [-1, -0.5, bias]), dense(np.ones((3, 1)), [0], None))
        found = regions(net)
        assert found.count == expected
        assert found.proof is not None
        assert found.proof.exactly > 0
        assert regions(net, [(-10, 10)] * 2).count == expected


@pytest.mark.parametrize("domain", [None, (-1e6, 1e6)], ids=["whole", "box"])
@pytest.mark.parametrize("inputs", [2, 3])
def test_exact_interiors_lie_within_the_thinnest_region(
    inputs: int, domain: tuple[float, float] | None
) -> None:
    kernel = np.array([[2, 1e-20, 0, -2e-20], [0, -2, 1, 1], [1, 1e15, 0, 1]])[:inputs]
    net = network(dense(kernel, [2e-20, -2, 0, -1e-20]), dense(np.ones((4, 1)), [1], None))
    found = regions(net, None if domain is None else [domain] * inputs, exact=True)
    for region in found:
        assert (region.halfspaces[:, :-1] @ region.interior + region.halfspaces[:, -1] < 0).all()
        assert all(isinstance(number, Fraction) for number in region.interior)


def test_dead_layer_leaves_one_region() -> None:
    net = network(
        dense(np.eye(2), [-1, -2]), dense(-np.ones((2, 3)), [-1, -1, -1]), dense(np.ones((3, 1)), [5], None)
    )
    found = regions(net, merge=True)
    assert found.count == 4
    assert found.merged == 1
    assert found.story[1].count == 4


def test_repeated_and_parallel_units_add_no_slivers() -> None:
    rng = np.random.default_rng(2)
    kernel, bias = rng.normal(size=(2, 3)), rng.normal(size=3)
    once = network(dense(kernel, bias), dense(np.ones((3, 1)), [0], None))
    twice = network(
        dense(np.hstack([kernel, kernel, -4 * kernel]), np.hstack([bias, bias, -4 * bias])),
        dense(np.ones((9, 1)), [0], None),
    )
    assert regions(once).count == regions(twice).count == 7
    parallel = network(dense([[1, 1, 1], [0, 0, 0]], [0, 1, 2]), dense(np.ones((3, 1)), [0], None))
    assert regions(parallel).count == 4


def test_filter_and_whole_numbers_find_the_same() -> None:
    net = random_network((2, 6, 6, 1), 11)
    found_steps = steps(net)
    slow = Decider(found_steps, 2, trusting=False)
    (final,) = walk(opening(np.array([[-2.0, 2.0]] * 2)), slow)
    assert slow.tally.by_filter == 0
    fast = regions(net, [(-2, 2)] * 2)
    assert set(map(tuple, Part(final).patterns.tolist())) == set(map(tuple, fast.patterns.tolist()))


def test_numbers_out_of_the_range_of_floating_point_are_decided_exactly() -> None:
    tiny = network(
        dense([[1e-200, 2e-200]], [1e-200, -1e-200]),
        dense([[1e-200], [1e-200]], [0]),
        dense([[1]], [0], None),
    )
    found = regions(tiny, [(-5, 5)], exact=True)
    assert found[0].interval[1] == -1
    assert found.proof is not None
    assert found.proof.by_filter == 0


# ------------------------------------------------------------------------------------------ other activations


@pytest.mark.parametrize("name", PIECEWISE)
@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_every_row_with_pieces(name: str, inputs: int) -> None:
    units = 5 - inputs
    net = random_network((inputs, units, units, 2), 1, made(name, units))
    for domain in (None, [(-2, 2)] * inputs):
        found = regions(net, domain)
        check(net, found)
        assert_connected(found)


def assert_connected(found: Regions) -> None:
    """All regions can be reached from one another, so that none lost all its neighbours."""
    reached, waiting = {0}, [0]
    links: dict[int, list[int]] = {}
    for a, b in found.adjacency.tolist():
        links.setdefault(a, []).append(b)
        links.setdefault(b, []).append(a)
    while waiting:
        fresh = set(links.get(waiting.pop(), ())) - reached
        reached |= fresh
        waiting += fresh
    assert len(reached) == found.count


def test_other_activations_are_refused_by_name() -> None:
    for name in ("tanh", "softmax", "gelu"):
        net = random_network((2, 3, 1), 0, Activation(ROWS[name], {}))
        with pytest.raises(
            UnsupportedModel, match=rf"{name} is not piecewise affine.*\[not-piecewise-affine\]"
        ):
            regions(net)


def test_selected_units_bend_alone() -> None:
    layer = Layer("some", "Some", (3,), (Affine(np.eye(3)[:2]), Selected(RELU, (1,))))
    found = regions(network(layer))
    assert found.count == 2
    assert found.patterns.tolist() == [[0, 0, 0], [0, 1, 0]] or found.patterns.tolist() == [
        [0, 1, 0],
        [0, 0, 0],
    ]
