"""One number a name: the nested and the layered form as statements of a programming language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from nn2eq import formula as fm
from nn2eq.emit.code.dialect import Body, Dialect, Lines
from nn2eq.emit.code.routines import call, formula
from nn2eq.emit.header import escaped
from nn2eq.emit.printing import ATOM, PRODUCT, SUM, Names, Text
from nn2eq.emit.pythonic import LONGEST_SUM, depth
from nn2eq.emit.scalars import Call, Formula, Line, Sum, unrolled
from nn2eq.errors import CannotEmit
from nn2eq.forms.program import Program
from nn2eq.forms.size import Spelling

DEEPEST = 45
"""Brackets within brackets: R reads 50, and C promises 63."""

Steps = list[tuple[str, list[Line]]]


def body(dialect: Dialect, program: Program, spelling: Spelling, x: str, results: Mapping[str, str]) -> Body:
    """Write what computes the outputs from the array x: one line a unit, or one an output.

    results: the places in the caller's arrays that take them, by name, none where they are names too. What no
    output depends on is left out: compilers object to names that are not used.
    """
    steps, used = _needed(list(unrolled(program.predict, spelling)), program.outputs)
    places = {name: dialect.at(x, k) for k, name in enumerate(program.inputs) if name in used}
    texts = Names({name: Text(place) for name, place in places.items() if name == x})
    writer = _Writer(dialect, x, texts, results)
    for name, place in places.items():
        if name not in texts:
            writer.state(name, Text(place))
    write = writer.nested if program.layout == "nested" else writer.layered
    write(steps, program.outputs)
    return Body(writer.lines, tuple(writer.names))


class _Writer:
    """Writes statements one after the other, and keeps the names that they give."""

    def __init__(self, dialect: Dialect, x: str, texts: Names, results: Mapping[str, str]) -> None:
        self._dialect, self._x, self._texts, self._results = dialect, x, texts, results
        self.lines: Lines = []
        self.names: list[str] = []

    def state(self, out: str, text: Text) -> None:
        """Give a name to a number, or put an output where it belongs."""
        if out in self._results:
            self.lines.append(self._dialect.set.format(self._results[out], text.text))
            self._texts[out] = Text(self._results[out])
        else:
            self.lines.append(self._dialect.let.format(out, text.text))
            self.names.append(out)

    def layered(self, steps: Steps, outputs: Sequence[str]) -> None:
        """Write one line a unit, below the layers that they come from."""
        said = ""
        for origin, lines in steps:
            if lines and origin != said:
                self.lines.append(f"{self._dialect.comment} {escaped(origin)}")
                said = origin
            for line in lines:
                self.state(_out(line), _text(self._dialect, line, self._texts, self._x))

    def nested(self, steps: Steps, outputs: Sequence[str]) -> None:
        """Write one line an output. Raises CannotEmit if brackets stand too deep."""
        for _, lines in steps:
            for line in lines:
                self._texts[_out(line)] = _text(self._dialect, line, self._texts, self._x)
        deepest = max(depth(self._texts[name].text) for name in outputs)
        if deepest > DEEPEST:
            what = f"the nested form has brackets {deepest} deep, more than {self._dialect.name} promises to read"
            raise CannotEmit(what, code="too-deep", way_out="use --form layered or matrix")
        for name in outputs:
            self.state(name, self._texts[name])


# ------------------------------------------------------------------------------------------------ single lines


def _needed(steps: Steps, outputs: Sequence[str]) -> tuple[Steps, set[str]]:
    """Return the lines that the outputs depend on, and the names that these use."""
    used = set(outputs)
    kept: Steps = []
    for origin, lines in reversed(steps):
        here = []
        for line in reversed(lines):
            if _out(line) in used:
                used.update(_names(line))
                here.append(line)
        kept.append((origin, here[::-1]))
    return kept[::-1], used


def _out(line: Line) -> str:
    return line.outs[0] if isinstance(line, Call) else line.out


def _names(line: Line) -> Iterable[str]:
    match line:
        case Sum():
            return line.names
        case Call():
            return line.args
    return _named(line.node)


def _named(node: fm.Node) -> Iterator[str]:
    return (part.value for part in fm.walk(node) if part.op == "name")


def _text(dialect: Dialect, line: Line, names: Mapping[str, Text], x: str) -> Text:
    match line:
        case Sum():
            return sum_text(dialect, line, names, x)
        case Formula():
            return formula(dialect, line.node, names)
    per_unit = {key: dialect.infix.number(float(data[0])) for key, data in line.parameters.items()}
    return Text(call(dialect, line.activation, names[line.args[0]].text, per_unit))


def sum_text(dialect: Dialect, line: Sum, names: Mapping[str, Text], x: str) -> Text:
    """Write a weighted sum; a long one in groups, since compilers go down a sum by recursion."""
    if not line.names:
        text = dialect.infix.number(0.0 if line.offset is None else float(line.offset[0]))
        strength = dialect.infix.sign if text.startswith("-") else ATOM
        return Text(dialect.constant.format(text, x), ATOM) if dialect.constant else Text(text, strength)
    coefficients = dialect.coefficients(line.coefficients)
    terms = [f"{c}*{names[name].within(PRODUCT)}" for c, name in zip(coefficients, line.names, strict=True)]
    if line.offset is not None:
        terms += dialect.coefficients(line.offset)
    strength = SUM if len(terms) > 1 else PRODUCT
    return Text(_total(terms), min(strength, dialect.infix.sign) if terms[0].startswith("-") else strength)


def _total(terms: Sequence[str]) -> str:
    if len(terms) <= LONGEST_SUM:
        return terms[0] + "".join(f" - {t[1:]}" if t[0] == "-" else f" + {t}" for t in terms[1:])
    groups = (terms[k : k + LONGEST_SUM] for k in range(0, len(terms), LONGEST_SUM))
    return _total([f"({_total(group)})" for group in groups])
