"""How many significant digits a paper must print, so that the printed formula is near enough to the network.

Two answers: one number of digits for all coefficients, and for each its own, fewer where it matters less. Both
are proved over the domain, all coefficients being rounded at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn2eq.domain import Domain, default_domain, domain_of
from nn2eq.errors import BadRequest
from nn2eq.forms.arguments import require_positive
from nn2eq.forms.coefficients import coefficients, vector, with_vector
from nn2eq.forms.distance import difference_bound
from nn2eq.forms.program import Program
from nn2eq.forms.refitting import Fit
from nn2eq.forms.rounded import significant
from nn2eq.forms.sensitivity import most
from nn2eq.forms.straight import matrix
from nn2eq.network import Network

Array = NDArray[np.float64]

_MOST = 17
"""Digits with which every float64 is itself."""
_SHARES = (0.995, 0.6, 0.3, 0.1, 0.03)
"""How much of the tolerance is used up by what samples tell, the next where the one before is not proved."""
_HALVINGS = 25


@dataclass(frozen=True)
class Coefficient:
    """One number of the network: W1_2_3 leads from input 2 of layer 1 to its unit 3, b1_3 is that unit's bias."""

    name: str
    value: float
    digits: int
    printed: float


@dataclass(frozen=True)
class Digits:
    """How many digits are enough on a domain: `overall` for all alike, or each coefficient's own.

    proved, proved_each: the bounds of the error that the one and the other makes, at most the tolerance.
    """

    domain: Domain
    tolerance: float
    overall: int
    proved: float
    each: tuple[Coefficient, ...]
    proved_each: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        domain = [{"low": low, "high": high} for low, high in self.domain]
        return {**asdict(self), "domain": domain, "each": [asdict(one) for one in self.each]}


def digits(
    network: Network,
    tolerance: float,
    domain: Sequence[Sequence[float]] | Sequence[float] | Domain | None = None,
    *,
    fold: bool = True,
    seconds: float = 10.0,
) -> Digits:
    """Return how many significant digits must be printed for the formula to stay within a tolerance.

    domain: (low, high) for all inputs or for each, by default the one that the network was trained on if that is
    known. fold: consecutive affine maps are printed as one. seconds: for each of the two proofs. Raises BadRequest
    if the tolerance is not positive, or nothing can be proved.
    """
    box = default_domain(network) if domain is None else domain_of(domain, network.inputs)
    require_positive(tolerance)
    program, fit = matrix(network, fold=fold), Fit(network, box)
    alike = ((np.full(len(vector(program)), count), 1.0) for count in range(1, _MOST + 1))
    counts, proved = _first_proved(program, fit, tolerance, alike, seconds)
    offered = chain(_own(program, fit, tolerance), [(counts, np.inf)])
    own, proved_each = _first_proved(program, fit, tolerance, offered, seconds)
    each = tuple(
        Coefficient(name, float(value), int(count), float(printed))
        for name, value, count, printed in zip(
            _names(program), vector(program), own, _rounded(vector(program), own), strict=True
        )
    )
    return Digits(box, float(tolerance), int(counts[0]), proved, each, proved_each)


def _first_proved(
    program: Program, fit: Fit, tolerance: float, offered: Iterator[tuple[Array, float]], seconds: float
) -> tuple[Array, float]:
    """Return the first digits that are proved to be enough, and the bound; samples rule most of them out."""
    for counts, share in offered:
        rounded = with_vector(program, _rounded(vector(program), counts))
        if fit.worst(rounded) > share * tolerance:
            continue
        found = difference_bound(fit.network, rounded, fit.domain, within=tolerance, seconds=seconds / 3)
        if found.proved <= tolerance:
            return counts, found.proved
    raise BadRequest(
        f"within {tolerance:.3g} is not proved in {seconds:g} seconds for any digits", code="not-proved",
        way_out="raise --tolerance or --seconds, or shrink --domain",
    )  # fmt: skip


def _own(program: Program, fit: Fit, tolerance: float) -> Iterator[tuple[Array, float]]:
    """Yield digits for each coefficient by how much it matters, ever more of them."""
    numbers, matters = vector(program), most(program, fit.x)
    errors = np.stack(
        [np.abs(_rounded(numbers, np.full(len(numbers), k)) - numbers) for k in range(1, _MOST + 1)]
    )
    for share in _SHARES:
        low, high = 1e-6 * tolerance / max(1, len(numbers)), tolerance
        for _ in range(_HALVINGS):
            middle = float(np.sqrt(low * high))
            counts = _enough(errors, matters, middle)
            near = fit.worst(with_vector(program, _rounded(numbers, counts))) <= share * tolerance
            low, high = (middle, high) if near else (low, middle)
            if high < 1.02 * low:
                break
        yield _enough(errors, matters, low), share


def _enough(errors: Array, matters: Array, budget: float) -> Array:
    """Return how many digits each number needs to move no answer by more than a budget."""
    near = errors * matters <= budget
    near[-1] = True
    return np.asarray(near.argmax(axis=0) + 1)


def _rounded(numbers: Array, counts: Array) -> Array:
    found = numbers.copy()
    for count in np.unique(counts):
        found[counts == count] = significant(numbers[counts == count], int(count))
    return found


def _names(program: Program) -> Iterator[str]:
    for constant in coefficients(program):
        for place in np.ndindex(constant.data.shape):
            yield "_".join([constant.name, *(str(k + 1) for k in place)])
