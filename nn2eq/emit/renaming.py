"""Names of a user's in languages that know letters, digits and underscores alone: each is written as near as can be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from itertools import chain, count
from typing import Any

from nn2eq.emit.header import escaped
from nn2eq.emit.names import is_identifier
from nn2eq.forms.program import Affine, Combine, Function, Program, Step, Value

LONGEST = 40
"""Characters that are kept of a name that is not taken as it is."""


def renamed(function: Function, named: Mapping[Value, Value]) -> Function:
    """Return the function with other values in the place of some."""

    def step(of: Step) -> Step:
        values = ((field.name, getattr(of, field.name)) for field in fields(of))
        changed: dict[str, Any] = {k: named.get(v, v) for k, v in values if isinstance(v, Value)}
        if isinstance(of, Affine):
            terms = tuple(replace(term, arg=named.get(term.arg, term.arg)) for term in of.terms)
            return replace(of, terms=terms, **changed)
        if isinstance(of, Combine):
            args = {
                key: replace(arg, of=named.get(arg.of, arg.of)) if isinstance(arg.of, Value) else arg
                for key, arg in of.args.items()
            }
            return replace(of, args=args, **changed)
        return replace(of, **changed)

    return replace(
        function,
        arguments=tuple(named.get(value, value) for value in function.arguments),
        results=tuple(named.get(value, value) for value in function.results),
        steps=tuple(map(step, function.steps)),
    )


def in_plain_letters(
    program: Program, is_free: Callable[[str], bool], *, caseless: bool = False
) -> tuple[Program, Mapping[str, str]]:
    """Return the program with inputs and outputs that are identifiers and mean nothing else, and what they stand for.

    is_free: whether an identifier means nothing else in the text. Names that stand twice stay, to be refused.
    """
    (x,), y = program.predict.arguments, program.predict.results[0]
    users = (*x.parts, *y.parts)
    if len(set(users)) < len(users):
        return program, {}
    key = str.lower if caseless else str
    taken: dict[str, str] = {}
    for name in users:
        if is_identifier(name) and is_free(name) and key(name) not in taken:
            taken[key(name)] = name
    kept, found = set(taken.values()), dict[str, str]()
    for name, standing in zip(users, (*_standing("x", x), *_standing("y", y)), strict=True):
        if name not in kept:
            stem = _stem(name, standing)
            tried = chain((stem, f"{stem}_"), (f"{stem}_{number}" for number in count(2)))
            found[name] = next(one for one in tried if is_free(one) and key(one) not in taken)
            taken[key(found[name])] = name
    named = {value: replace(value, parts=tuple(found.get(p, p) for p in value.parts)) for value in (x, y)}
    functions = (
        tuple(renamed(function, named) for function in program.functions) if found else program.functions
    )
    return replace(program, functions=functions), {new: old for old, new in found.items()}


def _standing(letter: str, value: Value) -> list[str]:
    return [f"{letter}{number}" for number in range(1, value.size + 1)] if value.size > 1 else [letter]


def _stem(name: str, standing: str) -> str:
    """Return what can be kept of a name: its letters without accents, its digits; else the standing name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[:LONGEST]
    return kept if kept[:1].isalpha() else f"{standing}_{kept}".rstrip("_")


def explained(meant: Mapping[str, str], comment: str) -> str:
    """Return comments that say what names stand for."""
    return "".join(f"{comment} {new} stands for '{escaped(old)}'\n" for new, old in meant.items())
