"""nn2eq regions: the affine pieces of a network of ReLU and its kind."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import click
import orjson

from nn2eq.cells import Progress, Region, Regions
from nn2eq.cells import regions as found_regions
from nn2eq.cli.help import Sectioned
from nn2eq.cli.options import ModelOptions, model_options
from nn2eq.cli.terminal import say, table, write
from nn2eq.domain import parse_domain
from nn2eq.network import numbered

SHOWN = 50
"""Pieces listed for people."""
INTERRUPTED = 130
"""The exit code of what a user stops, as shells have it."""
MANY = 6
"""Inputs or outputs shown at most; dots stand for more."""


_EPILOG = """\b
Examples:
  nn2eq regions model.h5
  nn2eq regions model.h5 --domain=-1:1 --merge --json -o pieces.json"""


@click.command(cls=Sectioned, epilog=_EPILOG, short_help="The affine pieces of a ReLU network.")
@click.option(
    "--domain",
    metavar="-1:1",
    help="The box: -1:1 for every input, or a=-1:1,b=0:5. [default: the whole space]",
)
@click.option("--merge", is_flag=True, help="Join neighbouring pieces that have the same map.")
@click.option("--exact", is_flag=True, help="Numbers as fractions.")
@click.option("--max-regions", type=click.IntRange(min=1), metavar="N", help="Stop after this many.")
@click.option(
    "--jobs",
    type=int,
    default=1,
    metavar="N",
    help="Processes that share the work, -1 for all cores; needs nn2eq[parallel].",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, all of them.")
@click.option(
    "-o", "--output", type=click.Path(), default="", metavar="FILE", help="Write the JSON to a file."
)
@model_options
def regions(
    source: ModelOptions,
    domain: str | None,
    merge: bool,
    exact: bool,
    max_regions: int | None,
    jobs: int,
    as_json: bool,
    output: str,
) -> None:
    """List the affine pieces of MODEL, a network of ReLU and its kind: where each is, and its map there."""
    network = source.network()
    names = network.input_labels
    found = found_regions(
        network,
        None if domain is None else parse_domain(domain, names),
        merge=merge,
        exact=exact,
        max_regions=max_regions,
        progress=show_progress if is_watched() else None,
        jobs=jobs,
    )
    if as_json or output:
        write(orjson.dumps(found.as_dict(), option=orjson.OPT_APPEND_NEWLINE), output)
    else:
        _show(found, names)
    limited = found.count == max_regions
    _say_how_sure(found, "are" if limited else "may be")
    if not found.complete and not limited:
        sys.exit(INTERRUPTED)


def is_watched() -> bool:
    """Whether someone looks at standard error."""
    return sys.stderr.isatty()


def show_progress(progress: Progress) -> None:
    """Say on standard error how many pieces there are so far, each time over what was said before."""
    end = "\n" if progress.done == progress.known else "\r"
    print(
        f"nn2eq: {progress.known:,} pieces so far, {progress.done:,} done",
        end=end,
        file=sys.stderr,
        flush=True,
    )


def _say_how_sure(found: Regions, there: str) -> None:
    if found.proof is None:
        say(f"incomplete: stopped after {_pieces(found.count)}; there {there} more")
        return
    proof = found.proof
    say(
        f"complete: each of {proof.inner:,} inner facets has its twin; {proof.by_filter:,} signs certain in "
        f"floating point, {proof.exactly:,} decided in whole numbers"
    )


def _pieces(count: int) -> str:
    return f"{count:,} piece{'s' * (count != 1)}"


def _show(found: Regions, names: tuple[str, ...]) -> None:
    merged = "" if found.merged is None else f", {found.merged:,} where neighbours with the same map are one"
    print(f"{'' if found.complete else 'at least '}{_pieces(found.count)}{merged}\n")
    _show_story(found)
    shown = enumerate(islice(found.pieces(), SHOWN), start=1)
    table(("", *_head(found, names)), [(str(number), *_row(region, names)) for number, region in shown])
    more = (found.merged or found.count) - SHOWN
    if more > 0:
        print(f"... {more:,} more: --json lists them all")


def _show_story(found: Regions) -> None:
    """Tell which layer adds what; of an incomplete list there is no such story."""
    if not found.story:
        return
    rows = []
    for chapter in found.story:
        joints = [f"{', '.join(joint.units)} at {_number(joint.place)}" for joint in chapter.joints]
        adding = sum(count > 0 for _, count in chapter.added)
        what = _few(joints) if joints else f"{adding} of {len(chapter.added)} units"
        rows.append((str(chapter.layer), f"{chapter.count:,}", what))
    table(("layer", "pieces", "joints" if len(found.domain) == 1 else "added by"), rows)
    print()


def _few(words: list[str]) -> str:
    return "; ".join(words if len(words) <= 12 else [*words[:11], f"... {len(words) - 11} more"])


def _head(found: Regions, names: tuple[str, ...]) -> tuple[str, ...]:
    where = ("from", "to") if len(names) == 1 else (f"a point ({', '.join(_few_of(names))})",)
    return (*where, *_few_of(numbered("y", found.matrices.shape[1])))


def _row(region: Region, names: tuple[str, ...]) -> Iterator[str]:
    if region.interval is not None:
        yield from map(_number, region.interval)
    else:
        yield ", ".join(_few_of(tuple(map(_number, region.interior))))
    yield from _few_of(tuple(map(partial(affine_text, names), region.matrix, region.vector)))


def affine_text(names: tuple[str, ...], row: Sequence[Any], offset: Any) -> str:
    """Write slopes and an offset as 0.5 x1 - 2 x2 + 1."""
    terms = _few_of(tuple(_factor(slope) + name for slope, name in zip(row, names, strict=True) if slope))
    text = " + ".join([*terms, *([_number(offset)] if offset or not terms else [])])
    return text.replace("+ -", "- ")


def _factor(slope: Any) -> str:
    return {1: "", -1: "-"}.get(slope, f"{_number(slope)} ")


def _few_of(words: tuple[str, ...]) -> tuple[str, ...]:
    return words if len(words) <= MANY else (*words[: MANY - 1], "...")


def _number(number: Any) -> str:
    return f"{number + 0.0:.6g}" if isinstance(number, float) else str(number)
