"""The affine pieces of networks: against brute force, exact fractions, volumes and the network itself."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from conftest import PROJECT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.spatial import ConvexHull

from nn2eq.activations import ROWS, Activation
from nn2eq.cells import Regions, regions
from nn2eq.cells.explore import Progress
from nn2eq.cells.faces import Incidence
from nn2eq.cells.find import Decider, opening, steps, walk
from nn2eq.cells.parts import Part
from nn2eq.cells.sewing import prove, sewn
from nn2eq.cli.regions import regions as regions_command
from nn2eq.errors import BadRequest, Disagreement, UnsupportedModel
from nn2eq.network import Affine, Layer, Network, Selected
from nn2eq.reading import read

AGREES = 1e-12  # relative to the sum of the magnitudes in the last affine map
RELU = Activation(ROWS["relu"])


def dense(kernel: object, bias: object, activation: Activation | None = RELU) -> Layer:
    """A Dense layer: kernel (inputs, units), bias (units,)."""
    affine = Affine(np.array(kernel, dtype=np.float64), np.array(bias, dtype=np.float64))
    return Layer("dense", "Dense", (affine.outputs,), (affine, activation) if activation else (affine,))


def network(*layers: Layer) -> Network:
    first = layers[0].maps[0]
    assert isinstance(first, Affine)
    return Network(layers, (first.inputs,))


def random_network(widths: Sequence[int], seed: int, activation: Activation = RELU) -> Network:
    """A network as PyTorch and Keras start them: weights of float32, uniform."""
    rng = np.random.default_rng(seed)
    layers = []
    for index, (inputs, units) in enumerate(itertools.pairwise(widths)):
        draw = rng.uniform(-1, 1, (inputs + 1, units)).astype(np.float32) * np.sqrt(3 / inputs)
        layers.append(dense(draw[1:], draw[0], activation if index < len(widths) - 2 else None))
    return network(*layers)


def integer_network(widths: Sequence[int], numbers: Iterator[int], activation: Activation = RELU) -> Network:
    layers = []
    for index, (inputs, units) in enumerate(itertools.pairwise(widths)):
        draw = np.array(list(itertools.islice(numbers, (inputs + 1) * units)), dtype=float)
        draw = draw.reshape(inputs + 1, units)
        layers.append(dense(draw[1:], draw[0], activation if index < len(widths) - 2 else None))
    return network(*layers)


def check(net: Network, found: Regions, samples: int = 200, seed: int = 0, reach: float = 3.0) -> None:
    """Each sample lies in one region, unless on a border, and that region's map answers as the network."""
    assert found.proof is not None
    rng = np.random.default_rng(seed)
    low, high = np.nan_to_num(found.domain, posinf=reach, neginf=-reach).T
    points = np.concatenate([rng.uniform(low, high, (samples, len(low))), _inside(found)])
    expected = net.evaluate(points)
    covered = np.zeros(len(points), dtype=int)
    for region in found:
        rows = region.halfspaces.astype(float)
        values = points @ rows[:, :-1].T + rows[:, -1]
        scale = np.abs(points) @ np.abs(rows[:, :-1]).T + np.abs(rows[:, -1])
        inside = (values < -1e-9 * scale).all(axis=1)
        covered += inside
        assert_equal_answers(region.matrix, region.vector, points[inside], expected[inside])
        if region.interval is not None:
            x = points[inside, 0]
            assert ((region.interval[0] < x) & (x < region.interval[1])).all()
    assert (covered <= 1).all()
    assert covered.mean() > 0.97 or found.count > 1


def _inside(found: Regions) -> np.ndarray:
    return found.interiors[:200]


def assert_equal_answers(matrix: np.ndarray, vector: np.ndarray, x: np.ndarray, expected: np.ndarray) -> None:
    matrix, vector = matrix.astype(float), vector.astype(float)
    scale = np.abs(x) @ np.abs(matrix).T + np.abs(vector)
    assert (np.abs(x @ matrix.T + vector - expected) <= AGREES * (1 + scale)).all()


def brute_force(net: Network, domain: Sequence[tuple[float, float]] | None) -> set[tuple[int, ...]]:
    """All activation patterns of a ReLU network that have room, a linear program for each of all signs."""
    patterns: list[tuple[tuple[int, ...], np.ndarray, np.ndarray, np.ndarray]] = [
        ((), np.zeros((0, net.inputs + 1)), np.eye(net.inputs), np.zeros(net.inputs))
    ]
    for layer in net.layers:
        affine = layer.maps[0]
        assert isinstance(affine, Affine)
        found = []
        for pattern, rows, matrix, vector in patterns:
            z = affine.kernel.T @ matrix
            c = affine.kernel.T @ vector + affine.bias
            if len(layer.maps) == 1:
                found.append((pattern, rows, z, c))
                continue
            for signs in itertools.product((0, 1), repeat=len(c)):
                s = np.array(signs, dtype=float)
                new = np.concatenate([(1 - 2 * s)[:, None] * z, ((1 - 2 * s) * c)[:, None]], axis=1)
                both = np.concatenate([rows, new])
                if has_room(both, domain):
                    found.append((pattern + signs, both, s[:, None] * z, s * c))
        patterns = found
    return {pattern for pattern, *_ in patterns}


