"""The whole text: a comment that says how to read it, the equations, and the numbers beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nn2eq.emit.latex.functions import Functions, by_options
from nn2eq.emit.latex.layered import layered
from nn2eq.emit.latex.listing import matrices, tables
from nn2eq.emit.latex.matrices import Matrices
from nn2eq.emit.latex.names import Symbols
from nn2eq.emit.latex.nested import nested
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import LINE, Equation
from nn2eq.emit.latex.scalars import Scalars
from nn2eq.emit.latex.standalone import standalone
from nn2eq.emit.latex.weights import Weights
from nn2eq.emit.options import Options
from nn2eq.forms.program import Program

PAGE = 45
"""Lines of mathematics that a page holds; a longer display needs leave to break."""


def write(program: Program, options: Options) -> str:
    """Write a program as LaTeX, a fragment or a document."""
    function = program.predict
    numbers = Numbers.suited(function.constants)
    symbolic = options.numbers != "inline"
    functions = Functions(function, options, numbers)
    symbols = Symbols(options.latex_names, functions.symbols)
    scalars = Scalars(Weights(numbers, symbolic), symbols, functions, by_options(options))
    layouts: Mapping[str, Callable[[], list[list[Equation]]]] = {
        "nested": lambda: nested(function, scalars),
        "layered": lambda: layered(function, scalars),
        "matrix": lambda: Matrices(numbers, symbolic, symbols, functions).equations(function),
    }
    blocks = [*layouts[program.layout](), functions.definitions()]
    beside = matrices(function, numbers) if options.numbers == "matrix" else []
    body = _display(blocks) + _beside(beside)
    body += tables(function, numbers) if options.numbers == "table" else ""
    said = _said(program, options, numbers, symbols)
    if options.standalone:
        widest = max(
            equation.left.width + equation.right.width for block in [*blocks, *beside] for equation in block
        )
        return _comment(said) + standalone(program, options, said, numbers.legend, body, widest)
    needs = ["amsmath", "booktabs"] if options.numbers == "table" else ["amsmath"]
    packages = ", ".join(rf"\usepackage{{{package}}}" for package in needs)
    breaks = r"; longer than a page: \allowdisplaybreaks" if body.count("\n") > PAGE else ""
    return _comment({**said, "needs": packages + breaks}) + body


def _said(program: Program, options: Options, numbers: Numbers, symbols: Symbols) -> dict[str, str]:
    """Say what a reader, human or not, must know: which symbols go in and out, and how decimals are meant."""
    inputs, outputs = (
        ", ".join(symbols.of(part) for part in parts) for parts in (program.inputs, program.outputs)
    )
    rounded = f", rounded to {options.digits} significant digits" if options.digits else ""
    said = {"inputs": f"{inputs}; outputs: {outputs}", "numbers": numbers.rule + rounded}
    if options.numbers != "inline":
        said["kernels"] = (
            r"W_k has a row an input and a column a unit of layer k: z_k = W_k^\top a_{k-1} + b_k"
        )
    return said


def _comment(said: Mapping[str, str]) -> str:
    return "".join(f"% {key}: {text}\n" for key, text in said.items())


def _display(blocks: Sequence[Sequence[Equation]]) -> str:
    """Set equations one below the other, a little space between the blocks."""
    texts = (
        " \\\\\n".join(f"{left.text} &= {right.text}" for left, right in block) for block in blocks if block
    )
    return "\\begin{align*}\n" + " \\\\[1ex]\n".join(texts) + "\n\\end{align*}\n"


def _beside(blocks: Sequence[Sequence[Equation]]) -> str:
    """Set a layer's kernel and bias side by side, unless one of them is too wide for that."""
    if not blocks:
        return ""
    fit = all(sum(left.width + right.width + 40 for left, right in block) < LINE for block in blocks)
    if not fit:
        return _display([[equation] for block in blocks for equation in block])
    rows = (r" &\qquad ".join(f"{left.text} &= {right.text}" for left, right in block) for block in blocks)
    columns = max(len(block) for block in blocks)
    return f"\\begin{{alignat*}}{{{columns}}}\n" + " \\\\[1ex]\n".join(rows) + "\n\\end{alignat*}\n"
