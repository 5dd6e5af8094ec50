"""What a picture shows is what the network says: lines, joints, pieces, planes and errors are held against it."""

from __future__ import annotations

import itertools
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.path import Path as Outline
from matplotlib.text import Text
from numpy.typing import NDArray
from picture_networks import HOSTILE, dense

import nn2eq
from nn2eq.cli.main import main
from nn2eq.composition import compose
from nn2eq.errors import Nn2eqError
from nn2eq.forms.straight import matrix
from nn2eq.network import Network
from nn2eq.show import pictures
from nn2eq.show.pictures import KINDS, drawn
from nn2eq.show.pictures.curves import joints, slopes
from nn2eq.show.pictures.projection import slice_of_box, telling
from nn2eq.show.pictures.regions import coloured
from nn2eq.show.pictures.style import DASHES, Picture
from nn2eq.show.pictures.style import line as style_of
from nn2eq.show.pictures.theme import THEMES, Theme, number, plain
from nn2eq.show.pictures.truth import truth

Array = NDArray[np.float64]
MODELS = Path(__file__).parent.parent / "models"


def shipped(name: str) -> Network:
    return nn2eq.read(MODELS / f"{name}.keras")


@pytest.fixture(scope="module")
def textbook() -> Network:
    return shipped("dense_1-3-3-1_relu")


@pytest.fixture(scope="module")
def circles() -> Network:
    return shipped("dense_2-3-1_sigmoid")


def labelled(picture: Picture, label: str, panel: int = 0) -> Any:
    (line,) = [line for line in picture.axes[panel].lines if line.get_label() == label]
    return line


def xy(line: Any) -> tuple[Array, Array]:
    return np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)


# ------------------------------------------------------------------------------------------------ function


def kinks(network: Network, low: float, high: float, points: int = 40_001) -> Array:
    """Find where a piecewise affine function bends, by differences alone: the middle of each run of them."""
    x = np.linspace(low, high, points)
    bends = np.abs(np.diff(network.evaluate(x[:, None])[:, 0], 2)) > 1e-9
    places = np.flatnonzero(bends)
    runs = np.split(places, np.flatnonzero(np.diff(places) > 2) + 1)
    return np.array([x[run + 1].mean() for run in runs])


def test_the_line_is_the_model_and_its_joints_are_where_it_bends(textbook: Network) -> None:
    picture = nn2eq.plot(textbook, "function", domain=(0, 2))
    x, y = xy(labelled(picture, "model"))
    assert (x[0], x[-1]) == (0, 2)
    np.testing.assert_array_equal(y, textbook.evaluate(x[:, None])[:, 0])
    places, heights = xy(labelled(picture, "breakpoints"))
    np.testing.assert_allclose(places, kinks(textbook, 0, 2), atol=1e-4)
    np.testing.assert_array_equal(heights, textbook.evaluate(places[:, None])[:, 0])
    assert set(places) <= set(x)


def test_a_sigmoid_behind_relu_bends_where_these_do() -> None:
    network = dense(1, 6, 4, 1, last="sigmoid", seed=3)
    inner = dense(1, 6, 4, 1, seed=3)
    picture = nn2eq.plot(network, "function", domain=(-3, 3))
    found, _ = xy(labelled(picture, "breakpoints"))
    assert set(found) < {joint.place for joint in joints(network, ((-3.0, 3.0),))}  # some bend nothing
    np.testing.assert_allclose(found, kinks(inner, -3, 3), atol=2e-4)
    assert joints(dense(1, 5, 1, activation="tanh"), ((-1.0, 1.0),)) == ()


