"""The simplified form: never farther from its network than is proved, and much shorter."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from networks import dense, row
from numpy.typing import NDArray
from scipy.optimize import minimize

from nn2eq.cli.convert import convert as command
from nn2eq.domain import Domain, domain_of, known_domain
from nn2eq.emit import emit
from nn2eq.emit.header import read_header
from nn2eq.errors import BadRequest
from nn2eq.forms.characters import characters
from nn2eq.forms.coefficients import coefficients, vector, with_vector
from nn2eq.forms.distance import default_tolerance
from nn2eq.forms.program import Program
from nn2eq.forms.refitting import Fit, refitted
from nn2eq.forms.rounded import short
from nn2eq.forms.sensitivity import sensitivity
from nn2eq.forms.shortening import shortened
from nn2eq.forms.simplified import simplified
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.forms.taylor import taylor
from nn2eq.forms.units import compact, layers
from nn2eq.forms.work import Work
from nn2eq.network import Affine, Layer, Network
from nn2eq.proof.judge import judge
from nn2eq.reading import read

Array = NDArray[np.float64]
MODELS = Path(__file__).resolve().parent.parent / "models"
ROUNDING = 1e-12
NAMES = (
    "tanh",
    "relu",
    "sigmoid",
    "softplus",
    "gelu",
    "elu",
    "hard_sigmoid",
    "silu",
    "leaky_relu",
    "softsign",
)


def model(name: str) -> Network:
    return read(str(MODELS / f"dense_{name}.keras"))


def farthest(network: Network, program: Program, domain: Domain, seed: int = 0) -> float:
    """The largest distance that dense samples and SciPy's optimiser, started from the worst of them, find."""
    low, high = np.array(domain).T
    rng = np.random.default_rng(seed)
    x = rng.uniform(low, high, size=(4_000, len(low)))
    x[:16] = np.where(rng.random((16, len(low))) < 0.5, low, high)
    apart = np.abs(program.evaluate(x) - network.evaluate(x)).max(axis=1)

    def negative(point: Array) -> float:
        inside = np.clip(point, low, high)[None]
        return -float(np.abs(program.evaluate(inside) - network.evaluate(inside)).max())

    worst = [
        -minimize(negative, x[place], method="Nelder-Mead", options={"maxfev": 120}).fun
        for place in np.argsort(-apart)[:2]
    ]
    return float(max(apart.max(), *worst))


def require_proved(network: Network, program: Program, seed: int = 0) -> None:
    """Fail if the program is somewhere farther from its network than it says is proved."""
    seen = farthest(network, program, program.domain, seed)
    scale = 1.0 + float(np.abs(network.evaluate(np.array(program.domain).T)).max())
    assert seen <= program.proved + ROUNDING * scale
    assert program.observed <= program.proved


def any_network(seed: int) -> tuple[Network, Domain]:
    rng = np.random.default_rng(seed)
    inputs = int(rng.integers(1, 4))
    sizes = [inputs, *(int(k) for k in rng.integers(2, 6, size=rng.integers(1, 3))), int(rng.integers(1, 3))]
    names = [NAMES[k] for k in rng.integers(0, len(NAMES), size=len(sizes) - 2)]
    network = dense(sizes, [*names, "linear"], seed=seed, scale=float(10 ** rng.uniform(-0.5, 0.5)))
    centre, radius = rng.normal(size=inputs), 10.0 ** rng.uniform(-0.7, 0.4, size=inputs)
    return network, domain_of(np.stack([centre - radius, centre + radius], axis=1), inputs)


def require_simplified(seed: int) -> None:
    network, domain = any_network(seed)
    tolerance = [0.0, None, 0.01, 0.1][seed % 4]
    program = simplified(network, tolerance, domain, seconds=0.5)
    assert program.domain == domain
    require_proved(network, program, seed)
    if tolerance:
        assert program.proved <= tolerance
    if tolerance == 0.0:
        low, high = np.array(domain).T
        x = np.random.default_rng(seed).uniform(low, high, size=(2_000, network.inputs))
        expected = network.evaluate(x)
        assert np.abs(program.evaluate(x) - expected).max() <= 1e-12 * (1.0 + np.abs(expected).max())


