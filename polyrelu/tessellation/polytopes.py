"""The regions of three-dimensional space as exact polytopes: oriented facets, edges, volumes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InternalError, UnboundedError
from polyrelu.exact.rational import to_fraction
from polyrelu.tessellation.geometry import exact_corners, total
from polyrelu.tessellation.homogeneous import HomogeneousPoint, determinant, homogeneous
from polyrelu.tessellation.marks import AT_INFINITY
from polyrelu.tessellation.polygons import (
    Cycles,
    Polygon,
    check_space,
    edges_of,
    facet_polygon,
    ordered_facets,
    ranges,
)

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = ["Polytopes", "check_polytopes", "fan_volume", "polytopes"]


@dataclass(frozen=True, eq=False)
class Polytopes:
    """The regions of a three-dimensional tessellation with their facets as oriented polygons.

    Attributes
    ----------
    tessellation : Tessellation
    cycles : Cycles
        The vertices of each facet in order, counter-clockwise seen from outside its first region; unbounded facets
        have none.
    region_indptr : int64 array, shape (n_regions + 1,); region_facets : int64 array
        Facets of each region, in the order of their numbers.
    region_sides : int8 array
        For each of them 1 if the region is the facet's first one, else -1.

    Examples
    --------
    >>> from polyrelu.exact.domain import Domain
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.testing import grid
    >>> cubes = polytopes(tessellate(grid(1, 1, 1), Domain.box([-1] * 3, [1] * 3)))
    >>> [len(face) for face in cubes.faces(0)], cubes.volume(0), len(cubes.edges), cubes.total_volume()
    ([4, 4, 4, 4, 4, 4], Fraction(1, 1), 54, Fraction(8, 1))
    >>> octants = polytopes(tessellate(grid(1, 1, 1)))
    >>> octants.volumes[0] is None, octants.polygon(0).points
    (True, ((Fraction(0, 1), Fraction(0, 1), Fraction(0, 1)),))
    >>> octants.faces(0)
    Traceback (most recent call last):
    ...
    polyrelu.errors.UnboundedError: faces needs a bounded region but received one with ray (0, 0, -1) (pattern 000). \
