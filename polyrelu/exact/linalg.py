"""Linear algebra on integer rows: row echelon form, rank, null space, sums of products."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import flint

from polyrelu.exact.rational import primitive_row

__all__ = ["dot", "null_space", "rank", "row_reduce"]


def dot(row: Sequence[Fraction | int], values: Sequence[Fraction | int]) -> Fraction | int:
    """Return the sum of products of two vectors of one length."""
    return sum(a * v for a, v in zip(row, values, strict=True))


def row_reduce(rows: Sequence[Sequence[int]], n_columns: int) -> tuple[list[list[int]], list[int], int]:
    """Return the reduced row echelon form, over one denominator, and its pivot columns.

    Parameters
    ----------
    rows : sequence of integer rows, each of length n_columns

    Returns
    -------
    reduced : list of list of int, shape (rank, n_columns)
        Row ``i`` has ``denominator`` in column ``pivots[i]`` and 0 in the other pivot columns.
    pivots : list of int
    denominator : int
        Positive.

    Examples
    --------
    >>> row_reduce([(2, 4, 1), (1, 2, 0)], 3)
    ([[1, 2, 0], [0, 0, 1]], [0, 2], 1)
    >>> row_reduce([], 2)
    ([], [], 1)
    """
    if not rows or not n_columns:
        return [], [], 1
    matrix, denominator, rank_ = flint.fmpz_mat([list(row) for row in rows]).rref()
    sign = -1 if denominator < 0 else 1
    reduced = [[sign * int(value) for value in row] for row in matrix.tolist()[:rank_]]
    pivots = [next(j for j, value in enumerate(row) if value) for row in reduced]
    return reduced, pivots, sign * int(denominator)


def rank(rows: Sequence[Sequence[int]]) -> int:
    """Return the rank of integer rows.

    Examples
    --------
    >>> rank([(1, 2), (2, 4)]), rank([])
    (1, 0)
    """
    rows = [list(row) for row in rows]
    return int(flint.fmpz_mat(rows).rank()) if rows and rows[0] else 0


def null_space(rows: Sequence[Sequence[int]], n_columns: int) -> tuple[tuple[int, ...], ...]:
    """Return coprime integer vectors that span the null space, one for each column without a pivot.

    Each is positive in its own such column and 0 in the others.

    Examples
    --------
    >>> null_space([(1, 1, 0)], 3)
    ((-1, 1, 0), (0, 0, 1))
    """
    reduced, pivots, denominator = row_reduce(rows, n_columns)
    basis = []
    for free in sorted(set(range(n_columns)) - set(pivots)):
        vector = [0] * n_columns
        vector[free] = denominator
        for pivot, row in zip(pivots, reduced, strict=True):
            vector[pivot] = -row[free]
        basis.append(primitive_row(vector))
    return tuple(basis)
