"""The notations for people besides LaTeX: each is read back and says what the network says, sign by sign."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from activation_laws import examples
from language_programs import everything
from latex_networks import around, dense, of, renamed, special
from networks import row

from nn2eq.activations import Activation
from nn2eq.emit import emit
from nn2eq.emit.header import Header, read_header, with_header
from nn2eq.emit.options import Options
from nn2eq.emit.typeset.tree import document, walk
from nn2eq.errors import Nn2eqError
from nn2eq.forms.pieces import pieces
from nn2eq.forms.program import Program
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.forms.taylor import taylor
from nn2eq.network import Affine, Network
from nn2eq.proof.check import check
from nn2eq.proof.judge import judge, recognised
from nn2eq.proof.runners import run

NOTATIONS = ("markdown", "mathml", "html", "typst", "unicode")
LAYOUTS = {"nested": nested, "layered": layered, "matrix": matrix}
EXAMPLES = [a for a in examples() if np.isinf(a.domain).all() or a.row.transform]
HOSTILE = (
    "T_in",
    "a--b",
    "x</math>",
    "e",
    "β",
    "p%",
    "straße",
    "$x$",
    "a\\b",
    "x_1",
    "quad",
    "if",
    "{",
    "`code`",
)


def require_same(network: Network, program: Program, language: str, options: Options | None = None) -> str:
    text = emit(program, language, options)
    agreement = check(network, text, language, program=program)
    assert agreement.holds, f"{agreement.line()}\n{text[:3000]}"
    return text


@pytest.mark.parametrize("language", NOTATIONS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", special())
def test_every_kind_of_network(language: str, layout: str, name: str) -> None:
    network = special()[name]
    require_same(network, LAYOUTS[layout](network), language)


@pytest.mark.parametrize("language", NOTATIONS)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda a: a.row.name)
def test_every_activation(language: str, example: Activation) -> None:
    network = around(example, 2 if example.row.coupled else 1)
    for style, build in product(("name", "explicit", "symbol"), (nested, layered, matrix)):
        require_same(network, build(network), language, Options(activations=style))


@pytest.mark.parametrize("language", NOTATIONS)
def test_polynomials(language: str) -> None:
    network = dense(2, 3, 1)
    program = taylor(network, 4, at=(0.5, -1.0))
    require_same(network, program, language)


@pytest.mark.parametrize("language", NOTATIONS)
def test_numbers_of_both_kinds_and_of_any_size(language: str) -> None:
    network = dense(2, 3, 1, dtype="f8")
    require_same(network, nested(network), language)
    tiny = np.array([[1e-30, 3e10], [0.1, -7.5e-5]])
    for dtype in ("f4", "f8"):
        mixed = of(Affine(tiny.astype(dtype), np.array([0.1, 2.0])), row("tanh"), inputs=2, outputs=2)
        for build in LAYOUTS.values():
            require_same(mixed, build(mixed), language)


@pytest.mark.parametrize("language", NOTATIONS)
@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_names(language: str, name: str) -> None:
    network = renamed(dense(2, 2, 1), (name, "u"), ("w",))
    for build in LAYOUTS.values():
        text = require_same(network, build(network), language)
        shown = re.sub("<!--.*?-->", "", text)
        assert language not in ("mathml", "html") or shown.count("</math>") == shown.count("<math ")


@pytest.mark.parametrize("language", NOTATIONS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_changed_digit_is_found(language: str, layout: str) -> None:
    network = dense(2, 3, 1)
    program = LAYOUTS[layout](network)
    text = emit(program, language)
    numbers = list(re.finditer(r"\d\.(\d)\d{4,}", text))
    assert len(numbers) == 13
    for number in numbers:
        at = number.start(1)
        wrong = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
        assert not check(network, wrong, language, program=program).holds


@pytest.mark.parametrize("language", NOTATIONS)
def test_what_is_no_such_text_is_an_error(language: str) -> None:
    good = emit(layered(dense(2, 3, 1)), language)
    for text in ("", "nothing", good[: len(good) // 2], good.replace("=", "≠"), good.replace("tanh", "tonh")):
        with pytest.raises(Nn2eqError):
            run(language, text, np.zeros((3, 2)))


def test_a_file_may_be_called_what_is_no_text() -> None:
    program = replace(layered(dense(2, 3, 1)), model="model_\udcff.h5")
    assert r"model_\udcff.h5" in emit(program, "html").encode("utf-8").decode()


def test_a_page_reads_no_entities() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><math><mtable><mtr><mtd>&a;</mtd></mtr></mtable></math>'
    for text in (bomb, f"<math><!DOCTYPE x>{bomb}</math>"):
        with pytest.raises(Nn2eqError):
            run("mathml", text, np.zeros((3, 2)))


@pytest.mark.parametrize("language", NOTATIONS)
def test_headers_and_strangers(language: str) -> None:
    network = dense(2, 3, 1)
    text = emit(layered(network), language)
    assert recognised(text) == language
    assert judge(network, text).holds
    header = Header("m--.h5", "ab" * 32, language, "layered", notes=("ends -->",))
    whole = with_header(text, header)
    found = read_header(whole)
    assert found is not None
    assert (found.model, found.notes) == (header.model, header.notes)
    assert judge(network, whole).holds


@pytest.mark.parametrize("language", ["mathml", "typst", "unicode"])
def test_large_matrices_are_written_at_once(language: str) -> None:
    network = dense(60, 50, 1)
    text = require_same(network, matrix(network), language)
    assert language != "unicode" or text.count("⎡") == 3


def test_a_matrix_with_powers_of_ten_is_one_of_numbers() -> None:
    rows = np.array([[1e-9, 0.5, -1e12], [-2.5e-7, 1e-5, 3.0]])
    for dtype in ("f4", "f8"):
        network = of(Affine(rows.astype(dtype), np.array([0.1, 2.0, 1e-20])), inputs=2, outputs=3)
        (lines,) = document(emit(matrix(network), "latex")).displays
        nodes = [node for line in lines for cell in line.cells for node in walk(cell)]
        assert [len(node.entries) for node in nodes if node.kind in ("numbers", "matrix")] == [3, 3]


# ------------------------------------------------------------------------------------- set by the real programs


@pytest.mark.parametrize("form", [nested, layered, lambda network: taylor(network, order=2)])
def test_plain_characters_fit_a_terminal(form: Callable[[Network], Program]) -> None:
    names = ("a + b", "temperature", "pressure loss", "a_rather_long_name", "u")
    network = renamed(dense(5, 6, 3, last="softmax"), names, ("u1", "u2", "u3"))
    lines = require_same(network, form(network), "unicode").splitlines()
    assert max(len(line) for line in lines if not line.startswith("#")) <= 80
    assert any(line.lstrip().startswith(("+ ", "− ")) for line in lines)


def test_a_sum_that_goes_on_has_room_around_its_sign() -> None:
    network = dense(5, 6, 1)
    assert re.search(r'&quad quad "" \+ \d', require_same(network, layered(network), "typst"))


def test_words_and_brackets_of_a_page() -> None:
    network = dense(1, 2, 1, hidden="relu")
    assert "<mtext>if\u00a0</mtext>" in require_same(network, pieces(network), "html")
    text = require_same(network, matrix(network), "html")
    assert re.search(r"<mo>\(</mo><mrow><mo>\[</mo>", text)  # it grows with the matrix in it
    assert "1 input, 1 output." in text


def page_of_everything(language: str) -> str:
    network = dense(2, 3, 3, last="softmax")
    return emit(layered(network), language) + "\n" + emit(matrix(dense(2, 3, 1, hidden="gelu")), language)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["T_in", "x</math>", "straße", "$x$"])
def test_typst_sets_it(name: str, tmp_path: Path) -> None:
    typst = pytest.importorskip("typst", reason="Typst is not installed")
    network = renamed(dense(2, 2, 1), (name, "u"), ("w",))
    text = page_of_everything("typst") + emit(nested(network), "typst")
    (tmp_path / "page.typ").write_text(text, encoding="utf-8")
    assert typst.compile(str(tmp_path / "page.typ"), format="png")
    (tmp_path / "page.typ").write_text(text.replace('op("softmax")', "softmax"), encoding="utf-8")
    with pytest.raises(typst.TypstError, match="unknown variable"):
        typst.compile(str(tmp_path / "page.typ"), format="png")


@pytest.mark.parametrize(
    ("sizes", "form"), [((10, 8, 1), matrix), ((1, 80), matrix), ((4, 16, 16, 1), layered)]
)
def test_typst_has_room_for_all_of_it(
    sizes: tuple[int, ...], form: Callable[..., Program], tmp_path: Path
) -> None:
    typst = pytest.importorskip("typst", reason="Typst is not installed")
    image = pytest.importorskip("matplotlib.image", reason="matplotlib is not installed")
    network = dense(*sizes, dtype="f8")
    text = require_same(network, form(network), "typst")

    def pages(text: str) -> list[np.ndarray]:
        (tmp_path / "page.typ").write_text(text, encoding="utf-8")
        found = typst.compile(str(tmp_path / "page.typ"), format="png", ppi=40.0)
        return [image.imread(BytesIO(page)) for page in (found if isinstance(found, list) else [found])]

    def is_free(page: np.ndarray) -> bool:
        """Whether nothing stands at the edges."""
        return bool((page[:12] == 1).all() and (page[-12:] == 1).all() and (page[:, :12] == 1).all())

    assert all(map(is_free, pages(text)))
    assert not all(map(is_free, pages(re.sub("(?m)^#.*$", "", text))))


@pytest.mark.slow
def test_chromium_opens_the_page(tmp_path: Path, opened: Callable[[Path], str]) -> None:
    page = tmp_path / "page.html"
    network = renamed(dense(2, 2, 1), ("T_in", "x</math>"), ("w",))
    text = emit(layered(network), "html")
    page.write_text(text, encoding="utf-8")
    dumped = opened(page)
    assert "http" not in re.sub(r'xmlns="[^"]*"', "", dumped), "the page needs a network"
    x = np.random.default_rng(0).normal(size=(20, 2))
    comments = text[: text.index("<!doctype")]  # what stands outside of <html> is not dumped
    shown = run("html", comments + dumped.replace("&nbsp;", "\u00a0"), x)
    assert np.allclose(shown.outputs, network.evaluate(x), rtol=1e-12)


@pytest.mark.parametrize("layout", ["layered", "matrix"])
@pytest.mark.parametrize("activations", ["name", "explicit", "symbol"])
def test_katex_sets_every_activation(layout: str, activations: str, tool: Callable[[str], str]) -> None:
    text = emit(everything(layout), "markdown", Options(activations=activations))
    displays = re.findall(r"^\$\$$(.*?)^\$\$$", text, re.DOTALL | re.MULTILINE)
    assert displays
    command = [tool("katex"), "--display-mode", "--max-expand", "1000000"]
    for display in displays:
        done = subprocess.run(
            command, input=display, capture_output=True, text=True, check=False, timeout=120
        )
        assert (done.returncode, "katex-html" in done.stdout) == (0, True), done.stderr[-500:]
    broken = displays[0].replace(r"\frac", r"\frak{", 1)
    assert (
        subprocess.run(
            command, input=broken, capture_output=True, text=True, check=False, timeout=120
        ).returncode
        != 0
    )
