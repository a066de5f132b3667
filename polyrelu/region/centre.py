"""The Chebyshev centre: a largest ball in a region, with an exact radius and a proof of how large any ball can be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from polyrelu.errors import BudgetError, InputError, InternalError, UnboundedError
from polyrelu.exact.linalg import dot, null_space
from polyrelu.exact.rational import primitive_row
from polyrelu.region.evaluation import is_strictly_inside, squared_distances
from polyrelu.region.lp import Optimal, Unbounded, maximize
from polyrelu.region.proposals import as_fractions, distances, power_near_root, propose_maximum, unit_normals

if TYPE_CHECKING:
    from polyrelu.region.model import Region

__all__ = ["InscribedBall", "check_ball", "chebyshev_centre"]

ROUNDS = 64
"""Each round starts at the best centre so far, measures in units of its radius and sees `REACH` units far: regions as
large as floats go need forty, ordinary ones two."""
REACH = 1e9
GOOD_ENOUGH = Fraction(1 << 20, (1 << 20) + 1)
"""Rounds end when the squared radius is this part of its bound; what is returned says how close it came."""
LARGEST_EXACT = 5_000
"""Up to so many entries the linear program is solved in rationals where floats have not come close to a bound."""
LARGEST_BASIS = 60
"""Up to so many rows the multipliers are solved for exactly; with more they are repaired by the sides of a box."""


@dataclass(frozen=True, slots=True)
class InscribedBall:
    """A ball in a region, and a bound for all balls in it.

    Attributes
    ----------
    centre : tuple of Fraction, length dim
        Strictly inside the region.
    squared_radius : Fraction
        Of the largest ball around the centre, exactly: the least squared distance from a facet. (The radius itself is
        a square root, in general irrational.)
    squared_bound : Fraction
        No ball in the region has a larger squared radius.
    multipliers : tuple of Fraction, one for each row of the region
        Prove the bound: nonnegative, and ``sum(multipliers * normals) = 0``, so that a ball of radius r in the region
        has ``r * sum(multipliers * |normals|) <= sum(multipliers * constants)``.
    """

    centre: tuple[Fraction, ...]
    squared_radius: Fraction
    squared_bound: Fraction
    multipliers: tuple[Fraction, ...]

    @property
    def radius_float(self) -> float:
        """The radius, rounded."""
        return math.sqrt(self.squared_radius)


def chebyshev_centre(region: Region) -> InscribedBall:
    """Return the centre of a largest ball in a region, in rationals that come as close to it as floats can tell.

    HiGHS proposes the centre. The radius that is returned is exactly that of the ball around it, and the multipliers
    prove how much larger another ball could be: mostly by less than a millionth.

    Raises
    ------
    UnboundedError
        If the region holds arbitrarily large balls; the message names a ray along which they grow.
    BudgetError
        If the region has very many rows and inputs, is not in a box, and floats do not suggest a proof.

    Examples
    --------
    >>> from polyrelu.exact.domain import Domain
    >>> from polyrelu.network.pattern import Pattern
    >>> from polyrelu.region.model import region_of
    >>> from polyrelu.testing import braid, grid
    >>> ball = chebyshev_centre(region_of(grid(2, 2), Pattern.parse("1010")))
    >>> [str(x) for x in ball.centre], ball.squared_radius, ball.squared_bound
    (['1/2', '1/2'], Fraction(1, 4), Fraction(1, 4))
    >>> chebyshev_centre(region_of(braid(2), Pattern.parse("1")))
    Traceback (most recent call last):
    ...
    polyrelu.errors.UnboundedError: chebyshev_centre needs a region with a largest ball but received one with balls \
