"""Plain characters, for a terminal or a mail: z₁,₂ = −0.5·x₁ + σ(y)², matrices drawn in brackets."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile

from nn2eq.emit.typeset.tree import ACCENTS, BOLD, Line, Node, document, texts, walk
from nn2eq.errors import CannotEmit

BELOW = dict(zip("0123456789,+-−()=ijkn", "₀₁₂₃₄₅₆₇₈₉,₊₋₋₍₎₌ᵢⱼₖₙ", strict=True))
ABOVE = dict(zip("0123456789+-−()nT⊤′", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ⁿᵀᵀ′", strict=True))
PARTIAL = "∂"
SPACED = frozenset("+−·×=≤≥<>⊙⊗→←⇔≈")
WIDTH = 80
"""Characters that a line of a terminal has."""
WHOLE = "√/^_"
"""Signs before brackets within which no line is broken: of roots, fractions, indices."""
FEWEST = 40
"""Characters that stand in a line before it is broken, if the rest allows it."""


def displays(latex: str) -> Iterator[str]:
    """Yield LaTeX's displays. Raises CannotEmit where a user's name looks like a symbol of its own."""
    found = document(latex).displays
    _require_distinct(
        [node for lines in found for line in lines for cell in line.cells for node in walk(cell)]
    )
    return map(display, found)


def _require_distinct(nodes: Sequence[Node]) -> None:
    """An upright x and an italic one are one character."""
    alike = {node.text for node in nodes if node.kind == "name"} & {
        node.text for node in nodes if node.kind == "letter"
    }
    if alike:
        what = f"in plain characters the name {min(alike)!r:.40} is also a symbol's"
        raise CannotEmit(what, code="name-clash", way_out="choose others with --inputs, --outputs")


def display(lines: Sequence[Line]) -> str:
    """Return a display, its lines aligned at their relations, matrices drawn over several lines."""
    drawn = [_drawn(line) for line in lines]
    written = [
        [_cell(cell) for cell in (line.cells if not matrix else line.cells[:1])]
        for line, matrix in zip(lines, drawn, strict=True)
    ]
    widest = max(
        (
            len(cells[0])
            for line, cells in zip(lines, written, strict=True)
            if len(line.cells) > 1 and len(cells[0]) <= WIDTH // 4
        ),
        default=0,
    )
    found = []
    for line, cells, matrix in zip(lines, written, drawn, strict=True):
        found.append(matrix or f"{cells[0].rjust(widest)} {' '.join(cells[1:])}".rstrip())
        if line.apart:
            found.append("")
    return "\n".join(_filled(found))


def _filled(lines: Sequence[str]) -> Iterator[str]:
    """Break lines that are wider than a terminal at their signs; what is left goes to the next, if it goes on."""
    waiting = deque(part for line in lines for part in _chained(line))
    while waiting:
        line = waiting.popleft()
        place = _breaking(line) if len(line) > WIDTH and "\n" not in line else 0
        yield line[:place] if place else line
        if not place:
            continue
        rest, following = line[place + 1 :], waiting[0] if waiting else ""
        own, goes_on = _margin(line), following.lstrip()[:2] in ("+ ", "− ")
        if goes_on and (_margin(following) == own or " = " in line):
            waiting[0] = f"{' ' * _margin(following)}{rest} {following.lstrip()}"
        else:
            waiting.appendleft(" " * (own if line.lstrip()[:2] in ("+ ", "− ") else own + 4) + rest)


def _chained(line: str) -> list[str]:
    """Put what is said a second time, a = b ≈ c, on lines of their own where it does not fit on one."""
    depth, relations = 0, list[int]()
    for place, char in enumerate(line):
        depth += (char in "({[") - (char in ")}]")
        if depth == 0 and line[place : place + 3] in (" = ", " ≈ "):
            relations.append(place)
    if len(line) <= WIDTH or "\n" in line or len(relations) < 2:
        return [line]
    ends = [*relations[1:], len(line)]
    first, *others = (line[start:end] for start, end in zip([0, *relations[1:]], ends, strict=True))
    return [first, *(" " * relations[0] + other for other in others)]


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _breaking(line: str) -> int:
    """Return before which sign a line is best broken, the last in the fewest brackets; 0 for nowhere."""
    whole, bars = [False], False
    found: list[tuple[bool, int, int]] = []
    for place, char in enumerate(line):
        if place > WIDTH and found:
            break
        if char in "({":
            whole.append(whole[-1] or char == "{" or line[place - 1] in WHOLE)
        elif char in ")}" and whole[1:]:
            whole.pop()
        bars ^= char == "|"
        is_sign = line[place : place + 3] in (" + ", " − ") and place > _margin(line) + 4
        if is_sign and not (whole[-1] or bars):
            found.append((place >= FEWEST, -len(whole), place))
    return max(found)[2] if found else 0


def _cell(node: Node) -> str:
    """Write a cell; one that goes on from the line before is indented, its sign that of a sum."""
    text = write(node).strip()
    nodes = node.args if node.kind == "row" else (node,)
    if not nodes or nodes[0].kind != "space":
        return text
    indent = "  " * sum(1 for _ in takewhile(lambda part: part.kind == "space", nodes))
    return indent + (f"{text[0]} {text[1:].lstrip()}" if text[:1] in "+−" else text)


def _drawn(line: Line) -> str:
    """Return `W₁ =` and a matrix or cases below it, "" if the line is no such equation."""
    nodes = [node for cell in line.cells for node in (cell.args if cell.kind == "row" else (cell,))]
    if len(nodes) < 2 or nodes[-1].kind not in ("numbers", "cases") or nodes[-2].text != "=":
        return ""
    rows = _columns(nodes[-1])
    head = _side_by_side(nodes[:-1]).strip()
    if nodes[-1].kind == "cases":
        braces = ("⎧", *("⎨" if k == len(rows) // 2 else "⎪" for k in range(1, len(rows) - 1)), "⎩")
        return "\n".join([head, *(f"  {brace} {row}" for brace, row in zip(braces, rows, strict=True))])
    sides = [("⎡", "⎤"), *[("⎢", "⎥")] * (len(rows) - 2), ("⎣", "⎦")] if len(rows) > 1 else [("[", "]")]
    return "\n".join(
        [head, *(f"  {left} {row} {right}" for (left, right), row in zip(sides, rows, strict=True))]
    )


def _columns(node: Node) -> list[str]:
    """Return the rows of a matrix or of cases, their entries one below the other."""
    entries = list(texts(node.entries or node.rows, write))
    widths = [max(map(len, column)) for column in zip(*entries, strict=True)]
    place = str.rjust if node.entries else str.ljust
    return ["  ".join(map(place, row, widths)).rstrip() for row in entries]


def write(node: Node) -> str:
    """Write a node."""
    return _WRITE[node.kind](node)


def _side_by_side(nodes: Sequence[Node]) -> str:
    """Write factors with a dot where letters or digits would run together, and signs with room around them."""
    found = ""
    nodes = [node for node in nodes if (node.kind, node.text) != ("space", "thin")]
    for place, node in enumerate(nodes):
        text = write(node)
        before = nodes[place - 1] if place else None
        if node.kind == "sign" and node.text in SPACED:
            unary = (
                not found.strip()
                or found.rstrip()[-1:] in "([,=<>≤≥{;≈⇔→←"
                or (before and before.kind == "words")
            )
            found += text if unary and node.text in "+−" else f" {text} "
        elif before is not None and _runs_on(before, node):
            found += f"·{text}"
        else:
            found += text
    return found.replace("  ", " ")


def _runs_on(before: Node, node: Node) -> bool:
    """Whether two factors stand side by side, which is a product."""
    ends = (
        before.kind not in ("sign", "words", "space", "open")
        and before.text != PARTIAL
        and not _is_function(before)
        and not _is_large(before)
    )
    ends = ends or (before.kind == "sign" and before.text in ")]")
    first = _leading(node)
    begins = first.kind not in ("sign", "words", "space", "close") or first.text in ("(", "[")
    return ends and begins and node.kind != "row"


def _leading(node: Node) -> Node:
    """Return what stands first in a node with indices: of (x - 1)² the power stands at the bracket."""
    return _leading(node.args[0]) if node.kind in ("sub", "sup") else node


def _is_large(node: Node) -> bool:
    return node.kind in ("large", "under") or (node.kind in ("sub", "sup") and _is_large(node.args[0]))


def _is_function(node: Node) -> bool:
    return node.kind == "function" or (node.kind in ("sub", "sup", "under") and _is_function(node.args[0]))


def _raised(table: Mapping[str, str], sign: str) -> Callable[[Node], str]:
    """Write an index in small characters if there are such, else behind a sign, in brackets."""

    def written(node: Node) -> str:
        base, index = write(node.args[0]), write(node.args[1])
        if not any(" " in part.text for part in walk(node.args[1]) if part.kind == "name"):
            index = index.replace(" ", "")
        if len(node.args[0].args) > 1 and node.args[0].kind == "row":
            base = f"({base})"
        if _is_large(node.args[0]):
            return f"{base.rstrip()}{sign}({index}) "
        if index and all(char in table for char in index):
            return base + "".join(table[char] for char in index)
        return f"{base}{sign}({index})" if len(index) > 1 else f"{base}{sign}{index}"

    return written


def _subscripted(node: Node) -> str:
    index = node.args[1]
    if index.kind == "name" and index.text.isidentifier():
        return f"{write(node.args[0])}_{index.text}"
    return _raised(BELOW, "_")(node)


def _cases(node: Node) -> str:
    rows = ["  ".join(write(cell).strip() for cell in row) for row in node.rows]
    return "{ " + "; ".join(rows) + " }"


def _matrix(node: Node) -> str:
    return f"[{'; '.join(map(', '.join, texts(node.rows, write)))}]"


def _fraction(node: Node) -> str:
    """Write a quotient; a derivative, ∂L/∂W₁, needs no brackets."""
    if all(part.kind == "row" and part.args[0].text == PARTIAL for part in node.args):
        return "/".join(map(write, node.args))
    return "/".join(map(_bracketed, node.args))


def _bracketed(node: Node) -> str:
    text = write(node).strip()
    return text if node.kind in ("number", "letter", "name", "sub", "sup") else f"({text})"


_WRITE: Mapping[str, Callable[[Node], str]] = {
    "number": lambda node: node.text,
    "letter": lambda node: node.text,
    "name": lambda node: node.text.replace(" ", "\N{NO-BREAK SPACE}"),  # no line is broken within a name
    "bold": lambda node: "".join(BOLD.get(char, char) for char in node.text),
    "function": lambda node: node.text,
    "words": lambda node: f" {node.text.strip()} ",
    "sign": lambda node: f"{node.text} " if node.text == "," else node.text,
    "open": lambda node: node.text,
    "close": lambda node: node.text,
    "large": lambda node: node.text,
    "space": lambda node: "  " if node.text == "quad" else " ",
    "row": lambda node: _side_by_side(node.args),
    "sub": _subscripted,
    "sup": _raised(ABOVE, "^"),
    "under": lambda node: _raised(BELOW, "_")(node) + " ",
    "fraction": _fraction,
    "root": lambda node: f"√({write(node.args[0]).strip()})",
    "accent": lambda node: write(node.args[0]) + ACCENTS[node.text],
    "numbers": lambda node: f"[{'; '.join(map(', '.join, texts(node.entries, write)))}]",
    "matrix": _matrix,
    "cases": _cases,
    "colour": lambda node: write(node.args[0]),
}
