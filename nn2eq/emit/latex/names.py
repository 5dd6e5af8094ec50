r"""The gate through which every name enters LaTeX: it becomes a symbol, never a command.

z1_3 becomes z_{1,3}; T_in becomes T_{\mathrm{in}}; what is no name of mathematics becomes upright, escaped
text. A spelling that the user gives is taken as it is, once it is seen to be a symbol and nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from nn2eq.errors import BadRequest

GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma"
    " tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)
_FONTS = frozenset("mathrm mathit mathbf mathsf mathtt mathcal mathbb boldsymbol text textrm textit".split())
_ACCENTS = frozenset(
    "hat dot ddot bar tilde vec acute grave mathring overline underline widehat widetilde".split()
)
_SIGNS = frozenset(
    "prime ell hbar ast star dagger infty circ parallel perp partial nabla , ; : ! _ % & # $".split()
)
_ALLOWED = GREEK | _FONTS | _ACCENTS | _SIGNS | {" "}

_ESCAPES = {
    **{char: "\\" + char for char in "#$%&_{}"},
    "\\": r"\backslash{}", "^": r"\hat{}", "~": r"\sim{}", " ": r"\ ", "-": "{-}", "'": "{'}",
}  # fmt: skip
_TEXT = {
    **{char: "\\" + char for char in "#$%&_{}"},
    "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "-": "-{}", "'": "'{}", "`": "`{}",
}  # fmt: skip
_MARKS = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0308": "ddot",
    "\u030a": "mathring",
}  # fmt: skip

_TOKEN = re.compile(r"\\([A-Za-z]+|[^A-Za-z\n])|([A-Za-z0-9]|[_^'.,/ ])|([{}])")
_STANDING = re.compile(r"([a-zA-Z]+)(\d+)((?:_\d+)*)")
_INDEXED = re.compile(r"([A-Za-z]+|[^\W\d_])(\d*)")
_RESERVED = re.compile(r"[zaWbd]_\{?\d[\d,]*\}?|e|\\pi|\\mathbf\{?[xy]\}?")
"""What the equations call their own: layers' values and weights, Euler's number, whole vectors."""


def index(*numbers: int | str) -> str:
    """Return a subscript."""
    text = ",".join(map(str, numbers))
    return f"_{text}" if len(text) == 1 else f"_{{{text}}}"


def standing(name: str) -> str:
    """Spell one of the program's own names: z1_3, W2, b2, negative_slope1."""
    match = _STANDING.fullmatch(name)
    if match is None:
        return spelled(name)
    letter, layer, units = match.groups()
    return spelled(letter) + index(layer, *units.split("_")[1:])


def spelled(name: str) -> str:
    """Spell any name: a letter, Latin or Greek, with its subscript, or else upright text."""
    letter, underscore, rest = name.partition("_")
    if not underscore and (match := _INDEXED.fullmatch(name)):
        letter, rest = match.groups()
    letter = letter if letter.isascii() else _greek(letter) or letter
    if not _is_letter(letter) or not rest.isascii() or (rest and not rest.isalnum()):
        return upright(name)
    head = letter if len(letter) == 1 else "\\" + letter
    if not rest:
        return head
    return head + (index(rest) if rest.isdigit() or len(rest) == 1 else rf"_{{\mathrm{{{rest}}}}}")


def _is_letter(text: str) -> bool:
    return text in GREEK or (len(text) == 1 and text.isascii() and text.isalpha())


def upright(name: str, font: str = "mathrm") -> str:
    """Spell a name letter by letter in an upright font, so that nothing in it is a command."""
    return rf"\{font}{{{''.join(_escaped(char) for char in name) or '?'}}}"


def texttt(name: str) -> str:
    """Spell a name letter by letter in running text."""
    letters = (
        _TEXT.get(char) or (char if char.isascii() and char.isprintable() else f"${_foreign(char)}$")
        for char in name
    )
    return rf"\texttt{{{''.join(letters)}}}"


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isascii() and char.isprintable():
        return char
    return _foreign(char)


