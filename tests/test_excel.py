"""Workbooks and cell formulas say what their Program says: recalculated by LibreOffice, within Excel's limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from language_programs import constant, everything, exact, odd, samples, scale
from latex_networks import affine, dense, of, renamed
from test_emit_contract import HOSTILE

from nn2eq.activations import activation
from nn2eq.conversion import Request, convert
from nn2eq.emit import content, emit
from nn2eq.emit.excel_formulas import LARGEST, LONGEST, MOST, SMALLEST, column, depth, literal
from nn2eq.errors import BadRequest, CannotEmit, TooLarge
from nn2eq.forms.program import Affine, Apply, Constant, Program, Value
from nn2eq.forms.straight import layered, nested
from nn2eq.forms.taylor import taylor
from nn2eq.network import Layer, Network
from nn2eq.proof.check import check
from nn2eq.proof.judge import judge, recognised
from nn2eq.proof.run_excel import said
from nn2eq.proof.runners import run
from nn2eq.proof.spreadsheet import opened

TOO_LONG = {"summed_sparsemax"}
"""What does not fit into one cell for four units; a workbook takes several."""
EXTREMES = np.array([0.1, 1 / 3, SMALLEST, -LARGEST, 1e22, -0.0, 2.0**60, 1e-45, 7.038531e-26, 16777217.0])
_FORMULA = re.compile(r"=([A-Z0-9$:!,.()+\-*/<>= ]|Weights|Cases)+")


def require_same(of: Program, language: str, x: np.ndarray) -> None:
    """Hold what is written to the program, to 1e-12 of the magnitudes that are summed last."""
    found = run(language, content(of, language), x).outputs
    with np.errstate(all="ignore"):
        errors = np.abs(found - of.evaluate(x)) / scale(of, x)
    worst = np.unravel_index(np.argmax(np.where(np.isnan(errors), np.inf, errors)), errors.shape)
    assert errors[worst] <= 1e-12, f"{of.outputs[worst[1]]} at {x[worst[0]]}: {found[worst]}"


def on_breakpoints() -> np.ndarray:
    """Return samples on breakpoints, but none beside them by less than the 15 digits that a spreadsheet compares."""
    return np.round(samples()[::4], 12)


def outputs_of(program: Program, chosen: list[int]) -> Program:
    """Return a program with some of its outputs."""
    *before, last = program.predict.steps
    assert isinstance(last, Affine)
    y = Value("y", tuple(program.outputs[k] for k in chosen))
    terms = tuple(
        replace(term, matrix=Constant(term.matrix.name, term.matrix.data[:, chosen])) for term in last.terms
    )
    function = replace(program.predict, results=(y,), steps=(*before, Affine(y, terms)))
    return replace(program, functions=(function,))


def in_cells(program: Program, cells: tuple[str, ...]) -> Program:
    """Return a program whose inputs are called otherwise."""
    x = replace(program.predict.arguments[0], parts=cells)

    def step(of: Any) -> Any:
        if isinstance(of, Affine):
            return replace(
                of, terms=tuple(replace(t, arg=x if t.arg.name == "x" else t.arg) for t in of.terms)
            )
        return replace(of, arg=x) if of.arg.name == "x" else of

    function = replace(program.predict, arguments=(x,), steps=tuple(map(step, program.predict.steps)))
    return replace(program, functions=(function,))


def formulas(data: bytes) -> Iterator[str]:
    """Yield every formula of a workbook."""
    for sheet in opened(data):
        for row in sheet.iter_rows():
            yield from (cell.value for cell in row if cell.data_type == "f")


@cache
def book() -> bytes:
    """Return a small workbook with recorded answers."""
    found = convert(dense(2, 3, 2, hidden="sigmoid"), Request("excel")).text
    assert isinstance(found, bytes)
    return found


# --------------------------------------------------------------------------------- it says what its program says


@pytest.mark.slow
def test_every_activation_in_a_workbook(office: str) -> None:
    require_same(everything("layered"), "excel", on_breakpoints())


def test_everything_odd_in_a_workbook(office: str) -> None:
    require_same(odd("layered"), "excel", 3.0 * np.random.default_rng(1).standard_normal((50, 4)))
    require_same(constant("layered"), "excel", np.random.default_rng(1).standard_normal((5, 2)))


@pytest.mark.slow
def test_every_activation_in_one_cell(office: str) -> None:
    whole = everything("nested")
    rows = [step.activation.row.name for step in whole.predict.steps if isinstance(step, Apply)]
    fitting = [k for k, name in enumerate(rows) if name not in TOO_LONG]
    require_same(outputs_of(whole, fitting), "excel-formula", on_breakpoints())
    for k in set(range(len(rows))) - set(fitting):
        with pytest.raises(TooLarge, match="use --format excel"):
            emit(outputs_of(whole, [k]), "excel-formula")


def test_cells_anywhere(office: str) -> None:
    cells = ("B7", "$C$3", "XFD100", "A$9")
    network = dense(4, 3, 2, hidden="softplus")
    require_same(in_cells(nested(network), cells), "excel-formula", samples()[::9, :4] / 50.0)


@pytest.mark.parametrize(("language", "layout"), [("excel", "layered"), ("excel-formula", "nested")])
def test_polynomials(office: str, language: str, layout: str) -> None:
    program = replace(taylor(dense(2, 4, 2), 4, at=[0.5, -0.25]), layout=layout)
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (20, 2))
    found = run(language, content(program, language), x).outputs
    np.testing.assert_allclose(found, program.evaluate(x), rtol=1e-12, atol=1e-13)


def test_pieces_are_cases_of_cells(office: str) -> None:
    conversion = convert(dense(1, 4, 1, hidden="relu"), Request("excel", "pieces"), run=True)
    assert conversion.agreement is not None


@pytest.mark.parametrize("language", ["excel", "excel-formula"])
def test_it_is_run_when_asked_and_judged(office: str, language: str) -> None:
    network = dense(2, 3, 1)
    assert convert(network, Request(language)).agreement is None
    conversion = convert(network, Request(language), run=True)
    assert conversion.agreement is not None
    with pytest.raises(BadRequest, match="only on request"):
        judge(network, conversion.text)
    assert judge(network, conversion.text, outside=True).holds
    if isinstance(conversion.text, str):
        bare = "\n".join(line for line in conversion.text.splitlines() if "nn2eq " not in line)
        assert recognised(bare) == language
    else:
        assert "text and network agree" in said(conversion.text)


# ------------------------------------------------------------------------------------------------------- numbers


def test_weights_keep_all_their_digits(office: str) -> None:
    for data in (EXTREMES, np.random.default_rng(3).standard_normal(50).astype(np.float32)):
        sheet = opened(content(exact("layered", data), "excel"))["Weights"]  # type: ignore[arg-type]
        found = [float(sheet.cell(row, 3).value) for row in range(2, 2 + len(data))]
        assert np.array_equal(found, data.astype(np.float64))
        program = exact("layered", data)
        np.testing.assert_allclose(
            run("excel", content(program, "excel"), np.ones((2, 1))).outputs[0], data, rtol=5e-15
        )


@given(st.floats(SMALLEST, LARGEST) | st.floats(-LARGEST, -SMALLEST) | st.floats(-1e3, 1e3, width=32))
def test_a_number_in_a_formula_is_a_sum_of_such_as_have_15_digits(value: float) -> None:
    if value and not SMALLEST <= abs(value):
        return
    parts = re.findall(r"[+-]?\d[\d.]*(?:E[+-]?\d+)?", literal(value))
    assert all(len(Decimal(part).normalize().as_tuple().digits) <= 15 for part in parts)
    assert sum(map(float, parts)) == value
    assert len(parts) == 1 or literal(value)[0] + literal(value)[-1] == "()"


@pytest.mark.parametrize("value", [5e-324, -1e-310, 1.7976931348623157e308, np.inf, np.nan])
def test_numbers_that_no_spreadsheet_knows_are_refused(value: float) -> None:
    for language, layout in (("excel", "layered"), ("excel-formula", "nested")):
        with pytest.raises(CannotEmit, match=r"\[number-range\]"):
            content(exact(layout, np.array([value])), language)


def test_columns_are_counted_as_excel_does() -> None:
    assert [column(k) for k in (0, 25, 26, 701, 702, 16383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]


# --------------------------------------------------------------------------------------------------------- limits


@pytest.mark.slow
def test_long_formulas_are_divided_within_the_limits_of_excel(office: str) -> None:
    network = of(
        affine(1, 300, 1), activation("softmax"), affine(300, 20, 2),
        activation("layer_normalization", {"epsilon": 1e-3}), affine(20, 1, 3), inputs=1, outputs=1,
    )  # fmt: skip
    program = layered(network)
    data = content(program, "excel")
    assert isinstance(data, bytes)
    for formula in formulas(data):
        assert len(formula) <= LONGEST
        assert depth(formula) <= 64
        for arguments in re.findall(r"(?:MAX|MIN)\(([^()]*)\)", formula):
            assert arguments.count(",") < MOST
    require_same(program, "excel", np.linspace(-2.0, 2.0, 5)[:, None])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(TooLarge, match=r"a cell takes 8,192"):
        emit(nested(dense(4, 16, 16, 1)), "excel-formula")
    with pytest.raises(TooLarge, match=r"a sheet has 16,384"):
        content(layered(dense(20_000, 1)), "excel")


def test_a_larger_limit_is_the_only_way_out_where_there_is_one_form() -> None:
    with pytest.raises(TooLarge, match=r"\(limit 5\); raise --limit"):
        convert(dense(2, 3, 1), Request("excel", limit=5))


def test_a_chain_is_refused_where_excel_nests_no_deeper() -> None:
    chain = dense(*[1] * 40, hidden="softsign")
    with pytest.raises(TooLarge):
        emit(nested(chain), "excel-formula")


# ---------------------------------------------------------------------------------------------------------- names


INJECTED = (
    "=1+1",
    "+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "-2",
    "Weights!$A$1",
    '=HYPERLINK("http://x","y")',
    "\t=1",
)


@pytest.mark.parametrize("hostile", [*HOSTILE, *INJECTED], ids=ascii)
def test_names_are_words_in_cells_and_no_part_of_a_formula(hostile: str) -> None:
    pytest.importorskip("xlsxwriter")
    layers = tuple(
        Layer(hostile, hostile, (2,), (affine(2, 2, seed), activation("sigmoid"))) for seed in range(2)
    )
    network = renamed(Network(layers, (2,)), (hostile, "other"), ("y1", hostile + "?"))
    data = content(layered(network), "excel")
    assert isinstance(data, bytes)
    assert all(_FORMULA.fullmatch(formula) for formula in formulas(data))
    for sheet in opened(data):
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "s" or not str(cell.value).startswith(("=", "+", "-", "@"))
                assert cell.data_type != "s" or str(cell.value).isprintable()


def test_hostile_names_do_not_change_the_answers(office: str) -> None:
    network = renamed(dense(3, 2, 2), ("=1+1", "Weights!$B$2", "inputs"), ("outputs", "Cases!$A$3"))
    network = replace(network, layers=tuple(replace(layer, name="outputs") for layer in network.layers))
    assert check(network, content(layered(network), "excel"), "excel").holds


@pytest.mark.parametrize(
    "cells", [("T", "p"), ("a2", "B2"), ("A0", "B2"), ("XFE1", "B2"), ("A1048577", "B2"), ("R1C1", "B2")]
)
def test_a_formula_takes_cells_alone(cells: tuple[str, str]) -> None:
    with pytest.raises(CannotEmit, match=r"is not a cell of a spreadsheet; name the cells"):
        emit(nested(renamed(dense(2, 1), cells, ("y",))), "excel-formula")
    with pytest.raises(CannotEmit, match="the same cell"):
        emit(nested(renamed(dense(2, 1), ("A2", "$A$2"), ("y",))), "excel-formula")


def test_two_units_of_one_name_are_refused() -> None:
    with pytest.raises(CannotEmit, match=r"\[name-clash\]"):
        content(layered(renamed(dense(2, 2, 1), ("z1_1", "b"), ("y",))), "excel")
