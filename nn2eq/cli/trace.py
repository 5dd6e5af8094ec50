"""nn2eq trace: every number on the way from x to y."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
import orjson

from nn2eq.cli.help import Sectioned
from nn2eq.cli.options import ModelOptions, fold_option, model_options
from nn2eq.cli.terminal import printable, say, table
from nn2eq.domain import parse_point
from nn2eq.proof.expectation import expect as expected
from nn2eq.proof.trace import trace as traced
from nn2eq.show import worked
from nn2eq.show.worked import DIGITS

_EPILOG = """\b
Examples:
  nn2eq trace model.h5 --at 0.5,1
  nn2eq trace model.h5 --at T=20,p=1 --format latex
  nn2eq trace model.h5 --at 0.5,1 --expect 0.253        where does my own answer come from?"""


@click.command(cls=Sectioned, epilog=_EPILOG, short_help="Every number on the way, at one input.")
@click.option(
    "--at", required=True, metavar="0.5,1", help="The input: numbers in order, or by name: a=0.5,b=1."
)
@click.option(
    "-f", "--format", "style", type=click.Choice(["text", "latex", "markdown", "json"]), default="text",
    show_default=True, help="A table, or every equation filled in with the numbers.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="As JSON, every term with its numbers.")
@click.option(
    "--digits", type=click.IntRange(1, 17), default=DIGITS, show_default=True,
    help="Significant digits of the numbers in equations.",
)  # fmt: skip
@click.option(
    "--expect", metavar="0.253",
    help="Your own answer (one for each output, or y2=0.3): is it right, off by rounding, or by which usual mistake?",
)  # fmt: skip
@fold_option
@model_options
def trace(
    source: ModelOptions, at: str, style: str, as_json: bool, digits: int, expect: str | None, fold: bool
) -> int:
    """Show every pre-activation and activation of MODEL at one input, and how each comes about.

    Exit status: 1 if the answer that is expected differs by more than rounding.
    """
    network = source.network()
    x = parse_point(at, network.input_labels)
    rows = traced(network, x, fold=fold)
    verdict = expected(network, x, expect) if expect is not None else None
    if as_json or style == "json":
        found: Any = [row.as_dict() for row in rows]
        found = found if verdict is None else {"values": found, "expected": asdict(verdict)}
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    elif style == "text":
        head = ("value", "", "filled in", "of")
        filled = [(row.name, f"{row.number:.10g}", worked.text(row, digits), row.origin) for row in rows]
        table(head, filled, wrapped=head.index("filled in"))
    else:
        click.echo(worked.STYLES[style](network, rows, digits), nl=False)
    if verdict is not None and not (as_json or style == "json"):
        for line in verdict.lines():
            (click.echo if style == "text" else say)(printable(line))
    return 1 if verdict is not None and verdict.kind == "error" else 0
