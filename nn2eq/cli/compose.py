"""nn2eq compose: one network behind another, as a network file."""

from __future__ import annotations

import click

from nn2eq.cli.help import Sectioned
from nn2eq.cli.terminal import say, write

_EPILOG = """\b
Examples:
  nn2eq compose first.h5 second.h5 -o both.json && nn2eq both.json
  nn2eq compose first.h5 second.h5 --derivation"""


@click.command(cls=Sectioned, epilog=_EPILOG, short_help="One network behind another, as a network file.")
@click.argument("first", type=click.Path())
@click.argument("second", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE",
    default="",
    help="Write the network to FILE.",
)
@click.option("--derivation", is_flag=True, help="Show how the two become one, as LaTeX.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def compose(first: str, second: str, output: str, derivation: bool, debug: bool) -> None:
    """Write SECOND(FIRST(x)) as a network file (JSON of nn2eq's own) that every command reads."""
    from nn2eq.composition import compose as composed
    from nn2eq.reading import read
    from nn2eq.reading.own_json import write_network

    before, after = read(first), read(second)
    network = composed(before, after)
    if output or not derivation:
        write(write_network(network), output)
    if derivation:
        from nn2eq.show.derivation import derivation as derived

        write(derived(before, after), "")
    say(f"inputs: {network.inputs}, layers: {len(network.layers)}, outputs: {network.outputs}")
