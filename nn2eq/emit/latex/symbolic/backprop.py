"""A text of the backward pass: forwards, the loss, backwards, and the derivative by every weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nn2eq.emit.latex.display import comment, display
from nn2eq.emit.latex.functions import by_options
from nn2eq.emit.latex.names import Symbols, index
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.pieces import Equation, symbol
from nn2eq.emit.latex.scalars import Scalars
from nn2eq.emit.latex.standalone import standalone
from nn2eq.emit.latex.symbolic.backward import Backward
from nn2eq.emit.latex.symbolic.backward_vector import VectorBackward
from nn2eq.emit.latex.symbolic.batch import ONES, Batch
from nn2eq.emit.latex.symbolic.beside import Beside
from nn2eq.emit.latex.symbolic.calls import Calls
from nn2eq.emit.latex.symbolic.letters import Letters
from nn2eq.emit.latex.symbolic.style import Style, style
from nn2eq.emit.latex.symbolic.text import in_a_sentence, listing, orientation, packages
from nn2eq.emit.latex.symbolic.vector import Vectors
from nn2eq.emit.latex.symbolic.worked import worked
from nn2eq.emit.options import Options
from nn2eq.forms.losses import LOSSES
from nn2eq.forms.program import Program

Blocks = list[list[Equation]]
TARGETS = ("t", "d", "q", "o")
"""Letters of what the outputs should be, the first that no layer has."""
FEW = 4
"""Symbols that a sentence names one by one."""
HATS: Mapping[str, tuple[str, str]] = {"mlp": (r"\hat{y}", "y")}
"""The letters of the outputs and of what they should be, where these are not y and one of TARGETS."""


@dataclass(frozen=True, eq=False)
class _Parts:
    """What writes one text; whole: where its view is a vector's."""

    chosen: Style
    numbers: Numbers
    calls: Calls
    made: Backward
    whole: VectorBackward | None


def _parts(program: Program, chosen: Style, options: Options) -> _Parts:
    letter = _target(program, chosen)
    numbers = Numbers.suited(program.predict.constants)
    calls = Calls(chosen.naming, options, numbers)
    scalars = Scalars(Letters(chosen.naming, numbers, chosen.row), Symbols({}), calls, by_options(options))
    count, loss = chosen.naming.size(chosen.naming.depth), LOSSES[program.told["loss"]]
    targets = tuple(
        letter + (index(unit + chosen.naming.first) if count > 1 else "") for unit in range(count)
    )
    made = Backward(chosen.naming, scalars, calls, loss, targets, "derivation" in program.told, chosen.row)
    if chosen.view == "scalar":
        return _Parts(chosen, numbers, calls, made.in_colours(), None)
    vectors = Vectors(chosen.naming, chosen.row, calls, scalars, False)
    return _Parts(chosen, numbers, calls, made, VectorBackward(made, vectors, letter))


def _target(program: Program, chosen: Style) -> str:
    """Return the letter of what the outputs should be, which no layer has."""
    _, wanted = HATS.get(program.told["notation"], ("", ""))
    heads = {symbol.partition("_")[0] for symbol in chosen.naming.taken()}
    return wanted or next(letter for letter in TARGETS if letter not in heads)


def write(program: Program, options: Options) -> str:
    """Write the backward pass of a program in symbols."""
    letter, wanted = HATS.get(program.told["notation"], ("y", TARGETS[0]))
    symbols = Symbols(options.latex_names)
    symbols.reserve(
        ("L", "n", r"\alpha", *(wanted + index(k) for k in range(len(program.outputs) + 1)), wanted)
    )
    parts = _parts(program, style(program, symbols, letter=letter), options)
    chosen, made, calls = parts.chosen, parts.made, parts.calls
    if parts.whole:
        blocks, answers, batch = parts.whole.blocks(), parts.whole.answers(), Batch(parts.whole).write()
    else:
        blocks, answers, batch = [*made.forward(), *made.deltas(), *made.gradients()], made.answers(), ""
    blocks += _definitions(calls)
    blocks = worked(program, made, blocks, parts.whole) if "at" in program.told else blocks
    beside = "" if chosen.only else listing(Beside(chosen, parts.numbers, False), options.numbers)
    body = display(blocks) + batch + beside
    said, needed = _said(program, parts, answers), packages(body)
    if options.standalone:
        widest = max(left.width + right.width for block in blocks for left, right in block)
        names = (", ".join(chosen.naming.units(layer)) for layer in (0, chosen.naming.depth))
        shown = {"inputs": "; outputs: ".join(names)}
        return comment(said) + standalone(program, options, shown, said["symbols"], body, widest, needed)
    return comment({**said, "needs": ", ".join(rf"\usepackage{{{package}}}" for package in needed)}) + body


