r"""Colours for what stands in a formula more than once. \textcolor ends where it ends, in LaTeX and in KaTeX alike."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nn2eq.emit.latex.pieces import Piece

PALETTE = (
    "blue", "red", "teal", "orange", "violet", "magenta", "olive", "brown", "purple", "cyan", "gray", "lime",
)  # fmt: skip
"""Colours that xcolor knows without options and KaTeX as CSS does, told apart on white paper."""

_BREAK = re.compile(r"(\\\\(?:\[[^\]]*\])?\n&(?:\\quad)* ?)")


def coloured(piece: Piece, colour: str) -> Piece:
    """Return a piece in a colour, line by line where it is broken: no group may hold a line's end."""
    parts = _BREAK.split(piece.text)
    texts = [part if place % 2 or not part.strip() else _in(colour, part) for place, part in enumerate(parts)]
    return piece._replace(text="".join(texts))


def _in(colour: str, text: str) -> str:
    bare = text.rstrip()
    return rf"\textcolor{{{colour}}}{{{bare}}}" + text[len(bare) :]


def palette(keys: list[tuple[int, int]]) -> Mapping[tuple[int, int], str]:
    """Give each of so many things a colour of its own, as far as there are colours."""
    return dict(zip(keys, PALETTE, strict=False))
