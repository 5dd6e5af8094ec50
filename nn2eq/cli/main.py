"""The command group: `convert` is what is meant when no command is named."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from shlex import quote
from typing import Any

import click
from click.shell_completion import CompletionItem

from nn2eq.cli.terminal import drop_standard_output, open_standard_streams, say
from nn2eq.errors import Nn2eqError

COMMANDS = ("convert", "check", "info", "trace", "formats", "compose", "bounds", "digits", "regions", "plot")
"""THE list of commands; each is a function of that name in a module of that name."""

_EPILOG = """\b
Examples:
  nn2eq model.h5                              the equation, as LaTeX
  nn2eq model.keras --format numpy -o f.py    code that needs NumPy alone
  nn2eq model.h5 --form layered --check       ask Keras itself as well
  nn2eq check model.h5 f.py                   does this text still say what the model says?
  nn2eq info model.h5                         layers, and the size of every form

MODEL is a .keras or .h5 file, a SavedModel folder, an architecture .json with --weights, or nn2eq's own JSON.
Without a command, `convert` is meant: see `nn2eq convert --help`."""


class Commands(click.Group):
    """A group that takes `convert` for granted, and imports a command only when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which they are met."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"nn2eq.cli.{cmd_name}"), cmd_name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command's name first: options may stand before it, and before MODEL."""
        if args and args[0] not in (*COMMANDS, "--help", "-h", "--version"):
            convert = self.get_command(ctx, "convert")
            assert convert is not None
            place = _first_positional(convert, args)
            named = place is not None and args[place] in COMMANDS
            if place is not None and not named:
                _require_file(args[place], ctx)
            args = [args[place], *args[:place], *args[place + 1 :]] if named and place else ["convert", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name, and what may stand there as `convert` is taken for granted."""
        convert = self.get_command(ctx, "convert")
        assert convert is not None
        own = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            known = {item.value for item in own}
            within = click.Context(convert, ctx, info_name="convert")
            return own + [
                item for item in convert.shell_complete(within, incomplete) if item.value not in known
            ]
        if not own:
            return [CompletionItem(incomplete, type="file")]
        return own + [CompletionItem(name) for name in _files(incomplete)]


def _files(start: str) -> list[str]:
    """Return what begins so in this folder: beside words, bash does not look for files itself."""
    with suppress(OSError):
        shown = [name + "/" * os.path.isdir(name) for name in os.listdir(".") if not name.startswith(".")]
        return sorted(name for name in shown if name.startswith(start) and name == quote(name))
    return []


def _first_positional(command: click.Command, args: Sequence[str]) -> int | None:
    """Return where the first word stands that is neither an option nor an option's value."""
    takes_value = {
        spelling
        for option in command.params
        if isinstance(option, click.Option) and not option.is_flag
        for spelling in option.opts
    }
    skip = False
    for place, word in enumerate(args):
        if skip:
            skip = False
        elif word.startswith("-") and word != "-":
            skip = word in takes_value
        else:
            return place
    return None


def _require_file(word: str, ctx: click.Context) -> None:
    """Refuse a word that is a command's name misspelt, and no file. Raises UsageError."""
    from difflib import get_close_matches

    near = [] if os.path.exists(word) else get_close_matches(word, COMMANDS, 1)
    if near:
        raise click.UsageError(f"{word!r} is neither a command nor a file; did you mean {near[0]}?", ctx)


@click.group(
    cls=Commands,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="nn2eq", message="nn2eq %(version)s")
def commands() -> None:
    """Write a saved Keras network as mathematics, proved against the model it came from.

    nn2eq MODEL [--format latex] [--form FORM] [-o FILE]
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line: exit 0 fine, 1 the texts or answers differ, 2 bad usage or bad input."""
    given = list(sys.argv[1:] if args is None else args)
    open_standard_streams()
    try:
        result: Any = commands.main(given or ["--help"], prog_name="nn2eq", standalone_mode=False)
        code = (result if isinstance(result, int) else 0) if given else 2
        sys.stdout.flush()
    except Nn2eqError as error:
        code = _fail(str(error), error.exit_code, given)
    except click.UsageError as error:
        hint = f"nn2eq {error.ctx.info_name} --help" if error.ctx and error.ctx.parent else "nn2eq --help"
        code = _fail(f"{error.format_message().rstrip('.')}; see {hint} [usage]", 2, given)
    except click.ClickException as error:
        code = _fail(f"{error.format_message()} [usage]", 2, given)
    except (click.Abort, KeyboardInterrupt):
        code = _fail("interrupted [interrupted]", 130, [])
    except BrokenPipeError:  # whoever read the pipe has gone: nothing to say
        drop_standard_output()
        code = 141
    except OSError as error:
        drop_standard_output()
        what = f"{error.filename or 'standard output'}: {error.strerror or error}"
        code = _fail(f"{what} [system]", 2, given)
    except MemoryError:
        code = _fail("not enough memory; try --form matrix [memory]", 2, given)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        code = _fail(
            f"an error in nn2eq itself: {what[:300]}; run again with --debug and report it [internal]",
            2,
            given,
        )
    sys.exit(code)


def _fail(message: str, code: int, args: Sequence[str]) -> int:
    if "--debug" in args:
        traceback.print_exc()
    say(message)
    return code