def test_form_error_and_proved_band() -> None:
    network = shipped("dense_1-3-2-1_tanh")
    picture = nn2eq.plot(network, "function", domain=(-1, 1), form="taylor", order=5)
    program = nn2eq.taylor(network, order=5, domain=(-1, 1))
    x, y = xy(labelled(picture, "taylor, order 5"))
    np.testing.assert_array_equal(y, program.evaluate(x[:, None])[:, 0])
    below = picture.axes[1]
    _, error = xy(below.lines[-1])
    np.testing.assert_array_equal(error, y - network.evaluate(x[:, None])[:, 0])
    (band,) = below.collections
    edges = band.get_paths()[0].vertices[:, 1]
    assert edges.max() == program.proved == -edges.min()
    assert np.abs(error).max() <= program.proved
    shown = float(re.search(r"≤ ([\d.]+)", below.get_title(loc="left"))[1])  # type: ignore[index]
    assert program.proved <= shown <= program.proved * 1.001


def test_rounded_numbers_are_a_form_with_a_proved_error(textbook: Network) -> None:
    picture = nn2eq.plot(textbook, "function", domain=(0, 2), digits=2)
    _, error = xy(picture.axes[1].lines[-1])
    edges = picture.axes[1].collections[0].get_paths()[0].vertices[:, 1]
    assert 0 < np.abs(error).max() <= edges.max() < 2 * np.abs(error).max()


def test_data_and_the_true_function() -> None:
    data = MODELS / "dense_1-3-2-1_tanh.data.csv"
    network = nn2eq.in_original_units(
        shipped("dense_1-3-2-1_tanh"),
        scale_input=str(MODELS / "dense_1-3-2-1_tanh.input-scale.json"),
        scale_output=str(MODELS / "dense_1-3-2-1_tanh.output-scale.json"),
    )
    picture = nn2eq.plot(network, "function", data=data, true="x**2 + 10*sin(x)")
    table = np.loadtxt(data, delimiter=",", skiprows=1)
    np.testing.assert_array_equal(np.stack(xy(labelled(picture, "data")), axis=1), table)
    x, y = xy(labelled(picture, "true function"))
    assert (x[0], x[-1]) == (table[:, 0].min(), table[:, 0].max())
    np.testing.assert_allclose(y, x**2 + 10 * np.sin(x), rtol=1e-15)
    _, error = xy(picture.axes[1].lines[-1])
    np.testing.assert_allclose(error, network.evaluate(x[:, None])[:, 0] - y)
    assert np.abs(error).max() < 0.3


def middles(image: Any) -> Array:
    """Return the middle of each pixel of an image, row by row: (pixels, 2)."""
    rows, columns = image.get_array().shape
    low, high, bottom, top = image.get_extent()
    x = low + (np.arange(columns) + 0.5) * (high - low) / columns
    y = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
    return np.stack([part.ravel() for part in np.meshgrid(x, y)], axis=1)


def test_two_inputs_are_a_plane(circles: Network) -> None:
    picture = nn2eq.plot(circles, "function", domain=((-1, 1), (0, 2)), form="taylor", order=2)
    (mesh,) = picture.axes[0].images
    corners = middles(mesh)
    np.testing.assert_allclose(np.asarray(mesh.get_array()).ravel(), circles.evaluate(corners)[:, 0])
    error = picture.axes[2].images[0]
    program = nn2eq.taylor(circles, order=2, domain=((-1, 1), (0, 2)))
    apart = program.evaluate(corners) - circles.evaluate(corners)
    np.testing.assert_allclose(np.asarray(error.get_array()).ravel(), apart[:, 0], atol=1e-12)
    assert number(0.0) == "0"


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("x1 ** 2 + -x2", lambda a, b: a**2 - b),
        ("cos(sin(x1) * x2) / (1 + exp(-x1))", lambda a, b: np.cos(np.sin(a) * b) / (1 + np.exp(-a))),
        (
            "where(x1 < x2, max(x1, 0.1), atan(x2))",
            lambda a, b: np.where(a < b, np.maximum(a, 0.1), np.arctan(b)),
        ),
        ("3", lambda a, b: np.full(len(a), 3.0)),
    ],
)
def test_true_functions(text: str, there: Callable[[Array, Array], Array]) -> None:
    x = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_allclose(truth(text, ("x1", "x2"))(x), there(*x.T), rtol=1e-14)


