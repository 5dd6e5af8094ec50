"""The approximate form that is drawn beside its network: built as a conversion builds it, with its proved distance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from nn2eq.domain import Domain
from nn2eq.forms import form as form_named
from nn2eq.forms import require_taken
from nn2eq.forms.program import Program
from nn2eq.forms.rounded import rounded
from nn2eq.network import Network

SAMPLES = 4096
"""Points of the domain at which the error is looked at."""


def approximation(network: Network, form: str, shape: Mapping[str, Any], digits: int, box: Domain) -> Program:
    """Return a form of a network, or the network with rounded numbers, that knows how far it is off on the box.

    Raises BadRequest for a form that is not there, or that does not take what is given.
    """
    row = form_named(form or "matrix")
    require_taken(row, shape)
    told = {"domain": box} if "domain" in row.takes else {}
    program = row.build(network, **told, **shape)
    if digits:
        program = rounded(program, digits)
    proved = not math.isnan(program.proved) or (program.exact and not digits)
    return program if proved else _proved(network, program, box)


def _proved(network: Network, program: Program, box: Domain) -> Program:
    from nn2eq.forms.distance import difference_bound, with_distance  # only this needs ball arithmetic

    low, high = np.array(box).T
    points = np.random.default_rng(0).uniform(low, high, size=(SAMPLES, len(box)))
    apart = float(np.nanmax(np.abs(program.evaluate(points) - network.evaluate(points))))
    return with_distance(program, difference_bound(network, program, box), apart)
