"""How a text from a stranger enters a message: short, quoted, and printable."""

from __future__ import annotations

LONGEST = 60


def quoted(text: str) -> str:
    """Quote TEXT, cut short; whatever does not print (controls, bidi marks, surrogates) is escaped."""
    return repr(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")