@pytest.mark.parametrize(
    "text",
    ["__import__('os').system('true')", "x1.real", "x3", "sin(x1, x2)", "sin()", "x1 +", "[x1]", "x1 if x1 else 1",
     "sum(x1[j] for j in units)", "(" * 500, "x1" + "+x1" * 3000, "lambda: 0", "", "_x1", "sin(a=x1)"],
)  # fmt: skip
def test_a_true_function_is_a_formula_or_refused(text: str) -> None:
    with pytest.raises(Nn2eqError, match=r"--true") as caught:
        truth(text, ("x1", "x2"))
    assert caught.value.code == "true"


# ---------------------------------------------------------------------------------- layers and composition


def test_layers_tell_the_story(textbook: Network) -> None:
    picture = nn2eq.plot(textbook, "layers", domain=(0, 2))
    by_name = {line.get_label(): (axes, line) for axes in picture.axes for line in axes.lines}
    x, y = xy(by_name["y"][1])
    program = matrix(textbook)
    values = program.values(x[:, None])
    for value in ("z1", "a1", "z2", "a2", "y"):
        names = [f"{value}_{unit}" for unit in (1, 2, 3)] if value != "y" else ["y"]
        for unit, name in enumerate(names):
            np.testing.assert_array_equal(xy(by_name[name][1])[1], values[value][:, unit])
    axes, _ = by_name["y"]
    terms = [xy(line)[1] for line in axes.lines if line.get_linewidth() == 1.0]
    bias = program.predict.steps[-1].offset.data[0]  # type: ignore[union-attr]
    np.testing.assert_allclose(sum(terms) + bias, y, atol=1e-12)
    found = [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(sorted(found), kinks(textbook, 0, 2), atol=1e-4)


def test_a_joint_is_filled_where_it_is_made(textbook: Network) -> None:
    picture = nn2eq.plot(textbook, "layers", domain=(0, 2))
    for axes in picture.axes:
        name = axes.get_title(loc="left").split(" = ")[0]
        for mark in (line for line in axes.lines if line.get_marker() == "o"):
            at = matrix(textbook).values(np.array([[mark.get_xdata()[0]]]))
            unit = int(name.rsplit("_", 1)[-1]) - 1 if "_" in name else 0
            own = name[0] == "a" and abs(at[f"z{name[1]}"][0, unit]) < 1e-9
            assert (mark.get_markerfacecolor() == mark.get_color()) == own, name


def test_a_wide_layer_is_one_panel() -> None:
    picture = nn2eq.plot(dense(1, 40, 3, 1, seed=5), "layers", domain=(-1, 1))
    assert [len(axes.lines) - 1 for axes in picture.axes[:2]] == [40, 40]
    assert len(picture.axes) == 2 + 3 + 3 + 1


def test_composition_carries_the_joints_over() -> None:
    first, second = shipped("dense_1-3-1_relu_first"), shipped("dense_1-3-1_relu_second")
    picture = nn2eq.plot([first, second], "composition", domain=(-1, 1))
    whole = compose(first, second)
    x, y = xy(picture.axes[2].lines[0])
    np.testing.assert_array_equal(y, whole.evaluate(x[:, None])[:, 0])
    own, _ = xy(labelled(picture, "joint of the first", 2))
    carried, _ = xy(labelled(picture, "joint of the second", 2))
    np.testing.assert_allclose(sorted([*own, *carried]), kinks(whole, -1, 1), atol=1e-4)
    assert (len(own), len(carried)) == (2, 6)  # nine pieces
    theirs, _ = xy(labelled(picture, "joint of the second", 1))
    for place in carried:  # each comes from a joint of the second
        assert np.abs(theirs - first.evaluate(np.array([[place]]))).min() < 1e-12
    assert not np.isin(carried, own).any()


# ------------------------------------------------------------------------------------------ pieces, planes


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


# ------------------------------------------------------------------------------------- how it looks, and files


CASES: dict[str, list[tuple[tuple[Network, ...], dict[str, Any]]]] = {
    "function": [
        ((dense(1, 6, 1),), {"domain": (-2, 2), "true": "sin(x)", "form": "taylor", "at": (0.3,)}),
        ((dense(2, 5, 1, activation="tanh"), dense(2, 5, 2)), {"domain": (-1, 1), "form": "taylor", "seconds": 0.2}),
        ((dense(1, 4, 3, names=HOSTILE[:1]), dense(1, 9, 1), dense(1, 3, 1, last="sigmoid")),
         {"domain": (1, 1 + 1e-9)}),
    ],
    "layers": [((dense(1, 3, 3, 1),), {"domain": (-2, 2)}),
               ((dense(1, 2, 4, 2, activation="tanh"),), {"domain": (0, 1)}),
               ((dense(1, 30, 5, 1, names=HOSTILE[1:2]),), {"domain": (0, 1)})],
    "composition": [((dense(1, 3, 1), dense(1, 4, 1, seed=s)), {"domain": (-2, 2)}) for s in (1, 2)]
    + [((dense(1, 3, 1, activation="tanh"), dense(1, 4, 1)), {"domain": (-2, 2)})],
    "regions": [((dense(2, 3, 1),), {"domain": (-2, 2)}), ((dense(2, 8, 8, 8, 2), dense(2, 3, 1)), {"domain": (-9, 9)}),
                ((dense(2, 12, 1, last="sigmoid", names=HOSTILE[:2]),), {"domain": (-2, 2), "data": np.eye(2)})],
    "boundary": [((dense(2, 3, 1, last="sigmoid"),), {"domain": (-2, 2)}),
                 ((dense(2, 8, 4, last="softmax"), dense(2, 3, 1)), {"domain": (-9, 9)}),
                 ((dense(2, 9, 1, names=HOSTILE[:2]),), {"data": np.random.default_rng(0).normal(size=(50, 3))})],
    "projection": [((dense(4, 3, 1, last="sigmoid"),), {"domain": (-2, 2)}), ((dense(2, 2, 3),), {"domain": (-9, 9)}),
                   ((dense(2, 9, 1), dense(2, 9, 4)), {"domain": (0, 1), "units": ("a1_1", "a1_9", "a1_2")})],
    "diagram": [((dense(2, 3, 1, last="sigmoid"),), {"path": "a1_2"}),
                ((dense(3, 30, 11, 3, names=HOSTILE),), {"path": "a1_17,y2"}),
                ((dense(3, 5, 1, names=HOSTILE), dense(784, 512, 10, last="softmax")), {"view": "layers"})],
    "derivatives": [((dense(1, 3, 2),), {"domain": (-2, 2)}), ((dense(2, 4, 2, last="softmax"),), {"domain": (-1, 1)}),
                    ((dense(1, 5, 1, activation="tanh"), dense(1, 9, 1)), {"domain": (0, 1)})],
    "weights": [((dense(1, 1),), {}), ((dense(3, 40, 40, 2),), {}), ((dense(2, 9, 1), dense(2, 9, 4)), {})],
    "errors": [((dense(1, 3, 1),), {"domain": (0, 1), "digits": 1}),
               ((dense(2, 3, 2),), {"domain": (0, 1), "form": "taylor", "seconds": 0.2}),
               ((dense(5, 3, 1), dense(5, 4, 1)), {"domain": (0, 1), "form": "taylor", "seconds": 0.2})],
}  # fmt: skip
EVERY = [(kind, *case) for kind, cases in CASES.items() for case in cases]


def illegible(picture: Picture) -> list[str]:
    """Find panels and texts that are cut off at the edge of the picture, and texts too small to be read."""
    picture.draw_without_rendering()
    width, height = picture.bbox.width, picture.bbox.height
    parts = [(axes.get_title(loc="left") or axes.get_ylabel() or "a panel", axes) for axes in picture.axes]
    parts += [(text.get_text(), text) for text in picture.texts]
    boxes = [(name, part.get_tightbbox()) for name, part in parts]
    cut = [
        name for name, box in boxes
        if box is not None and (box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1)
    ]  # fmt: skip
    texts = [text for text in picture.findobj(Text) if isinstance(text, Text) and text.get_text().strip()]
    return cut + [text.get_text() for text in texts if text.get_visible() and text.get_fontsize() < 4.5]


def collisions(picture: Picture) -> list[tuple[str, str]]:
    """Find pairs of texts that lie over one another by more than a hair, in a picture that is laid out."""
    shown: list[Text] = []
    with patch.object(Text, "draw", autospec=True, side_effect=lambda text, _: shown.append(text)):
        picture.draw_without_rendering()
    found = [
        (text.get_text(), text.get_window_extent().padded(-1.5))
        for text in dict.fromkeys(shown)
        if text.get_text().strip() and text.get_visible()
    ]
    pairs = itertools.combinations(found, 2)
    return [(one, two) for (one, here), (two, there) in pairs if here.overlaps(there)]


def test_the_kinds_are_all_drawn() -> None:
    assert set(CASES) == set(KINDS)
    assert all(len(cases) >= 3 for cases in CASES.values())


@pytest.mark.parametrize(("kind", "networks", "given"), EVERY)
def test_every_kind_is_legible(kind: str, networks: tuple[Network, ...], given: dict[str, Any]) -> None:
    before = dict(mpl.rcParams)
    picture = nn2eq.plot(networks, kind, **given)
    assert dict(mpl.rcParams) == before
    assert not illegible(picture)
    picture.set_layout_engine("none")  # it is laid out: twice would take as long again
    assert not collisions(picture)
    root = ElementTree.fromstring(picture.saved("svg"))
    texts = ["".join(part.itertext()).strip() for part in root.iter("{http://www.w3.org/2000/svg}text")]
    assert len(texts) > 3
    assert not any(part.get("id", "").startswith("DejaVu") for part in root.iter()), (
        "a letter is drawn as a path"
    )
    if kind not in ("weights", "projection") and given.get("view") != "layers":
        for name in networks[0].input_names:
            assert any(plain(name, 12)[:9] in text for text in texts), (name, texts)


@pytest.mark.parametrize("kind", KINDS)
def test_both_themes_colour_everything(kind: str) -> None:
    networks, given = CASES[kind][0]
    found = [nn2eq.plot(networks, kind, theme=name, **given) for name in THEMES]
    for picture, theme in zip(found, THEMES.values(), strict=True):
        assert mpl.colors.to_hex(picture.get_facecolor()) == theme.paper
        for text in picture.findobj(Text):
            assert isinstance(text, Text)
            if text.get_text().strip():
                assert contrast(mpl.colors.to_hex(text.get_color()), theme.paper) >= 4.5, text


def test_what_cannot_be_read_is_seen() -> None:
    picture = nn2eq.plot(dense(1, 3, 1), "function", domain=(0, 1))
    picture.text(0.99, 0.5, "cut off")
    picture.text(0.5, 0.5, "tiny", fontsize=3)
    assert illegible(picture) == ["cut off", "tiny"]
    assert not collisions(nn2eq.plot(dense(1, 3, 1), "function", domain=(0, 1)))
    picture.text(0.5, 0.505, "over it")
    assert ("tiny", "over it") in collisions(picture)


@pytest.mark.parametrize("domain", [(1, 1 + 1e-9), (-1e12, 3e12), (-1e-3, 1e-3), (0, 2)])
def test_ticks_and_the_name_beside_them_say_where_they_are(domain: tuple[float, float]) -> None:
    picture = nn2eq.plot(dense(1, 5, 1, activation="tanh"), "function", domain=domain)
    picture.draw_without_rendering()
    axis = picture.axes[0].xaxis
    named = re.fullmatch(r"x(?: ([−+]) (\S+))?(?: \(10(\S+)\))?", axis.get_label_text())
    assert named, axis.get_label_text()
    sign, aside, power = named.groups(default="")
    from_there = float(aside or 0) * (1 if sign == "−" else -1)
    scale = 10.0 ** int(
        "".join("0123456789"["⁰¹²³⁴⁵⁶⁷⁸⁹".index(sign)] if sign != "⁻" else "-" for sign in power) or 0
    )
    for place, label in zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True):
        said = float(label.get_text().replace("−", "-"))
        assert said * scale + from_there == pytest.approx(
            place, rel=1e-15, abs=1e-6 * (domain[1] - domain[0])
        )
        assert len(label.get_text()) <= 6


