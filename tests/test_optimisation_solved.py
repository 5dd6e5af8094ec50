"""Texts for optimisers and solvers are solved, and what comes out is the optimum: HiGHS, Ipopt, z3."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from latex_networks import affine, around, dense, of

from nn2eq.activations import activation
from nn2eq.conversion import Request, convert
from nn2eq.emit import emit
from nn2eq.emit.header import read_header
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, CannotEmit, Disagreement, Nn2eqError, UnsupportedModel
from nn2eq.forms.bigm import bigm
from nn2eq.forms.program import Program
from nn2eq.forms.straight import layered, matrix
from nn2eq.network import Affine as Map
from nn2eq.network import Network
from nn2eq.proof.check import check
from nn2eq.proof.judge import judge


@pytest.fixture(autouse=True)
def _installed() -> None:
    """Skip where what runs these texts is not installed; CI has everything."""
    for module in ("casadi", "pyomo", "highspy", "z3"):
        pytest.importorskip(module)


# ----------------------------------------------------------------------------------------------------------- solved


BOX = ((-1.0, 1.0), (-0.5, 2.0))


@cache
def grid() -> np.ndarray:
    ends = (np.linspace(low, high, 301) for low, high in BOX)
    return np.array(np.meshgrid(*ends)).reshape(2, -1).T


def model_of(of: Program) -> Any:
    """Return a Pyomo model with the network in a block of it, its inputs within the box."""
    from pyomo.environ import Block, ConcreteModel

    found: dict[str, Any] = {}
    exec(emit(of, "pyomo"), found)
    model = ConcreteModel()
    model.net = Block()
    found["add_network"](model.net)
    for k, (low, high) in enumerate(BOX, start=1):
        model.net.x[k].setlb(low)
        model.net.x[k].setub(high)
        model.net.x[k].set_value(0.1)
    return model


def largest_by_switches(network: Network) -> float:
    """Maximise the first output over the box: big-M, solved by HiGHS."""
    from pyomo.environ import Objective, SolverFactory, maximize, value

    model = model_of(bigm(network, BOX))
    model.goal = Objective(expr=model.net.y[1], sense=maximize)
    SolverFactory("appsi_highs").solve(model)
    return float(value(model.goal))


@pytest.mark.parametrize("hidden", ["relu", "leaky_relu"])
def test_big_m_finds_the_largest_answer(hidden: str) -> None:
    network = dense(2, 6, 5, 1, hidden=hidden)
    found, seen = largest_by_switches(network), float(network.evaluate(grid()).max())
    step = 2.5 / 300 * np.abs(np.gradient(network.evaluate(grid())[:, 0].reshape(301, 301))).max() * 300
    assert seen - 1e-6 <= found <= seen + step


def distance_to_a_square() -> Network:
    """Return max(|x1| - 1/2, 0) - |x2|, whose largest value in the box is 1/2, at x1 = ±1, x2 = 0."""
    parts = Map(
        np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]], np.float32), np.array([-0.5, -0.5, 0, 0], np.float32)
    )
    last = Map(np.array([[1.0], [1], [-1], [-1]], np.float32))
    return of(parts, activation("relu"), last, inputs=2, outputs=1)


def test_big_m_finds_a_known_optimum() -> None:
    assert largest_by_switches(distance_to_a_square()) == pytest.approx(0.5, abs=1e-9)


def queried(network: Network, question: str) -> str:
    """Return what z3 answers to a network's text with a question behind it."""
    import z3

    solver = z3.SolverFor("QF_LRA")
    box = "".join(
        f"(assert (and (>= x{k} {_real(low)}) (<= x{k} {_real(high)})))"
        for k, (low, high) in enumerate(BOX, 1)
    )
    solver.from_string(emit(layered(network), "smtlib") + box + question)
    return str(solver.check())


def _real(number: float) -> str:
    return f"(- {-number})" if number < 0 else str(number)


def test_a_question_that_no_input_answers_is_unsat() -> None:
    network = distance_to_a_square()
    assert queried(network, "(assert (> y 0.5))") == "unsat"
    assert queried(network, "(assert (>= y 0.5))") == "sat"
    assert queried(network, "(assert (< y (- 2.0)))") == "unsat"
    assert queried(network, "(assert (<= y (- 2.0)))") == "sat"


def test_z3_proves_that_the_optimum_of_highs_is_one() -> None:
    network = dense(2, 6, 5, 1, hidden="relu")
    found = largest_by_switches(network)
    assert queried(network, f"(assert (> y {found + 1e-6:.9f}))") == "unsat"
    assert queried(network, f"(assert (> y {found - 1e-6:.9f}))") == "sat"


def test_the_full_space_of_a_smooth_network_is_solved_by_ipopt(tmp_path: Path) -> None:
    """Pyomo writes the problem as .nl, CasADi reads it and has its Ipopt solve it."""
    import casadi
    from pyomo.environ import Objective, value

    network = dense(2, 6, 1)
    model = model_of(matrix(network))
    model.goal = Objective(expr=model.net.y[1])
    model.write(str(tmp_path / "model.nl"))
    problem = casadi.NlpBuilder()
    problem.import_nl(str(tmp_path / "model.nl"), {})
    parts = {"x": casadi.vertcat(*problem.x), "f": problem.f, "g": casadi.vertcat(*problem.g)}
    quiet = {"ipopt.print_level": 0, "ipopt.sb": "yes", "ipopt.tol": 1e-11, "print_time": 0}
    found = casadi.nlpsol("solver", "ipopt", parts, quiet)(
        x0=problem.x_init, lbx=problem.x_lb, ubx=problem.x_ub, lbg=problem.g_lb, ubg=problem.g_ub
    )
    seen = network.evaluate(grid()).min()
    assert seen - 1e-3 <= float(found["f"]) <= seen + 1e-6
    assert value(model.net.x[1]) == 0.1