@pytest.mark.parametrize("chunk", range(5))
def test_random_networks_are_never_farther_than_proved(chunk: int) -> None:
    for seed in range(6 * chunk, 6 * (chunk + 1)):
        require_simplified(seed)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(20))
def test_hundreds_of_networks_are_never_farther_than_proved(chunk: int) -> None:
    for seed in range(1000 + 20 * chunk, 1000 + 20 * (chunk + 1)):
        require_simplified(seed)


def test_a_bound_that_is_too_small_is_caught() -> None:
    network, domain = model("1-3-2-1_tanh"), ((-1.0, 1.0),)
    program = simplified(network, 0.01, domain, seconds=4.0)
    require_proved(network, program)
    seen = farthest(network, program, domain)
    wrong = replace(program, proved=0.99 * seen, observed=0.0)
    with pytest.raises(AssertionError):
        require_proved(network, wrong)
    text = "\n".join(["# nn2eq 0.1.0: the network of 'a.keras' as numpy, simplified form",
                      "# function: predict", "# domain: -1.0:1.0", f"# proved error: {0.5 * seen!r}",
                      emit(program, "numpy")])  # fmt: skip
    assert not judge(network, text).holds
    assert judge(network, text.replace(repr(0.5 * seen), repr(program.proved))).holds


def length(program: Program) -> int:
    """Characters of LaTeX, the comments in front not counted."""
    return sum(len(line) for line in emit(program, "latex").splitlines(keepends=True) if line[0] != "%")


def test_the_shipped_fit_is_a_formula_of_a_hundred_and_fifty_characters() -> None:
    network = model("1-10-2-1_tanh")
    program = simplified(network, 1e-3, (-1.0, 1.0), seconds=60.0)
    require_proved(network, program)
    assert program.proved <= 1e-3
    assert length(program) <= 150
    assert length(nested(network)) > 1_200


@pytest.mark.parametrize("name", ["1-5-1_sigmoid", "2-3-1_sigmoid"])
def test_a_slower_machine_finds_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, clock = model(name), time.monotonic
    usual = emit(simplified(network, domain=domain_of((-1.0, 1.0), network.inputs), seconds=4.0), "numpy")
    monkeypatch.setattr(time, "monotonic", lambda: 3.0 * clock())
    slower = emit(simplified(network, domain=domain_of((-1.0, 1.0), network.inputs), seconds=4.0), "numpy")
    assert slower == usual


def test_work_is_taken_from_the_whole_and_ends_a_search() -> None:
    whole = Work(1.0)
    part = whole.part(0.25)
    part.spend(0.5)
    assert part.is_done
    assert not whole.is_done
    assert whole.left == 0.5
    fit = Fit(model("1-5-1_sigmoid"), ((-1.0, 1.0),), Work(0.0))
    assert fit.is_over
    program = nested(fit.network)
    np.testing.assert_array_equal(vector(refitted(program, fit)), vector(program))


def test_the_default_tolerance_is_a_thousandth_of_the_range_in_two_digits() -> None:
    network = model("1-3-2-1_tanh")
    answers = network.evaluate(np.linspace(-1, 1, 2001)[:, None])
    found = default_tolerance(network, ((-1.0, 1.0),), 5.0)
    assert float(f"{found:.1e}") == found
    assert 0.9e-3 * np.ptp(answers) < found <= 1.01e-3 * np.ptp(answers)
    assert default_tolerance(network, ((-1.0, 1.0),), 1e-9) >= found  # proved at once, though less sharp


@pytest.mark.parametrize(
    "name", ["1-5-1_sigmoid", "1-3-3-1_relu", "2-3-1_sigmoid", "4-6-3_tanh_softmax_normalization"]
)
def test_shipped_models_become_shorter(name: str) -> None:
    network = model(name)
    domain = known_domain(network) or domain_of((-1.0, 1.0), network.inputs)
    program = simplified(network, domain=domain, seconds=8.0 if network.inputs > 2 else 60.0)
    require_proved(network, program)
    assert length(program) < 0.8 * min(length(nested(network)), length(layered(network)))


