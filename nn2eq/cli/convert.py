"""nn2eq convert: the default command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from nn2eq.cli.help import Sectioned, words
from nn2eq.cli.options import (
    ModelOptions,
    asked_keras,
    data_option,
    dense_option,
    fold_option,
    keras_is_wanted,
    model_options,
    rows_of,
)  # fmt: skip
from nn2eq.cli.shape import shape_options
from nn2eq.cli.terminal import say, waiting, write
from nn2eq.emit import LANGUAGES, emitter
from nn2eq.emit.options import LIMIT, Options
from nn2eq.errors import BadRequest, CannotEmit, one_of
from nn2eq.forms import FORMS

_EPILOG = """\b
Examples:
  nn2eq model.h5 --activations explicit --digits 4
  nn2eq model.h5 -f numpy -o formula.py
  nn2eq model.h5 --form taylor --order 5 --at 0 --domain=-1:1
  nn2eq model.h5 --inputs T,p --scale-input T=minmax:0:5,p=standard:1:0.2 --scale-output minmax:0:100
  nn2eq model.json --weights weights.h5 -f python --expression
  nn2eq --dense 2-2-2-1:tanh --notation greek
  nn2eq model.keras --standalone --numbers table -o model.tex && pdflatex model.tex"""


@click.command(cls=Sectioned, epilog=_EPILOG, short_help="Write MODEL as an equation or as code, checked.")
@click.option(
    "-f",
    "--format",
    "language",
    default="latex",
    show_default=True,
    metavar="FORMAT",
    shell_complete=words((*LANGUAGES, *FORMS)),
    help=f"The language: {', '.join(LANGUAGES)}; or a form's name, which means LaTeX in that form.",
)
@click.option(
    "--form",
    "form",
    default="",
    metavar="FORM",
    shell_complete=words(FORMS),
    help=f"The mathematical shape: {', '.join(FORMS)}; by default chosen by size.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE",
    default="",
    help="Write to FILE (whole or not at all) instead of standard output.",
)
@click.option("--name", default="predict", show_default=True, help="The function's name in a text that runs.")
@click.option(
    "--digits", type=click.IntRange(1, 17), help="Round the numbers to this many significant digits."
)
@click.option(
    "--activations",
    type=click.Choice(["name", "explicit", "symbol", "linear"]),
    default="name",
    show_default=True,
    help="tanh(z) by name, its formula, or a symbol; linear: removed, to show the affine map that remains.",
)
@click.option("--standalone", is_flag=True, help="LaTeX: a document that pdflatex compiles.")
@click.option(
    "--numbers",
    type=click.Choice(["inline", "matrix", "table"]),
    default="inline",
    show_default=True,
    help="LaTeX: numbers in the equations, as matrices beside symbols, or in a table of all weights.",
)
@click.option("--latex-names", metavar="'T_in=T_\\mathrm{in}'", default="", help="LaTeX spellings of names.")
@click.option("--expression", is_flag=True, help="NumPy, Python: the bare expression instead of a function.")
@click.option(
    "--dtype",
    type=click.Choice(["float64", "float32"]),
    default="float64",
    show_default=True,
    help="C, SQL in some dialects: the floating-point type of the text.",
)
@click.option(
    "--dialect",
    default="",
    help="SQL: the engine: sqlite (the default), duckdb, postgres, spark, or another that sqlglot "
    "translates into.",
)
@click.option("--table", default="", help="SQL: the table whose columns are the inputs; data by default.")
@click.option(
    "--keep", metavar="A,B", default="", help="SQL: columns of the table to keep beside the answers."
)
@click.option(
    "--certificate",
    type=click.Path(),
    metavar="FILE",
    default="",
    help="Write a certificate of what is proved of the text, for `nn2eq check`.",
)
@click.option(
    "--header",
    type=click.Path(),
    metavar="FILE",
    default="",
    help="C: also write a header file that declares the function.",
)
@click.option(
    "--run", is_flag=True, help="Start a compiler or another program where running the text needs one."
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=LIMIT,
    show_default=True,
    help="The most numbers that a nested or layered text may hold.",
)
@click.option(
    "--check",
    "ask",
    is_flag=True,
    default=lambda: keras_is_wanted(),
    help="Also compare with Keras itself, of the generation that saved the file (always, if NN2EQ_CHECK=keras).",
)
@shape_options
@data_option
@fold_option
@dense_option
@model_options
def convert(
    source: ModelOptions, language: str, form: str, output: str, name: str, digits: int | None, activations: str,
    standalone: bool, numbers: str, latex_names: str, expression: bool, dtype: str, dialect: str, table: str, keep: str,
    certificate: str, header: str, run: bool, limit: int, ask: bool, shape: Mapping[str, Any], data: str | None,
    fold: bool,
) -> None:  # fmt: skip
    """Write MODEL as an equation or as code, and check it against the model (the default command)."""
    language, form = _meant(language, form)
    linear = activations == "linear"
    activations = "name" if linear else activations
    options = Options(
        name, activations, digits or 0, standalone, numbers, parse_latex_names(latex_names), expression, dtype,
        dialect=dialect, table=table, keep=tuple(filter(None, map(str.strip, keep.split(",")))),
    )  # fmt: skip
    with source.start() as started:
        from nn2eq.conversion import Request, require_possible  # while the child reads
        from nn2eq.conversion import convert as converted

        request = Request(language, form, fold, limit, options, shape, linear)
        require_possible(request)
        _require_files(language, output, certificate, header)
        with waiting(f"reading {source.model or source.dense}", long=source.is_large):
            network = source.network(started, symbols=True)
    if ask:
        network.require_numbers("asking Keras")
    rows = rows_of(data, network)
    asked = asked_keras(source, network, rows) if ask else None
    with waiting(f"writing and checking {language}", long=source.is_large or run or bool(shape)):
        conversion = converted(network, request, data=rows, asked=asked, run=run)
        proved = conversion.certificate(network, request) if certificate else ""
    write(conversion.text, output)
    for text, file in ((proved, certificate), (conversion.header, header)):
        if file:
            write(text, file)
    if conversion.reason:
        say(f"form: {conversion.program.form} ({conversion.reason})")
    say(f"{language}: {conversion.line()}{'' if conversion.agreement else '; --run starts it'}")


def _require_files(language: str, output: str, certificate: str, header: str) -> None:
    """Refuse files that a language does not write, or has no text for. Raises BadRequest, CannotEmit."""
    chosen = emitter(language)
    if chosen.binary and not output:
        what = f"{language} is not a text format"
        raise BadRequest(what, code="output", way_out="name a file with -o FILE")
    if chosen.binary and certificate:
        what = "a certificate is for a text, and a workbook is not one"
        raise BadRequest(what, code="certificate", way_out="certify another --format, such as json")
    if header and chosen.header is None:
        what = f"--header does not apply to {language}"
        raise CannotEmit(what, code="option-format", way_out="leave it out")


def _meant(language: str, form: str) -> tuple[str, str]:
    """Return the language and the form that are meant: a form's name as a format is LaTeX in that form."""
    if language in LANGUAGES:
        return language, form
    if language not in FORMS:
        way_out = one_of(language, (*LANGUAGES, *FORMS))
        raise BadRequest(f"unknown format {language!r}", code="unknown-format", way_out=way_out)
    if form not in ("", language):
        raise BadRequest(
            f"--format {language} and --form {form} name two forms", code="usage", way_out="name one"
        )
    return "latex", language


def parse_latex_names(text: str) -> Mapping[str, str]:
    """Parse `name=spelling,...`; commas inside braces belong to a spelling. Raises BadRequest."""
    parts, depth = [""], 0
    for char in text:
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    pairs = [part.strip().partition("=") for part in parts if part.strip()]
    if any(not (name and equals and spelling) for name, equals, spelling in pairs):
        raise BadRequest(
            f"--latex-names: {text!r}", code="names", way_out=r"write 'T_in=T_\mathrm{in},p=p_0'"
        )
    return {name.strip(): spelling.strip() for name, _, spelling in pairs}
