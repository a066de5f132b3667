"""Random points of a region, each proved to lie in it: hit-and-run."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import nearest_float
from polyrelu.region.centre import chebyshev_centre
from polyrelu.region.evaluation import squared_distances
from polyrelu.region.proposals import distances, power_near_root, unit_normals
from polyrelu.region.volume import check_bounded_region

if TYPE_CHECKING:
    from polyrelu.region.model import Region

__all__ = ["hit_and_run", "walk"]

ROUNDS = 20
"""How often points that rounding has put outside are drawn again."""
PILOTS = 12
LONGEST = 2.0**47
"""In units of the radius; rows beyond `polyrelu.region.proposals.LARGEST` are moved there, and must not matter."""


def hit_and_run(region: Region, n: int, seed: int = 0, steps: int | None = None) -> NDArray[np.float64]:
    """Return random points of a bounded region, nearly uniform and independent.

    Every point starts a walk of its own at the Chebyshev centre. A step draws a direction and then a uniform point of
    the chord in this direction (Smith 1984). Directions are drawn longer where the region is longer, as a first half
    of the walks has shown, so that thin regions mix as quickly as round ones (Lovász and Vempala 2006).

    Parameters
    ----------
    region : Region
    n : int
    seed : int
    steps : int, optional
        Length of each walk; by default ``100 + 10 dim``.

    Returns
    -------
    points : float64 array, shape (n, dim)
        Each of them, its floats taken exactly, lies in the closed region; rationals have checked it.

    Raises
    ------
    UnboundedError
        If the region is unbounded; the message names a ray.
    InputError
        If ``n`` or ``steps`` is negative, or the region so thin that floats miss it again and again, or longer than
        2^47 times the radius of its largest ball.

    Examples
    --------
    >>> from polyrelu.exact.domain import Domain
    >>> from polyrelu.network.pattern import Pattern
    >>> from polyrelu.region.model import region_of
    >>> from polyrelu.testing import xor
    >>> triangle = region_of(xor(), Pattern.parse("11"), Domain.unit(2))
    >>> points = hit_and_run(triangle, 1000, seed=1)
    >>> points.shape, bool((points.sum(axis=1) >= 1).all()), points.mean(axis=0).round(1).tolist()
    ((1000, 2), True, [0.7, 0.7])
    """
    steps = 100 + 10 * region.network.dim if steps is None else steps
    if n < 0 or steps < 0:
        raise InputError(f"hit_and_run needs n and steps of at least 0 but received {n} and {steps}. Raise them.")
    check_bounded_region("hit_and_run", region)
    rows = list(dict.fromkeys(row for row in region.rows if any(row[:-1])))
    centre, unit, normals, depths = measured_from_centre(region, rows)
    random = np.random.default_rng(seed)
    found: list[NDArray[np.float64]] = [np.zeros((0, region.network.dim))]
    missing = n
    for _ in range(ROUNDS):
        if not missing:
            return np.concatenate(found)
        offsets = walk(normals, depths, missing, steps, random)[0]
        points = np.array(
            [[nearest_float(*(c + unit * Fraction(v)).as_integer_ratio()) for c, v in zip(centre, row, strict=True)]
             for row in offsets.tolist()]
        ).reshape(missing, -1)  # fmt: skip
        found.append(points[_are_inside(rows, points)])
        missing = n - sum(map(len, found))
    raise InputError(
        f"hit_and_run needs a region with room for floats but received one in which {missing} of {n} points missed "
        f"{ROUNDS} times (pattern {str(region.pattern)!r}). Scale the inputs, or use region.witness, which is exact."
    )


def measured_from_centre(
    region: Region, rows: Sequence[tuple[int, ...]]
) -> tuple[tuple[Fraction, ...], Fraction, NDArray[np.float64], NDArray[np.float64]]:
    """Return the Chebyshev centre, a unit near its radius, and rows in floats: ``normals t + depths >= 0``.

    A point of the region is ``centre + unit t``.
    """
    ball = chebyshev_centre(region)
    unit = power_near_root(ball.squared_radius)
    depths = distances(squared_distances(rows, ball.centre), unit * unit)
    return ball.centre, unit, unit_normals(rows), depths


def walk(
    normals: NDArray[np.float64], depths: NDArray[np.float64], n: int, steps: int, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of n walks from 0 in ``normals t + depths >= 0``, in floats, and a root of their covariance.

    Parameters
    ----------
    normals : float64 array, shape (n_rows, dim)
    depths : float64 array, shape (n_rows,)
        Positive.

    Returns
    -------
    points : float64 array, shape (n, dim)
    root : float64 array, shape (dim, dim)
        Lower triangular; ``root root^T`` is the covariance of points in the region, roughly.
    """
    dim = normals.shape[1]
    pilot = _walked(np.zeros((4 * dim + 60, dim)), np.eye(dim), normals, depths, steps // 2, random)
    root = _covariance_root(pilot)
    for _ in range(PILOTS):  # a walk with better directions shows a longer region
        pilot = _walked(pilot, root, normals, depths, steps // 4, random)
        before, root = root, _covariance_root(pilot)
        if np.abs(np.diag(root)).prod() < 4 * np.abs(np.diag(before)).prod():
            break
    if np.abs(root).max() > LONGEST:
        raise InputError(
            "Walks in floats need a region that is not longer than 2^47 times the radius of its largest ball but "
            "received a longer one. Scale the inputs."
        )
    return _walked(np.zeros((n, dim)), root, normals, depths, steps, random), root


def _walked(
    points: NDArray[np.float64],
    root: NDArray[np.float64],
    normals: NDArray[np.float64],
    depths: NDArray[np.float64],
    steps: int,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Return points after steps along normal directions with the covariance ``root root^T``."""
    points = points.copy()
    slack = points @ normals.T + depths
    for step in range(steps):
        directions = random.standard_normal(points.shape) @ root.T
        rates = directions @ normals.T
        with np.errstate(divide="ignore", invalid="ignore"):
            times = -np.maximum(slack, 0) / rates
        low = np.where(rates > 0, times, -np.inf).max(axis=1)
        high = np.where(rates < 0, times, np.inf).min(axis=1)
        chosen = low + (high - low) * random.random(len(points))
        chosen = np.where(np.isfinite(chosen), chosen, 0)[:, None]
        points += chosen * directions
        # Summing up slack would let rounding errors grow.
        slack = points @ normals.T + depths if step % 16 == 15 else slack + chosen * rates
    return points


def _covariance_root(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a lower triangular root of the covariance of points, made regular where they are too few."""
    dim = points.shape[1]
    covariance = np.atleast_2d(np.cov(points.T)) if len(points) > 1 else np.eye(dim)
    sizes = np.sqrt(np.diag(covariance))
    sizes = np.where(sizes > 0, sizes, 1.0)
    correlation = covariance / sizes / sizes[:, None]
    share = 2.0**-16
    while True:
        try:
            return sizes[:, None] * np.linalg.cholesky((1 - share) * correlation + share * np.eye(dim))
        except np.linalg.LinAlgError:
            share = min(16 * share, 1.0)


def _are_inside(rows: Sequence[tuple[int, ...]], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points, their floats taken exactly, satisfy all rows."""
    exact = RationalMatrix.from_floats(np.ascontiguousarray(points.T))
    ones = flint.fmpz_mat(1, len(points), [exact.denominator] * len(points))
    homogeneous = flint.fmpz_mat([*exact.numerators.tolist(), *ones.tolist()])
    values = (flint.fmpz_mat([list(row) for row in rows]) * homogeneous).entries()
    holds = np.array([value >= 0 for value in values], dtype=np.bool_)
    return np.asarray(holds.reshape(len(rows), len(points)).all(axis=0))
