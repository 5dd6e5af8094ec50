"""The big-M form: on a domain, ReLU and its kind as switches between two affine pieces, for mixed-integer solvers.

How far the pieces can be apart there follows from the range of every pre-activation, and that is proved.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nn2eq.bounds import Intervals, bounds
from nn2eq.domain import Domain, domain_of
from nn2eq.errors import BadRequest, UnsupportedModel
from nn2eq.forms.distance import tape_of
from nn2eq.forms.program import Apply, Array, Program, needed, with_constants
from nn2eq.forms.straight import matrix
from nn2eq.network import Network


def bigm(
    network: Network, domain: Intervals | None = None, *, fold: bool = True, seconds: float = 10.0
) -> Program:
    """Return the network on a domain, with the proved range of every value that a switch is between.

    domain: (low, high) for every input, or for each. seconds: how long to prove. Raises BadRequest without a finite
    domain, UnsupportedModel for a network without switches, or with more pieces than a switch has.
    """
    if domain is None:
        what = "big-M takes a finite domain, and none is given or known"
        raise BadRequest(what, code="domain", way_out="give --domain=-1:1, or --data")
    box = domain_of(domain, network.inputs)
    program = matrix(network, fold=fold)
    switches = [step for step in program.predict.steps if isinstance(step, Apply) and is_switch(step)]
    if not switches:
        what = "no activation of this network is ReLU or of its kind"
        raise UnsupportedModel(what, code="no-switch", way_out="use --form matrix")
    share = seconds / len(switches)
    ranges = {step.arg.name: _range(program, step.arg.name, box, share) for step in switches}
    return replace(program, layout="bigm", form="bigm", domain=box, ranges=ranges)


def is_switch(step: Apply) -> bool:
    """Whether an activation is the larger of two affine pieces. Raises UnsupportedModel if it has others."""
    activation = with_constants(step)
    if not activation.row.pieces:
        return False
    if len(activation.segments) == 2 and not step.units:
        left, right = activation.segments
        apart = (right.slope - left.slope) * right.start + right.intercept - left.intercept
        if np.all(apart == 0.0) and np.all(right.slope >= left.slope):
            return True
    what = f"{activation.row.name} is not the larger of two affine pieces, so one switch does not say it"
    raise UnsupportedModel(what, code="no-switch", way_out="use --form matrix")


def _range(program: Program, name: str, box: Domain, seconds: float) -> tuple[Array, Array]:
    """Prove what a value of a program lies within. Raises BadRequest if nothing bounds it."""
    proved = bounds(tape_of(_up_to(program, name)), box, seconds=seconds, jacobian=False).outputs
    low, high = np.array([(unit.low, unit.high) for unit in proved]).T
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise BadRequest(
            f"nothing bounds {name} on this domain", code="domain", way_out="give a smaller --domain"
        )
    return low, high


def _up_to(program: Program, name: str) -> Program:
    """Return the program of one of its values: what leads to it, and no more."""
    [value] = [step.out for step in program.predict.steps if step.out.name == name]
    steps = needed(program.predict.steps, {name})
    return program.alone(replace(program.predict, results=(value,), steps=steps))
