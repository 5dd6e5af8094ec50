"""The little language of formulas: its parser against Python's, its arrays against one number at a time."""

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from activation_laws import PYTHON, scalar
from hypothesis import assume, given
from hypothesis import strategies as st

from nn2eq import formula as fm
from nn2eq.erf import erf, normal_cdf

Z = np.array([[-1.5, 0.25, 3.0], [2.0, 2.0, -0.75]])


# -------------------------------------------------------------------------------------- parse and evaluate


def infix(node: fm.Node) -> str:
    """Write a formula as Python, with every bracket."""
    args = [infix(arg) for arg in node.args]
    if not args:
        return repr(node.value) if node.op == "number" else str(node.value)
    if node.op == "neg":
        return f"(-{args[0]})"
    return f"{node.op}({', '.join(args)})" if node.op in fm.FUNCTIONS else f"({args[0]} {node.op} {args[1]})"


LEAVES = st.sampled_from([fm.name("z"), fm.name("alpha")]) | st.floats(0.0, 9.0).map(fm.number)


def compound(inner: st.SearchStrategy[fm.Node]) -> st.SearchStrategy[fm.Node]:
    binary = st.builds(lambda op, *args: fm.Node(op, args), st.sampled_from("+-*"), inner, inner)
    unary = st.builds(
        lambda op, arg: fm.Node(op, (arg,)), st.sampled_from(["neg", "abs", "tanh", "erf"]), inner
    )
    pairs = st.builds(lambda op, *args: fm.Node(op, args), st.sampled_from(["max", "min"]), inner, inner)
    condition = st.builds(lambda op, *args: fm.Node(op, args), st.sampled_from(fm.COMPARISONS), inner, inner)
    return binary | unary | pairs | st.builds(lambda *args: fm.Node("where", args), condition, inner, inner)


FORMULAS = st.recursive(LEAVES, compound, max_leaves=12)


@given(FORMULAS)
def test_what_is_written_is_parsed_back(node: fm.Node) -> None:
    assert fm.parse(infix(node)) == node


@given(FORMULAS, st.floats(-5, 5), st.floats(-5, 5))
def test_a_formula_is_what_python_makes_of_it(node: fm.Node, z: float, alpha: float) -> None:
    names: dict[str, Any] = {**PYTHON, "where": lambda condition, yes, no: yes if condition else no}
    expected = eval(infix(node), {**names, "z": z, "alpha": alpha})
    got = fm.evaluate(node, {"z": np.array([z]), "alpha": alpha})
    assert np.allclose(got, expected, rtol=1e-13, atol=1e-13 * max(1.0, abs(expected)))
    assert math.isclose(
        scalar(node, {"z": z, "alpha": alpha}, PYTHON), expected, rel_tol=1e-13, abs_tol=1e-13
    )


@given(FORMULAS, st.floats(-5, 5), st.floats(-5, 5))
def test_tidying_changes_no_value(node: fm.Node, z: float, alpha: float) -> None:
    values = {"z": np.array([z]), "alpha": alpha}
    expected = fm.evaluate(node, values)
    assume(np.isfinite(expected).all())  # 0 times what overflows is 0 once it is tidied
    tidied = fm.evaluate(fm.tidied(node), values)  # a number alone, where the name is gone
    assert np.array_equal(np.broadcast_to(tidied, expected.shape), expected)


@given(FORMULAS, FORMULAS)
def test_substituting_is_naming(node: fm.Node, other: fm.Node) -> None:
    values = {"z": np.array([0.3]), "alpha": 1.25}
    named = fm.evaluate(node, {**values, "z": fm.evaluate(other, values)})
    assert np.array_equal(fm.evaluate(fm.substitute(node, {"z": other}), values), named)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 - 3 - 4", -5.0),
        ("-2**2", -4.0),
        ("2**3**2", 512.0),
        ("12 / 2 / 3", 2.0),
        ("pi", math.pi),
        ("log10(1000) + log(exp(1)) + log1p(0) + expm1(0) + sqrt(4)", 6.0),
        ("where(1 <= 1, 1 == 2, 3) + 1", 1.0),
    ],
)
def test_precedence_and_functions_are_pythons(text: str, value: float) -> None:
    assert math.isclose(fm.evaluate(fm.parse(text), {}), value)
    assert math.isclose(scalar(fm.parse(text), {}, PYTHON), value)


