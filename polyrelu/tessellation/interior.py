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


def interior_points(tessellation: Tessellation) -> Points:
    """Return a point strictly inside each region of a tessellation, proved to be there.

    Notes
    -----
    Floats with error bounds prove most of the float witnesses (`polyrelu.kernels.replay`). Others are tried in
    rationals, and replaced by an exact witness if they fail.
    """
    from polyrelu.enumeration.replay import replay
    from polyrelu.kernels.evaluation import certain_sides
    from polyrelu.kernels.replay import prove_inside

    t = tessellation
    floats = np.array(t.witnesses_float, np.float64)
    proved = np.zeros(t.n_regions, bool)
    replay(prove_inside, t.network, t.words, floats, proved)
    proved &= certain_sides(t.domain, floats)[0]
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
