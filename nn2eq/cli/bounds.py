"""nn2eq bounds: proved ranges."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
import orjson

from nn2eq.bounds import Bounds, Progress, Range
from nn2eq.bounds import bounds as proved
from nn2eq.cli.help import Sectioned
from nn2eq.cli.options import ModelOptions, box_of, data_option, domain_option, model_options
from nn2eq.cli.terminal import say, table

_SHOWN = 200
"""Derivatives that are shown as a table; JSON has them all."""


_EPILOG = """\b
Examples:
  nn2eq bounds model.h5 --domain=-1:1
  nn2eq bounds model.h5 --inputs T,p --domain T=0:5,p=1:2 --gap 1e-6 --json"""


@click.command(cls=Sectioned, epilog=_EPILOG, short_help="Prove the range of outputs and derivatives.")
@domain_option
@click.option(
    "--gap", type=click.FloatRange(min=0), help="Stop when every bound is this close to the true range."
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Stop after this many seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@data_option
@model_options
def bounds(
    source: ModelOptions,
    domain: str | None,
    data: str | None,
    gap: float | None,
    seconds: float,
    as_json: bool,
) -> None:
    """Prove the range of every output of MODEL, and of its derivatives, over a box."""
    network = source.network()
    box = box_of(domain, network, data)
    with _progress() as progress:
        found = proved(network, box, gap=gap, seconds=seconds, progress=progress)
    say(
        f"proved by {found.boxes:,} boxes; the true range may be narrower by {found.gap:.2g}, "
        f"that of the derivatives by {found.jacobian_gap:.2g}"
    )
    if as_json:
        click.echo(orjson.dumps(found.as_dict(), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(found, network.input_labels, network.output_labels)


def _show(found: Bounds, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
    table(
        ("for", "from", "to"),
        [
            (name, f"{low:.10g}", f"{high:.10g}")
            for name, (low, high) in zip(inputs, found.domain, strict=True)
        ],
    )
    click.echo()
    rows = [_row(name, output) for name, output in zip(outputs, found.outputs, strict=True)]
    if len(inputs) * len(outputs) <= _SHOWN:
        rows += [
            _row(f"d{output}/d{name}", entry)
            for output, line in zip(outputs, found.jacobian, strict=True)
            for name, entry in zip(inputs, line, strict=True)
        ]
    else:
        say(f"{len(inputs) * len(outputs):,} derivatives are in --json")
    table(("proved", "at least", "at most"), rows)


def _row(name: str, proved: Range) -> tuple[str, str, str]:
    """Write the ends with ten digits, rounded so that they still hold."""
    return name, _rounded(proved.low, -1), _rounded(proved.high, 1)


def _rounded(value: float, sign: int) -> str:
    text = f"{value:.9e}"
    if sign * (float(text) - value) < 0:
        text = f"{value + sign * abs(value) * 1e-9:.9e}"
    return f"{float(text):.10g}"


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Show how much of the box is settled: a bar on standard error, on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("proving", total=1.0)

        def told(done: float, gap: float) -> None:
            bar.update(task, completed=done, description=f"proving, gap {gap:.2g}")

        yield told
