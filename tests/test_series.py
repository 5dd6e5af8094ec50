"""Power series: every row against fifty digits, networks along lines, conventions at breakpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from networks import dense, row
from numpy.typing import NDArray

from nn2eq import series
from nn2eq.activations import ROWS, Activation
from nn2eq.errors import BadRequest, TooLarge
from nn2eq.forms.taylor import expand
from nn2eq.formula import Node
from nn2eq.network import Affine, Network
from nn2eq.series import coefficients, fold, truncation

Array = NDArray[np.float64]
SCALAR = [name for name, each in ROWS.items() if not each.coupled]
COUPLED = [name for name, each in ROWS.items() if each.coupled]
ORDER = 8
TOLERANCE = 1e-12
"""Of the largest coefficient: fifty digits against sixteen, a few roundings a coefficient."""

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "**": lambda a, b: a ** (int(b) if b == int(b) else b), "neg": lambda a: -a,
    "exp": mpmath.exp, "expm1": mpmath.expm1, "log": mpmath.log, "log1p": mpmath.log1p,
    "log10": mpmath.log10, "tanh": mpmath.tanh, "sqrt": mpmath.sqrt, "erf": mpmath.erf,
    "abs": abs, "max": max, "min": min, "where": lambda c, a, b: a if c else b,
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


def exact(formula: Node, values: dict[str, Any]) -> Any:
    """Work a scalar formula out in mpmath."""

    def leaf(node: Node, _: tuple[str, ...]) -> Any:
        return mpmath.mpf(node.value) if node.op == "number" else values[node.value]

    return fold(formula, leaf, lambda op, args: _FUNCTIONS[op](*args))


def points(activation: Activation) -> list[float]:
    """Places on both sides of every breakpoint, and some elsewhere, inside the row's domain."""
    beside = [place + step for place in activation.breakpoints for step in (-0.11, 0.13)]
    low, high = activation.domain
    inside = [z for z in (-6.5, -1.3, -0.2, 0.45, 1.7, 5.0, *beside) if low < z < high and abs(z) > 0.01]
    return [z for z in inside if all(abs(z - place) > 0.01 for place in activation.breakpoints)]


def fifty_digits(activation: Activation, at: float, order: int) -> Array:
    """Differentiate the textbook formula again and again, in fifty digits."""
    with mpmath.workdps(50):
        found = mpmath.taylor(lambda z: exact(activation.formula, {"z": z}), mpmath.mpf(at), order)
        return np.array([float(value) for value in found])


def worst(found: Array, wanted: Array) -> float:
    return float(np.max(np.abs(found - wanted)) / max(1.0, np.max(np.abs(wanted))))


@pytest.mark.parametrize("name", SCALAR)
def test_coefficients_of_a_row_are_those_of_fifty_digits(name: str) -> None:
    activation = row(name)
    places = points(activation)
    found = coefficients(activation, np.array(places), ORDER)
    for place, column in zip(places, found.T, strict=True):
        assert worst(column, fifty_digits(activation, place, ORDER)) < TOLERANCE, place


def test_a_wrong_rule_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = series.RULES["tanh"]
    wrong = {
        **series.RULES,
        "tanh": lambda c, order: right(c, order) * (1.0 + 1e-10 * (np.arange(order + 1) == 5))[:, None],
    }
    monkeypatch.setattr(series, "RULES", wrong)
    with pytest.raises(AssertionError):
        test_coefficients_of_a_row_are_those_of_fifty_digits("tanh")


def along(network: Network, at: Array, direction: Array, order: int) -> Array:
    """Expand the outputs along a line in mpmath, layer by layer: (order + 1, outputs)."""

    def answer(t: Any) -> list[Any]:
        values = [mpmath.mpf(a) + t * mpmath.mpf(d) for a, d in zip(at, direction, strict=True)]
        for step in network.maps:
            if isinstance(step, Affine):
                assert step.bias is not None
                values = [
                    mpmath.fsum(v * float(w) for v, w in zip(values, step.kernel[:, k], strict=True))
                    + float(b)
                    for k, b in enumerate(step.bias)
                ]
            else:
                assert isinstance(step, Activation)
                values = applied(step, values)
        return values

    with mpmath.workdps(50):
        columns = [
            [float(c) for c in mpmath.taylor(lambda t, k=k: answer(t)[k], 0, order)]
            for k in range(network.outputs)
        ]
    return np.array(columns).T


