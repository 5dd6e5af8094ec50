"""All cuts of a layer made at once: the same as one by one, counts of textbooks, and bounds that hold."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import comb

import numpy as np
import pytest

from nn2eq.activations import ROWS, Activation
from nn2eq.cells import Regions, arrangement, lattice, regions
from nn2eq.cells.decider import Decider
from nn2eq.cells.domain import opening, whole
from nn2eq.cells.exact import Plane
from nn2eq.cells.exact import meet as meet_exactly
from nn2eq.cells.explore import walk
from nn2eq.cells.faces import members, places
from nn2eq.cells.functions import UNSURE, Functions
from nn2eq.cells.state import State
from nn2eq.cells.steps import steps
from nn2eq.cells.vertices import Planes, Vertices, meet
from nn2eq.errors import Disagreement
from nn2eq.network import Affine, Layer, Network


def network(widths: Sequence[int], seed: int, activation: str = "relu") -> Network:
    rng = np.random.default_rng(seed)
    bent = Activation(ROWS[activation])
    layers = []
    for inputs, units in itertools.pairwise(widths):
        affine = Affine(rng.normal(size=(inputs, units)), rng.normal(size=units))
        layers.append(Layer("dense", "Dense", (units,), (affine, bent)))
    last = layers[-1]
    return Network((*layers[:-1], replace(last, maps=last.maps[:1])), (widths[0],))


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrangement, "subdivide", lambda *args: None)


def neighbours(found: Regions) -> set[frozenset[tuple[int, ...]]]:
    rows = list(map(tuple, found.patterns.tolist()))
    return {frozenset((rows[a], rows[b])) for a, b in found.adjacency.tolist()}


CASES = [
    ((2, 7, 6, 1), "relu", None),
    ((2, 5, 4, 3, 2), "hard_tanh", None),
    ((2, 9, 5, 1), "hard_sigmoid", [(-1, 2), (0, 1)]),
    ((2, 20, 18, 1), "relu", [(-1, np.inf), (-np.inf, 1)]),
    ((3, 6, 5, 1), "relu", None),
    ((3, 4, 3, 1), "relu6", [(-1, 1)] * 3),
    ((4, 5, 4, 1), "relu", None),
    ((5, 5, 2, 1), "relu", [(-2, 2)] * 5),
]


@pytest.mark.parametrize(("widths", "activation", "domain"), CASES)
def test_all_at_once_is_one_by_one(
    widths: tuple[int, ...],
    activation: str,
    domain: list[tuple[float, float]] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = network(widths, sum(widths), activation)
    refused = watch(monkeypatch)
    together = regions(net, domain)
    assert refused == [False] * (len(widths) - 2)
    one_by_one(monkeypatch)
    apart = regions(net, domain)
    both = (together, apart)
    assert apart.story == together.story
    assert neighbours(apart) == neighbours(together)
    assert apart.proof is not None
    assert together.proof is not None
    assert (apart.proof.inner, apart.proof.outer) == (together.proof.inner, together.proof.outer)
    one, two = (sorted(zip(found.patterns.tolist(), found.interiors.tolist(), strict=True)) for found in both)
    assert np.allclose([point for _, point in one], [point for _, point in two], rtol=1e-9, atol=1e-9)


def watch(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Note for each call whether the cuts were refused, to be made one by one."""
    refused, true = [], arrangement.subdivide

    def noting(state: State, decider: Decider, room: arrangement.Room) -> State | None:
        found = true(state, decider, room)
        refused.append(found is None)
        return found

    monkeypatch.setattr(arrangement, "subdivide", noting)
    return refused


@pytest.mark.parametrize(("inputs", "units"), [(2, 70), (3, 18), (4, 11), (6, 7)])
def test_planes_in_general_position_make_as_many_cells_as_zaslavsky_says(inputs: int, units: int) -> None:
    found = regions(network((inputs, units, 1), 3))
    assert found.count == sum(comb(units, k) for k in range(inputs + 1))
    # The unit that comes n-th divides as many cells as n - 1 planes leave in one dimension less.
    added = [sum(comb(n, k) for k in range(inputs)) for n in range(units)]
    assert [cells for _, cells in found.story[0].added] == added


def test_a_box_of_many_inputs_has_the_faces_of_a_cube() -> None:
    faces = opening(np.array([[-1.0, 1.0]] * 8)).faces
    assert [faces.count(k) for k in range(9)] == [comb(8, k) * 2 ** (8 - k) for k in range(9)]
    assert [level.face.size for level in faces.above] == [faces.count(k) * 2 * k for k in range(2, 9)]


def test_cuts_that_do_not_lie_in_general_position_are_made_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = watch(monkeypatch)
    net = network((2, 5, 1), 1)
    (first, bent), last = net.layers[0].maps, net.layers[1]
    assert isinstance(first, Affine)
    assert isinstance(bent, Activation)
    through_one_point = Affine(first.kernel, np.zeros(5))
    starred = Network((Layer("dense", "Dense", (5,), (through_one_point, bent)), last), (2,))
    assert regions(starred).count == 10
    assert refused == [True]


