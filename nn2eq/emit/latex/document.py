"""The whole text: a comment that says how to read it, the equations, the numbers beside them, a document around."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nn2eq.emit.latex.functions import Functions, by_options
from nn2eq.emit.latex.listing import listing
from nn2eq.emit.latex.matrices import Matrices
from nn2eq.emit.latex.names import Symbols
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.scalars import Equation, Scalars
from nn2eq.emit.latex.standalone import standalone
from nn2eq.emit.latex.weights import Weights
from nn2eq.emit.options import Options
from nn2eq.forms.program import Program

Block = list[Equation]


def write(program: Program, options: Options) -> str:
    """Write a program as LaTeX, a fragment or a document."""
    function = program.predict
    numbers = Numbers.suited(function.constants)
    symbolic = options.numbers != "inline"
    functions = Functions(function, options, numbers)
    symbols = Symbols(options.latex_names, functions.symbols)
    scalars = Scalars(Weights(numbers, symbolic), symbols, functions, by_options(options))
    layouts: Mapping[str, Callable[[], list[Block]]] = {
        "nested": lambda: scalars.nested(function),
        "layered": lambda: scalars.layered(function),
        "matrix": lambda: Matrices(numbers, symbolic, symbols, functions).equations(function),
    }
    blocks = layouts[program.layout]()
    definitions = [(left, right.text) for left, right in functions.definitions()]
    beside = listing(function, numbers, options.numbers)
    body = _display([*blocks, definitions]) + beside
    names = [", ".join(symbols.of(part) for part in parts) for parts in (program.inputs, program.outputs)]
    comment = _comment(options, numbers, names)
    return comment + (standalone(program, options, numbers, body) if options.standalone else body)


def _comment(options: Options, numbers: Numbers, names: list[str]) -> str:
    packages = "amsmath and booktabs" if options.numbers == "table" else "amsmath alone"
    rounded = f"; rounded to {options.digits} significant digits" if options.digits else ""
    lines = [
        f"inputs: {names[0]}; outputs: {names[1]}",
        f"numbers: {numbers.rule}{rounded}",
    ]
    if not options.standalone:
        lines.append(f"needs: {packages}")
    return "".join(f"% {line}\n" for line in lines)


def _display(blocks: list[Block]) -> str:
    """Set equations one below the other, a little space between the blocks."""
    blocks_text = (" \\\\\n".join(f"{left} &= {right}" for left, right in block) for block in blocks if block)
    return "\\begin{align*}\n" + " \\\\[1ex]\n".join(blocks_text) + "\n\\end{align*}\n"
