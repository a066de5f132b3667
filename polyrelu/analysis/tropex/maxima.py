"""Maxima of many affine functions at many points, block by block in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError
from polyrelu.network.batches import arrays_on, chunks

__all__ = ["BUDGET", "largest_terms"]

BUDGET = 1 << 28
"""Bytes of working memory."""
MOST_TERMS = 4096
"""Terms at a time: more make products no faster."""

Floats = NDArray[np.float64]


def largest_terms(
    slopes: Floats,
    constants: Floats,
    groups: Sequence[NDArray[np.int64]],
    points: Floats,
    device: str | None = None,
    budget: int = BUDGET,
) -> Floats:
    """Return the largest term of each group at each point, shape (n_points, n_groups); -inf for an empty group.

    Values beyond the range of floats are infinite or nan.

    Parameters
    ----------
    slopes, constants : float64 arrays, shapes (n, dim) and (n,)
    groups : sequence of int arrays
        Numbers of terms.
    points : float64 array, shape (n_points, dim)
    device : str, optional
        Multiply with PyTorch on this device; default: NumPy.
    budget : int
        Bytes of working memory: half of it for terms, half for their values.

    Examples
    --------
    >>> slopes, constants, points = np.array([[1.0], [-1.0]]), np.array([0.0, 2.0]), np.array([[3.0], [0.0]])
    >>> largest_terms(slopes, constants, [np.array([0]), np.array([0, 1])], points).tolist()
    [[3.0, 3.0], [0.0, 2.0]]
    """
    if budget < 1:
        raise InputError(f"largest_terms needs a positive budget but received {budget}. Give it some megabytes.")
    arrays = arrays_on(device)
    n_terms = min(MOST_TERMS, max(1, budget // (16 * (slopes.shape[1] + 1))))
    n_points = max(1, budget // (16 * n_terms))
    largest = np.full((len(points), len(groups)), -np.inf)
    x = arrays.of(points)
    for column, group in enumerate(groups):
        for part in chunks(len(group), n_terms):
            terms = group[part]
            weight, offsets = arrays.of(slopes[terms].T), arrays.of(constants[terms])
            for rows in chunks(len(points), n_points):
                with np.errstate(over="ignore", invalid="ignore"):
                    values = x[rows] @ weight
                    values += offsets
                    best = arrays.to_host(values.max(1) if arrays.is_numpy else values.amax(1))
                    np.maximum(largest[rows, column], best, out=largest[rows, column])
    return largest
