"""A document around equations: a title, what the symbols mean, and a page as large as the matrices need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nn2eq.emit.latex.names import texttt
from nn2eq.emit.options import Options
from nn2eq.forms.program import Apply, Program

A4 = (597.0, 845.0)
"""Points, as TeX counts them."""
MARGIN = 57.0
LARGEST = 16_000.0
"""TeX measures nothing beyond 16,383 points."""
LINE_HEIGHT = 13.6
SHOWN = 12
"""Inputs or outputs that the legend names one by one."""


def standalone(
    program: Program,
    options: Options,
    said: Mapping[str, str],
    legend: str,
    body: str,
    widest: float,
    packages: Sequence[str],
) -> str:
    """Return a document that pdflatex compiles. widest: the widest equation, in points; packages: it needs."""
    width, height = _page(program, options, widest)
    title = texttt(program.model or "network")
    return f"""\\documentclass{{article}}
\\usepackage[T1]{{fontenc}}
\\usepackage[paperwidth={width:.0f}pt, paperheight={height:.0f}pt, margin={MARGIN:.0f}pt]{{geometry}}
\\usepackage{{{", ".join(packages)}}}
\\allowdisplaybreaks
\\setlength{{\\parindent}}{{0pt}}
\\begin{{document}}
{{\\Large {title}}}
\\bigskip

{" ".join(_legend(program, options, said, legend))}
{body}\\end{{document}}
"""


def _page(program: Program, options: Options, widest: float) -> tuple[float, float]:
    """Return A4, or what the widest equation and the tallest matrix need."""
    in_matrices = program.layout in ("matrix", "symbolic") or options.numbers == "matrix"
    rows = max((max(constant.data.shape) for constant in program.predict.constants), default=0)
    needed = widest + 2 * MARGIN + 60, rows * LINE_HEIGHT * in_matrices + 2 * MARGIN + 100
    return min(max(A4[0], needed[0]), LARGEST), min(max(A4[1], needed[1]), LARGEST)


def _legend(program: Program, options: Options, said: Mapping[str, str], legend: str) -> list[str]:
    """Say in sentences what stands in the equations."""
    inputs, outputs = (symbols.split(", ") for symbols in said["inputs"].split("; outputs: "))
    lines = [f"{_counted('Input', inputs)}; {_counted('output', outputs)}."]
    if program.layout != "symbolic":  # which has sentences of its own
        kind = (
            "layered, no units" if program.layout == "layered" and not _has_units(program) else program.layout
        )
        lines += [sentence for row, sentence in _SENTENCES if row in (kind, f"in a {options.numbers}")]
    lines += [f"${said[name]}$." for name in ("jacobian", "hessian", "slopes") if name in said]
    rounded = [f"Numbers are rounded to {options.digits} significant digits."] if options.digits else [legend]
    return lines + rounded


_SENTENCES = (
    ("layered", "$a_{k,j}$ is unit $j$ of layer $k$, $z_{k,j}$ the same before its activation."),
    ("cases", "Each row holds where its conditions do, the first one of those that do."),
    ("matrix", r"$a_k$ is the vector of layer $k$; functions of one number act on each of its units."),
    ("in a matrix", "$W_k$ has a row for each input of layer $k$ and a column for each of its units."),
    (
        "in a table",
        r"$W_{k,i,j}$ leads from input $i$ of layer $k$ to its unit $j$, $b_{k,j}$ is added to that.",
    ),
)


def _has_units(program: Program) -> bool:
    """Whether units have names of their own, as they have not in a polynomial of the inputs."""
    return any(isinstance(step, Apply) for step in program.predict.steps)


def _counted(word: str, symbols: list[str]) -> str:
    """Name one symbol or several; of very many the first and the last."""
    shown = [*symbols[:2], r"\dots", symbols[-1]] if len(symbols) > SHOWN else symbols
    return f"{word}{'s' * (len(symbols) > 1)} {', '.join(f'${symbol}$' for symbol in shown)}"
