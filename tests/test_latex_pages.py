"""pdflatex compiles what is written: a fragment in a plain document, and documents of their own."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from activation_laws import examples
from affine_networks import random_network
from latex_networks import around, dense, renamed, special
from test_latex import HOSTILE, LAYOUTS, WAYS

from nn2eq.emit import emit
from nn2eq.emit.options import Options
from nn2eq.forms.pieces import pieces
from nn2eq.forms.rounded import rounded

Compile = Callable[[str], str]
ON_THE_PAPER = 40.0
"""Points that a line may be wider than the text: the margin has 57."""


@pytest.fixture
def compiled(tool: Callable[[str], str], tmp_path: Path) -> Compile:
    """Run pdflatex on a document; return what it said."""
    pdflatex = tool("pdflatex")

    def run(document: str) -> str:
        (tmp_path / "text.tex").write_text(document)
        command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "text.tex"]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=300
        )
        problem = re.search(r"^!.*(?:\n.*){0,6}", done.stdout, re.MULTILINE)
        assert done.returncode == 0, problem[0] if problem else done.stdout[-2000:]
        return done.stdout

    return run


def in_a_paper(fragments: list[str], packages: str) -> str:
    body = "\n\n".join(fragments)
    head = f"\\documentclass{{article}}\\usepackage{{{packages}}}\\begin{{document}}"
    return f"{head}\n{body}\n\\end{{document}}\n"


def test_fragments_of_every_activation_need_amsmath_alone(compiled: Compile) -> None:
    first = {chosen.row.name: chosen for chosen in examples()}
    networks = [around(chosen, 4 if chosen.row.coupled else 3) for chosen in first.values()]
    ways = [options for options in WAYS if options.numbers == "inline"]
    choices = product(networks, LAYOUTS.values(), ways)
    fragments = [emit(layout(network), "latex", options) for network, layout, options in choices]
    assert len(fragments) > 400
    compiled(in_a_paper(fragments, "amsmath"))


def test_fragments_of_special_networks_and_tables_compile(compiled: Compile) -> None:
    hostile = renamed(dense(len(HOSTILE), 2, 2), HOSTILE, (r"\end{document}", "%y"))
    choices = product([*special().values(), hostile], LAYOUTS.values(), WAYS)
    fragments = [emit(layout(network), "latex", options) for network, layout, options in choices]
    compiled(in_a_paper(fragments, "amsmath,booktabs"))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("numbers", ["inline", "matrix", "table"])
def test_a_standalone_document_fits_its_page(compiled: Compile, layout: str, numbers: str) -> None:
    """What is too wide for the text must at least stay on the paper; the page grows with the matrices."""
    large = dense(12, 30, 20, 2) if layout != "nested" else dense(3, 4, 4, 2)
    for network in (dense(1, 3, 2, 1), dense(4, 5, 3, hidden="relu", last="softmax"), large):
        options = Options(standalone=True, numbers=numbers)
        said = compiled(emit(LAYOUTS[layout](network), "latex", options))
        widths = [float(found) for found in re.findall(r"Overfull \\[hv]box \(([\d.]+)pt", said)]
        assert max(widths, default=0.0) < ON_THE_PAPER


def test_a_long_nested_formula_breaks_into_lines_and_pages(compiled: Compile) -> None:
    said = compiled(emit(LAYOUTS["nested"](dense(4, 8, 8, 1)), "latex", Options(standalone=True)))
    assert int(re.search(r"\((\d+) pages", said)[1]) >= 2  # type: ignore[index]
    assert not re.search(r"Overfull \\hbox \([4-9]\d\.|Overfull \\hbox \(\d{3}", said)


def test_a_hostile_file_name_is_a_title(compiled: Compile) -> None:
    """The file's name is text from elsewhere, and stands in the document's text."""
    for name in ("".join(HOSTILE), "dense_1-3--2 `x'.h5", "\x00\u202e"):
        program = replace(LAYOUTS["layered"](dense(1, 2, 1)), model=name)
        compiled(emit(program, "latex", Options(standalone=True)))


@pytest.mark.parametrize("widths", [(1, 4, 1), (1, 24, 12, 2), (2, 3, 1), (2, 8, 4, 2)], ids=str)
@pytest.mark.parametrize("digits", [0, 3])
def test_pieces_fit_their_pages(compiled: Compile, widths: tuple[int, ...], digits: int) -> None:
    program = pieces(random_network(widths, 3))
    program = rounded(program, digits) if digits else program
    said = compiled(emit(program, "latex", Options(standalone=True, digits=digits)))
    widths = [float(found) for found in re.findall(r"Overfull \\[hv]box \(([\d.]+)pt", said)]
    assert max(widths, default=0.0) < ON_THE_PAPER
    fragment = emit(program, "latex", Options(digits=digits))
    compiled(in_a_paper([fragment], "amsmath"))


def test_fractions_compile(compiled: Compile) -> None:
    compiled(emit(pieces(random_network((1, 4, 1), 3), exact=True), "latex", Options(standalone=True)))
