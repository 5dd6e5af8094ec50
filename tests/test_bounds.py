"""Proved bounds hold: at dense samples and the worst points that are found, for every row many networks."""

from __future__ import annotations

import json
import time
from pathlib import Path

import mpmath
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import dense, row
from numpy.typing import NDArray
from test_series import exact

from nn2eq.activations import ROWS, Activation, activation, filled
from nn2eq.bounds import Bounds, bounds, charts
from nn2eq.bounds.relaxation import relax
from nn2eq.bounds.tape import of_network
from nn2eq.bounds.twins import may_jump
from nn2eq.bounds.walk import walk
from nn2eq.cli.bounds import bounds as command
from nn2eq.domain import default_domain, domain_of, parse_domain
from nn2eq.errors import BadRequest
from nn2eq.network import Affine, Layer, Network, Selected
from nn2eq.reading import read
from nn2eq.series import truncation

Array = NDArray[np.float64]
MODELS = Path(__file__).resolve().parent.parent / "models"
SCALAR = [name for name, each in ROWS.items() if not each.coupled]
EVERYWHERE = [name for name, each in ROWS.items() if each.domain == ("-inf", "inf") and name != "reciprocal"]
ROUNDING = 1e-12
"""What float64 may add to an answer beside which a bound of the real function is held."""


def places(name: str, count: int, seed: int = 0) -> Array:
    """Points of a row's domain, some of them on its breakpoints and beside."""
    low, high = row(name).domain
    found = np.random.default_rng(seed).normal(size=count) * 4.0
    corners = np.array(row(name).breakpoints or (0.5,))
    found[: 3 * len(corners)] = np.concatenate([corners, corners + 1e-9, corners - 1e-9])
    return np.clip(found, max(low, -20.0) + 1e-3, min(high, 20.0))


@pytest.mark.parametrize("name", SCALAR)
def test_a_chart_holds_what_sixty_digits_say(name: str) -> None:
    chart, points = charts.of(row(name)), places(name, 60)
    points = points[points != 0.0] if name == "reciprocal" else points
    values, errors = chart.value(points, chart.cells(points, points)[0])
    with mpmath.workdps(60):
        for point, value, error in zip(points, values, errors, strict=True):
            wanted = exact(row(name).formula, {"z": mpmath.mpf(point)})
            on_jump = chart.jumps and point in row(name).breakpoints
            assert on_jump or abs(wanted - value) <= error, point
            assert error < 1e-12 * max(1.0, abs(value)) or name == "reciprocal"


@pytest.mark.parametrize("degree", [0, 1, 3])
@pytest.mark.parametrize("name", SCALAR)
def test_a_relaxation_holds_the_function_and_its_slope(name: str, degree: int) -> None:
    each, chart = row(name), charts.of(row(name))
    middle = places(name, 300, seed=1)
    reach = 10.0 ** np.random.default_rng(2).uniform(-6, 1, size=300)
    low, high = np.maximum(middle - reach, each.domain[0] + 1e-3), np.minimum(middle + reach, each.domain[1])
    relaxed = relax(chart, low, high, degree)
    z = low + (high - low) * np.linspace(0.0, 1.0, 41)[:, None]
    values = each(z)
    s = (z - relaxed.middle) / relaxed.radius
    model = sum(p * s**k for k, p in enumerate(relaxed.polynomial))
    slack = ROUNDING * np.abs(values).max(axis=0)
    assert np.all(np.abs(values - model) <= relaxed.distance + slack)
    assert np.all((values >= relaxed.low - slack) & (values <= relaxed.high + slack))
    quotients = np.diff(values, axis=0) / np.diff(z, axis=0)
    slopes = relax(chart.derivative, low, high, degree)
    blur = 4e-15 * (1.0 + np.abs(values).max(axis=0)) / np.diff(z, axis=0).min(axis=0)
    if not chart.jumps:
        assert np.all((quotients >= slopes.low - blur) & (quotients <= slopes.high + blur))


