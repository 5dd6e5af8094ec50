"""What the tests of texts that run share: the languages, the networks, and how a text is held to its network."""

from __future__ import annotations

from functools import cache

import numpy as np
from activation_laws import examples
from latex_networks import around, dense, renamed, special

from nn2eq.activations import Activation
from nn2eq.emit import emit
from nn2eq.emit.options import Options
from nn2eq.errors import CannotEmit
from nn2eq.forms.straight import layered, matrix, nested
from nn2eq.network import Network
from nn2eq.proof.agreement import compare
from nn2eq.proof.check import expect
from nn2eq.proof.runners import run

LAYOUTS = {"nested": nested, "layered": layered, "matrix": matrix}
WAYS = {
    "numpy": (Options(), Options(activations="explicit")),
    "python": (Options(), Options(activations="explicit")),
    "sympy": (Options(), Options(activations="explicit")),
    "json": (Options(),),
}
"""The languages of this file, and the ways in which each can write an activation."""
TEXTS = [(language, layout) for language in WAYS for layout in LAYOUTS]
CASES_IN_CASES = "nested-cases"
"""What SymPy cannot say nested: see test_sympy_refuses_cases_within_conditions_of_cases."""


def texts(network: Network, language: str, layout: str, *, fold: bool = True) -> list[str]:
    """Return the network in every way that the language can say the layout."""
    found = []
    for options in WAYS[language]:
        try:
            found.append(emit(LAYOUTS[layout](network, fold=fold), language, options))
        except CannotEmit as error:
            if error.code != CASES_IN_CASES:
                raise
    return found


expected_of = cache(expect)


def require_same(network: Network, language: str, text: str) -> None:
    """Hold a text to the network: at ordinary inputs, large ones, and on either side of breakpoints."""
    expected = expected_of(network)
    assert len(expected.x) > 20
    answer = run(language, text, expected.x)
    agreement = compare(
        expected.answers, answer.outputs, scale=expected.scale, tolerance=expected.tolerance, x=expected.x
    )
    assert agreement.holds, f"{agreement.what()} {agreement.where()}\n{text[:3000]}"


EVERYWHERE = [chosen for chosen in examples() if np.isinf(chosen.domain).all() and not chosen.row.transform]
OF_INPUTS = [chosen for chosen in examples() if chosen.row.transform]
SPECIAL = {**special(), "named": renamed(dense(3, 2, 2), ("T_in", "x", "e"), ("p_out", "eta"))}


@cache
def network_around(chosen: Activation) -> Network:
    return around(chosen, 4 if chosen.row.coupled else 3)


def defined(text: str) -> dict[str, object]:
    """Execute a text and return what it defines."""
    namespace: dict[str, object] = {}
    exec(text, namespace)
    return namespace
