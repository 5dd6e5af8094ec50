"""The form `pieces`: a Program of cases that answers as the network does, on borders and corners too."""

from __future__ import annotations

import numpy as np
import pytest
from test_regions import AGREES, PIECEWISE, dense, made, network, random_network

from nn2eq.cells import regions
from nn2eq.errors import UnsupportedModel
from nn2eq.forms.pieces import pieces
from nn2eq.network import Network


def worst(net: Network, domain: list[tuple[float, float]] | None, x: np.ndarray) -> float:
    expected, answer = net.evaluate(x), pieces(net, domain=domain).evaluate(x)
    return float((np.abs(answer - expected) / (1 + np.abs(x).sum(axis=1, keepdims=True))).max())


@pytest.mark.parametrize("inputs", [1, 2, 3])
@pytest.mark.parametrize("domain", [None, (-2.0, 2.0)], ids=["whole", "box"])
def test_cases_answer_as_the_network(inputs: int, domain: tuple[float, float] | None) -> None:
    net = random_network((inputs, 5, 4, 2), 3)
    x = np.random.default_rng(0).uniform(-2, 2, (2000, inputs))
    assert worst(net, domain and [domain] * inputs, x) < AGREES


def test_cases_answer_on_every_corner_and_border() -> None:
    net = random_network((2, 6, 5, 1), 3)
    box = [(-2.0, 2.0)] * 2
    corners = np.concatenate([region.vertices for region in regions(net, box)])
    middles = (corners + np.roll(corners, 1, axis=0)) / 2
    assert worst(net, box, np.concatenate([corners, middles])) < AGREES
    line = random_network((1, 8, 8, 1), 3)
    ends = np.array([region.interval for region in regions(line, [(-3, 3)])]).reshape(-1, 1)
    assert worst(line, None, ends) < AGREES


@pytest.mark.parametrize("name", PIECEWISE)
def test_cases_of_every_row_with_pieces(name: str) -> None:
    net = random_network((1, 4, 4, 1), 1, made(name, 4))
    x = np.random.default_rng(0).uniform(-4, 4, (2000, 1))
    assert worst(net, None, x) < AGREES


def test_one_input_needs_one_condition_a_case() -> None:
    net = network(dense([[1, 1]], [0, -1]), dense([[1], [1]], [0], None))
    (step,) = pieces(net).predict.steps
    assert step.counts == (1, 1, 0)
    assert step.bounds.data.tolist() == [0, 1]
    assert step.normals.data.tolist() == [[1], [1]]
    assert step.matrices.data.ravel().tolist() == [0, 1, 2]
    assert step.offsets.data.ravel().tolist() == [0, 0, -1]


def test_domain_ends_are_no_conditions() -> None:
    net = random_network((2, 3, 1), 1)
    (step,) = pieces(net, domain=[(-1, 1), (-2, 2)]).predict.steps
    ends = {(1, 0), (-1, 0), (0, 1), (0, -1)}
    assert not ends & {tuple(row) for row in step.normals.data.tolist()}


def test_other_networks_are_refused() -> None:
    with pytest.raises(UnsupportedModel, match="not-piecewise-affine"):
        pieces(random_network((1, 3, 1), 1, made("tanh", 3)))
