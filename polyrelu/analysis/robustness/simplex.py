"""A dual simplex method in floats for the small linear programs of a search; its answers are proposals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["SmallProgram", "shortest_step"]

Floats = NDArray[np.float64]
LARGEST = 1e100
"""Values beyond are cut to this."""
SMALL = 2.0**-16
"""Pivots are at least this part of the largest one."""
MOST_VISITS = 3
"""A row that has to enter more often is one that rounding keeps at the border."""


class SmallProgram(NamedTuple):
    """What the method ends with.

    Attributes
    ----------
    step : float64 array, shape (dim,), or None
        None if the rows leave no point.
    weights : float64 array, shape (n,)
        Multipliers of the rows, not negative.
    """

    step: Floats | None
    weights: Floats


def shortest_step(normals: Floats, margins: Floats, norm: float) -> SmallProgram | None:
    """Return the shortest step in L1 or L-infinity to where all unit rows hold; None if the method does not end.

    Parameters
    ----------
    normals : float64 array, shape (n, dim)
    margins : float64 array, shape (n,)
        Values of the rows before the step.

    Notes
    -----
    The variables are the step and bounds of its coordinates, one for each in L1, one for all in L-infinity. Basic are
    as many constraints as there are variables, first those that hold the step at 0. The most violated row enters.

    Examples
    --------
    >>> found = shortest_step(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([-1.0, -1.5]), 1)
    >>> found.step.tolist(), found.weights.tolist()
    ([1.5, 1.0], [1.0, 1.0])
    >>> shortest_step(np.array([[1.0], [-1.0]]), np.array([-1.0, 0.0]), 1).step is None
    True
    """
    (n, dim), n_bounds = normals.shape, normals.shape[1] if norm == 1 else 1
    bounds, axes = (np.eye(dim) if norm == 1 else np.ones((dim, 1))), np.eye(dim)
    table = np.zeros((n + 2 * dim, dim + n_bounds))
    table[:n, :dim] = normals
    table[n : n + dim], table[n + dim :] = np.hstack([axes, bounds]), np.hstack([-axes, bounds])
    unit = -float(margins.min(initial=0.0)) or 1.0
    lower = np.concatenate([np.clip(-margins / unit, -LARGEST, LARGEST), np.zeros(2 * dim)])
    basis = [*range(n, n + dim), *range(n + dim, n + dim + n_bounds)]
    inverse = np.linalg.inv(table[basis])
    weights = inverse[dim:].sum(axis=0)
    visits: dict[int, int] = {}
    for _ in range(40 * (dim + n_bounds)):
        point = inverse @ lower[basis]
        slack = table @ point - lower
        slack[basis] = 0.0
        entering = int(slack.argmin())
        visits[entering] = visits.get(entering, 0) + 1
        if slack[entering] >= 0 or visits[entering] > MOST_VISITS:
            return SmallProgram(point[:dim] * unit, _spread(basis, weights, n))
        rates = table[entering] @ inverse
        pivots = np.flatnonzero(rates > SMALL * np.abs(rates).max())
        if not len(pivots):
            return SmallProgram(None, _spread([*basis, entering], np.append(-rates, 1.0), n))
        leaving = int(pivots[(weights[pivots] / rates[pivots]).argmin()])
        ratio = max(weights[leaving] / rates[leaving], 0.0)
        weights = weights - ratio * rates
        weights[leaving] = ratio
        column = inverse[:, leaving] / rates[leaving]
        inverse = inverse - np.outer(column, rates)
        inverse[:, leaving] = column
        basis[leaving] = entering
    return None


def _spread(basis: list[int], weights: Floats, n: int) -> Floats:
    """Return the weights of the rows, without those of the bounds."""
    found = np.zeros(n)
    for row, weight in zip(basis, weights.tolist(), strict=True):
        if row < n:
            found[row] = max(weight, 0.0)
    return found
