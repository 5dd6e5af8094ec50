"""The affine pieces with one input: against plain fractions, joint by joint."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from affine_networks import (
    dense,
    integer_network,
    network,
    random_network,
)
from conftest import PROJECT
from hypothesis import given, settings
from hypothesis import strategies as st

from nn2eq.cells import regions
from nn2eq.network import Affine, Network
from nn2eq.reading import read


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


@settings(max_examples=60)
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
