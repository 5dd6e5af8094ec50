"""Texts run in their own language. THE table of runners is `RUNNERS`; a new language adds its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit import emitter
from nn2eq.errors import CannotEmit

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a text answers: outputs (n, outputs), and the values that it names on the way.

    values: by name, (n,) for a unit, (n, units) for a whole layer; empty where the text names none. by: what
    answered, where the language alone does not tell.
    """

    outputs: Array
    values: Mapping[str, Array] = field(default_factory=dict)
    by: str = ""


Runner = Callable[[Any, Array, str], Answer]
"""Takes a text, or bytes where the language is no text."""

RUNNERS: Mapping[str, str] = {
    "latex": "nn2eq.proof.latex_reader",
    "numpy": "nn2eq.proof.run_numpy",
    "python": "nn2eq.proof.run_python",
    "sympy": "nn2eq.proof.run_sympy",
    "json": "nn2eq.proof.run_json",
    "c": "nn2eq.proof.run_c",
    "javascript": "nn2eq.proof.run_javascript",
    "fortran": "nn2eq.proof.run_fortran",
    "rust": "nn2eq.proof.run_rust",
    "java": "nn2eq.proof.run_java",
    "go": "nn2eq.proof.run_go",
    "octave": "nn2eq.proof.run_octave",
    "r": "nn2eq.proof.run_r",
    "casadi": "nn2eq.proof.run_casadi",
    "pyomo": "nn2eq.proof.run_pyomo",
    "smtlib": "nn2eq.proof.run_smtlib",
    "sql": "nn2eq.proof.run_sql",
    "markdown": "nn2eq.proof.run_markdown",
    "mathml": "nn2eq.proof.run_mathml",
    "html": "nn2eq.proof.run_html",
    "typst": "nn2eq.proof.run_typst",
    "unicode": "nn2eq.proof.run_unicode",
    "excel": "nn2eq.proof.run_excel",
    "excel-formula": "nn2eq.proof.run_excel_formula",
}
"""The module whose `run(text, x, name)` runs a text of this language."""


def run(language: str, text: str | bytes, x: Array, name: str = "predict") -> Answer:
    """Run a text at x (n, inputs); name: of its function. Raises Disagreement if it cannot be run."""
    if language not in RUNNERS:
        raise CannotEmit(f"texts in {language} cannot be run here", code="not-run")
    runner = cast(Runner, import_module(RUNNERS[language]).run)
    return runner(text, np.asarray(x, dtype=np.float64), name)


def as_latex(language: str, text: str) -> str:
    """Return a text for people as the LaTeX that is evaluated in its stead. Raises BadRequest."""
    return text if language == "latex" else cast(str, import_module(RUNNERS[language]).latex(text))


def takes_another(language: str, text: str | bytes) -> bool:
    """Whether running a text takes a compiler or another program, which is started only when asked for.

    That may depend on the text: a runner then has a function `at_hand`, which says whether it runs here.
    """
    if emitter(language).external:
        return True
    at_hand = getattr(import_module(RUNNERS[language]), "at_hand", None)
    return at_hand is not None and not at_hand(text)