@pytest.mark.parametrize(
    "text",
    [
        "sin(z)", "exp(z, z)", "z @ z", "z % 2", "z and z", "a < b < c", "'text'", "z.real", "[z]", "not z",
        "z[0]", "z[j]", "lambda: z", "__import__('os')", "sum(z for j in units)", "sum(z[j] for j in others)",
        "sum(z[j] for j in units if z)", "sum(z[j] * z[k] for j in units for k in units)", "max(z)",
    ],
)  # fmt: skip
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        fm.parse(text)


# ---------------------------------------------------------------------------------------------- reductions


@pytest.mark.parametrize(
    "text",
    [
        "sum(z[j] for j in units)",
        "z - max(z[j] for j in units)",
        "sum(exp(z[j] - max(z[k] for k in units)) for j in units) / count",
        "sum(z * z[j] for j in units)",
        "sum(max(z[j] - z[k] for k in units) * z for j in units)",
        "sum(sum(sum(z[i] * z[j] + z[k] * z for k in units) for j in units) for i in units)",
        "sum(alpha * z[j] for j in units)",
        "sum(alpha[j] * z[j] for j in units)",
        "where(z == max(z[j] for j in units), 1, 0)",
    ],
)
def test_reductions_are_loops_over_the_units(text: str) -> None:
    node, alpha = fm.parse(text), np.array([0.5, -1.0, 2.0])
    got = np.broadcast_to(fm.evaluate(node, {"z": Z, "alpha": alpha}), Z.shape)
    for row, z in enumerate(Z):
        for unit in range(len(z)):
            known = {"z": z[unit], "z[]": z, "alpha": alpha[unit], "alpha[]": alpha, "count": len(z)}
            assert math.isclose(got[row, unit], scalar(node, known, PYTHON), rel_tol=1e-12)


def test_mentions_count_the_unit_itself_and_the_others() -> None:
    node = fm.parse("z * z + alpha * sum(z[j] for j in units)")
    assert fm.mentions(node, "z") == 3
    assert fm.mentions(node, "alpha") == 1
    assert fm.mentions(fm.substitute(node, {"z": fm.parse("alpha + alpha")}), "alpha") == 5


def test_what_a_usual_parameter_leaves_behind_is_dropped() -> None:
    left = fm.substitute(fm.parse("1 * (z / b + 0) - 0 + c * exp(z)"), {"b": fm.number(1), "c": fm.number(0)})
    assert fm.tidied(left) == fm.name("z")
    for kept in ("1 - z", "0 - z", "1 / z", "z * 2 + 1", "z**1"):
        assert fm.tidied(fm.parse(kept)) == fm.parse(kept)


# -------------------------------------------------------------------------------------- the error function


@given(st.floats(-10, 10) | st.floats(-0.6, 0.6) | st.floats())
def test_erf_is_pythons_to_a_few_ulps(x: float) -> None:
    got = float(erf(x))
    if math.isnan(x):
        assert math.isnan(got)
    else:
        assert abs(got - math.erf(x)) <= 4 * math.ulp(math.erf(x))


@pytest.mark.parametrize("place", [0.46875, 4.0, 0.0])
def test_erf_is_whole_where_its_approximations_meet(place: float) -> None:
    x = place + np.spacing(max(place, 1e-300)) * np.arange(-3, 4)
    assert np.all(np.abs(erf(x) - [math.erf(value) for value in x]) <= 4 * np.spacing(np.abs(erf(x))))


@given(st.floats(-37, 9))
def test_the_normal_distribution_is_exact_in_its_tail(z: float) -> None:
    with mpmath.workdps(40):
        expected = mpmath.ncdf(z)
        assert abs(float(normal_cdf(z) / expected) - 1) < 2e-15


def test_far_out_the_normal_distribution_is_0_and_1() -> None:
    np.testing.assert_array_equal(
        normal_cdf(np.array([-np.inf, -1e300, -50.0, 50.0, 1e300, np.inf])), [0, 0, 0, 1, 1, 1]
    )
