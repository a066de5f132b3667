"""Multipliers that write the difference of two terms as a nonnegative combination of the rows of a region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from polyrelu.analysis.tropex.convex_parts import convex_parts
from polyrelu.analysis.tropex.exact_family import ExactFamily, ExactMerge
from polyrelu.analysis.tropex.integer_affine import Row, Rows
from polyrelu.exact.matrix import RationalMatrix
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
    return RationalMatrix.from_rows(
        [_pair(family, digits, other, side, starts, n_rows) for side in (0, 1) for other in others]
    )


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


def _pair(
    family: ExactFamily, digits: Digits, other: PointTerms, side: int, starts: list[list[int]], n_rows: int
) -> list[Fraction]:
    result = [Fraction(0)] * (n_rows + 1)
    layers = zip(family.merges, reversed(digits), reversed(other.digits), other.stages, reversed(starts), strict=False)
    for merge, own, theirs, rows, first in layers:
        for unit, (digit, theirs_digit) in enumerate(zip(own, theirs, strict=True)):
            if digit != theirs_digit:
                _add_unit(result, merge, unit, (digit, theirs_digit), rows[side], first[unit])
    return result


def _add_unit(
    result: list[Fraction], merge: ExactMerge, unit: int, digits: tuple[int, int], slopes: Row, first: int
) -> None:
    """Add what a unit contributes, on whose pieces the two points differ; its rows begin at ``first``."""
    digit, other = digits
    slope = Fraction(int(slopes[unit]), merge.denominator)
    kind = int(merge.activation.kind[unit])
    if kind == MAX_UNIT:
        result[first + other - (other > digit)] += slope
        return
    function = merge.activation.functions[kind]
    rest = Fraction(int(merge.highest[unit]), merge.denominator) - slope
    # The row of the breakpoint below comes before that of the breakpoint above.
    row = first if other < digit else first + (digit > 0)
    for part, weight in zip(convex_parts(function), (slope, rest), strict=True):
        multiplier, constant = _steps(part, digit, other)
        result[row] += weight * multiplier
        result[-1] += weight * constant


@lru_cache(maxsize=4096)
def _steps(part: PiecewiseLinear, digit: int, other: int) -> tuple[Fraction, Fraction]:
    """Return ``(m, c)``, nonnegative, with ``piece digit - piece other = m r + c`` for a convex function.

    ``r`` is ``z`` minus the breakpoint below piece ``digit`` if ``other`` is below, else the breakpoint above minus
    ``z``.
    """
    low, high = sorted((digit, other))
    near = part.breakpoints[digit - 1 if other < digit else digit]
    changes = [(part.slopes[i + 1] - part.slopes[i], abs(near - part.breakpoints[i])) for i in range(low, high)]
    return sum((d for d, _ in changes), Fraction(0)), sum((d * gap for d, gap in changes), Fraction(0))
