"""Cases in every language: what a text answers is what the network answers, on borders and corners too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from importlib import import_module
from itertools import product

import numpy as np
import pytest
from affine_networks import dense, network, random_network
from test_size import written, zeros_in

from nn2eq.cells import regions
from nn2eq.emit import LANGUAGES, Content, content, emit, emitter
from nn2eq.emit.options import Options
from nn2eq.errors import BadRequest, CannotEmit, DamagedFile
from nn2eq.forms.pieces import pieces
from nn2eq.forms.program import Cases, Constant, Function, Program, Value
from nn2eq.forms.size import numbers
from nn2eq.network import Network
from nn2eq.proof.outside import Toolchain
from nn2eq.proof.program_json import read_program
from nn2eq.proof.runners import RUNNERS, run

Array = np.ndarray
AGREES = 1e-12
WIDTHS = {
    "a few intervals": (1, 3, 1),
    "many intervals": (1, 24, 12, 2),
    "a few polygons": (2, 2, 1),
    "many polygons": (2, 8, 5, 2),
    "polyhedra": (3, 4, 2, 1),
}
"""Networks that have few pieces and many, on the line and elsewhere."""
LAYOUTS = ("layered", "matrix")
FEW = {"python": 200, "sympy": 200, "pyomo": 6, "smtlib": 6}
"""At how many inputs the languages are asked that take their time for each."""
SOLVED = ("pyomo", "smtlib")
"""The languages whose texts a solver answers, which takes it a minute where there are many polygons."""


@cache
def example(name: str) -> tuple[Network, Program, Array]:
    """Return a network, its pieces, and inputs: anywhere, on every corner, border and breakpoint, and far away."""
    net = random_network(WIDTHS[name], 3)
    box = [(-2.0, 2.0)] * net.inputs
    found = list(regions(net, box))
    ends = [region.interval if region.vertices is None else region.vertices for region in found]
    if net.inputs > 2:
        ends = [region.interior for region in found]
    corners = np.concatenate([np.reshape(end, (-1, net.inputs)) for end in ends]).astype(np.float64)
    beside = [np.nextafter(corners, side) for side in (-np.inf, np.inf)]
    middles = (corners + np.roll(corners, 1, axis=0)) / 2
    anywhere = np.random.default_rng(0).uniform(-3, 3, (100, net.inputs))
    return net, pieces(net), np.concatenate([corners, *beside, middles, anywhere, 1000 * anywhere])


def require_same(net: Network, text: Content, language: str, x: Array) -> None:
    found, expected = run(language, text, x).outputs, net.evaluate(x)
    errors = np.abs(found - expected) / (1 + np.abs(x).sum(axis=1, keepdims=True))
    worst = np.unravel_index(np.argmax(np.where(np.isnan(errors), np.inf, errors)), errors.shape)
    assert errors[worst] < AGREES, f"{x[worst[0]]}: {found[worst]}, not {expected[worst]}\n{text[:3000]!r}"


@pytest.fixture
def installed(language: str, tool: Callable[[str], str]) -> str:
    """The language, if its programs are on this machine."""
    toolchain: Toolchain | None = getattr(import_module(RUNNERS[language]), "TOOLCHAIN", None)
    for program, *_ in toolchain.commands if toolchain else ():
        if "/" not in program:
            tool(program)
    return language


def asked() -> Iterator[tuple[str, str, str]]:
    """Yield each language with the layouts that it says and examples of few pieces and many."""
    for language, layout, name in product(LANGUAGES, LAYOUTS, WIDTHS):
        other = emitter(language)
        compiled = other.external and name in ("a few polygons", "polyhedra")
        solved = language in SOLVED and name == "many polygons"
        if layout in other.layouts and not compiled and not solved:
            yield language, layout, name


@pytest.mark.parametrize(("language", "layout", "name"), list(asked()))
def test_every_language_says_every_piece(installed: str, layout: str, name: str) -> None:
    net, program, x = example(name)
    x = x[:: 1 + len(x) // FEW.get(installed, len(x))]
    require_same(net, content(replace(program, layout=layout), installed), installed, x)


def test_every_language_is_asked() -> None:
    able = {language for language in LANGUAGES if {*LAYOUTS} & {*emitter(language).layouts}}
    assert {language for language, _, _ in asked()} == able


def test_examples_have_few_and_many_pieces() -> None:
    counts = {}
    for name in WIDTHS:
        (step,) = example(name)[1].predict.steps
        assert isinstance(step, Cases)
        counts[name] = len(step.counts)
    assert counts["a few intervals"] <= 4
    assert counts["a few polygons"] <= 4
    assert min(counts["many intervals"], counts["many polygons"], counts["polyhedra"]) > 16


@pytest.mark.parametrize("name", WIDTHS)
def test_a_moved_border_is_seen(name: str) -> None:
    net, program, x = example(name)
    (step,) = program.predict.steps
    assert isinstance(step, Cases)
    moved = replace(step, bounds=Constant("moved1", step.bounds.data + 0.25))
    wrong = replace(program, functions=(replace(program.predict, steps=(moved,)),))
    for language in ("latex", "numpy", "python", "json"):
        with pytest.raises(AssertionError):
            require_same(net, emit(wrong, language), language, x)


# --------------------------------------------------------------------------------------- people, and their texts


def test_latex_reads_like_a_textbook() -> None:
    net = network(dense([[1, 1]], [0, -1]), dense([[1], [1]], [0], None))
    text = emit(pieces(net), "latex")
    assert r"0 & \text{if } x \le 0 \\" in text
    assert r"x & \text{if } 0 < x \le 1 \\" in text
    assert r"2 x - 1 & \text{if } x > 1" in text
    assert text.count(r"\begin{cases}") == 1


def test_numbers_of_pieces_stand_in_the_equations() -> None:
    for place in ("matrix", "table"):
        with pytest.raises(CannotEmit, match="--numbers"):
            emit(example("a few intervals")[1], "latex", Options(numbers=place))


def test_latex_says_where_a_box_ends() -> None:
    net = network(dense([[1, 1]], [0, -1]), dense([[1], [1]], [0], None))
    text = emit(pieces(net, domain=(-1.5, 3)), "latex")
    assert r"\text{if } {-1.5} \le x \le 0" in text
    assert r"\text{if } 1 < x \le 3" in text
    assert np.isnan(run("latex", text, np.array([[-2.0], [4.0]])).outputs).all()
    in_quarters = emit(pieces(net, domain=(-1.25, 3), exact=True), "latex")
    assert r"{-\frac{5}{4}} \le x" in in_quarters


def test_many_pieces_are_equations_that_break_over_pages() -> None:
    _, program, _ = example("many intervals")
    text = emit(program, "latex")
    assert "cases" not in text
    assert r"\allowdisplaybreaks" in text


def of_x(right: str) -> str:
    return f"% inputs: x; outputs: y\n\\begin{{align*}}\n{right}\n\\end{{align*}}\n"


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        (r"y &= \begin{cases} 1 & \text{if } x < 0 \\ 2 & \text{if } 0 \le x < 1 \\ 3 & \text{otherwise} \end{cases}",
         [1, 2, 3]),
        (r"y &= \begin{cases} 1 & x < 0 \\ 2 & x \ge 0, \\ & x < 1 \\ 3 & x \ge 1 \end{cases}", [1, 2, 3]),
        (r"y &= 1 && \text{if } x < 0 \\ y &= 2 && \text{if } x \ge 0 \text{ and } x < 1 \\"
         r"y &= x && \text{if } x \ge 1", [1, 2, 2]),
        (r"y &= 1 \\ &\qquad \text{for } x < 0,\ x > -9 \\ y &= 2 x \\ &\qquad \text{for } x \ge 0", [1, 1, 4]),
        (r"y &= \frac{1}{3} x + \frac{12345678901234567890}{12345678901234567890}", [2 / 3, 7 / 6, 5 / 3]),
    ],
)  # fmt: skip
def test_conditions_are_read_however_they_are_set(right: str, expected: list[float]) -> None:
    found = run("latex", of_x(right), np.array([[-1.0], [0.5], [2.0]])).outputs
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-15)


def test_no_case_is_no_number_unless_rounding_is_the_reason() -> None:
    hole = of_x(r"y &= \begin{cases} 1 & \text{if } x < 0 \\ 2 & \text{if } x > 0.1 \end{cases}")
    assert np.isnan(run("latex", hole, np.array([[0.05]])).outputs).all()
    at_a_point = of_x(r"y &= \begin{cases} 1 & \text{if } x < 0 \\ 2 & \text{if } x > 0 \end{cases}")
    assert run("latex", at_a_point, np.array([[0.0]])).outputs.tolist() == [[1.0]]


@pytest.mark.parametrize(
    "right",
    [
        r"y &= 1 && \text{if } x < 0 \\ y &= 2",
        r"y &= 1 \text{ unless } x",
        r"y &= \begin{cases} 1 & \text{if } x \end{cases}",
        r"y &= \begin{cases} 1 & \text{otherwise} \\ 2 & x < 3 \end{cases}",
    ],
)
def test_what_is_no_case_is_refused(right: str) -> None:
    with pytest.raises(BadRequest):
        run("latex", of_x(right), np.array([[0.0]]))


def test_sympy_has_one_piecewise() -> None:
    from sympy import Piecewise

    text = emit(example("a few intervals")[1], "sympy")
    namespace: dict[str, object] = {}
    exec(text, namespace)
    [(_, expression)] = namespace["steps"]  # type: ignore[misc]
    assert isinstance(expression, Piecewise)
    assert len(expression.args) == len(example("a few intervals")[1].predict.steps[0].counts)  # type: ignore[union-attr]


def test_rounded_numbers_are_written() -> None:
    net = network(dense([[1, 1]], [-1 / 3, -1]), dense([[1], [1]], [0], None))
    text = emit(pieces(net), "numpy")
    assert "0.3333333333333333" in text


# -------------------------------------------------------------------------------------------------- fractions


def in_fractions(net: Network, x: float) -> Fraction:
    """Evaluate a network of one input in exact arithmetic, unit by unit."""
    values = [Fraction(x)]
    for layer in net.layers:
        affine, *bend = layer.maps
        kernel, bias = affine.kernel.tolist(), affine.bias.tolist()  # type: ignore[union-attr]
        sums = [
            sum(v * Fraction(row[unit]) for v, row in zip(values, kernel, strict=True)) + Fraction(b)
            for unit, b in enumerate(bias)
        ]
        values = [max(Fraction(0), z) for z in sums] if bend else sums
    return values[0]


def test_fractions_in_python_are_the_network_itself() -> None:
    net = random_network((1, 6, 5, 1), 2)
    namespace: dict[str, Callable[[float], Fraction]] = {}
    exec(emit(pieces(net, exact=True), "python"), namespace)
    for x in np.random.default_rng(1).uniform(-3, 3, 50).tolist():
        assert namespace["predict"](x) == in_fractions(net, x)


@pytest.mark.parametrize("language", ["latex", "python", "sympy", "json"])
@pytest.mark.parametrize("widths", [(1, 6, 5, 1), (1, 1)])
def test_fractions_are_written_and_read(language: str, widths: tuple[int, ...]) -> None:
    net = random_network(widths, 2)
    x = np.random.default_rng(1).uniform(-3, 3, (50, 1))
    require_same(net, emit(pieces(net, exact=True), language), language, x)


def test_fractions_survive_json_to_the_last_digit() -> None:
    program = pieces(random_network((1, 6, 5, 1), 2), exact=True)
    before, after = (of.predict.steps[0] for of in (program, read_program(emit(program, "json"))))
    assert isinstance(before, Cases)
    assert isinstance(after, Cases)
    for one, two in zip(before.constants, after.constants, strict=True):
        assert one.data.tolist() == two.data.tolist()


@pytest.mark.parametrize("language", [name for name in LANGUAGES if not emitter(name).fractions])
def test_languages_without_fractions_refuse_them(language: str) -> None:
    with pytest.raises(CannotEmit, match=r"no-fractions|cannot say the layered form"):
        emit(pieces(random_network((1, 3, 1), 1), exact=True), language)


def test_fractions_are_not_rounded_and_of_one_input() -> None:
    with pytest.raises(CannotEmit, match="exclude each other"):
        emit(pieces(random_network((1, 3, 1), 1), exact=True), "latex", Options(digits=3))
    with pytest.raises(BadRequest, match="one input"):
        pieces(random_network((2, 3, 1), 1), exact=True)


# ---------------------------------------------------------------------------------------------- odd steps, sizes


@pytest.mark.parametrize("name", ["a few intervals", "a few polygons", "two outputs"])
def test_a_size_is_what_is_written(name: str) -> None:
    net = network(dense([[1, 1]], [-0.5, -1.5]), dense([[2.5, 3.25], [4.75, 5.5]], [7.125, 8.25], None))
    program = pieces(net) if name == "two outputs" else example(name)[1]
    for layout in LAYOUTS:
        laid_out = replace(program, layout=layout)
        assert written(laid_out, "python", Options()) == numbers(laid_out) - zeros_in(laid_out)


def everywhere(counts: tuple[int, ...]) -> Program:
    x, y = Value("x", ("x1", "x2")), Value("y", ("y",))
    rows = np.array([[1.0, 0.0], [0.0, 1.0]])
    step = Cases(
        y, x, Constant("n1", rows), Constant("b1", np.zeros(2)), counts,
        Constant("m1", np.arange(4.0).reshape(2, 2, 1)), Constant("c1", np.array([[1.0], [2.0]])),
    )  # fmt: skip
    return Program((Function("predict", (x,), (y,), (step,)),), "layered", "pieces")


@pytest.mark.parametrize("language", ["numpy", "python", "sympy", "json", "c"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_case_without_conditions_holds_otherwise(language: str, layout: str) -> None:
    program = replace(everywhere((2, 0)), layout=layout)
    x = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [2.0, 3.0]])
    expected = [[0.0], [3.0], [1.0], [15.0]]
    np.testing.assert_allclose(program.evaluate(x), expected)
    np.testing.assert_allclose(run(language, emit(program, language), x).outputs, expected)


@pytest.mark.parametrize(
    ("old", "new"),
    [('"counts":[1,1]', '"counts":[1,2]'), ('"counts":[1,1]', '"counts":[2,-1]'), ("[0.0,0.0]", "[0.0]"),
     ('"counts":[1,1]', '"counts":[true,1]'), ("[[1.0],[2.0]]", "[[1.0]]")],
)  # fmt: skip
def test_damaged_json_is_refused(old: str, new: str) -> None:
    text = emit(everywhere((1, 1)), "json")
    assert old in text
    read_program(text)
    with pytest.raises(DamagedFile):
        read_program(text.replace(old, new, 1))


@pytest.mark.parametrize("text", ["1/0", "1e9", "0x1", "", "1/-3"])
def test_damaged_fractions_are_refused(text: str) -> None:
    good = emit(pieces(network(dense([[1]], [1], None)), exact=True), "json")
    assert '[["1"]]' in good
    with pytest.raises(DamagedFile):
        read_program(good.replace('[["1"]]', f'[["{text}"]]'))
