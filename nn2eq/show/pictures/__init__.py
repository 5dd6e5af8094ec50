"""Pictures of networks. THE table of kinds is `KINDS`; a new kind is one file and its row."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from nn2eq.errors import BadRequest, one_of
from nn2eq.forms import FORMS

if TYPE_CHECKING:  # the table is needed before any mathematics is
    from nn2eq.network import Network
    from nn2eq.show.pictures.scene import Scene
    from nn2eq.show.pictures.style import Picture

APPROXIMATE = ("form", "digits", "shape")
"""What says which approximate form is drawn beside the network."""


@dataclass(frozen=True)
class Kind:
    """A kind of picture.

    name: of the kind, of its module and of the function in it that draws a Scene. summary: what it shows. takes: what
    it may be told, names of the keywords of `plot`. models: how many networks at least, and at most (0: any number).
    """

    name: str
    summary: str
    takes: tuple[str, ...] = ()
    models: tuple[int, int] = (1, 0)

    @property
    def draw(self) -> Callable[[Scene], Picture]:
        """The function Scene → Picture."""
        home = import_module(f"nn2eq.show.pictures.{self.name}")
        return cast("Callable[[Scene], Picture]", getattr(home, self.name))


KINDS: Mapping[str, Kind] = {
    row.name: row
    for row in (
        Kind(
            "function",
            "one or two inputs: the model, data, the true function, a form with its error and the proved band",
            ("domain", "data", "true", *APPROXIMATE),
        ),
        Kind("layers", "one input: each unit as a line, clipped, weighted, summed, layer by layer",
             ("domain", "data"), (1, 1)),
        Kind("composition", "two networks of one number: y(x), y'(y) and y'(x), joints carried over",
             ("domain", "data"), (2, 2)),
        Kind("regions", "two inputs: the affine pieces, each layer's cuts in its own shade",
             ("domain", "data", "colour")),
        Kind("boundary", "two inputs: what is decided where, the first layer's lines, and the data",
             ("domain", "data", "threshold")),
        Kind("projection", "the data in the space of two or three units of the last hidden layer, with the last plane",
             ("domain", "data", "threshold", "units")),
        Kind("diagram", "the network as a graph, weights as colour and width; also .tex, .dot and .mmd",
             ("path", "view")),
        Kind("derivatives", "one or two inputs: the outputs' derivatives, and with one input the outputs",
             ("domain", "data")),
        Kind("weights", "how the weights of each layer are distributed"),
        Kind("errors", "the error of an approximate form over its box, seen and proved",
             ("domain", "data", *APPROXIMATE)),
    )
}  # fmt: skip


def shaping() -> tuple[str, ...]:
    """Return what may shape a form that is drawn over a domain, besides what a picture is told anyway."""
    over = [row for row in FORMS.values() if "domain" in row.takes]
    own = {"fold", *(name for kind in KINDS.values() for name in kind.takes)}
    return tuple(dict.fromkeys(name for row in over for name in row.takes if name not in own))


def kind_of(name: str) -> Kind:
    """Return a kind by name. Raises BadRequest for one that is not there."""
    if name not in KINDS:
        raise BadRequest(f"unknown kind {name!r}", code="unknown-kind", way_out=one_of(name, KINDS))
    return KINDS[name]


def plot(networks: Network | Sequence[Network], kind: str, *, theme: str = "light", **given: Any) -> Picture:
    """Draw a network, or several beside one another, as a matplotlib Figure.

    kind: a name of KINDS, which says what it takes of the following. domain: (low, high) for all inputs or for each;
    else the data's. data: a CSV file, or rows (n, inputs) or (n, inputs + outputs). true: the true function, a
    formula as text. form: an approximate form's name, and digits, order, at ... what shapes it. path: names of units,
    `a1_2`. view: `units` or `layers`. colour: `map` or `pattern`. threshold: where an answer means yes. units: two or
    three of the last hidden layer. Raises BadRequest, UnsupportedModel.
    """
    from nn2eq.show.pictures.setting import scene_of

    row = kind_of(kind)
    many = tuple(networks) if isinstance(networks, Sequence) else (networks,)
    require_matplotlib()
    scene = scene_of(row, many, theme, given)
    from nn2eq.show.pictures.style import styled
    from nn2eq.show.pictures.ticks import legible

    with styled(scene.theme):
        picture = row.draw(scene)
        legible(picture)
    return picture


def require_matplotlib() -> None:
    """Raise BadRequest where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise BadRequest(
            "pictures need matplotlib, which is not installed",
            code="no-matplotlib",
            way_out="pip install 'nn2eq[plot]', or draw a diagram as .dot, .tex or .mmd",
        )


def suffix_of(file: str | os.PathLike[str]) -> str:
    """Return the suffix of a file that says what it holds, `png`."""
    return os.path.splitext(os.fspath(file))[1].lower().lstrip(".")


def require_suffix(kind: str, suffix: str) -> None:
    """Raise BadRequest unless a picture of a kind can be a file of this suffix."""
    able = [*PICTURES, *(TEXTS if kind_of(kind).name == "diagram" else ())]
    if suffix not in able:
        raise BadRequest(
            f"--kind {kind} cannot be a {'.' + suffix if suffix else 'file without a suffix'}", code="output",
            way_out=f"name the file .{', .'.join(able)}",
        )  # fmt: skip


def drawn(
    networks: Network | Sequence[Network], kind: str, suffix: str, *, theme: str = "light", **given: Any
) -> bytes:
    """Draw a picture and return the bytes of its file: `png`, `svg` or `pdf`, of a diagram also `tex`, `dot`, `mmd`.

    The keywords are those of `plot`. Raises BadRequest, UnsupportedModel.
    """
    require_suffix(kind, suffix)
    if suffix in PICTURES:
        return plot(networks, kind, theme=theme, **given).saved(suffix)
    from nn2eq.show.pictures.setting import scene_of

    many = tuple(networks) if isinstance(networks, Sequence) else (networks,)
    text = import_module(f"nn2eq.show.pictures.{TEXTS[suffix]}").text
    return cast("str", text(scene_of(KINDS[kind], many, theme, given))).encode()


PICTURES = ("png", "svg", "pdf")
TEXTS: Mapping[str, str] = {"tex": "tikz", "dot": "dot", "mmd": "mermaid"}
"""Suffixes of a diagram as text, and the modules that write it."""
