"""Languages: a Program goes in, text comes out. THE table of emitters is `LANGUAGES`; a new language adds its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, cast

from nn2eq.emit.options import Options
from nn2eq.errors import CannotEmit, one_of

if TYPE_CHECKING:  # the table of languages is needed before any mathematics is
    from nn2eq.forms.program import Program
    from nn2eq.forms.size import Spelling

Content = str | bytes
"""What a language writes: a text, or the bytes of a file where it is no text."""

FEW = 8
"""Names that a message lists."""

LANGUAGES: Mapping[str, str] = {
    "latex": "nn2eq.emit.latex",
    "numpy": "nn2eq.emit.numpy_text",
    "python": "nn2eq.emit.python_text",
    "sympy": "nn2eq.emit.sympy_text",
    "json": "nn2eq.emit.json_text",
    "c": "nn2eq.emit.c_text",
    "javascript": "nn2eq.emit.javascript_text",
    "fortran": "nn2eq.emit.fortran_text",
    "rust": "nn2eq.emit.rust_text",
    "java": "nn2eq.emit.java_text",
    "go": "nn2eq.emit.go_text",
    "octave": "nn2eq.emit.octave_text",
    "r": "nn2eq.emit.r_text",
    "casadi": "nn2eq.emit.casadi_text",
    "pyomo": "nn2eq.emit.pyomo_text",
    "smtlib": "nn2eq.emit.smtlib_text",
    "sql": "nn2eq.emit.sql",
    "markdown": "nn2eq.emit.markdown_text",
    "mathml": "nn2eq.emit.mathml_text",
    "html": "nn2eq.emit.html_text",
    "typst": "nn2eq.emit.typst_text",
    "unicode": "nn2eq.emit.unicode_text",
    "excel": "nn2eq.emit.workbook",
    "excel-formula": "nn2eq.emit.excel_formula_text",
}


@dataclass(frozen=True)
class Emitter:
    """A language: what it is called, which layouts it can say, and how it writes them.

    name: as on the command line; suffix: of its files; comment: what starts a comment line, "" where there is none;
    comment_end: what it must end with.
    layouts: the layouts it can say; default: the one it says when none is asked for, "" to choose by size.
    write: Program → text without a header, or bytes. options: the names of Options that mean something to it.
    spelling: the formula it prints for an activation, given the options: what the size of a nested text follows.
    for_people: whether people read it rather than machines run it. external: whether it takes a compiler or another
    program to run its texts, which is done only when asked for. quick: numbers that a text may hold to be run
    without being asked for, 0 for any. header: writes the file that declares the text's function for others, where
    the language has such files. fill: returns a text of symbols alone with the numbers of a program beside them, any
    other text as it is. derivatives: the layouts in which it can say derivatives, the preferred one first. merged:
    whether a text has one function only, which gives all that a program's functions do. fractions: whether it writes
    exact ones. binary: whether it writes a file's bytes, no text. instead: for forms that it leaves to another one,
    what that is and why.
    """

    name: str
    suffix: str
    comment: str
    layouts: tuple[str, ...]
    write: Callable[[Program, Options], Content]
    spelling: Callable[[Options], Spelling]
    options: frozenset[str] = frozenset()
    default: str = ""
    for_people: bool = False
    external: bool = False
    quick: int = 0
    header: Callable[[Program, Options], str] | None = None
    comment_end: str = ""
    fractions: bool = False
    fill: Callable[[str, Program], str] = lambda text, program: text
    derivatives: tuple[str, ...] = ()
    merged: bool = False
    binary: bool = False
    instead: Mapping[str, str] = field(default_factory=dict)

    def says(self, layout: str) -> bool:
        """Whether it can say a layout, "" for any of derivatives."""
        return layout in self.layouts if layout else bool(self.derivatives)

    def able(self, *, derivatives: bool) -> tuple[str, ...]:
        """Return the layouts that it can say, of derivatives or of the network alone."""
        return self.derivatives if derivatives else self.layouts


def emitter(language: str) -> Emitter:
    """Return a language's emitter. Raises CannotEmit for a language that is not there."""
    if language not in LANGUAGES:
        way_out = one_of(language, LANGUAGES)
        raise CannotEmit(f"unknown format {language!r}", code="unknown-format", way_out=way_out)
    return cast(Emitter, import_module(LANGUAGES[language]).EMITTER)


def emit(program: Program, language: str, options: Options | None = None) -> str:
    """Write a Program as text, without a header.

    Raises CannotEmit if the language cannot say the program's layout, or an option does not apply to it, or if it is
    no text.
    """
    return as_text(content(program, language, options))


def as_text(found: Content) -> str:
    """Return what is a text. Raises CannotEmit for the bytes of a file."""
    if isinstance(found, bytes):
        raise CannotEmit("a workbook is not a text", code="binary", way_out="nn2eq.convert gives its bytes")
    return found


def content(program: Program, language: str, options: Options | None = None) -> Content:
    """Write a Program as `emit` does, as bytes where the language is no text. Raises CannotEmit."""
    options = options or Options()
    chosen = emitter(language)
    derivatives = len(program.functions) > 1
    require(chosen, (program.layout,), options, program.form if derivatives else "", derivatives=derivatives)
    if any(constant.data.dtype.kind == "O" for constant in program.predict.constants):
        require_fractions(chosen, options)
    _require_named(program, options)
    return chosen.write(program, options)


def _require_named(program: Program, options: Options) -> None:
    """Raise CannotEmit if a name is spelled that no input and no output has."""
    known = (*program.inputs, *program.outputs)
    for name in options.latex_names:
        if name not in known:
            few = known if len(known) <= FEW else (*known[: FEW - 1], "...")
            way_out = f"they are called {', '.join(few)}"
            raise CannotEmit(
                f"--latex-names: no input or output is called {name!r:.80}", code="names", way_out=way_out
            )


def require(
    chosen: Emitter, layouts: tuple[str, ...], options: Options, form: str = "", *, derivatives: bool = False
) -> None:
    """Raise CannotEmit if the language cannot say a layout (of derivatives), or an option does not apply to it."""
    able = chosen.able(derivatives=derivatives)
    for layout in layouts:
        if layout not in able:
            what = f"the {form or layout} form{f' in the {layout} layout' if derivatives else ''}"
            raise CannotEmit(
                f"{chosen.name} cannot say {what}",
                code="form-format",
                way_out=chosen.instead.get(form)
                or (f"it says {', '.join(able)}" if able else "use another --format"),
            )
    if idle := options.given() - chosen.options:
        spelled = ", ".join("--" + name.replace("_", "-") for name in sorted(idle))
        raise CannotEmit(
            f"{spelled} does not apply to {chosen.name}", code="option-format", way_out="leave it out"
        )
    chosen.spelling(options)  # refuses the options that do not go together


def require_fractions(chosen: Emitter, options: Options) -> None:
    """Raise CannotEmit if the language writes no fractions, or if they are to be rounded."""
    if not chosen.fractions:
        able = ", ".join(name for name in LANGUAGES if emitter(name).fractions)
        raise CannotEmit(
            f"{chosen.name} has no exact fractions",
            code="no-fractions",
            way_out=f"they are written in {able}",
        )
    if options.digits:
        raise CannotEmit(
            "--exact and --digits exclude each other", code="option-format", way_out="leave out --digits"
        )
