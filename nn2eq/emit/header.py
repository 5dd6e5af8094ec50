"""The header of an emitted text: which model it came from, what it is, how it was checked. Written and read.

    # nn2eq 0.1.0: the network of 'model.keras' as numpy, matrix form
    # function: predict
    # sha256 of the model: 9c1e...
    # check: text and network agree: run as numpy on 600 samples, worst error 3.1e-16 (allowed 1.0e-12)

In JSON, which has no comments, the same lines are the first member, "header".
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from nn2eq.emit import emitter


@dataclass(frozen=True)
class Header:
    """What a text says about itself.

    model: the file's name, and sha256 of its bytes. language, form: names of the tables. name: of the function.
    around: what stands around the file's network, scalers and the like, by names and texts. fold: whether affine
    maps were joined. digits: significant digits of its numbers, 0 if they are exact. dtype: in which it computes.
    linear: whether activations were taken away. Of an approximate text: told, what its form was told, as the
    command line spells it; domain, a box, (low, high) for each input; tolerance, how far from the network it may be
    there, proved, how far at most it is, and observed, how far it was seen to be, None where nothing is said.
    checks: a line for each check that ran. notes: further lines for people. version: of nn2eq, this one's if empty.
    """

    model: str = ""
    sha256: str = ""
    language: str = ""
    form: str = ""
    name: str = ""
    around: tuple[tuple[str, str], ...] = ()
    fold: bool = True
    digits: int = 0
    dtype: str = "float64"
    linear: bool = False
    told: tuple[tuple[str, str], ...] = ()
    domain: tuple[tuple[float, float], ...] = ()
    tolerance: float | None = None
    proved: float | None = None
    observed: float | None = None
    checks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    version: str = ""


_DTYPES = ("float64", "float32")
_SINGLE: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "function": ("name", str),
    "sha256 of the model": ("sha256", str),
    "around the network": ("around", lambda text: tuple(map(_pair, text.split("; ")))),
    "folded": ("fold", lambda text: text != "no"),
    "digits": ("digits", int),
    "dtype": ("dtype", lambda text: _DTYPES[_DTYPES.index(text)]),
    "activations taken away": ("linear", lambda text: text == "yes"),
    "told": ("told", lambda text: tuple(map(_pair, text.split("; ")))),
    "domain": ("domain", lambda text: tuple(map(_interval, text.split(", ")))),
    "tolerance": ("tolerance", float),
    "proved error": ("proved", float),
    "observed error": ("observed", float),
}
"""The lines that stand once: what they are called, the field they tell, and how it is read."""
_REPEATED: Mapping[str, str] = {"check": "checks", "note": "notes"}
"""The lines that may stand several times."""
_FIRST = re.compile(r"nn2eq (\S+): the network of '([^']*)' as (\S*), (\S*) form")
_PREFIX = re.compile(r"\s*([^\s\w]{1,4}) nn2eq ")
_ENDS = {"<!--": " -->"}
"""What a comment line ends with, by what it starts with."""
_READ = 40
"""How many lines of a text are looked through for a header."""


def with_header(text: str, header: Header) -> str:
    """Return the text with the header in front, as comments of its language."""
    spoken = list(lines(header))
    chosen = emitter(header.language)
    if chosen.comment:
        end = f" {chosen.comment_end}" if chosen.comment_end else ""
        return "".join(f"{chosen.comment} {line}{end}\n" for line in spoken) + text
    rest = text.lstrip().removeprefix("{")
    assert rest != text.lstrip(), "a language without comments is JSON"
    comma = "" if rest.lstrip().startswith("}") else ","
    return '{\n"header": ' + json.dumps(spoken, indent=0) + comma + rest


def lines(header: Header) -> Iterator[str]:
    """Yield the lines of a header: printable ASCII, each one line whatever its fields hold."""
    version = header.version or _version()
    given = (os.path.basename(header.model), header.language, header.form)
    model, language, form = (escaped(text, _NAME) for text in given)
    yield f"nn2eq {version}: the network of '{model}' as {language}, {form} form"
    plain = Header()
    for key, (field, _) in _SINGLE.items():
        value = getattr(header, field)
        if value != getattr(plain, field):
            yield f"{key}: {_told(value)}"
    for key, field in _REPEATED.items():
        yield from (f"{key}: {escaped(line)}" for line in getattr(header, field))


def _told(value: str | bool | float | tuple[tuple[float, float], ...] | tuple[tuple[str, str], ...]) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, tuple):
        return escaped(value) if isinstance(value, str) else repr(value)
    if isinstance(value[0][0], str):
        return escaped("; ".join(f"{name}={text}" for name, text in value))
    return ", ".join(f"{low!r}:{high!r}" for low, high in value)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(text)
    return name, value


def _interval(text: str) -> tuple[float, float]:
    low, high = text.split(":")
    return float(low), float(high)


def _version() -> str:
    from nn2eq import __version__

    return __version__


def read_header(text: str) -> Header | None:
    """Return the header that a text begins with, None if there is none to be recognised."""
    found = _json_lines(text) if text.lstrip()[:1] == "{" else _comment_lines(text)
    first = _FIRST.fullmatch(found[0]) if found else None
    if first is None:
        return None
    version, model, language, form = (unescaped(group) for group in first.groups())
    return _with_lines(Header(model=model, language=language, form=form, version=version), found[1:])


def _comment_lines(text: str) -> Sequence[str]:
    """Return the lines of the comment in which a header stands, without the signs of the comment."""
    rows = text[: 1 << 20].splitlines()
    for start, row in enumerate(rows[:_READ]):
        if match := _PREFIX.match(row):
            prefix = f"{match[1]} "
            return [
                line.removeprefix(prefix).removesuffix(_ENDS.get(match[1], ""))
                for line in takewhile(_starting(prefix), map(str.lstrip, rows[start:]))
            ]
    return ()


def _starting(prefix: str) -> Callable[[str], bool]:
    return lambda line: line.startswith(prefix)


def _json_lines(text: str) -> Sequence[str]:
    opening = re.match(r'\s*\{\s*"header"\s*:\s*', text)
    if opening is None:
        return ()
    try:
        found, _ = json.JSONDecoder().raw_decode(text, opening.end())
    except (ValueError, RecursionError):
        return ()
    return found if isinstance(found, list) and all(isinstance(line, str) for line in found) else ()


def _with_lines(header: Header, rows: Sequence[str]) -> Header:
    """Fill in the fields; a line that is not understood was edited by hand, and says nothing."""
    found: dict[str, Any] = {}
    for row in rows:
        key, _, value = row.partition(": ")
        if key in _REPEATED:
            found[_REPEATED[key]] = (*found.get(_REPEATED[key], ()), unescaped(value))
        elif key in _SINGLE:
            field, read = _SINGLE[key]
            with suppress(ValueError):
                found[field] = read(unescaped(value))
    return replace(header, **found)


# ----------------------------------------------------------------------------------------------- the one gate

# In a file's name: nothing that ends a comment or a quotation, declares an encoding, or speaks to an editor.
_NAME = re.compile(r"[^A-Za-z0-9 ._+(),@-]|(?<=-)-|^ | $")
# Elsewhere: printable ASCII, without what ends a comment in some language or continues its line.
_LINE = re.compile(r"[^ -~]|\\|(?<=\*)/|(?<=/)\*|(?<=-)-|(?<=\?)\?|(?<=(?i:coding))[:=]|^ | $")
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\U([0-9a-f]{8})")


def escaped(text: str, unwanted: re.Pattern[str] = _LINE) -> str:
    """Return text as one line of printable ASCII that cannot end a comment; `unescaped` undoes it."""
    return unwanted.sub(lambda match: _escape(ord(match[0])), text)


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unescaped(text: str) -> str:
    """Return what `escaped` was given."""
    return _ESCAPED.sub(lambda match: chr(min(int(match[1] or match[2] or match[3], 16), 0x10FFFF)), text)
