"""Markdown read back: the LaTeX between its dollar signs."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from nn2eq.proof import latex_reader
from nn2eq.proof.runners import Answer
from nn2eq.proof.typeset_text import as_latex, said

_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_DISPLAY = re.compile(r"^\$\$$(.*?)^\$\$$", re.DOTALL | re.MULTILINE)


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Read what stands between lines of two dollar signs, and evaluate it at x (n, inputs). Raises BadRequest."""
    return latex_reader.run(latex(text), x)


def latex(text: str) -> str:
    """Return what stands between lines of two dollar signs as LaTeX's displays. Raises BadRequest."""
    known = said(match[1] for match in _COMMENT.finditer(text))
    return as_latex(text, "<!--", known, _displays)


def _displays(text: str) -> str:
    displays = _DISPLAY.findall(_COMMENT.sub("", text))
    return "".join(re.sub(r"\{(align|alignat)ed\}", r"{\1*}", display.lstrip()) for display in displays)