def has_room(rows: np.ndarray, domain: Sequence[tuple[float, float]] | None) -> bool:
    """Whether a·x + b <= 0 has an inner point: HiGHS looks for the widest ball."""
    inputs = rows.shape[1] - 1
    width = np.linalg.norm(rows[:, :-1], axis=1)
    flat = width < 1e-12
    if (rows[flat, -1] > 1e-12).any():
        return False
    rows, width = rows[~flat] / width[~flat, None], np.ones((~flat).sum())
    ends = [(None, None)] * inputs if domain is None else list(domain)
    box = [] if domain is None else [
        [*(sign * (np.arange(inputs) == axis)), -sign * end]
        for axis, pair in enumerate(domain) for sign, end in zip((-1, 1), pair, strict=True)
    ]  # fmt: skip
    rows = np.concatenate([rows, np.array(box).reshape(-1, inputs + 1)])
    width = np.ones(len(rows))
    answer = linprog(
        [*[0.0] * inputs, -1.0],
        A_ub=np.concatenate([rows[:, :-1], width[:, None]], axis=1),
        b_ub=-rows[:, -1],
        bounds=[*ends, (None, 1.0)],
    )
    return bool(answer.status == 0 and answer.x[-1] > 1e-9)


# ------------------------------------------------------------------------------------------------ one input


def exact_line(
    net: Network, low: Fraction, high: Fraction
) -> list[tuple[Fraction, Fraction, Fraction, Fraction]]:
    """Low end, high end, slope and offset of every maximal affine piece, in plain fractions."""
    pieces = [(low, high, [(Fraction(1), Fraction(0))])]
    for layer in net.layers:
        affine = layer.maps[0]
        assert isinstance(affine, Affine)
        kernel = [[Fraction(float(w)) for w in column] for column in affine.kernel.T]
        bias = [Fraction(float(b)) for b in affine.bias]
        onward = []
        for start, stop, lines in pieces:
            z = [
                (sum(w * s for w, (s, _) in zip(column, lines, strict=True)),
                 sum(w * o for w, (_, o) in zip(column, lines, strict=True)) + b)
                for column, b in zip(kernel, bias, strict=True)
            ]  # fmt: skip
            if len(layer.maps) == 1:
                onward.append((start, stop, z))
                continue
            cuts = sorted({-o / s for s, o in z if s and start < -o / s < stop})
            for a, b in itertools.pairwise([start, *cuts, stop]):
                middle = (a + b) / 2
                onward.append(
                    (a, b, [(s, o) if s * middle + o > 0 else (Fraction(0), Fraction(0)) for s, o in z])
                )
        pieces = onward
    return [(a, b, *lines[0]) for a, b, lines in pieces]


@pytest.mark.parametrize("seed", range(3))
def test_a_line_is_what_plain_fractions_say(seed: int) -> None:
    net = random_network((1, 8, 8, 1), seed)
    found = regions(net, [(-2.5, 4.0)], exact=True)
    expected = exact_line(net, Fraction(-5, 2), Fraction(4))
    said = [(*region.interval, region.matrix[0, 0], region.vector[0]) for region in found]
    assert said == expected


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.sampled_from([(1, 3, 1), (1, 3, 3, 1), (1, 2, 2, 2, 1)]))
def test_degenerate_lines(data: st.DataObject, widths: tuple[int, ...]) -> None:
    count = sum((a + 1) * b for a, b in itertools.pairwise(widths))
    numbers = data.draw(st.lists(st.integers(-2, 2), min_size=count, max_size=count))
    net = integer_network(widths, iter(numbers))
    found = regions(net, [(-3, 3)], exact=True)
    expected = exact_line(net, Fraction(-3), Fraction(3))
    assert [(*r.interval, r.matrix[0, 0], r.vector[0]) for r in found] == expected
    assert found.proof is not None


def test_the_whole_line_has_no_ends() -> None:
    found = regions(random_network((1, 5, 5, 1), 1))
    plain = found.as_dict()
    assert plain["domain"] == [[None, None]]
    assert plain["regions"][0]["interval"][0] is None
    assert plain["regions"][-1]["interval"][1] is None
    inner = [region["interval"] for region in plain["regions"]]
    assert all(a[1] == b[0] for a, b in itertools.pairwise(inner))
    assert plain["adjacency"] == [[i, i + 1] for i in range(found.count - 1)]


def test_joints_are_told_by_unit() -> None:
    net = network(dense([[1, 1, 2, 0]], [1, 1, -4, 3]), dense(np.ones((4, 1)), [0], None))
    (chapter,) = regions(net).story
    assert [(joint.place, joint.units) for joint in chapter.joints] == [
        (-1.0, ("z1_1", "z1_2")),
        (2.0, ("z1_3",)),
    ]
    assert dict(chapter.added) == {"z1_1": 1, "z1_2": 1, "z1_3": 1, "z1_4": 0}
    assert chapter.count == 3


