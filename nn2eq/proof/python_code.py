"""Texts in Python, executed: what they define, and what a function had named when it returned."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, cast

from nn2eq.errors import Disagreement

FILE = "<text>"
"""What the text is called in tracebacks, and how its own frames are known."""


def defined(text: str) -> dict[str, Any]:
    """Execute a text and return what it defines. Raises Disagreement if it fails."""
    namespace: dict[str, Any] = {"__name__": "text"}
    attempt(lambda: exec(compile(text, FILE, "exec"), namespace))
    return namespace


def function(text: str, name: str) -> Callable[..., Any]:
    """Execute a text and return its function of this name. Raises Disagreement if it defines none."""
    found = defined(text).get(name)
    if not callable(found):
        raise Disagreement(f"the text defines no function {name}", code="text-fails")
    return cast(Callable[..., Any], found)


def attempt(action: Callable[[], Any]) -> Any:
    """Return what an action of a text answers; whatever it raises becomes Disagreement."""
    try:
        return action()
    except Exception as error:
        what = f"the text fails: {type(error).__name__}: {error!s:.200}"
        raise Disagreement(what, code="text-fails") from error


def watched(call: Callable[[], Any], name: str) -> tuple[Any, Mapping[str, Any]]:
    """Return what a call answers, and the local names of the text's function `name` when it returned."""
    found: dict[str, Any] = {}

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "return" and frame.f_code.co_name == name and frame.f_code.co_filename == FILE:
            found.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        return attempt(call), found
    finally:
        sys.setprofile(before)
