"""Matrices of rationals with one common denominator, on python-flint integers.

Products of floats are dyadic, so one denominator for a whole matrix costs little, and the integer
products of flint are 100 to 1000 times faster than Python's fractions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.exact.rational import common_denominator, nearest_float, to_fraction

__all__ = ["RationalMatrix", "dyadic_integers"]


def dyadic_integers(values: NDArray[np.float64]) -> tuple[list[int], int]:
    """Return integers and an exponent ``e >= 0`` with ``values == integers / 2**e``, exactly.

    Parameters
    ----------
    values : float64 array, any shape, finite
        Flattened in C order.
    """
    mantissas, exponents = np.frexp(np.asarray(values, dtype=np.float64).ravel())
    integers = np.ldexp(mantissas, 53).astype(np.int64)
    exponents = exponents.astype(np.int64) - 53
    nonzero = integers != 0
    if not nonzero.any():
        return [0] * integers.size, 0
    trailing = _trailing_zeros(integers[nonzero])
    integers[nonzero] >>= trailing
    exponents[nonzero] += trailing
    exponents[~nonzero] = 0
    lowest = min(int(exponents.min()), 0)
    shifts = (exponents - lowest).tolist()
    return [value << shift for value, shift in zip(integers.tolist(), shifts, strict=True)], -lowest


def _trailing_zeros(integers: NDArray[np.int64]) -> NDArray[np.int64]:
    lowest_bit = integers & -integers
    return np.frexp(lowest_bit.astype(np.float64))[1].astype(np.int64) - 1


@dataclass(frozen=True, slots=True)
class RationalMatrix:
    """A matrix ``numerators / denominator`` of exact rationals.

    Attributes
    ----------
    numerators : flint.fmpz_mat, shape (n_rows, n_columns)
    denominator : int
        Positive.
    """

    numerators: flint.fmpz_mat
    denominator: int

    @staticmethod
    def from_floats(values: NDArray[np.float64]) -> RationalMatrix:
        """Return a two-dimensional float array as the exact rationals it stores."""
        integers, exponent = dyadic_integers(values)
        return RationalMatrix(flint.fmpz_mat(values.shape[0], values.shape[1], integers), 1 << exponent)

    @staticmethod
    def from_rows(rows: Sequence[Sequence[object]], n_columns: int | None = None) -> RationalMatrix:
        """Return rows of numbers (anything `to_fraction` takes) as a matrix."""
        fractions = [[to_fraction(value) for value in row] for row in rows]
        width = len(fractions[0]) if fractions else (n_columns or 0)
        denominator = common_denominator(value for row in fractions for value in row)
        integers = [int(value * denominator) for row in fractions for value in row]
        return RationalMatrix(flint.fmpz_mat(len(fractions), width, integers), denominator)

    @staticmethod
    def identity_map(dim: int) -> RationalMatrix:
        """Return ``[I | 0]``, the affine map ``x -> x`` of R^dim, constants in the last column."""
        integers = [int(i == j) for i in range(dim) for j in range(dim + 1)]
        return RationalMatrix(flint.fmpz_mat(dim, dim + 1, integers), 1)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return self.numerators.nrows(), self.numerators.ncols()

    def row(self, index: int) -> tuple[Fraction, ...]:
        """Return one row as fractions."""
        return tuple(
            Fraction(int(self.numerators[index, column]), self.denominator) for column in range(self.shape[1])
        )

    def to_fractions(self) -> list[list[Fraction]]:
        """Return all entries as fractions, row by row."""
        return [[Fraction(int(value), self.denominator) for value in row] for row in self.numerators.tolist()]

    def to_floats(self) -> NDArray[np.float64]:
        """Return the nearest floats, shape (n_rows, n_columns)."""
        values = [
            [nearest_float(int(value), self.denominator) for value in row] for row in self.numerators.tolist()
        ]
        return np.array(values, dtype=np.float64).reshape(self.shape)

    def __matmul__(self, other: RationalMatrix) -> RationalMatrix:
        return RationalMatrix(self.numerators * other.numerators, self.denominator * other.denominator)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RationalMatrix):
            return NotImplemented
        return self.shape == other.shape and (
            self.numerators * other.denominator == other.numerators * self.denominator
        )

    def __hash__(self) -> int:
        return hash(self.canonical())

    def canonical(self) -> tuple[int, ...]:
        """Return (n_rows, n_columns, denominator, numerators...) in lowest terms, for dictionaries."""
        integers = [int(value) for value in self.numerators.entries()]
        divisor = math.gcd(self.denominator, *integers)
        return (*self.shape, self.denominator // divisor, *(value // divisor for value in integers))
