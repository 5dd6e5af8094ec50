"""MathML: elements for each kind of node, as browsers and word processors set them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from nn2eq.emit.typeset.tree import ACCENTS, BOLD, Line, Node, document

APPLY = "<mo>&#x2061;</mo>"
"""The sign that nobody sees: a function is applied to what follows."""
UNARY = '<mo form="prefix" lspace="0" rspace="0.05em">−</mo>'
THIN = '<mspace width="0.17em"></mspace>'
SPACES = {"quad": "1em", "thin": "0.17em", "qquad": "2em", "": "0em"}
GAP = "0.9em"
SIDES = (
    "padding-right: 0; text-align: right; text-align: -webkit-right",  # browsers take the last that they know
    "padding-left: 0; text-align: left; text-align: -webkit-left",
)
MATRICES = frozenset({"numbers", "matrix", "cases"})
"""What brackets beside it grow with."""


def displays(latex: str) -> Iterator[str]:
    """Yield LaTeX's displays."""
    return map(display, document(latex).displays)


def display(lines: Sequence[Line]) -> str:
    """Return a display as one <math> element, its lines aligned."""
    rows = "\n".join(_line(line) for line in lines)
    table = f'<mtable displaystyle="true" columnspacing="0.2em">\n{rows}\n</mtable>'
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">\n{table}\n</math>'


def _line(line: Line) -> str:
    gap = f"; padding-bottom: {GAP}" if line.apart else ""
    cells = "".join(
        f'<mtd style="{SIDES[k % 2]}{gap}">{write(cell)}</mtd>' for k, cell in enumerate(line.cells)
    )
    return f"<mtr>{cells}</mtr>"


def write(node: Node) -> str:
    """Write a node."""
    return _WRITE[node.kind](node)


def _inner(nodes: Sequence[Node]) -> str:
    """Write nodes side by side; a function is said to be applied to what follows. Brackets grow with matrices."""
    found, before = "", None
    is_tall = any(node.kind in MATRICES for node in nodes)
    for node, following in zip(nodes, [*nodes[1:], None][: len(nodes)], strict=True):
        found += THIN if _is_function(node) and _is_factor(before) else ""
        is_bracket = is_tall and node.kind == "sign" and node.text in "()"
        found += (
            UNARY if _is_sign_of(node, before) else f"<mo>{node.text}</mo>" if is_bracket else write(node)
        )
        before = node
        if following is not None and _is_function(node) and following.text == "(":
            found += APPLY
    return found


def _is_factor(node: Node | None) -> bool:
    """Whether a node is a factor of what follows it, from which a function's name stands apart."""
    while node is not None and node.kind in ("sub", "sup", "colour"):
        node = node.args[0]
    return node is not None and node.kind in ("letter", "number", "name", "bold")


def _is_sign_of(node: Node, before: Node | None) -> bool:
    """Whether a minus stands before a number or a factor, not between two."""
    opens = before is None or (before.kind == "sign" and before.text not in (")", "]"))
    return node.kind == "sign" and node.text == "−" and opens


def _is_function(node: Node) -> bool:
    return node.kind == "function" or (node.kind in ("sub", "sup", "under") and _is_function(node.args[0]))


def _sign(node: Node) -> str:
    if node.text in ("(", ")", "[", "]", "|"):
        return f'<mo stretchy="false">{node.text}</mo>'
    room = ' lspace="0" rspace="0.15em"' if node.text == "," else ""
    return f"<mo{room}>{escape(node.text)}</mo>"


def _variant(node: Node) -> str:
    """Write an upright name, or a bold one in characters that are bold, since browsers know no other way."""
    if node.kind == "bold":
        return f"<mi>{''.join(BOLD.get(char, char) for char in node.text)}</mi>"
    return f'<mi mathvariant="normal">{escape(node.text)}</mi>'


def _table(node: Node) -> str:
    rows = "".join(
        "<mtr>" + "".join(f"<mtd>{write(cell)}</mtd>" for cell in row) + "</mtr>" for row in node.rows
    )
    if node.kind == "matrix":
        return f"<mrow><mo>[</mo><mtable>{rows}</mtable><mo>]</mo></mrow>"
    rows = rows.replace("<mtd>", '<mtd style="text-align: left">')
    return f"<mrow><mo>{{</mo><mtable>{rows}</mtable></mrow>"


def _numbers(node: Node) -> str:
    rows = "".join(f"<mtr>{''.join(map(_entry, row))}</mtr>" for row in node.entries)
    return f"<mrow><mo>[</mo><mtable>{rows}</mtable><mo>]</mo></mrow>"


def _entry(entry: str | Node) -> str:
    return f"<mtd><mn>{entry}</mn></mtd>" if isinstance(entry, str) else f"<mtd>{write(entry)}</mtd>"


def _raised(node: Node) -> str:
    base, above = node.args
    tag = {"sub": "msubsup", "under": "munderover"}.get(base.kind)
    if tag is None:
        return _pair("msup")(node)
    return f"<{tag}>{write(base.args[0])}{write(base.args[1])}{write(above)}</{tag}>"


def _pair(tag: str) -> Callable[[Node], str]:
    return lambda node: f"<{tag}>{''.join(write(arg) for arg in node.args)}</{tag}>"


_WRITE: Mapping[str, Callable[[Node], str]] = {
    "number": lambda node: f"<mn>{node.text}</mn>",
    "letter": lambda node: f"<mi>{escape(node.text)}</mi>",
    "name": _variant,
    "bold": _variant,
    "function": lambda node: f"<mi>{escape(node.text)}</mi>",
    "words": lambda node: f"<mtext>{escape(f'{node.text.strip()} '.replace(' ', chr(0xA0)))}</mtext>",
    "sign": _sign,
    "open": _sign,
    "close": _sign,
    "large": lambda node: f"<mo>{node.text}</mo>",
    "space": lambda node: f'<mspace width="{SPACES[node.text]}"></mspace>',
    "row": lambda node: f"<mrow>{_inner(node.args)}</mrow>",
    "sub": _pair("msub"),
    "sup": _raised,
    "under": _pair("munder"),
    "fraction": _pair("mfrac"),
    "root": _pair("msqrt"),
    "accent": lambda node: f"<mover>{write(node.args[0])}<mo>{ACCENTS[node.text]}</mo></mover>",
    "numbers": _numbers,
    "matrix": _table,
    "cases": _table,
    "colour": lambda node: f"<mrow mathcolor={quoteattr(node.text)}>{write(node.args[0])}</mrow>",
}