def luminance(colour: str) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return float(np.dot(parts, [0.2126, 0.7152, 0.0722]))


def contrast(one: str, two: str) -> float:
    """Return WCAG's contrast of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_everything_stands_out_from_the_paper(theme: Theme) -> None:
    assert contrast(theme.ink, theme.paper) >= 12
    assert contrast(theme.muted, theme.paper) >= 4.5
    for colour in (*theme.colours, theme.positive, theme.negative):
        assert contrast(colour, theme.paper) >= 3, colour
    for tint in theme.tints:
        assert contrast(theme.ink, tint) >= 4.5, tint
    for one, two in itertools.combinations(theme.tints[:3], 2):  # areas of classes, in grey
        assert contrast(one, two) >= 1.25, (one, two)
    for shade in np.linspace(*theme.shades, 9):
        assert contrast(mpl.colors.to_hex(mpl.colormaps[theme.ramp](shade)), theme.paper) >= 3
    assert contrast("#F0E442", THEMES["light"].paper) < 3  # yellow on white is what is seen here


def seen_with(matrix: Array, colour: str) -> Array:
    """Return a colour as someone without one kind of cones sees it, in linear light (Viénot, Brettel, Mollon 1999)."""
    linear = np.array(
        [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    )
    return np.asarray(np.clip(matrix @ linear, 0, 1) ** (1 / 2.2))


PROTANOPE = np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]])
DEUTERANOPE = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("eyes", [PROTANOPE, DEUTERANOPE], ids=["protanope", "deuteranope"])
def test_colours_are_told_apart_by_all_eyes(theme: Theme, eyes: Array) -> None:
    for one, two in itertools.combinations(theme.colours, 2):
        assert np.linalg.norm(seen_with(eyes, one) - seen_with(eyes, two)) > 0.12, (one, two)
    assert (
        np.linalg.norm(seen_with(eyes, "#ff0000") - seen_with(eyes, "#806000")) < 0.25
    )  # red and brown are not


def test_lines_and_signs_are_told_apart_in_grey(textbook: Network) -> None:
    picture = nn2eq.plot(dense(1, 4, 12, seed=2), "derivatives", domain=(-1, 1))
    shown = [
        (line.get_label(), line.get_color(), str(line._unscaled_dash_pattern))
        for axes in picture.axes[:3] for line in axes.lines[1:]
    ]  # fmt: skip
    assert len(shown) == len({name for name, _, _ in shown}) == 12
    for axes in picture.axes[:3]:
        assert len({(line.get_color(), str(line._unscaled_dash_pattern)) for line in axes.lines[1:]}) <= 5
    assert len({str(style_of(THEMES["light"], line)) for line in range(20)}) == 20
    assert len(set(map(str, DASHES))) == 4
    edges = nn2eq.plot(textbook, "diagram").axes[0].collections
    dashed = [pattern[1] is not None for part in edges for pattern in part.get_linestyle()]
    assert any(dashed)
    assert not all(dashed)


def test_names_are_plain_text_in_every_file(tmp_path: Path, tool: Callable[[str], str]) -> None:
    network = dense(1, 3, 1, names=("$x^2$ <&> {",))
    assert "$x^2$ &lt;&amp;&gt; {" in drawn(network, "function", "svg", domain=(0, 1)).decode()
    file = tmp_path / "f.pdf"
    file.write_bytes(drawn(network, "function", "pdf", domain=(0, 1)))
    said = subprocess.run(
        [tool("pdftotext"), str(file), "-"], capture_output=True, text=True, check=True
    ).stdout
    assert "$x^2$ <&> {" in said
    assert "model" in said
    fonts = subprocess.run([tool("pdffonts"), str(file)], capture_output=True, text=True, check=True).stdout
    assert "TrueType" in fonts
    assert "Type 3" not in fonts


@pytest.mark.parametrize("suffix", pictures.PICTURES)
def test_the_same_picture_is_the_same_file(suffix: str) -> None:
    network = dense(1, 3, 1)
    first, second = (drawn(network, "function", suffix, domain=(0, 1)) for _ in range(2))
    assert first == second
    assert first != drawn(network, "function", suffix, domain=(0, 2))


def test_a_picture_shows_itself_in_a_notebook_and_is_a_figure(textbook: Network, tmp_path: Path) -> None:
    picture = nn2eq.plot(textbook, "function", domain=(0, 2))
    assert picture._repr_png_().startswith(b"\x89PNG")
    picture.savefig(tmp_path / "f.svg")
    assert "<text" in (tmp_path / "f.svg").read_text()
    assert isinstance(picture, mpl.figure.Figure)


# ------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("kind", "networks", "given", "code", "said"),
    [
        ("pie", (dense(1, 1),), {}, "unknown-kind", "function, layers"),
        ("function", (dense(3, 2, 1),), {"domain": (0, 1)}, "kind-model", "has 3"),
        ("layers", (dense(2, 2, 1),), {"domain": (0, 1)}, "kind-model", "for 1 input"),
        ("layers", (dense(1, 2, 1), dense(1, 1)), {"domain": (0, 1)}, "kind-model", "of 1 network"),
        ("composition", (dense(1, 2, 1),), {"domain": (0, 1)}, "kind-model", "of 2 networks"),
        ("composition", (dense(1, 2), dense(1, 1)), {"domain": (0, 1)}, "kind-model", "1 output"),
        ("regions", (dense(1, 2, 1),), {"domain": (0, 1)}, "kind-model", "2 inputs"),
        ("regions", (dense(2, 2, 1, activation="tanh"),), {"domain": (0, 1)}, "not-piecewise-affine", "tanh"),
        ("regions", (dense(2, 1),), {"domain": (0, 1)}, "not-piecewise", "bends"),
        ("boundary", (dense(3, 1),), {"domain": (0, 1)}, "kind-model", "2 inputs"),
        ("boundary", (dense(2, 11),), {"domain": (0, 1)}, "kind-model", "11 classes"),
        ("boundary", (dense(2, 3),), {"domain": (0, 1), "threshold": 0.5}, "option-kind", "one output"),
        ("projection", (dense(3, 1),), {"domain": (0, 1)}, "kind-model", "no hidden layer"),
        ("projection", (dense(3, 1, 1),), {"domain": (0, 1)}, "kind-model", "a1_1"),
        ("projection", (dense(3, 4, 1),), {"domain": (0, 1), "units": "a1_1,a9_9"}, "units", "a9_9"),
        ("projection", (dense(3, 4, 1),), {"domain": (0, 1), "units": "a1_1"}, "units", "two or three"),
        ("projection", (dense(3, 4, 1, last="sigmoid"),), {"domain": (0, 1), "threshold": 2.0}, "threshold", "2"),
        ("diagram", (dense(3, 4, 1),), {"path": "a7_1"}, "path", "a7_1"),
        ("diagram", (dense(3, 4, 1),), {"path": "a1_1", "view": "layers"}, "option-kind", "--path"),
        ("diagram", (dense(3, 4, 1),), {"view": "all"}, "usage", "units, layers"),
        ("diagram", (dense(3, 4, 1),), {"domain": (0, 1)}, "option-kind", "--domain"),
        ("derivatives", (dense(3, 4, 1),), {"domain": (0, 1)}, "kind-model", "has 3"),
        ("weights", (dense(3, 4, 1),), {"form": "taylor"}, "option-kind", "--form"),
        ("errors", (dense(1, 1),), {"domain": (0, 1)}, "kind-model", "--form"),
        ("errors", (dense(1, 1),), {"domain": (0, 1), "form": "pie"}, "unknown-form", "pie"),
        ("function", (dense(1, 1),), {"domain": (0, 1), "form": "matrix", "order": 2}, "option-form", "--order"),
        ("function", (dense(1, 1),), {"domain": (0, 1), "order": 2}, "option-form", "--form"),
        ("function", (dense(1, 1),), {}, "domain", "--domain"),
        ("function", (dense(1, 1),), {"domain": (1, 1)}, "domain", "width"),
        ("function", (dense(1, 1),), {"data": np.ones((3, 4))}, "data", "(3, 4)"),
        ("function", (dense(1, 1), dense(2, 1)), {"domain": (0, 1)}, "kind-model", "differ"),
        ("function", (dense(1, 30),), {"domain": (0, 1)}, "too-large", "30"),
        ("function", (dense(1, 1),), {"domain": (0, 1), "theme": "pink"}, "usage", "light, dark"),
    ],
)  # fmt: skip
def test_what_a_kind_is_not_for_is_refused(
    kind: str, networks: tuple[Network, ...], given: dict[str, Any], code: str, said: str
) -> None:
    with pytest.raises(Nn2eqError) as caught:
        nn2eq.plot(networks, kind, **given)
    assert caught.value.code == code
    assert said in str(caught.value)


def run(*args: object) -> int:
    with pytest.raises(SystemExit) as done:
        main(["plot", *map(str, args)])
    return int(done.value.code or 0)


def test_the_command_writes_whole_files_or_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, file = MODELS / "dense_1-3-3-1_relu.keras", tmp_path / "a b.svg"
    given = (model, "--kind", "function", "--domain")
    assert run(*given, "0:2", "-o", file) == 0
    assert capsys.readouterr() == ("", "")
    whole = file.read_bytes()
    assert whole == drawn(nn2eq.read(model), "function", "svg", domain=(0, 2))
    assert run(*given, "2:0", "-o", file) == 2
    assert "[domain]" in capsys.readouterr().err
    for name in ("f.gif", "f", "f.dot", "no/f.png"):
        assert run(*given, "0:2", "-o", tmp_path / name) == 2
        assert "[output]" in capsys.readouterr().err
    assert file.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["a b.svg"]


def test_the_command_draws_what_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, file = MODELS / "dense_2-3-1_sigmoid.keras", tmp_path / "f.svg"
    given = (model, "--domain=-1:1", "-o", file, "--threshold", 0.9, "--kind")
    assert run(*given, "boundary", "--inputs", "a,b", "--theme", "dark") == 0
    network = nn2eq.read(model)
    named = replace(network, input_names=("a", "b"))
    told: dict[str, Any] = {"domain": (-1, 1), "threshold": 0.9, "theme": "dark"}
    assert file.read_bytes() == drawn(named, "boundary", "svg", **told)
    assert run(*given, "boundary", "--decide-on", "z") == 2
    assert "--decide-on means nothing to --kind boundary" in capsys.readouterr().err
    assert run(*given, "function") == 0


def test_without_matplotlib_a_diagram_is_still_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "find_spec", lambda name: None)
    with pytest.raises(Nn2eqError, match=r"nn2eq\[plot\]") as caught:
        nn2eq.plot(dense(1, 1), "diagram")
    assert caught.value.code == "no-matplotlib"
    assert drawn(dense(1, 1), "diagram", "dot").startswith(b"digraph")
