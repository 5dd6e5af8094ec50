"""A whole text in a programming language: its numbers, its functions, and the one that answers."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from nn2eq.emit import Emitter
from nn2eq.emit.cases import has_cases
from nn2eq.emit.code import scalars
from nn2eq.emit.code.dialect import Body, Dialect, Lines, Several
from nn2eq.emit.code.routines import definitions, spelled
from nn2eq.emit.names import called, fresh, require
from nn2eq.emit.options import Options
from nn2eq.emit.pythonic import applied, own_names
from nn2eq.emit.renaming import explained, in_plain_letters
from nn2eq.errors import CannotEmit, TooLarge
from nn2eq.forms.program import Apply, Cases, Combine, Constant, Function, Polynomial, Program, Step
from nn2eq.forms.size import numbers

WIDTH = 110
"""Characters that a line may have before it is broken."""
_BREAK = re.compile(r"(?<=[-+*/,=?:]) ")
"""Where a line may be broken: behind an operator, so that no language takes the first half for a whole statement."""
_QUOTES = re.compile('["`]')
_LONGEST_NAME = 63
TOGETHER = 8
"""Names that are declared on one line."""
_SHARED = re.compile(r"[a-zA-Z]+\d+__[\d_]+|(sum|largest)\d+(_\d+)*")
"""What `nn2eq.emit.scalars` calls the reductions of a coupled row, and what leads to polynomials and cases."""


def emitter_of(dialect: Dialect, chosen: Callable[[Options], Dialect] | None = None) -> Emitter:
    """Return a programming language's emitter; chosen: its dialect, where that follows from the options."""

    def written(program: Program, options: Options) -> str:
        return write(chosen(options) if chosen else dialect, program, options)

    return Emitter(
        name=dialect.name, suffix=dialect.suffix, comment=dialect.comment, layouts=("nested", "layered", "matrix"),
        default="matrix", write=written, spelling=spelled, options=frozenset({"name", "activations", "digits"}),
        external=True, derivatives=("matrix", "layered"), merged=dialect.merged,
    )  # fmt: skip


def write(dialect: Dialect, program: Program, options: Options) -> str:
    """Write a Program in a language."""
    program = _laid_out(dialect, program.merged() if dialect.merged else program)
    program, meant = identifiers(dialect, _prefixed(program, dialect.prefix), options)
    fields = fields_of(program, options)
    require_names(dialect, program, fields)
    _require_short(dialect, program, options)
    routines, answering = [], []
    for function in program.functions:
        alone = program.alone(function)
        own = fields_of(alone, options)
        body = _body(dialect, alone, options, own)
        answering.append(_predict(dialect, alone, body, own))
        routines += [routine for routine in body.routines if routine not in routines]
    openings = (str(lines[1]).removesuffix(" {") for lines in answering[1:])
    fields |= {"further": "".join(map(dialect.further.format, openings))}
    calling = "\n".join(line for part in (*routines, *answering) for line in flat(part, dialect))
    others = (*definitions(dialect, program, spelled(options), calling), *routines)
    parts = (*answering, *others) if dialect.leading else (*others, *answering)
    tables = dialect.layers.tables(program) if program.layout == "matrix" else []
    numbers, *functions = ("\n".join(flat(part, dialect, dialect.inside)) for part in (tables, *parts))
    inside = "\n\n".join(part for part in (numbers, dialect.between, *functions) if part)
    imported = dialect.imported[1] if dialect.imported and dialect.imported[0] in inside else ""
    before = explained(meant, dialect.comment) + dialect.before.format(imported=imported, **fields)
    return f"{before}{inside}\n{dialect.after.format(**fields)}"


def _laid_out(dialect: Dialect, program: Program) -> Program:
    """Return the program with its cases number by number, where the language does not look them up in tables."""
    by_numbers = has_cases(program) and not dialect.layers.looks_up
    return replace(program, layout="layered") if by_numbers else program


