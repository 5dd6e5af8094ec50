"""nn2eq trace: every number on the way from x to y."""

from __future__ import annotations

import click
import orjson

from nn2eq.cli.options import ModelOptions, fold_option, model_options
from nn2eq.cli.terminal import table
from nn2eq.domain import parse_point
from nn2eq.network import numbered
from nn2eq.proof.trace import trace as traced


@click.command()
@click.option("--at", required=True, metavar="0.5,1", help="One input, in order, or by name: a=0.5,b=1.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@fold_option
@model_options
def trace(source: ModelOptions, at: str, as_json: bool, fold: bool) -> None:
    """Show every pre-activation and activation of MODEL at one input."""
    network = source.network()
    x = parse_point(at, network.input_names or numbered("x", network.inputs))
    rows = traced(network, x, fold=fold)
    if as_json:
        found = [{"name": row.name, "origin": row.origin, "value": row.number} for row in rows]
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    table(("value", "", "of"), [(row.name, f"{row.number:.10g}", row.origin) for row in rows])
