"""How pictures look: legible, told apart by all eyes and in grey, text as text, the same file every time."""

from __future__ import annotations

import itertools
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from picture_networks import HOSTILE, dense
from picture_parts import Array

import nn2eq
from nn2eq.network import Network
from nn2eq.show import pictures
from nn2eq.show.pictures import KINDS, drawn
from nn2eq.show.pictures.style import DASHES, Picture
from nn2eq.show.pictures.style import line as style_of
from nn2eq.show.pictures.theme import THEMES, Theme, plain

CASES: dict[str, list[tuple[tuple[Network, ...], dict[str, Any]]]] = {
    "function": [
        ((dense(1, 6, 1),), {"domain": (-2, 2), "true": "sin(x)", "form": "taylor", "at": (0.3,)}),
        ((dense(2, 5, 1, activation="tanh"), dense(2, 5, 2)), {"domain": (-1, 1), "form": "taylor", "seconds": 0.2}),
        ((dense(1, 4, 3, names=HOSTILE[:1]), dense(1, 9, 1), dense(1, 3, 1, last="sigmoid")),
         {"domain": (1, 1 + 1e-9)}),
    ],
    "layers": [((dense(1, 3, 3, 1),), {"domain": (-2, 2)}),
               ((dense(1, 2, 4, 2, activation="tanh"),), {"domain": (0, 1)}),
               ((dense(1, 30, 5, 1, names=HOSTILE[1:2]),), {"domain": (0, 1)})],
    "composition": [((dense(1, 3, 1), dense(1, 4, 1, seed=s)), {"domain": (-2, 2)}) for s in (1, 2)]
    + [((dense(1, 3, 1, activation="tanh"), dense(1, 4, 1)), {"domain": (-2, 2)})],
    "regions": [((dense(2, 3, 1),), {"domain": (-2, 2)}), ((dense(2, 8, 8, 8, 2), dense(2, 3, 1)), {"domain": (-9, 9)}),
                ((dense(2, 12, 1, last="sigmoid", names=HOSTILE[:2]),), {"domain": (-2, 2), "data": np.eye(2)})],
    "boundary": [((dense(2, 3, 1, last="sigmoid"),), {"domain": (-2, 2)}),
                 ((dense(2, 8, 4, last="softmax"), dense(2, 3, 1)), {"domain": (-9, 9)}),
                 ((dense(2, 9, 1, names=HOSTILE[:2]),), {"data": np.random.default_rng(0).normal(size=(50, 3))})],
    "projection": [((dense(4, 3, 1, last="sigmoid"),), {"domain": (-2, 2)}), ((dense(2, 2, 3),), {"domain": (-9, 9)}),
                   ((dense(2, 9, 1), dense(2, 9, 4)), {"domain": (0, 1), "units": ("a1_1", "a1_9", "a1_2")})],
    "diagram": [((dense(2, 3, 1, last="sigmoid"),), {"path": "a1_2"}),
                ((dense(3, 30, 11, 3, names=HOSTILE),), {"path": "a1_17,y2"}),
                ((dense(3, 5, 1, names=HOSTILE), dense(784, 512, 10, last="softmax")), {"view": "layers"})],
    "derivatives": [((dense(1, 3, 2),), {"domain": (-2, 2)}), ((dense(2, 4, 2, last="softmax"),), {"domain": (-1, 1)}),
                    ((dense(1, 5, 1, activation="tanh"), dense(1, 9, 1)), {"domain": (0, 1)})],
    "weights": [((dense(1, 1),), {}), ((dense(3, 40, 40, 2),), {}), ((dense(2, 9, 1), dense(2, 9, 4)), {})],
    "errors": [((dense(1, 3, 1),), {"domain": (0, 1), "digits": 1}),
               ((dense(2, 3, 2),), {"domain": (0, 1), "form": "taylor", "seconds": 0.2}),
               ((dense(5, 3, 1), dense(5, 4, 1)), {"domain": (0, 1), "form": "taylor", "seconds": 0.2})],
}  # fmt: skip
EVERY = [(kind, *case) for kind, cases in CASES.items() for case in cases]


def laid_out(picture: Picture) -> list[Text]:
    """Lay a picture out and return the texts that are drawn in it."""
    shown: list[Text] = []
    with patch.object(Text, "draw", autospec=True, side_effect=lambda text, _: shown.append(text)):
        picture.draw_without_rendering()
    return [text for text in dict.fromkeys(shown) if text.get_text().strip() and text.get_visible()]


