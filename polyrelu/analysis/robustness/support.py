"""The nearest point in rationals, from a guess at the rows that hold it back: one square system of equations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.certificate.answer_robustness import squared_norm
from polyrelu.certificate.answer_rows import Row, value_at
from polyrelu.exact.rational import to_fraction
from polyrelu.region.proposals import unit_normals

__all__ = ["ExactNearest", "nearest_from_support"]


@dataclass(frozen=True, slots=True)
class ExactNearest:
    """The nearest point in rationals.

    Attributes
    ----------
    squared_distance : Fraction or None
        None if no point has all rows.
    point : tuple of Fraction, or None
    multipliers : tuple of (int, Fraction)
        They prove that no point is nearer, or that there is none.
    """

    squared_distance: Fraction | None
    point: tuple[Fraction, ...] | None
    multipliers: tuple[tuple[int, Fraction], ...]


def nearest_from_support(
    rows: Sequence[Row], point: Sequence[Fraction], norm: float, weights: Sequence[float]
) -> ExactNearest | None:
    """Return the nearest point at which some rows are >= 0, if it is one where all of them are 0; else None.

    Parameters
    ----------
    rows : sequence of Row
        Probably those, and no others, that hold the point back.
    weights : sequence of float
        About their multipliers, for unit rows.

    Notes
    -----
    With ``u`` the sum of the rows' normals, each times its multiplier, a step ``d`` is shortest if the rows are 0
    there, no multiplier is negative and ``u · d`` is the length of ``d`` times the dual norm of ``u``. In L2 that is
    ``d = u``. In L-infinity ``d`` has one size where ``u`` is not 0, and its sign; in L1 it is 0 where ``u`` is not
    largest.

    Examples
    --------
    >>> found = nearest_from_support([(1, 1, -2)], (Fraction(0), Fraction(0)), math.inf, [1.0])
    >>> found.squared_distance, [str(x) for x in found.point]
    (Fraction(1, 1), ['1', '1'])
    """
    if not rows:
        return ExactNearest(Fraction(0), tuple(point), ())
    if len(rows) > len(point) + (norm == math.inf):
        return None
    depths = [-value_at(row, point) for row in rows]
    solve = _in_l2 if norm == 2 else _in_l_infinity if norm == math.inf else _in_l1
    try:
        step, multipliers = solve(rows, depths, np.array(weights) @ unit_normals(rows))
    except ZeroDivisionError:  # dependent equations
        return None
    total = _total(rows, multipliers)
    length = sum((u * d for u, d in zip(total, step, strict=True)), Fraction(0))
    dual = squared_norm(total, {1: math.inf, 2: 2, math.inf: 1}[norm])
    square = squared_norm(step, norm)
    if min(multipliers) < 0 or length < 0 or length * length != dual * square:
        return None
    moved = tuple(x + d for x, d in zip(point, step, strict=True))
    return ExactNearest(Fraction(square), moved, tuple((i, y) for i, y in enumerate(multipliers) if y))


Solution = tuple[list[Fraction], list[Fraction]]
"""A step and the rows' multipliers."""


def _in_l2(rows: Sequence[Row], depths: Sequence[Fraction], _floats: NDArray[np.float64]) -> Solution:
    table = flint.fmpz_mat([list(row[:-1]) for row in rows])
    multipliers = _solve(table * table.transpose(), depths)
    return _total(rows, multipliers), multipliers


def _in_l_infinity(rows: Sequence[Row], depths: Sequence[Fraction], floats: NDArray[np.float64]) -> Solution:
    """Solve for the size of the step and the coordinates, one fewer than rows, where ``u`` is probably 0."""
    free = np.argsort(np.abs(floats), kind="stable")[: len(rows) - 1].tolist()
    signs = np.where(floats < 0, -1, 1).tolist()
    others = sorted(set(range(len(floats))) - set(free))
    table = [[*(row[j] for j in free), sum(row[j] * signs[j] for j in others)] for row in rows]
    *values, size = _solve(flint.fmpz_mat(table), depths)
    step = [signs[j] * size for j in range(len(floats))]
    for j, value in zip(free, values, strict=True):
        step[j] = value
    multipliers = _solve(flint.fmpz_mat(table).transpose(), [Fraction(0)] * len(free) + [Fraction(1)])
    return step, multipliers


def _in_l1(rows: Sequence[Row], depths: Sequence[Fraction], floats: NDArray[np.float64]) -> Solution:
    """Solve for the coordinates, as many as rows, where ``u`` is probably largest."""
    free = np.argsort(-np.abs(floats), kind="stable")[: len(rows)].tolist()
    table = flint.fmpz_mat([[row[j] for j in free] for row in rows])
    step = [Fraction(0)] * len(floats)
    for j, value in zip(free, _solve(table, depths), strict=True):
        step[j] = value
    return step, _solve(table.transpose(), [Fraction(-1 if floats[j] < 0 else 1) for j in free])


def _solve(square: flint.fmpz_mat, values: Sequence[Fraction]) -> list[Fraction]:
    column = flint.fmpq_mat(len(values), 1, [flint.fmpq(v.numerator, v.denominator) for v in values])
    return [to_fraction(x) for x in flint.fmpq_mat(square).solve(column).entries()]


def _total(rows: Sequence[Row], multipliers: Sequence[Fraction]) -> list[Fraction]:
    ys = flint.fmpq_mat(1, len(rows), [flint.fmpq(y.numerator, y.denominator) for y in multipliers])
    return [to_fraction(x) for x in (ys * flint.fmpq_mat(flint.fmpz_mat([list(row[:-1]) for row in rows]))).entries()]
