"""How two networks become one, as a textbook derives it: in symbols, then with the numbers, as LaTeX."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nn2eq.emit.header import escaped
from nn2eq.emit.latex.numbers import Numbers
from nn2eq.emit.latex.weights import bmatrix
from nn2eq.forms.program import Constant
from nn2eq.forms.stages import stages
from nn2eq.network import Affine, Network

Array = NDArray[np.float64]


def derivation(first: Network, second: Network) -> str:
    """Return how the last affine map of the first network and the first one of the second become one map.

    If an activation stands between the two, or there is no affine map on one side, that is what is said.
    """
    before, after = stages(first)[-1], stages(second)[0]
    head = f"% {_file(second)} behind {_file(first)}\n"
    if before.affine is None or before.activation is not None or after.affine is None:
        return head + (
            "The first network ends with an activation, or the second begins with one: "
            "no two affine maps meet, and both keep all their layers.\n"
        )
    one, two = _dense(before.affine), _dense(after.affine)
    return head + "".join(_paragraphs(one, two, is_all=len(stages(first)) == 1))


def _file(network: Network) -> str:
    return escaped(os.path.basename(network.source.file) or "a network")


def _dense(affine: Affine) -> Affine:
    """Return a map with a full kernel, in float64."""
    wide = affine.kernel.astype(np.float64)
    bias = None if affine.bias is None else affine.bias.astype(np.float64)
    return Affine(np.diag(wide) if affine.is_diagonal else wide, bias)


def _paragraphs(one: Affine, two: Affine, *, is_all: bool) -> Iterator[str]:
    between, units = one.outputs, one.inputs
    h = "x" if is_all else "h"
    yield (
        f"The first network ends with $y = \\phi_0 + \\Phi {h}$, "
        "the second begins with $z' = \\theta'_0 + \\Theta' y$. Put into each other:\n"
    )
    yield _display(list(_scalars(between, units, h)))
    yield "In numbers, a row a unit that is led to and a column a unit that is led from:\n"
    yield _display(list(_numbers(one, two)))
    if between == 1:
        yield (
            "$\\Psi$ has rank 1: each of its rows is a multiple of $\\phi$. A network with a layer in this place "
            "may have any $\\Psi$, so composition is a special case of depth.\n"
        )
    else:
        yield (
            f"$\\Psi$ has rank {between} at most, since all goes through {between} numbers. A network with a layer "
            "in this place may have any $\\Psi$, so composition is a special case of depth.\n"
        )


def _scalars(between: int, units: int, h: str) -> Iterator[str]:
    """Yield the derivation for one unit j of the second network's first layer."""
    of = f"{h}_i" if units > 1 else h
    total = r"\sum_i " if units > 1 else ""
    if between == 1:
        yield rf"z'_j &= \theta'_{{j0}} + \theta'_{{j1}} \Bigl(\phi_0 + {total}\phi_i {of}\Bigr)"
        yield rf"&= \theta'_{{j0}} + \theta'_{{j1}} \phi_0 + {total}\theta'_{{j1}} \phi_i \, {of}"
        yield rf"&= \psi_{{j0}} + {total}\psi_{{ji}} \, {of}"
        yield r"\psi_{j0} &= \theta'_{j0} + \theta'_{j1} \phi_0"
        yield r"\psi_{ji} &= \theta'_{j1} \phi_i"
        return
    yield rf"z'_j &= \theta'_{{j0}} + \sum_k \theta'_{{jk}} \Bigl(\phi_{{k0}} + {total}\phi_{{ki}} {of}\Bigr)"
    yield rf"&= \psi_{{j0}} + {total}\psi_{{ji}} \, {of}"
    yield r"\psi_{j0} &= \theta'_{j0} + \sum_k \theta'_{jk} \phi_{k0}"
    yield r"\psi_{ji} &= \sum_k \theta'_{jk} \phi_{ki}"


def _numbers(one: Affine, two: Affine) -> Iterator[str]:
    first, second = one.kernel.T, two.kernel.T
    start, offset = (np.zeros((len(kernel), 1)) if affine.bias is None else affine.bias[:, None]
                     for affine, kernel in ((one, first), (two, second)))  # fmt: skip
    numbers = Numbers(single=False)
    for name, data in {
        r"\Phi": first, r"\phi_0": start, r"\Theta'": second, r"\theta'_0": offset,
        r"\Psi = \Theta' \Phi": second @ first, r"\psi_0 = \theta'_0 + \Theta' \phi_0": offset + second @ start,
    }.items():  # fmt: skip
        yield f"{name} &= {bmatrix(numbers, Constant('', np.ascontiguousarray(data))).text}"


def _display(lines: list[str]) -> str:
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}\n"
