"""The network in the symbols of textbooks, each kernel by itself; the numbers beside them, or symbols alone."""

from __future__ import annotations

from nn2eq.forms.program import Program
from nn2eq.forms.stages import stages
from nn2eq.forms.straight import program
from nn2eq.network import Network


def symbolic(network: Network, *, fold: bool = True, **written: str) -> Program:
    """Equations in symbols.

    written: `notation` (edges, greek, mlp, layers), `view` (scalar, vector), `orientation` (column, row), `count_from`
    (0, 1) and `symbols` (only, both), each as the notation has it if left out. Kernels that follow one another are not
    multiplied out but shown, and so is their product.
    """
    return program(
        network, stages(network, fold=fold and not network.drawn, products=False), "symbolic", written
    )
