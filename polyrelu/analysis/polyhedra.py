"""`Polyhedron`: an exact set of halfspaces with its vertices and its volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from polyrelu.errors import InputError, UnboundedError
from polyrelu.exact.linalg import dot
from polyrelu.exact.rational import to_fractions
from polyrelu.region.double_description import Generators, generators_of
from polyrelu.region.volume import polytope_volume

__all__ = ["Polyhedron"]


@dataclass(frozen=True)
class Polyhedron:
    """The points of R^dim with every row >= 0; an equality is a row and its negative.

    Attributes
    ----------
    dim : int
        Of the space.
    rows : tuple of tuple of int, each of length dim + 1
        ``(a, c)`` says ``a · x + c >= 0``; they may be redundant.

    Examples
    --------
    >>> triangle = Polyhedron(2, ((1, 0, 0), (0, 1, 0), (-1, -1, 1)))
    >>> triangle.volume, len(triangle.vertices), triangle.contains(["1/2", "1/2"])
    (Fraction(1, 2), 3, True)
    >>> Polyhedron(1, ((1, 0),)).volume
    Traceback (most recent call last):
    ...
    polyrelu.errors.UnboundedError: volume needs a bounded polyhedron but received one with ray (1). Intersect it with \
a bounded domain first.
    """

    dim: int
    rows: tuple[tuple[int, ...], ...]

    @cached_property
    def generators(self) -> Generators:
        """Vertices, rays and lineality space, with the rows that vanish on each."""
        return generators_of(self.rows, self.dim)

    @property
    def vertices(self) -> tuple[tuple[Fraction, ...], ...]:
        """The vertices; none if the polyhedron contains a line."""
        return () if self.generators.lineality else self.generators.points

    @property
    def rays(self) -> tuple[tuple[int, ...], ...]:
        """The extreme rays, modulo the lineality space."""
        return self.generators.rays

    @property
    def lineality(self) -> tuple[tuple[int, ...], ...]:
        """A basis of the lines in the polyhedron."""
        return self.generators.lineality

    @property
    def is_bounded(self) -> bool:
        """True if there are no rays and no lines."""
        return not self.rays and not self.lineality

    @cached_property
    def volume(self) -> Fraction:
        """Exact volume; 0 for a flat polyhedron.

        Raises
        ------
        UnboundedError
            If there is a ray.
        """
        shape = self.generators
        if not self.is_bounded:
            ray = ", ".join(map(str, (*shape.rays, *shape.lineality)[0]))
            raise UnboundedError(
                f"volume needs a bounded polyhedron but received one with ray ({ray}). "
                "Intersect it with a bounded domain first."
            )
        facets = [[i for i, tight in enumerate(shape.point_rows) if row in tight] for row in range(shape.n_rows)]
        return polytope_volume(shape.points, facets)

    def contains(self, point: Sequence[object]) -> bool:
        """Return whether a point lies in the closed polyhedron."""
        values = to_fractions(point, "Polyhedron.contains")
        if len(values) != self.dim:
            raise InputError(
                f"Polyhedron needs a point of {self.dim} coordinates but received {len(values)}. Match them."
            )
        return all(dot(row, (*values, 1)) >= 0 for row in self.rows)
