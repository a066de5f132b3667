"""Single answers about regions that carry their own proof.

Each is a frozen object with the network, what was asked, and the numbers that prove the answer. ``check`` derives the
rows from the weights again and needs sums and products of rationals only; `polyrelu.certificate.answer_text` writes and
reads them, and `polyrelu.analysis.answers` finds them. A *region* is the closed set where all rows of its pattern are
>= 0, provided that some ball of inputs of the domain has the pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyrelu.certificate.answer_rows import (
    AnswerRow,
    LayerForms,
    check_pattern,
    combine,
    pattern_rows,
    require,
    value_at,
)
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import rank
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern

__all__ = [
    "MapsDiffer",
    "MapsEqual",
    "PairAdjacent",
    "PairNotAdjacent",
    "RegionBounded",
    "RegionEmpty",
    "RegionExists",
    "RegionUnbounded",
    "RowNeeded",
    "RowRedundant",
    "affine_map",
    "inner_flags",
]

Point = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RegionExists:
    """A ball of inputs has the pattern: ``point`` is strictly inside every row that is not constant.

    Attributes
    ----------
    network : Network
    pattern : Pattern
    domain : Domain or None
        None for all inputs.
    point : tuple of Fraction, length dim

    Examples
    --------
    >>> from polyrelu.network.model import Network
    >>> fold = Network.from_arrays([([[1], [-1]], [0, 10]), ([[1, 1]], [0])])
    >>> RegionExists(fold, Pattern.parse("11"), None, (Fraction(5),)).check()
    >>> RegionExists(fold, Pattern.parse("11"), None, (Fraction(10),)).check()
    Traceback (most recent call last):
    ...
    polyrelu.errors.CertificateError: A proof needs a point strictly inside all rows but has none. \
