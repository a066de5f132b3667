"""Facets of three-dimensional space as polygons: their vertices in order, oriented, exact.

Two facets of one region meet in an edge if and only if they have two vertices in common, so the order of the vertices
around a facet follows from the arrays alone, without coordinates. The sign of one exact determinant then says which
way round is counter-clockwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import DomainError, InputError, InternalError
from polyrelu.exact.rational import to_fraction
from polyrelu.tessellation.geometry import ExactCorner, exact_corners, exact_facet
from polyrelu.tessellation.homogeneous import homogeneous, plane_through, value_at
from polyrelu.tessellation.marks import AT_INFINITY

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = [
    "Cycles",
    "Edges",
    "Polygon",
    "check_space",
    "edges_of",
    "facet_polygon",
    "ordered_facets",
    "ranges",
]

@dataclass(frozen=True, slots=True)
class Polygon:
    """A convex polygon in space: the convex hull of points, moved along all nonnegative sums of rays.

    Attributes
    ----------
    points : tuple of points
        Exact corners in the order around it; where it has none, a point of each line of its boundary, or any point.
    rays : tuple of vectors
        Exact directions in which it is unbounded, none if it is bounded. If it has corners, the first ray leaves the
        first corner along the boundary and the last ray the last one.
    """

    points: tuple[tuple[Fraction, ...], ...]
    rays: tuple[tuple[Fraction, ...], ...] = ()


class Cycles(NamedTuple):
    """Polygons as lists of vertices: those of number ``i`` are ``vertices[indptr[i]:indptr[i + 1]]``, in order.

    indptr : int64 array, shape (n + 1,)
    vertices : int32 array
    """

    indptr: NDArray[np.int64]
    vertices: NDArray[np.int32]

    def of(self, index: int) -> NDArray[np.int32]:
        """Return the vertices of one polygon."""
        return self.vertices[self.indptr[index] : self.indptr[index + 1]]

    def turned(self, is_turned: NDArray[np.bool_]) -> Cycles:
        """Return the polygons, some of them the other way round."""
        return self._replace(vertices=self.vertices[ranges(self.indptr[:-1], np.diff(self.indptr), is_turned)])

    @property
    def ends(self) -> NDArray[np.int64]:
        """Each vertex with the next one around its polygon, shape (n_corners, 2)."""
        onward, is_full = np.arange(1, len(self.vertices) + 1), np.diff(self.indptr) > 0
        onward[self.indptr[1:][is_full] - 1] = self.indptr[:-1][is_full]
        return np.stack([self.vertices, self.vertices[onward]], axis=1).astype(np.int64)


class Edges(NamedTuple):
    """Edges of regions, each once for each region.

    owners : int64 array, shape (n,)
        The region.
    facets : int64 array, shape (n, 2)
        The two facets of the region that meet in the edge.
    ends : int64 array, shape (n, 2)
        Its two vertices.
    """

    owners: NDArray[np.int64]
    facets: NDArray[np.int64]
    ends: NDArray[np.int64]


def ordered_facets(tessellation: Tessellation, facets: NDArray[np.integer]) -> Cycles:
    """Return facets as lists of vertices, counter-clockwise seen from outside their first region.

    Parameters
    ----------
    tessellation : Tessellation
        Of three dimensions.
    facets : int array, shape (n,)
        Unbounded facets get an empty list.

    Raises
    ------
    DomainError
        If the tessellation is not three-dimensional.
    InputError
        If it has no vertices.

    Examples
    --------
    >>> from polyrelu.exact.domain import Domain
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.testing import grid
    >>> t = tessellate(grid(1, 0, 0), Domain.box([-1, 0, 0], [1, 1, 1]))
    >>> cycles = ordered_facets(t, t.inner_facets)
    >>> points = [t.vertex_exact(v) for v in cycles.of(0)]
    >>> len(points), {x for x, _, _ in points} == {0}
    (4, True)
    """
    t = tessellation
    check_space("ordered_facets", t)
    numbers = np.asarray(facets, np.int64)
    bounded = np.flatnonzero(~_is_unbounded(t)[numbers])
    chosen = numbers[bounded]
    cycles = _walked(*_neighbours(t, chosen))
    lengths = np.zeros(len(numbers), np.int64)
    lengths[bounded] = np.diff(cycles.indptr)
    outward = cycles.turned(_is_turned(t, chosen, cycles))
    return Cycles(np.concatenate([[0], np.cumsum(lengths)]), outward.vertices)


def facet_polygon(tessellation: Tessellation, facet: int) -> Polygon:
    """Return one facet exactly, bounded or not.

    Examples
    --------
    >>> from polyrelu.tessellation.build import tessellate
    >>> from polyrelu.testing import grid
    >>> quadrant = facet_polygon(tessellate(grid(1, 1, 1)), 0)
    >>> [tuple(map(str, point)) for point in quadrant.points], len(quadrant.rays)
    ([('0', '0', '0')], 2)
    """
    t = tessellation
    check_space("facet_polygon", t)
    if not _is_unbounded(t)[facet]:
        return Polygon(_points(exact_corners(t, ordered_facets(t, np.array([facet])).of(0).tolist())))
    path = _path(t, facet)
    if path:
        corners = exact_corners(t, path)
        rays = [direction for _, direction in (corners[0], corners[-1]) if direction is not None]
        return Polygon(_points(corners[1:-1]), _points((ray, None) for ray in rays))
    return _with_lines(t, facet)


def _with_lines(t: Tessellation, facet: int) -> Polygon:
    """Return a facet without corners: its region contains lines."""
    region, row = t.region(int(t.facet_regions[facet, 0])), exact_facet(t, facet).row
    shape, index = region.generators, region.rows.index(row)
    points = tuple(point for point, tight in zip(shape.points, shape.point_rows, strict=True) if index in tight)
    rays = [ray for ray, tight in zip(shape.rays, shape.ray_rows, strict=True) if index in tight]
    lines = [tuple(sign * value for value in line) for line in shape.lineality for sign in (1, -1)]
    return Polygon(points, tuple(tuple(map(Fraction, ray)) for ray in (*rays, *lines)))


def edges_of(t: Tessellation, regions: NDArray[np.integer]) -> Edges:
    """Return the edges of some regions; an unbounded edge ends at a vertex at infinity."""
    wanted = np.zeros(t.n_regions, bool)
    wanted[regions] = True
    owners = t.facet_regions.ravel().astype(np.int64)
    kept = np.flatnonzero((owners >= 0) & wanted[owners])
    owners, facets = owners[kept], kept // 2
    sizes = np.diff(t.facet_indptr)[facets]
    vertices = t.facet_vertices[ranges(t.facet_indptr[facets], sizes)].astype(np.int64)
    owners, facets = np.repeat(owners, sizes), np.repeat(facets, sizes)
    order = np.lexsort((facets, vertices, owners))
    owners, facets, vertices = owners[order], facets[order], vertices[order]
    found = []
    for step in range(1, len(owners)):
        same = (owners[step:] == owners[:-step]) & (vertices[step:] == vertices[:-step])
        if not same.any():
            break
        found.append(np.stack([owners[step:], facets[:-step], facets[step:], vertices[step:]], axis=1)[same])
    pairs = np.concatenate(found) if found else np.zeros((0, 4), np.int64)
    pairs = pairs[np.lexsort(pairs.T[::-1])]
    is_edge = (pairs[1:, :3] == pairs[:-1, :3]).all(axis=1)
    if (is_edge[1:] & is_edge[:-1]).any():
        raise InternalError(
            "Polygons need facets of a region that meet in two vertices at most but received two that share three. "
            "Please report the network."
        )
    first = np.flatnonzero(is_edge)
    return Edges(pairs[first, 0], pairs[first, 1:3], np.stack([pairs[first, 3], pairs[first + 1, 3]], axis=1))


def check_space(who: str, tessellation: Tessellation) -> None:
    """Raise `DomainError` unless a tessellation is three-dimensional, `InputError` if it has no vertices."""
    if tessellation.dim != 3:
        raise DomainError(
            f"{who} needs a tessellation of three dimensions but received one of {tessellation.dim}. "
            "Restrict the network to a slice with three coordinates."
        )
    if not tessellation.has_vertices:
        raise InputError(
            f"{who} needs a tessellation with vertices but received one of {tessellation.n_regions} regions without. "
            "Tessellate with method=enumerate_vertices."
        )


def ranges(
    starts: NDArray[np.int64], lengths: NDArray[np.int64], is_turned: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return ``starts[i], …, starts[i] + lengths[i] - 1`` for all i, one after the other; turned ones backwards."""
    ends = np.cumsum(lengths)
    steps = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    if is_turned is not None:
        steps = np.where(np.repeat(is_turned, lengths), np.repeat(lengths, lengths) - 1 - steps, steps)
    return np.repeat(starts, lengths) + steps


