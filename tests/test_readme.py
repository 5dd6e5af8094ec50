"""The README is true: every block is run, and every command, option, format, form and row is named."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from nn2eq.activations import ROWS
from nn2eq.cli.main import COMMANDS, commands
from nn2eq.emit import LANGUAGES
from nn2eq.forms import FORMS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.M | re.S)
FIGURE = re.compile(r"\d+(\.\d+)?e[-+]\d+|\d+(\.\d+)? ulp|x = \([^)]*\)|\d+ samples")
SETS_UP = ("make ", "pip ", "pipx ", "git ", "eval ")
"""Commands that set a machine up: `.ci/run` runs them on a clean one."""


def sessions() -> Iterator[tuple[str, str]]:
    """Yield each command of the console blocks with the output that is shown for it."""
    for kind, block in BLOCKS:
        if kind == "console":
            for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
                match = re.match(r"((?:.*\\\n)*.*)\n", part)
                assert match is not None
                yield match[1].replace("\\\n", " "), part[match.end() :]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a reader's: the shipped models, and nothing that another block did not make."""
    found = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "models", found / "models")
    return found


def run(command: str, folder: Path) -> str:
    """Return what a command says, on both streams in the order in which it says it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env={**os.environ, "PATH": path, "COLUMNS": "110"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.stdout


def without_figures(text: str) -> str:
    """Leave out what differs from one machine to another: how large a rounding error is, and where."""
    return FIGURE.sub("#", text).rstrip()


@pytest.mark.keras
@pytest.mark.parametrize(
    ("command", "shown"), list(sessions()), ids=lambda text: text[:50].splitlines()[0] if text else ""
)
def test_commands_say_what_is_shown(command: str, shown: str, folder: Path) -> None:
    if command.startswith(SETS_UP):
        assert (ROOT / ".ci" / "run").is_file()
        return
    said = without_figures(run(command, folder))
    expected = without_figures(shown)
    if expected.endswith("\n..."):
        said, expected = said[: len(expected) - 4], expected[:-4]
    assert said == expected


def test_python_blocks_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    blocks = [block for kind, block in BLOCKS if kind == "python"]
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert {kind for kind, _ in BLOCKS} <= {"console", "python", "json", "latex", "text"}


def test_every_command_and_option_is_named() -> None:
    for name in COMMANDS:
        command = commands.get_command(click.Context(commands), name)
        assert command is not None
        assert re.search(rf"`(nn2eq )?{name}\b", README), name
        for option in command.params:
            if isinstance(option, click.Option) and option.opts != ["--help"]:
                assert any(f"`{spelling}" in README for spelling in (*option.opts, *option.secondary_opts)), (
                    option.opts
                )


@pytest.mark.parametrize("name", [*LANGUAGES, *FORMS])
def test_every_format_and_form_is_named(name: str) -> None:
    assert f"`{name}`" in README


def test_every_activation_is_named() -> None:
    missing = [name for name, row in ROWS.items() if f"`{name}`" not in README and not row.transform]
    assert not missing


def test_no_option_is_invented() -> None:
    known = {
        spelling
        for name in COMMANDS
        for option in commands.get_command(click.Context(commands), name).params  # type: ignore[union-attr]
        for spelling in (*option.opts, *option.secondary_opts)
    } | {"--help", "--version"}
    for command, _ in sessions():
        if command.startswith("nn2eq"):
            spoken = {word.split("=")[0] for word in shlex.split(command) if word.startswith("--")}
            assert spoken <= known


def updated() -> str:
    """Return the README with every command's output as it is today, cut where it is cut now."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "models", folder / "models")
        text = README
        for command, shown in sessions():
            if not command.startswith(SETS_UP):
                said = run(command, folder)
                lines = shown.rstrip().splitlines()
                if lines and lines[-1] == "...":
                    said = "\n".join(said.splitlines()[: len(lines) - 1]) + "\n...\n"
                head = next(
                    part
                    for part in re.findall(r"^\$ ((?:.*\\\n)*.*)\n", text, re.M)
                    if part.replace("\\\n", " ") == command
                )
                text = text.replace(f"$ {head}\n{shown}", f"$ {head}\n{said}", 1)
        return text


if __name__ == "__main__":
    (ROOT / "README.md").write_text(updated())
