"""`MaxPolynomial`: a maximum of affine functions, a polynomial of max-plus algebra, and which of its terms it needs.

A term ``a · x + c`` is the point ``(a, c)`` of the dual space. It is needed, the only largest one somewhere, exactly if
its point is a vertex of the *upper hull* of all these points: if no mean of the others has its slopes and a constant at
least as large. Both answers have evidence: an input, or the weights of such a mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint

from polyrelu.analysis.ground import require
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InputError, InternalError
from polyrelu.exact.linalg import dot
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import primitive_row, to_fractions
from polyrelu.region.lp import Infeasible, Witness, find_point

__all__ = ["MaxPolynomial", "TermNeeded", "TermRedundant", "decide_term_needed", "find_mean_above", "remove_redundant"]

Row = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class MaxPolynomial:
    """The largest of some affine functions: convex, and linear on as many regions as it has terms that it needs.

    Attributes
    ----------
    rows : RationalMatrix, shape (n_terms, dim + 1)
        The terms, at least one; constants in the last column.

    Examples
    --------
    >>> tent = MaxPolynomial.from_rows([[2, 1, 0], [0, 0, 3], ["1/2", -1, "-1/3"]])
    >>> print(tent)
    max(2 x + y, 3, 1/2 x - y - 1/3)
    >>> tent.value([1, 2]), tent.term_at([1, 0])
    (Fraction(4, 1), 1)
    >>> MaxPolynomial.from_rows([])
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: A max-plus polynomial needs a term but received none. Give one affine function.
    """

    rows: RationalMatrix

    def __post_init__(self) -> None:
        if not all(self.rows.shape):
            raise InputError("A max-plus polynomial needs a term but received none. Give one affine function.")

    @staticmethod
    def from_rows(rows: Sequence[Sequence[object]]) -> MaxPolynomial:
        """Return the polynomial with these terms, each of them ``dim`` slopes and a constant."""
        if len({len(row) for row in rows}) > 1:
            raise InputError(
                "A max-plus polynomial needs terms of one length but received several. Give each dim slopes and a "
                "constant."
            )
        return MaxPolynomial(RationalMatrix.from_rows(rows))

    @property
    def n_terms(self) -> int:
        """Number of terms."""
        return self.rows.shape[0]

    @property
    def dim(self) -> int:
        """Number of inputs."""
        return self.rows.shape[1] - 1

    def value(self, x: Sequence[object]) -> Fraction:
        """Return the value at a point, exactly."""
        return self.largest(x)[1]

    def term_at(self, x: Sequence[object]) -> int:
        """Return which term is the largest at a point; the first of several."""
        return self.largest(x)[0]

    def largest(self, x: Sequence[object]) -> tuple[int, Fraction]:
        """Return the first term that is the largest at a point, and its value."""
        column = self._column(x)
        values = (self.rows.numerators * column.numerators).entries()
        best = max(values)
        return values.index(best), Fraction(int(best), self.rows.denominator * column.denominator)

    def values(self, x: Sequence[object]) -> tuple[Fraction, ...]:
        """Return the value of every term at a point, exactly."""
        return tuple(row[0] for row in (self.rows @ self._column(x)).to_fractions())

    def _column(self, x: Sequence[object]) -> RationalMatrix:
        point = (*to_fractions(x, "MaxPolynomial"), Fraction(1))
        if len(point) != self.dim + 1:
            raise InputError(
                f"A max-plus polynomial needs a point of {self.dim} coordinates but received {len(point) - 1}. "
                "Match them."
            )
        return RationalMatrix.from_rows([[v] for v in point])

    def shifted(self, affine: Sequence[Fraction]) -> MaxPolynomial:
        """Return the polynomial with an affine function, ``dim`` slopes and a constant, added to every term."""
        rows = self.rows.to_fractions()
        return MaxPolynomial.from_rows([[a + b for a, b in zip(row, affine, strict=True)] for row in rows])

    def to_text(self, names: Sequence[str] | None = None) -> str:
        """Return the polynomial as text, such as ``max(2 x + y, 3)``; inputs are x, y, z, or x0, x1, ... if more."""
        names = names or (["x", "y", "z"][: self.dim] if self.dim <= 3 else [f"x{i}" for i in range(self.dim)])
        if len(names) != self.dim:
            raise InputError(
                f"A max-plus polynomial needs a name for each of {self.dim} inputs but received {len(names)}. "
                "Match them."
            )
        terms = [_form(row, names) for row in self.rows.to_fractions()]
        return f"max({', '.join(terms)})" if len(terms) > 1 else terms[0]

    def __str__(self) -> str:
        return self.to_text()


@dataclass(frozen=True, slots=True)
class TermNeeded:
    """An input at which one term is larger than all the others.

    Attributes
    ----------
    polynomial : MaxPolynomial
    term : int
    point : tuple of Fraction, length dim
    """

    polynomial: MaxPolynomial
    term: int
    point: Row

    def check(self) -> None:
        """Raise `CertificateError` unless the term is the only largest one there."""
        require(0 <= self.term < self.polynomial.n_terms, "the number of a term")
        require(len(self.point) == self.polynomial.dim, "an input of the polynomial")
        values = list(self.polynomial.values(self.point))
        own = values.pop(self.term)
        require(all(own > value for value in values), "an input at which the term is larger than all the others")


@dataclass(frozen=True, slots=True)
class TermRedundant:
    """A mean of other terms that is nowhere below one term.

    Attributes
    ----------
    polynomial : MaxPolynomial
    term : int
    weights : tuple of Fraction, one for each term
        Nonnegative, 0 for the term itself, of sum 1; the mean has the term's slopes, and no smaller constant.
    """

    polynomial: MaxPolynomial
    term: int
    weights: tuple[Fraction, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless the weights are those of a mean that is nowhere below the term."""
        polynomial = self.polynomial
        require(0 <= self.term < polynomial.n_terms, "the number of a term")
        require(len(self.weights) == polynomial.n_terms, "a weight for each term")
        require(min(self.weights) >= 0 and sum(self.weights) == 1, "nonnegative weights of sum 1")
        require(self.weights[self.term] == 0, "a mean of the other terms")
        rows = polynomial.rows.to_fractions()
        mean = [dot(self.weights, column) for column in zip(*rows, strict=True)]
        require(mean[:-1] == rows[self.term][:-1], "a mean with the slopes of the term")
        require(mean[-1] >= rows[self.term][-1], "a mean with a constant that is not smaller")


