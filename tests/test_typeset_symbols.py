"""Symbols, colours and the backward pass in the notations besides LaTeX: each is read back, and says the same."""

from __future__ import annotations

import re
from itertools import product

import pytest
from latex_networks import dense, special
from test_backprop_text import CASES
from test_typeset import NOTATIONS as LANGUAGES

from nn2eq.emit import emit
from nn2eq.emit.latex.symbolic.notations import NOTATIONS
from nn2eq.errors import BadRequest, CannotEmit
from nn2eq.forms.backprop import backprop
from nn2eq.forms.program import Program
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.forms.symbolic import symbolic
from nn2eq.network import Network
from nn2eq.proof.check import check

SPECIAL = special()


def require_same(network: Network, program: Program, language: str) -> None:
    text = emit(program, language)
    agreement = check(network, text, language, program=program)
    assert agreement.holds, f"{agreement.line()}\n{text[:3000]}"


def is_refused(network: Network, program: Program, text: str, language: str) -> bool:
    """Whether a text is found wrong, or not to be understood."""
    try:
        return not check(network, text, language, program=program).holds
    except BadRequest:
        return True


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("case", SPECIAL)
def test_every_network_in_symbols(case: str, notation: str, language: str) -> None:
    network = SPECIAL[case]
    for view, symbols in product(("scalar", "vector"), ("both", "only")):
        program = symbolic(network, notation=notation, view=view, symbols=symbols)
        if (case, view, language) == ("named", "vector", "unicode"):
            with pytest.raises(CannotEmit, match="the name 'x' is also a symbol's"):
                emit(program, language)
        else:
            require_same(network, program, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("form", [nested, layered, matrix])
def test_the_other_forms_in_symbols(form, notation: str, language: str) -> None:
    network = dense(2, 3, 2, 2)
    for orientation in ("column", "row"):
        require_same(network, form(network, notation=notation, orientation=orientation), language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("case", CASES)
def test_the_backward_pass(case: str, notation: str, language: str) -> None:
    network, loss = CASES[case]
    for view in ("scalar", "vector"):
        require_same(network, backprop(network, loss=loss, notation=notation, view=view), language)
    alone = backprop(network, loss=loss, notation=notation, symbols="only", derivation=True)
    require_same(network, alone, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_three_hidden_layers_and_a_worked_example(notation: str, language: str) -> None:
    """Beyond two hidden layers numbers stand above symbols, and transposes behind them."""
    network = dense(2, 2, 3, 2, 1)
    require_same(network, symbolic(network, notation=notation, view="vector"), language)
    program = backprop(network, at=(0.5, -1.0), target=(1.0,), notation=notation, view="vector")
    require_same(network, program, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_worked_example(language: str) -> None:
    network = dense(2, 3, 1, last="sigmoid", dtype="f8")
    for derivation in (False, True):
        program = backprop(network, loss="bce", at=(0.5, -1.0), target=(1.0,), derivation=derivation)
        require_same(network, program, language)


INDEX = {
    "markdown": r"(?<=[_{,])[0-9](?=[,}])",
    "mathml": r"(?<=<mn>)[0-9](?=</mn></m(?:row|sub)>)",
    "html": r"(?<=<mn>)[0-9](?=</mn></m(?:row|sub)>)",
    "typst": r"(?<=\()[0-9](?=\))",
    "unicode": r"[₀₁₂]",
}
"""Where a digit is the index of a symbol."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wrong_index_is_seen(language: str) -> None:
    network = dense(2, 2, 1)
    program = symbolic(network, notation="edges", symbols="only")
    text = emit(program, language)
    body = text.index("r", text.rindex("units: counted"))
    places = list(re.finditer(INDEX[language], text[body:]))
    assert len(places) >= 8
    other = {"0": "1", "1": "0", "₀": "₁", "₁": "₀"}
    for place in places:
        at = body + place.start()
        wrong = text[:at] + other[place[0]] + text[at + 1 :]
        assert is_refused(network, program, wrong, language), text[at - 60 : at + 20]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_batch_and_the_update_are_read_too(language: str) -> None:
    network = dense(2, 2, 1, last="sigmoid")
    program = backprop(network, view="vector", notation="mlp")
    text = emit(program, language)
    agreement = check(network, text, language, program=program)
    assert "its batch and update too" in agreement.note
    start, end = text.index("learning rate"), text.index("one sample again")
    signs = list(re.finditer(r"⊙|−| - |\\odot", text[start:end]))
    assert len(signs) >= 5
    for sign in signs:
        wrong = text[: start + sign.start()] + " + " + text[start + sign.end() :]
        assert is_refused(network, program, wrong, language), text[start : start + sign.end()][-60:]
