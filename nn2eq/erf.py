"""The error function and the normal distribution over arrays, which NumPy does not have.

Rational approximations of W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics
of Computation 23 (1969), in the form of his CALERF (netlib specfun): a few units in the last place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SMALL = 0.46875
_ONE_OVER_ROOT_PI = 0.5641895835477562869

# numerator and denominator, highest power first: erf(y) / y in y², for y <= 0.46875
NEAR = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)  # fmt: skip
# exp(y²) erfc(y) in y, for 0.46875 <= y <= 4
MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip
# (1/√π - y exp(y²) erfc(y)) y² in 1/y², for y >= 4
FAR = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
     1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3),
)  # fmt: skip


def erf(x: Array | float) -> Array:
    """Return the error function, odd and within [-1, 1]."""
    x = np.asarray(x, dtype=np.float64)
    y = np.abs(x)
    near = np.clip(x, -_SMALL, _SMALL)
    tail = _scaled_tail(np.maximum(y, _SMALL)) * np.exp(-(_below_overflow(y) ** 2))
    return np.where(y <= _SMALL, near * _ratio(NEAR, near * near), np.copysign(1.0 - tail, x))


def normal_cdf(z: Array | float) -> Array:
    """Return P(Z <= z) of a standard normal Z, accurate relative to itself far into the lower tail."""
    z = np.asarray(z, dtype=np.float64)
    y = np.abs(z) / np.sqrt(2.0)
    tail = 0.5 * _scaled_tail(np.maximum(y, _SMALL)) * _exp_of_minus_half_square(z)
    return np.where(y <= _SMALL, 0.5 + 0.5 * erf(z / np.sqrt(2.0)), np.where(z < 0, tail, 1.0 - tail))


def _scaled_tail(y: Array) -> Array:
    """Return exp(y²) erfc(y) for y >= 0.46875."""
    far = np.maximum(y, 4.0)
    inverse = far**-2.0
    distant = (_ONE_OVER_ROOT_PI - inverse * _ratio(FAR, inverse)) / far
    return np.where(y <= 4.0, _ratio(MIDDLE, np.minimum(y, 4.0)), distant)


def _exp_of_minus_half_square(z: Array) -> Array:
    """Return exp(-z²/2): squaring a z of few bits is exact, and what is left is small."""
    z = _below_overflow(np.abs(z))
    coarse = np.floor(z * 16.0) / 16.0
    return np.exp(-0.5 * coarse * coarse) * np.exp(-0.5 * (z - coarse) * (z + coarse))


def _below_overflow(y: Array) -> Array:
    """Cap y where exp(-y²/2) has long been 0, so that its square stays finite; NaN stays NaN."""
    return np.minimum(y, 1e4)


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Array) -> Array:
    numerator, denominator = coefficients
    return np.asarray(np.polyval(numerator, x) / np.polyval(denominator, x))