def _prefixed(program: Program, prefix: str) -> Program:
    """Return the program with its tables of numbers called otherwise."""
    if not prefix:
        return program

    def called(constant: Constant) -> Constant:
        return replace(constant, name=prefix + constant.name)

    def step(of: Step) -> Step:
        if isinstance(of, Apply):
            return replace(of, parameters={key: called(constant) for key, constant in of.parameters.items()})
        if isinstance(of, Polynomial):
            return of  # written number by number, without tables
        if isinstance(of, Combine):
            args = {
                key: replace(arg, of=called(arg.of)) if isinstance(arg.of, Constant) else arg
                for key, arg in of.args.items()
            }
            return replace(of, args=args)
        if isinstance(of, Cases):
            normals, bounds, matrices, offsets = map(called, (of.normals, of.bounds, of.matrices, of.offsets))
            return replace(of, normals=normals, bounds=bounds, matrices=matrices, offsets=offsets)
        terms = tuple(replace(term, matrix=called(term.matrix)) for term in of.terms)
        return replace(of, terms=terms, offset=of.offset and called(of.offset))

    functions = (replace(function, steps=tuple(map(step, function.steps))) for function in program.functions)
    return replace(program, functions=tuple(functions))


def _require_short(dialect: Dialect, program: Program, options: Options) -> None:
    """Raise TooLarge if a function of scalars would hold more numbers than compilers take."""
    size = numbers(program, spelled(options)) if dialect.most and program.layout != "matrix" else 0
    if size > dialect.most:
        what = f"the {program.form} form would hold {size:,} numbers"
        what += f", and a function in {dialect.name} takes {dialect.most:,}"
        raise TooLarge(
            what,
            code="too-large",
            way_out="use --form matrix" if len(program.functions) == 1 else "use another --format",
        )


def fields_of(program: Program, options: Options) -> dict[str, str]:
    """Return what the templates of a language may mention of a program's first function, and {others}, the rest."""
    function = program.predict
    inputs, outputs = program.inputs, program.outputs
    name = called(function, options)
    x, y = _parameters(program)
    return {
        "name": name, "Name": options.name[:1].upper() + options.name[1:], "NAME": name.upper(), "x": x, "y": y,
        "inputs": str(len(inputs)), "outputs": str(len(outputs)),
        "given": _listed(inputs), "answers": _listed(outputs),
        "results": ", ".join([y, *(result.name for result in function.results[1:])]),
        "names": ", ".join(called(one, options) for one in program.functions),
    }  # fmt: skip


def _parameters(program: Program) -> tuple[str, str]:
    """Return what the arrays of inputs and of outputs are called: x and y, unless a user means something else by it."""
    users = {*program.inputs, *program.outputs} if program.layout != "matrix" else set()
    free = (
        users
        - ({"x"} if program.inputs == ("x",) else set())
        - ({"y"} if program.predict.results[0].parts == ("y",) else set())
    )
    function = program.predict
    y = function.results[0].name
    return fresh("x", free), fresh(y[0] if y == function.name else y, free)


def _listed(names: Sequence[str]) -> str:
    """Return names for a comment, of many only some."""
    return ", ".join(names if len(names) <= 6 else (names[0], names[1], "...", names[-1]))


def identifiers(dialect: Dialect, program: Program, options: Options) -> tuple[Program, Mapping[str, str]]:
    """Return the program with names that the language takes, and what those stand for that were others."""
    reserved = _reserved(dialect, program) | {called(one, options) for one in program.functions}
    if dialect.caseless:
        reserved = {name.lower() for name in reserved}

    def is_free(name: str) -> bool:
        plain = name.lower() if dialect.caseless else name
        is_own = plain in reserved or _SHARED.fullmatch(name)
        return not (is_own or name.startswith("_") or len(name) > _LONGEST_NAME)

    return in_plain_letters(program, is_free, caseless=dialect.caseless)