def test_names_that_get_mixed_up_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    net, refused = network((2, 20, 1), 5), watch(monkeypatch)
    monkeypatch.setattr(lattice, "_odd_numbers", lambda count: np.zeros(count, dtype=np.int64))
    assert regions(net).count == 1 + 20 + 190
    assert refused == [True]


@pytest.mark.parametrize("seed", range(8))
def test_a_wrong_sign_is_never_taken_for_an_answer(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net, true = network((2, 6, 5, 1), 2), Decider.settle
    wanted = neighbours(regions(net))
    calls = itertools.count()

    def wrong(self: Decider, state: State, found: np.ndarray, *rest: np.ndarray) -> np.ndarray:
        signs = true(self, state, found, *rest)
        if next(calls) == seed % 4 and signs.size:
            signs[seed % signs.size] *= -1
        return signs

    monkeypatch.setattr(Decider, "settle", wrong)
    try:
        found = regions(net)
    except (Disagreement, StopIteration):
        return
    assert neighbours(found) == wanted


def test_work_begun_one_by_one_is_ended_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network((2, 12, 10, 1), 6)
    decider, refused = Decider(steps(net), 2), watch(monkeypatch)
    parts = list(walk(opening(whole(2)), decider, cells=40))
    assert {True, False} == set(refused)
    assert sum(part.faces.cells for part in parts) == regions(net).count
    assert all(part.prefixes[-1].shape == (part.faces.cells, 22) for part in parts)


def test_signs_are_certain_only_where_they_are_right() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(-3, 4, (5, 4, 6)) + rng.integers(-1, 2, (5, 4, 6)) * 2.0**-52
    at = rng.integers(-2, 3, (300, 3)) + rng.choice([0, 2.0**-51], (300, 3))
    far = rng.integers(-1, 2, (300, 3)) * rng.integers(0, 2, (300, 1)).astype(float)
    cells = rng.integers(0, 5, 300)
    vertices = Vertices(at, far, np.zeros(300), np.zeros(300), np.zeros((300, 3), dtype=np.int32))
    functions = Functions(values, np.abs(values) * 2.0**-49)
    dense = functions.sides(vertices, cells)
    row, cut = places(np.ones((300, 6), dtype=bool))
    assert (functions.sides(vertices, cells[row], (row, cut)).reshape(300, 6) == dense).all()
    for (i, j), found in np.ndenumerate(dense):
        normal, offset = values[cells[i], :-1, j], Fraction(values[cells[i], -1, j])
        beyond = exact_product(normal, far[i])
        true = beyond or exact_product(normal, at[i]) + offset
        assert found in (UNSURE, (true > 0) - (true < 0))
    assert 0.5 < (dense != UNSURE).mean() < 1


def exact_product(one: np.ndarray, two: np.ndarray) -> Fraction:
    return sum((Fraction(a) * Fraction(b) for a, b in zip(one, two, strict=True)), Fraction(0))


@pytest.mark.parametrize("inputs", [1, 2, 3, 4])
def test_vertices_lie_within_their_bounds(inputs: int) -> None:
    rng = np.random.default_rng(inputs)
    normal = rng.normal(size=(200, inputs))
    normal[1::8] = normal[::8] + 1e-7 * rng.normal(size=(25, inputs))  # nearly parallel to the one before
    far = rng.integers(-1, 2, 200) * rng.integers(0, 2, 200).astype(float)
    planes = Planes(normal, rng.normal(size=200), far, np.zeros((200, inputs + 1)), np.zeros((200, 3), int))
    tight = (np.arange(0, 200 - inputs, 2)[:, None] + np.arange(inputs)).astype(np.int32)
    found = meet(planes, tight)
    assert np.isfinite(found.error).all()
    for row, numbers in enumerate(tight):
        exact = meet_exactly(
            [Plane.of(normal[n].tolist(), planes.offset[n], planes.far[n]) for n in numbers.tolist()]
        )
        for got, error, true in (
            (found.point, found.error, exact.point),
            (found.far, found.far_error, exact.far),
        ):
            wrong = [
                abs(Fraction(x) - Fraction(number, exact.below))
                for x, number in zip(got[row], true, strict=True)
            ]
            assert max(wrong) <= error[row]
    assert np.quantile(found.error, 0.2) < 1e-13


def test_singular_systems_have_no_bound() -> None:
    normal = np.array([[1.0, 2, 3], [2, 4, 6], [0, 0, 1], [1, 0, 0], [0, 1, 0]])
    planes = Planes(normal, np.ones(5), np.zeros(5), np.zeros((5, 4)), np.zeros((5, 3), dtype=np.int64))
    found = meet(planes, np.array([[0, 1, 2], [2, 3, 4]], dtype=np.int32))
    assert found.error[0] == np.inf
    assert found.error[1] < 1e-14


def test_members_and_places() -> None:
    rng = np.random.default_rng(1)
    flags = rng.random((7, 5)) < 0.3
    assert all((a == b).all() for a, b in zip(places(flags), np.nonzero(flags), strict=True))
    start, keys = np.array([0, 2, 2, 5]), np.array([2, 0, 1, 2])
    rows, place = members(start, keys)
    assert list(zip(rows.tolist(), place.tolist(), strict=True)) == [
        (0, 2), (0, 3), (0, 4), (1, 0), (1, 1), (3, 2), (3, 3), (3, 4),
    ]  # fmt: skip
