"""Every form is the network, and SymPy's expressions are, built another way."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import sympy
from activation_laws import examples, name
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from latex_networks import affine, around, dense, of, renamed, special

from nn2eq.activations import Activation, activation
from nn2eq.errors import CannotEmit
from nn2eq.forms.expressions import evaluate_expressions, expressions
from nn2eq.forms.program import Apply, Program
from nn2eq.forms.rounded import rounded, significant
from nn2eq.forms.size import numbers
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.network import Affine, Layer, Network, Selected
from nn2eq.proof.agreement import compare
from nn2eq.proof.check import expect

LAYOUTS = {"nested": nested, "layered": layered, "matrix": matrix}
EVERYWHERE = [chosen for chosen in examples() if np.isinf(chosen.domain).all()]
SPECIAL = special()
expected_of = cache(expect)


def require_same(network: Network, answers: np.ndarray) -> None:
    """Hold answers at the samples to the network."""
    expected = expected_of(network)
    agreement = compare(
        expected.answers, answers, scale=expected.scale, tolerance=expected.tolerance, x=expected.x
    )
    assert agreement.holds, f"{agreement.what()} {agreement.where()}"


# ----------------------------------------------------------------------------------------------- the programs


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", SPECIAL)
def test_every_form_is_the_network(case: str, layout: str) -> None:
    network = SPECIAL[case]
    for fold in (True, False):
        program = LAYOUTS[layout](network, fold=fold)
        require_same(network, program.evaluate(expected_of(network).x))


def chain(*maps: Affine | Activation | Selected, inputs: int) -> Network:
    """Return a network with a layer for each map."""
    layers = tuple(
        Layer(f"layer_{number}", "Custom", (), (step,)) for number, step in enumerate(maps, start=1)
    )
    return Network(layers, (inputs,))


def named(program: Program) -> list[str]:
    return [step.out.name for step in program.predict.steps]


NORMALIZED = chain(
    Affine(np.full(3, 0.5, "f4"), np.ones(3, "f4")),
    affine(3, 4, 1),
    activation("tanh"),
    Affine(np.full(4, 2.0), np.ones(4)),
    affine(4, 2, 2),
    activation("linear"),
    Affine(np.full(2, 10.0)),
    inputs=3,
)


def test_consecutive_affine_maps_fold_into_one() -> None:
    folded, plain = matrix(NORMALIZED), matrix(NORMALIZED, fold=False)
    assert named(folded) == ["z1", "a1", "y"]
    assert named(plain) == ["a1", "z2", "a2", "a3", "a4", "y"]
    assert [step.out.origin for step in folded.predict.steps] == [
        "layer_1, layer_2, layer_3",
        "layer_1, layer_2, layer_3",
        "layer_4, layer_5, layer_7",
    ]
    for program in (folded, plain):
        require_same(NORMALIZED, program.evaluate(expected_of(NORMALIZED).x))


def test_what_is_folded_is_float64_and_what_is_not_keeps_its_dtype() -> None:
    assert {str(constant.data.dtype) for constant in matrix(NORMALIZED).predict.constants} == {"float64"}
    assert {str(constant.data.dtype) for constant in matrix(dense(2, 3, 1)).predict.constants} == {"float32"}


def test_folding_never_takes_more_numbers() -> None:
    """Through a bottleneck of one unit, the product of the kernels is larger than both."""
    narrow = chain(affine(10, 1, 1), affine(1, 10, 2), inputs=10)
    assert named(matrix(narrow)) == ["a1", "y"]
    assert numbers(matrix(narrow)) == 10 + 1 + 10 + 10


def test_a_network_of_nothing_is_the_identity() -> None:
    network = of(inputs=2, outputs=2)
    x = np.array([[1.5, -2.0]])
    for layout in LAYOUTS.values():
        assert np.array_equal(layout(network).evaluate(x), x)


def test_names_are_those_of_mathematics() -> None:
    program = layered(dense(2, 3, 1))
    parts = [step.out.parts for step in program.predict.steps]
    assert program.inputs == ("x1", "x2")
    assert parts == [("z1_1", "z1_2", "z1_3"), ("a1_1", "a1_2", "a1_3"), ("y",)]
    own = layered(renamed(dense(2, 3, 1), ("T", "p"), ("yield",)))
    assert (own.inputs, own.outputs) == (("T", "p"), ("yield",))


# -------------------------------------------------------------------------------------------- rounded numbers


@given(
    arrays.arrays(np.float64, 4, elements=st.floats(-1e300, 1e300)),
    st.integers(1, 17),
)
def test_rounding_is_to_significant_digits(data: np.ndarray, digits: int) -> None:
    found = significant(data, digits)
    assert all(float(f"{value:.{digits - 1}e}") == value for value in found.tolist())
    assert np.all(np.abs(found - data) <= 0.5001 * 10.0 ** (1 - digits) * np.abs(data) + 5e-324)


def test_rounding_reaches_every_number() -> None:
    own = np.array([0.123456, 0.654321, 0.777777], np.float32)
    program = rounded(matrix(around(activation("prelu", {"alpha": own}), 3)), 2)
    data = [constant.data for constant in program.predict.constants]
    assert len(data) == 5
    assert all(np.array_equal(significant(array, 2), array) for array in data)
    (step,) = (step for step in program.predict.steps if isinstance(step, Apply))
    z = np.array([[-1.0, -1.0, -1.0]])
    assert np.array_equal(program.values(np.zeros((1, 2)))["a1"].shape, z.shape)
    assert np.array_equal(step.parameters["alpha"].data, [0.12, 0.65, 0.78])


def test_a_rounded_program_answers_with_its_rounded_numbers() -> None:
    own = np.array([0.123456, 0.654321], np.float32)
    program = rounded(matrix(of(activation("prelu", {"alpha": own}), inputs=2, outputs=2)), 2)
    assert np.array_equal(program.evaluate(np.array([[-1.0, -1.0]])), [[-0.12, -0.65]])


# ---------------------------------------------------------------------------------------- SymPy's expressions


@pytest.mark.parametrize("chosen", EVERYWHERE, ids=name)
def test_expressions_are_the_network(chosen: Activation) -> None:
    network = around(chosen, 4 if chosen.row.coupled else 3)
    require_same(network, evaluate_expressions(expressions(network), expected_of(network).x))


@pytest.mark.parametrize("case", SPECIAL)
def test_expressions_of_every_special_network(case: str) -> None:
    network = SPECIAL[case]
    found = expressions(network)
    x = expected_of(network).x
    require_same(network, evaluate_expressions(found, x, network.input_names))
    assert len(found) == network.outputs


def test_expressions_may_have_cases_within_cases() -> None:
    network = dense(2, 16, 16, 16, 1, hidden="leaky_relu")
    require_same(network, evaluate_expressions(expressions(network), expected_of(network).x))


def test_expressions_are_textbook_mathematics() -> None:
    network = of(
        Affine(np.array([[0.5]]), np.array([1.5])),
        activation("sigmoid"),
        Affine(np.array([[2.0]]), np.array([-0.25])),
        inputs=1,
        outputs=1,
    )
    (found,) = expressions(network)
    x = sympy.Symbol("x")
    assert found.doit() == 2.0 / (1 + sympy.exp(-0.5 * x - 1.5)) - 0.25
    assert found.free_symbols == {x}


def test_what_is_used_twice_is_one_object() -> None:
    """A tree of this network has 25,121 numbers; as objects they are as many as the network has weights."""
    (found,) = expressions(dense(4, 16, 16, 16, 1))
    seen: dict[int, object] = {}
    todo = [found]
    while todo:
        part = todo.pop()
        if id(part) not in seen:
            seen[id(part)] = part
            todo += part.args
    assert len(seen) < 4_000


def test_every_bit_of_a_weight_is_kept() -> None:
    weights = np.array([[1 / 3], [1e-300], [np.nextafter(1.0, 2.0)]])
    (found,) = expressions(of(Affine(weights), inputs=3, outputs=1))
    assert sorted(float(number) for number in found.atoms(sympy.Float)) == sorted(weights.ravel().tolist())


def test_one_wrong_weight_is_seen() -> None:
    network, wrong = dense(2, 3, 1), dense(2, 3, 1)
    kernel = next(iter(wrong.maps)).kernel.copy()  # type: ignore[union-attr]
    kernel[1, 2] *= 1.001
    layers = (Layer("a", "Dense", (3,), (Affine(kernel), *wrong.layers[0].maps[1:])), *wrong.layers[1:])
    with pytest.raises(AssertionError, match="relative error"):
        require_same(
            network, evaluate_expressions(expressions(Network(layers, (2,))), expected_of(network).x)
        )


def test_what_overflows_in_a_textbook_is_evaluated_all_the_same() -> None:
    for kind in ("tanh", "softplus", "log_sigmoid", "softmax", "log_softmax"):
        network = of(activation(kind), inputs=2, outputs=2)
        x = np.array([[1e3, -1e3], [745.0, 744.0], [2e4, -3e4]])
        answers = evaluate_expressions(expressions(network), x)
        assert np.allclose(answers, network.evaluate(x), rtol=1e-12, atol=1e-300)


def test_a_function_without_a_meaning_is_said() -> None:
    with pytest.raises(CannotEmit, match="zeta cannot be evaluated"):
        evaluate_expressions([sympy.zeta(sympy.Symbol("x"))], np.ones((1, 1)))


def test_steps_stand_for_symbols() -> None:
    x, t = sympy.symbols("x t")
    answers = evaluate_expressions([t * x, t], np.array([[3.0]]), steps={"t": x + 1})
    assert np.array_equal(answers, [[12.0, 4.0]])
