"""Float answers that only propose: unit normals of rows, and linear programs solved by HiGHS.

Nothing here is believed by itself. Whoever asks checks the proposal in rationals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Proposal", "as_fractions", "distances", "power_near_root", "propose_maximum", "unit_normals"]

INTERIOR = 50_000
"""Programs with more entries go to the interior-point method: on the region of an image network it takes a second, and
the simplex method minutes."""
LARGEST = 1e15
"""Distances beyond are cut to this: HiGHS takes 1e20 for infinity."""


class Proposal(NamedTuple):
    """What HiGHS says of ``max objective · x`` over ``matrix x >= lower``.

    Attributes
    ----------
    x : float64 array, shape (n,)
    multipliers : float64 array, shape (n_rows,)
        Nonnegative: the weights of the rows in the proof that no x does better.
    """

    x: NDArray[np.float64]
    multipliers: NDArray[np.float64]


def propose_maximum(
    objective: ArrayLike, matrix: ArrayLike, lower: ArrayLike, reach: float = np.inf
) -> Proposal | None:
    """Return the proposed maximum of ``objective · x`` over ``matrix x >= lower``, None where HiGHS finds none.

    Parameters
    ----------
    objective : float array, shape (n,)
    matrix : float array, shape (n_rows, n)
    lower : float array, shape (n_rows,)
    reach : float
        Only look at ``|x_j| <= reach``.

    Examples
    --------
    >>> propose_maximum([1, 1], [[-1, 0], [0, -1]], [-2, -3]).x.tolist()
    [2.0, 3.0]
    >>> propose_maximum([1], [[1]], [0]) is None
    True
    """
    import highspy

    A = np.ascontiguousarray(matrix, dtype=np.float64)
    n_rows, n = A.shape
    rows, columns = np.nonzero(A)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = n, n_rows
    program.sense_ = highspy.ObjSense.kMaximize
    program.col_cost_ = np.asarray(objective, dtype=np.float64)
    program.col_lower_, program.col_upper_ = np.full(n, -reach), np.full(n, reach)
    program.row_lower_, program.row_upper_ = np.asarray(lower, dtype=np.float64), np.full(n_rows, np.inf)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = np.searchsorted(rows, np.arange(n_rows + 1)).astype(np.int32)
    program.a_matrix_.index_, program.a_matrix_.value_ = columns.astype(np.int32), A[rows, columns]
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("solver", "simplex" if n_rows * n < INTERIOR else "ipm")
    solver.passModel(program)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    solution = solver.getSolution()
    return Proposal(np.array(solution.col_value), np.abs(np.array(solution.row_dual)))


def unit_normals(rows: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Return the normals of integer rows ``(a, c)``, each divided by its Euclidean norm, shape (n_rows, dim).

    Examples
    --------
    >>> unit_normals([(3, 4, 7), (0, -(10**400), 1)]).tolist()
    [[0.6, 0.8], [0.0, -1.0]]
    """
    floats = []
    for row in rows:
        shift = max(max(abs(value) for value in row[:-1]).bit_length() - 500, 0)
        floats.append([float(value >> shift) for value in row[:-1]])
    normals = np.array(floats, dtype=np.float64).reshape(len(rows), -1)
    largest = np.abs(normals).max(axis=1, keepdims=True, initial=0)
    normals = normals / np.where(largest > 0, largest, 1)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return normals / np.where(lengths > 0, lengths, 1)


def distances(squares: Sequence[Fraction], unit: Fraction) -> NDArray[np.float64]:
    """Return square roots of numbers in terms of that of a unit, cut to `LARGEST`, shape (n,)."""
    roots = []
    for square in squares:
        ratio = square / unit
        roots.append(math.sqrt(ratio) if ratio < LARGEST**2 else LARGEST)
    return np.array(roots, dtype=np.float64)


def as_fractions(values: NDArray[np.float64], scale: Fraction, bits: int) -> list[Fraction]:
    """Return ``scale * values``, the values rounded to a number of binary places so that results stay short."""
    return [scale * Fraction(round(math.ldexp(value, bits)), 1 << bits) for value in values.tolist()]

def power_near_root(square: Fraction) -> Fraction:
    """Return a power of two near the root of a positive fraction."""
    exponent = (square.numerator.bit_length() - square.denominator.bit_length()) // 2
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)
