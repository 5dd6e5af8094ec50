"""The whole text: a comment that says how to read it, the equations, and the numbers beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from nn2eq.emit.cases import has_cases
from nn2eq.emit.latex.display import beside, comment, display
from nn2eq.emit.latex.functions import Functions, by_options
from nn2eq.emit.latex.layered import layered
from nn2eq.emit.latex.listing import matrices, tables
from nn2eq.emit.latex.matrices import Matrices
from nn2eq.emit.latex.names import Symbols, standing
from nn2eq.emit.latex.nested import nested
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import Equation
from nn2eq.emit.latex.polynomials import chebyshev_definition, chebyshev_symbols
from nn2eq.emit.latex.scalars import Scalars
from nn2eq.emit.latex.standalone import standalone
from nn2eq.emit.latex.weights import Weights
from nn2eq.emit.options import Options
from nn2eq.errors import CannotEmit
from nn2eq.forms.program import Apply, Combine, Function, Program, arguments

PAGE = 45
"""Lines of mathematics that a page holds; a longer display needs leave to break."""


def write(program: Program, options: Options) -> str:
    """Write a program as LaTeX, a fragment or a document."""
    if program.layout == "backprop":
        from nn2eq.emit.latex.symbolic.backprop import write as backwards

        return backwards(program, options)
    if program.layout == "symbolic":
        from nn2eq.emit.latex.symbolic.text import write as in_symbols  # seldom asked for

        return in_symbols(program, options)
    _require_apart(program)
    program = _in_cases(program, options) if has_cases(program) else program.merged()
    function = program.predict
    numbers = Numbers.suited(function.constants)
    symbolic = options.numbers != "inline"
    functions = Functions(function, options, numbers)
    taken = (*functions.symbols, *chebyshev_symbols(function), *_derived(function), *_vectors(function))
    symbols = Symbols(options.latex_names, taken)
    scalars = Scalars(Weights(numbers, symbolic), symbols, functions, by_options(options), program.domain)
    layouts: Mapping[str, Callable[[], list[list[Equation]]]] = {
        "nested": lambda: nested(function, scalars),
        "layered": lambda: layered(function, scalars),
        "cases": lambda: layered(function, scalars),
        "matrix": lambda: Matrices(numbers, symbolic, symbols, functions).equations(function),
    }
    blocks = [*layouts[program.layout](), functions.definitions(), chebyshev_definition(function)]
    listed = matrices(function, numbers) if options.numbers == "matrix" else []
    body = display(blocks) + beside(listed)
    body += tables(function, numbers) if options.numbers == "table" else ""
    said = _said(program, options, numbers, symbols)
    needs = ["amsmath", "booktabs"] if options.numbers == "table" else ["amsmath"]
    if options.standalone:
        widest = max(
            equation.left.width + equation.right.width for block in [*blocks, *listed] for equation in block
        )
        return comment(said) + standalone(program, options, said, numbers.legend, body, widest, needs)
    packages = ", ".join(rf"\usepackage{{{package}}}" for package in needs)
    breaks = r"; longer than a page: \allowdisplaybreaks" if body.count("\n") > PAGE else ""
    return comment({**said, "needs": packages + breaks}) + body


def _require_apart(program: Program) -> None:
    """Raise CannotEmit where an input is called as an output is, or as the vector of all outputs."""
    whole = program.layout == "matrix" and program.outputs[0] == "y1"  # others stand stacked on the left
    computed = {*program.outputs, *(["y"] if whole else [])}
    for name in program.inputs:
        if name in computed:
            what = f"the name {name!a:.80} stands for an input and for what is computed"
            raise CannotEmit(what, code="name-clash", way_out="choose others with --inputs or --outputs")


def _in_cases(program: Program, options: Options) -> Program:
    """Lay a program out in cases. Raises CannotEmit where its numbers are to stand somewhere else."""
    if options.numbers != "inline":
        what = f"--numbers {options.numbers} does not apply to pieces, whose numbers stand in the equations"
        raise CannotEmit(what, code="option-format", way_out="leave it out")
    return replace(program, layout="cases")


def _said(program: Program, options: Options, numbers: Numbers, symbols: Symbols) -> dict[str, str]:
    """Say what a reader, human or not, must know: which symbols go in and out, and how decimals are meant."""
    y, *derivatives = program.predict.results
    inputs = ", ".join(map(symbols.of, program.inputs))
    derived = [standing(part) for value in derivatives for part in value.parts]
    outputs = ", ".join([*map(symbols.of, y.parts), *derived])
    rounded = f", rounded to {options.digits} significant digits" if options.digits else ""
    said = {"inputs": f"{inputs}; outputs: {outputs}", "numbers": numbers.rule + rounded}
    said |= {value.name: _MEANT[value.name] for value in derivatives}
    if slopes := [text for name, text in _SLOPES.items() if name in _letters(program.predict)]:
        said["slopes"] = ",\\ ".join(slopes)
    if options.numbers != "inline":
        said["kernels"] = (
            r"W_k has a row per input and a column per unit of layer k: z_k = W_k^\top a_{k-1} + b_k"
        )
    return said


_MEANT: Mapping[str, str] = {
    "jacobian": r"J_{i,j} = \partial y_i / \partial x_j",
    "hessian": r"H_{i,j,k} = \partial^2 y_i / \partial x_j \partial x_k",
}


_SLOPES: Mapping[str, str] = {
    "s": r"s = \partial a / \partial z", "q": r"q = \partial s / \partial z",
    "u": r"u = \partial z / \partial x", "v": r"v = \partial a / \partial x",
    "gamma": r"\gamma = \partial y / \partial a", "delta": r"\delta = \partial y / \partial z",
    "tau": r"\tau = \partial \gamma / \partial x", "rho": r"\rho = \partial \delta / \partial x",
}  # fmt: skip
"""What the letters of a derivative's steps are; their indices are the layer, an output or input, and the unit."""


def _letters(function: Function) -> set[str]:
    """Return the letters of all values that derivatives go through: delta of delta1_2."""
    steps = function.steps if any(isinstance(step, Combine) for step in function.steps) else ()
    return {step.out.name.rstrip("0123456789") for step in steps}


def _vectors(function: Function) -> Iterator[str]:
    """Yield z and a where a coupled activation takes z_2 or a_2 whole, lest that be a part of an input or output."""
    if any(isinstance(step, Apply) and step.activation.row.coupled for step in function.steps):
        yield from "za"


def _derived(function: Function) -> Iterator[str]:
    """Yield the symbols of slopes, and of all that depends on them, which no input may have."""
    slopes = {step.out.name for step in function.steps if isinstance(step, Combine)}
    for step in function.steps:
        if isinstance(step, Combine) or slopes & {value.name for value in arguments(step)}:
            slopes.add(step.out.name)
            yield from map(standing, step.out.parts)


def fill(text: str, program: Program) -> str:
    """Return a text of symbols alone with the program's numbers beside them, any other text as it is."""
    if program.told.get("symbols") != "only":
        return text
    from nn2eq.emit.latex.symbolic.text import fill as filled

    return filled(text, program)
