"""MathML, and pages that hold some, read back: elements to LaTeX, and that evaluated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.latex.names import upright
from nn2eq.proof import latex_reader
from nn2eq.proof.runners import Answer
from nn2eq.proof.typeset_text import (
    ACCENTS,
    GREEK,
    PLAIN,
    as_latex,
    display,
    function,
    letter,
    number,
    said,
    sign,
    unreadable,
    upright_names,
)

Element = ElementTree.Element
APPLY = "\u2061"
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
SPELLED = "spelled"
"""Where an element keeps how LaTeX spells its name."""


def run(text: str, x: NDArray[np.float64], name: str = "predict") -> Answer:
    """Read the <math> elements of a text, and evaluate them at x (n, inputs). Raises BadRequest."""
    return latex_reader.run(latex(text), x)


def latex(text: str) -> str:
    """Return the <math> elements of a text as LaTeX. Raises BadRequest."""
    known = said(match[1] for match in _COMMENT.finditer(text))
    names = upright_names(known)

    def displays(part: str) -> str:
        found = _MATH.finditer(_COMMENT.sub("", part))
        return display(row for match in found for row in _rows(_spelled(_parsed(match[0]), names)))

    return as_latex(text, "<!--", known, displays)


def _parsed(text: str) -> Element:
    if "<!" in text:
        raise unreadable("a declaration within <math>")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise unreadable(f"<math> is not well-formed: {error!s:.100}") from None


def _spelled(math: Element, names: Mapping[str, str]) -> Element:
    """Note at each upright name how LaTeX spells it."""
    for element in math.iter():
        element.attrib.pop(SPELLED, None)
        if element.get("mathvariant") == "normal" and (name := (element.text or "").strip()) in names:
            element.set(SPELLED, names[name])
    return math


def _rows(math: Element) -> Iterator[str]:
    """Yield the lines of an element's table."""
    children = list(math)
    if len(children) != 1 or _tag(children[0]) != "mtable":
        raise unreadable("a <math> that holds something else than a table of lines")
    for row in children[0]:
        yield " & ".join(_all(list(cell)) for cell in row)


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _all(elements: Sequence[Element]) -> str:
    """Write elements side by side; matrices and cases stand behind their bracket."""
    parts = [_latex(element) for element in elements]
    found = ""
    opened = False
    for element, part in zip(elements, parts, strict=True):
        text = element.text or ""
        if _tag(element) == "mo" and text.strip() == "|":
            part, opened = (r"\rvert " if opened else r"\lvert "), not opened
        found += part + " "
    return found


def _latex(element: Element) -> str:
    tag = _tag(element)
    if tag not in _READ:
        raise unreadable(f"<{tag[:40]}> is not known here")
    return _READ[tag](element)


def _identifier(element: Element) -> str:
    text = (element.text or "").strip()
    variant = element.get("mathvariant", "")
    if text in PLAIN:
        return rf"\mathbf{{{PLAIN[text]}}}"
    if variant == "normal":
        return element.get(SPELLED) or upright(text)
    if not (text in GREEK or re.fullmatch(r"\w+", text)):
        raise unreadable(f"the name {text!r:.40}")
    return letter(text) if len(text) == 1 else function(text)


def _operator(element: Element) -> str:
    text = (element.text or "").strip()
    return "" if text == APPLY else sign(text)


def _row(element: Element) -> str:
    """Read a row: brackets around a table are a matrix, a brace in front of one are cases."""
    children = list(element)
    tables = [place for place, child in enumerate(children) if _tag(child) == "mtable"]
    if not tables:
        return _all(children)
    if len(tables) > 1 or tables[0] != 1:
        raise unreadable("a table without its bracket")
    opening = (children[0].text or "").strip()
    name = {"[": "bmatrix", "{": "cases"}.get(opening)
    closing = [(child.text or "").strip() for child in children[2:]]
    if name is None or closing != (["]"] if name == "bmatrix" else []):
        raise unreadable(f"a table in the bracket {opening!r:.10}")
    rows = " \\\\\n".join(" & ".join(_all(list(cell)) for cell in row) for row in children[1])
    return f"\\begin{{{name}}}\n{rows}\n\\end{{{name}}}"


def _within(template: str, count: int) -> Callable[[Element], str]:
    """Read an element of so many parts."""

    def read(element: Element) -> str:
        parts = [_latex(child) for child in element]
        if len(parts) != count:
            raise unreadable(f"<{_tag(element)}> of {len(parts)} parts")
        return template.format(*parts)

    return read


def _raised(element: Element) -> str:
    """Read a power; of a bracket, which closes what stands before it, too."""
    text = _within("{0}^{{{1}}}", 2)(element)
    return text if _tag(element[0]) != "mrow" else _within("{{{0}}}^{{{1}}}", 2)(element)


def _accent(element: Element) -> str:
    base, above = list(element)
    mark = (above.text or "").strip()
    if mark not in ACCENTS:
        raise unreadable("an accent that is not known here")
    return f"\\{ACCENTS[mark]}{{{_latex(base)}}}"


_READ: Mapping[str, Callable[[Element], str]] = {
    "mn": lambda element: number(element.text or ""),
    "mi": _identifier,
    "mo": _operator,
    "mtext": lambda element: rf"\text{{{(element.text or '').replace(chr(0xA0), ' ')}}}",
    "mspace": lambda element: "",
    "mrow": _row,
    "msub": _within("{0}_{{{1}}}", 2),
    "msup": _raised,
    "msubsup": _within("{0}_{{{1}}}^{{{2}}}", 3),
    "munderover": _within("{0}_{{{1}}}^{{{2}}}", 3),
    "munder": _within("{0}_{{{1}}}", 2),
    "mfrac": _within(r"\frac{{{0}}}{{{1}}}", 2),
    "msqrt": lambda element: rf"\sqrt{{{_all(list(element))}}}",
    "mover": _accent,
}
