"""The table of activations: its laws, row by row; the look-up of names; and laws that see planted errors."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import activation_laws as laws
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn2eq import formula as fm
from nn2eq.activations import ROWS, TRANSFORMS, Activation, Row, activation, filled, transform
from nn2eq.activations.decisions import DECISIONS
from nn2eq.activations.lookup import BEFORE, FAMILIES, names
from nn2eq.errors import BadRequest, DamagedFile, UnsupportedModel

EXAMPLES = {laws.name(example): example for example in laws.examples()}
SCALAR = [name for name, example in EXAMPLES.items() if not example.row.coupled]
FIRST = {example.row.name: example for example in reversed(EXAMPLES.values())}

# TensorFlow's slopes, recorded; test_keras_activations asks for them again.
ON_BREAKPOINTS: dict[str, dict[float, float]] = {
    "relu": {0.0: 0.0},
    "relu6": {0.0: 0.0, 6.0: 0.0},
    "capped_relu-0.6": {0.0: 0.0, 0.6: 1.0},
    "leaky_relu-0.2": {0.0: 0.2},
    "prelu-0.6": {0.0: 0.0},
    "thresholded_relu-0.6": {0.6: 0.0},
    "at_least-0.6": {0.6: 0.0},
    "shifted_relu-0.6-1.5": {1.5: 0.0},
    "general_relu-0.6-1.5-2.4": {1.5: 0.6, 2.4: 0.0},
    "hard_sigmoid": {-3.0: 0.0, 3.0: 0.0},
    "clipped_sigmoid": {-2.5: 0.2, 2.5: 0.2},
    "hard_tanh": {-1.0: 1.0, 1.0: 1.0},
    "sparse_sigmoid": {-1.0: 0.0, 1.0: 0.0},
    "hard_shrink-0.5": {-0.5: 0.0, 0.5: 0.0},
    "soft_shrink-0.5": {-0.5: 0.0, 0.5: 0.0},
    "threshold-0.6-1.5": {0.6: 0.0},
    "elu-1": {0.0: 1.0},
    "elu-0.7": {0.0: 0.7},
    "selu": {0.0: 1.0507009873554805},
    "celu-1": {0.0: 1.0},
    "softsign": {0.0: 1.0},
    "sparse_plus": {-1.0: 0.0, 1.0: 1.0},
    "hard_silu": {-3.0: 0.0, -1.5: 0.0, 3.0: 1.0},
    "silu": {-1.278464542761074: 0.0},
    "gelu": {-0.7517915246935645: 0.0},
    "gelu_tanh": {-0.7524614220710163: 0.0},
    "mish": {-1.1924312145154953: 0.0},
    "square": {0.0: 0.0},
    "reciprocal": {0.0: -np.inf},
}


# --------------------------------------------------------------------------------------------------- the laws


@pytest.mark.parametrize(
    ("name", "law"), [(n, law) for n, example in EXAMPLES.items() for law in laws.laws_of(example.row)],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)  # fmt: skip
def test_every_row_obeys(name: str, law: Callable[[Activation], None]) -> None:
    law(EXAMPLES[name])


@given(st.sampled_from(SCALAR), st.tuples(*[st.floats(-30, 30) | st.floats(-2, 2)] * 2), st.data())
@settings(max_examples=400)
def test_bounds_hold_and_are_tight(name: str, ends: tuple[float, float], data: st.DataObject) -> None:
    example = EXAMPLES[name]
    # half of the intervals begin or end on a breakpoint, where a jump could be missed
    places = [min(ends), max(ends), *example.breakpoints]
    low, high = sorted(data.draw(st.tuples(st.sampled_from(places), st.sampled_from(places))))
    low, high = np.clip((low, high), *np.clip(example.domain, -30.0, 30.0))
    if np.all(np.isfinite(example.bounds(low, high))):
        laws.bounds_hold(example, low, high)
        laws.bounds_are_tight(example, low, high)


def test_bounds_end_where_the_domain_does() -> None:
    for example in (EXAMPLES[name] for name in SCALAR):
        first, last = np.clip(example.domain, -5.0, 5.0)
        inside, outside = example.bounds(first, last), example.bounds(first - 1.0, last)
        assert not np.isnan(inside).any()
        assert np.isnan(outside).any() == bool(np.isnan(example(np.array([first - 1.0]))).any())


def test_bounds_are_those_of_each_box_alone() -> None:
    random = np.random.default_rng(1)
    ends = np.sort(random.normal(size=(2, 4, 6)), axis=0)
    for example in (EXAMPLES[name] for name in SCALAR):
        lower, upper = example.bounds(ends[0], ends[1])
        alone = example.bounds(ends[0][2, 3], ends[1][2, 3])
        np.testing.assert_array_equal([lower[2, 3], upper[2, 3]], alone)


@pytest.mark.parametrize("name", ON_BREAKPOINTS)
def test_slopes_on_breakpoints_are_recorded(name: str) -> None:
    example = EXAMPLES[name]
    assert set(example.breakpoints) == set(ON_BREAKPOINTS[name])
    for place, slope in ON_BREAKPOINTS[name].items():
        z = np.array([place])
        np.testing.assert_allclose(laws.derivative(example, z, example(z)), slope, rtol=0, atol=1e-15)


def test_no_row_with_breakpoints_is_missing_from_the_record() -> None:
    recorded = {EXAMPLES[name].row.name for name in ON_BREAKPOINTS}
    assert recorded == {name for name, example in FIRST.items() if example.breakpoints}


def test_every_row_can_be_named_and_written() -> None:
    assert all(row.symbol and bool(row.derivative) != row.coupled for row in ROWS.values())
    symbols = [row.symbol for row in ROWS.values()]
    assert len(symbols) == len(set(symbols)), "a reader of LaTeX could not tell two rows apart"
    reachable = {row for family in FAMILIES.values() for row, _ in family.rows} | {
        old for _, old in BEFORE.values()
    }
    for row in ROWS.values():
        assert (
            row.keras
            or row.transform
            or row in DECISIONS
            or None in row.parameters.values()
            or row.name in reachable
        )


def test_formulas_speak_of_z_and_the_parameters_alone() -> None:
    for row in ROWS.values():
        own = {"z", "count", "partner", *row.parameters}
        for text, allowed in [(row.formula, own), (row.runnable, own), (row.derivative or "z", own | {"a"})]:
            spoken = {node.value for node in fm.walk(fm.parse(text)) if node.op == "name"}
            assert spoken <= allowed


# ------------------------------------------------------------------------------------ planted errors are seen

Law = Callable[[Activation], None]
Change = Callable[[Row], dict[str, Any]]
LAW_OF_RUNNING = {False: laws.stable_is_numpy, True: laws.coupled_agrees}


def wrong(text: str) -> str:
    return f"1.001 * ({text})"


def planted(what: str, change: Change, law: Callable[[Row], Law], where: Callable[[Row], Any]) -> list[Any]:
    """Plant an error in each row that has the place for it, with the law that must see it."""
    return [
        pytest.param(replace(example, row=replace(row, **change(row))), law(row), id=f"{what}-{name}")
        for name, example in FIRST.items()
        if where(row := example.row)
    ]


PLANTED = [
    *planted(
        "wrong formula",
        lambda row: {"formula": wrong(row.formula), "stable": row.runnable},
        lambda row: laws.coupled_agrees if row.coupled else laws.formula_is_numpy,
        lambda row: True,
    ),
    *planted(
        "wrong stable form",
        lambda row: {"stable": wrong(row.runnable)},
        lambda row: LAW_OF_RUNNING[row.coupled],
        lambda row: True,
    ),
    *planted(
        "textbook form that is run",
        lambda row: {"stable": ""},
        lambda row: LAW_OF_RUNNING[row.coupled],
        lambda row: row.stable,
    ),
    *planted(
        "wrong derivative",
        lambda row: {"derivative": wrong(row.derivative)},
        lambda row: laws.derivative_is_slope,
        lambda row: not row.coupled and row.derivative != "0",
    ),
    *planted(
        "forgotten piece",
        lambda row: {"pieces": row.pieces[:-1]},
        lambda row: laws.pieces_reproduce_it,
        lambda row: len(row.pieces) > 1,
    ),
    *planted(
        "forgotten pieces", lambda row: {"pieces": ()}, lambda row: laws.has_curvature, lambda row: row.pieces
    ),
    *planted(
        "piece that takes in its start",
        lambda row: {"pieces": tuple(replace(piece, open=False) for piece in row.pieces)},
        lambda row: laws.pieces_reproduce_it,
        lambda row: any(piece.open for piece in row.pieces),
    ),
    *planted(
        "steeper than it says",
        lambda row: {"steepest": row.steepest / 2.5},
        lambda row: laws.no_steeper_than_it_says,
        lambda row: np.isfinite(row.steepest),
    ),
    *planted(
        "wrong mirror image",
        lambda row: {"mirror": (row.mirror[0], row.mirror[1], "0.5")},
        lambda row: laws.mirrors_itself,
        lambda row: row.mirror,
    ),
    *planted(
        "forgotten mirror image",
        lambda row: {"mirror": ()},
        lambda row: laws.mirrors_itself,
        lambda row: row.mirror,
    ),
    *planted(
        "narrow range",
        lambda row: {"range": ("0.4", "0.6")},
        lambda row: laws.coupled_bounds_hold,
        lambda row: row.coupled,
    ),
]


@pytest.mark.parametrize(("wrong", "law"), PLANTED)
def test_laws_see_planted_errors(wrong: Activation, law: Law) -> None:
    with pytest.raises((AssertionError, ArithmeticError)):
        law(wrong)


TURNING = [example for example in FIRST.values() if example.row.turning and not example.row.pieces]


@pytest.mark.parametrize("example", TURNING, ids=laws.name)
def test_a_forgotten_or_misplaced_turning_point_is_seen(example: Activation) -> None:
    turn = example.breakpoints[len(example.breakpoints) // 2]
    low, high = turn - 0.5, turn + 0.5
    turns = laws.derivative(example, np.array([low]), example(np.array([low]))) < 0
    for turning in ((), tuple(f"{text} + 0.01" for text in example.row.turning)):
        wrong = replace(example, row=replace(example.row, turning=turning))
        if turns:
            with pytest.raises(AssertionError):
                laws.turns_where_it_says(wrong)
            with pytest.raises(AssertionError):
                laws.bounds_hold(wrong, low, high)


# ------------------------------------------------------------------------------------------------ the look-up


@pytest.mark.parametrize(
    ("name", "arguments", "row", "parameters"),
    [
        (None, {}, "linear", {}),
        ("swish", {}, "silu", {}),
        ("hard_swish", {}, "hard_silu", {}),
        ("relu", {}, "relu", {}),
        ("relu", {"max_value": None, "negative_slope": 0, "threshold": 0.0}, "relu", {}),
        ("relu", {"max_value": 6}, "relu6", {}),
        ("relu", {"max_value": 5}, "capped_relu", {"max_value": 5.0}),
        ("relu", {"alpha": 0.1}, "leaky_relu", {"negative_slope": 0.1}),
        ("relu", {"threshold": 1.0}, "thresholded_relu", {"threshold": 1.0}),
        (
            "relu", {"negative_slope": 0.1, "threshold": 1.0}, "shifted_relu",
            {"negative_slope": 0.1, "threshold": 1.0},
        ),
        (
            "relu", {"negative_slope": 0.1, "max_value": 6.0}, "general_relu",
            {"negative_slope": 0.1, "max_value": 6.0, "threshold": 0.0},
        ),
        ("leaky_relu", {}, "leaky_relu", {"negative_slope": 0.2}),
        ("leaky_relu", {"alpha": 0.3}, "leaky_relu", {"negative_slope": 0.3}),
        ("thresholded_relu", {"theta": 1.5}, "thresholded_relu", {"threshold": 1.5}),
        ("gelu", {}, "gelu", {}),
        ("gelu", {"approximate": True}, "gelu_tanh", {}),
        ("softmax", {"axis": -1}, "softmax", {}),
    ],
)  # fmt: skip
def test_the_simplest_row_is_found(
    name: str | None, arguments: dict[str, Any], row: str, parameters: dict[str, float]
) -> None:
    found = activation(name, arguments)
    assert (found.row.name, dict(found.parameters)) == (row, parameters)


@pytest.mark.parametrize(
    ("name", "version", "row"),
    [
        ("hard_sigmoid", (1, 2), "clipped_sigmoid"),
        ("hard_sigmoid", (2, 15), "clipped_sigmoid"),
        ("hard_sigmoid", (3, 0), "hard_sigmoid"),
        ("sparsemax", (3, 15), "summed_sparsemax"),
        ("sparsemax", (3, 16), "sparsemax"),
    ],
)
def test_a_name_means_what_it_meant_in_its_version(name: str, version: tuple[int, int], row: str) -> None:
    assert activation(name, keras_major=version[0], keras_minor=version[1]).row.name == row


@pytest.mark.parametrize(
    ("name", "arguments", "error", "said"),
    [
        ("typo", {}, UnsupportedModel, "nn2eq reads celu, elu"),
        ("log10", {}, UnsupportedModel, "activation 'log10'"),
        ("clipped_sigmoid", {}, UnsupportedModel, "activation 'clipped_sigmoid'"),
        (["relu"], {}, UnsupportedModel, "activation"),
        ("relu", {"beta": 1.0}, UnsupportedModel, "negative_slope, max_value, threshold"),
        ("tanh", {"alpha": 1.0}, UnsupportedModel, "no arguments"),
        ("softmax", {"axis": 0}, UnsupportedModel, "axis"),
        ("prelu", {}, DamagedFile, "needs the argument alpha"),
        ("prelu", {"alpha": np.array([0.1, np.nan])}, DamagedFile, "alpha"),
        ("elu", {"alpha": "1"}, DamagedFile, "'1', which is not a finite number"),
        ("elu", {"alpha": float("nan")}, DamagedFile, "nan"),
        ("elu", {"alpha": 10**400}, DamagedFile, "not a finite number"),
        ("elu", {"alpha": True}, DamagedFile, "True"),
        ("leaky_relu", {"alpha": 0.1, "negative_slope": 0.1}, DamagedFile, "twice"),
        ("relu", {"max_value": -1.0}, DamagedFile, "max_value >= 0"),
        ("gelu", {"approximate": "yes"}, DamagedFile, "approximate"),
        ("celu", {"alpha": 0}, DamagedFile, "alpha > 0"),
        ("soft_shrink", {"threshold": -0.5}, DamagedFile, "threshold >= 0"),
    ],
)
def test_what_is_not_read_is_refused(
    name: Any, arguments: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as refused:
        activation(name, arguments)
    assert said in str(refused.value)


def test_a_hostile_name_stays_one_short_printable_line() -> None:
    with pytest.raises(UnsupportedModel) as refused:
        activation("relu\x1b[31m\n" + "x" * 10_000)
    said = str(refused.value)
    assert said.isprintable()
    assert len(said) < 1000


def test_a_keras_2_file_cannot_name_what_came_later() -> None:
    later = set(names(3)) - set(names(2))
    assert "hard_tanh" in later
    for name in later:
        with pytest.raises(UnsupportedModel):
            activation(name, keras_major=2)


def test_transforms_are_no_activations_of_files_but_of_inputs() -> None:
    assert "log10" in TRANSFORMS
    for name, row in TRANSFORMS.items():
        assert transform(name).row is row
    with pytest.raises(BadRequest, match="one of exp, expm1"):
        transform("sinh")


def test_parameters_are_filled_in_and_tidied() -> None:
    assert activation("elu").formula == fm.parse("where(z > 0, z, exp(z) - 1)")
    assert activation("celu").formula == activation("elu").formula
    assert activation("leaky_relu", {"alpha": 1}).formula == fm.parse("where(z > 0, z, z)")


def test_a_row_cannot_be_changed_behind_its_back() -> None:
    alpha = np.array([0.1, 0.2], dtype=np.float32)
    found = filled(ROWS["prelu"], {"alpha": alpha})
    alpha[0] = 9.0
    assert found.per_unit["alpha"][0] == np.float32(0.1)
    assert found.per_unit["alpha"].dtype == np.float32, "its shortest decimal is 0.1, as float32"
    assert found(np.array([-1.0, -1.0])).dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        found.per_unit["alpha"][0] = 9.0