def _reserved(dialect: Dialect, program: Program) -> set[str]:
    """Return the words of the language, and the names that the text itself needs."""
    helpers = {helper.name for helper in dialect.helpers.values()}
    return {*dialect.reserved, *own_names(program), *helpers, *map(dialect.called, applied(program).values())}


def require_names(dialect: Dialect, program: Program, fields: dict[str, str]) -> None:
    """Refuse names that the language or the text itself needs. Raises CannotEmit."""
    users = [fields["name"], *program.inputs, *program.outputs]
    own = {name for name in users if _SHARED.fullmatch(name)} | ({"x", "y"} & {fields["name"]})
    reserved = frozenset(_reserved(dialect, program) | own)
    if dialect.caseless:
        users, reserved = [name.lower() for name in users], frozenset(name.lower() for name in reserved)
    require(users, dialect.name, reserved)
    named = [fields["Name"]] if "{Name}" in dialect.before else []
    require([*users[:1], *named], dialect.name, reserved | dialect.standing)
    for name in users:
        if name.startswith("_") or len(name) > _LONGEST_NAME:
            what = f"{name!a:.80} cannot be a name in {dialect.name}"
            raise CannotEmit(
                what, code="bad-name", way_out="choose others with --inputs, --outputs or --name"
            )


def _body(dialect: Dialect, program: Program, options: Options, fields: Mapping[str, str]) -> Body:
    """Write what computes the answer."""
    if program.layout == "matrix":
        called = {} if dialect.returned else _arrays(program.predict, fields["y"])
        return dialect.layers.body(dialect, program, spelled(options), called)
    taking = _taking(dialect, program.predict, "" if dialect.returned else fields["y"])
    return scalars.body(dialect, program, spelled(options), fields["x"], taking)


def _arrays(function: Function, y: str) -> dict[str, str]:
    """Return what the caller's arrays are called that take a function's results."""
    first, *others = (result.name for result in function.results)
    return {first: y} | {name: name for name in others}


def _taking(dialect: Dialect, function: Function, y: str) -> dict[str, str]:
    """Return the places of a function's results in the arrays of the caller's that take them."""
    if len(function.results) == 1:
        return {part: dialect.at(y, k) for k, part in enumerate(function.results[0].parts) if y}
    several = _several(dialect)
    found: dict[str, str] = {}
    for result, shape in zip(function.results, function.shapes, strict=True):
        name = y if result == function.results[0] else result.name
        for part, place in zip(result.parts, np.ndindex(shape), strict=True):
            axes = ", ".join(str(k + dialect.first) for k in place)
            flat = str(np.ravel_multi_index(place, shape) + dialect.first)
            if several.place:
                found[part] = several.place.format(name, axes, flat)
    return found


def _several(dialect: Dialect) -> Several:
    assert dialect.several is not None, f"{dialect.name} writes no derivatives"
    return dialect.several


def _predict(dialect: Dialect, program: Program, body: Body, fields: Mapping[str, str]) -> Lines:
    """Write the function that answers around what computes the answer."""
    if len(program.predict.results) > 1:
        return _gives_several(dialect, program, body, fields)
    whole = program.layout == "matrix"
    answers = program.predict.results[0].name if whole else ", ".join(program.outputs)
    returned = (dialect.layers.returned if whole else dialect.returned).format(answers, **fields)
    opening, *first = (line.format(**fields) for line in dialect.predict)
    said = f"{dialect.comment} {dialect.said.format(**fields)}"
    inner: Lines = [
        *first,
        *_first(dialect, body, fields["x"]),
        *body.lines,
        *([returned] if returned else []),
    ]
    return [said, opening, inner, dialect.end.replace("{name}", fields["name"])]


