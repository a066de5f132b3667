"""Intervals and convex polygons with corners at infinity, in exact fractions: the geometry of the oracle.

All of R^d is the box [-M, M]^d with an infinitely large M. A coordinate is ``m * M + f``, stored as the pair
``(m, f)`` of fractions, and pairs compare as numbers of that form do: by ``m`` first. A line through finite points
meets the border of the box in points of the same form, so that half-planes, strips and the plane itself are polygons
like all others, some of whose corners are infinite (``m != 0``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

Number = tuple[Fraction, Fraction]
"""The number ``m * M + f`` as ``(m, f)``."""
Point = tuple[Number, ...]
Row = tuple[Fraction, ...]
"""An affine function: dim coefficients, the constant, the coefficient of M."""
FinitePoint = tuple[Fraction, ...]

ZERO: Number = (Fraction(0), Fraction(0))


@dataclass(frozen=True)
class Side:
    """A facet of a cell: the affine function that vanishes on it, and whether the domain ends there."""

    row: Row
    is_border: bool

    @property
    def is_infinite(self) -> bool:
        """True for the sides of the infinitely large box, which are no facets at all."""
        return self.row[-1] != 0


@dataclass(frozen=True)
class Cell:
    """An interval, or a convex polygon with side ``i`` from corner ``i`` to corner ``i + 1``.

    In one dimension side ``i`` is corner ``i``.
    """

    corners: tuple[Point, ...]
    sides: tuple[Side, ...]

    @property
    def is_bounded(self) -> bool:
        return all(m == 0 for corner in self.corners for m, _ in corner)

    @property
    def finite_corners(self) -> tuple[FinitePoint, ...]:
        return tuple(finite(corner) for corner in self.corners if is_finite(corner))

    @property
    def size(self) -> Fraction | None:
        """Length or area; None if the cell is unbounded."""
        if not self.is_bounded:
            return None
        points = self.finite_corners
        if len(self.corners[0]) == 1:
            return abs(points[1][0] - points[0][0])
        turns = (p[0] * q[1] - p[1] * q[0] for p, q in zip(points, points[1:] + points[:1], strict=True))
        return abs(sum(turns, Fraction(0))) / 2

    def ends(self, side: int) -> tuple[Point, ...]:
        """Return the corners that span a side."""
        if len(self.corners[0]) == 1:
            return (self.corners[side],)
        return (self.corners[side], self.corners[(side + 1) % len(self.corners)])


def infinite_box(dim: int) -> Cell:
    """Return [-M, M]^dim."""
    plus, minus = (Fraction(1), Fraction(0)), (Fraction(-1), Fraction(0))
    one, no = Fraction(1), Fraction(0)
    if dim == 1:
        return Cell(((minus,), (plus,)), (Side((one, no, one), True), Side((-one, no, one), True)))
    if dim == 2:
        rows = ((no, one, no, one), (-one, no, no, one), (no, -one, no, one), (one, no, no, one))
        corners = ((minus, minus), (plus, minus), (plus, plus), (minus, plus))
        return Cell(corners, tuple(Side(row, True) for row in rows))
    raise ValueError(f"The oracle needs 1 or 2 inputs but received {dim}.")


def clip(cell: Cell, row: Row, strict: bool, is_border: bool) -> Cell | None:
    """Return ``{x in cell : row(x) >= 0}`` if it has an interior (``strict``: on which row > 0), else None."""
    values = [value_at(row, corner) for corner in cell.corners]
    if not any(v != ZERO for v in values):
        return None if strict else cell
    if max(values) <= ZERO:
        return None
    if min(values) >= ZERO:
        return cell
    cut = Side(row, is_border)
    if len(cell.corners[0]) == 1:
        cut_end = (crossing([row]), cut)
        ends = [end if v > ZERO else cut_end for v, *end in zip(values, cell.corners, cell.sides, strict=True)]
        return Cell(*zip(*ends, strict=True))
    result: list[tuple[Point, Side]] = []
    for i, (corner, side) in enumerate(zip(cell.corners, cell.sides, strict=True)):
        here, there = values[i], values[(i + 1) % len(values)]
        if here > ZERO or (here == ZERO and there > ZERO):
            result.append((corner, side))
        if here == ZERO and there < ZERO:
            result.append((corner, cut))
        if here > ZERO > there:
            result.append((crossing([side.row, row]), cut))
        if here < ZERO < there:
            result.append((crossing([side.row, row]), side))
    return Cell(*zip(*result, strict=True))


def crossing(rows: list[Row]) -> Point:
    """Return the point where as many independent affine functions as there are dimensions vanish."""
    parts = []
    for column in (-1, -2):
        if len(rows) == 1:
            parts.append((-rows[0][column] / rows[0][0],))
            continue
        (a, b, *_), (p, q, *_) = rows
        c, r, determinant = rows[0][column], rows[1][column], a * q - b * p
        parts.append(((b * r - c * q) / determinant, (c * p - a * r) / determinant))
    return tuple(zip(*parts, strict=True))


def value_at(row: Row, point: Point) -> Number:
    """Return an affine function at a point."""
    *coefficients, constant, large = row
    for a, (m, f) in zip(coefficients, point, strict=True):
        if a:
            large, constant = large + a * m, constant + a * f
    return (large, constant)


def midpoint(points: Iterable[Point]) -> Point:
    """Return the mean of points."""
    columns = list(zip(*points, strict=True))
    return tuple((sum(m for m, _ in c) / Fraction(len(c)), sum(f for _, f in c) / Fraction(len(c))) for c in columns)


def is_finite(point: Point) -> bool:
    return all(m == 0 for m, _ in point)


def finite(point: Point) -> FinitePoint:
    """Return a finite point as plain fractions."""
    return tuple(f for _, f in point)


def infinite(point: FinitePoint) -> Point:
    """Return a finite point in the coordinates of the infinite box."""
    return tuple((Fraction(0), f) for f in point)
