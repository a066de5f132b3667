"""Multipliers that write the difference of two terms as a nonnegative combination of the rows of a region."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint

from polyrelu.analysis.tropex.convex_parts import convex_parts
from polyrelu.analysis.tropex.exact_family import ExactFamily, ExactMerge
from polyrelu.analysis.tropex.integer_affine import Rows
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import common_denominator
from polyrelu.network.activation import MAX_UNIT, PiecewiseLinear

__all__ = ["PointTerms", "region_multipliers"]

Digits = Sequence[Sequence[int]]


@dataclass(frozen=True, eq=False)
class PointTerms:
    """What a data point gives.

    Attributes
    ----------
    digits : lists of unit digits, one for each hidden layer
    stages : list of Rows
        The common term and that of the point's label behind each hidden layer, the last first (`ExactFamily.stages`).
    """

    digits: Digits
    stages: list[Rows]


def region_multipliers(family: ExactFamily, digits: Digits, others: Sequence[PointTerms]) -> RationalMatrix:
    """Return multipliers of a region's rows, in the order of `region_hrep`, and of 1, shape (2 n, n_rows + 1).

    Parameters
    ----------
    digits : lists of unit digits
        Of the region.
    others : sequence of n PointTerms

    Returns
    -------
    RationalMatrix
        Row ``m`` is for the common terms of the region and of point ``m``, row ``n + m`` for those of its label.
    """
    starts, n_rows = _row_starts(family, digits)
    denominator = math.lcm(1, *(int(merge.denominator) * _whole_factor(merge) for merge in family.merges))
    layers = [
        _Steps.of(merge, denominator, own, first)
        for merge, own, first in zip(family.merges, reversed(digits), reversed(starts), strict=True)
    ]
    rows = [_pair(layers, other, side, n_rows) for side in (0, 1) for other in others]
    return RationalMatrix(flint.fmpz_mat(rows), denominator)


@dataclass(frozen=True, eq=False)
class _Steps:
    """What one layer adds to multipliers where two points are on different pieces of a unit.

    Attributes
    ----------
    merge : ExactMerge
    digits : unit digits
        Of the region.
    starts : list of int
        The first row of each unit.
    of_max : int
        What a slope of a max unit is multiplied with, to be a numerator over the denominator of all multipliers.
    of_function : list of dicts
        For each function and pair of digits what its rising and its falling part are multiplied with: a multiplier of
        the row and a constant each.
    """

    merge: ExactMerge
    digits: Sequence[int]
    starts: Sequence[int]
    of_max: int
    of_function: list[dict[tuple[int, int], tuple[tuple[int, int], ...]]]

    @staticmethod
    def of(merge: ExactMerge, denominator: int, digits: Sequence[int], starts: Sequence[int]) -> _Steps:
        of_max, tables = denominator // int(merge.denominator), []
        for function in merge.activation.functions:
            pieces = range(function.n_pieces)
            pairs = [(digit, other) for digit in pieces for other in pieces if digit != other]
            both = {pair: [_steps(part, *pair) for part in convex_parts(function)] for pair in pairs}
            tables.append({pair: tuple((int(m * of_max), int(c * of_max)) for m, c in both[pair]) for pair in pairs})
        return _Steps(merge, digits, starts, of_max, tables)


def _whole_factor(merge: ExactMerge) -> int:
    """Return a number that makes the steps of all functions whole."""
    parts = [part for function in merge.activation.functions for part in convex_parts(function)]
    slopes = common_denominator(slope for part in parts for slope in part.slopes)
    return slopes * common_denominator(point for part in parts for point in part.breakpoints)


def _row_starts(family: ExactFamily, digits: Digits) -> tuple[list[list[int]], int]:
    """Return the first row of each unit, layer by layer, and the number of all rows."""
    starts: list[list[int]] = []
    total = 0
    for merge, own in zip(reversed(family.merges), digits, strict=True):
        first = []
        for unit, digit in enumerate(own):
            first.append(total)
            kind = int(merge.activation.kind[unit])
            if kind == MAX_UNIT:
                total += int(merge.activation.indptr[unit + 1] - merge.activation.indptr[unit]) - 1
            else:
                total += (digit > 0) + (digit < merge.activation.functions[kind].n_pieces - 1)
        starts.append(first)
    return starts, total


def _pair(layers: Sequence[_Steps], other: PointTerms, side: int, n_rows: int) -> list[int]:
    """Return the numerators of the multipliers of a region's rows, and of 1, for the term of one point."""
    result = [0] * (n_rows + 1)
    for layer, theirs, rows in zip(layers, reversed(other.digits), other.stages, strict=False):
        for unit, (digit, theirs_digit) in enumerate(zip(layer.digits, theirs, strict=True)):
            if digit != theirs_digit:
                _add_unit(result, layer, unit, (digit, theirs_digit), int(rows[side][unit]))
    return result


def _add_unit(result: list[int], layer: _Steps, unit: int, digits: tuple[int, int], slope: int) -> None:
    """Add what a unit contributes, on whose pieces the two points differ."""
    digit, other = digits
    first, kind = layer.starts[unit], int(layer.merge.activation.kind[unit])
    if kind == MAX_UNIT:
        result[first + other - (other > digit)] += slope * layer.of_max
        return
    # The row of the breakpoint below comes before that of the breakpoint above.
    row = first if other < digit else first + (digit > 0)
    rest = int(layer.merge.highest[unit]) - slope
    for weight, (multiplier, constant) in zip((slope, rest), layer.of_function[kind][digits], strict=True):
        result[row] += weight * multiplier
        result[-1] += weight * constant


def _steps(part: PiecewiseLinear, digit: int, other: int) -> tuple[Fraction, Fraction]:
    """Return ``(m, c)``, nonnegative, with ``piece digit - piece other = m r + c`` for a convex function.

    ``r`` is ``z`` minus the breakpoint below piece ``digit`` if ``other`` is below, else the breakpoint above minus
    ``z``.
    """
    low, high = sorted((digit, other))
    near = part.breakpoints[digit - 1 if other < digit else digit]
    changes = [(part.slopes[i + 1] - part.slopes[i], abs(near - part.breakpoints[i])) for i in range(low, high)]
    return sum((d for d, _ in changes), Fraction(0)), sum((d * gap for d, gap in changes), Fraction(0))