def test_casadi_differentiates_predict() -> None:
    import casadi

    network = dense(3, 5, 2, hidden="sigmoid", last="softmax")
    found: dict[str, Any] = {}
    exec(emit(matrix(network), "casadi"), found)
    predict, x = found["predict"], np.array([0.3, -0.2, 0.9])
    symbol = casadi.MX.sym("x", 3)
    slopes = casadi.Function("slopes", [symbol], [casadi.jacobian(predict(symbol), symbol)])(x).full()
    near = np.array([x + side * 1e-6 * row for row in np.eye(3) for side in (1, -1)])
    wanted = (network.evaluate(near)[::2] - network.evaluate(near)[1::2]).T / 2e-6
    np.testing.assert_allclose(slopes, wanted, atol=1e-9)
    assert predict.name_in() == ["x"]
    assert predict.name_out() == ["y"]


# -------------------------------------------------------------------------------------------------------- big-M


@pytest.mark.parametrize("hidden", ["relu", "leaky_relu"])
def test_big_m_is_the_network_on_its_domain(hidden: str) -> None:
    network = dense(2, 6, 5, 2, hidden=hidden)
    conversion = convert(network, Request("pyomo", "bigm", shape={"domain": "x1=-1:1,x2=-0.5:2"}), run=True)
    assert conversion.agreement is not None
    header = read_header(conversion.text)
    assert header is not None
    assert header.domain == BOX
    assert judge(network, conversion.text, outside=True).holds
    assert "Expr_if" not in conversion.text


def test_big_m_says_slopes_of_units_and_leaves_what_is_smooth_an_equation() -> None:
    own = {"alpha": np.array([0.25, 0.0, 0.5], np.float32)}
    network = of(
        affine(2, 3, 1), activation("prelu", own), affine(3, 3, 2), activation("tanh"), affine(3, 1, 3),
        inputs=2, outputs=1,
    )  # fmt: skip
    found = bigm(network, (-1.0, 1.0))
    text = emit(found, "pyomo")
    assert "a2 = named(" in text
    assert check(network, text, "pyomo", program=found).holds


def test_the_ranges_of_big_m_hold_at_samples() -> None:
    network = dense(2, 6, 5, 1, hidden="relu")
    found = bigm(network, BOX)
    values = found.values(grid())
    assert set(found.ranges) == {"z1", "z2"}
    for key, (low, high) in found.ranges.items():
        assert (values[key] >= low - 1e-12).all()
        assert (values[key] <= high + 1e-12).all()
        spread = np.ptp(values[key], axis=0)
        assert (high - low <= 1.01 * spread + 1e-9).all(), "wider than what is reached"


@pytest.mark.parametrize("constant_name", ["above_a1", "below_a1"])
def test_a_bound_that_is_too_small_is_found(constant_name: str) -> None:
    network = dense(2, 3, 1, hidden="relu")
    found = bigm(network, (-1.0, 1.0))
    text = emit(found, "pyomo")
    small = re.sub(rf"(?m)^{constant_name} = .*$", f"{constant_name} = [0.01] * 3", text)
    with pytest.raises(Disagreement, match="nothing is left for a1"):
        check(network, small, "pyomo", program=found)
    loose = text.replace("+ above[k - 1] * switch[k]", "+ 100")
    with pytest.raises(Disagreement, match="may be anything from"):
        check(network, loose, "pyomo", program=found)


@pytest.mark.parametrize(
    ("network", "domain", "code"),
    [
        (dense(2, 2, 1, hidden="relu"), None, "domain"),
        (dense(2, 2, 1, hidden="relu"), (-np.inf, 1.0), "domain"),
        (dense(2, 2, 1, hidden="tanh"), (-1.0, 1.0), "no-switch"),
        (dense(2, 2, 1, hidden="relu6"), (-1.0, 1.0), "no-switch"),
        (around(activation("leaky_relu", {"negative_slope": 2.0}), 2), (-1.0, 1.0), "no-switch"),
        (around(activation("threshold", {"threshold": 0.5, "default_value": 0.0}), 2), (-1, 1), "no-switch"),
    ],
)
def test_big_m_is_refused_where_it_cannot_be(network: Network, domain: Any, code: str) -> None:
    with pytest.raises((BadRequest, UnsupportedModel)) as caught:
        bigm(network, domain)
    assert caught.value.code == code


def test_big_m_is_of_exact_numbers() -> None:
    request = Request("pyomo", "bigm", options=Options(digits=3), shape={"domain": (-1.0, 1.0)})
    with pytest.raises(CannotEmit, match="leave out --digits"):
        convert(dense(2, 2, 1, hidden="relu"), request)
    with pytest.raises(Nn2eqError, match="casadi cannot say the bigm form"):
        convert(dense(2, 2, 1, hidden="relu"), Request("casadi", "bigm", shape={"domain": (-1.0, 1.0)}))