def illegible(picture: Picture, texts: list[Text]) -> list[str]:
    """Find panels and texts that are cut off at the edge of the picture, and texts too small to be read."""
    width, height = picture.bbox.width, picture.bbox.height
    parts = [(axes.get_title(loc="left") or axes.get_ylabel() or "a panel", axes) for axes in picture.axes]
    parts += [(text.get_text(), text) for text in picture.texts]
    parts += [("the legend", legend) for legend in picture.legends]
    boxes = [(name, part.get_tightbbox()) for name, part in parts]
    cut = [
        name for name, box in boxes
        if box is not None and (box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1)
    ]  # fmt: skip
    return cut + [text.get_text() for text in texts if text.get_fontsize() < 4.5]


def collisions(texts: list[Text]) -> list[tuple[str, str]]:
    """Find pairs of texts that lie over one another by more than a hair."""
    found = [(text.get_text(), text.get_window_extent().padded(-1.5)) for text in texts]
    pairs = itertools.combinations(found, 2)
    return [(one, two) for (one, here), (two, there) in pairs if here.overlaps(there)]


def test_the_kinds_are_all_drawn() -> None:
    assert set(CASES) == set(KINDS)
    assert all(len(cases) >= 3 for cases in CASES.values())


@pytest.mark.parametrize(("kind", "networks", "given"), EVERY)
def test_every_kind_is_legible(kind: str, networks: tuple[Network, ...], given: dict[str, Any]) -> None:
    before = dict(mpl.rcParams)
    picture = nn2eq.plot(networks, kind, **given)
    assert dict(mpl.rcParams) == before
    shown = laid_out(picture)
    assert not illegible(picture, shown)
    assert not collisions(shown)
    picture.set_layout_engine("none")  # it is laid out: twice would take as long again
    root = ElementTree.fromstring(picture.saved("svg"))
    texts = ["".join(part.itertext()).strip() for part in root.iter("{http://www.w3.org/2000/svg}text")]
    assert len(texts) > 3
    assert not any(part.get("id", "").startswith("DejaVu") for part in root.iter()), (
        "a letter is drawn as a path"
    )
    if kind not in ("weights", "projection") and given.get("view") != "layers":
        for name in networks[0].input_names:
            assert any(plain(name, 12)[:9] in text for text in texts), (name, texts)


@pytest.mark.parametrize("kind", KINDS)
def test_both_themes_colour_everything(kind: str) -> None:
    networks, given = CASES[kind][0]
    found = [nn2eq.plot(networks, kind, theme=name, **given) for name in THEMES]
    for picture, theme in zip(found, THEMES.values(), strict=True):
        assert mpl.colors.to_hex(picture.get_facecolor()) == theme.paper
        for text in picture.findobj(Text):
            assert isinstance(text, Text)
            if text.get_text().strip():
                assert contrast(mpl.colors.to_hex(text.get_color()), theme.paper) >= 4.5, text


def test_what_cannot_be_read_is_seen() -> None:
    picture = nn2eq.plot(dense(1, 3, 1), "function", domain=(0, 1))
    picture.text(0.99, 0.5, "cut off")
    picture.text(0.5, 0.5, "tiny", fontsize=3)
    assert not collisions(laid_out(picture))
    picture.text(0.5, 0.505, "over it")
    shown = laid_out(picture)
    assert illegible(picture, shown) == ["cut off", "tiny"]
    assert collisions(shown) == [("tiny", "over it")]


@pytest.mark.parametrize("domain", [(1, 1 + 1e-9), (-1e12, 3e12), (-1e-3, 1e-3), (0, 2)])
def test_ticks_and_the_name_beside_them_say_where_they_are(domain: tuple[float, float]) -> None:
    picture = nn2eq.plot(dense(1, 5, 1, activation="tanh"), "function", domain=domain)
    picture.draw_without_rendering()
    axis = picture.axes[0].xaxis
    named = re.fullmatch(r"x(?: ([−+]) (\S+))?(?: \(10(\S+)\))?", axis.get_label_text())
    assert named, axis.get_label_text()
    sign, aside, power = named.groups(default="")
    from_there = float(aside or 0) * (1 if sign == "−" else -1)
    scale = 10.0 ** int(
        "".join("0123456789"["⁰¹²³⁴⁵⁶⁷⁸⁹".index(sign)] if sign != "⁻" else "-" for sign in power) or 0
    )
    for place, label in zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True):
        said = float(label.get_text().replace("−", "-"))
        assert said * scale + from_there == pytest.approx(
            place, rel=1e-15, abs=1e-6 * (domain[1] - domain[0])
        )
        assert len(label.get_text()) <= 6


