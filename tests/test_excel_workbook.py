"""The workbook that people open: its sheets, what is recorded in them, and what a wrong cell comes to."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from latex_networks import dense
from test_cli import CIRCLES, nn2eq

from nn2eq.conversion import Request, convert
from nn2eq.emit import content, emit
from nn2eq.emit.cells import Down, cells_of
from nn2eq.emit.options import Options, Recorded
from nn2eq.errors import CannotEmit, Disagreement
from nn2eq.forms.straight import layered, nested
from nn2eq.proof.check import check
from nn2eq.proof.runners import run
from nn2eq.proof.spreadsheet import opened, recalculated


@cache
def book() -> bytes:
    """Return a small workbook with recorded answers."""
    found = convert(dense(2, 3, 2, hidden="sigmoid"), Request("excel")).text
    assert isinstance(found, bytes)
    return found


# ------------------------------------------------------------------------------------------------- the workbook


def test_the_recorded_answers_stand_beside_the_formulas(office: str) -> None:
    network = dense(2, 3, 2, hidden="sigmoid")
    sheet = recalculated(opened(book()))["Cases"]
    groups = [cell.value for cell in sheet[1]]
    place = groups.index("answers of the network in float64") + 1
    assert groups[place : place + 4] == [None, "difference", None, "allowed"]
    for row in range(3, sheet.max_row + 1):
        x = [sheet.cell(row, k).value for k in (1, 2)]
        y, far, allowed = ([sheet.cell(row, place + 2 * k + j).value for j in (0, 1)] for k in (0, 1, 2))
        np.testing.assert_allclose(y, network.evaluate(np.array([x], dtype=float))[0], rtol=1e-12)
        assert all(one <= other for one, other in zip(far, allowed, strict=True))
        assert max(allowed) < 1e-9


def test_an_approximation_shows_the_middle_of_its_domain_without_answers() -> None:
    network = dense(2, 3, 1)
    found = convert(network, Request("excel", "polynomial", shape={"domain": (-1.0, 3.0), "degree": 2}))
    sheet = opened(found.text)["Cases"]  # type: ignore[arg-type]
    assert {cell.value for cell in sheet[1]} & {"allowed", "difference"} == set()
    assert [sheet["A3"].value, sheet["B3"].value, sheet.max_row] == [1, 1, 3]


def test_answers_of_keras_are_called_so() -> None:
    x, y = np.array([[0.25, 0.5]]), np.array([[1.0]])
    options = Options(recorded=Recorded(x, y, np.array([[1e-6]]), "Keras 3.15.1"), said=("nn2eq",))
    found = opened(content(layered(dense(2, 3, 1)), "excel", options))  # type: ignore[arg-type]
    assert "answers of Keras 3.15.1" in [cell.value for cell in found["Cases"][1]]
    assert found["About"]["A1"].value == "nn2eq"


def test_values_are_there_before_anything_is_calculated() -> None:
    network = dense(2, 3, 2, hidden="sigmoid")
    sheet = opened(book(), answers=True)["Cases"]
    rows = np.array(
        [[sheet.cell(row, k).value for k in range(1, 11)] for row in range(3, sheet.max_row + 1)], float
    )
    assert np.array_equal(rows[:, 8:], layered(network).evaluate(rows[:, :2]))


def test_the_same_program_is_the_same_file() -> None:
    assert content(layered(dense(2, 3, 1)), "excel") == content(layered(dense(2, 3, 1)), "excel")


def test_one_case_is_the_case_that_is_chosen(office: str) -> None:
    workbook = opened(book())
    workbook["One case"]["C1"] = 3
    found = recalculated(workbook)
    row = [cell.value for cell in found["Cases"][5]][:10]
    shown = [found["One case"].cell(3 + k, 3).value for k in range(10)]
    np.testing.assert_allclose(np.array(shown, float), np.array(row, float), rtol=1e-13)


def changed(data: bytes, sheet: str, cell: str, value: object) -> bytes:
    """Return a workbook with another cell."""
    workbook, file = opened(data), io.BytesIO()
    workbook[sheet][cell] = value
    workbook.save(file)
    return file.getvalue()


def test_a_wrong_weight_is_found_and_its_unit_is_named(office: str) -> None:
    network = dense(2, 3, 2, hidden="sigmoid")
    found = check(network, changed(book(), "Weights", "C3", 0.75), "excel")
    assert not found.holds
    assert found.unit.startswith("z1_2")


def test_sheets_that_differ_are_found(office: str) -> None:
    place = (
        Down(cells_of(layered(dense(2, 3, 2, hidden="sigmoid"))).places, "$C$", 3)
        .cell("a1_2")
        .replace("$", "")
    )
    with pytest.raises(Disagreement, match=r"a1_2 is .* on one sheet and .* on the other"):
        run("excel", changed(book(), "One case", place, "=0.125"), np.zeros((2, 2)))
    with pytest.raises(Disagreement, match="calculated on one sheet alone"):
        run("excel", changed(book(), "One case", place, "=1/0"), np.zeros((2, 2)))


def test_what_is_no_workbook_of_ours_fails(office: str) -> None:
    with pytest.raises(Disagreement, match=r"cannot be read: .*\[text-fails\]"):
        run("excel", b"PK\x03\x04 and no more", np.zeros((1, 2)))
    with pytest.raises(Disagreement, match="takes 2 numbers"):
        run("excel", book(), np.zeros((1, 3)))
    with pytest.raises(Disagreement, match="not a formula of named cells"):
        run("excel-formula", "=A2+B2", np.zeros((1, 2)))
    with pytest.raises(Disagreement, match="takes 2 numbers"):
        run("excel-formula", "' y of A2, B2\n=A2+B2", np.zeros((1, 3)))


def test_a_wrong_formula_is_found(office: str) -> None:
    network = dense(2, 3, 1)
    text = emit(nested(network), "excel-formula")
    assert not check(network, text.replace("TANH", "EXP", 1), "excel-formula").holds
    assert not check(network, text.replace("=", "=A2+/", 1), "excel-formula").holds


def test_a_workbook_is_no_text() -> None:
    with pytest.raises(CannotEmit, match="a workbook is not a text"):
        emit(layered(dense(1, 1)), "excel")


# ------------------------------------------------------------------------------------------------ the command line


def test_a_workbook_goes_to_a_file(office: str, tmp_path: Path) -> None:
    done = nn2eq(CIRCLES, "-f", "excel")
    assert (done.returncode, done.stdout, "-o FILE" in done.stderr) == (2, "", True)
    file = tmp_path / "book.xlsx"
    done = nn2eq(CIRCLES, "-f", "excel", "-o", str(file), "--run", "--inputs", "T,p")
    assert (done.returncode, "agree" in done.stderr) == (0, True), done.stderr
    assert opened(file.read_bytes())["Cases"]["B2"].value == "p"
    asked = nn2eq("check", CIRCLES, str(file))
    assert (asked.returncode, "only on request" in asked.stdout) == (2, True)
    done = nn2eq("check", CIRCLES, str(file), "--run")
    assert (done.returncode, "agree" in done.stdout) == (0, True), done.stdout
    file.write_bytes(changed(file.read_bytes(), "Weights", "B2", 1.0))
    assert nn2eq("check", CIRCLES, str(file), "--run").returncode == 1
