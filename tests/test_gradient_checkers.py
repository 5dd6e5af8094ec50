"""Derivatives at a point, and the checkers of derivatives against planted errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from networks import dense
from test_gradient import NETWORKS, differences

from nn2eq.conversion import Request, convert
from nn2eq.emit import emit
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest
from nn2eq.forms.gradient import gradient
from nn2eq.forms.program import Combine
from nn2eq.network import Affine, Layer
from nn2eq.proof.check import check
from nn2eq.proof.judge import judge
from nn2eq.scaling import in_original_units

# ---------------------------------------------------------------------------------------------- at a point


def test_the_plane_at_a_point_touches_the_network() -> None:
    network, at = NETWORKS["coupled"], np.array([0.2, -0.3, 0.5])
    plane = gradient(network, at=at)
    np.testing.assert_allclose(plane.evaluate(at[None]), network.evaluate(at[None]), rtol=1e-13)
    np.testing.assert_allclose(
        differences(plane.evaluate, at[None]), differences(network.evaluate, at[None]), rtol=1e-6
    )
    assert "the tangent plane at 0.2, -0.3, 0.5" in plane.notes


@pytest.mark.parametrize("language", ["numpy", "python", "json"])
def test_texts_of_a_plane_are_judged_as_such(language: str) -> None:
    network = NETWORKS["coupled"]
    conversion = convert(network, Request(language, "gradient", shape={"at": (0.2, -0.3, 0.5)}))
    assert conversion.agreement is not None
    assert conversion.agreement.holds
    assert judge(network, conversion.text).holds


def test_no_plane_where_there_is_no_derivative() -> None:
    network = in_original_units(dense((1, 1), ("linear",)), transform_input="x=log")
    with pytest.raises(BadRequest, match="no derivative"):
        gradient(network, at=0.0)
    with pytest.raises(BadRequest, match="second derivatives"):
        gradient(network, at=1.0, hessian=True)


# --------------------------------------------------------------------------------------------- its checkers


def test_a_wrong_slope_in_a_text_is_named() -> None:
    network = NETWORKS["tanh"]
    text = convert(network, Request("numpy", "gradient")).text
    wrong = text.replace("np.subtract(1.0, a1", "np.add(1.0, a1")
    assert wrong != text
    assert judge(network, text).holds
    agreement = judge(network, wrong)
    assert not agreement.holds
    assert agreement.spot is not None
    assert agreement.spot.output.startswith("dy/dx")
    assert "derivatives" in agreement.line()


def test_a_wrong_second_derivative_is_named() -> None:
    network = NETWORKS["tanh"]
    program = gradient(network, hessian=True)
    text = emit(program, "numpy")
    head, tail = text.split("def hessian", 1)
    agreement = check(
        network, head + "def hessian" + tail.replace("W1", "(1.01 * W1)", 1), "numpy", program=program
    )
    assert not agreement.holds
    agreement = check(
        network, head + "def hessian" + tail.replace("* W1", "* (1.01 * W1)", 1), "numpy", program=program
    )
    assert agreement.spot is not None
    assert agreement.spot.output.startswith("d2y/dx")


def test_a_wrong_rule_is_caught_by_series() -> None:
    """A text that says a wrong program agrees with it; the program does not agree with the network."""
    network = NETWORKS["tanh"]
    program = gradient(network)
    function = program.functions[1]
    steps = [
        replace(step, formulas=tuple(replace(node, op="+") for node in step.formulas))
        if isinstance(step, Combine) and step.out.name == "s1"
        else step
        for step in function.steps
    ]
    wrong = replace(program, functions=(program.predict, replace(function, steps=tuple(steps))))
    agreement = check(network, emit(wrong, "numpy"), "numpy", program=wrong)
    assert not agreement.holds
    assert agreement.link == "program and network"


@pytest.mark.parametrize("language", ["json", "latex", "python"])
def test_answers_beside_slopes_are_measured_as_answers(language: str) -> None:
    """Behind an activation an answer may be far smaller than the sum that it is the activation of."""
    network = dense((2, 3, 2), ("gelu", "tanh_shrink"))
    network = replace(network, layers=tuple(_without_bias(layer) for layer in network.layers))
    program = gradient(network, layout="layered")
    text = emit(program, language)
    agreement = check(network, text, language, program=program)
    assert agreement.holds, agreement.line()


def _without_bias(layer: Layer) -> Layer:
    first, *rest = layer.maps
    assert isinstance(first, Affine)
    return replace(layer, maps=(Affine(first.kernel), *rest))


def test_slopes_that_overflow_where_people_read_them_are_left_out() -> None:
    """A quotient of exponentials is no number at z = 1000, in a slope as in an answer."""
    network = dense((2, 3, 2), ("tanh", "softmax"), scale=1000.0)
    agreement = convert(network, Request(form="gradient", options=Options(activations="explicit"))).agreement
    assert agreement is not None
    assert agreement.holds, agreement.line()
    assert "overflows" in agreement.line()