Give the tessellation a bounded domain.
    """

    tessellation: Tessellation
    cycles: Cycles
    region_indptr: NDArray[np.int64]
    region_facets: NDArray[np.int64]
    region_sides: NDArray[np.int8]

    def polygon(self, facet: int) -> Polygon:
        """Return a facet exactly, with rays where it is unbounded."""
        on = self.cycles.of(facet)
        if not len(on):
            return facet_polygon(self.tessellation, facet)
        return Polygon(tuple(self.tessellation.vertices_exact()[v] for v in on.tolist()))

    def faces(self, region: int) -> list[NDArray[np.int32]]:
        """Return the facets of a region as lists of vertices, counter-clockwise seen from outside.

        Raises
        ------
        UnboundedError
            If the region is unbounded.
        """
        self._check_bounded("faces", region)
        own = slice(self.region_indptr[region], self.region_indptr[region + 1])
        both = zip(self.region_facets[own].tolist(), self.region_sides[own].tolist(), strict=True)
        return [self.cycles.of(facet)[::side] for facet, side in both]

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """The bounded edges, shape (n_edges, 2): two vertices each, the smaller number first, sorted."""
        t = self.tessellation
        ends = edges_of(t, np.arange(t.n_regions)).ends
        return np.unique(np.sort(ends[(t.vertex_kind[ends] != AT_INFINITY).all(axis=1)], axis=1), axis=0)

    def volume(self, region: int) -> Fraction | None:
        """Return the exact volume of a region, None if it is unbounded."""
        return self.volumes[region]

    @cached_property
    def volumes(self) -> list[Fraction | None]:
        """The exact volumes of all regions, None for unbounded ones."""
        sizes = self._facet_volumes
        facets, sides = self.region_facets.tolist(), self.region_sides.tolist()
        bounds, bounded = self.region_indptr.tolist(), self.tessellation.bounded.tolist()
        sums = (sum((sizes[facets[i]] * sides[i] for i in range(*ends)), flint.fmpq(0)) for ends in pairwise(bounds))
        return [to_fraction(value / 6) if finite else None for value, finite in zip(sums, bounded, strict=True)]

    @cached_property
    def _facet_volumes(self) -> list[Any]:
        """Six times the signed volume of the cone from the origin over each bounded facet."""
        points = self._homogeneous
        return [fan_volume([points[v] for v in on]) for on in _lists(self.cycles)]

    @cached_property
    def _homogeneous(self) -> list[Any]:
        t = self.tessellation
        return homogeneous(exact_corners(t, range(len(t.vertex_kind))))

    def total_volume(self) -> Fraction | None:
        """Return the sum of all volumes, None if a region is unbounded."""
        return total(self.volumes)

    def _check_bounded(self, who: str, region: int) -> None:
        t = self.tessellation
        if t.bounded[region]:
            return
        shape = t.region(region).generators
        ray = ", ".join(map(str, (*shape.rays, *shape.lineality)[0]))
        raise UnboundedError(
            f"{who} needs a bounded region but received one with ray ({ray}) (pattern {t.pattern(region)}). "
            "Give the tessellation a bounded domain."
        )


def polytopes(tessellation: Tessellation) -> Polytopes:
    """Return the regions of a three-dimensional tessellation as exact polytopes.

    Raises
    ------
    DomainError
        If the tessellation is not three-dimensional.
    InputError
        If it has no vertices.
    """
    t = tessellation
    check_space("polytopes", t)
    # Orientations and volumes both need the exact vertices; once they are asked for, the tessellation keeps them.
    _ = t._exact_corners
    cycles = ordered_facets(t, np.arange(t.n_facets))
    owners = t.facet_regions.ravel()
    order = np.argsort(owners, kind="stable")
    order = order[owners[order] >= 0]
    counts = np.bincount(owners[order], minlength=t.n_regions)
    sides = (1 - 2 * (order % 2)).astype(np.int8)
    return Polytopes(t, cycles, np.concatenate([[0], np.cumsum(counts)]), order // 2, sides)


def check_polytopes(polytopes: Polytopes) -> None:
    """Raise `InternalError` unless the regions are polytopes that fill the domain.

    The polygons of each bounded region must close up, every edge run through once each way; its volume must be
    positive; and where the domain is bounded, the volumes must add up to the domain's, which comes from its rows alone.
    """
    p, t = polytopes, polytopes.tessellation
    repeats = np.diff(p.cycles.indptr)[p.region_facets]
    places = ranges(p.cycles.indptr[p.region_facets], repeats)
    ends = p.cycles.ends[places]
    ends = np.where(np.repeat(p.region_sides, repeats)[:, None] > 0, ends, ends[:, ::-1])
    owners = np.repeat(np.repeat(np.arange(t.n_regions), np.diff(p.region_indptr)), repeats)
    finite = t.bounded[owners]
    there = np.column_stack([owners, ends])[finite]
    back = there[:, [0, 2, 1]]
    there, back = there[np.lexsort(there.T)], back[np.lexsort(back.T)]
    if (there != back).any() or (there[1:] == there[:-1]).all(axis=1).any():
        raise InternalError("Polytopes need facets that close up but received a region with a gap. Please report this.")
    smallest = min((volume for volume in p.volumes if volume is not None), default=Fraction(1))
    if smallest <= 0:
        raise InternalError(f"Polytopes need positive volumes but received {smallest}. Please report the network.")
    domain = t.domain_area()
    if t.is_complete and domain is not None and p.total_volume() != domain:
        raise InternalError(
            f"Polytopes need volumes that add up to the domain's, {domain}, but received {p.total_volume()}. "
            "Please report the network."
        )


def fan_volume(points: list[HomogeneousPoint]) -> Any:
    """Return six times the signed volume of the cone from the origin over a polygon, as a flint rational.

    Parameters
    ----------
    points : list of homogeneous points
        In order (`polyrelu.tessellation.homogeneous`); positive if counter-clockwise seen from outside.
    """
    fan = ((points[0], *others) for others in pairwise(points[1:]))
    sizes = (flint.fmpq(determinant(p, q, r), p[3] * q[3] * r[3]) for p, q, r in fan)
    return sum(sizes, start=flint.fmpq(0))


def _lists(cycles: Cycles) -> list[list[int]]:
    around, bounds = cycles.vertices.tolist(), cycles.indptr.tolist()
    return [around[start:stop] for start, stop in pairwise(bounds)]