def test_joints_one_ulp_apart_are_two() -> None:
    near = np.nextafter(0.1, 1)
    net = network(dense([[1.0, 1.0, 3.0]], [-0.1, -near, -0.3]), dense(np.ones((3, 1)), [0], None))
    found = regions(net, [(0, 1)], exact=True)
    third = Fraction(0.3) / 3
    assert [r.interval[1] for r in found][:-1] == sorted([Fraction(0.1), Fraction(near), third])


def test_composition_has_nine_pieces() -> None:
    first, second = (
        read(str(PROJECT / "models" / f"dense_1-3-1_relu_{name}.keras")) for name in ("first", "second")
    )
    both = Network(first.layers + second.layers, first.input_shape)
    for part in (first, second):
        assert regions(part, [(-1, 1)], merge=True).merged == 3
    assert regions(both, [(-1, 1)], merge=True).merged == 9


# --------------------------------------------------------------------------------------- two and more inputs


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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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

PIECEWISE = sorted(name for name, row in ROWS.items() if row.pieces and name != "linear")
PARAMETERS = {"max_value": 1.25, "negative_slope": 0.3, "threshold": 0.4, "default_value": -0.7}


def made(name: str, units: int) -> Activation:
    row = ROWS[name]
    given = {key: PARAMETERS[key] for key in row.parameters if key in PARAMETERS}
    if "alpha" in row.parameters:
        given["alpha"] = np.linspace(-0.5, 1.5, units)
    return Activation(row, given)


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


# ------------------------------------------------------------------------------------------------ the proof


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


def edges(patterns: np.ndarray, pairs: np.ndarray) -> set[frozenset[tuple[int, ...]]]:
    rows = list(map(tuple, patterns.tolist()))
    return {frozenset((rows[a], rows[b])) for a, b in pairs.tolist()}


def test_several_processes_find_the_same() -> None:
    net = random_network((2, 10, 10, 1), 8)
    one, two = regions(net), regions(net, jobs=2)
    assert two.proof is not None
    assert edges(one.patterns, one.adjacency) == edges(two.patterns, two.adjacency)
    assert one.story[-1].count == two.story[-1].count == one.count


def test_any_backend_of_joblib_serves() -> None:
    import joblib
    from joblib.parallel import ThreadingBackend

    class Counting(ThreadingBackend):  # type: ignore[misc]
        """Threads that tell how often they were asked, as Dask's and Ray's backends are."""

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


def test_domains_are_checked() -> None:
    net = random_network((2, 3, 1), 0)
    for wrong in ([(0, 1)], [(0, 1), (1, 1)], [(0, 1), (2, 1)], [(0, 1), (0, float("nan"))]):
        with pytest.raises(BadRequest, match="domain"):
            regions(net, wrong)


def test_half_open_domains() -> None:
    net = random_network((2, 6, 5, 1), 2)
    found = regions(net, [(0, np.inf), (-np.inf, 1)])
    check(net, found)
    finite = regions(net, [(0, 1e7), (-1e7, 1)])
    assert found.count == finite.count


def test_plain_data_has_the_promised_shape() -> None:
    net = random_network((2, 4, 3, 2), 5)
    plain = regions(net, [(-1, 1)] * 2).as_dict()
    assert plain["count"] == len(plain["regions"])
    region = plain["regions"][0]
    assert len(region["pattern"]) == 7
    assert np.array(region["matrix"]).shape == (2, 2)
    assert np.array(region["vector"]).shape == (2,)
    assert "halfspaces" not in region
    endless = regions(net).as_dict()["regions"]
    assert any(None in corner for r in endless for corner in r["vertices"])
    assert all("halfspaces" in r for r in endless if any(None in corner for corner in r["vertices"]))
    cells = regions(random_network((3, 4, 1), 5)).as_dict()["regions"]
    assert all(len(row) == 4 for r in cells for row in r["halfspaces"])


# ------------------------------------------------------------------------------------------ the command line


def run(*args: str) -> Result:
    found = CliRunner().invoke(regions_command, args, catch_exceptions=False)
    assert found.exit_code == 0
    return found


MODEL = str(PROJECT / "models" / "dense_1-3-1_relu_first.keras")


def test_the_command_lists_pieces_and_says_how_sure_it_is() -> None:
    found = run(MODEL, "--domain=-1:1", "--exact")
    assert found.stdout.splitlines()[0] == "3 pieces"
    assert "z1_2 at -0.5; z1_3 at 0.5" in found.stdout
    assert "-1/2  1/2   -2 x" in found.stdout
    assert "each of 2 inner facets has its twin" in found.stderr


def test_the_command_writes_json(tmp_path: Path) -> None:
    target = tmp_path / "pieces.json"
    run(MODEL, "--merge", "-o", str(target))
    plain = json.loads(target.read_text())
    assert plain["domain"] == [[None, None]]
    assert plain["merged"] == len(plain["regions"]) <= plain["count"]
    assert run(MODEL, "--merge", "--json").stdout == target.read_text()


def test_the_command_says_when_it_stopped() -> None:
    assert "stopped after 1 pieces; there are more" in run(MODEL, "--max-regions", "1").stderr