def test_a_planted_small_unit_is_left_out_and_equal_ones_are_merged() -> None:
    kernel, bias = np.array([[2.0, 2.001, -1.3, 0.7]]), np.array([0.5, 0.5, 0.9, -0.1])
    out = np.array([[1.0], [0.8], [1e-4], [-0.9]])
    first = Layer("one", "Dense", (4,), (Affine(kernel, bias), row("tanh")))
    changed = Network((first, Layer("two", "Dense", (1,), (Affine(out),))), (1,))
    program = simplified(changed, 0.01, (-1.0, 1.0), seconds=4.0)
    require_proved(changed, program)
    assert program.predict.steps[0].out.size <= 2


def test_without_a_domain_only_what_changes_nothing_is_left_out() -> None:
    network = model("1-3-3-1_relu")
    program = simplified(network)
    assert program.exact
    assert math.isnan(program.proved)
    x = np.linspace(-50.0, 50.0, 4_001)[:, None]
    np.testing.assert_allclose(program.evaluate(x), network.evaluate(x), rtol=1e-12, atol=1e-12)
    assert sum(c.data.size for c in coefficients(program)) < sum(
        c.data.size for c in coefficients(nested(network))
    )


def test_what_cannot_be_is_refused() -> None:
    network = dense([2, 3, 1], ["tanh", "linear"])
    with pytest.raises(BadRequest, match="needs a domain"):
        simplified(network, 0.1)
    with pytest.raises(BadRequest, match="tolerance"):
        simplified(network, -0.1, (-1.0, 1.0))
    with pytest.raises(BadRequest, match="this network has 2 inputs"):
        simplified(network, 0.1, [(-1, 1)] * 3)


@pytest.mark.parametrize("language", ["latex", "numpy", "python", "sympy", "json"])
def test_the_command_writes_it_and_check_holds_it_to_its_bound(language: str, tmp_path: Path) -> None:
    path, file = str(MODELS / "dense_1-5-1_sigmoid.keras"), tmp_path / "text"
    told = [
        path,
        "--form",
        "simplified",
        "-f",
        language,
        "--domain=-1:1",
        "--tolerance",
        "0.01",
        "-o",
        str(file),
    ]
    run = CliRunner().invoke(command, told, catch_exceptions=False)
    assert run.exit_code == 0
    header = read_header(file.read_text())
    assert header is not None
    assert header.domain == ((-1.0, 1.0),)
    assert header.tolerance == 0.01
    assert header.proved is not None
    assert header.observed is not None
    assert header.observed <= header.proved <= 0.01
    assert judge(read(path), file.read_text()).holds


# ------------------------------------------------------------------------------------------ the parts


@pytest.mark.parametrize("names", [("tanh", "softmax"), ("gelu", "layer_normalization"), ("glu", "sigmoid")])
def test_sensitivities_are_central_differences(names: tuple[str, str]) -> None:
    program = matrix(dense([3, 6, 4, 2], [*names, "linear"], seed=1))
    x, numbers = np.random.default_rng(0).normal(size=(7, 3)), vector(program)
    found = sensitivity(program, x)
    for place in range(len(numbers)):
        step = np.zeros(len(numbers))
        step[place] = 1e-6
        ends = [with_vector(program, numbers + sign * step).evaluate(x) for sign in (1.0, -1.0)]
        np.testing.assert_allclose(found[:, :, place], (ends[0] - ends[1]) / 2e-6, atol=1e-7)


def test_the_sensitivity_of_a_polynomial_is_its_monomials() -> None:
    program = taylor(dense([2, 5, 2], ["tanh", "linear"], seed=3), 3, at=[0.5, -0.25])
    x, numbers = np.random.default_rng(0).normal(size=(5, 2)), vector(program)
    product = np.einsum("nok,k->no", sensitivity(program, x), numbers)
    np.testing.assert_allclose(product, program.evaluate(x), rtol=1e-12)


