"""The largest ellipsoid in a region: in floats, and proved to lie inside."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError, InternalError, MissingExtraError
from polyrelu.exact.linalg import dot
from polyrelu.region.sampling import measured_from_centre, walk
from polyrelu.region.volume import check_bounded_region

if TYPE_CHECKING:
    from polyrelu.region.model import Region

__all__ = ["InscribedEllipsoid", "check_ellipsoid", "inscribed_ellipsoid_float"]

SHRINKAGES = 60
"""Each further time the matrix is shrunk by twice as much; the first takes away one part in 2^30."""
REACH = 100
"""In units of its standard deviation a region reaches dim + 1 far (Kannan, Lovász and Simonovits 1995); rows this many
times farther are left out of the proposal."""


@dataclass(frozen=True, eq=False)
class InscribedEllipsoid:
    """The ellipsoid ``{centre + matrix u : |u| <= 1}``, the floats taken exactly.

    Attributes
    ----------
    centre : float64 array, shape (dim,)
    matrix : float64 array, shape (dim, dim)
    """

    centre: NDArray[np.float64]
    matrix: NDArray[np.float64]

    @property
    def volume_float(self) -> float:
        """The volume, rounded."""
        dim = len(self.centre)
        unit_ball = math.pi ** (dim / 2) / math.gamma(dim / 2 + 1)
        return unit_ball * abs(float(np.linalg.det(self.matrix)))


def inscribed_ellipsoid_float(region: Region) -> InscribedEllipsoid:
    """Return a largest ellipsoid in a bounded region, as near to it as floats come, and never outside the region.

    The ellipsoid of the largest volume is unique (John 1948). A convex program proposes it; the proposal is shrunk by
    what rounding has put outside, until a check in rationals finds all of it in the region.

    Raises
    ------
    MissingExtraError
        Without cvxpy.
    UnboundedError
        If the region is unbounded, and so holds ellipsoids of any volume; the message names a ray.
    InputError
        If the region is thinner than floats resolve, so that no float lies strictly inside, or longer than 2^47 times
        the radius of its largest ball.

    Examples
    --------
    >>> from polyrelu.exact.domain import Domain
    >>> from polyrelu.network.pattern import Pattern
    >>> from polyrelu.region.model import region_of
    >>> from polyrelu.testing import xor
    >>> ellipsoid = inscribed_ellipsoid_float(region_of(xor(), Pattern.parse("11"), Domain.unit(2)))
    >>> float(round(ellipsoid.volume_float, 3)), ellipsoid.centre.round(3).tolist()
    (0.302, [0.667, 0.667])
    """
    check_bounded_region("inscribed_ellipsoid_float", region)
    rows = list(dict.fromkeys(row for row in region.rows if any(row[:-1])))
    middle, unit, normals, depths = measured_from_centre(region, rows)
    shift, matrix = _proposal(normals, depths)
    centre = np.array([float(x + unit * Fraction(v)) for x, v in zip(middle, shift.tolist(), strict=True)])
    if not _is_inside(rows, centre.tolist(), np.zeros((len(centre), 0))):
        centre = np.array([float(x) for x in middle])
    matrix = matrix * float(unit)
    loss = 2.0**-15
    for _ in range(SHRINKAGES):
        if matrix.any() and _is_inside(rows, centre.tolist(), matrix):
            return InscribedEllipsoid(centre, matrix)
        matrix = matrix * (1 - loss * loss)
        loss = min(2 * loss, 0.75)
    raise InputError(
        "inscribed_ellipsoid_float needs a region with room for floats but received one of which they lie "
        f"outside or on the border (pattern {str(region.pattern)!r}). Use chebyshev_centre, which is exact."
    )


def check_ellipsoid(rows: Sequence[Sequence[int]], ellipsoid: InscribedEllipsoid) -> None:
    """Raise `InputError` unless an ellipsoid, its floats taken exactly, lies in ``{x : every row >= 0}``."""
    if not _is_inside(rows, ellipsoid.centre.tolist(), ellipsoid.matrix):
        raise InputError("An inscribed ellipsoid needs to lie in its region but does not. Ask for it again.")


def _proposal(normals: NDArray[np.float64], depths: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
    """Return centre and matrix of the largest ellipsoid in ``normals x + depths >= 0``, up to rounding."""
    try:
        convex: Any = import_module("cvxpy")
    except ImportError:
        raise MissingExtraError(
            "`inscribed_ellipsoid_float` needs cvxpy. Install it with: pip install 'polyrelu[convex]'"
        ) from None
    dim = normals.shape[1]
    # In coordinates in which the region is about as long as wide, the solver always converges.
    root = walk(normals, depths, 0, 100, np.random.default_rng(0))[1]
    scaled = normals @ root
    sizes = np.linalg.norm(scaled, axis=1)
    near = depths < REACH * (dim + 1) * sizes
    scaled, sizes, depths = scaled[near], sizes[near], depths[near]
    matrix, centre = convex.Variable((dim, dim), PSD=True), convex.Variable(dim)
    inside = [convex.norm((scaled / sizes[:, None]) @ matrix, 2, axis=1) <= (scaled @ centre + depths) / sizes]
    program = convex.Problem(convex.Maximize(convex.log_det(matrix)), inside)
    for solver in (convex.CLARABEL, convex.SCS):
        with warnings.catch_warnings(), suppress(convex.error.SolverError):
            warnings.simplefilter("ignore")  # "may be inaccurate": what comes is only a proposal
            program.solve(solver=solver)
            break
    if matrix.value is None or centre.value is None:
        raise InternalError(
            f"inscribed_ellipsoid_float needs a solution but the solver ended with {program.status}. "
            "Please report the region."
        )
    return root @ np.asarray(centre.value), root @ np.asarray(matrix.value)


def _is_inside(rows: Sequence[Sequence[int]], centre: Sequence[float], matrix: NDArray[np.float64]) -> bool:
    """Return whether ``a · centre + c >= |a matrix|`` for every row, in rationals, with the centre strictly inside."""
    point = [*map(Fraction, centre), Fraction(1)]
    columns = [[Fraction(v) for v in column] for column in matrix.T.tolist()]
    for row in rows:
        value = dot(row, point)
        if any(row[:-1]) and (value <= 0 or value * value < sum(dot(row[:-1], column) ** 2 for column in columns)):
            return False
    return True
