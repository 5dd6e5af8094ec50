"""What texts in Python have in common: sums and formulas over named scalars, line by line or nested."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from nn2eq import formula as fm
from nn2eq.activations import Activation
from nn2eq.emit.header import escaped
from nn2eq.emit.names import PYTHON_KEYWORDS, require
from nn2eq.emit.options import Options
from nn2eq.emit.printing import PRODUCT, SIGN, SUM, Infix, Names, Text, decimals, number
from nn2eq.emit.renaming import in_plain_letters
from nn2eq.emit.scalars import Call, Formula, Line, Sum, unrolled
from nn2eq.errors import CannotEmit
from nn2eq.forms.program import Apply, Combine, Program
from nn2eq.forms.size import Spelling, runnable

Part = TypeVar("Part")

LONGEST_SUM = 100
"""Terms in a row: CPython compiles a sum by recursion, one level a term."""
WIDTH = 110
"""Characters that a line of cases may have."""
DEEPEST = 60
"""Brackets within brackets: CPython reads 200, and a sum may stand between each two."""


@dataclass(frozen=True)
class Scalars:
    """How a language in Python's syntax writes scalars.

    infix: its formulas. together: a group of scalars as the argument of a coupled activation. item: one
    result of it. unpacked: all its results. constant: a number where others have a value a sample. total: a
    function of all terms, where a sum is not written with + (one that binds them at once).
    """

    infix: Infix
    together: str = "[{0}]"
    item: str = "{0}[{1}]"
    unpacked: str = "{0}"
    constant: str = "{0}"
    total: str = ""

    def call(self, line: Call, names: Mapping[str, Text]) -> str:
        """Write an activation by its name."""
        args = ", ".join(names[arg].text for arg in line.args)
        first = self.together.format(args) if line.activation.row.coupled else args
        per_unit = {key: decimals(data, wide=True)[0] for key, data in line.parameters.items()}
        return call(line.activation, first, per_unit)


def is_one_operation(activation: Activation) -> bool:
    """Whether the formula to run is so short that a function for it would say nothing more."""
    node = activation.stable
    is_flat = all(not arg.args for arg in node.args)
    return is_flat and fm.mentions(node, "z") == 1 and not activation.row.coupled


def spelled(options: Options) -> Spelling:
    """Return how activations are written: by functions that the text defines, or by their formulas to run."""
    require_no_symbols(options)
    return runnable if options.activations == "explicit" or options.expression else by_function


def require_no_symbols(options: Options) -> None:
    """Refuse what only a text for people can say. Raises CannotEmit."""
    if options.activations == "symbol":
        raise CannotEmit(
            "a text that runs cannot write an activation as a symbol",
            code="option-format",
            way_out="use --activations name or explicit",
        )


def by_function(activation: Activation) -> fm.Node | None:
    """Spell an activation by its name, unless its formula is one operation."""
    return activation.stable if is_one_operation(activation) else None


def call(activation: Activation, argument: str, per_unit: Mapping[str, str]) -> str:
    """Return the call of the function that a text defines for a row; per_unit: each unit's own parameters."""
    plain = {key: number(node.value) for key, node in activation.numbers.items()}
    given = [f"{key}={value}" for key, value in {**plain, **per_unit}.items()]
    return f"{activation.row.name}({', '.join([argument, *given])})"


def applied(program: Program) -> dict[str, Activation]:
    """Return an activation of each row that the program applies, by the row's name."""
    steps = (step for function in program.functions for step in function.steps if isinstance(step, Apply))
    return {step.activation.row.name: step.activation for step in steps}


def formulas(program: Program) -> Iterator[fm.Node]:
    """Yield every formula that its texts may print: those of activations, and those over several values."""
    yield from (row.stable for row in applied(program).values())
    for function in program.functions:
        for step in function.steps:
            yield from step.formulas if isinstance(step, Combine) else ()


def require_names(program: Program, options: Options, language: str, used: Collection[str]) -> None:
    """Refuse names of inputs, outputs and the function that mean something else in the text.

    used: what the text itself needs besides its values, constants and functions. Raises CannotEmit.
    """
    reserved = taken(program, used)
    users = (options.name, *program.inputs, *program.outputs)
    require(users, language, reserved | {name for name in users if _SHARED.fullmatch(name)})


def in_letters(
    program: Program, options: Options, used: Collection[str]
) -> tuple[Program, Mapping[str, str]]:
    """Return the program with names of inputs and outputs that mean nothing else, and what they stand for."""
    reserved = taken(program, used) | {options.name}
    return in_plain_letters(program, lambda name: name not in reserved and not _SHARED.fullmatch(name))


def taken(program: Program, used: Collection[str]) -> set[str]:
    """Return the names that mean something in a text; used: those that it needs besides its values and functions."""
    return own_names(program) | set(applied(program)) | set(used) | PYTHON_KEYWORDS


def own_names(program: Program) -> set[str]:
    """Return the names of the values on the way, of the results besides the outputs, and of the constants."""
    answers = {value.name for value in program.predict.results}
    steps = [step for function in program.functions for step in function.steps]
    values = [step.out for step in steps if step.out.name not in answers]
    named = {name for value in values for name in (value.name, *value.parts)}
    return named | {constant.name for constant in program.constants}


_SHARED = re.compile(r"[a-zA-Z]+\d+__[\d_]+|(sum|largest)\d+(_\d+)*")
"""What `nn2eq.emit.scalars` calls the reductions of a coupled row, and what leads to polynomials and cases."""


