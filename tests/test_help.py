"""Help helps: every option stands once, in a section, within a terminal; misspelt words find the one that is meant."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.shell_completion import BashComplete

from nn2eq.cli.help import SECTIONS
from nn2eq.cli.main import COMMANDS, commands, main
from nn2eq.errors import one_of

CONTEXT = click.Context(commands, info_name="nn2eq", terminal_width=80)


def command_of(name: str) -> click.Command:
    command = commands.get_command(CONTEXT, name)
    assert command is not None
    return command


def said_by(args: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(args)
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_stands_once_in_help(name: str) -> None:
    command = command_of(name)
    context = click.Context(command, CONTEXT, info_name=name, terminal_width=80)
    text = command.get_help(context)
    options, _, examples = text.partition("Examples:")
    for option in command.params:
        if isinstance(option, click.Option):
            spelling = max(option.opts or option.secondary_opts, key=len)
            spelling = (
                spelling
                if option.opts[0].startswith("--no-") or not option.secondary_opts
                else option.opts[0]
            )
            assert len(re.findall(rf"^  (?:-\w, )?{re.escape(spelling)}\b", options, re.MULTILINE)) == 1, (
                spelling
            )
    assert max(map(len, options.splitlines())) <= 80
    assert name == "formats" or f"nn2eq {'' if name == 'convert' else name}" in examples


def test_sections_name_parameters_that_there_are() -> None:
    known = {parameter.name for name in COMMANDS for parameter in command_of(name).params}
    named = [name for names in SECTIONS.values() for name in names]
    assert set(named) <= known
    assert len(named) == len(set(named))


def test_commands_are_listed_whole() -> None:
    listed = commands.get_help(CONTEXT).partition("Commands:")[2].partition("Examples:")[0]
    assert "..." not in listed
    assert all(re.search(rf"^  {name} +[A-Z]", listed, re.MULTILINE) for name in COMMANDS)


def test_nothing_at_all_is_answered_with_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said_by([], capsys)
    assert (code, err) == (2, "")
    assert out.startswith("Usage: nn2eq")
    assert "\\n" not in out


MISSPELT = {
    "a command": (["convret", "model.h5"], "did you mean convert?"),
    "a format": (["model.h5", "-f", "nunpy"], "did you mean numpy?"),
    "a form as a format": (["model.h5", "-f", "taylr"], "did you mean taylor?"),
    "a form": (["model.h5", "--form", "simplfied"], "did you mean simplified?"),
    "a kind of picture": (
        ["plot", "model.h5", "--kind", "functoin", "-o", "a.svg"],
        "did you mean function?",
    ),
    "a dialect": (["--dense", "1-1", "-f", "sql", "--dialect", "duckbd"], "did you mean duckdb?"),
    "an option": (["model.h5", "--fromat", "c"], "--format"),
}


@pytest.mark.parametrize("case", MISSPELT)
def test_what_is_misspelt_is_named(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    args, hint = MISSPELT[case]
    code, out, err = said_by(args, capsys)
    assert (code, out) == (2, "")
    assert hint in err
    assert err.startswith("nn2eq: ")
    assert err.count("\n") == 1


def test_a_word_like_none_is_answered_with_all() -> None:
    assert one_of("qqq", ["one", "two"]) == "one of one, two"


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["models.json", "--weights", "weights.h5"], "models.json"),
        (["here.json", "--weights", "gone.h5"], "gone.h5"),
    ],
)
def test_of_two_files_the_one_that_is_missing_is_named(
    args: list[str],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here.json").write_text("{}")
    code, _, err = said_by(args, capsys)
    assert (code, err) == (2, f"nn2eq: {named}: no such file [file]\n")


COMPLETED = {
    "nn2eq bo": {"plain,bounds", "plain,both.json", "plain,bowls/"},
    "nn2eq --for": {"plain,--format", "plain,--form"},
    "nn2eq mod": {"file,mod"},
    "nn2eq model.h5 --digi": {"plain,--digits"},
    "nn2eq model.h5 --format num": {"plain,numpy"},
    "nn2eq model.h5 --weights mod": {"file,mod"},
    "nn2eq plot model.h5 --kind func": {"plain,function"},
}


@pytest.mark.parametrize("line", COMPLETED)
def test_shells_are_told_what_may_follow(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("both.json", "bo th.json", "other.json"):
        (tmp_path / name).touch()
    (tmp_path / "bowls").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
    shell = BashComplete(commands, {}, "nn2eq", "_NN2EQ_COMPLETE")
    assert set(shell.complete().splitlines()) == COMPLETED[line]