def _foreign(char: str) -> str:
    """Spell a letter that is not ASCII: Greek by its macro, an accent over its letter, others by number."""
    import unicodedata  # takes a while to load, and hardly any name needs it

    if greek := _greek(char):
        return f"\\{greek}{{}}"
    parts = unicodedata.normalize("NFD", char)
    if len(parts) == 2 and parts[0].isascii() and parts[1] in _MARKS:
        return f"\\{_MARKS[parts[1]]}{{{parts[0]}}}"
    return f"U{{+}}{ord(char):04X}"


def _greek(char: str) -> str:
    """Return what LaTeX calls a Greek letter, "" if it is none that it has."""
    import unicodedata

    letter = unicodedata.normalize("NFKC", char)  # the micro sign is a mu
    words = unicodedata.name(letter, "").lower().split() if len(letter) == 1 else []
    match words:
        case ["greek", "small", "letter", name] if name in GREEK:
            return name
        case ["greek", "capital", "letter", name] if name.capitalize() in GREEK:
            return name.capitalize()
    return ""


def canonical(symbol: str) -> str:
    """Return a symbol without the spaces and braces that make no difference: x_{1} is x_1."""
    tight = re.sub(r"(\\[A-Za-z]+)?\s+", lambda m: m[1] + " " if m[1] else "", symbol)
    return re.sub(r"\{([A-Za-z0-9]|\\[A-Za-z]+\{[^{}]*\})\}", r"\1", tight)


class Symbols:
    """The symbols of one text: a name each, no two the same."""

    def __init__(self, given: Mapping[str, str], taken: Iterable[str] = ()) -> None:
        self._given = {name: checked(name, symbol) for name, symbol in given.items()}
        self._taken = {canonical(symbol) for symbol in taken}
        self._known: dict[str, str] = {}

    def reserve(self, symbols: Iterable[str]) -> None:
        """Keep symbols from the names that are still to be spelled."""
        self._taken.update(map(canonical, symbols))

    def gives(self, names: Iterable[str]) -> bool:
        """Whether the user spelled any of these names."""
        return any(name in self._given for name in names)

    def of(self, name: str) -> str:
        """Return the symbol of an input's or an output's name."""
        if name not in self._known:
            symbol = self._given.get(name) or self._free(name)
            self._taken.add(canonical(symbol))
            self._known[name] = symbol
        return self._known[name]

    def _free(self, name: str) -> str:
        """Return the first spelling that says nothing else already."""
        fonts = (upright(name, font) for font in ("mathrm", "mathtt", "mathsf", "mathit", "mathbf"))
        for symbol in (standing(name), *fonts):
            tight = canonical(symbol)
            if tight not in self._taken and not _RESERVED.fullmatch(tight):
                return symbol
        raise BadRequest(
            f"no spelling is free for {name!r:.80}", code="latex-name", way_out="give it one by --latex-names"
        )


def checked(name: str, symbol: str) -> str:
    """Return a user's spelling if it is a symbol and nothing more. Raises BadRequest."""
    depth, at = 0, 0
    for match in _TOKEN.finditer(symbol):
        command, _, brace = match.groups()
        if match.start() != at or (command and command not in _ALLOWED):
            break
        depth += {"{": 1, "}": -1}.get(brace, 0)
        at = match.end()
        if depth < 0:
            break
    starts_well = bool(re.match(r"[A-Za-z]|\\[A-Za-z]", symbol))
    if at != len(symbol) or depth or not starts_well or _RESERVED.fullmatch(canonical(symbol)):
        raise BadRequest(
            f"{symbol!r:.80} is not a symbol for {name!r:.80}",
            code="latex-name",
            way_out=r"write a letter or \mathrm{text}, with subscripts or accents, such as T_\mathrm{in}",
        )
    return symbol
