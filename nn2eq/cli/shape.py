"""The options that shape a form: one for each row of the table of arguments."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import click

from nn2eq.forms.arguments import ARGUMENTS, Argument


def shape_options(
    command: Callable[..., Any], names: Collection[str] = tuple(ARGUMENTS)
) -> Callable[..., Any]:
    """Give a command an option for these arguments of forms; it is called with `shape`, those given, by name."""

    def gathered(*args: Any, **given: Any) -> Any:
        shape = {name: given.pop(name) for name in names if name in given}
        told = {name: value for name, value in shape.items() if value is not None and value is not False}
        return command(*args, shape=told, **given)

    gathered.__name__, gathered.__doc__ = command.__name__, command.__doc__
    gathered.__click_params__ = list(getattr(command, "__click_params__", ()))  # type: ignore[attr-defined]
    decorated: Any = gathered
    for row in reversed([row for row in ARGUMENTS.values() if row.name in names]):
        decorated = _option(row)(decorated)
    return decorated  # type: ignore[no-any-return]


def _option(row: Argument) -> Callable[..., Any]:
    spelled = f"--{row.name.replace('_', '-')}"
    if row.is_flag:
        return click.option(spelled, row.name, is_flag=True, help=row.summary)
    kind = click.Choice(row.choices) if row.choices else None
    return click.option(spelled, row.name, type=kind, metavar=row.metavar or None, help=row.summary)
