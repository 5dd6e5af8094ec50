"""nn2eq formats: which format can say which form."""

from __future__ import annotations

import click
import orjson

from nn2eq.cli.terminal import table
from nn2eq.emit import LANGUAGES, emitter
from nn2eq.forms import FORMS, Form


def _says(language: str, form: Form) -> bool:
    chosen = emitter(language)
    return chosen.says(form.layout_among(chosen.layouts))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def formats(as_json: bool, debug: bool) -> None:
    """Show which format can say which form."""
    rows = {name: [form.name for form in FORMS.values() if _says(name, form)] for name in LANGUAGES}
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    table(
        ("format", *FORMS, "file"),
        [
            (name, *("yes" if form in said else "-" for form in FORMS), f"*{emitter(name).suffix}")
            for name, said in rows.items()
        ],
    )
    for form in FORMS.values():
        click.echo(f"{form.name}: {form.summary}")
