"""What kind of set a domain is: empty, full-dimensional, or flat, and then in which affine hull."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from polyrelu.errors import DomainError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot, row_reduce
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.exact.rational import primitive_row
from polyrelu.network.slices import Slice
from polyrelu.region.lp import Witness, find_point

__all__ = ["DomainHull", "decide_domain"]


@dataclass(frozen=True, slots=True)
class DomainHull:
    """A non-empty domain with a point of its relative interior and its affine hull.

    Attributes
    ----------
    domain : Domain
        The domain that was asked about.
    point : tuple of Fraction, length domain.dim
        In the relative interior: strictly inside every row that does not vanish on the whole domain.
    equalities : tuple of int
        Rows of the domain that vanish on all of it; none if it is full-dimensional.
    hull : Slice or None
        The affine hull of a flat domain; its coordinates are some of the domain's own. None if the domain is
        full-dimensional.
    inner : Domain
        The domain in the hull's coordinates, full-dimensional; the domain itself if ``hull`` is None.
    """

    domain: Domain
    point: tuple[Fraction, ...]
    equalities: tuple[int, ...]
    hull: Slice | None
    inner: Domain

    @property
    def is_full_dimensional(self) -> bool:
        """True if the domain has interior points."""
        return self.hull is None

    @property
    def inner_point(self) -> tuple[Fraction, ...]:
        """The point in the hull's coordinates, strictly inside every row of ``inner``."""
        return self.coordinates_of(self.point)

    def coordinates_of(self, point: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
        """Return a point of the domain in the hull's coordinates."""
        return point if self.hull is None else tuple(point[i] for i in _coordinates(self.hull))


def decide_domain(domain: Domain) -> DomainHull:
    """Return an interior point of a domain and, if it is flat, its affine hull.

    Raises
    ------
    DomainError
        If the domain is empty (``certificate`` holds the Farkas multipliers).

    Examples
    --------
    >>> decide_domain(Domain.unit(2)).point
    (Fraction(1, 2), Fraction(1, 2))
    >>> flat = decide_domain(Domain.box([0, 2, 0], [1, 2, 1]))
    >>> flat.equalities, flat.inner.dim, flat.hull.point(["1/3", 1])
    ((2, 3), 2, (Fraction(1, 3), Fraction(2, 1), Fraction(1, 1)))
    >>> decide_domain(Domain.from_halfspaces([[1, 0], [-1, 0]], [0, -1]))
    Traceback (most recent call last):
    ...
    polyrelu.errors.DomainError: A domain needs to be non-empty but 2 halfspaces holds no point. Loosen its halfspaces.
    """
    point, equalities = _middle_of_box(domain) or _point_and_equalities(domain)
    if not equalities:
        return DomainHull(domain, point, (), None, domain)
    hull = _hull_of([domain.rows[i] for i in equalities], domain)
    rows = [_pulled_back(row, hull) for i, row in enumerate(domain.rows) if i not in equalities]
    inner = Domain(hull.dim, tuple(row for row in rows if any(row[:-1])), f"{domain.label}, in its affine hull")
    return DomainHull(domain, point, tuple(equalities), hull, inner)


def _middle_of_box(domain: Domain) -> tuple[tuple[Fraction, ...], list[int]] | None:
    """Return the middle of a box, and the rows of inputs with equal bounds; None for other domains."""
    bounds = domain.box_bounds()
    if bounds is None:
        return None
    lower, upper = bounds
    flat = [i for i in range(domain.dim) if lower[i] == upper[i]]
    middle = tuple((low + high) / 2 for low, high in zip(lower, upper, strict=True))
    return middle, [row for i in flat for row in (2 * i, 2 * i + 1)]


def _point_and_equalities(domain: Domain) -> tuple[tuple[Fraction, ...], list[int]]:
    """Return a point of a domain's relative interior, and the rows that vanish on all of it, by linear programs."""
    equalities: list[int] = []
    while True:
        # An equality is the row and, turned round, a further one; the first round has none, so that a
        # certificate of emptiness speaks of the domain's own rows.
        rows = [*domain.rows, *(tuple(-value for value in domain.rows[i]) for i in equalities)]
        strict = [any(row[:-1]) and i not in equalities for i, row in enumerate(domain.rows)]
        answer = find_point(rows, strict + [False] * len(equalities), domain.dim)
        if isinstance(answer, Witness):
            break
        if dot([row[-1] for row in rows], answer.multipliers) < 0:
            raise DomainError(
                f"A domain needs to be non-empty but {domain.label} holds no point. Loosen its halfspaces.", answer
            )
        equalities += [i for i, is_strict in enumerate(strict) if is_strict and answer.multipliers[i]]
    return answer.point, sorted(equalities)


def _hull_of(equalities: list[tuple[int, ...]], domain: Domain) -> Slice:
    """Return the affine set where rows vanish; the coordinates without a pivot are those of the slice."""
    reduced, pivots, denominator = row_reduce(equalities, domain.dim + 1)
    free = [j for j in range(domain.dim) if j not in pivots]
    rows = [[Fraction(int(i == j)) for j in free] + [Fraction(0)] for i in range(domain.dim)]
    for pivot, row in zip(pivots, reduced, strict=True):
        rows[pivot] = [Fraction(-row[j], denominator) for j in (*free, domain.dim)]
    return Slice(RationalMatrix.from_rows(rows))


def _pulled_back(row: tuple[int, ...], hull: Slice) -> tuple[int, ...]:
    """Return a row of the ambient space as a coprime row over the hull's coordinates."""
    matrix = hull.matrix.to_fractions()
    values = [dot(row[:-1], column) for column in zip(*matrix, strict=True)]
    values[-1] += row[-1]
    return primitive_row(values)


def _coordinates(hull: Slice) -> list[int]:
    """Return which ambient coordinate each coordinate of the hull is."""
    rows = hull.matrix.to_fractions()
    units = [[Fraction(int(j == k)) for k in range(hull.dim)] + [Fraction(0)] for j in range(hull.dim)]
    return [rows.index(unit) for unit in units]