def bare_expression(program: Program, language: Scalars, spelling: Spelling, needs: str) -> str:
    """Return the outputs as one expression of the inputs, below a comment that says what they are."""
    if program.layout != "nested":
        way_out = "use --form nested"
        raise CannotEmit("only the nested form is one expression", code="form-format", way_out=way_out)
    texts = [text.text for text in nested(program, language, spelling).values()]
    body = texts[0] if len(texts) == 1 else "(" + ",\n ".join(texts) + ")"
    return f"# {', '.join(program.outputs)} of {', '.join(program.inputs)}; {needs}\n{body}\n"


def function(name: str, body: Iterable[str], *above: str) -> str:
    """Return a function of x with these lines, decorated by those above."""
    return "\n".join([*above, f"def {name}(x):", *(f"    {line}" for line in body)]) + "\n"


def described(program: Program, shapes: str, shape_out: str = "") -> str:
    """Return the docstring of a function of x; shape_out: what it returns, or behind a comma how."""
    answer, given = _listed(program.outputs), _listed(program.inputs)
    if shape_out and not shape_out.startswith(","):
        answer, shape_out = shape_out, ""
    inputs = "input" if len(program.inputs) == 1 else "inputs"
    return f'"""Return {answer}{shape_out} for the {inputs} {given}: x is {shapes}."""'


def _listed(names: Sequence[str]) -> str:
    """Return names for a sentence, of many only some."""
    return ", ".join(names if len(names) <= 6 else (names[0], names[1], "...", names[-1]))


def commented(parts: Iterable[tuple[str, Part]]) -> Iterator[tuple[list[str], Part]]:
    """Yield each part with the comment that says which layers it comes from, where that changes."""
    said = ""
    for origin, part in parts:
        yield [f"# {escaped(origin)}"] if origin != said else [], part
        said = origin


# ------------------------------------------------------------------------------------------------- statements


def statements(program: Program, language: Scalars, spelling: Spelling) -> Iterator[str]:
    """Yield the lines that compute the outputs from the inputs: one a unit, or one an output."""
    if program.layout == "nested":
        texts = nested(program, language, spelling)
        yield from (f"{name} = {texts[name].text}" for name in program.outputs)
        return
    for origin, lines in commented(unrolled(program.predict, spelling)):
        yield from origin
        yield from (_statement(line, language, Names()) for line in lines)


def nested(program: Program, language: Scalars, spelling: Spelling) -> Mapping[str, Text]:
    """Return every output in terms of the inputs. Raises CannotEmit if Python could not read it."""
    texts = Names()
    for _, lines in unrolled(program.predict, spelling):
        for line in lines:
            texts.update(texts_of(line, language, texts))
    deepest = max(depth(texts[name].text) for name in program.outputs)
    if deepest > DEEPEST:
        raise CannotEmit(
            f"the nested form has brackets {deepest} deep, more than Python reads",
            code="too-deep",
            way_out="use --form layered or matrix",
        )
    return {name: texts[name] for name in program.outputs}


def _statement(line: Line, language: Scalars, names: Mapping[str, Text]) -> str:
    if isinstance(line, Call) and len(line.outs) > 1:
        return f"{', '.join(line.outs)} = {language.unpacked.format(language.call(line, names))}"
    ((out, text),) = texts_of(line, language, names).items()
    return _of_width(f"{out} = {text.text}")


def _of_width(line: str) -> str:
    """Break a long chain of cases, which stands in brackets, into a line a case."""
    return line if len(line) <= WIDTH else line.replace(" else ", "\n        else ")


def texts_of(line: Line, language: Scalars, names: Mapping[str, Text]) -> dict[str, Text]:
    """Write a line: what it computes, by name; names: what stands for earlier names."""
    match line:
        case Sum():
            return {line.out: sum_text(line, language, names)}
        case Formula():
            return {line.out: language.infix.write(line.node, names)}
    called = language.call(line, names)
    if not line.activation.row.coupled:
        return {line.outs[0]: Text(called)}
    return {out: Text(language.item.format(called, index)) for index, out in enumerate(line.outs)}


def sum_text(line: Sum, language: Scalars, names: Mapping[str, Text]) -> Text:
    """Write a weighted sum, its numbers as float64; a long one in groups."""
    coefficients = decimals(line.coefficients, wide=True)
    terms = [f"{c}*{names[name].within(PRODUCT)}" for c, name in zip(coefficients, line.names, strict=True)]
    if line.offset is not None:
        terms += decimals(line.offset, wide=True)
    if not line.names:
        return Text(language.constant.format(terms[0] if terms else "0.0"), SIGN)
    if len(terms) == 1:
        return Text(terms[0], PRODUCT)
    return Text(language.total.format(", ".join(terms))) if language.total else Text(_total(terms), SUM)


def _total(terms: Sequence[str]) -> str:
    if len(terms) <= LONGEST_SUM:
        return terms[0] + "".join(f" - {t[1:]}" if t[0] == "-" else f" + {t}" for t in terms[1:])
    groups = (terms[k : k + LONGEST_SUM] for k in range(0, len(terms), LONGEST_SUM))
    return _total([f"({_total(group)})" for group in groups])


def depth(text: str) -> int:
    """Return how deep brackets stand within brackets."""
    signs = np.frombuffer(text.encode(), dtype=np.uint8)
    steps = np.isin(signs, (ord("("), ord("["))).astype(np.int32) - np.isin(signs, (ord(")"), ord("]")))
    return int(np.max(np.cumsum(steps), initial=0))
