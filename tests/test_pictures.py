"""Pictures over one input, and functions: what they show is what the network says, line by line."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from picture_networks import dense
from picture_parts import MODELS, Array, kinks, labelled, middles, shipped, xy

import nn2eq
from nn2eq.composition import compose
from nn2eq.errors import Nn2eqError
from nn2eq.forms.straight import matrix
from nn2eq.network import Network
from nn2eq.show.pictures.curves import joints
from nn2eq.show.pictures.theme import number
from nn2eq.show.pictures.truth import truth


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
