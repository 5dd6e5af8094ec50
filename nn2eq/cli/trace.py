"""nn2eq trace: every number on the way from x to y."""

from __future__ import annotations

from collections.abc import Sequence

import click
import numpy as np
import orjson
from numpy.typing import NDArray

from nn2eq.cli.options import ModelOptions, fold_option, model_options
from nn2eq.cli.terminal import table
from nn2eq.errors import BadRequest
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


def parse_point(text: str, names: Sequence[str]) -> NDArray[np.float64]:
    """Parse one input, `0.5,1` in order or `a=0.5,b=1` by name: (inputs,). Raises BadRequest."""
    parts = [part.strip() for part in text.split(",")]
    if any("=" in part for part in parts):
        given = dict(_named(part) for part in parts)
        if set(given) != set(names) or len(given) < len(parts):
            raise _bad(f"names {', '.join(given)}", f"name each of {', '.join(names[:8])} once")
        parts = [given[name] for name in names]
    if len(parts) != len(names):
        raise _bad(f"{len(parts)} numbers", f"this network takes {len(names)}")
    try:
        point = np.array([float(part) for part in parts])
    except ValueError:
        raise _bad(f"{text!r} has a part that is not a number", "write 0.5,1") from None
    if not np.isfinite(point).all():
        raise _bad("a number is not finite", "write 0.5,1")
    return point


def _named(part: str) -> tuple[str, str]:
    name, _, number = part.partition("=")
    return name.strip(), number.strip()


def _bad(what: str, way_out: str) -> BadRequest:
    return BadRequest(f"--at: {what}", code="point", way_out=way_out)
