r"""What a LaTeX text holds: equations, tables of numbers, and what its comment says of names and numbers.

Nothing is expanded and nothing is run. Mathematics is what stands in a display (`align`, `equation`, \[ \]
...), or the whole text if it has no display. A row of a display that has an equals sign outside all brackets
starts an equation, any other row continues the one before.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from nn2eq.errors import BadRequest
from nn2eq.proof.latex_symbols import DRESSED, GROUP, NUMERIC

DISPLAYS = "align|alignat|displaymath|eqnarray|equation|flalign|gather|math|multline"
CLEAR = frozenset(
    {
        "aligned",
        "alignedat",
        "gathered",
        "split",
        *DISPLAYS.split("|"),
        *(f"{name}*" for name in DISPLAYS.split("|")),
    }
)
"""Environments that only place what stands in them."""
DEEPEST = 400
"""Brackets within brackets that are followed: a nested text has two or three a layer."""

_COMMENT = re.compile(r"%[^\n]*")
_SAID = re.compile(r"^% *inputs: *(.*)$", re.MULTILINE)
_SINGLE = re.compile(r"^% *numbers: .*\bfloat32\b", re.MULTILINE)
_ROUNDED = re.compile(r"^% *numbers: .*\brounded to (\d+) significant digits", re.MULTILINE)
_FIRST = re.compile(r"^% *units: counted from 0", re.MULTILINE)
_ROWS = re.compile(r"^% *orientation: row vectors", re.MULTILINE)
_BATCH = re.compile(
    r"^% *batch: [^\n]*\n(?P<display>\\begin\{align\*\}.*?\\end\{align\*\})", re.MULTILINE | re.DOTALL
)
_COLOUR = re.compile(r"\\textcolor\s*\{[A-Za-z]+\}\s*\{")
_DISPLAY = re.compile(rf"\\begin\{{(?P<name>(?:{DISPLAYS})\*?)\}}(?:\{{\d+\}})?|(?<!\\)\\\[|\$\$")
_DISPLAY_ENDS = {r"\[": r"\]", "$$": "$$"}
_TABLE = re.compile(
    r"\\begin\{(?P<name>tabular|longtable)\}\s*\{[^}]*\}(?P<inside>.*?)\\end\{(?P=name)\}", re.DOTALL
)
_STRUCTURE = re.compile(
    rf"{DRESSED}\s*{GROUP}"
    rf"|\\begin\{{(?P<matrix>[bp]?matrix|array)\}}(?:\{{(?P<columns>[lcr]*)\}})?(?P<numbers>{NUMERIC})\\end\{{(?P=matrix)\}}"
    r"|\\\\(?:\[[^\]\n]*\])?|\\[{}%&#$_]|\\qquad(?![A-Za-z])|\\approx(?![A-Za-z])|[(){}\[\]=,]|&(?!\s*(?:\{\})?\s*=)"
    r"|\\begin\{(?P<begin>[a-z]+\*?)\}|\\end\{(?P<end>[a-z]+\*?)\}"
)
APPROXIMATELY = r"\approx"
_CLOSING = {"(": ")", "{": "}", "[": "]"}


class Mathematics(NamedTuple):
    r"""A stretch of text, comments blanked out, and where its brackets close.

    closes: for the place after an opening bracket, the place of the closing one; an environment's \begin
    likewise.
    """

    text: str
    closes: Mapping[int, int]

    def line(self, at: int) -> int:
        """Return the number of the line that a place is in, from 1."""
        return self.text.count("\n", 0, at) + 1

    def error(self, what: str, at: int) -> BadRequest:
        """Return the error that says what cannot be read, and in which line."""
        return BadRequest(what, code="latex", where=f"line {self.line(at)}")


class Equation(NamedTuple):
    """left = right: the left-hand side as text, the right-hand side as a stretch of the whole text.

    rounded: whether it is an approximately-equals sign.
    """

    left: str
    start: int
    end: int
    rounded: bool = False


class Table(NamedTuple):
    """Rows of cells, as text."""

    rows: tuple[tuple[str, ...], ...]
    at: int


class Text(NamedTuple):
    """A LaTeX text, taken apart. inputs, outputs: their symbols, () where no comment says them.

    single: whether plain decimals are float32. digits: to how many they were rounded, 0 if they are exact. first: the
    number of the first unit. row: whether vectors are rows. batch: whether samples are the rows of matrices, so that
    a transpose adds up over them.
    """

    mathematics: Mathematics
    equations: tuple[Equation, ...]
    tables: tuple[Table, ...]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    single: bool = False
    digits: int = 0
    first: int = 1
    row: bool = False
    batch: bool = False


def batch_in(text: str) -> str:
    """Return the display of a batch, whose symbols mean whole arrays, and which is read by itself; "" for none."""
    match = _BATCH.search(text)
    return match["display"] if match else ""


def taken_apart(text: str, *, batch: bool = False) -> Text:
    """Find the equations and tables of a text. Raises BadRequest where brackets do not match.

    batch: the samples are one below the other in the rows of matrices.
    """
    said = _SAID.search(text)
    inputs, outputs = _named(said[1]) if said else ((), ())
    read = _BATCH.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    bare = _uncoloured(_COMMENT.sub(_blanked, read))
    tables = tuple(_tables(bare))
    bare = _TABLE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), bare)
    closes: dict[int, int] = {}
    whole = Mathematics(bare, closes)
    equations: list[Equation] = []
    for start, end in [*_displays(whole)] or [(0, len(bare))]:
        equations += _equations(whole, closes, start, end)
    rounded = _ROUNDED.search(text)
    return Text(
        whole, tuple(equations), tables, inputs, outputs, bool(_SINGLE.search(text)),
        digits=int(rounded[1]) if rounded else 0, first=0 if _FIRST.search(text) else 1, row=bool(_ROWS.search(text)),
        batch=batch,
    )  # fmt: skip


def _uncoloured(text: str) -> str:
    r"""Blank \textcolor{...}{ and the brace that ends it: a colour says nothing. Raises BadRequest without its end."""
    chars = list(text)
    for match in _COLOUR.finditer(text):
        depth, at = 1, match.end()
        for sign in re.finditer(r"\\.|[{}]", text[at:], re.DOTALL):
            depth += {"{": 1, "}": -1}.get(sign[0], 0)
            if depth == 0:
                chars[at + sign.start()] = " "
                break
        else:
            raise Mathematics(text, {}).error("a colour that does not end", match.start())
        chars[match.start() : match.end()] = " " * len(match[0])
    return "".join(chars)


def _displays(whole: Mathematics) -> Iterator[tuple[int, int]]:
    """Yield where the inside of each display starts and ends."""
    at = 0
    while match := _DISPLAY.search(whole.text, at):
        closing = rf"\end{{{match['name']}}}" if match["name"] else _DISPLAY_ENDS[match[0]]
        end = whole.text.find(closing, match.end())
        if end < 0:
            raise whole.error(f"{match[0]} without {closing}", match.start())
        yield match.end(), end
        at = end + len(closing)


def _blanked(match: re.Match[str]) -> str:
    r"""Blank a comment out; a percent sign behind an odd number of backslashes starts none."""
    before = match.string[max(0, match.start() - 40) : match.start()]
    escaped = (len(before) - len(before.rstrip("\\"))) % 2
    return match[0] if escaped else " " * len(match[0])


def _named(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the symbols of "x_1, x_2; outputs: y"; there may be no inputs."""
    inputs, _, outputs = text.partition("; outputs:")
    return tuple(_split(inputs.removeprefix("; outputs:"), ",")), tuple(_split(outputs, ","))


def _split(text: str, sign: str) -> Iterator[str]:
    """Split at a sign wherever it stands outside braces."""
    depth, start = 0, 0
    for match in re.finditer(rf"\\.|[{{}}{sign}]", text + sign):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if match[0] == sign and depth == 0:
            if part := text[start : match.start()].strip():
                yield part
            start = match.end()


def _tables(text: str) -> Iterator[Table]:
    for match in _TABLE.finditer(text):
        inside = re.sub(r"\\(?:top|mid|bottom)rule|\\hline|\\endhead|\\endfoot|\$", "", match["inside"])
        rows = (
            tuple(cell.strip() for cell in row.split("&")) for row in re.split(r"\\\\(?:\[[^\]]*\])?", inside)
        )
        yield Table(tuple(row for row in rows if any(row)), match.start())


# -------------------------------------------------------------------------------------------------- structure


class _Rows(NamedTuple):
    """Where an equation may begin, behind a break, a comma, an & or a wide space; where equals signs are."""

    breaks: list[int]
    equals: list[int]


def _equations(whole: Mathematics, closes: dict[int, int], start: int, end: int) -> Iterator[Equation]:
    """Yield the equations between two places."""
    rows = _rows(whole, closes, start, end)
    begins = [start, *rows.breaks]
    heads = [(begins[bisect_right(begins, sign) - 1], sign) for sign in rows.equals]
    first = whole.text[start : heads[0][0] if heads else end]
    if not heads or _bare(first):
        raise whole.error("a formula that is not an equation: name = ... was expected", start)
    left, before = "", -1
    for (begin, sign), (after, another) in zip(heads, [*heads[1:], (end, end)], strict=True):
        own = _bare(whole.text[begin:sign]) if begin != before else ""
        left, before = own or left, begin  # without a left-hand side of its own it goes on: y = a = b
        stop = _stop(whole.text, sign + 1, another if after == begin else after)
        rounded = whole.text.startswith(APPROXIMATELY, sign)
        after_sign = sign + (len(APPROXIMATELY) if rounded else 1)
        yield Equation(left, after_sign, max(after_sign, stop), rounded)


_PLACING = (
    r"\\\\(?:\[[^\]\n]*\])?|&|(?<![A-Za-z])\{\}|\\q?quad\b|\\[,;:!]|\\text\{(?:where|with|and|for)\W*\}"
    r"|\\(?:begin|end)\{(?:aligned|gathered|split|alignedat)\}|\\(?:left|right|[bB]igg?[lrm]?)(?![A-Za-z])"
    r"|\\label\{[^}]*\}|\\(?:nonumber|notag)(?![A-Za-z])"
)
_BLANK = re.compile(rf"{_PLACING}|(?P<kept>{DRESSED}\s*{GROUP})|\s+(?![A-Za-z])|(?<![A-Za-z])\s+")
_BLANK_AT_END = re.compile(r"[\s&]+$")
_END = re.compile(
    r"(?:\\\\(?:\[[^\]\n]*\])?|&|\s|[.,;]|\\(?:nonumber|notag)(?![A-Za-z])|\\label\{[^}]*\}|\\q?quad)+$"
)


_MATRIX = re.compile(r"(\\left\[\\begin\{array\}|\\begin\{bmatrix\})")


def _stop(text: str, start: int, end: int) -> int:
    """Return where a right-hand side ends, without the punctuation and the breaks behind it."""
    tail = max(start, end - 200)
    return tail + len(_END.sub("", text[tail:end]))


def _bare(left: str) -> str:
    """Return a left-hand side without what only places it; line breaks inside a stack of symbols stay."""
    before, environment, inside = _MATRIX.split(left, 1) if _MATRIX.search(left) else (left, "", "")
    bare = _BLANK.sub(lambda match: match["kept"] or "", before)
    return bare.strip() + environment + _BLANK_AT_END.sub("", inside)


def _rows(whole: Mathematics, closes: dict[int, int], start: int, end: int) -> _Rows:
    """Match the brackets between two places; note line breaks and equals signs outside all of them."""
    rows = _Rows([], [])
    open_: list[tuple[str, int]] = []
    for match in _STRUCTURE.finditer(whole.text, start, end):
        sign, begin, finish = match[0], match["begin"], match["end"]
        if match["matrix"]:
            closes[match.end("matrix") + 1] = match.end("numbers")
            if match["columns"] is not None:
                closes[match.start("columns")] = match.end("columns")
        elif sign in _CLOSING:
            open_.append((_CLOSING[sign], match.end()))
        elif sign in ")]}":
            if not open_ or open_[-1][0] != sign:
                raise whole.error(f"a {sign!r} that closes nothing", match.start())
            closes[open_.pop()[1]] = match.start()
        elif begin and begin not in CLEAR:
            open_.append((begin, match.end()))
        elif finish and finish not in CLEAR:
            if not open_ or open_[-1][0] != finish:
                raise whole.error(f"\\end{{{finish}}} without its \\begin", match.start())
            closes[open_.pop()[1]] = match.start()
        elif not open_ and sign in ("=", APPROXIMATELY):
            rows.equals.append(match.start())
        elif not open_ and (sign in (",", "&", r"\qquad") or sign.startswith("\\\\")):
            rows.breaks.append(match.end())
        if len(open_) > DEEPEST:
            raise whole.error(f"more than {DEEPEST} brackets within brackets", match.start())
    if open_:
        raise whole.error(f"something is not closed: {open_[-1][0]!r} was expected", open_[-1][1])
    return rows
