"""The affine map that a network is on one region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyrelu.exact.linalg import dot
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import to_fractions

__all__ = ["AffineMap"]


@dataclass(frozen=True, slots=True)
class AffineMap:
    """The map ``x -> matrix x + offset``; two maps are equal iff their entries are.

    Attributes
    ----------
    rows : RationalMatrix, shape (n_out, dim + 1)
        Constants in the last column.

    Examples
    --------
    >>> twice = AffineMap(RationalMatrix.from_rows([[2, "1/3"]]))
    >>> twice([1]), twice.matrix
    ((Fraction(7, 3),), ((Fraction(2, 1),),))
    """

    rows: RationalMatrix

    @property
    def matrix(self) -> tuple[tuple[Fraction, ...], ...]:
        """The Jacobian, n_out rows of dim entries."""
        return tuple(tuple(row[:-1]) for row in self.rows.to_fractions())

    @property
    def offset(self) -> tuple[Fraction, ...]:
        """The value at 0, one entry for each output."""
        return tuple(row[-1] for row in self.rows.to_fractions())

    def __call__(self, x: Sequence[object]) -> tuple[Fraction, ...]:
        """Return the map at a point, exactly."""
        values = (*to_fractions(x, "AffineMap"), Fraction(1))
        return tuple(Fraction(dot(row, values)) for row in self.rows.to_fractions())
