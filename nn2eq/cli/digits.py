"""nn2eq digits: how many significant digits a paper must print."""

from __future__ import annotations

import click
import orjson

from nn2eq.cli.help import Sectioned
from nn2eq.cli.options import ModelOptions, box_of, data_option, domain_option, fold_option, model_options
from nn2eq.cli.terminal import say, table, waiting
from nn2eq.forms.digits import Digits
from nn2eq.forms.digits import digits as needed

_SHOWN = 200
"""Coefficients that are shown as a table; JSON has them all."""


_EPILOG = """\b
Examples:
  nn2eq digits model.h5 --tolerance 1e-3 --domain=-1:1"""


@click.command(cls=Sectioned, epilog=_EPILOG, short_help="How many digits a paper must print.")
@click.option(
    "--tolerance", type=click.FloatRange(min=0, min_open=True), required=True,
    help="How far the printed formula may be from the network on the domain.",
)  # fmt: skip
@domain_option
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Stop proving after this many seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@fold_option
@data_option
@model_options
def digits(
    source: ModelOptions,
    tolerance: float,
    domain: str | None,
    data: str | None,
    seconds: float,
    as_json: bool,
    fold: bool,
) -> None:
    """How many significant digits of MODEL's numbers must be printed, overall and for each?"""
    network = source.network()
    box = box_of(domain, network, data)
    with waiting("rounding and proving"):
        found = needed(network, tolerance, box, fold=fold, seconds=seconds)
    if as_json:
        click.echo(orjson.dumps(found.as_dict(), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(found)


def _show(found: Digits) -> None:
    if len(found.each) <= _SHOWN:
        rows = [(one.name, f"{one.value:.9g}", str(one.digits), f"{one.printed!r}") for one in found.each]
        table(("coefficient", "value", "digits", "printed"), rows)
    else:
        counts = sorted({one.digits for one in found.each})
        table(
            ("digits", "coefficients"),
            [(str(count), f"{sum(one.digits == count for one in found.each):,}") for count in counts],
        )
        say(f"{len(found.each):,} coefficients are in --json")
    click.echo()
    click.echo(f"overall: {found.overall} digits, proved to be within {_up(found.proved)}")
    printed = sum(one.digits for one in found.each)
    click.echo(f"each its own: {printed:,} digits together, proved to be within {_up(found.proved_each)}")


def _up(value: float) -> str:
    """Write a bound with three digits, rounded so that it still holds."""
    text = f"{value + 0.0:.2e}"  # no -0
    return f"{float(text) if float(text) >= value else value * 1.005:.3g}"
