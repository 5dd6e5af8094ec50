"""Texts in symbols: in every notation, filled with their numbers and evaluated, they say what the network says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from latex_networks import TOLERANCE, dense, samples, scale, special

from nn2eq.emit import emit, emitter
from nn2eq.emit.latex.symbolic.notations import NOTATIONS
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest
from nn2eq.forms.program import Program
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.forms.symbolic import symbolic
from nn2eq.network import Network
from nn2eq.proof.latex_reader import run

SPECIAL = special()
WAYS = [
    {"view": view, "orientation": orientation, "count_from": first}
    for view, orientation, first in product(("scalar", "vector"), ("column", "row"), ("0", "1"))
]


def require_same(network: Network, text: str) -> None:
    x = samples(network)
    x = x[np.isfinite(network.evaluate(x)).all(axis=1)]
    answer = run(text, x)
    assert np.max(np.abs(answer.outputs - network.evaluate(x)) / scale(network, x)) < TOLERANCE


def texts(program: Program) -> Iterator[str]:
    for numbers in ("inline", "matrix", "table"):
        yield emit(program, "latex", Options(numbers=numbers))


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("case", SPECIAL)
def test_every_notation_says_every_network_in_every_way(case: str, notation: str) -> None:
    for way, fold in product(WAYS, (True, False)):
        program = symbolic(SPECIAL[case], fold=fold, notation=notation, **way)
        for text in texts(program):
            require_same(SPECIAL[case], text)
        alone = symbolic(SPECIAL[case], fold=fold, notation=notation, symbols="only", **way)
        require_same(SPECIAL[case], emitter("latex").fill(emit(alone, "latex"), alone))


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("form", [nested, layered, matrix])
def test_the_other_forms_take_notations_too(form, notation: str) -> None:
    network = dense(2, 3, 2, 2)
    for orientation in ("column", "row"):
        for text in texts(form(network, notation=notation, orientation=orientation)):
            require_same(network, text)


# ------------------------------------------------------------------------------------- as the textbooks have it


def lines(text: str) -> list[str]:
    return [line.removesuffix(" \\\\").removesuffix(" \\\\[1ex]") for line in text.splitlines()]


def test_edges_are_named_from_and_to() -> None:
    text = emit(symbolic(dense(2, 2, 2, 1), symbols="only"), "latex")
    assert r"r_0 &= g_r(x_0 W_{x_0,r_0} + x_1 W_{x_1,r_0} + b_{r_0})" in lines(text)
    assert r"s_1 &= g_s(r_0 W_{r_0,s_1} + r_1 W_{r_1,s_1} + b_{s_1})" in lines(text)
    assert r"y &= s_0 W_{s_0,y} + s_1 W_{s_1,y} + b_y" in lines(text)
    assert r"g_r(z) &= \tanh(z)" in lines(text)


def test_greek_indices_are_unit_and_input() -> None:
    one, two, three = (emit(symbolic(dense(*sizes), notation="greek", symbols="only"), "latex")
                       for sizes in ((1, 3, 1), (1, 3, 2, 1), (1, 2, 2, 2, 2)))  # fmt: skip
    assert r"h_1 &= a[\theta_{10} + \theta_{11} x]" in lines(one)
    assert r"y &= \phi_0 + \phi_1 h_1 + \phi_2 h_2 + \phi_3 h_3" in lines(one)
    assert r"h'_1 &= a[\psi_{10} + \psi_{11} h_1 + \psi_{12} h_2 + \psi_{13} h_3]" in lines(two)
    assert r"y' &= \phi'_0 + \phi'_1 h'_1 + \phi'_2 h'_2" in lines(two)
    assert (
        r"h^{(3)}_2 &= a[\theta^{(3)}_{20} + \theta^{(3)}_{21} h^{(2)}_1 + \theta^{(3)}_{22} h^{(2)}_2]"
        in lines(three)
    )
    assert r"y_2 &= \phi_{20} + \phi_{21} h^{(3)}_1 + \phi_{22} h^{(3)}_2" in lines(three)
    assert r"\theta_{10,3} x_3" in emit(symbolic(dense(3, 11, 1), notation="greek", symbols="only"), "latex")


def test_a_perceptron_is_one_formula_or_a_composition() -> None:
    shallow = dense(2, 3, 1, hidden="sigmoid", last="sigmoid")
    text = emit(symbolic(shallow, notation="mlp", symbols="only"), "latex")
    assert (
        r"\operatorname{MLP}(x;\, w_m, b_m, W, b) &= \sigma(w_m^{\top} \sigma(W x + b) + b_m)"
        in text.replace("\\bigl", "").replace("\\bigr", "")
    )
    assert "w_1^{\\top} \\\\[0.5ex]\nw_2^{\\top}" in text
    deep = emit(symbolic(dense(2, 3, 2, 1), notation="mlp", symbols="only"), "latex")
    assert r"f_2(x) &= g_2(W_2 x + b_2)" in lines(deep)
    assert r"\operatorname{MLP} &= f_3 \circ f_2 \circ f_1" in lines(deep)


def test_a_perceptron_of_one_layer_is_one_equation() -> None:
    network = dense(2, 1, last="tanh", dtype="f8")
    text = emit(symbolic(network, notation="mlp"), "latex")
    assert r"y &= g_1(W_1 x + b_1)" in text
    x = samples(network)
    np.testing.assert_allclose(run(text, x).outputs, network.evaluate(x), rtol=1e-11, atol=1e-12)


def test_orientation_turns_what_must_be_turned() -> None:
    said = {
        (notation, orientation): emit(
            symbolic(dense(2, 2, 1), notation=notation, orientation=orientation, view="vector"), "latex"
        )
        for notation, orientation in product(("edges", "greek", "layers"), ("column", "row"))
    }
    assert r"r &= g_r(W_{x,r}^{\top} x + b_r)" in lines(said["edges", "column"])
    assert r"r &= g_r(x W_{x,r} + b_r)" in lines(said["edges", "row"])
    assert r"h &= a[\theta_0 + \Theta x]" in lines(said["greek", "column"])
    assert r"h &= a[\theta_0 + x \Theta^{\top}]" in lines(said["greek", "row"])
    assert r"a_1 &= \tanh(x W_1 + b_1)" in lines(said["layers", "row"])
    assert "W_1 has a row per input: it is Keras' own kernel" in said["layers", "row"]


# -------------------------------------------------------------------------------------------- what must be seen


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("view", ["scalar", "vector", "nested"])
def test_every_wrong_index_is_seen(notation: str, view: str) -> None:
    """Exchange each index on a right-hand side for another: the answer changes, or is refused."""
    network = dense(2, 3, 2, 2)
    chosen = {"notation": notation, "symbols": "only"}
    program = nested(network, **chosen) if view == "nested" else symbolic(network, view=view, **chosen)
    text, x = emit(program, "latex"), np.array([[0.3, -0.7], [1.1, 0.4]])
    places = list(re.finditer(r"(?<=[0-9_{,'m])[0-9](?=[0-9,}\s)\]])(?!\S* &=)", text.split("% needs")[1]))
    start = text.index("% needs") + len("% needs")
    assert len(places) > 1 or (notation, view) == ("edges", "vector")  # whose symbols are letters
    seen = 0
    for place in places:
        at = start + place.start()
        other = {"0": "1", "1": "2", "2": "1", "3": "1"}[place[0]]
        wrong = emitter("latex").fill(text[:at] + other + text[at + 1 :], program)
        try:
            seen += not np.allclose(run(wrong, x).outputs, network.evaluate(x), rtol=1e-9)
        except BadRequest:
            seen += 1
    assert seen == len(places)


def test_what_is_said_twice_must_be_the_same() -> None:
    """The legend of a nested formula says its parts again: a wrong index in either is seen."""
    program = nested(dense(2, 2, 2, 1), notation="edges")
    text = emit(program, "latex")
    legend = text.index("\\end{equation*}")
    wrong = text[:legend] + text[legend:].replace("r_0} W_{r_0,s_1}", "r_0} W_{r_1,s_1}", 1)
    assert wrong != text
    run(text, np.ones((1, 2)))
    with pytest.raises(BadRequest, match="y stands for two things"):
        run(wrong, np.ones((1, 2)))
