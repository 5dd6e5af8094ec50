"""Texts in Python, executed: what they define, and what a function had named when it returned."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, cast

from nn2eq.errors import Disagreement

FILE = "<text>"
"""What the text is called in tracebacks, and how its own frames are known."""
_OF = re.compile(r"^# [\w, ]+ of (\w+(?:, \w+)*); ", re.ASCII | re.MULTILINE)
"""How the comment above a bare expression says what its inputs are called."""
_NEEDS: Mapping[str, str] = {"numpy": "import numpy as np", "python": "from math import {0}"}
"""What must be imported for a bare expression: of math, the functions that it uses."""
_MATH = frozenset(vars(math))
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def executed(text: str) -> dict[str, Any]:
    """Execute a text and return what it defines. Raises Disagreement if it fails."""
    namespace: dict[str, Any] = {"__name__": "text"}
    attempt(lambda: exec(compile(text, FILE, "exec"), namespace))
    return namespace


def function(text: str, name: str) -> Callable[..., Any]:
    """Execute a text and return its function of this name. Raises Disagreement if it defines none."""
    found = executed(text).get(name)
    if not callable(found):
        raise Disagreement(f"the text defines no function {name}", code="text-fails")
    return cast(Callable[..., Any], found)


def bare_as_function(text: str, language: str, name: str = "predict") -> str:
    """Return the text of the function of its inputs that a bare expression is, "" if a text is none."""
    said = _OF.search(text)
    if said is None or language not in _NEEDS:
        return ""
    words = sorted(_MATH.intersection(_WORD.findall(text)).difference(_WORD.findall(said[1])))
    needs = _NEEDS[language].format(", ".join(words) or "pi")
    return f"{needs}\n\n\ndef {name}({said[1]}):\n    return (\n{text}\n)\n"


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
