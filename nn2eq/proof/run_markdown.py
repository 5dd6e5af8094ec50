"""Markdown read back: the LaTeX between its dollar signs."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof import latex_reader
from nn2eq.proof.runners import Answer
from nn2eq.proof.typeset_text import said, unreadable

_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_DISPLAY = re.compile(r"^\$\$$(.*?)^\$\$$", re.DOTALL | re.MULTILINE)


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Read what stands between lines of two dollar signs, and evaluate it at x (n, inputs). Raises BadRequest."""
    known = said(match[1] for match in _COMMENT.finditer(text))
    displays = _DISPLAY.findall(_COMMENT.sub("", text))
    if not displays:
        raise unreadable("there is nothing between two lines of $$")
    head = "".join(f"% {key}: {known[key]}\n" for key in ("inputs", "numbers") if key in known)
    body = "".join(re.sub(r"\{(align|alignat)ed\}", r"{\1*}", display) for display in displays)
    return latex_reader.run(head + body, x)
