"""Short stand-ins for a network of few inputs: one hidden layer of its own activation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from nn2eq.activations import Activation
from nn2eq.forms.frame import inputs_of, outputs_of, predicting, program_of
from nn2eq.forms.program import Affine, Apply, Constant, Program, Step, Term, Value
from nn2eq.forms.refitting import Fit, refitted
from nn2eq.network import Network

Array = NDArray[np.float64]

MOST_UNITS = 8
_STARTS = 8
_HOPELESS = 2.5
"""The factor by which one more unit lessens the error, at best on the average."""
_ROOM = 0.85
"""The share of what is allowed that a fit may take up and leave room enough for rounding."""


def shallow(fit: Fit, allowed: float, may_do: Callable[[Program], bool]) -> Iterator[Program]:
    """Yield networks of one hidden layer that are within what is allowed: the fewest units, and one more.

    The input reaches the answer directly too, so that a straight part takes no units. may_do: whether a program
    built like this one could be short enough; the first that could not is the last.
    """
    activation = _activation(fit.network)
    if activation is None:
        return
    rng, found = np.random.default_rng(0), 0
    for units in range(1, MOST_UNITS + 1):
        best, smallest = None, np.inf
        if not may_do(_started(fit, activation, units, np.random.default_rng(units))):
            return
        for _ in range(_STARTS):
            if fit.is_over:
                return
            tried = refitted(
                _started(fit, activation, units, rng), fit, rounds=60, sharp=15, hopeless=allowed
            )
            worst = fit.worst(tried)
            if worst < smallest:
                best, smallest = tried, worst
            if smallest <= _ROOM * allowed:
                break
        if best is not None and smallest <= allowed:
            yield best
            found += 1
        if found == 2 or smallest > allowed * _HOPELESS ** (MOST_UNITS - units):
            return


def _activation(network: Network) -> Activation | None:
    """Return the first activation of the network that works unit by unit, alike on all."""
    return next(
        (
            step
            for step in network.maps
            if isinstance(step, Activation)
            and not (step.row.coupled or step.per_unit or step.is_linear)
            and step.domain == (-np.inf, np.inf)
        ),
        None,
    )


def _started(fit: Fit, activation: Activation, units: int, rng: np.random.Generator) -> Program:
    """Start with units that turn somewhere in the box, the last map by least squares."""
    low, high = np.array(fit.domain).T
    radius = np.maximum(high - low, 1e-300) / 2
    first = rng.normal(size=(len(low), units)) * 2.0 ** rng.uniform(-1, 3, size=units) / radius[:, None]
    bias = -(rng.uniform(low, high, size=(units, len(low))) * first.T).sum(axis=1)
    hidden = activation(fit.x @ first + bias)
    known = np.concatenate([hidden, fit.x, np.ones((len(fit.x), 1))], axis=1)
    last, *_ = np.linalg.lstsq(known, fit.answers, rcond=1e-8)
    x, y = inputs_of(fit.network), outputs_of(fit.network)
    z, a = (Value(name, tuple(f"{name}_{k}" for k in range(1, units + 1))) for name in ("z1", "a1"))
    steps: tuple[Step, ...] = (
        Affine(z, (Term(x, Constant("W1", first)),), Constant("b1", bias)),
        Apply(a, activation, z),
        Affine(
            y,
            (Term(a, Constant("W2", last[:units])), Term(x, Constant("W3", last[units:-1]))),
            Constant("b2", last[-1]),
        ),
    )
    return program_of(fit.network, predicting(x, y, *steps), "nested", "simplified")