def applied(activation: Activation, values: list[Any]) -> list[Any]:
    """Apply a row to numbers of mpmath, a coupled one too."""
    count = activation.outputs(len(values))

    def leaf_of(unit: int, indexed: dict[str, int]) -> Callable[[Node], Any]:
        def leaf(node: Node) -> Any:
            if node.op == "unit":
                return values[indexed[node.value[1]]]
            known = {
                "z": values[unit],
                "count": mpmath.mpf(len(values)),
                "partner": values[(unit + count) % len(values)],
            }
            return mpmath.mpf(node.value) if node.op == "number" else known[node.value]

        return leaf

    def work(node: Node, unit: int, indexed: dict[str, int]) -> Any:
        if node.op in ("sum", "largest"):
            parts = [work(node.args[0], unit, {**indexed, node.value: k}) for k in range(len(values))]
            return mpmath.fsum(parts) if node.op == "sum" else max(parts)
        if not node.args:
            return leaf_of(unit, indexed)(node)
        return _FUNCTIONS[node.op](*(work(arg, unit, indexed) for arg in node.args))

    return [work(activation.formula, unit, {}) for unit in range(count)]


@pytest.mark.parametrize("name", ["tanh", "gelu", "elu", *COUPLED])
def test_a_network_agrees_along_lines(name: str) -> None:
    network = dense(
        [3, 4, 4, 2], ["tanh", name, "linear"] if name != "glu" else ["tanh", "glu", "linear"], seed=3
    )
    at, order = np.array([0.3, -0.2, 0.5]), 4
    found, space = expand(network, at, order), truncation(3, order)
    for direction in np.random.default_rng(5).uniform(-1.0, 1.0, size=(3, 3)):
        weights = np.prod(direction**space.exponents, axis=1)
        line = np.array([(weights * (space.degrees == k)) @ found for k in range(order + 1)])
        assert worst(line, along(network, at, direction, order)) < 1e-10


def test_order_twenty_keeps_twelve_digits() -> None:
    network = dense([1, 10, 2, 1], ["tanh", "tanh", "linear"], seed=1, scale=2.0)
    found = expand(network, np.zeros(1), 20)
    wanted = along(network, np.zeros(1), np.ones(1), 20)
    assert np.max(np.abs(found - wanted)) <= 1e-12 * np.max(np.abs(wanted))


def test_products_are_those_of_polynomials(monkeypatch: pytest.MonkeyPatch) -> None:
    space = truncation(3, 3)
    a, b = np.random.default_rng(0).normal(size=(2, space.terms, 700))
    place = {tuple(powers): k for k, powers in enumerate(space.exponents.tolist())}
    wanted = np.zeros_like(a)
    for left, i in place.items():
        for right, j in place.items():
            k = place.get(tuple(x + y for x, y in zip(left, right, strict=True)))
            if k is not None:
                wanted[k] += a[i] * b[j]
    np.testing.assert_allclose(space.multiply(a, b), wanted, atol=1e-13)
    for at_once in (1, 50, 4_000_000):  # however many products are held at a time
        monkeypatch.setattr("nn2eq.series._AT_ONCE", at_once)
        np.testing.assert_allclose(space.multiply(a[:, :3], b[:, :3]), wanted[:, :3], atol=1e-13)


@pytest.mark.parametrize("name", ["sigmoid", "gelu"])
def test_an_order_of_two_hundred_is_finite_and_begins_as_one_of_twenty(name: str) -> None:
    network = dense([1, 4, 1], [name, "linear"], seed=1)
    found = expand(network, np.zeros(1), 200)
    np.testing.assert_allclose(found[:21], expand(network, np.zeros(1), 20), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "at", "value", "slope"),
    [("relu", 0.0, 0.0, 0.0), ("relu6", 6.0, 6.0, 1.0), ("thresholded_relu", 0.4, 0.0, 0.0),
     ("hard_shrink", -0.5, 0.0, 0.0), ("hard_shrink", 0.5, 0.0, 0.0), ("sigmoid", 0.0, 0.5, 0.25)],
)  # fmt: skip
def test_on_a_breakpoint_the_value_is_the_rows_own(name: str, at: float, value: float, slope: float) -> None:
    found = coefficients(row(name), np.array([at]), 2)[:, 0]
    assert found[:2].tolist() == [value, slope]


def test_what_cannot_be_expanded_is_refused() -> None:
    with pytest.raises(BadRequest, match="no Taylor series at this point"):
        expand(dense([1, 2], ["sqrt"], seed=2), np.array([-50.0]), 3)
    for inputs, order in ((200, 3), (1, 100_000), (4, 40), (10, 10**900)):
        with pytest.raises(TooLarge, match="coefficients"):
            truncation(inputs, order)