that grow along the ray (1, -1) (pattern '1'). Intersect it with a domain first.
    """
    rows = list(dict.fromkeys(row for row in region.rows if any(row[:-1])))
    normals = unit_normals(rows) if rows else np.zeros((0, region.network.dim))
    ray = _proposed_ray(rows, normals) if rows else (1, *[0] * (region.network.dim - 1))
    if ray is None:
        found = _largest_ball(rows, normals, region.witness)
        if isinstance(found, InscribedBall):
            by_row = dict(zip(rows, found.multipliers, strict=True))
            # A row that stands twice carries its multiplier once.
            multipliers = tuple(by_row.pop(row, Fraction(0)) for row in region.rows)
            return InscribedBall(found.centre, found.squared_radius, found.squared_bound, multipliers)
        ray = found
    raise UnboundedError(
        "chebyshev_centre needs a region with a largest ball but received one with balls that grow along the ray "
        f"({', '.join(map(str, ray))}) (pattern {str(region.pattern)!r}). Intersect it with a domain first."
    )


def check_ball(rows: Sequence[Sequence[int]], ball: InscribedBall) -> None:
    """Raise `InputError` unless a ball lies in ``{x : every row >= 0}`` and its multipliers prove the bound."""
    used = [row for row in rows if any(row[:-1])]
    _require(bool(used) and is_strictly_inside(used, ball.centre), "a centre strictly inside the rows")
    least = min(squared_distances(used, ball.centre))
    _require(least == ball.squared_radius, "the radius of the ball around its centre")
    _require(len(ball.multipliers) == len(rows), "one multiplier for each row")
    _require(all(y >= 0 for y in ball.multipliers), "nonnegative multipliers")
    bound = _squared_bound(rows, ball.multipliers)
    _require(bound is not None and bound <= ball.squared_bound, "multipliers that prove the bound")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise InputError(f"An inscribed ball needs {what} but has none. Ask for it again.")


def _proposed_ray(rows: Sequence[Sequence[int]], normals: np.ndarray) -> tuple[int, ...] | None:
    """Return a direction that enters every row, if floats find one that does so exactly."""
    dim = normals.shape[1]
    box = np.vstack([np.eye(dim + 1), -np.eye(dim + 1)])
    rates = np.hstack([normals, -np.ones((len(rows), 1))])
    objective = [*[0.0] * dim, 1.0]
    proposal = propose_maximum(objective, np.vstack([rates, box]), [*[0.0] * len(rows), *[-1.0] * len(box)])
    if proposal is None or proposal.x[-1] <= 0:
        return None
    ray = primitive_row(as_fractions(proposal.x[:-1], Fraction(1), 20))
    return ray if all(dot(row[:-1], ray) > 0 for row in rows) else None


def _largest_ball(
    rows: Sequence[tuple[int, ...]], normals: np.ndarray, start: tuple[Fraction, ...]
) -> InscribedBall | tuple[int, ...]:
    """Return a largest ball, or a direction along which balls grow."""
    centre, square = start, _squared_radius(rows, start)
    bound: Fraction | None = None
    multipliers: list[Fraction] = []
    for _ in range(ROUNDS):
        squares = squared_distances(rows, centre)
        unit = power_near_root(square)
        matrix = np.hstack([normals, -np.ones((len(rows), 1))])
        depths = np.minimum(distances(squares, unit * unit), REACH)
        proposal = propose_maximum([*[0.0] * normals.shape[1], 1.0], matrix, -depths, REACH)
        if proposal is None:
            break
        shifts = as_fractions(proposal.x[:-1], unit, 24)
        moved = tuple(x + shift for x, shift in zip(centre, shifts, strict=True))
        proposed = _exact_multipliers(rows, proposal.multipliers)
        new_bound = None if proposed is None else _squared_bound(rows, proposed)
        if proposed is not None and new_bound is not None and (bound is None or new_bound < bound):
            bound, multipliers = new_bound, proposed
        new_square = _squared_radius(rows, moved)
        has_grown = new_square * GOOD_ENOUGH > square
        if new_square > square:
            centre, square = moved, new_square
        if not has_grown or (bound is not None and square >= GOOD_ENOUGH * bound):
            break
    is_small = len(rows) * len(rows[0]) <= LARGEST_EXACT
    if is_small and (bound is None or square < GOOD_ENOUGH * bound):
        return _exact_ball(rows)
    if bound is None:
        raise BudgetError(
            f"chebyshev_centre found no proof of how large balls are in a region of {len(rows)} rows and "
            f"{len(rows[0]) - 1} inputs. Intersect it with a box: its sides make one."
        )
    return InscribedBall(centre, square, bound, tuple(multipliers))


def _exact_ball(rows: Sequence[tuple[int, ...]]) -> InscribedBall | tuple[int, ...]:
    """Return the answer to the linear program in rationals, lengths of normals cut after 64 binary digits."""
    lifted = [(*(a << 64 for a in row[:-1]), -math.isqrt(_norm(row) << 128), row[-1] << 64) for row in rows]
    answer = maximize((*[0] * (len(rows[0]) - 1), 1, 0), lifted)
    if isinstance(answer, Unbounded):
        return answer.ray[:-1]
    bound = _squared_bound(rows, answer.multipliers)
    if not isinstance(answer, Optimal) or bound is None:
        raise InternalError(f"chebyshev_centre needs an optimal value but received {answer}. Please report the region.")
    centre = answer.point[:-1]
    return InscribedBall(centre, _squared_radius(rows, centre), bound, answer.multipliers)


def _exact_multipliers(rows: Sequence[tuple[int, ...]], proposed: np.ndarray) -> list[Fraction] | None:
    """Return nonnegative multipliers that cancel the normals, near the proposed ones of the unit normals."""
    for least in (0, proposed.max() / 1024):  # the second time without what may be rounding
        support = np.flatnonzero(proposed > least).tolist()
        if len(support) <= LARGEST_BASIS:
            basis = null_space(list(zip(*(rows[i][:-1] for i in support), strict=True)), len(support))
            if len(basis) == 1 and min(basis[0]) >= 0:
                result = [Fraction(0)] * len(rows)
                for i, value in zip(support, basis[0], strict=True):
                    result[i] = Fraction(value)
                return result
    return _repaired(rows, proposed)


def _repaired(rows: Sequence[tuple[int, ...]], proposed: np.ndarray) -> list[Fraction] | None:
    """Return the proposed multipliers with what they leave of the normals cancelled by the sides of a box."""
    dim = len(rows[0]) - 1
    sides = {axis: i for i, row in enumerate(rows) if (axis := _axis(row)) is not None}
    if len(sides) < 2 * dim:
        return None
    longest = max(map(_norm, rows)).bit_length()
    numerators = [
        (round(y * 2**52) << longest) // math.isqrt(_norm(row) << 64)
        for y, row in zip(proposed.tolist(), rows, strict=True)
    ]
    result = [Fraction(numerator) for numerator in numerators]
    support = [i for i, numerator in enumerate(numerators) if numerator]
    for j in range(dim):
        excess = sum(numerators[i] * rows[i][j] for i in support)
        if excess:
            side = sides[j, excess < 0]
            result[side] += Fraction(abs(excess), abs(rows[side][j]))
    return result


def _axis(row: Sequence[int]) -> tuple[int, bool] | None:
    """Return the coordinate of a row that is a side of a box, and whether it is the lower side."""
    nonzero = [j for j, value in enumerate(row[:-1]) if value]
    return (nonzero[0], row[nonzero[0]] > 0) if len(nonzero) == 1 else None


def _squared_bound(rows: Sequence[Sequence[int]], multipliers: Sequence[Fraction]) -> Fraction | None:
    """Return the bound on squared radii that nonnegative multipliers prove, None if they prove none."""
    used = [(y, row) for y, row in zip(multipliers, rows, strict=True) if y]
    if not used or any(sum(y * row[j] for y, row in used) for j in range(len(rows[0]) - 1)):
        return None
    constants = sum(y * row[-1] for y, row in used)
    if len({y * y * _norm(row) for y, row in used}) == 1:  # all terms are equal: no root is needed
        y, row = used[0]
        return constants * constants / (len(used) ** 2 * y * y * _norm(row))
    sizes = sum(y * _root_below(_norm(row)) for y, row in used)
    return (constants / sizes) ** 2 if sizes else None


def _squared_radius(rows: Sequence[Sequence[int]], point: Sequence[Fraction]) -> Fraction:
    """Return the squared radius of the largest ball around a point, -1 if the point is not strictly inside."""
    return min(squared_distances(rows, point)) if is_strictly_inside(rows, point) else Fraction(-1)


def _norm(row: Sequence[int]) -> int:
    """Return the squared length of a row's normal."""
    return sum(value * value for value in row[:-1] if value)


def _root_below(square: int) -> Fraction:
    """Return at most the root of a positive integer, to 64 binary digits."""
    shift = max(0, 64 - square.bit_length() // 2)
    return Fraction(math.isqrt(square << (2 * shift)), 1 << shift)
