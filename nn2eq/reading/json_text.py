"""Strict JSON from a stranger: bounded before it is parsed, and every value of a type that was asked for."""

from __future__ import annotations

import codecs
import json
import math
import re
from typing import Any

from nn2eq.errors import DamagedFile
from nn2eq.reading.limits import CONFIG_LIMIT

DEPTH_LIMIT = 100
"""How deep brackets may nest: a model in a model takes four levels."""

ITEMS_LIMIT = 200_000
"""How many objects and lists there may be; a Dense layer takes about five."""

VALUES_LIMIT = 10 * ITEMS_LIMIT
"""How many values there may be in them."""

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKET = re.compile(r"[^\[\]{}]+")


def parse(data: bytes, where: str, *, limit: int = CONFIG_LIMIT) -> Any:
    """Parse JSON in UTF-8; WHERE names it in errors. No NaN, no key twice, no number beyond float64."""
    if len(data) > limit:
        raise DamagedFile(
            f"{where} is too large: {len(data):,} bytes, the limit is {limit:,}", code="too-large"
        )
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise DamagedFile(f"{where} is not UTF-8", code="json", where=f"byte {error.start}") from None
    _check_nesting(text, where)
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_fraction,
        )
    except RecursionError:
        raise DamagedFile(f"{where} is nested too deep", code="json") from None
    except ValueError as error:
        raise DamagedFile(f"{where} is not valid JSON", code="json", where=str(error)) from None


def _check_nesting(text: str, where: str) -> None:
    """Count brackets outside strings, before anything is built from them."""
    outside = _STRING.sub("", text)
    brackets = _NOT_BRACKET.sub("", outside)
    if len(brackets) > 2 * ITEMS_LIMIT or outside.count(",") > VALUES_LIMIT:
        raise DamagedFile(
            f"{where} is too large: more than {ITEMS_LIMIT:,} objects or {VALUES_LIMIT:,} values",
            code="too-large",
        )
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in "[{" else -1
        if depth > DEPTH_LIMIT:
            raise DamagedFile(f"{where} is nested deeper than {DEPTH_LIMIT} levels", code="json")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"duplicate key {key[:40]!r}")
        found[key] = value
    return found


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON number")


def _integer(text: str) -> int:
    if len(text) > 20:
        raise ValueError(f"an integer of {len(text)} digits")
    return int(text)


def _fraction(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is beyond float64")
    return value
