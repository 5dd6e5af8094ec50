"""The affine maps of many cells at once, in floating point, each with a bound on its rounding error.

A product of matrices computed in any order differs from the true one by at most γ times the product of their
absolute values (Higham, Accuracy and Stability of Numerical Algorithms, 3.5); that product is carried along
as `size`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.functions import Functions
from nn2eq.cells.steps import Bend, Step

Array = NDArray[np.float64]
_TWICE_UNIT = 2 * 2.0**-53
_ONE_THREAD = 2**18
"""Multiplications in one product: OpenBLAS shares out larger ones, and where cores are busy its threads wait."""
_SAFE = 2.0**-300, 2.0**300


@dataclass(frozen=True, eq=False)
class Maps:
    """One affine map a cell: values (cells, inputs + 1, units), the offset in the last row.

    size: the same with absolute values throughout. operations: how many roundings lie behind one number, at
    most.
    """

    values: Array
    size: Array
    operations: int

    @property
    def slack(self) -> Array:
        """A bound on the error of each value, with room for evaluating the map at a point."""
        bound: Array = self.size * (_TWICE_UNIT * (self.operations + self.values.shape[1] + 4))
        return bound

    @classmethod
    def identity(cls, inputs: int) -> Maps:
        """The map of one cell that is the whole domain."""
        values = np.vstack([np.eye(inputs), np.zeros((1, inputs))])[None]
        return cls(values, values, 0)

    def of(self, cells: NDArray[np.int32]) -> Maps:
        """Return the maps of some cells."""
        return Maps(self.values[cells], self.size[cells], self.operations)

    def through(self, step: Step) -> Maps:
        """Return the maps behind a step's kernel and bias."""
        values, size = _times(self.values, step.kernel), _times(self.size, np.abs(step.kernel))
        values[:, -1] += step.bias
        size[:, -1] += np.abs(step.bias)
        return Maps(values, size, self.operations + len(step.kernel) + 2)

    def bent(self, bend: Bend, owner: NDArray[np.int32], pieces: NDArray[np.int16]) -> Maps:
        """Return the maps of other cells, each within cell `owner` and with its own pieces (cells, units)."""
        each = pieces + np.arange(bend.units) * bend.slopes.shape[1]
        slopes = bend.slopes.take(each)
        values, size = self.values[owner], self.size[owner]
        values *= slopes[:, None]
        size *= np.abs(slopes)[:, None]
        if bend.intercepts.any():
            intercepts = bend.intercepts.take(each)
            values[:, -1] += intercepts
            size[:, -1] += np.abs(intercepts)
        return Maps(values, size, self.operations + 4)

    def minus(self, bend: Bend) -> Functions:
        """Return one function a cut: the pre-activation of its unit less its threshold."""
        thresholds = bend.thresholds_of_cuts
        alike = len(thresholds) == bend.units and (bend.cut_units == np.arange(bend.units)).all()
        values = self.values if alike else self.values.take(bend.cut_units, axis=2)
        size = self.size if alike else self.size.take(bend.cut_units, axis=2)
        if thresholds.any():
            values, size = values.copy(), size.copy()
            values[:, -1] -= thresholds
            size[:, -1] += np.abs(thresholds)
        return Functions(values, Maps(values, size, self.operations + 2).slack)


def _times(maps: Array, kernel: Array) -> Array:
    """Multiply every map (cells, inputs + 1, units) by a kernel, many at a time."""
    rows = maps.reshape(-1, len(kernel))
    product = np.empty((len(rows), kernel.shape[1]))
    block = max(1, _ONE_THREAD // max(1, kernel.size))
    for start in range(0, len(rows), block):
        np.matmul(rows[start : start + block], kernel, out=product[start : start + block])
    return product.reshape(*maps.shape[:2], kernel.shape[1])


def within_range(steps: tuple[Step, ...]) -> bool:
    """Tell whether no product on the way can leave the range of floating point, so that the bounds hold."""
    least, most = 1.0, 1.0
    for step in steps:
        numbers = [np.abs(step.kernel), np.abs(step.bias)]
        if step.bend is not None:
            numbers += [np.abs(step.bend.slopes), np.abs(step.bend.intercepts)]
        each = np.concatenate([array.ravel() for array in numbers])
        each = each[each > 0]
        if each.size:
            least *= min(1.0, float(each.min()))
            most *= max(1.0, float(each.max())) * (len(step.kernel) + 1)
    return least > _SAFE[0] and most < _SAFE[1]
