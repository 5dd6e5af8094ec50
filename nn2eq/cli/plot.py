"""nn2eq plot: pictures of networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import click

from nn2eq.cli.help import Sectioned, words
from nn2eq.cli.options import ModelOptions, data_option, models_options
from nn2eq.cli.shape import shape_options
from nn2eq.cli.terminal import waiting, write
from nn2eq.forms import FORMS
from nn2eq.show.pictures import KINDS, drawn, kind_of, require_suffix, shaping, suffix_of
from nn2eq.show.pictures.theme import THEMES

_EPILOG = """\b
Examples:
  nn2eq plot model.h5 --kind function --domain=-1:1 -o function.svg
  nn2eq plot model.h5 --kind errors --form taylor --order 5 --domain=-1:1 -o errors.pdf

\b
Kinds:
""" + "\n".join(f"  {kind.name:12} {kind.summary}" for kind in KINDS.values())


@click.command(cls=Sectioned, epilog=_EPILOG, short_help="Pictures: functions, pieces, graphs, errors.")
@click.option(
    "--kind",
    required=True,
    metavar="KIND",
    shell_complete=words(KINDS),
    help=f"What to show: {', '.join(KINDS)}.",
)
@click.option(
    "-o", "--output", type=click.Path(), required=True, metavar="FILE",
    help="The file to write: .png, .svg or .pdf, for a diagram also .tex, .dot or .mmd.",
)  # fmt: skip
@click.option(
    "--theme", type=click.Choice([*THEMES]), default="light", show_default=True, help="The colours."
)
@click.option("--true", metavar="FORMULA", help="function: the true function, 'x**2 + 10*sin(x)'.")
@click.option(
    "--form", metavar="FORM", help=f"function, errors: a form beside the model: {', '.join(FORMS)}."
)
@click.option(
    "--digits", type=click.IntRange(1, 17), help="function, errors: numbers rounded to this many digits."
)
@click.option("--path", metavar="A1_2,...", help="diagram: highlight the paths through these units.")
@click.option(
    "--view", type=click.Choice(["units", "layers"]), help="diagram: one node per unit or per layer."
)
@click.option(
    "--colour",
    type=click.Choice(["map", "pattern"]),
    help="regions: colour by the affine map or by the activation pattern.",
)
@click.option("--units", metavar="A1_1,A1_2", help="projection: two or three units of the last hidden layer.")
@partial(shape_options, names=("domain", *shaping()))
@data_option
@models_options
def plot(
    sources: tuple[ModelOptions, ...], kind: str, output: str, theme: str, shape: Mapping[str, Any], **given: Any
) -> None:  # fmt: skip
    """Draw MODEL, or several beside one another: its function, its layers, its pieces, its graph."""
    require_suffix(kind, suffix_of(output))
    if "threshold" in kind_of(kind).takes:  # such a kind shows how the network itself comes to its decision
        given["threshold"] = sources[0].threshold
        given["decide_on"] = "" if sources[0].decide_on == "y" else sources[0].decide_on
        sources = tuple(replace(source, threshold=None, decide_on="y") for source in sources)
    networks = [source.network() for source in sources]
    with waiting(f"drawing {output}"):
        picture = drawn(networks, kind, suffix_of(output), theme=theme, **given, **shape)
    write(picture, output)
