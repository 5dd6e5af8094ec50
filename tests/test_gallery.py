"""The gallery and the notebook are what nn2eq draws today: every command is run, every cell executed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"
sys.path.insert(0, str(DOCS))

import gallery  # noqa: E402 - a script of docs/, found by the line above

from nn2eq.show.pictures import KINDS  # noqa: E402

OF_THE_MACHINE = re.compile(r'xlink:href="data:image/png;base64,[^"]*"|(?<=["#])[a-z][0-9a-f]{10}(?=["#)])')
"""Images, which another zlib packs otherwise, and names made of the numbers, whose last digits are the processor's."""
NUMBER = re.compile(r"-?\d+\.\d+")


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are run from the project's folder, as their paths are written."""
    monkeypatch.chdir(DOCS.parent)


def test_the_page_shows_every_kind_and_every_picture() -> None:
    page = (DOCS / "gallery.md").read_text()
    assert page == gallery.page()
    assert {shown.kind for shown in gallery.GALLERY} == set(KINDS)
    assert {path.name for path in (DOCS / "pictures").iterdir()} == {shown.file for shown in gallery.GALLERY}


@pytest.mark.parametrize("shown", gallery.GALLERY, ids=lambda shown: shown.file)
def test_a_picture_is_what_its_command_draws(shown: gallery.Shown, tmp_path: Path) -> None:
    gallery.draw(shown, tmp_path)
    drawn, committed = (
        OF_THE_MACHINE.sub("", (folder / shown.file).read_text()) for folder in (tmp_path, DOCS / "pictures")
    )
    assert NUMBER.sub("#", drawn) == NUMBER.sub("#", committed)
    here, there = ([float(number) for number in NUMBER.findall(text)] for text in (drawn, committed))
    assert np.allclose(here, there, rtol=1e-4, atol=1e-3)


def outputs(notebook: Any) -> Iterator[tuple[str, Any]]:
    """Yield what each cell shows: the kind, and the text where it is one."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            for kind, said in output.get("data", {"text": output.get("text", "")}).items():
                yield kind, said if kind in ("text", "text/latex", "text/plain") else ""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")  # of the kernel's client
def test_the_notebook_runs_and_shows_what_it_showed(tmp_path: Path) -> None:
    gallery.run_notebook(DOCS / "example.ipynb", tmp_path / "example.ipynb")
    ran, committed = (nbformat.read(folder / "example.ipynb", as_version=4) for folder in (tmp_path, DOCS))
    figures = re.compile(r"\d+(\.\d+)?e[-+]\d+|\d+(\.\d+)? ulps|x = \([^)]*\)")
    found, shown = (
        [(kind, figures.sub("#", said)) for kind, said in outputs(one)] for one in (ran, committed)
    )
    assert found == shown
    kinds = [kind for kind, _ in found]
    assert kinds.count("image/png") == 5
    assert kinds.count("text/latex") == 3
    assert any("agree (evaluated as python)" in said for _, said in found)
