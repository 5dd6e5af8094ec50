"""A text of the backward pass: forwards, the loss, backwards, and the derivative by every weight."""

from __future__ import annotations

from collections.abc import Mapping

from nn2eq.emit.latex.display import comment, display
from nn2eq.emit.latex.functions import by_options
from nn2eq.emit.latex.names import Symbols, index
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import Equation
from nn2eq.emit.latex.scalars import Scalars
from nn2eq.emit.latex.standalone import standalone
from nn2eq.emit.latex.symbolic.backward import Backward
from nn2eq.emit.latex.symbolic.backward_vector import VectorBackward
from nn2eq.emit.latex.symbolic.beside import Beside
from nn2eq.emit.latex.symbolic.calls import Calls
from nn2eq.emit.latex.symbolic.letters import Letters
from nn2eq.emit.latex.symbolic.style import Style, style
from nn2eq.emit.latex.symbolic.text import listing, orientation, packages
from nn2eq.emit.latex.symbolic.vector import Vectors
from nn2eq.emit.latex.symbolic.worked import worked
from nn2eq.emit.options import Options
from nn2eq.forms.losses import LOSSES
from nn2eq.forms.program import Program

Blocks = list[list[Equation]]
HATS: Mapping[str, tuple[str, str]] = {"mlp": (r"\hat{y}", "y")}
"""The letters of the outputs and of what they should be, where these are not y and t."""


def write(program: Program, options: Options) -> str:
    """Write the backward pass of a program in symbols."""
    letter, target = HATS.get(program.told["notation"], ("y", "t"))
    chosen = style(program, Symbols(options.latex_names), letter=letter)
    numbers = Numbers.suited(program.predict.constants)
    calls = Calls(chosen.naming, options, numbers)
    scalars = Scalars(Letters(chosen.naming, numbers, chosen.row), Symbols({}), calls, by_options(options))
    count, loss = chosen.naming.size(chosen.naming.depth), LOSSES[program.told["loss"]]
    targets = tuple(
        target + (index(unit + chosen.naming.first) if count > 1 else "") for unit in range(count)
    )
    made = Backward(chosen.naming, scalars, calls, loss, targets, "derivation" in program.told, chosen.row)
    made = made.in_colours() if chosen.view == "scalar" else made
    answers, batch = made.answers(), ""
    if chosen.view == "vector":
        in_vectors = VectorBackward(made, Vectors(chosen.naming, chosen.row, calls, scalars, False), target)
        blocks, answers, batch = in_vectors.blocks(), in_vectors.answers(), in_vectors.batch()
    else:
        blocks = [*made.forward(), *made.deltas(), *made.gradients()]
    blocks += [[line] for line in (*calls.definitions(), *calls.slopes())]
    blocks = worked(program, made, blocks) if "at" in program.told else blocks
    body = (
        display(blocks)
        + batch
        + ("" if chosen.only else listing(Beside(chosen, numbers, False), options.numbers))
    )
    said = _said(program, chosen, numbers, made, answers)
    needed = packages(body)
    if options.standalone:
        widest = max(left.width + right.width for block in blocks for left, right in block)
        names = (", ".join(chosen.naming.units(layer)) for layer in (0, chosen.naming.depth))
        shown = {"inputs": "; outputs: ".join(names)}
        return comment(said) + standalone(program, options, shown, "", body, widest, needed)
    return comment({**said, "needs": ", ".join(rf"\usepackage{{{package}}}" for package in needed)}) + body


def _said(
    program: Program, chosen: Style, numbers: Numbers, made: Backward, answers: list[str]
) -> dict[str, str]:
    """Say what goes in, what comes out, and where Keras does otherwise."""
    given = (
        () if "at" in program.told else (*chosen.naming.units(0), *(() if made.loss.single else made.targets))
    )
    return {
        "inputs": f"{', '.join(given)}; outputs: {', '.join(answers)}",
        "answers": ", ".join(chosen.naming.units(chosen.naming.depth)),
        "numbers": numbers.rule,
        "units": f"counted from {chosen.naming.first}",
        "orientation": orientation(chosen),
        "probabilities": "Keras keeps them within [1e-7, 1 - 1e-7] in its loss; here nothing is clipped",
    }
