"""The form `pieces`: a Program of cases that answers as the network does, on borders and corners too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from affine_networks import AGREES, PIECEWISE, dense, made, network, random_network

from nn2eq.cells import regions
from nn2eq.conversion import Request, convert
from nn2eq.emit import emit
from nn2eq.emit.options import Options
from nn2eq.errors import Disagreement, TooLarge, UnsupportedModel
from nn2eq.forms.pieces import pieces
from nn2eq.forms.program import Affine, Cases, Constant
from nn2eq.forms.rounded import rounded as rounded_to
from nn2eq.network import Network
from nn2eq.proof.cases import cost_of_rounding
from nn2eq.proof.check import check, unit_of
from nn2eq.proof.judge import judge


def worst(net: Network, domain: list[tuple[float, float]] | None, x: np.ndarray) -> float:
    expected, answer = net.evaluate(x), pieces(net, domain=domain).evaluate(x)
    return float((np.abs(answer - expected) / (1 + np.abs(x).sum(axis=1, keepdims=True))).max())


@pytest.mark.parametrize("inputs", [1, 2, 3])
@pytest.mark.parametrize("domain", [None, (-2.0, 2.0)], ids=["whole", "box"])
def test_cases_answer_as_the_network(inputs: int, domain: tuple[float, float] | None) -> None:
    net = random_network((inputs, 5, 4, 2), 3)
    x = np.random.default_rng(0).uniform(-2, 2, (2000, inputs))
    assert worst(net, domain and [domain] * inputs, x) < AGREES


def test_cases_answer_on_every_corner_and_border() -> None:
    net = random_network((2, 6, 5, 1), 3)
    box = [(-2.0, 2.0)] * 2
    corners = np.concatenate([region.vertices for region in regions(net, box)])
    middles = (corners + np.roll(corners, 1, axis=0)) / 2
    assert worst(net, box, np.concatenate([corners, middles])) < AGREES
    line = random_network((1, 8, 8, 1), 3)
    ends = np.array([region.interval for region in regions(line, [(-3, 3)])]).reshape(-1, 1)
    assert worst(line, None, ends) < AGREES


@pytest.mark.parametrize("name", PIECEWISE)
def test_cases_of_every_row_with_pieces(name: str) -> None:
    net = random_network((1, 4, 4, 1), 1, made(name, 4))
    x = np.random.default_rng(0).uniform(-4, 4, (2000, 1))
    assert worst(net, None, x) < AGREES


def test_one_input_needs_one_condition_a_case() -> None:
    net = network(dense([[1, 1]], [0, -1]), dense([[1], [1]], [0], None))
    (step,) = pieces(net).predict.steps
    assert step.counts == (1, 1, 0)
    assert step.bounds.data.tolist() == [0, 1]
    assert step.normals.data.tolist() == [[1], [1]]
    assert step.matrices.data.ravel().tolist() == [0, 1, 2]
    assert step.offsets.data.ravel().tolist() == [0, 0, -1]


def test_domain_ends_are_no_conditions() -> None:
    net = random_network((2, 3, 1), 1)
    (step,) = pieces(net, domain=[(-1, 1), (-2, 2)]).predict.steps
    ends = {(1, 0), (-1, 0), (0, 1), (0, -1)}
    assert not ends & {tuple(row) for row in step.normals.data.tolist()}


def test_other_networks_are_refused() -> None:
    with pytest.raises(UnsupportedModel, match="not-piecewise-affine"):
        pieces(random_network((1, 3, 1), 1, made("tanh", 3)))


def test_more_pieces_than_allowed_are_no_text() -> None:
    with pytest.raises(TooLarge, match="more than 3 pieces"):
        pieces(random_network((1, 8, 1), 1), max_regions=3)


def test_an_interrupt_leaves_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    net = random_network((1, 8, 1), 1)
    some = replace(regions(net, max_regions=3))
    monkeypatch.setattr("nn2eq.forms.pieces.regions", lambda *args, **options: some)
    with pytest.raises(KeyboardInterrupt):
        pieces(net, max_regions=100)


def test_one_piece_is_an_affine_map() -> None:
    (step,) = pieces(network(dense([[2, 3]], [5, 7], None))).predict.steps
    assert isinstance(step, Affine)
    assert step.terms[0].matrix.data.tolist() == [[2, 3]]


def test_numbers_on_a_line_are_the_nearest_ones() -> None:
    net = random_network((1, 6, 5, 1), 2)
    rounded, exact = (pieces(net, exact=exact).predict.steps[0] for exact in (False, True))
    assert isinstance(rounded, Cases)
    assert isinstance(exact, Cases)
    for one, two in zip(rounded.constants, exact.constants, strict=True):
        assert one.data.ravel().tolist() == [float(value) for value in two.data.ravel()]


def test_rounded_pieces_are_held_to_what_rounding_can_cost() -> None:
    net = random_network((1, 8, 8, 1), 3)
    program = rounded_to(pieces(net), 4)
    text = emit(program, "numpy")
    agreement = check(net, text, "numpy", program=program, digits=4)
    assert agreement.holds
    assert 1e-6 < agreement.cost < 1e-2
    (step,) = program.predict.steps
    wrong = replace(step, offsets=Constant("wrong1", step.offsets.data * 1.01))
    planted = replace(program, functions=(replace(program.predict, steps=(wrong,)),))
    with pytest.raises(Disagreement, match="rounded to 4 digits"):
        check(net, emit(planted, "numpy"), "numpy", program=planted, digits=4)


@pytest.mark.parametrize("inputs", [1, 2])
def test_what_rounding_costs_is_not_more_than_is_said(inputs: int) -> None:
    net = random_network((inputs, 6, 5, 2), 4)
    exact = pieces(net)
    (step,) = exact.predict.steps
    ends = step.bounds.data.reshape(-1, 1) if inputs == 1 else np.zeros((0, 2))
    x = np.concatenate([np.random.default_rng(0).uniform(-3, 3, (500, inputs)), ends * 1.0001, ends * 0.9999])
    for digits in (2, 3, 6):
        off = np.abs(rounded_to(exact, digits).evaluate(x) - net.evaluate(x))
        assert (
            off <= cost_of_rounding(rounded_to(exact, digits).predict.steps[0], x, unit_of(digits)) + 1e-12
        ).all()


@pytest.mark.parametrize("language", ["latex", "numpy", "python", "json"])
@pytest.mark.parametrize("told", [{}, {"domain": ((-1.0, 1.5),)}], ids=["everywhere", "box"])
@pytest.mark.parametrize("digits", [0, 3])
def test_a_text_is_judged_by_what_its_header_says(
    language: str, told: dict[str, object], digits: int
) -> None:
    net = random_network((1, 5, 4, 1), 7)
    request = Request(language, "pieces", options=Options(digits=digits), shape=told)
    found = convert(net, request)
    assert judge(net, found.text).holds
    if not told:
        assert not judge(random_network((1, 5, 4, 1), 8), found.text).holds


def test_a_jump_is_told_of() -> None:
    jumping = network(dense([[1, -1]], [0, 1], made("thresholded_relu", 2)), dense([[1], [1]], [0], None))
    assert any("where it jumps" in note for note in pieces(jumping).notes)
    assert not any("where it jumps" in note for note in pieces(random_network((1, 3, 1), 1)).notes)


def test_a_box_is_no_question_of_data() -> None:
    net = random_network((1, 5, 1), 7)
    assert convert(net, Request(form="pieces"), data=np.array([[0.0], [1.0]])).program.domain == ()
