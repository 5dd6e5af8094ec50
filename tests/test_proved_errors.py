"""No proved error is below one that is seen: random networks, boxes, forms; at samples and where SciPy climbs."""

from __future__ import annotations

import numpy as np
import pytest
from networks import dense
from numpy.typing import NDArray
from scipy.optimize import minimize

from nn2eq.forms.distance import measured
from nn2eq.forms.monomials import placed, shared
from nn2eq.forms.program import Constant, Function, Polynomial, Program, Value
from nn2eq.forms.rounded import rounded
from nn2eq.forms.straight import layered, matrix
from nn2eq.forms.taylor import taylor
from nn2eq.network import Network
from nn2eq.proof.certificate import largest_distance
from nn2eq.series import truncation

Array = NDArray[np.float64]

ROWS = (
    "tanh",
    "sigmoid",
    "relu",
    "softplus",
    "gelu",
    "elu",
    "silu",
    "softmax",
    "leaky_relu",
    "softsign",
    "exponential",
)
SECONDS = 0.2
"""How long each is proved: what is proved by then must hold, sharp or not."""
ROUNDING = 1e-12


def worst(network: Network, program: Program, low: Array, high: Array, seed: int) -> float:
    """Look for the largest distance: at samples and corners, then uphill from the best by Nelder and Mead."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(low, high, (2000, len(low)))
    x[:64] = np.where(rng.random((64, len(low))) < 0.5, low, high)

    def distance(at: Array) -> Array:
        return np.abs(program.evaluate(at) - network.evaluate(at)).max(axis=1)

    found = distance(x)
    start = x[found.argmax()]
    climbed = minimize(
        lambda at: -distance(np.clip(at, low, high)[None])[0], start, method="Nelder-Mead", options={"maxfev": 120}
    )  # fmt: skip
    return float(max(found.max(), -climbed.fun))


def any_network(rng: np.random.Generator, seed: int) -> Network:
    depth, inputs = int(rng.integers(1, 3)), int(rng.integers(1, 4))
    sizes = [inputs, *(int(k) for k in rng.integers(2, 6, size=depth)), int(rng.integers(1, 3))]
    names = [ROWS[k] for k in rng.integers(0, len(ROWS), size=depth)]
    return dense(sizes, [*names, "linear"], seed=seed, scale=float(10 ** rng.uniform(-0.4, 0.4)))


def fitted(network: Network, low: Array, high: Array, rng: np.random.Generator) -> Program:
    """Make a polynomial, or a ratio of two, by plain least squares, in a basis out of two."""
    exponents = truncation(network.inputs, int(rng.integers(1, 4))).exponents
    x = rng.uniform(low, high, (400, network.inputs))
    centre, scale = (low + high) / 2, np.maximum((high - low) / 2, 1e-9)
    basis = str(rng.choice(["power", "chebyshev"]))
    below = np.zeros((len(exponents), network.outputs))
    below[0] = 1.0
    below[1:2] = rng.uniform(-0.3, 0.3)
    value, answer = (
        Value("x", tuple(f"x{k}" for k in range(network.inputs))),
        Value("y", tuple("uv"[: network.outputs])),
    )
    moved = Constant("x0", centre), Constant("s", scale)
    columns = []
    for row in exponents:  # each monomial as the program evaluates it
        one = Polynomial(Value("m", ("m",)), value, row[None], Constant("c", np.ones((1, 1))), *moved, basis)
        columns.append(_program(value, one).evaluate(x)[:, 0])
    design = np.stack(columns, axis=1)
    target = network.evaluate(x) * (design @ below)
    above = np.linalg.lstsq(design, target, rcond=None)[0]
    step = Polynomial(answer, value, exponents, Constant("c", above), *moved, basis, Constant("d", below))
    return _program(value, step)


def _program(x: Value, step: Polynomial) -> Program:
    return Program((Function("predict", (x,), (step.out,), (step,)),), "layered", "polynomial", exact=False)


def require_sound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = any_network(rng, seed)
    centre, radius = rng.normal(size=network.inputs), 10.0 ** rng.uniform(-2.5, 0.2)
    low, high = centre - radius, centre + radius
    box = tuple(zip(low.tolist(), high.tolist(), strict=True))
    made = (
        lambda: rounded((layered, matrix)[seed % 2](network), int(rng.integers(1, 5))),
        lambda: taylor(network, int(rng.integers(0, 5)), at=centre),
        lambda: fitted(network, low, high, rng),
    )[seed % 3]
    program = measured(network, made(), box, seconds=SECONDS)
    seen = worst(network, program, low, high, seed)
    size = 1.0 + np.abs(network.evaluate(centre[None])).max()
    assert seen <= program.proved + ROUNDING * size, (seed, seen, program.proved)
    assert program.observed <= program.proved
    assert seen <= largest_distance(network, program, box) + ROUNDING * size, seed  # by balls, in one piece


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid", "ignore:divide")
@pytest.mark.parametrize("chunk", range(6))
def test_random_errors_are_not_above_what_is_proved(chunk: int) -> None:
    for seed in range(30 * chunk, 30 * (chunk + 1)):
        require_sound(seed)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid", "ignore:divide")
@pytest.mark.parametrize("chunk", range(40))
def test_thousands_of_errors_are_not_above_what_is_proved(chunk: int) -> None:
    for seed in range(10_000 + 60 * chunk, 10_000 + 60 * (chunk + 1)):
        require_sound(seed)


def test_a_planted_bound_that_is_too_small_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    import test_proved_errors as here

    true = here.measured

    def planted(*args: object, **keywords: object) -> Program:
        from dataclasses import replace

        found = true(*args, **keywords)  # type: ignore[arg-type]
        return replace(found, proved=0.5 * found.observed, observed=0.0)

    monkeypatch.setattr(here, "measured", planted)
    with pytest.raises(AssertionError):
        here.require_sound(1)


def test_rows_are_shared_and_placed() -> None:
    one, two = np.array([[0, 0], [2, 0]]), np.array([[0, 1], [0, 0]])
    rows = shared([one, two])
    assert rows.tolist() == [[0, 0], [0, 1], [2, 0]]
    assert placed(two, np.array([5.0, 7.0]), rows).tolist() == [7.0, 5.0, 0.0]
