"""The size of a text is known exactly before it is written: its numbers are counted, and compared."""

from __future__ import annotations

import io
import tokenize
from collections import Counter
from contextlib import suppress

import numpy as np
import pytest
from activation_laws import examples, name
from hypothesis import given, settings
from hypothesis import strategies as st
from latex_networks import around, dense

from nn2eq.activations import ROWS, Activation, activation, filled
from nn2eq.conversion import Request, convert
from nn2eq.emit import emit, emitter
from nn2eq.emit.options import Options
from nn2eq.errors import CannotEmit, TooLarge
from nn2eq.forms.program import Program
from nn2eq.forms.size import by_name, numbers, require_at_most
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.network import Affine, Layer, Network

LAYOUTS = {"nested": nested, "layered": layered, "matrix": matrix}
WAYS = [
    (language, Options(activations=activations))
    for language in ("numpy", "python", "sympy")
    for activations in ("name", "explicit")
]


def numbers_in(text: str) -> Counter[float]:
    """Count the numbers of a text in Python, without their signs."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return Counter(float(token.string) for token in tokens if token.type == tokenize.NUMBER)


def weights_of(program: Program) -> set[float]:
    """Return the numbers of a program, without zeros, which formulas have of their own."""
    found = (np.abs(constant.data.astype(np.float64)).ravel() for constant in program.predict.constants)
    return {float(value) for data in found for value in data} - {0.0}


def written(program: Program, language: str, options: Options) -> int:
    """Count how many of its weights a program's text holds."""
    weights, found = weights_of(program), numbers_in(emit(program, language, options))
    return sum(count for value, count in found.items() if {value, float(np.float32(value))} & weights)


def zeros_in(program: Program) -> int:
    """Count the zeros that the matrix layout writes and the others leave out."""
    sizes = (int(np.count_nonzero(constant.data == 0)) for constant in program.predict.constants)
    return sum(sizes) if program.layout == "matrix" else 0


def require_exact(network: Network, *, fold: bool = True) -> None:
    for layout in LAYOUTS.values():
        program = layout(network, fold=fold)
        for language, options in WAYS:
            predicted = numbers(program, emitter(language).spelling(options)) - zeros_in(program)
            # SymPy would multiply out the cases within the conditions of cases, and refuses them nested.
            with suppress(CannotEmit):
                assert written(program, language, options) == predicted, (language, options, program.layout)


# Of the formulas to run, and with no number of their own that a weight might be.
KINDS = (
    "tanh",
    "sigmoid",
    "softplus",
    "silu",
    "softmax",
    "log_softmax",
    "glu",
    "layer_normalization",
    "prelu",
    "linear",
)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Draw small networks with zeros, without biases, with diagonal maps and units with own parameters."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    inputs = units = draw(st.integers(1, 3))
    layers = []
    for _ in range(draw(st.integers(1, 3))):
        before, kind = units, draw(st.sampled_from(KINDS))
        units = draw(st.integers(1, 2)) * (2 if ROWS[kind].halves else 1)
        diagonal = draw(st.booleans()) and units == before
        kernel = random.normal(size=(units,) if diagonal else (before, units))
        kernel *= random.random(kernel.shape) < draw(st.sampled_from([0.0, 0.6, 1.0]))
        bias = random.normal(size=units) * (random.random(units) < 0.7) if draw(st.booleans()) else None
        own = {"alpha": random.normal(size=units)} if kind == "prelu" else {"epsilon": 0.25}
        chosen = filled(ROWS[kind], {key: own[key] for key in ROWS[kind].parameters})
        layers.append(Layer("layer", "Dense", (chosen.outputs(units),), (Affine(kernel, bias), chosen)))
        units = chosen.outputs(units)
    return Network(tuple(layers), (inputs,))


@settings(max_examples=150)
@given(networks(), st.booleans())
def test_the_size_law_is_exact(network: Network, fold: bool) -> None:
    require_exact(network, fold=fold)


@pytest.mark.parametrize(
    "chosen", [c for c in examples() if not c.row.transform and not c.is_linear], ids=name
)
def test_the_size_law_is_exact_for_every_activation(chosen: Activation) -> None:
    network = around(chosen, 4 if chosen.row.coupled else 2)
    for layout in (nested, layered):
        program = layout(network)
        for language, options in WAYS:
            predicted = numbers(program, emitter(language).spelling(options))
            assert written(program, language, options) == predicted


def test_the_size_law_is_exact_in_groups() -> None:
    require_exact(around(activation("softmax", groups=2), 6))


def test_a_wrong_law_would_be_seen() -> None:
    """The count is of the text: a program that holds one number more has a text that does."""
    network = dense(2, 3, 1)
    assert written(nested(network), "numpy", Options()) == numbers(nested(network)) == 13
    assert numbers(nested(dense(2, 4, 1))) != written(nested(network), "numpy", Options())


def test_the_nested_law_of_the_books() -> None:
    """With n inputs to a unit, and z mentioned once: c becomes n (1 + c) + 1."""
    count = 0
    for inputs in (4, 16, 16, 16):
        count = inputs * (1 + count) + 1
    assert numbers(nested(dense(4, 16, 16, 16, 1)), by_name) == count == 25_121


def test_too_large_a_text_is_refused_with_a_way_out() -> None:
    program = nested(dense(4, 16, 16, 16, 1))
    size = numbers(program)
    require_at_most(program, size)
    with pytest.raises(
        TooLarge, match=rf"nested form would hold {size:,} numbers \(limit {size - 1:,}\); use --form"
    ):
        require_at_most(program, size - 1)
    require_at_most(matrix(dense(4, 16, 16, 16, 1)), 1)
    with pytest.raises(TooLarge, match="use another --format, or raise --limit"):
        require_at_most(program, size - 1, layouts=("nested",))


def test_a_form_that_is_not_named_fits_the_limit() -> None:
    assert convert(dense(1, 2, 1), Request(limit=100)).program.form == "nested"
    assert convert(dense(1, 2, 1), Request(limit=3)).program.form == "matrix"
