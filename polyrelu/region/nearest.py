"""The nearest point of a region in the norms L1, L2 and L-infinity: exact rationals, with multipliers that prove it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import flint
import numpy as np

from polyrelu.errors import InputError, InternalError
from polyrelu.exact.linalg import dot, row_reduce
from polyrelu.exact.rational import to_fraction, to_fractions
from polyrelu.region.evaluation import row_values, squared_distances
from polyrelu.region.lp import Optimal, maximize
from polyrelu.region.proposals import distances, unit_normals

if TYPE_CHECKING:
    from polyrelu.region.model import Region

__all__ = ["Nearest", "check_nearest", "nearest_point"]


@dataclass(frozen=True, slots=True)
class Nearest:
    """A nearest point of a region to a given point ``x``.

    Attributes
    ----------
    point : tuple of Fraction, length dim
    squared_distance : Fraction
        From ``x``, in the norm that was asked for (in L2 the distance itself is in general irrational).
    multipliers : tuple of Fraction, one for each row of the region
        Nonnegative. With ``u = sum(multipliers * normals)``, every ``z`` of the region has ``u · (z - x) >=
        squared_distance``, and the dual norm of ``u`` is at most the distance: no ``z`` is nearer.
    """

    point: tuple[Fraction, ...]
    squared_distance: Fraction
    multipliers: tuple[Fraction, ...]

    @property
    def distance_float(self) -> float:
        """The distance, rounded."""
        return math.sqrt(self.squared_distance)


def nearest_point(region: Region, x: Sequence[object], norm: float = 2) -> Nearest:
    """Return the nearest point of a closed region, its border included, to a point.

    Parameters
    ----------
    region : Region
    x : sequence of dim numbers
    norm : {1, 2, math.inf}
        In L2 the nearest point is unique; in L1 and L-infinity it is one of the nearest points.

    Raises
    ------
    InputError
        For another norm, or a point of another dimension.

    Notes
    -----
    L1 and L-infinity are linear programs. In L2, nonnegative least squares in floats (Lawson and Hanson 1974, Section
    23.4) propose the rows that hold the point back; where the proposal fails its exact check, the dual active-set
    method of Goldfarb and Idnani (1983) goes on from it in rationals.

    Examples
    --------
    >>> from polyrelu.network.pattern import Pattern
    >>> from polyrelu.region.model import region_of
    >>> from polyrelu.testing import xor
    >>> strip = region_of(xor(), Pattern.parse("10"))
    >>> found = nearest_point(strip, [2, 1])
    >>> [str(v) for v in found.point], str(found.squared_distance)
    (['1', '0'], '2')
    >>> [str(nearest_point(strip, [2, 1], norm).squared_distance) for norm in (1, math.inf)]
    ['4', '1']
    >>> nearest_point(strip, [2, 1], 3)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: nearest_point needs norm 1, 2 or math.inf but received 3. Choose one of them.
    """
    point = to_fractions(x.ravel().tolist() if hasattr(x, "ravel") else x, "nearest_point")
    if len(point) != region.network.dim:
        raise InputError(
            f"nearest_point needs a point of {region.network.dim} coordinates but received {len(point)}. Match them."
        )
    if norm not in (1, 2, math.inf):
        raise InputError(f"nearest_point needs norm 1, 2 or math.inf but received {norm}. Choose one of them.")
    used = list(dict.fromkeys(row for row in region.rows if any(row[:-1])))
    nearest, weights = _projection(used, point) if norm == 2 else _by_linear_program(used, point, norm == 1)
    by_row = dict(zip(used, weights, strict=True))
    steps = [a - b for a, b in zip(nearest, point, strict=True)]
    # A row that stands twice carries its multiplier once.
    multipliers = tuple(by_row.pop(row, Fraction(0)) for row in region.rows)
    return Nearest(nearest, _squared_norm(steps, norm), multipliers)


def check_nearest(rows: Sequence[Sequence[int]], x: Sequence[Fraction], norm: float, answer: Nearest) -> None:
    """Raise `InputError` unless a point is a nearest one of ``{z : every row >= 0}``, as its multipliers prove."""
    _require(all(dot(row, (*answer.point, 1)) >= 0 for row in rows), "a point with every row >= 0")
    steps = [a - b for a, b in zip(answer.point, x, strict=True)]
    _require(_squared_norm(steps, norm) == answer.squared_distance, "the distance of its point")
    _require(len(answer.multipliers) == len(rows), "one multiplier for each row")
    _require(all(y >= 0 for y in answer.multipliers), "nonnegative multipliers")
    used = [(y, row) for y, row in zip(answer.multipliers, rows, strict=True) if y]
    u = [sum((y * row[j] for y, row in used), Fraction(0)) for j in range(len(x))]
    _require(_squared_norm(u, _dual(norm)) <= answer.squared_distance, "multipliers of the distance's size")
    least = -sum((y * dot(row, (*x, 1)) for y, row in used), Fraction(0))
    _require(least >= answer.squared_distance, "multipliers that keep every point as far")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise InputError(f"A nearest point needs {what} but has none. Ask for it again.")


def _dual(norm: float) -> float:
    return {1: math.inf, 2: 2, math.inf: 1}[norm]


def _squared_norm(vector: Sequence[Fraction], norm: float) -> Fraction:
    if norm == 2:
        return sum((value * value for value in vector), Fraction(0))
    sizes = [abs(value) for value in vector]
    return (sum(sizes, Fraction(0)) if norm == 1 else max(sizes, default=Fraction(0))) ** 2


# --- L1 and L-infinity --------------------------------------------------------------------------------------


def _by_linear_program(
    rows: Sequence[tuple[int, ...]], x: Sequence[Fraction], is_sum: bool
) -> tuple[tuple[Fraction, ...], list[Fraction]]:
    """Return a nearest point and the multipliers of the rows; one bound for each coordinate, or one for all."""
    dim = len(x)
    n_bounds = dim if is_sum else 1
    lifted = [(*row[:-1], *[0] * n_bounds, row[-1]) for row in rows]
    for j, value in enumerate(x):
        bound = [int(k == (j if is_sum else 0)) * value.denominator for k in range(n_bounds)]
        step = [int(k == j) * value.denominator for k in range(dim)]
        lifted.append((*(-v for v in step), *bound, value.numerator))
        lifted.append((*step, *bound, -value.numerator))
    answer = maximize((*[0] * dim, *[-1] * n_bounds, 0), lifted)
    if not isinstance(answer, Optimal):
        raise InternalError(f"nearest_point needs an optimal value but received {answer}. Please report the region.")
    return answer.point[:dim], [-answer.value * y for y in answer.multipliers[: len(rows)]]


# --- L2 -----------------------------------------------------------------------------------------------------


def _projection(
    rows: Sequence[tuple[int, ...]], x: Sequence[Fraction]
) -> tuple[tuple[Fraction, ...], list[Fraction]]:
    """Return the nearest point in L2 and the multipliers of the rows: ``point - x = sum(multipliers * normals)``."""
    multipliers = [Fraction(0)] * len(rows)
    if not rows:
        return tuple(x), multipliers
    active = _ActiveRows.of(rows, x, _proposed_rows(rows, x))
    while True:
        values, scale = row_values(rows, active.point)
        violated = [i for i, value in enumerate(values) if value < 0]
        if not violated:
            break
        depths = squared_distances([rows[i] for i in violated], active.point)
        deepest = violated[depths.index(max(depths))]
        active = active.with_row(rows, deepest, flint.fmpq(values[deepest], scale))
    for i, weight in zip(active.numbers, active.weights, strict=True):
        multipliers[i] = to_fraction(weight)
    return active.point, multipliers


def _proposed_rows(rows: Sequence[tuple[int, ...]], x: Sequence[Fraction]) -> list[int]:
    """Return which rows probably hold the nearest point back."""
    from scipy.optimize import nnls

    values, _ = row_values(rows, x)
    if min(values) >= 0:
        return []
    units, squares = unit_normals(rows), squared_distances(rows, x)
    deepest = max(square for square, value in zip(squares, values, strict=True) if value < 0)
    depths = distances(squares, deepest) * [-1 if value < 0 else 1 for value in values]
    matrix = np.vstack([units.T, -depths])
    try:
        weights, _ = nnls(matrix, np.array([*[0.0] * units.shape[1], 1.0]))
    except RuntimeError:  # too many steps
        return []
    return np.flatnonzero(weights > 0).tolist()


@dataclass(frozen=True, slots=True)
class _ActiveRows:
    """The projection of a point to where some independent rows vanish.

    Attributes
    ----------
    point : tuple of Fraction
        ``x + sum(weights * normals)``.
    numbers : list of int
        Of the rows.
    weights : list of flint.fmpq
        Nonnegative: among all points with these rows >= 0 the point is the nearest.
    """

    point: tuple[Fraction, ...]
    numbers: list[int]
    weights: list[flint.fmpq]

    @staticmethod
    def of(rows: Sequence[tuple[int, ...]], x: Sequence[Fraction], proposed: list[int]) -> _ActiveRows:
        """Return the projection to where the proposed rows vanish; with no row, if a weight would be negative."""
        independent = row_reduce(list(zip(*(rows[i][:-1] for i in proposed), strict=True)), len(proposed))[1]
        numbers = [proposed[i] for i in independent]
        if numbers:
            normals = _normals(rows, numbers)
            values, scale = row_values([rows[i] for i in numbers], x)
            column = flint.fmpq_mat(len(numbers), 1, [flint.fmpq(-value, scale) for value in values])
            weights = _solve(normals, column)
            if min(weights) >= 0:
                return _ActiveRows(_moved(x, normals, weights), numbers, weights)
        return _ActiveRows(tuple(x), [], [])

    def with_row(self, rows: Sequence[tuple[int, ...]], entering: int, value: flint.fmpq) -> _ActiveRows:
        """Return the projection with a violated row added, and those dropped that no longer hold the point back.

        ``value`` is the row's at the point: negative.
        """
        point, numbers, weights = self.point, list(self.numbers), list(self.weights)
        new_weight = flint.fmpq(0)
        normal = flint.fmpz_mat([list(rows[entering][:-1])])
        while True:
            # Raising the new weight by t moves the point along the part of the new normal that leaves the active rows
            # at 0, and lowers their weights at the given rates.
            rates = _solve(_normals(rows, numbers), _normals(rows, numbers) * normal.transpose()) if numbers else []
            direction = [flint.fmpq(int(v)) for v in normal.entries()]
            for i, rate in zip(numbers, rates, strict=True):
                direction = [d - rate * a for d, a in zip(direction, rows[i][:-1], strict=True)]
            slope = sum((d * d for d in direction), start=flint.fmpq(0))
            limits = [(w / rate, k) for k, (w, rate) in enumerate(zip(weights, rates, strict=True)) if rate > 0]
            is_full = slope > 0 and (not limits or -value / slope <= min(limits)[0])
            if not is_full and not limits:
                raise InternalError("nearest_point needs a region with points but received none. Please report it.")
            step = -value / slope if is_full else min(limits)[0]
            point = tuple(p + to_fraction(step * d) for p, d in zip(point, direction, strict=True))
            value += step * slope
            weights = [w - step * rate for w, rate in zip(weights, rates, strict=True)]
            new_weight += step
            if is_full:
                return _ActiveRows(point, [*numbers, entering], [*weights, new_weight])
            leaving = min(limits)[1]
            del numbers[leaving], weights[leaving]


def _normals(rows: Sequence[tuple[int, ...]], numbers: Sequence[int]) -> flint.fmpz_mat:
    return flint.fmpz_mat([list(rows[i][:-1]) for i in numbers])


def _solve(normals: flint.fmpz_mat, column: flint.fmpq_mat | flint.fmpz_mat) -> list[flint.fmpq]:
    """Return y with ``normals normals^T y = column``."""
    gram = flint.fmpq_mat(normals * normals.transpose())
    return gram.solve(flint.fmpq_mat(column)).entries()


def _moved(x: Sequence[Fraction], normals: flint.fmpz_mat, weights: list[flint.fmpq]) -> tuple[Fraction, ...]:
    steps = (flint.fmpq_mat(1, len(weights), weights) * flint.fmpq_mat(normals)).entries()
    return tuple(v + to_fraction(step) for v, step in zip(x, steps, strict=True))
