"""A document around equations, as large as they need."""

from __future__ import annotations

from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.options import Options
from nn2eq.forms.program import Program


def standalone(program: Program, options: Options, numbers: Numbers, body: str) -> str:
    """Return a document that pdflatex compiles."""
    return f"""\\documentclass{{article}}
\\usepackage[a4paper, margin=2cm]{{geometry}}
\\usepackage{{amsmath, booktabs, xcolor}}
\\allowdisplaybreaks
\\begin{{document}}
{body}\\end{{document}}
"""