def decide_term_needed(polynomial: MaxPolynomial, term: int) -> Verdict:
    """Decide whether one term of a polynomial is somewhere larger than all the others.

    Of two equal terms neither is. The value is an input where it is, or None.

    Examples
    --------
    >>> roof = MaxPolynomial.from_rows([[1, 0], [-1, 0], [0, 0]])
    >>> decide_term_needed(roof, 1).value
    (Fraction(-1, 1),)
    >>> verdict = decide_term_needed(roof, 2)
    >>> verdict.holds, [str(v) for v in verdict.evidence.weights]
    (False, ['1/2', '1/2', '0'])
    >>> decide_term_needed(roof, 3)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: `decide_term_needed` needs a term below 3 but received 3. Count from 0.
    """
    if not 0 <= term < polynomial.n_terms:
        raise InputError(
            f"`decide_term_needed` needs a term below {polynomial.n_terms} but received {term}. Count from 0."
        )
    rows = polynomial.rows.to_fractions()
    answer = _above(rows[term], [row for i, row in enumerate(rows) if i != term], polynomial.dim)
    statement = f"term {term} is somewhere larger than all other terms"
    if isinstance(answer, Witness):
        return Verdict(statement, True, TermNeeded(polynomial, term, answer.point), answer.point)
    weights = (*answer.multipliers[:term], Fraction(0), *answer.multipliers[term:])
    return Verdict(statement, False, TermRedundant(polynomial, term, weights))


def find_mean_above(polynomial: MaxPolynomial, term: int, others: Sequence[int]) -> TermRedundant | None:
    """Return a mean of some other terms that is nowhere below one term; None if that term is somewhere above them.

    Examples
    --------
    >>> roof = MaxPolynomial.from_rows([[1, 0], [-1, 0], [0, 0]])
    >>> find_mean_above(roof, 2, [0, 1]).check()
    >>> find_mean_above(roof, 2, [0]) is None
    True
    """
    rows = polynomial.rows.to_fractions()
    used = sorted(set(others) - {term})
    answer = _above(rows[term], [rows[i] for i in used], polynomial.dim)
    if isinstance(answer, Witness):
        return None
    weights = dict(zip(used, answer.multipliers, strict=True))
    return TermRedundant(polynomial, term, tuple(weights.get(i, Fraction(0)) for i in range(len(rows))))


def remove_redundant(polynomial: MaxPolynomial) -> MaxPolynomial:
    """Return the polynomial with only the terms that it needs, one of equal ones: the vertices of the upper hull.

    Examples
    --------
    >>> print(remove_redundant(MaxPolynomial.from_rows([[1, 0], [0, -1], [1, 0], [0, 0], [-1, 0], [1, -2]])))
    max(x, -x)
    """
    highest: dict[Row, Fraction] = {}
    for row in polynomial.rows.to_fractions():
        slopes = tuple(row[:-1])
        highest[slopes] = max(row[-1], highest.get(slopes, row[-1]))
    kept = [(*slopes, constant) for slopes, constant in highest.items()]
    for term in list(kept):
        others = [other for other in kept if other != term]
        if not isinstance(_above(term, others, polynomial.dim), Witness):
            kept = others
    return MaxPolynomial.from_rows(kept)


def _above(row: Sequence[Fraction], others: Sequence[Sequence[Fraction]], dim: int) -> Witness | Infeasible:
    """Return a point at which a row is larger than all others, or weights of a mean of them that is nowhere below."""
    if not others:
        return Witness((Fraction(0),) * dim)
    differences = [[a - b for a, b in zip(row, other, strict=True)] for other in others]
    answer = find_point([primitive_row(each) for each in differences], [True] * len(others), dim, central=False)
    if isinstance(answer, Witness):
        return answer
    scaled = [y * _scale(each) for y, each in zip(answer.multipliers, differences, strict=True)]
    total = sum(scaled, Fraction(0))
    if total <= 0:
        raise InternalError("A redundant term needs a mean above it but has none. Please report the polynomial.")
    return Infeasible(tuple(y / total for y in scaled))


def _scale(row: Sequence[Fraction]) -> Fraction:
    """Return by how much `primitive_row` multiplies a row."""
    coprime = primitive_row(row)
    return next((Fraction(a) / b for a, b in zip(coprime, row, strict=True) if b), Fraction(1))


def _form(row: Sequence[Fraction], names: Sequence[str]) -> str:
    """Return an affine function as text, exactly."""
    text = ""
    for value, name in zip(row, (*names, ""), strict=True):
        if not value:
            continue
        sign = (" - " if value < 0 else " + ") if text else "-" if value < 0 else ""
        size = "" if name and abs(value) == 1 else _digits(abs(value))
        text += f"{sign}{size}{' ' if size and name else ''}{name}"
    return text or "0"


def _digits(value: Fraction) -> str:
    """Return a rational in full: Python itself refuses to write more than 4300 digits."""
    return str(flint.fmpq(value.numerator, value.denominator))
