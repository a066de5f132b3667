"""Which region a point lies in: floats with error bounds first, rationals for what they leave open."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.errors import InputError, InternalError
from polyrelu.exact.rational import to_fractions
from polyrelu.region.hull import decide_domain

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["locate"]

CHUNK = 128
"""Points that are evaluated at once: few, so that BLAS starts no threads, which on a busy machine cost far more."""


def locate(tessellation: Tessellation, points: ArrayLike | Sequence[Sequence[object]]) -> NDArray[np.int64]:
    """Return the number of the region that each point lies in, -1 outside the domain, shape (n_points,).

    Parameters
    ----------
    points : array or sequence of points, shape (n_points, dim)
        Floats are taken exactly; fractions and texts such as "1/3" too. For a flat domain: coordinates of ``hull``.

    Raises
    ------
    InputError
        For points of another dimension, NaN or infinite numbers.

    Notes
    -----
    A point on a common border belongs to several closed regions; it is given the one whose half-open class contains
    it, the side where the neurons are not active. Where that class is flat, as where two regions meet and both of
    their neurons are inactive in between, it is given the region reached by an infinitesimal step towards an interior
    point of the domain, by a much smaller one along the first axis, and so on (`polyrelu.region.model.region_at`). In
    an incomplete tessellation -1 also stands for regions that were not found.

    Examples
    --------
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.testing import adjacency_counterexample
    >>> t = tessellate(adjacency_counterexample())
    >>> [str(t.pattern(i)) for i in locate(t, [[-3.0], [0.5], [1.0]])]
    ['01|1', '11|0', '11|0']
    >>> locate(t, [["1/3"], ["-1/3"]]).tolist() == locate(t, [[1 / 3], [-1 / 3]]).tolist()
    True
    >>> locate(t, [[1.0, 2.0]])
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: locate needs points of 1 coordinates but received shape (1, 2). Match the network.
    """
    t = tessellation
    floats = _as_floats(points)
    if floats is None:
        exact = [to_fractions(point, "locate") for point in cast("Sequence[Sequence[object]]", points)]
        wrong = next((point for point in exact if len(point) != t.dim), None)
        if wrong is not None:
            _refuse(t, (len(exact), len(wrong)))
        return _located_exactly(t, exact)
    if len(floats) == 0:
        return np.zeros(0, np.int64)
    if floats.ndim != 2 or floats.shape[1] != t.dim:
        _refuse(t, floats.shape)
    if not np.isfinite(floats).all():
        raise InputError("locate needs finite numbers but received NaN or an infinity. Remove such points.")
    chunks = [_located(t, floats[start : start + CHUNK]) for start in range(0, len(floats), CHUNK)]
    return np.concatenate(chunks)


def _refuse(t: Tessellation, shape: tuple[int, ...]) -> None:
    raise InputError(f"locate needs points of {t.dim} coordinates but received shape {shape}. Match the network.")


def _as_floats(points: ArrayLike | Sequence[Sequence[object]]) -> NDArray[np.float64] | None:
    """Return numbers that 64-bit floats hold exactly as an array, None for all others."""
    try:
        array = np.asarray(points)
    except ValueError:
        raise InputError("locate needs points of one dimension but received points of several. Match them.") from None
    if array.dtype.kind == "f" and array.dtype.itemsize <= 8:
        return array.astype(np.float64)
    if array.dtype.kind in "iu" and (array.size == 0 or max(abs(int(array.max())), abs(int(array.min()))) <= 2**53):
        return array.astype(np.float64)
    return None


def _located(t: Tessellation, points: NDArray[np.float64]) -> NDArray[np.int64]:
    from polyrelu.kernels.evaluation import certain_digits, certain_sides

    is_inside, is_outside = certain_sides(t.domain, points)
    digits, is_certain = certain_digits(t.network, points)
    is_certain &= is_inside
    found = np.full(len(points), -1, np.int64)
    found[is_certain] = _known(t, digits[is_certain])
    is_open = ~is_certain & ~is_outside
    found[is_open] = _located_exactly(t, [to_fractions(point) for point in points[is_open].tolist()])
    return found


def _known(t: Tessellation, digits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the regions of patterns of regions."""
    found = t.pattern_table.find(t.network.layout.pack(digits))
    if t.is_complete and (found < 0).any():
        pattern = t.network.pattern(digits[np.flatnonzero(found < 0)[0]].tolist())
        raise InternalError(f"A tessellation needs a region with pattern {pattern}. Please report the network.")
    return found


def _located_exactly(t: Tessellation, points: Sequence[tuple[Fraction, ...]]) -> NDArray[np.int64]:
    found = np.full(len(points), -1, np.int64)
    inside = [i for i, point in enumerate(points) if t.domain.contains(point)]
    if not inside:
        return found
    exact = t.network.exact
    digits = np.array([exact.pattern_at(points[i]).digits for i in inside], np.int64)
    found[inside] = t.pattern_table.find(t.network.layout.pack(digits))
    flat = [i for i in inside if found[i] < 0]
    if flat:
        centre = decide_domain(t.domain).point
        axes = [[int(j == k) for k in range(t.dim)] for j in range(t.dim)]
        stepped = [
            exact.pattern_at(points[i], [[c - x for c, x in zip(centre, points[i], strict=True)], *axes]).digits
            for i in flat
        ]
        found[flat] = _known(t, np.array(stepped, np.int64))
    return found
