"""Exact points strictly inside regions, floats wherever floats will do."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.certificate.format import Points
from polyrelu.exact.rational import nearest_float, to_fractions
from polyrelu.region.evaluation import is_strictly_inside

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["as_points", "interior_points"]

CHUNK = 128
"""Points that are evaluated at once: few, so that BLAS starts no threads, which on a busy machine cost far more."""


def interior_points(tessellation: Tessellation) -> Points:
    """Return a point strictly inside each region of a tessellation, proved to be there.

    Notes
    -----
    Floats with error bounds prove most of the float witnesses: where each neuron is certainly between its breakpoints,
    on the side of the region's digit, and the domain's rows are certainly positive. Others are tried in rationals, and
    replaced by an exact witness if they fail.
    """
    from polyrelu.kernels.evaluation import certain_digits, certain_sides

    t = tessellation
    floats = np.array(t.witnesses_float, np.float64)
    proved = np.zeros(t.n_regions, bool)
    for start in range(0, t.n_regions, CHUNK):
        part = slice(start, start + CHUNK)
        digits, is_certain = certain_digits(t.network, floats[part])
        is_inside, _ = certain_sides(t.domain, floats[part])
        is_own = (t.network.layout.pack(digits) == t.words[part]).all(axis=1) if is_certain.any() else is_certain
        proved[part] = is_certain & is_inside & is_own
    return as_points(floats, {i: _proved(t, i, floats[i]) for i in np.flatnonzero(~proved).tolist()})


def as_points(floats: NDArray[np.float64], others: dict[int, tuple[Fraction, ...]]) -> Points:
    """Return points with some of them replaced: listed only where they are no floats."""
    floats, listed = floats.copy(), {}
    for i, point in others.items():
        rounded = [nearest_float(value.numerator, value.denominator) for value in point]
        is_float = np.isfinite(rounded).all() and to_fractions(rounded) == tuple(point)
        floats[i] = rounded if is_float else 0.0
        if not is_float:
            listed[i] = tuple(point)
    return Points(floats, listed)


def _proved(t: Tessellation, index: int, proposed: NDArray[np.float64]) -> tuple[Fraction, ...]:
    region = t.region(index)
    if np.isfinite(proposed).all():
        point = to_fractions(proposed.tolist())
        if is_strictly_inside([row for row in region.rows if any(row[:-1])], point):
            return point
    return region.witness
