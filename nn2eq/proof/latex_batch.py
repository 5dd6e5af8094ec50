"""Formulas of a batch, whose samples are the rows of matrices: a transpose in front of a matrix adds up over them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from nn2eq.proof.latex_meanings import REDUCTIONS, Matrix, Scope
from nn2eq.proof.latex_tokens import Node
from nn2eq.proof.latex_values import Evaluation


class Turned:
    """The transpose of values of every sample."""

    __slots__ = ("values",)

    def __init__(self, values: Any) -> None:
        self.values = values

    def times(self, other: Any) -> Matrix:
        """Return the sums over the samples of every product of a unit of one and one of the other."""
        one, two = np.atleast_2d(self.values), np.atleast_2d(other)
        count = max(one.shape[1], two.shape[1])
        one, two = (np.broadcast_to(side, (len(side), count)) for side in (one, two))
        return Matrix(one @ two.T)


class BatchEvaluation(Evaluation):
    """The values of a text of whole arrays; what no sample changes may be added, and multiplied by a number."""

    operations: ClassVar = {}

    def _plain(self, value: Any, node: Node) -> Any:
        if isinstance(value, Turned):
            raise self._error("the transpose of samples, with nothing to multiply", node.at)
        return super()._plain(value, node)

    def _transpose(self, node: Node, scope: Scope) -> Any:
        value = self.value(node.args[0], scope)
        return super()._transpose(node, scope) if isinstance(value, float | Matrix) else Turned(value)

    def _product(self, node: Node, scope: Scope) -> Any:
        first, *others = (self.value(arg, scope) for arg in node.args)
        if node.value == ("*",) and isinstance(first, Turned):
            return first.times(self._plain(others[0], node))
        if node.value == ("*",) and isinstance(first, float) and isinstance(others[0], Matrix):
            return Matrix(first * others[0].data)
        if any(isinstance(value, Turned) for value in (first, *others)):
            raise self._error("the transpose of samples, with nothing to multiply", node.at)
        return super()._product(node, scope)

    def _sum(self, node: Node, scope: Scope) -> Any:
        values = [self.value(arg, scope) for arg in node.args]
        if not any(isinstance(value, Matrix) for value in values):
            return super()._sum(node, scope)
        plain = (value.data if isinstance(value, Matrix) else self._plain(value, node) for value in values)
        return Matrix(np.atleast_2d(sum(sign * value for sign, value in zip(node.value, plain, strict=True))))

    def _samples(self, node: Node, scope: Scope) -> Any:
        """Reduce over the samples."""
        value = np.asarray(self._plain(self.value(node.args[0], scope), node))
        found = REDUCTIONS[node.value](value, axis=-1)
        return float(found) if found.ndim == 0 else found


BatchEvaluation.operations = {
    op: getattr(BatchEvaluation, method.__name__) for op, method in Evaluation.operations.items()
}
