"""A straight program seen as a network is drawn: link after link, each an affine map and an activation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nn2eq.emit.latex.functions import is_its_formula
from nn2eq.errors import CannotEmit
from nn2eq.forms.program import Affine, Apply, Constant, Program, Value


@dataclass(frozen=True, eq=False)
class Link:
    """One layer as equations count it, from 1; sum or apply may be missing.

    arg: what goes in. sum: its affine map. apply: its activation. out: what comes out.
    """

    number: int
    arg: Value
    out: Value
    sum: Affine | None = None
    apply: Apply | None = None

    @property
    def kernel(self) -> Constant | None:
        """Its kernel (inputs, units), or (units,) if it is diagonal."""
        return self.sum.terms[0].matrix if self.sum else None

    @property
    def offset(self) -> Constant | None:
        """Its biases (units,)."""
        return self.sum.offset if self.sum else None

    @property
    def is_dense(self) -> bool:
        """Whether its affine map has a kernel of two axes."""
        return self.kernel is not None and self.kernel.data.ndim == 2

    @property
    def sums(self) -> Value:
        """What its activation takes."""
        return self.sum.out if self.sum else self.arg

    @property
    def is_whole(self) -> bool:
        """Whether its activation takes the layer's vector as it is."""
        step = self.apply
        return step is None or not (
            step.units or step.activation.groups > 1 or is_its_formula(step.activation)
        )


def links(program: Program) -> tuple[Link, ...]:
    """Return the links of a program. Raises CannotEmit for one that is no chain of layers."""
    return tuple(_paired(program))


def _paired(program: Program) -> Iterator[Link]:
    """Put each affine map together with the activation behind it."""
    number, waiting = 1, None
    for step in program.predict.steps:
        if not isinstance(step, Affine | Apply):
            what = f"the {program.form} form has no layers to name"
            raise CannotEmit(what, code="notation", way_out="use --form symbolic")
        if isinstance(step, Apply):
            arg = waiting.terms[0].arg if waiting else step.arg
            yield Link(number, arg, step.out, waiting, step)
            number, waiting = number + 1, None
            continue
        if waiting is not None:
            yield Link(number, waiting.terms[0].arg, waiting.out, waiting)
            number += 1
        waiting = step
    if waiting is not None:
        yield Link(number, waiting.terms[0].arg, waiting.out, waiting)
