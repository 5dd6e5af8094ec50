"""nn2eq formats: which format can say which form."""

from __future__ import annotations

import shutil
import sys

import click
import orjson

from nn2eq.cli.help import Sectioned
from nn2eq.cli.terminal import table
from nn2eq.emit import LANGUAGES, emitter
from nn2eq.forms import FORMS, Form

WIDE = 130
"""Columns in which the table fits with the forms' whole names; their beginnings fit in eighty."""


def _says(language: str, form: Form) -> bool:
    chosen = emitter(language)
    return chosen.says(form.layout_among(chosen.layouts))


@click.command(cls=Sectioned, short_help="Which format can say which form.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def formats(as_json: bool, debug: bool) -> None:
    """Show which format can say which form."""
    rows = {name: [form.name for form in FORMS.values() if _says(name, form)] for name in LANGUAGES}
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    short = sys.stdout.isatty() and shutil.get_terminal_size().columns < WIDE
    table(
        ("format", *(name[:3] if short else name for name in FORMS), "file"),
        [
            (name, *("yes" if form in said else "-" for form in FORMS), f"*{emitter(name).suffix}")
            for name, said in rows.items()
        ],
    )
    for form in FORMS.values():
        click.echo(f"{form.name}: {form.summary}")
