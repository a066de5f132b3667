"""Certified norms and constants: what the error filters of the compiled loops are made of.

Notation: ``u = 2^-53``; ``gamma(n) = n u / (1 - n u)``; a sum of ``n`` products of floats, in any order, with or
without fused operations, errs by at most ``gamma(n) * sum |a_i b_i|`` plus ``n 2^-1074`` for underflow (Higham,
"Accuracy and Stability of Numerical Algorithms", 2002, section 3.1).

Every function returns a float that is proven to be at least the exact quantity: sums are computed in floats and
enlarged by `SLACK`, which exceeds all their rounding errors while they have fewer than 2^20 terms. Entries are
scaled by their largest magnitude first, so that squares neither underflow to harm (what is lost is below 2^-500 of
the result) nor overflow.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["FLOOR", "HUGE", "SLACK", "SMALLEST_GAP", "gamma", "row_norms", "rounding_error", "spectral_bound"]

UNIT_ROUNDOFF = 2.0**-53
SLACK = 1.0 + 2.0**-30
"""Factor that covers the rounding of a bound itself."""
FLOOR = 2.0**-400
"""Norms of rows and columns that are not exactly zero are raised to this.

Then ``u * norm * norm >= 2^-853``, more than any underflow of fewer than 2^20 operations (each errs by 2^-1074 at
most), so the relative term of a bound covers the absolute one. A row or column that is exactly zero gives exact
zeros and keeps the norm 0: this is how zero-bias networks are certified at the origin.
"""
HUGE = 2.0**400
"""If a norm or a product of norms exceeds this, bounds become infinite and rational arithmetic decides."""
SMALLEST_GAP = 2.0**-900
"""Products of lattices below this count as no lattice: they would come near underflow."""


def gamma(n: int) -> float:
    """Return an upper bound of ``n u / (1 - n u)``."""
    return n * UNIT_ROUNDOFF * SLACK


def rounding_error(value: float, numerator: int, denominator: int) -> float:
    """Return an upper bound of the error of the float nearest to a fraction; 0 if it is exact or infinite."""
    if math.isinf(value) or Fraction(value) == Fraction(numerator, denominator):
        return 0.0
    return max(abs(value) * 2 * UNIT_ROUNDOFF, 2.0**-1000)


def row_norms(weight: NDArray[np.float64] | csr_array, bias: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return upper bounds of the Euclidean norms of the rows ``(weight, bias)``, shape (n,)."""
    magnitude = abs(weight)
    largest = magnitude.max(axis=1)
    largest = np.asarray(largest.todense()).ravel() if hasattr(largest, "todense") else largest
    largest = np.maximum(largest, np.abs(bias))
    scale = np.where(largest > 0, largest, 1.0)
    if hasattr(weight, "tocsr"):
        scaled = weight.tocsr(copy=True)
        scaled.data = scaled.data / np.repeat(scale, np.diff(scaled.indptr))
        squares = np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel()
    else:
        squares = np.square(weight / scale[:, None]).sum(axis=1)
    norms = scale * np.sqrt(squares + np.square(bias / scale)) * SLACK
    return np.where(largest > 0, np.maximum(norms, FLOOR), 0.0)


def spectral_bound(weight: NDArray[np.float64] | csr_array) -> float:
    """Return an upper bound of the spectral norm of a matrix.

    The smaller of two proven bounds: ``sqrt(|W|_1 |W|_inf)``, and for dense matrices the Frobenius norm of a
    power of the Gram matrix. With ``G_0 = fl(W^T W)`` and ``G_{i+1} = fl(G_i^2)`` the rounding errors obey
    ``|E_0|_2 <= gamma(n) |W|_F^2`` and ``|E_{i+1}|_2 <= gamma(n) |G_i|_F^2``, hence
    ``|G_i|_2^2 <= |G_{i+1}|_2 + gamma(n) |G_i|_F^2`` (``G_i`` is symmetric as BLAS computes it, and made so), and
    the last ``|G|_2`` is at most ``|G|_F``. Four squarings lose a factor ``n^(1/32)``. A computed spectral norm
    would not be a bound.
    """
    magnitude = abs(weight)
    if not magnitude.sum():
        return 0.0
    column_sums, row_sums = np.asarray(magnitude.sum(axis=0)).max(), np.asarray(magnitude.sum(axis=1)).max()
    simple = math.sqrt(column_sums) * math.sqrt(row_sums) * SLACK
    if hasattr(weight, "tocsr") or max(weight.shape) > 2048 or not 2.0**-300 < simple < 2.0**300:
        return max(simple, FLOOR)
    tall = weight if weight.shape[0] >= weight.shape[1] else weight.T
    return max(min(simple, _gram_bound(tall, simple)), FLOOR)


def _gram_bound(tall: NDArray[np.float64], scale: float) -> float:
    rounding = gamma(max(tall.shape) + 4)
    matrix = tall / scale  # rounds each entry: one more relative error, counted in `rounding` with room to spare
    gram = matrix.T @ matrix
    first_error = 2 * rounding * float(np.square(matrix).sum()) * SLACK
    errors = []
    for _ in range(4):
        gram = (gram + gram.T) / 2
        errors.append(2 * rounding * float(np.square(gram).sum()) * SLACK)
        gram = gram @ gram
    bound = math.sqrt(float(np.square(gram).sum())) * SLACK
    for error in reversed(errors):
        bound = math.sqrt(bound + error) * SLACK
    return scale * math.sqrt(bound + first_error) * SLACK * SLACK
