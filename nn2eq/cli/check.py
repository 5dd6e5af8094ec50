"""nn2eq check: does a text emitted earlier still say what the model says?"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import click
import orjson

from nn2eq.cli.help import Sectioned
from nn2eq.cli.options import ModelOptions, asked_keras, data_option, keras_is_wanted, model_options, rows_of
from nn2eq.cli.terminal import printable, waiting
from nn2eq.emit import as_text
from nn2eq.errors import BadRequest, Nn2eqError
from nn2eq.network import Network
from nn2eq.proof.agreement import Agreement
from nn2eq.proof.judge import judge

TEXT_LIMIT = 500_000_000
"""Bytes that a text may have."""


@dataclass(frozen=True)
class Verdict:
    """What came of one file: an agreement, or why there is none."""

    file: str
    agreement: Agreement | None
    error: Nn2eqError | None

    @property
    def exit_code(self) -> int:
        """0 it agrees, 1 it differs, 2 it could not be judged."""
        if self.agreement is not None:
            return 0 if self.agreement.holds else 1
        return self.error.exit_code if self.error else 2

    def line(self) -> str:
        """Say it in one line."""
        if self.agreement is None:
            return str(self.error)
        where = "" if self.agreement.holds else f": {self.agreement.where()}"
        return f"{self.file}: {self.agreement.line()}{where}"


_EPILOG = """\b
Examples:
  nn2eq check model.h5 formula.py               a text that was emitted, or edited by hand
  nn2eq check model.h5 formula.c --run          compiles it
  nn2eq check model.h5 short.tex --certificate short.json"""


@click.command(cls=Sectioned, epilog=_EPILOG, short_help="Does a text still say what MODEL says?")
@click.option(
    "-f",
    "--format",
    "language",
    default="",
    metavar="FORMAT",
    help="The texts' language, where neither header nor content tells it.",
)
@click.option("--name", default="", help="The function's name, where no header gives it.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--check", "ask", is_flag=True, default=lambda: keras_is_wanted(), help="Ask Keras itself too.")
@click.option(
    "--run",
    is_flag=True,
    help="Start a compiler or another program where running a text needs one; it runs without limits.",
)
@click.option(
    "--certificate",
    metavar="FILE",
    default="",
    help="The certificate of the text: prove again, independently, what it states.",
)
@data_option
@model_options
@click.argument("texts", metavar="FILE...", nargs=-1, required=True, type=click.Path())
def check(
    source: ModelOptions, texts: tuple[str, ...], language: str, name: str, as_json: bool, ask: bool, run: bool,
    certificate: str, data: str | None,
) -> int:  # fmt: skip
    """Run or read texts that were emitted from MODEL, also edited ones, and say where they differ from it.

    Exit status: 0 all agree, 1 one differs, 2 one cannot be judged.
    """
    if certificate and len(texts) > 1:
        what = f"a certificate is for one text, and {len(texts)} are given"
        raise BadRequest(what, code="usage", way_out="check them one by one")
    network = source.network(symbols=True)
    rows = rows_of(data, network)
    if ask:
        network.require_numbers("asking Keras")
        asked_keras(source, network, rows)

    def verdict(file: str) -> Verdict:
        try:
            with waiting(f"checking {file}"):
                text = read_text(file)
                found = judge(network, text, language=language, name=name, data=rows, outside=run)
                if certificate and found.holds:
                    found = _with_certificate(network, as_text(text), certificate, found)
                return Verdict(file, found, None)
        except Nn2eqError as error:
            return Verdict(file, None, error.in_file(file))

    verdicts = [verdict(file) for file in texts]
    if as_json:
        click.echo(orjson.dumps([_as_dict(found) for found in verdicts], option=orjson.OPT_INDENT_2).decode())
    else:
        for found in verdicts:
            click.echo(printable(found.line()))
    return max(found.exit_code for found in verdicts)


def _with_certificate(network: Network, text: str, file: str, found: Agreement) -> Agreement:
    """Prove a text's certificate again, and say so. Raises Disagreement."""
    from nn2eq.proof.certificate import read_certificate
    from nn2eq.proof.certified import certified

    said = certified(network, text, read_certificate(as_text(read_text(file))))
    return replace(found, note="; ".join(filter(None, (found.note, said))))


def _as_dict(found: Verdict) -> dict[str, object]:
    told = {"file": printable(found.file), "holds": found.exit_code == 0, "said": printable(found.line())}
    return told | ({"agreement": asdict(found.agreement)} if found.agreement else {})


def read_text(file: str) -> str | bytes:
    """Read a text to be judged, or a workbook, which is a zip file. Raises BadRequest."""
    try:
        with open(file, "rb") as opened:
            data = opened.read(TEXT_LIMIT + 1)
    except OSError as error:
        raise BadRequest(f"cannot be read: {error.strerror}", code="text-file", file=file) from None
    if len(data) > TEXT_LIMIT:
        raise BadRequest(f"more than {TEXT_LIMIT:,} bytes", code="text-file", file=file)
    if data.startswith(b"PK\x03\x04"):
        return data
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("not a text in UTF-8", code="text-file", file=file) from None
