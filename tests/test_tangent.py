"""Derivatives of formulas, against differences of the formulas themselves; those of coupled rows likewise."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from activation_laws import exact, examples, name
from numpy.typing import NDArray

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.tangent import simplified, slope, tangent

Array = NDArray[np.float64]
STEP = 1e-6
SMOOTH = [chosen for chosen in examples() if not chosen.row.coupled]
COUPLED = [chosen for chosen in examples() if chosen.row.coupled]
EVERY_RULE = (
    "x + 2*x - 3", "x * x / (x + 3)", "-x**3", "exp(x) + expm1(2*x)", "log(x + 3) + log1p(x) + log10(x + 2)",
    "tanh(x)", "sqrt(x + 2)", "erf(x)", "abs(x) * x", "max(x, x**2)", "min(x, 2*x)", "where(x > 0, x, x**2)",
    "sum(x[j]**2 for j in units) * x",
)  # fmt: skip


@pytest.mark.parametrize("text", EVERY_RULE)
def test_a_tangent_is_the_difference(text: str) -> None:
    node, x = fm.parse(text), np.array([-0.7, 0.3, 0.9])
    move = np.array([1.0, -0.5, 0.25])
    above, below = (fm.evaluate(node, {"x": x + sign * STEP * move}) for sign in (1, -1))
    found = fm.evaluate(tangent(node, {"x": "t"}), {"x": x, "t": move})
    np.testing.assert_allclose(found, (above - below) / (2 * STEP), rtol=1e-8, atol=1e-8)


def test_what_has_no_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="largest"):
        tangent(fm.parse("max(x[j] for j in units)"), {"x": "t"})
    with pytest.raises(ValueError, match="power"):
        tangent(fm.parse("2**x"), {"x": "t"})


def test_what_says_nothing_is_dropped() -> None:
    assert simplified(fm.parse("1*x + 0*y - 0")) == fm.name("x")
    assert simplified(fm.parse("where(1 > 0, x, y)")) == fm.name("x")
    assert simplified(fm.parse("0 - x*1")) == fm.Node("neg", (fm.name("x"),))


@pytest.mark.parametrize("activation", SMOOTH, ids=name)
def test_a_second_derivative_is_that_of_the_formula(activation: Activation) -> None:
    """Between breakpoints, against mpmath's difference of the textbook formula in 450 digits."""
    derivative = activation.derivative
    assert derivative is not None
    second = slope(derivative, "z", {"a": derivative})
    for z in (-2.3, -0.7, 0.2, 0.3, 1.7, 4.0):
        if not activation.domain[0] < z < activation.domain[1]:
            continue
        if any(abs(z - place) < 1e-3 for place in activation.breakpoints):
            continue
        found = fm.evaluate(second, {"z": z, "a": activation(np.array([z]))})
        assert float(found.ravel()[0]) == pytest.approx(_second(activation, z), rel=1e-11, abs=1e-13)


def _second(activation: Activation, z: float) -> float:
    with mpmath.workdps(450):
        step = mpmath.mpf(10) ** -100
        low, middle, high = (exact(activation.formula, {"z": mpmath.mpf(z) + k * step}) for k in (-1, 0, 1))
        return float((high - 2 * middle + low) / step**2)


def _sampled(activation: Activation) -> tuple[Array, Array, Array]:
    random = np.random.default_rng(1)
    z, move = random.normal(size=(2, 20, 6))
    return z, move, random.normal(size=(20, activation.outputs(6)))


def _values(activation: Activation, **arrays: Array) -> dict[str, Array]:
    if not activation.row.halves:
        return arrays
    (z, partner), (t, partner_t) = (np.split(arrays[key], 2, axis=-1) for key in ("z", "t"))
    return {**arrays, "z": z, "partner": partner, "t": t, "partner_t": partner_t}


def _pushed(activation: Activation, z: Array, move: Array) -> Array:
    found = fm.evaluate(activation.pushed, _values(activation, z=z, a=activation(z), t=move))
    return np.broadcast_to(found, (len(z), activation.outputs(z.shape[1])))


def _pulled(activation: Activation, z: Array, d: Array) -> Array:
    values = _values(activation, z=z, a=activation(z), t=z, d=d)
    return np.concatenate(
        [np.broadcast_to(fm.evaluate(node, values), d.shape) for node in activation.pulled], axis=-1
    )


def require_pushed(activation: Activation) -> None:
    z, move, _ = _sampled(activation)
    difference = (activation(z + STEP * move) - activation(z - STEP * move)) / (2 * STEP)
    np.testing.assert_allclose(_pushed(activation, z, move), difference, rtol=1e-7, atol=1e-8)


def require_pulled(activation: Activation) -> None:
    z, move, d = _sampled(activation)
    ahead = (_pushed(activation, z, move) * d).sum(axis=-1)
    back = (_pulled(activation, z, d) * move).sum(axis=-1)
    np.testing.assert_allclose(back, ahead, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", COUPLED, ids=name)
def test_what_coupled_answers_move_by_is_their_difference(activation: Activation) -> None:
    require_pushed(activation)


@pytest.mark.parametrize("activation", COUPLED, ids=name)
def test_slopes_by_units_are_what_the_moves_say(activation: Activation) -> None:
    require_pulled(activation)


def test_planted_errors_are_caught() -> None:
    softmax = next(chosen for chosen in COUPLED if chosen.row.name == "softmax")
    wrong = replace(softmax, row=replace(softmax.row, pushed="a * t", pulled=("a * d + d",)))
    with pytest.raises(AssertionError):
        require_pushed(wrong)
    with pytest.raises(AssertionError):
        require_pulled(wrong)


@pytest.mark.parametrize("activation", COUPLED, ids=name)
def test_second_derivatives_of_coupled_rows(activation: Activation) -> None:
    """The slopes by the units move, when the units do, as their formula's tangent says."""
    z, move, d = _sampled(activation)
    moves = {"z": "t", "partner": "partner_t", "a": "t_a"}
    t_a = _pushed(activation, z, move)
    values = _values(activation, z=z, a=activation(z), t=move, d=d, t_a=t_a)
    found = np.concatenate(
        [
            np.broadcast_to(fm.evaluate(simplified(tangent(node, moves)), values), d.shape)
            for node in activation.pulled
        ],
        axis=-1,
    )
    above, below = (_pulled(activation, z + sign * STEP * move, d) for sign in (1, -1))
    np.testing.assert_allclose(found, (above - below) / (2 * STEP), rtol=1e-6, atol=1e-7)
