"""Other notations read back: each reader makes LaTeX of its text, and LaTeX has a reader that evaluates it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from nn2eq.emit.header import unescaped
from nn2eq.emit.typeset.texts import AGAIN
from nn2eq.emit.typeset.tree import BOLD, plain
from nn2eq.errors import BadRequest

DIGITS_OF_SINGLE = 9
_BALANCED = r"\{(?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.|\{\})*\})*\}"
GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ϵ": "epsilon", "ε": "varepsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ϑ": "vartheta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi",
    "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "ϕ": "phi", "φ": "varphi", "χ": "chi", "ψ": "psi",
    "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma",
    "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega", "π": "pi", "ℓ": "ell", "ℏ": "hbar", "∂": "partial",
    "∇": "nabla", "∞": "infty",
}  # fmt: skip
"""What LaTeX calls a letter."""
SIGNS = {
    "−": "-", "·": r"\cdot ", "×": r"\times ", "≤": r"\le ", "≥": r"\ge ", "⊙": r"\odot ", "⊗": r"\otimes ",
    "⊤": r"\top ", "∑": r"\sum", "…": r"\dots ", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$",
    "′": r"\prime ", "∗": r"\ast ", "⋆": r"\star ", "†": r"\dagger ", "∘": r"\circ ", "∥": r"\parallel ",
    "∼": r"\sim ", "∖": r"\backslash ", "≈": r"\approx ", "⇔": r"\iff ", "→": r"\to ", "←": r"\leftarrow ",
}  # fmt: skip
"""What LaTeX writes for a sign, where that is not the sign itself."""
PLAIN = {bold: plain for plain, bold in BOLD.items()}
"""The letter that a bold character is."""
READ = ("inputs", "answers", "numbers", "units", "orientation")
"""What a comment says that LaTeX's reader must know."""
FUNCTIONS = frozenset({"tanh", "cos", "arccos", "exp", "ln", "log", "max", "min"})
ACCENTS = {
    "\u0302": "hat", "\u0307": "dot", "\u0308": "ddot", "\u0304": "bar", "\u0303": "tilde", "\u20d7": "vec",
    "\u0301": "acute", "\u0300": "grave", "\u030a": "mathring", "\u0305": "overline", "\u0332": "underline",
}  # fmt: skip


def letter(char: str) -> str:
    """Return a letter as LaTeX writes it."""
    return f"\\{GREEK[char]} " if char in GREEK else char


def sign(char: str) -> str:
    """Return a sign as LaTeX writes it."""
    return SIGNS.get(char) or letter(char)


def function(name: str) -> str:
    """Return a function's name as LaTeX writes it."""
    if len(name) == 1:
        return letter(name)
    return f"\\{name} " if name in FUNCTIONS else rf"\operatorname{{{name}}}"


def number(text: str) -> str:
    """Return a number; one of more than nine digits is a float64 wherever others are float32."""
    plain = text.replace("−", "-").strip()
    digits = plain.lstrip("-").replace(".", "").lstrip("0")
    if not re.fullmatch(r"-?\d+(\.\d+)?", plain):
        raise unreadable(f"{text!r:.40} is not a number")
    minus = "-" if plain.startswith("-") else ""
    return f"{minus}{{{plain.lstrip('-')}}}" if len(digits) > DIGITS_OF_SINGLE else plain


def said(comments: Iterable[str]) -> Mapping[str, str]:
    """Return what comments say, by key."""
    pairs = (line.strip().partition(": ") for line in comments)
    return {key: unescaped(text) for key, _, text in pairs}


def symbols(known: Mapping[str, str]) -> list[str]:
    """Return the symbols of inputs and outputs, as LaTeX spells them."""
    inputs, _, outputs = known.get("inputs", "").partition("; outputs: ")
    return [symbol for part in (inputs, outputs) for symbol in split(part)]


def split(text: str) -> Iterator[str]:
    """Split at commas outside braces."""
    depth, start = 0, 0
    for match in re.finditer(r"\\.|[{},]", text + ","):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if match[0] == "," and depth == 0:
            if part := text[start : match.start()].strip():
                yield part
            start = match.end()


def upright_names(known: Mapping[str, str]) -> Mapping[str, str]:
    r"""Return the LaTeX of each upright name in the symbols: T_in may be \mathrm{T\_in}."""
    found = [part for symbol in symbols(known) for part in re.findall(rf"\\math\w+{_BALANCED}", symbol)]
    return {plain(part.partition("{")[2][:-1]): part for part in found}


def as_latex(text: str, opening: str, known: Mapping[str, str], displays: Callable[[str], str]) -> str:
    """Return a text's equations as LaTeX, given what its comments say; displays: how a stretch of it is read.

    opening: of its comments, two of which stand around what is of a batch. Raises BadRequest.
    """
    one, batch = _apart(text, opening)
    written = displays(one)
    if not written:
        raise unreadable("there is no equation in it")
    head = "".join(f"% {key}: {known[key]}\n" for key in READ if key in known)
    return head + written + (f"% batch: {known['batch']}\n{displays(batch)}" if batch else "")


def _apart(text: str, opening: str) -> tuple[str, str]:
    start, end = re.escape(f"{opening} batch: "), re.escape(f"{opening} {AGAIN}")
    match = re.search(rf"^{start}.*?^(?={end})", text, re.DOTALL | re.MULTILINE)
    return (text[: match.start()] + text[match.end() :], match[0]) if match else (text, "")


def display(rows: Iterable[str]) -> str:
    """Return rows as one display."""
    body = _POWER.sub(_with_power, " \\\\\n".join(row for row in rows if row.strip(" &")))
    return f"\\begin{{align*}}\n{_PRIME.sub(chr(39), body)}\n\\end{{align*}}\n" if body else ""


_PRIME = re.compile(r"\s*\^\s*\{\s*\\prime\s*\}")
_POWER = re.compile(
    r"(?P<wide>\{)?(?P<number>\d+(?:\.\d+)?)(?(wide)\}) *\\times *\{?10\}? *\^ *\{ *(?P<sign>-?) *(?P<power>\d+) *\}"
    r"|\{?(?<![\d.])10\}? *\^ *\{ *(?P<minus>-?) *(?P<alone>\d+) *\}"
)


def _with_power(match: re.Match[str]) -> str:
    """Put a number and its power of ten together, as LaTeX has them."""
    if match["alone"]:
        return f"10^{{{match['minus']}{match['alone']}}}"
    text = rf"{match['number']} \times 10^{{{match['sign']}{match['power']}}}"
    return f"{{{text}}}" if match["wide"] else text


def unreadable(what: str) -> BadRequest:
    """Return the error for what is not as our own texts are."""
    return BadRequest(what, code="text-syntax")
