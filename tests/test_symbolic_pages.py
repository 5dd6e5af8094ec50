"""Texts in symbols are typeset: by pdflatex with three packages, by KaTeX, and no colour runs beyond its part."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from latex_networks import dense, special
from test_latex_pages import Compile, compiled, in_a_paper  # noqa: F401 - a fixture

from nn2eq.emit import emit
from nn2eq.emit.latex.symbolic.notations import NOTATIONS
from nn2eq.emit.options import Options
from nn2eq.forms.straight import nested
from nn2eq.forms.symbolic import symbolic

Tool = Callable[[str], str]


def test_fragments_compile_with_three_packages(compiled: Compile) -> None:  # noqa: F811
    ways = product(special().values(), NOTATIONS, ("scalar", "vector"), ("column", "row"))
    programs = [
        symbolic(network, notation=notation, view=view, orientation=orientation)
        for network, notation, view, orientation in ways
    ]
    programs += [
        nested(network, notation=notation) for network, notation in product(special().values(), NOTATIONS)
    ]
    numbers = ("inline", "matrix", "table")
    fragments = [
        emit(program, "latex", Options(numbers=numbers[k % 3])) for k, program in enumerate(programs)
    ]
    compiled(in_a_paper(fragments, "amsmath,xcolor,booktabs"))


@pytest.mark.parametrize("notation", NOTATIONS)
def test_documents_fit_their_page(compiled: Compile, notation: str) -> None:  # noqa: F811
    network = dense(6, 8, 4, 2, hidden="sigmoid")
    programs = [symbolic(network, notation=notation, view=view) for view in ("scalar", "vector")]
    programs.append(nested(dense(2, 3, 2, 1), notation=notation))
    for program, numbers in product(programs, ("inline", "matrix", "table")):
        said = compiled(emit(program, "latex", Options(standalone=True, numbers=numbers)))
        widths = [float(found) for found in re.findall(r"Overfull \\[hv]box \(([\d.]+)pt", said)]
        assert max(widths, default=0.0) < 40.0


class Colours(HTMLParser):
    """Collects what KaTeX shows and in which colour, "" for black; its MathML is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = [("", False)]
        self.shown: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the colour of what an element holds."""
        given = dict(attrs)
        colour = re.search(r"(?:^|;)color:(\w+)", given.get("style") or "")
        before, hidden = self.open[-1]
        hidden = hidden or "katex-mathml" in (given.get("class") or "")
        if tag not in ("br", "path", "line", "img"):
            self.open.append((colour[1] if colour else before, hidden))

    def handle_endtag(self, tag: str) -> None:
        """Return to the colour around it."""
        self.open.pop()

    def handle_data(self, data: str) -> None:
        """Keep a text with its colour."""
        colour, hidden = self.open[-1]
        if data.strip() and not hidden:
            self.shown.append((data.strip("\u200b "), colour))


def in_katex(katex: str, formula: str) -> list[tuple[str, str]]:
    done = subprocess.run(
        [katex, "--display-mode"], input=formula, capture_output=True, text=True, timeout=60, check=True
    )
    page = Colours()
    page.feed(done.stdout)
    return [(text, colour) for text, colour in page.shown if text]


def displays(text: str) -> list[str]:
    return re.findall(
        r"\\begin\{(?:align\*|alignat\*|equation\*)\}.*?\\end\{(?:align\*|alignat\*|equation\*)\}", text, re.S
    )


@pytest.mark.parametrize("notation", NOTATIONS)
def test_katex_shows_every_notation(tool: Tool, notation: str) -> None:
    network = dense(2, 2, 2, 1, hidden="sigmoid")
    programs = [symbolic(network, notation=notation, view=view) for view in ("scalar", "vector")]
    for program in (*programs, nested(network, notation=notation)):
        for display in displays(emit(program, "latex", Options(numbers="matrix"))):
            assert in_katex(tool("katex"), display)


def test_katex_colours_the_shared_parts_and_nothing_behind_them(tool: Tool) -> None:
    display, legend = displays(emit(nested(dense(1, 2, 2, 1), notation="edges", symbols="only"), "latex"))
    shown = in_katex(tool("katex"), display)
    assert {colour for _, colour in shown} == {"", "blue", "red"}
    assert [colour for text, colour in shown[-2:]] == ["", ""]  # ... + b_y
    assert ("s", "") in shown
    assert "".join(text for text, colour in shown if colour == "blue").count("g") == 2
    legend_of = in_katex(tool("katex"), legend)
    assert [text for text, colour in legend_of if colour == "blue"] == ["r", "0"] * 3


def test_what_follows_a_coloured_part_is_black(tool: Tool, compiled: Compile, tmp_path: Path) -> None:  # noqa: F811
    text = emit(nested(dense(1, 2, 2, 1), notation="edges", symbols="only"), "latex")
    first = displays(text)[0]
    compiled(in_a_paper([r"\pagestyle{empty}", first], "amsmath,xcolor"))
    command = [tool("pdftoppm"), "-r", "150", "-singlefile", "text.pdf", "page"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    pixels = read_ppm(tmp_path / "page.ppm")
    ink = (pixels < 128).any(axis=2)
    coloured = (pixels.max(axis=2) - pixels.min(axis=2)) > 80
    rows = np.flatnonzero(ink.any(axis=1))
    line = slice(rows[0], rows[0] + 35)
    columns = np.flatnonzero(ink[line].any(axis=0))
    assert coloured[line].any()
    assert not coloured[line, columns[-1] - 12 :].any()  # the weight at the end of the first line


def read_ppm(path: Path) -> np.ndarray:
    head, data = path.read_bytes().split(b"\n255\n", 1)
    width, height = map(int, head.split()[1:3])
    return np.frombuffer(data, np.uint8).reshape(height, width, 3).astype(int)
