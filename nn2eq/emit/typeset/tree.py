r"""The tree of typeset mathematics, and the one way to it: what `nn2eq.emit.latex` writes, taken apart.

LaTeX is the text that is laid out, proved and looked at; the other notations say the same, sign by sign. A
number in braces is a float64 where plain decimals are float32: here it has more than nine digits, which no
shortest float32 has, so that every notation can show it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

ARRAY = "array"
"""The text of a matrix that has no brackets of its own."""
DIGITS_OF_SINGLE = 9
"""Significant digits that the shortest decimal of a float32 has at most."""


class Node(NamedTuple):
    """A piece of mathematics.

    kind: number, letter (italic), name (upright), bold, function (an operator's name), words, sign, open and close
    (a bar), space, row,
    sub and sup (base, index), under (operator, index), fraction, root, accent, matrix and cases (rows of cells),
    numbers (a matrix of numbers alone), colour. text: the letters, digits or sign themselves, the accent or the
    colour. args: the parts. rows: of a matrix. entries: the rows of numbers, as text, or nodes where there are
    powers of ten.
    """

    kind: str
    text: str = ""
    args: tuple[Node, ...] = ()
    rows: tuple[tuple[Node, ...], ...] = ()
    entries: tuple[tuple[str | Node, ...], ...] = ()


class Line(NamedTuple):
    """A line of a display: its cells, left and right of the alignment marks; apart: a gap stands below it."""

    cells: tuple[Node, ...]
    apart: bool = False


class Document(NamedTuple):
    """What a LaTeX text says in its comment, key and value, and its displays, line by line."""

    said: tuple[tuple[str, str], ...]
    displays: tuple[tuple[Line, ...], ...]


GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ", "chi": "χ", "psi": "ψ",
    "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "pi": "π", "ell": "ℓ", "hbar": "ℏ", "partial": "∂",
    "nabla": "∇", "infty": "∞",
}  # fmt: skip
"""Letters that LaTeX calls by a name."""
SIGNS = {
    "cdot": "·", "times": "×", "le": "≤", "ge": "≥", "odot": "⊙", "otimes": "⊗", "top": "⊤",
    "dots": "…", "cdots": "⋯", "sim": "∼", "prime": "′", "ast": "∗", "star": "⋆", "dagger": "†", "circ": "∘",
    "parallel": "∥", "perp": "⊥", "to": "→", "backslash": "∖", "lbrace": "{", "rbrace": "}", "approx": "≈",
    "iff": "⇔", "leftarrow": "←",
}  # fmt: skip
"""Signs that LaTeX calls by a name."""
FUNCTIONS = ("tanh", "cos", "arccos", "exp", "ln", "log", "max", "min", "diag")
BARS = {"lvert": "open", "rvert": "close"}
LARGE = {"sum": "∑", "prod": "∏"}
ACCENTS = {
    "hat": "\u0302", "dot": "\u0307", "ddot": "\u0308", "bar": "\u0304", "tilde": "\u0303", "vec": "\u20d7",
    "acute": "\u0301", "grave": "\u0300", "mathring": "\u030a", "overline": "\u0305", "underline": "\u0332",
    "widehat": "\u0302", "widetilde": "\u0303",
}  # fmt: skip
"""Accents, and the character that combines with a letter to be one."""
BOLD = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        map(chr, (*range(0x1D41A, 0x1D434), *range(0x1D400, 0x1D41A), *range(0x1D7CE, 0x1D7D8))),
        strict=True,
    )
)
"""Characters that are bold by themselves."""
_NAMES = {"mathrm", "text", "textrm", "textit", "mathit", "mathsf", "mathtt", "mathcal", "mathbb"}
_SPACES = {"quad": "quad", "qquad": "qquad", ",": "thin", ";": "thin", ":": "thin", "!": "", " ": "thin"}
_SIZES = re.compile(r"(?:[bB]igg?[lrm]?|left|right)(?![A-Za-z])")

_TOKEN = re.compile(
    r"\s*(?:\\begin\{(?P<begin>\w+\*?)\}|\\end\{(?P<end>\w+\*?)\}|(?P<newline>\\\\(?:\[[^\]\n]*\])?)"
    r"|\\(?P<command>[A-Za-z]+|[^A-Za-z])|(?P<number>\d+(?:\.\d+)?)|(?P<letter>[A-Za-z])|(?P<other>\S))"
)
_DISPLAY = re.compile(
    r"(?:^% (batch: [^\n]*)\n)?\\begin\{(align\*|alignat\*)\}(?:\{\d+\})?\n(.*?)\n\\end\{\2\}",
    re.DOTALL | re.MULTILINE,
)
_NUMBERS = re.compile(r"(?:[-\d.&{}\s^]++|\\times|\\\\)++(?=\\end\{)")


def symbol(latex: str) -> Node:
    """Take one symbol apart, as a comment spells it."""
    return _Reader(latex).lines()[0].cells[0]


def said(latex: str) -> Document:
    """Return what a LaTeX text says in its comment, without its displays."""
    lines = (line[2:].partition(": ") for line in latex.splitlines() if line.startswith("% "))
    return Document(tuple((key, value) for key, _, value in lines), ())


def batches(latex: str) -> list[str]:
    """Return of each display what is said of it where it is of a batch, else ""."""
    return [match[1] or "" for match in _DISPLAY.finditer(latex)]


def document(latex: str) -> Document:
    """Take a LaTeX text of our own apart."""
    displays = [_Reader(match[3]).lines() for match in _DISPLAY.finditer(latex)]
    functions = {name for lines in displays for line in lines if (name := _defined(line.cells[0]))}
    return Document(
        said(latex).said, tuple(tuple(_applied(line, functions) for line in lines) for lines in displays)
    )


def _defined(left: Node) -> str:
    """Return the letter that stands for a function on the left-hand side f(z) or f_i(z), "" if there is none."""
    if left.kind != "row" or len(left.args) < 2 or left.args[1].text not in ("(", "["):
        return ""
    head = left.args[0]
    while head.args:
        head = head.args[0]
    return head.text if head.kind == "letter" else ""


def _applied(line: Line, functions: set[str]) -> Line:
    """Make functions of the letters that stand for some."""
    return (
        line._replace(cells=tuple(_with_functions(cell, functions) for cell in line.cells))
        if functions
        else line
    )


def _with_functions(node: Node, functions: set[str]) -> Node:
    args = list(node.args)
    for place, following in enumerate(args[1:]) if node.kind == "row" else ():
        if following.text in ("(", "["):
            args[place] = _as_function(args[place], functions)
    rows = tuple(tuple(_with_functions(cell, functions) for cell in row) for row in node.rows)
    return node._replace(args=tuple(_with_functions(arg, functions) for arg in args), rows=rows)


def _as_function(node: Node, functions: set[str]) -> Node:
    if node.kind == "letter" and node.text in functions:
        return node._replace(kind="function")
    if node.kind in ("sub", "sup"):
        return node._replace(args=(_as_function(node.args[0], functions), *node.args[1:]))
    return node


class _Reader:
    """Reads a stretch of LaTeX mathematics, token by token."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def lines(self) -> tuple[Line, ...]:
        """Read a display; equations side by side become lines of their own."""
        found = []
        for cells, apart in self._table(""):
            pairs = [(_without_space(cells[k]), *cells[k + 1 : k + 2]) for k in range(0, len(cells), 2)]
            found += [Line(pair, apart and pair is pairs[-1]) for pair in pairs]
        return tuple(found)

    def _table(self, end: str) -> Iterator[tuple[tuple[Node, ...], bool]]:
        """Yield rows of cells up to the end of an environment, and whether a gap follows."""
        cells: list[Node] = []
        while True:
            cells.append(_row(self._until("&", newline=True)))
            token = self._next()
            if token is None or token["end"] is not None:
                assert (token["end"] if token else "") == end
                yield tuple(cells), False
                return
            if token["newline"]:
                yield tuple(cells), "[" in token["newline"]
                cells = []

    def _next(self) -> re.Match[str] | None:
        token = self._peek()
        self._at = token.end() if token else len(self._text)
        return token

    def _peek(self) -> re.Match[str] | None:
        return _TOKEN.match(self._text, self._at)

    def _until(self, stop: str, *, newline: bool = False) -> list[Node]:
        """Read nodes up to a sign, the end of an environment, or of a row."""
        found: list[Node] = []
        while (token := self._peek()) is not None:
            if token["end"] is not None or (newline and token["newline"]) or token["other"] == stop:
                break
            self._at = token.end()
            if token["other"] == "'":
                found.append(Node("sup", args=(found.pop() if found else Node("row"), Node("sign", "′"))))
            elif token["other"] in ("_", "^"):
                index = self._argument()
                base = found.pop() if found else Node("row")
                kind = {"_": "under" if _takes_below(base) else "sub", "^": "sup"}[token["other"]]
                found.append(Node(kind, args=(base, index)))
            else:
                node = self._node(token)
                if node.kind != "row" or node.args:
                    found.append(node)
        return found

    def _argument(self) -> Node:
        """Read what stands in braces, or one token."""
        token = self._next()
        assert token is not None
        if token["other"] == "{":
            inner = self._until("}")
            self._next()
            return _row(inner)
        return self._node(token)

    def _node(self, token: re.Match[str]) -> Node:
        if token["number"]:
            return Node("number", token["number"])
        if token["letter"]:
            return Node("letter", token["letter"])
        if token["begin"]:
            return self._environment(token["begin"])
        if token["command"]:
            return self._command(token["command"])
        if token["other"] == "{":
            self._at = token.end() - 1
            return _widened(self._argument())
        return Node("sign", {"-": "−"}.get(token["other"], token["other"]))

    def _environment(self, name: str) -> Node:
        text = ""
        if name == ARRAY:
            self._argument()  # how its columns are aligned
            text = ARRAY
        if match := _NUMBERS.match(self._text, self._at):
            self._at = match.end()
            self._next()
            return Node("numbers", text, entries=tuple(_entries(match[0])))
        rows = tuple(cells for cells, _ in self._table(name))
        return Node("cases", rows=_on_one_row(rows)) if name == "cases" else Node("matrix", text, rows=rows)

    def _command(self, name: str) -> Node:
        if _SIZES.fullmatch(name):
            return Node("row")
        if name in GREEK:
            return Node("letter", GREEK[name])
        if name in SIGNS or name in LARGE:
            return Node("sign" if name in SIGNS else "large", SIGNS.get(name) or LARGE[name])
        if name in BARS:
            return Node(BARS[name], "|")
        if name in FUNCTIONS:
            return Node("function", name)
        if name in _SPACES:
            return Node("space", _SPACES[name])
        if name in ("frac", "sqrt"):
            count = 2 if name == "frac" else 1
            kind = {"frac": "fraction", "sqrt": "root"}[name]
            return Node(kind, args=tuple(self._argument() for _ in range(count)))
        if name in ACCENTS:
            return Node("accent", name, (self._argument(),))
        if name == "textcolor":
            colour = self._raw()
            return Node("colour", colour, (self._argument(),))
        if name == "operatorname":
            return Node("function", self._raw())
        if name in ("mathbf", "boldsymbol"):
            return Node("bold", self._raw())
        if name in _NAMES:
            raw = self._raw()
            return Node("words" if name == "text" else "name", raw)
        return Node("sign", name)  # \{ and the like

    def _raw(self) -> str:
        """Return the letters in braces, escapes undone."""
        opening = self._next()
        assert opening is not None
        if opening["other"] != "{":
            return opening[0]
        depth, end = 1, self._at
        while depth:
            end = self._at
            token = self._next()
            assert token is not None
            depth += {"{": 1, "}": -1}.get(token["other"] or "", 0)
        return plain(self._text[opening.end() : end])


def plain(text: str) -> str:
    """Undo the escapes of letters in an upright font."""
    text = re.sub(r"\\([A-Za-z]+)(?:\{\})?", lambda m: GREEK.get(m[1]) or SIGNS.get(m[1]) or m[0], text)
    text = re.sub(
        r"\\(hat|grave|acute|ddot|tilde|mathring)\{(.?)\}", lambda m: (m[2] or "") + ACCENTS[m[1]], text
    )
    return re.sub(r"\\(.)|[{}]", lambda m: m[1] or "", text)


def _takes_below(node: Node) -> bool:
    return node.kind == "large" or (node.kind == "function" and node.text in ("max", "min"))


def _without_space(node: Node) -> Node:
    """Leave out the room in front of an equation that stands beside another."""
    is_moved = node.kind == "row" and node.args and node.args[0].kind == "space"
    return _row(list(node.args[1:])) if is_moved else node


def _on_one_row(rows: tuple[tuple[Node, ...], ...]) -> tuple[tuple[Node, ...], ...]:
    """Put conditions that stand below each other, for want of room on a page of paper, side by side."""
    found: list[tuple[Node, ...]] = []
    for value, *conditions in rows:
        if found and conditions and value == Node("row"):
            *before, last = found[-1]
            parts = (part for of in conditions for part in _parts(of))
            found[-1] = (*before, Node("row", args=(*_parts(last), Node("space", "quad"), *parts)))
        else:
            found.append((value, *conditions))
    return tuple(found)


def _parts(node: Node) -> tuple[Node, ...]:
    return node.args if node.kind == "row" else (node,)


def _row(nodes: list[Node]) -> Node:
    kept: list[Node] = []
    for node in nodes:
        kept.append(node)
        if [part.text for part in kept[-3:]] == ["[", ARRAY, "]"]:  # it has its brackets beside it
            kept[-3:] = [kept[-2]]
    return kept[0] if len(kept) == 1 else Node("row", args=tuple(kept))


def _entries(body: str) -> Iterator[tuple[str | Node, ...]]:
    """Yield the rows of a matrix of numbers."""
    if "{" in body:
        body = re.sub(r"(?<!\^)\{([\d.]+)\}", lambda match: _with_digits(match[1]), body)
    for row in body.split("\\\\"):
        if "^" in row:
            yield tuple(_entry(text.strip()) for text in row.split("&"))
        else:
            yield tuple(map(str.strip, row.replace("-", "−").split("&")))


def _entry(text: str) -> str | Node:
    """Return a number as text, or taken apart where it has a power of ten."""
    return symbol(text) if "^" in text else text.replace("-", "−")


def texts(entries: tuple[tuple[str | Node, ...], ...], write: Callable[[Node], str]) -> Iterator[list[str]]:
    """Yield the rows of a matrix of numbers as texts; write: how a notation writes a power of ten."""
    for row in entries:
        yield [entry if isinstance(entry, str) else write(entry).strip() for entry in row]


def _with_digits(number: str) -> str:
    """Give a decimal more digits than a float32 has."""
    missing = DIGITS_OF_SINGLE + 1 - len(number.replace(".", "").lstrip("0"))
    return number + ("" if "." in number else ".") + "0" * max(missing, 0)


def _widened(node: Node) -> Node:
    """Return a number in braces with more digits than a float32 has; anything else as it is."""
    if node.kind == "number":
        return node._replace(text=_with_digits(node.text))
    if node.kind == "sup" and node.args[0] == Node("number", "10"):
        return Node("row", args=(Node("number", _with_digits("1")), Node("sign", "×"), node))
    if node.kind == "row" and node.args and node.args[0].kind == "number":
        return node._replace(args=(_widened(node.args[0]), *node.args[1:]))
    return node


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all its parts."""
    yield node
    for part in (*node.args, *(cell for row in node.rows for cell in row)):
        yield from walk(part)
