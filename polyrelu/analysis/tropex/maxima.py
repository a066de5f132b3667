"""Maxima of many affine functions at many points, block by block in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polyrelu.network.batches import Array, Arrays, arrays_on, chunks

if TYPE_CHECKING:
    from polyrelu.analysis.tropex.extracted import ExtractedFunction

__all__ = ["largest_terms"]

Floats = NDArray[np.float64]


def largest_terms(
    function: ExtractedFunction, points: Floats, own_denominator: bool, device: str | None, budget: int
) -> tuple[Floats, Floats]:
    """Return the largest terms of both kinds at points, shapes (n_points, n_out); -inf where there are none.

    Without ``own_denominator`` the columns of the second array are the same, the maximum over all terms.
    """
    arrays = arrays_on(device)
    plus = np.full((len(points), function.n_out), -np.inf)
    minus = plus.copy()
    x = arrays.of(points)
    n_terms, n_points = _block(budget, function.dim)
    for label in function.present:
        own = np.flatnonzero(function.labels == label)
        pairs = [(plus, function.plus_slopes, function.plus_constants)]
        if own_denominator:
            pairs.append((minus, function.minus_slopes, function.minus_constants))
        for result, slopes, constants in pairs:
            for part in chunks(len(own), n_terms):
                terms = own[part]
                _raise(arrays, result[:, label], x, slopes[terms], constants[terms], n_points)
    if not own_denominator:
        largest = minus[:, 0].copy()
        for part in chunks(len(function), n_terms):
            _raise(arrays, largest, x, function.minus_slopes[part], function.minus_constants[part], n_points)
        minus[:] = largest[:, None]
    return plus, minus


def _raise(arrays: Arrays, largest: Floats, x: Array, slopes: Floats, constants: Floats, n_points: int) -> None:
    """Raise ``largest`` to the maximum over some terms at all points."""
    columns, offsets = arrays.of(slopes.T), arrays.of(constants)
    for part, values in _products(x, columns, n_points):
        values += offsets
        best = values.max(1) if arrays.is_numpy else values.amax(1)
        np.maximum(largest[part], arrays.to_host(best), out=largest[part])


def _products(x: Array, columns: Array, n_points: int) -> Iterator[tuple[slice, Array]]:
    return ((part, x[part] @ columns) for part in chunks(len(x), n_points))


def _block(budget: int, dim: int) -> tuple[int, int]:
    """Return how many terms and points to multiply at a time: half of the budget for terms, half for values."""
    n_terms = min(4096, max(1, budget // (16 * (dim + 1))))
    return n_terms, max(1, budget // (16 * n_terms))
