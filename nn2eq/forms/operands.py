"""What the names in a formula over several values mean: the arguments of the steps that make derivatives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from nn2eq import formula as fm
from nn2eq.forms.program import Apply, Constant, Operand

_PARTNERS = {"z": "partner", "t": "partner_t"}
"""What a gating row calls the second half of a group, by what it calls the first."""


def mentioned(nodes: Iterable[fm.Node], args: Mapping[str, Operand]) -> dict[str, Operand]:
    """Leave out what no formula mentions."""
    return {key: arg for key, arg in args.items() if any(fm.mentions(node, key) for node in nodes)}


def halved(step: Apply, args: Mapping[str, Operand]) -> dict[str, Operand]:
    """Let the names of a gating row mean the first half of a group, and their partners the second."""
    if not step.activation.row.halves:
        return dict(args)
    first = {key: replace(arg, parts=2) for key, arg in args.items()}
    return first | {_PARTNERS[key]: replace(arg, part=1) for key, arg in first.items()}


def chosen_units(step: Apply, number: int) -> Operand:
    """Return 1 for the units that an activation is applied to and 0 for those that pass, (units,)."""
    chosen = np.zeros(step.arg.size)
    chosen[list(step.units)] = 1.0
    return Operand(Constant(f"chosen{number}", chosen))