def climbed(network: Network, low: Array, high: Array, sign: float, rng: np.random.Generator) -> Array:
    """Look for the largest outputs, sign times: samples with ends, then ever closer around the best."""
    best = np.full(network.outputs, -np.inf)
    points = rng.uniform(low, high, size=(200, len(low)))
    points[:32] = np.where(rng.random((32, len(low))) < 0.5, low, high)
    for closer in (0.2, 0.05, 0.01, 0.002):
        values = sign * network.evaluate(points)
        values[~np.isfinite(values)] = -np.inf  # beyond float64: nothing is seen there
        best = np.maximum(best, values.max(axis=0))
        around = points[values.sum(axis=1).argmax()]
        points = np.clip(around + closer * (high - low) * rng.normal(size=(60, len(low))), low, high)
    return sign * best


def require_holds(
    network: Network, low: Array, high: Array, proved: tuple[Array, Array], seed: int = 0
) -> None:
    """Fail if an answer inside the box lies outside what is proved of it."""
    rng = np.random.default_rng(seed)
    largest, smallest = climbed(network, low, high, 1.0, rng), climbed(network, low, high, -1.0, rng)
    slack = ROUNDING * (1.0 + np.abs(largest) + np.abs(smallest))
    assert np.all(proved[0] <= smallest + slack), (smallest, proved)
    assert np.all(proved[1] >= largest - slack), (largest, proved)


def any_network(seed: int) -> Network:
    """Make up a network: one to four inputs, one to three layers, any rows, weights of any size."""
    rng = np.random.default_rng(seed)
    depth, inputs = rng.integers(1, 4), rng.integers(1, 5)
    sizes = [int(inputs), *(2 * int(k) for k in rng.integers(1, 4, size=depth)), int(rng.integers(1, 3))]
    names = [EVERYWHERE[k] for k in rng.integers(0, len(EVERYWHERE), size=depth)]
    return dense(sizes, [*names, "linear"], seed=seed, scale=float(10 ** rng.uniform(-0.5, 0.7)))


def require_sound(seed: int) -> None:
    network, rng = any_network(seed), np.random.default_rng(seed)
    centre = rng.normal(size=(4, network.inputs))
    radius = np.repeat(10.0 ** rng.uniform(-4, 0.3, size=(4, 1)), network.inputs, axis=1)
    space = truncation(network.inputs, int(rng.integers(0, 4)))
    answer = walk(of_network(network), centre, radius, space, slopes=True).answer
    low, high = answer.value.range()
    assert answer.slope is not None
    steepest = answer.slope.range()
    jumps = any(may_jump(m) for m in network.maps if isinstance(m, Activation))
    for box in range(4):
        ends = centre[box] - radius[box], centre[box] + radius[box]
        require_holds(network, *ends, (low[box], high[box]), seed)
        if not jumps:
            require_steep(network, *ends, (steepest[0][box], steepest[1][box]), rng)


def require_steep(
    network: Network, low: Array, high: Array, slopes: tuple[Array, Array], rng: np.random.Generator
) -> None:
    """Fail if a quotient along an input, the mean of derivatives, lies outside what is proved of them."""
    starts = rng.uniform(low, high, size=(40, len(low)))
    for axis in range(len(low)):
        ends = starts.copy()
        ends[:, axis] = rng.uniform(low[axis], high[axis], size=40)
        step = (ends - starts)[:, axis : axis + 1]
        first, last = network.evaluate(starts), network.evaluate(ends)
        blur = 1e-13 * (1.0 + np.abs(first) + np.abs(last)) / np.abs(step)
        quotients = (last - first) / step
        seen = np.isfinite(quotients) & np.isfinite(blur)
        quotients, blur = np.where(seen, quotients, 0.0), np.where(seen, blur, np.inf)
        assert np.all(quotients >= slopes[0][axis] - blur), (quotients.min(axis=0), slopes[0][axis])
        assert np.all(quotients <= slopes[1][axis] + blur), (quotients.max(axis=0), slopes[1][axis])


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid", "ignore:divide")
@pytest.mark.parametrize("chunk", range(8))
def test_random_networks_stay_within(chunk: int) -> None:
    for seed in range(25 * chunk, 25 * (chunk + 1)):
        require_sound(seed)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid", "ignore:divide")
