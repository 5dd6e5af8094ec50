"""A text in symbols: the equations in a notation of the textbooks', and if they are known the numbers beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nn2eq.emit.latex.display import beside, comment, display
from nn2eq.emit.latex.functions import by_options
from nn2eq.emit.latex.names import Symbols
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import Equation
from nn2eq.emit.latex.scalars import Scalars
from nn2eq.emit.latex.standalone import standalone
from nn2eq.emit.latex.symbolic.beside import Beside, side_by_side
from nn2eq.emit.latex.symbolic.calls import Calls
from nn2eq.emit.latex.symbolic.letters import Letters
from nn2eq.emit.latex.symbolic.linear import Derivation, runs
from nn2eq.emit.latex.symbolic.nested import nested
from nn2eq.emit.latex.symbolic.scalar import scalar
from nn2eq.emit.latex.symbolic.style import Style, style
from nn2eq.emit.latex.symbolic.vector import Vectors
from nn2eq.emit.options import Options
from nn2eq.forms.program import Program

Blocks = list[list[Equation]]


def write(program: Program, options: Options) -> str:
    """Write a program in symbols."""
    chosen = style(program, Symbols(options.latex_names))
    numbers = Numbers.suited(program.predict.constants)
    calls = Calls(chosen.naming, options, numbers)
    letters = Letters(chosen.naming, numbers, chosen.row)
    scalars = Scalars(letters, Symbols({}), calls, by_options(options))
    spelled = chosen.only or options.numbers != "table"
    vectors = Vectors(chosen.naming, chosen.row, calls, scalars, spelled)
    wholes, blocks = _equations(chosen, scalars, vectors)
    numbered = Beside(chosen, numbers, spelled)
    blocks += Derivation(chosen, vectors, None if chosen.only else numbered, options.digits).blocks()
    blocks += [[definition] for definition in calls.definitions()]
    body = "".join(_aligned(block) for block in wholes) + display(blocks)
    body += "" if chosen.only else listing(numbered, options.numbers)
    blocks += [] if chosen.only or options.numbers == "table" else numbered.matrices()
    said = _said(chosen, numbers, options)
    needed = packages(body)
    if options.standalone:
        widest = max(
            (left.width + right.width for block in [*wholes, *blocks] for left, right in block), default=0.0
        )
        return comment(said) + standalone(
            program, options, said, _legend(chosen, numbers), body, widest, needed
        )
    needs = ", ".join(rf"\usepackage{{{package}}}" for package in needed)
    return comment({**said, "needs": needs}) + body


def _equations(chosen: Style, scalars: Scalars, vectors: Vectors) -> tuple[Blocks, Blocks]:
    """Return the formulas that stand by themselves, and the equations."""
    if chosen.view == "nested":
        outputs, legend = nested(chosen.naming, scalars)
        return [outputs], legend
    return [], vectors.equations() if chosen.view == "vector" else scalar(chosen.naming, scalars)


def _aligned(block: Sequence[Equation]) -> str:
    """Set formulas as one nested `aligned`."""
    lines = " \\\\\n".join(f"{left.text} &= {right.text}" for left, right in block)
    return f"\\begin{{equation*}}\n\\begin{{aligned}}\n{lines}\n\\end{{aligned}}\n\\end{{equation*}}\n"


def listing(of: Beside, numbers: str) -> str:
    """Write the numbers as asked; whole vectors have no symbols for single ones."""
    if numbers == "table":
        return side_by_side(of.loose()) + of.tables()
    if of.style.view == "vector" or numbers == "matrix":
        return beside(of.matrices())
    return side_by_side(of.singly())


def packages(body: str) -> list[str]:
    """Return the packages that a text needs."""
    signs = {"amsmath": "", "xcolor": r"\textcolor", "booktabs": r"\toprule"}
    return [package for package, sign in signs.items() if sign in body]


# ----------------------------------------------------------------------------------------- what the comment says


def _said(chosen: Style, numbers: Numbers, options: Options) -> dict[str, str]:
    """Say what a reader, human or not, must know."""
    naming = chosen.naming
    rounded = f", rounded to {options.digits} significant digits" if options.digits else ""
    said = {
        "inputs": f"{', '.join(naming.units(0))}; outputs: {', '.join(naming.units(naming.depth))}",
        "numbers": numbers.rule + rounded,
        "units": f"counted from {naming.first}",
    }
    if chosen.view == "vector" or runs(naming.links):
        said["orientation"] = orientation(chosen)
    return said


def orientation(chosen: Style) -> str:
    """Say whether vectors are rows, and how a matrix lies compared with Keras' kernel, which has a row per input."""
    naming = chosen.naming
    vectors = "row vectors, x W" if chosen.row else "column vectors, W x"
    if naming.has_rows_of_inputs(1):
        return f"{vectors}; {naming.kernel(1)} has a row per input: it is Keras' own kernel"
    return f"{vectors}; {naming.kernel(1)} has a row a unit: it is the transpose of Keras' kernel"


def _legend(chosen: Style, numbers: Numbers) -> str:
    sentences = [] if chosen.only else [numbers.legend]
    return " ".join([*sentences, *([in_a_sentence(chosen)] if chosen.view == "vector" else [])])


def in_a_sentence(chosen: Style) -> str:
    """Say for people whether vectors are rows, and how a matrix lies compared with Keras' kernel."""
    first = f"Vectors are {'rows' if chosen.row else 'columns'}; ${chosen.naming.kernel(1)}$ is"
    if chosen.naming.has_rows_of_inputs(1):
        return f"{first} Keras' kernel."
    return f"{first} the transpose of Keras' kernel, which has a row per input."


# -------------------------------------------------------------------------------------------------- filling in

_INPUTS = re.compile(r"^% *inputs: *(.*?); outputs:", re.MULTILINE)
_ANSWERS = re.compile(r"^% *(?:inputs: .*; outputs|answers): *(.*)$", re.MULTILINE)


def given_in(text: str, program: Program) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the symbols of the inputs and the outputs as a text's comment names them, () for standing ones."""
    inputs, answers = _INPUTS.search(text), _ANSWERS.findall(text)
    if inputs is None or not answers:
        return (), ()
    count = len(program.inputs)  # behind them stands what the answers should be, of a backward pass
    return tuple(_split(inputs[1])[:count]), tuple(_split(answers[-1]))


def fill(text: str, program: Program) -> str:
    """Return a text of symbols alone with the program's numbers beside them."""
    given = given_in(text, program)
    if not all(given):
        return text
    chosen = style(program, given=given)
    spelled = program.layout == "symbolic"
    numbered = listing(Beside(chosen, Numbers.suited(program.predict.constants), spelled), "inline")
    end = text.rfind("\\end{document}")
    return text + numbered if end < 0 else text[:end] + numbered + text[end:]


def _split(text: str) -> list[str]:
    """Split at commas outside braces."""
    return [part.strip() for part in re.findall(r"(?:[^,{}]|\{(?:[^{}]|\{[^{}]*\})*\})+", text)]