Ask the question again.
    """

    network: Network
    pattern: Pattern
    domain: Domain | None
    point: Point

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        rows = pattern_rows(self.network, self.pattern, self.domain)
        _check_point(self.network, self.point)
        require(_is_inner(rows, self.point), "a point strictly inside all rows")


@dataclass(frozen=True, slots=True, eq=False)
class RegionEmpty:
    """No ball of inputs has the pattern: a sum of rows that would be positive inside is a constant <= 0.

    Attributes
    ----------
    network, pattern, domain
        As in `RegionExists`.
    multipliers : tuple of Fraction, one for each row of the neurons and of the domain
        Nonnegative (Farkas' lemma, Motzkin's transposition theorem).
    """

    network: Network
    pattern: Pattern
    domain: Domain | None
    multipliers: Point

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        rows = pattern_rows(self.network, self.pattern, self.domain)
        total = _sum_of(rows, self.multipliers, self.network.dim)
        require(not any(total[:-1]), "multipliers that cancel the normals")
        is_strict = any(y and flag for y, flag in zip(self.multipliers, inner_flags(rows), strict=True))
        require(total[-1] < 0 or (total[-1] == 0 and is_strict), "multipliers whose sum the rows forbid")


@dataclass(frozen=True, slots=True, eq=False)
class RowRedundant:
    """The other rows imply one row: no point has them all >= 0 and this one < 0.

    Attributes
    ----------
    network, pattern, domain
        As in `RegionExists`.
    row : int
        Its number among the rows of the neurons and of the domain.
    multipliers : tuple of Fraction, one for each row
        Nonnegative; the one at ``row`` belongs to the row turned round.
    """

    network: Network
    pattern: Pattern
    domain: Domain | None
    row: int
    multipliers: Point

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        rows = pattern_rows(self.network, self.pattern, self.domain)
        require(0 <= self.row < len(rows), "a row of the region")
        own = rows[self.row]
        rows[self.row] = own._replace(row=tuple(-value for value in own.row))
        total = _sum_of(rows, self.multipliers, self.network.dim)
        require(not any(total[:-1]), "multipliers that cancel the normals")
        is_strict = self.multipliers[self.row] > 0
        require(total[-1] < 0 or (total[-1] == 0 and is_strict), "multipliers whose sum the rows forbid")


@dataclass(frozen=True, slots=True, eq=False)
class RowNeeded:
    """The other rows do not imply one row: at ``point`` they are all >= 0 and this one is < 0.

    Attributes
    ----------
    network, pattern, domain, row
        As in `RowRedundant`.
    point : tuple of Fraction, length dim
    """

    network: Network
    pattern: Pattern
    domain: Domain | None
    row: int
    point: Point

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        rows = pattern_rows(self.network, self.pattern, self.domain)
        require(0 <= self.row < len(rows), "a row of the region")
        _check_point(self.network, self.point)
        values = [value_at(row.row, self.point) for row in rows]
        require(values.pop(self.row) < 0, "a point outside the row")
        require(all(value >= 0 for value in values), "a point inside the other rows")


@dataclass(frozen=True, slots=True, eq=False)
class PairAdjacent:
    """Two regions share a facet: at ``point`` each has one row that vanishes, and the two are opposite.

    Close to the point each region is the half of a ball on its side of the row, so both exist and meet in a set of
    dimension ``dim - 1``.

    Attributes
    ----------
    network : Network
    pattern, other : Pattern
    domain : Domain or None
    point : tuple of Fraction, length dim
        In the relative interior of the facet.
    """

    network: Network
    pattern: Pattern
    other: Pattern
    domain: Domain | None
    point: Point

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        _check_point(self.network, self.point)
        ours, theirs = (self._vanishing(pattern) for pattern in (self.pattern, self.other))
        require(tuple(-value for value in ours) == theirs, "two opposite rows that vanish at its point")

    def _vanishing(self, pattern: Pattern) -> tuple[int, ...]:
        """Return the only row of a pattern that vanishes at the point."""
        rows = pattern_rows(self.network, pattern, self.domain)
        values = [value_at(row.row, self.point) for row in rows]
        zero = {row.row for row, value in zip(rows, values, strict=True) if value == 0 and any(row.row[:-1])}
        require(len(zero) == 1, "a point at which one row vanishes")
        [found] = zero
        kept = [row for row in rows if row.row != found]
        require(_is_inner(kept, self.point), "a point strictly inside the other rows")
        return found


@dataclass(frozen=True, slots=True, eq=False)
class PairNotAdjacent:
    """Two regions meet in no set of dimension ``dim - 1``: nowhere, or where two independent rows vanish.

    Attributes
    ----------
    network, pattern, other, domain
        As in `PairAdjacent`.
    multipliers : tuple of Fraction
        One for each row of the neurons and of the domain on the one region, then for each row of the neurons on the
        other; nonnegative. Their sum is negative: nothing is common. Or their sum is 0, so that all rows with a
        positive one vanish on what is common, and these span two dimensions.
    """

    network: Network
    pattern: Pattern
    other: Pattern
    domain: Domain | None
    multipliers: Point

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        require(self.pattern != self.other, "two patterns")
        rows = pattern_rows(self.network, self.pattern, self.domain) + pattern_rows(self.network, self.other, None)
        total = _sum_of(rows, self.multipliers, self.network.dim)
        require(not any(total[:-1]), "multipliers that cancel the normals")
        if total[-1] < 0:
            return
        normals = [row.row[:-1] for row, y in zip(rows, self.multipliers, strict=True) if y]
        require(total[-1] == 0 and rank(normals) > 1, "multipliers of rows that leave too little in common")


@dataclass(frozen=True, slots=True, eq=False)
class RegionUnbounded:
    """A region contains a half-line: from ``point``, strictly inside, one may go along ``ray`` for ever.

    Attributes
    ----------
    network, pattern, domain, point
        As in `RegionExists`.
    ray : tuple of Fraction, length dim
    """

    network: Network
    pattern: Pattern
    domain: Domain | None
    point: Point
    ray: Point

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        rows = pattern_rows(self.network, self.pattern, self.domain)
        _check_point(self.network, self.point)
        require(_is_inner(rows, self.point), "a point strictly inside all rows")
        require(len(self.ray) == self.network.dim and any(self.ray), "a direction that is not 0")
        rates = (value_at((*row.row[:-1], 0), self.ray) for row in rows)
        require(all(rate >= 0 for rate in rates), "a direction that leaves no row")


@dataclass(frozen=True, slots=True, eq=False)
class RegionBounded:
    """A region contains no half-line: a sum of some normals that span the space is 0.

    A direction that leaves no row has a product >= 0 with each normal, so one of 0 with these: it is 0.

    Attributes
    ----------
    network, pattern, domain
        As in `RegionExists`.
    multipliers : tuple of Fraction, one for each row
        Nonnegative.
    """

    network: Network
    pattern: Pattern
    domain: Domain | None
    multipliers: Point

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        rows = pattern_rows(self.network, self.pattern, self.domain)
        total = _sum_of(rows, self.multipliers, self.network.dim)
        require(not any(total[:-1]), "multipliers that cancel the normals")
        normals = [row.row[:-1] for row, y in zip(rows, self.multipliers, strict=True) if y]
        require(rank(normals) == self.network.dim, "multipliers of rows that span the space")


@dataclass(frozen=True, slots=True, eq=False)
class MapsEqual:
    """The network is the same affine map on two patterns.

    Attributes
    ----------
    network : Network
    pattern, other : Pattern
    """

    network: Network
    pattern: Pattern
    other: Pattern

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        ours, theirs = (affine_map(self.network, pattern) for pattern in (self.pattern, self.other))
        require(ours == theirs, "two equal maps")


@dataclass(frozen=True, slots=True, eq=False)
class MapsDiffer:
    """The network is another affine map on each of two patterns: they differ in one entry.

    Attributes
    ----------
    network : Network
    pattern, other : Pattern
    output, column : int
        Where; the last column holds the constants.
    """

    network: Network
    pattern: Pattern
    other: Pattern
    output: int
    column: int

    def check(self) -> None:
        """Raise `CertificateError` unless this proves what it says."""
        is_entry = 0 <= self.output < self.network.n_out and 0 <= self.column <= self.network.dim
        require(is_entry, "an entry of the maps")
        ours, theirs = (affine_map(self.network, p).row(self.output)[self.column] for p in (self.pattern, self.other))
        require(ours != theirs, "an entry in which the maps differ")


def affine_map(network: Network, pattern: Pattern) -> RationalMatrix:
    """Return the affine map that the network is where it has a pattern, shape (n_out, dim + 1)."""
    check_pattern(network, pattern)
    forms, left = LayerForms.of(network), pattern.digits
    while not forms.is_output:
        n = len(forms.units)
        forms, left = forms.behind(left[:n]), left[n:]
    return forms.matrix


def inner_flags(rows: Sequence[AnswerRow]) -> list[bool]:
    """Return which rows are > 0 at all points inside a region: constants only where the pattern asks for it."""
    return [row.is_strict or any(row.row[:-1]) for row in rows]


def _is_inner(rows: Sequence[AnswerRow], point: Point) -> bool:
    values = (value_at(row.row, point) for row in rows)
    return all(value > 0 if flag else value >= 0 for value, flag in zip(values, inner_flags(rows), strict=True))


def _check_point(network: Network, point: Point) -> None:
    require(len(point) == network.dim, "a point of the network's dimension")


def _sum_of(rows: Sequence[AnswerRow], multipliers: Point, dim: int) -> list[int]:
    """Return a positive multiple of the sum of multiples of rows; the multipliers must fit and not be negative."""
    require(len(multipliers) == len(rows) and all(y >= 0 for y in multipliers), "one nonnegative number for each row")
    return combine([row.row for row in rows], [(i, y) for i, y in enumerate(multipliers) if y], dim + 1)