def test_refitting_finds_the_least_worst_error_of_a_line() -> None:
    # The line nearest to a convex function is parallel to its chord (Chebyshev); of exp on [-1, 1] it is off by
    # (chord - s + s log s) / 2 with s the chord's slope.
    network = Network((Layer("exp", "Activation", (1,), (row("exponential"),)),), (1,))
    line = taylor(network, 1, at=[0.0])
    slope = (math.e - 1 / math.e) / 2
    best = (math.e - slope - slope + slope * math.log(slope)) / 2
    fitted = refitted(line, Fit(network, ((-1.0, 1.0),)), rounds=3, sharp=60)
    x = np.linspace(-1, 1, 20_001)[:, None]
    assert np.abs(fitted.evaluate(x) - network.evaluate(x)).max() == pytest.approx(best, rel=0.01)


@pytest.mark.parametrize("compensated", [False, True])
def test_shortened_numbers_stay_within_what_is_allowed(compensated: bool) -> None:
    network = model("1-3-2-1_tanh")
    fit = Fit(network, ((-1.0, 1.0),))
    for allowed in (1e-1, 1e-3, 1e-6):
        found = shortened(nested(network), fit, allowed, compensated=compensated)
        assert found is not None
        assert fit.worst(found) <= allowed
        assert characters(found) < characters(nested(network))
    wrong = with_vector(nested(network), vector(nested(network)) * 1.5)
    assert shortened(wrong, fit, 1e-3, compensated=compensated) is None


def test_the_shortest_decimal_is_found() -> None:
    assert short(0.12345, 0.0) == 0.12345
    assert short(0.12345, 0.0005) == 0.123
    assert short(-1234.5, 40.0) == -1200.0
    assert short(0.9996, 0.001) == 1.0
    assert short(0.001, 0.002) == 0.0


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("1-10-2-1_tanh", nested),
        ("1-10-2-1_tanh", layered),
        ("2-3-1_sigmoid", nested),
        ("1-3-3-1_relu", layered),
        ("4-6-3_tanh_softmax_normalization", layered),
        ("4-16-16-16-1_tanh", layered),
    ],
)
def test_characters_are_about_what_latex_has(name: str, form: Callable[[Network], Program]) -> None:
    program = form(model(name))
    assert characters(program) == pytest.approx(length(program), rel=0.25)


def test_of_a_coupled_layer_no_answer_is_cut_out() -> None:
    program = nested(dense([3, 6, 2], ["softmax", "linear"], seed=4))
    numbers = vector(program)
    numbers[3 * 6 + 6 + np.array([0, 1, 8, 9])] = 0.0  # nothing takes the answers 0 and 4
    thin = with_vector(program, numbers)
    found = compact(thin)
    x = np.random.default_rng(0).normal(size=(50, 3))
    np.testing.assert_allclose(found.evaluate(x), thin.evaluate(x), rtol=1e-13)
    assert characters(found) > 0


def test_a_compact_program_answers_the_same_with_fewer_units() -> None:
    network = dense([3, 6, 5, 2], ["tanh", "gelu", "linear"], seed=4)
    program = nested(network)
    numbers = vector(program)
    last, first = layers(program)
    numbers[first.unit(2)] = 0.0
    numbers[last.unit(0)] = numbers[last.unit(4)] = 0.0
    thin = with_vector(program, numbers)
    found = compact(thin)
    x = np.random.default_rng(0).normal(size=(50, 3))
    np.testing.assert_allclose(found.evaluate(x), thin.evaluate(x), rtol=1e-13)
    assert [step.out.size for step in found.predict.steps] == [5, 5, 3, 3, 2]
    constant = numbers.copy()
    constant[first.kernels[0][:, 1]] = 0.0
    settled = first.settled(constant)
    np.testing.assert_allclose(
        with_vector(program, settled).evaluate(x), with_vector(program, constant).evaluate(x), rtol=1e-13
    )
    assert not np.any(settled[first.unit(1)])
