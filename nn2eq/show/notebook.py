"""How a Network and a Program show themselves in a notebook: as typeset mathematics.

MathJax and KaTeX typeset what stands between dollar signs; comments and documents are for files. A program too
long to be read shows its matrix layout, and beyond that its size.
"""

from __future__ import annotations

import html
from dataclasses import replace

from nn2eq.description import info
from nn2eq.emit import emit
from nn2eq.forms.program import Program
from nn2eq.forms.size import numbers
from nn2eq.forms.straight import matrix, nested
from nn2eq.network import Network

SHOWN = 400
"""Numbers that an equation may hold to be shown in full."""


def program_latex(program: Program) -> str | None:
    """Return the program as display mathematics, None if it is too long to be read."""
    if numbers(program) > SHOWN:
        return None
    lines = (line for line in emit(program, "latex").splitlines() if not line.startswith("%"))
    return "\n".join(line for line in lines if line.strip())


def network_latex(network: Network) -> str | None:
    """Return the network as one equation if it is short, else in matrices."""
    program = nested(network)
    return program_latex(program) if numbers(program) <= SHOWN // 4 else program_latex(matrix(network))


def program_html(program: Program) -> str:
    """Return what the program is, and its mathematics."""
    model, sizes = html.escape(program.model or "network"), f"{len(program.inputs)} → {len(program.outputs)}"
    head = f"{model}: {program.form} form, {sizes}"
    body = program_latex(program) or program_latex(replace(program, layout="matrix"))
    shown = html.escape(body) if body else f"{numbers(program):,} numbers: too many to show"
    return f"<div><p>{head}</p>{shown}</div>"


def network_html(network: Network) -> str:
    """Return the table of layers, and the mathematics."""
    found = info(network)
    rows = "".join(
        f"<tr><td>{layer.number}</td><td>{html.escape(layer.name)}</td><td>{html.escape(layer.class_name)}</td>"
        f"<td>{' × '.join(map(str, layer.shape))}</td><td>{layer.parameters:,}</td></tr>"
        for layer in found.layers
    )
    head = "<tr><th></th><th>layer</th><th>class</th><th>output</th><th>parameters</th></tr>"
    table = f"<table>{head}{rows}</table>"
    body = network_latex(network)
    shown = html.escape(body) if body else f"{found.parameters:,} parameters: too many to show"
    return f"<div>{table}{shown}</div>"
