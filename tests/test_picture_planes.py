"""Pictures of pieces, decisions, derivatives, weights and errors: held against the network, point by point."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.path import Path as Outline
from numpy.typing import NDArray
from picture_networks import dense
from picture_parts import MODELS, kinks, labelled, middles, xy

import nn2eq
from nn2eq.forms.straight import matrix
from nn2eq.network import Network
from nn2eq.show.pictures.curves import slopes
from nn2eq.show.pictures.projection import slice_of_box, telling
from nn2eq.show.pictures.regions import coloured
from nn2eq.show.pictures.theme import number


@pytest.mark.parametrize("colour", ["map", "pattern"])
@pytest.mark.parametrize(
    "network", [dense(2, 8, 6, 1, seed=1), dense(2, 5, 4, 3, activation="leaky_relu", last="softmax"),
                dense(2, 6, 1, activation="hard_tanh", seed=2)],
)  # fmt: skip
def test_pieces_cover_the_box_once(network: Network, colour: str) -> None:
    picture = nn2eq.plot(network, "regions", domain=(-2, 2), colour=colour)
    (polygons,) = [part for part in picture.axes[0].collections if isinstance(part, PolyCollection)]
    outlines = [np.asarray(path.vertices)[:-1] for path in polygons.get_paths()]
    areas = [
        0.5 * abs(np.sum(p[:, 0] * np.roll(p[:, 1], -1) - p[:, 1] * np.roll(p[:, 0], -1))) for p in outlines
    ]
    assert sum(areas) == pytest.approx(16, rel=1e-9)
    points = np.random.default_rng(0).uniform(-2, 2, size=(300, 2))
    inside = np.array([Outline(outline).contains_points(points) for outline in outlines])
    assert (inside.sum(axis=0) == 1).all()
    patterns = np.concatenate(
        [values > 0 for name, values in matrix(network).values(points).items() if name[0] == "z"], axis=1
    )
    for one, two in itertools.combinations(range(40), 2):  # who share a piece share the signs of a ReLU
        if (inside[:, one] == inside[:, two]).all() and "hard" not in str(network.layers[0].maps[1]):
            assert (patterns[one, : len(patterns[0]) - network.outputs] ==
                    patterns[two, : len(patterns[0]) - network.outputs]).all()  # fmt: skip


def test_cuts_are_where_a_unit_of_their_layer_turns() -> None:
    network = dense(2, 7, 5, 4, 1, seed=4)
    picture = nn2eq.plot(network, "regions", domain=(-2, 2))
    lines = {
        part.get_gid(): part.get_segments()
        for part in picture.axes[0].collections
        if part.get_gid() != "pieces"
    }
    assert set(lines) == {"cuts1", "cuts2", "cuts3"}
    for gid, segments in lines.items():
        middles = np.array([np.mean(segment, axis=0) for segment in segments])
        values = matrix(network).values(middles)
        assert np.abs(values[f"z{gid[-1]}"]).min(axis=1).max() < 1e-9
        for deeper in range(int(gid[-1]) + 1, 4):
            assert np.abs(values[f"z{deeper}"]).min() > 0


def alike(colours: NDArray[np.int64], adjacency: NDArray[np.int64], groups: NDArray[np.int64]) -> list[int]:
    """Find neighbours of different groups that have the same colour."""
    one, two = adjacency.T
    return np.flatnonzero((colours[one] == colours[two]) & (groups[one] != groups[two])).tolist()


def test_neighbours_differ_in_colour() -> None:
    found = nn2eq.regions(dense(2, 16, 16, 1, seed=7), ((-3, 3), (-3, 3)), merge=True)
    for groups in (found.groups, np.arange(found.count)):
        colours = coloured(groups, found.adjacency, 6)
        assert not alike(colours, found.adjacency, groups)
        assert set(colours) == set(range(6))
        planted = np.array(colours)
        planted[found.adjacency[3, 0]] = planted[found.adjacency[3, 1]]
        assert alike(planted, found.adjacency, np.arange(found.count))


def test_boundary_is_where_the_decision_changes(circles: Network) -> None:
    data = np.loadtxt(MODELS / "dense_2-3-1_sigmoid.data.csv", delimiter=",", skiprows=1)
    picture = nn2eq.plot(circles, "boundary", data=data)
    axes = picture.axes[0]
    border = next(part for part in axes.collections if "Contour" in type(part).__name__)
    corners = np.concatenate([path.vertices for path in border.get_paths()])
    slope = np.linalg.norm(slopes(circles, corners)[:, :, 0], axis=1)
    assert (np.abs(circles.evaluate(corners)[:, 0] - 0.5) <= 0.02 * slope).all()  # a grid's width
    (lines,) = [part for part in axes.collections if part.get_gid() == "first layer"]
    for unit, segment in enumerate(lines.get_segments()):
        assert np.abs(matrix(circles).values(np.asarray(segment))["z1"][:, unit]).max() < 1e-12
    for label, wanted in (("y < 0.5", 0.0), ("y ≥ 0.5", 1.0)):
        np.testing.assert_array_equal(
            np.stack(xy(labelled(picture, label)), 1), data[data[:, 2] == wanted, :2]
        )


def test_what_is_decided_otherwise_is_ringed(circles: Network) -> None:
    data = np.loadtxt(MODELS / "dense_2-3-1_sigmoid.data.csv", delimiter=",", skiprows=1)
    data[:5, 2] = 1 - data[:5, 2]
    picture = nn2eq.plot(circles, "boundary", data=data)
    np.testing.assert_array_equal(np.stack(xy(labelled(picture, "misjudged (5)")), 1), data[:5, :2])


def test_projection_puts_the_data_among_hidden_units(circles: Network) -> None:
    data = np.loadtxt(MODELS / "dense_2-3-1_sigmoid.data.csv", delimiter=",", skiprows=1)
    network = dense(2, 5, 2, 1, last="sigmoid", seed=3)
    picture = nn2eq.plot(network, "projection", data=data[:, :2], threshold=0.6)
    hidden = matrix(network).values(data[:, :2])["a2"]
    is_yes = network.evaluate(data[:, :2])[:, 0] >= 0.6
    np.testing.assert_array_equal(np.stack(xy(labelled(picture, "y ≥ 0.6")), 1), hidden[is_yes])
    (line,) = [part for part in picture.axes[0].collections if isinstance(part, LineCollection)]
    last = matrix(network).predict.steps[-2]
    z = np.asarray(line.get_segments()[0]) @ last.terms[0].matrix.data + last.offset.data  # type: ignore[union-attr]
    np.testing.assert_allclose(1 / (1 + np.exp(-z)), 0.6, rtol=1e-6)
    solid = nn2eq.plot(circles, "projection", data=data)
    assert solid.axes[0].name == "3d"


def test_a_plane_in_a_box_is_cut_where_it_is() -> None:
    random = np.random.default_rng(1)
    for _ in range(50):
        normal, offset = random.normal(size=3), float(random.normal() * 0.3)
        corners = slice_of_box(normal, offset, -np.ones(3), np.ones(3))
        assert np.abs(corners @ normal + offset).max(initial=0.0) < 1e-12
        assert (np.abs(corners) <= 1).all()
        if len(corners):  # convex, in order: all turns go one way round the normal
            sides = np.roll(corners, -1, axis=0) - corners
            turns = np.cross(sides, np.roll(sides, -1, axis=0)) @ normal
            assert (turns > 0).all() or (turns < 0).all()
    assert len(slice_of_box(np.array([1.0, 0, 0]), 5.0, -np.ones(3), np.ones(3))) == 0


def test_units_that_say_the_same_are_not_shown_twice() -> None:
    random = np.random.default_rng(0)
    hidden = random.normal(size=(100, 4))
    hidden[:, 3] = hidden[:, 1] * 1.01
    kernel = np.array([[0.1], [3.0], [1.0], [3.0]])
    assert telling(hidden, kernel) == [2, 3]


# -------------------------------------------------------------------------------- derivatives, weights, errors


@pytest.mark.parametrize(
    "network",
    [dense(3, 7, 2, activation="tanh"), dense(2, 5, 3, last="softmax"), dense(2, 6, 4, 1, activation="gelu"),
     dense(2, 4, 3, activation="softsign", last="log_softmax")],
)  # fmt: skip
def test_slopes_are_central_differences(network: Network) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, size=(40, network.inputs))
    found = slopes(network, x)
    for axis, step in enumerate(1e-6 * np.eye(network.inputs)):
        there = (network.evaluate(x + step) - network.evaluate(x - step)) / 2e-6
        np.testing.assert_allclose(found[:, axis], there, atol=1e-7)


def test_derivatives_are_steps_between_joints(textbook: Network) -> None:
    picture = nn2eq.plot(textbook, "derivatives", domain=(0, 2))
    x, slope = xy(picture.axes[1].lines[-1])
    gaps = x[np.isnan(slope)]
    np.testing.assert_allclose(np.unique(gaps)[:-1], kinks(textbook, 0, 2), atol=1e-4)  # and the end
    for piece in np.split(slope, np.flatnonzero(np.isnan(slope))):
        values = piece[~np.isnan(piece)]
        assert values.size == 0 or np.ptp(values) == 0
    ends = np.array([0.0, *kinks(textbook, 0, 2), 2.0])
    rises = np.diff(textbook.evaluate(ends[:, None])[:, 0]) / np.diff(ends)
    shown = [
        piece[~np.isnan(piece)][0] for piece in np.split(slope, np.flatnonzero(np.isnan(slope)) + 1)[:-1]
    ]
    np.testing.assert_allclose(shown, rises, rtol=1e-2)


def test_both_partial_derivatives(circles: Network) -> None:
    picture = nn2eq.plot(circles, "derivatives", domain=(-1, 1))
    for axis, panel in enumerate(picture.axes[:2]):
        mesh = panel.images[0]
        corners, step = middles(mesh), 1e-6 * np.eye(2)[axis]
        there = (circles.evaluate(corners + step) - circles.evaluate(corners - step)) / 2e-6
        np.testing.assert_allclose(np.asarray(mesh.get_array()).ravel(), there[:, 0], atol=1e-6)


def test_every_weight_is_counted() -> None:
    network = dense(3, 8, 2, seed=1)
    picture = nn2eq.plot(network, "weights")
    arrays = [array for layer in network.layers for array in layer.weights.values()]
    for axes, array in zip(picture.axes, arrays, strict=False):
        assert sum(patch.get_height() for patch in axes.patches) == array.size
        spans = [
            (patch.get_x(), patch.get_x() + patch.get_width(), patch.get_height()) for patch in axes.patches
        ]
        for low, high, count in spans[1:-1]:
            assert count == ((array >= low) & (array < high)).sum()


@pytest.mark.parametrize("network", [dense(1, 5, 2, activation="tanh"), dense(2, 4, 1, activation="tanh"),
                                     dense(4, 5, 1, activation="tanh")])  # fmt: skip
def test_errors_stay_within_what_is_proved(network: Network) -> None:
    picture = nn2eq.plot(network, "errors", domain=(-1, 1), form="taylor", order=2)
    program = nn2eq.taylor(network, order=2, domain=(-1, 1))
    axes = picture.axes[0]
    assert f"proved: |error| ≤ {number(program.proved)[:4]}" in axes.get_title(loc="left")
    if network.inputs == 1:
        x, error = xy(axes.lines[-1])
        np.testing.assert_array_equal(
            error, (program.evaluate(x[:, None]) - network.evaluate(x[:, None]))[:, 0]
        )
    elif network.inputs == 2:
        (mesh,) = axes.images
        corners = middles(mesh)
        apart = program.evaluate(corners) - network.evaluate(corners)
        np.testing.assert_allclose(np.asarray(mesh.get_array()).ravel(), apart[:, 0], atol=1e-12)
        assert np.abs(apart).max() <= program.proved
    else:
        assert sum(patch.get_height() for patch in axes.patches) == 20_000
        assert [line.get_xdata()[0] for line in axes.lines] == [-program.proved, program.proved]
        assert axes.patches[0].get_x() >= -program.proved