def _definitions(calls: Calls) -> Blocks:
    return [[line] for line in (*calls.definitions(), *calls.slopes())]


def batch_of(
    program: Program, given: tuple[tuple[str, ...], tuple[str, ...]], samples: int, rate: float
) -> str:
    """Return what a reader of the display of a batch must be told besides: inputs, functions and numbers.

    given: the symbols of inputs and outputs. The inputs are one sample's, what is wanted, its loss, and 1; the outputs
    as `Batch.answers` has them.
    """
    letter, _ = HATS.get(program.told["notation"], ("y", "t"))
    parts = _parts(program, style(program, given=given, letter=letter), Options())
    assert parts.whole is not None
    batch, naming, whole = Batch(parts.whole), parts.chosen.naming, replace(parts.whole.vectors, row=True)
    batch.write()
    columns = {batch.value(0): naming.units(0), batch.target: list(parts.made.targets)}
    lines = [Equation(symbol(name), whole.stack(units)) for name, units in columns.items()]
    constants = {"n": str(samples), r"\alpha": f"{{{rate!r}}}"}
    lines += [Equation(symbol(name), symbol(text)) for name, text in constants.items()]
    inputs = [*naming.units(0), *parts.made.targets, "L_i", ONES]
    said = {
        "inputs": f"{', '.join(inputs)}; outputs: {', '.join(batch.answers())}",
        "numbers": parts.numbers.rule,
        "units": f"counted from {naming.first}",
        "orientation": "row vectors",
    }
    numbers = listing(Beside(parts.chosen, parts.numbers, False), "inline")
    return comment(said) + display([lines, *_definitions(parts.calls)]) + numbers


def _meanings(parts: _Parts) -> str:
    """Say in a sentence for people what the letters of a backward pass are."""
    made, naming = parts.made, parts.chosen.naming
    wanted, answers = map(_listed, (made.targets, naming.units(naming.depth)))
    loss = f"$L$ is the loss of one sample ({made.loss.name}), ${wanted}$ what ${answers}$ should be, "
    of = (
        "the sums of layer $k$, before their activation"
        if parts.whole
        else "the sum of unit $u$, before its activation"
    )
    slope = rf"$\delta_{'k' if parts.whole else 'u'}$ the derivative of ${made.top}$ by {of}."
    meant = slope.replace("$ the", "$ is the", 1) if made.loss.single else loss + slope
    return f"{meant} {in_a_sentence(parts.chosen)}" if parts.whole else meant


def _listed(symbols: Sequence[str]) -> str:
    """Name symbols; of many the first and the last."""
    return ", ".join(symbols if len(symbols) <= FEW else (symbols[0], r"\dots", symbols[-1]))


def _said(program: Program, parts: _Parts, answers: list[str]) -> dict[str, str]:
    """Say what goes in, what comes out, and where Keras does otherwise."""
    chosen, numbers, made = parts.chosen, parts.numbers, parts.made
    given = (
        () if "at" in program.told else (*chosen.naming.units(0), *(() if made.loss.single else made.targets))
    )
    said = {
        "inputs": f"{', '.join(given)}; outputs: {', '.join(answers)}",
        "answers": ", ".join(chosen.naming.units(chosen.naming.depth)),
        "numbers": numbers.rule,
        "units": f"counted from {chosen.naming.first}",
        "orientation": orientation(chosen),
    }
    said["symbols"] = _meanings(parts)
    if made.loss.classes:
        said["targets"] = f"{', '.join(made.targets)} are probabilities, which add up to 1"
    if made.loss.probabilities:
        said["probabilities"] = (
            "Keras keeps them within [1e-7, 1 - 1e-7] in its loss; here nothing is clipped"
        )
    return said