def _is_unbounded(t: Tessellation) -> NDArray[np.bool_]:
    far = np.concatenate([[0], np.cumsum(t.vertex_kind[t.facet_vertices] == AT_INFINITY)])
    return (np.diff(far[t.facet_indptr]) > 0) | (np.diff(t.facet_indptr) == 0)


def _neighbours(
    t: Tessellation, facets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Return the corners of bounded facets and the two neighbours of each.

    Returns
    -------
    indptr : int64 array, shape (n + 1,)
    vertices : int32 array
        The vertices of each facet, sorted.
    neighbours : int64 array, shape (n_corners, 2)
        Positions in ``vertices``.
    """
    place = np.full(t.n_facets, -1, np.int64)
    place[facets] = np.arange(len(facets))
    owners = t.facet_regions[:, 0]
    edges = edges_of(t, owners[facets])
    both, own = np.concatenate([edges.facets[:, 0], edges.facets[:, 1]]), np.concatenate([edges.owners] * 2)
    ends = np.concatenate([edges.ends, edges.ends])
    kept = (place[both] >= 0) & (owners[both] == own)
    number, ends = place[both[kept]], ends[kept]
    number, ends = np.concatenate([number, number]), np.concatenate([ends, ends[:, ::-1]])
    size = len(t.vertex_kind)
    keys, there = number * size + ends[:, 0], number * size + ends[:, 1]
    order = np.argsort(keys, kind="stable")
    corners, counts = np.unique(keys, return_counts=True)
    sizes = np.diff(t.facet_indptr)[facets]
    if (counts != 2).any() or not np.array_equal(np.bincount(corners // size, minlength=len(facets)), sizes):
        raise InternalError(
            "Polygons need two edges at each vertex of a facet but received another number. Please report the network."
        )
    neighbours = np.searchsorted(corners, there[order]).reshape(-1, 2)
    return np.concatenate([[0], np.cumsum(sizes)]), (corners % size).astype(np.int32), neighbours


def _walked(indptr: NDArray[np.int64], vertices: NDArray[np.int32], neighbours: NDArray[np.int64]) -> Cycles:
    """Return polygons walked around: all of them at the same time, a step at a time."""
    order = np.full(len(vertices), -1, np.int64)
    first, sizes = indptr[:-1], np.diff(indptr)
    here, before = first.copy(), neighbours[first, 1] if len(vertices) else first.copy()
    for step in range(int(sizes.max(initial=0))):
        active = np.flatnonzero(sizes > step)
        order[first[active] + step] = here[active]
        onward = neighbours[here[active]]
        after = np.where(onward[:, 0] == before[active], onward[:, 1], onward[:, 0])
        before[active], here[active] = here[active], after
    if not np.array_equal(here, first) or not np.array_equal(np.sort(order), np.arange(len(vertices))):
        raise InternalError("Polygons need facets with one cycle of edges but received several. Please report this.")
    return Cycles(indptr, vertices[order])


def _is_turned(t: Tessellation, facets: NDArray[np.int64], cycles: Cycles) -> NDArray[np.bool_]:
    """Return which polygons are clockwise, seen from outside the first region of their facet."""
    regions = t.facet_regions[facets, 0]
    needed = np.zeros(len(t.vertex_kind), bool)
    chosen = np.zeros(t.n_regions, bool)
    chosen[regions] = True
    needed[t.corner_vertices[np.repeat(chosen, np.diff(t.corner_indptr))]] = True
    numbers = np.flatnonzero(needed).tolist()
    points = dict(zip(numbers, homogeneous(exact_corners(t, numbers)), strict=True))
    bounds, corners = t.corner_indptr.tolist(), t.corner_vertices.tolist()
    starts, around = cycles.indptr.tolist(), cycles.vertices.tolist()
    result = np.zeros(len(facets), bool)
    for i, region in enumerate(regions.tolist()):
        on = around[starts[i] : starts[i + 1]]
        plane = plane_through(*(points[v] for v in on[:3]))
        others = (points[v] for v in corners[bounds[region] : bounds[region + 1]] if v not in on)
        side = next((value for value in (value_at(plane, point) for point in others) if value), None)
        if side is None:
            raise InternalError(f"Polygons need regions with a volume but region {region} has none. Please report it.")
        result[i] = side > 0
    return result


def _path(t: Tessellation, facet: int) -> list[int]:
    """Return the corners of an unbounded facet from one end at infinity to the other; none if it has no corners."""
    edges = edges_of(t, t.facet_regions[facet, :1])
    onward: dict[int, list[int]] = {}
    for a, b in edges.ends[(edges.facets == facet).any(axis=1)].tolist():
        onward.setdefault(a, []).append(b)
        onward.setdefault(b, []).append(a)
    inner = [v for v in onward if t.vertex_kind[v] != AT_INFINITY]
    if not inner:
        return []
    ends = [v for v in onward if t.vertex_kind[v] == AT_INFINITY and t.vertex_kind[onward[v][0]] != AT_INFINITY]
    path = [ends[0]]
    while len(path) < 2 or t.vertex_kind[path[-1]] != AT_INFINITY:
        path.append(next(v for v in onward[path[-1]] if v not in path[-2:]))
    return path


def _point(values: Sequence[Any]) -> tuple[Fraction, ...]:
    return tuple(to_fraction(value) for value in values)


def _points(corners: Iterable[ExactCorner]) -> tuple[tuple[Fraction, ...], ...]:
    return tuple(_point(point) for point, _ in corners)
