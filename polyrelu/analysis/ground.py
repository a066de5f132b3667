"""`Ground`: what a statement about all inputs of a domain stands on, a network, a domain and all regions in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypedDict, Unpack

from polyrelu.errors import BudgetError, CertificateError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot, rank
from polyrelu.exact.rational import primitive_row
from polyrelu.network.model import Network
from polyrelu.network.slices import Slice
from polyrelu.region.hull import decide_domain
from polyrelu.region.lp import Optimal, maximize
from polyrelu.tessellation.build import Method, tessellate
from polyrelu.tessellation.model import Tessellation

__all__ = ["Ground", "Options", "check_flat", "find_flatness", "find_ground", "pulled_back", "require"]


class Options(TypedDict, total=False):
    """How the regions are enumerated: the keywords of `tessellate`."""

    method: Method | None
    max_regions: int | None
    max_seconds: float | None
    progress: Callable[[int], None] | None


@dataclass(frozen=True, eq=False)
class Ground:
    """A network, a domain, and the regions of the one in the other.

    Attributes
    ----------
    network : Network
    domain : Domain
        In the network's inputs; it may be flat.
    tessellation : Tessellation
        Of the network, or of its restriction to the affine hull of a flat domain.
    flatness : tuple of Fraction, one for each row of ``domain``
        Nonnegative numbers with ``sum(flatness * rows) = 0``, so that every row with a positive one vanishes on the
        whole domain. All zeros if the domain is full-dimensional.

    Notes
    -----
    That the regions of a tessellation cover its domain is what its certificate proves, and no more than that is taken
    on trust by the evidence that stands on a ground; `check` proves the rest.
    """

    network: Network
    domain: Domain
    tessellation: Tessellation
    flatness: tuple[Fraction, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless the tessellation is one of this network in this domain, and complete."""
        t, hull = self.tessellation, self.tessellation.hull
        require(t.is_complete, "a complete tessellation")
        require(self.domain.dim == self.network.dim, "a domain of the network's dimension")
        require(hull is None or hull.ambient_dim == self.network.dim, "a hull in the network's inputs")
        network = self.network if hull is None else self.network.restrict(hull)
        require(network.hash == t.network.hash, "a tessellation of the network that it speaks of")
        rows = self.domain.rows if hull is None else pulled_back(self.domain.rows, hull)
        ours = {primitive_row(row) for row in rows if any(row[:-1])}
        theirs = {primitive_row(row) for row in t.domain.rows if any(row[:-1])}
        require(ours == theirs, "a tessellation of the domain that it speaks of")
        if hull is not None:
            check_flat(self.domain, hull, self.flatness)

    def to_input(self, point: Sequence[Fraction]) -> tuple[Fraction, ...]:
        """Return a point of the tessellation as an input of the network."""
        hull = self.tessellation.hull
        return tuple(point) if hull is None else hull.point(point)

    def to_inner(self, point: Sequence[Fraction]) -> tuple[Fraction, ...]:
        """Return an input of the domain in the coordinates of the tessellation, which are some of the input's own."""
        hull = self.tessellation.hull
        if hull is None:
            return tuple(point)
        rows = hull.matrix.to_fractions()
        units = ([Fraction(int(i == j)) for i in range(hull.dim + 1)] for j in range(hull.dim))
        return tuple(point[rows.index(unit)] for unit in units)

    def to_input_direction(self, direction: Sequence[Fraction | int]) -> tuple[Fraction, ...]:
        """Return a direction in the tessellation as one in the network's inputs."""
        hull = self.tessellation.hull
        if hull is None:
            return tuple(map(Fraction, direction))
        return tuple(Fraction(dot(row[:-1], direction)) for row in hull.matrix.to_fractions())


def find_ground(network: Network, domain: Domain | None = None, **options: Unpack[Options]) -> Ground | None:
    """Return a network's regions in a domain as a ground for statements, None if a budget left no region.

    Parameters as for `tessellate`. Where a budget ends the enumeration, the ground holds what was found until then
    (``tessellation.is_complete`` is False).

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> ground = find_ground(xor(), Domain.box([0, 1], [1, 1]))
    >>> ground.check()
    >>> ground.tessellation.dim, ground.to_input([Fraction(1, 2)])
    (1, (Fraction(1, 2), Fraction(1, 1)))
    """
    domain = domain or Domain.all(network.dim)
    try:
        found: Tessellation | None = tessellate(network, domain, **options)
    except BudgetError as error:
        found = error.partial
    if found is None:
        return None
    flatness = (Fraction(0),) * len(domain.rows) if found.hull is None else find_flatness(domain)
    return Ground(network, domain, found, flatness)


def check_flat(domain: Domain, hull: Slice, flatness: Sequence[Fraction]) -> None:
    """Raise `CertificateError` unless a domain lies in a slice: rows that cancel vanish on it, and only there."""
    is_given = len(flatness) == len(domain.rows) and min(flatness, default=0) >= 0
    require(is_given, "one nonnegative number for each row")
    cancelled = (dot(flatness, column) == 0 for column in zip(*domain.rows, strict=True))
    require(all(cancelled), "rows of a flat domain that cancel")
    vanishing = [row for y, row in zip(flatness, domain.rows, strict=True) if y]
    require(not any(map(any, pulled_back(vanishing, hull))), "a hull on which these rows vanish")
    require(rank([row[:-1] for row in vanishing]) == domain.dim - hull.dim, "a hull of the rows' dimension")


def require(holds: bool, what: str) -> None:
    """Raise `CertificateError` unless a condition of a proof holds."""
    if not holds:
        raise CertificateError(f"Evidence needs {what} but has none. Do not believe it; decide the question again.")


def find_flatness(domain: Domain) -> tuple[Fraction, ...]:
    """Return numbers that are positive for every row that vanishes on all of a flat domain, and cancel the rows."""
    total = [Fraction(0)] * len(domain.rows)
    for i in decide_domain(domain).equalities:
        best = maximize(domain.rows[i], domain.rows)
        if not isinstance(best, Optimal) or best.value:
            raise InternalError("A flat domain needs rows that vanish but one does not. Please report the domain.")
        total = [a + b + (i == j) for j, (a, b) in enumerate(zip(total, best.multipliers, strict=True))]
    return tuple(total)


def pulled_back(rows: Sequence[Sequence[int]], hull: Slice) -> list[tuple[int, ...]]:
    """Return rows of the inputs as coprime rows over the coordinates of a slice."""
    columns = list(zip(*hull.matrix.to_fractions(), strict=True))
    result = []
    for row in rows:
        values = [dot(row[:-1], column) for column in columns]
        values[-1] += row[-1]
        result.append(primitive_row(values))
    return result
