"""Typst: the same equations in its mathematical mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from nn2eq.emit.typeset.tree import Line, Node, document, texts

OPERATORS = frozenset({"tanh", "cos", "arccos", "exp", "ln", "log", "max", "min"})
"""Functions that Typst knows by name."""
ACCENTS = {
    "hat": "hat", "dot": "dot", "ddot": "dot.double", "bar": "macron", "tilde": "tilde", "vec": "arrow",
    "acute": "acute", "grave": "grave", "mathring": "circle", "overline": "macron", "underline": "macron",
    "widehat": "hat", "widetilde": "tilde",
}  # fmt: skip
SIGNS = {
    "{": r"\{",
    "}": r"\}",
    "#": r"\#",
    "$": r"\$",
    "/": r"\/",
    '"': r"\"",
    "_": r"\_",
    "&": r"\&",
    "*": r"\*",
}
COLOURS = {
    "violet": "#800080", "brown": "#bf8040", "magenta": "#ff00ff", "purple": "#bf0040", "cyan": "#00ffff",
}  # fmt: skip
"""Colours that Typst has no name for, or another one for."""
SPACES = {"quad": "quad", "qquad": "wide", "thin": "thin", "": ""}

NOTHING = '""'
MATRIX = 'mat(delim: "[",'
WIDE, TALL, LONG = 80, 40, 20
"""Characters that the rows of the matrices in an equation may have on A4, their rows, and lines that are surely few."""


def displays(latex: str) -> Iterator[str]:
    """Yield LaTeX's displays."""
    return map(display, document(latex).displays)


def pages(body: str) -> str:
    """Return what makes room for equations: pages as large as their matrices, displays that go on on the next page."""
    beside = [line.split(MATRIX)[1:] for line in body.split(" \\\n")]
    widest = max(sum(len(matrix.split(";", 1)[0]) for matrix in matrices) for matrices in beside)
    high = [max((1 + matrix.count(";") for matrix in matrices), default=1) for matrices in beside]
    sides = [side for side, is_auto in (("width", widest > WIDE), ("height", max(high) > TALL)) if is_auto]
    page = f"#set page({', '.join(f'{side}: auto' for side in sides)})\n" if sides else ""
    return page + ("#show math.equation: set block(breakable: true)\n" if sum(high) > LONG else "")


def display(lines: Sequence[Line]) -> str:
    """Return a display, its lines aligned."""
    rows = []
    for line in lines:
        row = " &".join(_going_on(cell) for cell in line.cells)
        rows.append(row + (" \\" if line.apart else ""))
    return "$ " + " \\\n  ".join(rows) + " $"


def _going_on(cell: Node) -> str:
    """Write a cell; a sign with which a sum goes on has nothing before it, lest it be that of a number."""
    place = next((k for k, node in enumerate(cell.args) if node.kind != "space"), 0)
    if not place or cell.args[place].text not in ("+", "−"):
        return write(cell)
    return " ".join([*map(write, cell.args[:place]), NOTHING, *filter(None, map(write, cell.args[place:]))])


def write(node: Node) -> str:
    """Write a node."""
    return _WRITE[node.kind](node)


def quoted(text: str) -> str:
    """Return letters as they are, in an upright font."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _function(node: Node) -> str:
    is_plain = node.text in OPERATORS or len(node.text) == 1
    return node.text if is_plain else f"op({quoted(node.text)})"


def _attached(sign: str) -> Callable[[Node], str]:
    return lambda node: f"{write(node.args[0])}{sign}({write(node.args[1])})"


def _rows(node: Node) -> str:
    return "; ".join(", ".join(_cell(cell) for cell in row) for row in node.rows)


def _cell(node: Node) -> str:
    """Write an entry; a comma or a semicolon outside of brackets would end it."""
    if node.kind != "row":
        return write(node)
    depth, found = 0, []
    for part in node.args:
        depth += {"(": 1, ")": -1}.get(part.text, 0) if part.kind == "sign" else 0
        is_between = part.kind == "sign" and part.text in (",", ";") and depth == 0
        found.append(f"\\{part.text}" if is_between else write(part))
    return " ".join(filter(None, found))


def _colour(name: str) -> str:
    return f"rgb({quoted(COLOURS[name])})" if name in COLOURS else name


def _cases(node: Node) -> str:
    rows = ", ".join(" &".join(_cell(cell) for cell in row) for row in node.rows)
    return f"cases({rows})"


_WRITE: Mapping[str, Callable[[Node], str]] = {
    "number": lambda node: node.text,
    "letter": lambda node: node.text,
    "name": lambda node: f"upright({quoted(node.text)})",
    "bold": lambda node: f"bold({node.text if len(node.text) == 1 else quoted(node.text)})",
    "function": _function,
    "words": lambda node: quoted(node.text),
    "sign": lambda node: SIGNS.get(node.text, node.text),
    "open": lambda node: "bar.v",
    "close": lambda node: "bar.v",
    "large": lambda node: node.text,
    "space": lambda node: SPACES[node.text],
    "row": lambda node: " ".join(filter(None, map(write, node.args))),
    "sub": _attached("_"),
    "sup": _attached("^"),
    "under": _attached("_"),
    "fraction": lambda node: f"frac({_cell(node.args[0])}, {_cell(node.args[1])})",
    "root": lambda node: f"sqrt({_cell(node.args[0])})",
    "accent": lambda node: f"accent({_cell(node.args[0])}, {ACCENTS[node.text]})",
    "numbers": lambda node: f"{MATRIX} {'; '.join(map(', '.join, texts(node.entries, write)))})",
    "matrix": lambda node: f"{MATRIX} {_rows(node)})",
    "cases": _cases,
    "colour": lambda node: f"#text(fill: {_colour(node.text)}, ${write(node.args[0])}$)",
}
