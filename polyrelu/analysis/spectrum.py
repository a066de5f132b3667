"""The largest eigenvalue of a pair of symmetric rational matrices: exact comparisons, and its polynomial.

All decisions are made by rational eliminations and by counting roots (Sturm 1829); eigenvalues are never rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import flint

from polyrelu.exact.rational import common_denominator

__all__ = ["count_roots", "eigenvalue_polynomial", "is_bounded_by", "is_root", "largest_factor", "lowest_terms"]

Matrix = Sequence[Sequence[Fraction]]


def is_bounded_by(gram: Matrix, metric: Matrix, bound: Fraction) -> bool:
    """Return whether every eigenvalue of ``gram v = value * metric v`` is at most a bound.

    It is iff ``bound * metric - gram`` is positive semidefinite, which symmetric elimination (L D L^T) decides.

    Parameters
    ----------
    gram, metric : square symmetric matrices of Fraction
        The metric is positive definite.

    Examples
    --------
    >>> gram, identity = [[Fraction(2), Fraction(1)], [Fraction(1), Fraction(2)]], [[Fraction(1), 0], [0, Fraction(1)]]
    >>> is_bounded_by(gram, identity, Fraction(3)), is_bounded_by(gram, identity, Fraction(299, 100))
    (True, False)
    """
    rows = [[bound * m - g for g, m in zip(*both, strict=True)] for both in zip(gram, metric, strict=True)]
    while rows:
        pivot, first = rows[0][0], rows[0][1:]
        if pivot < 0 or (pivot == 0 and any(first)):
            return False
        rest = [row[1:] for row in rows[1:]]
        if pivot:
            factors = [x / pivot for x in first]
            rest = [[a - x * y for a, y in zip(row, first, strict=True)] for row, x in zip(rest, factors, strict=True)]
        rows = rest
    return True


def is_root(gram: Matrix, metric: Matrix, value: Fraction) -> bool:
    """Return whether a number is an eigenvalue."""
    return sum(c * value**i for i, c in enumerate(eigenvalue_polynomial(gram, metric))) == 0


def eigenvalue_polynomial(gram: Matrix, metric: Matrix) -> tuple[int, ...]:
    """Return the coprime integers, constant first, of the polynomial ``det(t * metric - gram)`` in lowest terms.

    Examples
    --------
    >>> gram, identity = [[Fraction(2), Fraction(1)], [Fraction(1), Fraction(2)]], [[Fraction(1), 0], [0, Fraction(1)]]
    >>> eigenvalue_polynomial(gram, identity)
    (3, -4, 1)
    """
    product = _flint_matrix(metric).inv() * _flint_matrix(gram)
    integers, scale = product.numer_denom()
    coefficients = enumerate(integers.charpoly().coeffs())
    return lowest_terms([Fraction(int(c) * int(scale) ** i) for i, c in coefficients])


def largest_factor(polynomial: Sequence[int], lower: Fraction, upper: Fraction) -> tuple[int, ...] | None:
    """Return the irreducible factor with the only root in ``(lower, upper]``, None if several factors have roots there.

    Examples
    --------
    >>> largest_factor((3, -4, 1), Fraction(2), Fraction(4)), largest_factor((3, -4, 1), Fraction(0), Fraction(4))
    ((-3, 1), None)
    """
    _, factors = flint.fmpz_poly(list(polynomial)).factor()
    found = [tuple(int(c) for c in factor.coeffs()) for factor, _ in factors]
    counts = [count_roots(factor, lower, upper) for factor in found]
    if sum(counts) != 1:
        return None
    return lowest_terms([Fraction(c) for c in found[counts.index(1)]])


def count_roots(polynomial: Sequence[int], lower: Fraction, upper: Fraction) -> int:
    """Return how many distinct real roots lie in ``(lower, upper]``, by Sturm's chain.

    Examples
    --------
    >>> count_roots((-2, 0, 1), Fraction(-2), Fraction(2)), count_roots((3, -4, 1), Fraction(1), Fraction(3))
    (2, 1)
    """
    given = flint.fmpq_poly(list(polynomial))
    simple = given // given.gcd(given.derivative())
    chain = [simple, simple.derivative()]
    while chain[-1].degree() > 0:
        remainder = -(chain[-2] % chain[-1])
        if remainder.degree() < 0:
            break
        chain.append(remainder)
    return _sign_changes(chain, lower) - _sign_changes(chain, upper)


def lowest_terms(coefficients: Sequence[Fraction]) -> tuple[int, ...]:
    """Return a polynomial's coefficients as coprime integers, the leading one positive."""
    scale = common_denominator(coefficients)
    integers = flint.fmpz_poly([int(c * scale) for c in coefficients])
    divisor = int(integers.content()) * (-1 if integers.coeffs()[-1] < 0 else 1)
    return tuple(int(c) // divisor for c in integers.coeffs())


def _sign_changes(chain: Sequence[Any], point: Fraction) -> int:
    values = [value for value in (p(flint.fmpq(point.numerator, point.denominator)) for p in chain) if value != 0]
    return sum((a > 0) != (b > 0) for a, b in pairwise(values))


def _flint_matrix(matrix: Matrix) -> Any:
    n = len(matrix)
    entries = [Fraction(value) for row in matrix for value in row]
    return flint.fmpq_mat(n, n, [flint.fmpq(value.numerator, value.denominator) for value in entries])