def luminance(colour: str) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return float(np.dot(parts, [0.2126, 0.7152, 0.0722]))


def contrast(one: str, two: str) -> float:
    """Return WCAG's contrast of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_everything_stands_out_from_the_paper(theme: Theme) -> None:
    assert contrast(theme.ink, theme.paper) >= 12
    assert contrast(theme.muted, theme.paper) >= 4.5
    for colour in (*theme.colours, theme.positive, theme.negative):
        assert contrast(colour, theme.paper) >= 3, colour
    for tint in theme.tints:
        assert contrast(theme.ink, tint) >= 4.5, tint
    for one, two in itertools.combinations(theme.tints[:3], 2):  # areas of classes, in grey
        assert contrast(one, two) >= 1.25, (one, two)
    for shade in np.linspace(*theme.shades, 9):
        assert contrast(mpl.colors.to_hex(mpl.colormaps[theme.ramp](shade)), theme.paper) >= 3
    assert contrast("#F0E442", THEMES["light"].paper) < 3  # yellow on white is what is seen here


def seen_with(matrix: Array, colour: str) -> Array:
    """Return a colour as someone without one kind of cones sees it, in linear light (Viénot, Brettel, Mollon 1999)."""
    linear = np.array(
        [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    )
    return np.asarray(np.clip(matrix @ linear, 0, 1) ** (1 / 2.2))


PROTANOPE = np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]])
DEUTERANOPE = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("eyes", [PROTANOPE, DEUTERANOPE], ids=["protanope", "deuteranope"])
def test_colours_are_told_apart_by_all_eyes(theme: Theme, eyes: Array) -> None:
    for one, two in itertools.combinations(theme.colours, 2):
        assert np.linalg.norm(seen_with(eyes, one) - seen_with(eyes, two)) > 0.12, (one, two)
    assert (
        np.linalg.norm(seen_with(eyes, "#ff0000") - seen_with(eyes, "#806000")) < 0.25
    )  # red and brown are not


def test_lines_and_signs_are_told_apart_in_grey(textbook: Network) -> None:
    picture = nn2eq.plot(dense(1, 4, 12, seed=2), "derivatives", domain=(-1, 1))
    shown = [
        (line.get_label(), line.get_color(), str(line._unscaled_dash_pattern))
        for axes in picture.axes[:3] for line in axes.lines[1:]
    ]  # fmt: skip
    assert len(shown) == len({name for name, _, _ in shown}) == 12
    for axes in picture.axes[:3]:
        assert len({(line.get_color(), str(line._unscaled_dash_pattern)) for line in axes.lines[1:]}) <= 5
    assert len({str(style_of(THEMES["light"], line)) for line in range(20)}) == 20
    assert len(set(map(str, DASHES))) == 4
    edges = nn2eq.plot(textbook, "diagram").axes[0].collections
    dashed = [pattern[1] is not None for part in edges for pattern in part.get_linestyle()]
    assert any(dashed)
    assert not all(dashed)


def test_names_are_plain_text_in_every_file(tmp_path: Path, tool: Callable[[str], str]) -> None:
    network = dense(1, 3, 1, names=("$x^2$ <&> {",))
    assert "$x^2$ &lt;&amp;&gt; {" in drawn(network, "function", "svg", domain=(0, 1)).decode()
    file = tmp_path / "f.pdf"
    file.write_bytes(drawn(network, "function", "pdf", domain=(0, 1)))
    said = subprocess.run(
        [tool("pdftotext"), str(file), "-"], capture_output=True, text=True, check=True
    ).stdout
    assert "$x^2$ <&> {" in said
    assert "model" in said
    fonts = subprocess.run([tool("pdffonts"), str(file)], capture_output=True, text=True, check=True).stdout
    assert "TrueType" in fonts
    assert "Type 3" not in fonts


@pytest.mark.parametrize("suffix", pictures.PICTURES)
def test_the_same_picture_is_the_same_file(suffix: str) -> None:
    network = dense(1, 3, 1)
    first, second = (drawn(network, "function", suffix, domain=(0, 1)) for _ in range(2))
    assert first == second
    assert first != drawn(network, "function", suffix, domain=(0, 2))


def test_a_picture_shows_itself_in_a_notebook_and_is_a_figure(textbook: Network, tmp_path: Path) -> None:
    picture = nn2eq.plot(textbook, "function", domain=(0, 2))
    assert picture._repr_png_().startswith(b"\x89PNG")
    picture.savefig(tmp_path / "f.svg")
    assert "<text" in (tmp_path / "f.svg").read_text()
    assert isinstance(picture, mpl.figure.Figure)