def _gives_several(dialect: Dialect, program: Program, body: Body, fields: Mapping[str, str]) -> Lines:
    """Write a function that gives the answer and its derivatives."""
    several, function = _several(dialect), program.predict
    results = list(zip(function.results, function.shapes, strict=True))
    stated = [
        several.result.format(result.name, result.size, ", ".join(map(str, shape)))
        for result, shape in results
    ]
    groups = [
        several.whole(result.name, shape)
        if program.layout == "matrix"
        else several.group(result.name, shape, result.parts, fields["x"])
        for result, shape in results
    ]
    ends = groups if several.statements else [several.returned.format(", ".join(groups))]
    opening, *first = (
        line.format(**{**fields, "stated": ", ".join(stated)}) for line in several.opening or dialect.predict
    )
    first += [several.declared.format(text) for text in stated if several.declared]
    takes = [f"{result.name} takes {' x '.join(map(str, shape))}" for result, shape in results]
    said = f"{dialect.comment} {several.said.format(takes=', '.join(takes), **fields)}"
    inner: Lines = [*first, *_first(dialect, body, fields["x"]), *body.lines, *filter(None, ends)]
    return [said, opening, inner, several.end or dialect.end.replace("{name}", fields["name"])]


def _first(dialect: Dialect, body: Body, x: str) -> Lines:
    """Declare names, some on a line, and say of x that it is not used where the answer is the same everywhere."""
    names = body.names
    some = (names[k : k + TOGETHER] for k in range(0, len(names), TOGETHER)) if dialect.declared else ()
    declared: Lines = [dialect.declared.format(", ".join(part)) for part in some]
    if dialect.unused and not any(re.search(rf"\b{x}\b", line) for line in flat(body.lines, dialect)):
        declared.append(dialect.unused.format(x))
    return declared


def flat(lines: Lines, dialect: Dialect, depth: int = 0) -> Iterator[str]:
    """Yield lines as they stand in the text: indented, and broken where they are long."""
    for line in lines:
        if isinstance(line, list):
            yield from flat(line, dialect, depth + 1)
        else:
            yield from _broken(line, dialect, dialect.indent * depth)


def _broken(line: str, dialect: Dialect, indent: str) -> Iterator[str]:
    """Yield the parts of a line; a comment, what holds a quotation, and what is broken already stays as it is."""
    if len(line) <= WIDTH or line.startswith(dialect.comment) or "\n" in line or _QUOTES.search(line):
        yield indent + line if line else ""
        return
    if dialect.longest and len(line) > dialect.longest:
        what = f"a formula would have {len(line):,} characters, and {dialect.name} takes {dialect.longest:,}"
        raise TooLarge(what, code="too-large", way_out="use --form layered or matrix")
    *cases, last = line.split(dialect.joint) if dialect.joint else [line]
    for case in cases:
        yield from _pieces(case + dialect.joint.rstrip(), dialect, indent)
        indent += dialect.indent * (case is cases[0])
    yield from _pieces(last, dialect, indent)


def _pieces(line: str, dialect: Dialect, indent: str) -> Iterator[str]:
    """Break a line where it stands least deep in brackets, in the last such place of the second half."""
    ends, depths = _places(line)
    start, room = 0, WIDTH - len(indent)
    while len(line) - start > room:
        half, full = bisect_right(ends, start + room // 2), bisect_right(ends, start + room)
        places = range(half, full) or range(full, min(full + 1, len(ends)))
        end = ends[min(reversed(places), key=depths.__getitem__)] if places else len(line)
        yield indent + line[start:end].rstrip() + (dialect.continuation if end < len(line) else "")
        if start == 0:
            indent, room = indent + dialect.indent, room - len(dialect.indent)
        start = end
    if start < len(line):
        yield indent + line[start:]


def _places(line: str) -> tuple[list[int], list[int]]:
    """Return where a line may be broken, and how many brackets are open there."""
    ends, depths, start, depth = [], [], 0, 0
    for match in _BREAK.finditer(line):
        between = line[start : match.end()]
        start = match.end()
        depth += sum(map(between.count, "([{")) - sum(map(between.count, ")]}"))
        ends.append(start)
        depths.append(depth)
    return ends, depths
