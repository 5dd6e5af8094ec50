"""nn2eq info: what a network is made of."""

from __future__ import annotations

import click
import orjson

from nn2eq.cli.help import Sectioned
from nn2eq.cli.options import ModelOptions, model_options
from nn2eq.cli.terminal import printable, table
from nn2eq.description import Info
from nn2eq.description import info as described

_EPILOG = """\b
Examples:
  nn2eq info model.h5
  nn2eq info model.keras --json | jq .forms"""


@click.command(cls=Sectioned, epilog=_EPILOG, short_help="Layers, parameters, and the size of each form.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@model_options
def info(source: ModelOptions, as_json: bool) -> None:
    """Show MODEL's layers, parameters, multiply-adds, and the size of every form before it is built."""
    found = described(source.network())
    if as_json:
        click.echo(orjson.dumps(found.as_dict(), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(found)


def _show(found: Info) -> None:
    click.echo(
        printable(f"{found.model}: {found.container}, Keras {found.keras_version or 'of unknown version'}")
    )
    click.echo(f"sha256 {found.sha256}")
    given = ", or one number for all of them" if found.one_for_all and len(found.inputs) > 1 else ""
    click.echo(f"{_names('input', found.inputs)}{given}, {_names('output', found.outputs)}\n")
    table(
        ("", "layer", "class", "output", "activation", "parameters"),
        [
            (str(layer.number), layer.name, layer.class_name, " x ".join(map(str, layer.shape)),
             ", ".join(layer.activations) or "-", f"{layer.parameters:,}")
            for layer in found.layers
        ],
    )  # fmt: skip
    size = f"{found.parameters:,} parameters, {found.multiply_adds:,} multiply-adds"
    click.echo(f"\n{size}, {found.constant_bytes:,} bytes of constants\n")
    table(("form", "numbers in its text"), [(name, f"{size:,}") for name, size in found.forms.items()])


def _names(what: str, names: tuple[str, ...]) -> str:
    shown = ", ".join(names if len(names) <= 6 else (*names[:3], "...", names[-1]))
    return f"{len(names)} {what}{'s' * (len(names) != 1)} ({shown})"
