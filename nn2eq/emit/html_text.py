"""HTML: a page of its own with the equations as MathML, which opens without a network."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from nn2eq.emit.options import Options
from nn2eq.emit.typeset.mathml import displays
from nn2eq.emit.typeset.texts import Notation, in_words, latex, legend
from nn2eq.forms.program import Program

STYLE = """\
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
math { font-size: 1.1rem; }
.equations { overflow-x: auto; padding: 1rem 0; }
p { color: color-mix(in srgb, currentColor 75%, transparent); }
"""


def boxes(equations: str) -> Iterator[str]:
    """Yield LaTeX's displays as <math> elements that scroll where a page is narrow."""
    return (f'<div class="equations">\n{display}\n</div>' for display in displays(equations))


def heading(sentence: str) -> str:
    """Write a sentence as a paragraph."""
    return f"<p>{html.escape(in_words(sentence))}</p>\n"


NOTATION = Notation(boxes, "<!--", "-->", heading=heading)


def write(program: Program, options: Options) -> str:
    """Write a Program as a page."""
    text = latex(program, options)
    name = program.model.encode("utf-8", "backslashreplace").decode()  # a file may be called what is no text
    title = html.escape(name or "network")
    sizes = f"{_counted(program.inputs, 'input')}, {_counted(program.outputs, 'output')}"
    return (
        NOTATION.comments(text) + f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p>The {html.escape(program.form)} form: "
        f"{sizes}. {html.escape(in_words(legend(text)))}</p>\n"
        f"{NOTATION.body(text)}\n</body>\n</html>\n"
    )


def _counted(names: Sequence[str], word: str) -> str:
    return f"{len(names)} {word}{'s' * (len(names) > 1)}"


EMITTER = NOTATION.emitter("html", ".html", write)