@pytest.mark.parametrize("chunk", range(40))
def test_thousands_of_networks_stay_within(chunk: int) -> None:
    for seed in range(1000 + 100 * chunk, 1000 + 100 * (chunk + 1)):
        require_sound(seed)


def test_a_bound_that_is_too_small_is_caught() -> None:
    network = dense([2, 6, 1], ["tanh", "linear"], seed=4)
    found = bounds(network, (-1.0, 1.0), jacobian=False)
    low, high, ends = found.outputs[0].low, found.outputs[0].high, (np.full(2, -1.0), np.full(2, 1.0))
    require_holds(network, *ends, (np.array([low]), np.array([high])))
    width = high - low
    for narrow in ((low, high - 0.01 * width), (low + 0.01 * width, high)):
        with pytest.raises(AssertionError):
            require_holds(network, *ends, (np.array([narrow[0]]), np.array([narrow[1]])))


SMALL = sorted(path.name for path in MODELS.glob("*.keras") if path.name.split("_")[1][:2] in ("1-", "2-"))


def require_proved(network: Network, found: Bounds) -> None:
    low, high = np.array(found.domain).T
    ends = (
        np.array([output.low for output in found.outputs]),
        np.array([output.high for output in found.outputs]),
    )
    require_holds(network, low, high, ends)
    rows = [
        np.array([[getattr(entry, key) for entry in line] for line in found.jacobian]).T
        for key in ("low", "high")
    ]
    require_steep(network, low, high, (rows[0], rows[1]), np.random.default_rng(0))


@pytest.mark.parametrize("name", SMALL)
def test_shipped_models_of_few_inputs_are_bounded_within_a_percent(name: str) -> None:
    network = read(str(MODELS / name))
    found = bounds(network, (-1.0, 1.0), seconds=20.0)
    require_proved(network, found)
    assert found.gap <= max(2e-3 * max(output.high - output.low for output in found.outputs), 1e-9)
    assert found.jacobian_gap <= max(
        2e-3 * max(e.high - e.low for line in found.jacobian for e in line), 1e-7
    )


def test_the_true_range_is_within_the_gap() -> None:
    network = read(str(MODELS / "dense_4-16-16-16-1_tanh.keras"))
    found = bounds(network, (-1.0, 1.0), gap=0.2, jacobian=False)
    high = climbed(network, np.full(4, -1.0), np.full(4, 1.0), 1.0, np.random.default_rng(0))
    assert found.gap <= 0.2
    assert found.outputs[0].high - 0.25 <= high[0] <= found.outputs[0].high


def test_stopping_early_proves_less_but_nothing_wrong() -> None:
    network = dense([6, 24, 24, 2], ["tanh", "relu", "linear"], seed=8, scale=3.0)
    told: list[tuple[float, float]] = []
    start = time.monotonic()
    found = bounds(network, (-1.0, 1.0), seconds=0.5, progress=lambda done, gap: told.append((done, gap)))
    assert time.monotonic() - start < 20.0  # the limit is looked at between rounds; machines differ
    require_proved(network, found)
    assert told
    assert found.gap > 0.0


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(0, 100)), min_size=2, max_size=2))
def test_any_box_of_two_inputs(sides: list[tuple[float, float]]) -> None:
    network = dense([2, 5, 4, 1], ["relu", "softplus", "linear"], seed=9)
    domain = [(low, low + width) for low, width in sides]
    found = bounds(network, domain, seconds=0.2)
    low, high = np.array(domain).T
    require_holds(network, low, high, (np.array([found.outputs[0].low]), np.array([found.outputs[0].high])))


