"""Who decides where floating point cannot, and what is counted on the way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nn2eq.cells.exact import Exact, Plane, Vertex
from nn2eq.cells.faces import Ids, Signs
from nn2eq.cells.functions import UNSURE
from nn2eq.cells.maps import within_range
from nn2eq.cells.state import State
from nn2eq.cells.steps import Step
from nn2eq.cells.vertices import Vertices, largest

Array = NDArray[np.float64]
COARSE = 1e-9
"""A vertex whose error is larger than this, relative to its size, is computed exactly."""


class Tally:
    """What each cut of each step added, how many cells and, with one input, where; how signs were decided."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        cuts = [step.bend.cut_units.size if step.bend else 0 for step in steps]
        self.added = [np.zeros(count, dtype=np.int64) for count in cuts]
        self.cells = [0 for _ in steps]
        self.places: list[tuple[int, int, float]] = []
        self.by_filter = self.exactly = 0

    def divided(self, step: int, cut: int, cells: int) -> None:
        """Count the cells that a cut divided."""
        self.added[step][cut] += cells
        self.cells[step] += cells

    def arranged(self, step: int, made: int, parents: NDArray[np.int64], signs: Signs) -> None:
        """Count the cells that all cuts from `made` on divided, from the signs of what is left of the parents.

        As many cells as differ from another of their parent in the sign of a cut, but in none before it, have
        been cut off by that cut: these are neighbours in the order of their signs.
        """
        bits = np.packbits(signs > 0, axis=1)
        order = np.lexsort((*bits.T[::-1], parents))
        bits, parents = bits[order], parents[order]
        first = np.unpackbits(bits[1:] ^ bits[:-1], axis=1).argmax(axis=1)[parents[1:] == parents[:-1]]
        self.added[step][made:] += np.bincount(first, minlength=signs.shape[1])
        self.cells[step] += len(first)

    def joints(self, step: int, cuts: NDArray[np.intp], places: Array, cells: int) -> None:
        """Count joints on a line, and the intervals they added: fewer where units share a joint."""
        np.add.at(self.added[step], cuts, 1)
        self.cells[step] += cells
        self.places += zip([step] * len(cuts), cuts.tolist(), places.tolist(), strict=True)

    def decided(self, all_of_them: int, exactly: int) -> None:
        """Count signs."""
        self.by_filter += all_of_them - exactly
        self.exactly += exactly

    def joined(self, other: Tally) -> Tally:
        """Return both tallies together."""
        both = Tally(())
        both.added = [one + two for one, two in zip(self.added, other.added, strict=True)]
        both.cells = [one + two for one, two in zip(self.cells, other.cells, strict=True)]
        both.places = self.places + other.places
        both.by_filter, both.exactly = self.by_filter + other.by_filter, self.exactly + other.exactly
        return both


class Decider:
    """Decides signs exactly, and keeps the tally.

    trusting: whether floating point decides what it can. first_label: labels are numbered from here.
    """

    def __init__(
        self, steps: tuple[Step, ...], inputs: int, *, trusting: bool = True, first_label: int = 0
    ) -> None:
        self.steps, self.exact, self.tally = steps, Exact(steps, inputs), Tally(steps)
        self.trusting = trusting and within_range(steps)
        self._label = first_label

    def labels(self, count: int) -> NDArray[np.int64]:
        """Return labels not used before."""
        self._label += count
        return np.arange(self._label - count, self._label, dtype=np.int64)

    def plane(self, state: State, number: int) -> Plane:
        """Return a plane exactly."""
        step, owner, cut = (int(part) for part in state.planes.source[number])
        if step < 0:
            planes = state.planes
            return Plane.of(planes.normal[number].tolist(), planes.offset[number], planes.far[number])
        return self.exact.plane(step, state.prefixes[step][owner], cut)

    def vertex(self, state: State, tight: Ids) -> Vertex:
        """Return a vertex exactly."""
        return self.exact.vertex([self.plane(state, int(number)) for number in tight])

    def settle(
        self,
        state: State,
        found: Signs,
        tight: Ids,
        owner: Ids,
        some: tuple[NDArray[np.intp], NDArray[np.intp]],
    ) -> Signs:
        """Replace what is unsure in signs (n,), those of some rows of vertices and cuts, by the exact sign."""
        rows, cuts = some
        for place in self._doubtful(found):
            found[place] = self._exactly(state, tight[rows[place]], owner[place], cuts[place])
        return found

    def settle_all(self, state: State, found: Signs, tight: Ids, owner: Ids) -> Signs:
        """Replace what is unsure in signs (n, cuts), likewise."""
        for place in self._doubtful(found):
            row, cut = divmod(int(place), found.shape[1])
            found[row, cut] = self._exactly(state, tight[row], owner[row], cut)
        return found

    def _doubtful(self, found: Signs) -> NDArray[np.intp]:
        doubtful = np.flatnonzero(found == UNSURE) if self.trusting else np.arange(found.size)
        self.tally.decided(found.size, doubtful.size)
        return doubtful

    def _exactly(self, state: State, tight: Ids, owner: np.int32, cut: int) -> int:
        plane = self.exact.plane(state.step, state.prefixes[state.step][owner], int(cut))
        return self.vertex(state, tight).side(plane)

    def mended(self, state: State, vertices: Vertices) -> Vertices:
        """Replace vertices that floating point cannot place well by exact ones, rounded once."""
        size = 1 + largest(vertices.point)
        coarse = ~((vertices.error <= COARSE * size) & (vertices.far_error <= COARSE))
        if not coarse.any():
            return vertices
        point, far = vertices.point.copy(), vertices.far.copy()
        error, far_error = vertices.error.copy(), vertices.far_error.copy()
        for row in np.flatnonzero(coarse):
            exact = self.vertex(state, vertices.tight[row])
            point[row] = [_quotient(number, exact.below) for number in exact.point]
            far[row] = [_quotient(number, exact.below) for number in exact.far]
            error[row], far_error[row] = _ulps(point[row]), _ulps(far[row])
        return Vertices(point, far, error, far_error, vertices.tight)


def _quotient(above: int, below: int) -> float:
    try:
        return above / below
    except OverflowError:
        return np.inf if above > 0 else -np.inf


def _ulps(x: Array) -> float:
    return 0.0 if not x.any() else float(np.abs(x).max()) * 2.0**-52 + 5e-324
