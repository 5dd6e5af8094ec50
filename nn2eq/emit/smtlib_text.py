"""SMT-LIB 2.6: a network of affine pieces (QF_LRA) or a polynomial (QF_NRA), every number exactly the file's.

A name for each unit, and an equation that says what it is: what a solver is asked about stands behind the text.
Slopes of pieces are numbers that cases choose from, so that derivatives are linear in each case: a product with such
a number is written as the cases of the product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from nn2eq import formula as fm
from nn2eq import tangent
from nn2eq.activations import Activation
from nn2eq.emit import Emitter
from nn2eq.emit.names import require
from nn2eq.emit.options import Options
from nn2eq.emit.pythonic import commented
from nn2eq.emit.renaming import explained, in_plain_letters
from nn2eq.emit.scalars import Call, Line, Sum, unrolled
from nn2eq.errors import CannotEmit
from nn2eq.forms.program import Apply, Polynomial, Program
from nn2eq.forms.size import runnable

RESERVED = frozenset(
    """
    BINARY DECIMAL HEXADECIMAL NUMERAL STRING _ as let exists forall match par true false not and or xor distinct
    ite abs to_real to_int is_int Real Int Bool Array select store div mod
    assert declare define check exit pop push reset set get echo include
    """.split()
)
"""Words of SMT-LIB and of its theories of numbers."""


def write(program: Program, options: Options) -> str:
    """Write a Program as SMT-LIB. Raises CannotEmit for activations that are not affine in pieces."""
    _require_pieces(program)
    program = program.merged() if len(program.functions) > 1 else program
    answers = program.predict.results[0].parts
    own = {part for step in program.predict.steps for part in step.out.parts} - set(answers)
    reserved = RESERVED | own
    program, meant = in_plain_letters(program, lambda name: name not in reserved)
    function = program.predict
    require([*program.inputs, *function.results[0].parts], "smtlib", reserved)
    lines = [
        f"; inputs: {', '.join(program.inputs)}; outputs: {', '.join(program.outputs)}",
        "; numbers: fractions, each exactly the float of the file",
        f"(set-logic {'QF_NRA' if _is_curved(program) else 'QF_LRA'})",
        *(f"(declare-const {name} Real)" for name in program.inputs),
    ]
    choices: Choices = {}
    for origin, steps in commented(unrolled(function, runnable)):
        lines += [f";{said[1:]}" for said in origin]
        lines += [text for line in steps for text in _declared(line, choices)]
    return explained(meant, ";") + "\n".join(lines) + "\n"


def _require_pieces(program: Program) -> None:
    for step in program.predict.steps:
        if isinstance(step, Apply) and not step.activation.row.pieces:
            raise _refused(f"{step.activation.row.name} has no affine pieces")


def _is_curved(program: Program) -> bool:
    """Whether variables are multiplied or divided by each other."""
    steps = (step for step in program.predict.steps if isinstance(step, Polynomial))
    return any(step.exponents.sum(axis=1).max() > 1 or step.is_ratio.any() for step in steps)


def _refused(what: str) -> CannotEmit:
    way_out = "smtlib says ReLU and its kind, and any network by --form polynomial; `nn2eq bounds` proves its ranges"
    return CannotEmit(f"{what}, and smtlib is exact", code="not-affine", way_out=way_out)


Choices = dict[str, fm.Node]
"""The names that are one of some numbers, and the cases that say which."""


def _declared(line: Line, choices: Choices) -> Iterator[str]:
    """Yield the name of a unit, and the equation that it is held to."""
    assert not isinstance(line, Call)  # every activation is written out
    if isinstance(line, Sum) and line.names:
        text = _sum(line)
    else:
        node = _constant(line) if isinstance(line, Sum) else in_cases(line.node, choices)
        if _is_choice(node):
            choices[line.out] = node
        text = written(node)
    yield f"(declare-const {line.out} Real)"
    yield f"(assert (= {line.out} {text}))"


def _constant(line: Sum) -> fm.Node:
    return fm.number(0.0 if line.offset is None else float(line.offset[0]))


def in_cases(node: fm.Node, choices: Choices) -> fm.Node:
    """Return a formula in which a product with a number that cases choose is the cases of the product."""
    args = tuple(in_cases(arg, choices) for arg in node.args)
    if node.op == "*":
        for factor, other in (args, args[::-1]):
            cases = choices.get(factor.value, factor) if factor.op == "name" else factor
            if _is_choice(cases) and factor.op != "number":
                return _times(cases, other)
    return fm.Node(node.op, args, node.value)


def _times(cases: fm.Node, other: fm.Node) -> fm.Node:
    if cases.op != "where":
        return tangent.times(cases, other)
    condition, yes, no = cases.args
    return fm.Node("where", (condition, _times(yes, other), _times(no, other)))


def _is_choice(node: fm.Node) -> bool:
    """Whether a formula is one of some numbers."""
    return node.op == "number" or (node.op == "where" and all(map(_is_choice, node.args[1:])))


def _sum(line: Sum) -> str:
    terms = [
        f"(* {rational(float(weight))} {name})"
        for weight, name in zip(line.coefficients, line.names, strict=True)
    ]
    if line.offset is not None:
        terms.append(rational(float(line.offset[0])))
    if len(terms) > 1:
        return f"(+ {' '.join(terms)})"
    return terms[0] if terms else rational(0.0)


def rational(value: float) -> str:
    """Write a float exactly."""
    exact = Fraction(value)
    size = f"{abs(exact.numerator)}.0"
    text = size if exact.denominator == 1 else f"(/ {size} {exact.denominator}.0)"
    return f"(- {text})" if exact < 0 else text


def written(node: fm.Node) -> str:
    """Write a formula. Raises CannotEmit for what is no arithmetic."""
    match node.op:
        case "number":
            return rational(node.value)
        case "name":
            return str(node.value)
        case "**" if node.args[1].op == "number" and node.args[1].value in (2.0, 3.0):
            base = written(node.args[0])
            return f"(* {' '.join([base] * int(node.args[1].value))})"
    if node.op not in _WORDS:
        raise _refused(f"{node.op} is not affine in pieces")
    return _WORDS[node.op](*map(written, node.args))


def _operation(word: str) -> Callable[..., str]:
    return lambda *args: f"({word} {' '.join(args)})"


_WORDS: Mapping[str, Callable[..., str]] = {
    **{word: _operation(word) for word in ("+", "-", "*", "/", "<", "<=", ">", ">=")},
    "==": _operation("="),
    "neg": _operation("-"),
    "where": _operation("ite"),
    "abs": lambda z: f"(ite (< {z} 0.0) (- {z}) {z})",
    "max": lambda a, b: f"(ite (< {a} {b}) {b} {a})",
    "min": lambda a, b: f"(ite (< {b} {a}) {b} {a})",
}  # fmt: skip
"""How an operation of a formula is said; what is missing is not affine in pieces."""


def spelling_of(options: Options) -> Callable[[Activation], fm.Node | None]:
    """Return how activations are written: by the formula to run, over the reals."""
    return runnable


EMITTER = Emitter(
    name="smtlib",
    suffix=".smt2",
    comment=";",
    layouts=("layered",),
    default="layered",
    write=write,
    spelling=spelling_of,
    options=frozenset({"digits"}),
    fractions=True,
    external=True,
    derivatives=("layered",),
    merged=True,
)