def special(name: str) -> Network:
    """Networks with maps that `dense` does not make."""
    kernel = np.array([[1.0, -0.5], [0.3, 2.0]], dtype=np.float32)
    maps = {
        "prelu": (Affine(kernel), filled(ROWS["prelu"], {"alpha": np.array([0.1, -0.4])})),
        "selected": (Selected(activation("tanh"), (1,)), Affine(kernel, np.ones(2))),
        "repeated": (Affine(kernel[:1], None, 2), activation("sigmoid")),
        "diagonal": (Affine(kernel[0], kernel[1]), activation("gelu")),
        "grouped": (Affine(np.ones((2, 6)) * np.arange(6) / 5), filled(ROWS["softmax"], {}, groups=2)),
        "nothing": (),
    }[name]
    return Network(
        (Layer("all", "Custom", (6 if name == "grouped" else 4 if name == "repeated" else 2,), maps),), (2,)
    )


@pytest.mark.parametrize("name", ["prelu", "selected", "repeated", "diagonal", "grouped", "nothing"])
def test_every_kind_of_map_is_bounded(name: str) -> None:
    network = special(name)
    require_proved(network, bounds(network, [(-1.5, 2.0), (-1.0, 0.5)], seconds=2.0))


def test_where_a_function_ends_nothing_is_claimed() -> None:
    network = Network((Layer("log", "Custom", (1,), (row("log"),)),), (1,))
    assert bounds(network, (-1.0, 1.0), seconds=0.3).outputs[0].low == -np.inf
    inside = bounds(network, (0.5, 2.0)).outputs[0]
    assert inside.low == pytest.approx(np.log(0.5), abs=2e-3)
    assert inside.low <= np.log(0.5)


def test_domains_are_read_and_checked() -> None:
    assert parse_domain("-1:1", ["a", "b"]) == ((-1.0, 1.0), (-1.0, 1.0))
    assert parse_domain("b=0:5,a=-1:1", ["a", "b"]) == ((-1.0, 1.0), (0.0, 5.0))
    assert domain_of((0, 2), 1) == ((0.0, 2.0),)
    for wrong in ("1:-1", "a=0:1", "-1", "a=0:1,a=0:2", "c=1:2", "nan:1", "0:inf"):
        with pytest.raises(BadRequest, match="domain"):
            parse_domain(wrong, ["a", "b"])
    with pytest.raises(BadRequest, match="this network has 2 inputs"):
        bounds(dense([2, 1], ["linear"]), [(0, 1)] * 3)


def test_a_normalization_says_where_the_data_are() -> None:
    network = read(str(MODELS / "dense_4-6-3_tanh_softmax_normalization.keras"))
    weights = network.layers[0].weights
    domain = np.array(default_domain(network))
    np.testing.assert_allclose(domain.mean(axis=1), weights["mean"].ravel(), rtol=1e-6)
    np.testing.assert_allclose(np.ptp(domain, axis=1), 6 * np.sqrt(weights["variance"]).ravel(), rtol=1e-6)
    rows = np.array([[0.0, 1.0], [2.0, -1.0]])
    assert default_domain(dense([2, 1], ["linear"]), rows) == ((0.0, 2.0), (-1.0, 1.0))
    with pytest.raises(BadRequest, match="give --domain or --data"):
        default_domain(dense([2, 1], ["linear"]))


def test_the_command_is_the_librarys_twin() -> None:
    model = str(MODELS / "dense_1-3-2-1_tanh.keras")
    run = CliRunner().invoke(command, [model, "--domain=-1:1", "--json"])
    said = json.loads(run.stdout)
    assert run.exit_code == 0
    assert list(said) == ["domain", "outputs", "jacobian", "gap"]
    assert said == bounds(read(model), (-1.0, 1.0)).as_dict()
    shown = CliRunner().invoke(command, [model, "--domain=-1:1"]).stdout.splitlines()[-2:]
    ends = [[float(word) for word in line.split()[1:]] for line in shown]
    for (low, high), exactly in zip(ends, (said["outputs"][0], said["jacobian"][0][0]), strict=True):
        assert low <= exactly["low"]  # rounding for people keeps what is proved
        assert high >= exactly["high"]
