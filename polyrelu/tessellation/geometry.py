"""Exact coordinates, areas and interior points of a tessellation, worked out when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.exact.rational import nearest_float, to_fraction, to_fractions
from polyrelu.region.double_description import generators_of
from polyrelu.region.facets import Facet
from polyrelu.region.volume import exact_volume, polytope_volume
from polyrelu.tessellation.exact_corners import row_names
from polyrelu.tessellation.marks import AT_INFINITY, BORDER
from polyrelu.tessellation.region_forms import RegionForms

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = [
    "area",
    "areas",
    "check_vertices",
    "domain_area",
    "exact_corners",
    "exact_facet",
    "facet_point",
    "facets_of_regions",
    "inner_point",
    "total",
    "vertices_exact",
    "witness",
    "witnesses_float",
]

Vector = tuple[Any, ...]
"""Coordinates as flint.fmpq."""
ExactCorner = tuple[Vector, Vector | None]
"""(coordinates, None) of a vertex; (point, direction) of one at infinity."""


def check_vertices(who: str, tessellation: Tessellation) -> None:
    """Raise `InputError` unless a tessellation has vertices."""
    t = tessellation
    if not t.has_vertices:
        method = "enumerate_plane" if t.dim <= 2 else "enumerate_vertices" if t.dim <= 8 else "enumerate_brute"
        raise InputError(
            f"{who} needs a tessellation with vertices but received one of {t.n_regions} regions that has facets only. "
            f"Pass method={method}, or ask single regions: tessellation.region(i).vertices."
        )


def vertices_exact(tessellation: Tessellation, vertices: Iterable[int]) -> list[tuple[Fraction, ...]]:
    """Return the exact coordinates of vertices; the exact directions of those at infinity."""
    corners = exact_corners(tessellation, list(vertices))
    return [_fractions(point if direction is None else direction) for point, direction in corners]


def exact_corners(tessellation: Tessellation, vertices: Sequence[int]) -> list[ExactCorner]:
    """Return vertices exactly: each is the common zero of ``dim`` forms (`Tessellation.vertex_rows`)."""
    t = tessellation
    known = vars(t).get("_exact_corners")
    if known is not None:
        return [known[vertex] for vertex in vertices]
    forms = RegionForms(t)
    numbers = np.asarray(vertices, dtype=np.int64).reshape(-1)
    regions = t.vertex_region[numbers]
    found: list[ExactCorner] = [((), None)] * len(numbers)
    for position in np.argsort(regions, kind="stable").tolist():
        forms.move_to(int(regions[position]))
        found[position] = _crossing(t, forms, t.vertex_rows[numbers[position]].tolist())
    return found


def _crossing(t: Tessellation, forms: RegionForms, rows: list[list[int]]) -> ExactCorner:
    """Solve ``A x = b + M b'``, where only sides at infinity contribute to ``b'``."""
    matrix, near, far = [], [], []
    for kind, number in rows:
        side = 0
        if kind >= 0:
            row = forms.form(kind, number)
        elif kind == BORDER:
            row = list(t.domain.rows[number])
        else:
            row = [int(j == number // 2) for j in range(t.dim)] + [0]
            side = 2 * (number % 2) - 1
        matrix.append(row[:-1])
        near.append(-row[-1])
        far.append(side)
    columns = [[b, s] for b, s in zip(near, far, strict=True)] if any(far) else [[b] for b in near]
    solution = flint.fmpz_mat(matrix).solve(flint.fmpz_mat(columns))
    point = tuple(solution[j, 0] for j in range(t.dim))
    return point, tuple(solution[j, 1] for j in range(t.dim)) if any(far) else None


def _fractions(values: Vector) -> tuple[Fraction, ...]:
    return tuple(to_fraction(value) for value in values)


def area(tessellation: Tessellation, index: int) -> Fraction | None:
    """Return the exact length, area or volume of a region, None if it is unbounded."""
    t = tessellation
    if not t.bounded[index]:
        return None
    if not t.has_vertices:
        return exact_volume(t.region(index))
    vertices = t.corners(index).tolist()
    return _region_size(t, index, dict(zip(vertices, exact_corners(t, vertices), strict=True)))


def areas(tessellation: Tessellation) -> list[Fraction | None]:
    """Return the exact lengths, areas or volumes of all regions, None for unbounded ones."""
    t = tessellation
    if not t.has_vertices:
        return [area(t, index) for index in range(t.n_regions)]
    corners = t._exact_corners
    return [
        _region_size(t, index, corners) if is_bounded else None for index, is_bounded in enumerate(t.bounded.tolist())
    ]


def _region_size(
    t: Tessellation, index: int, corners: Mapping[int, ExactCorner] | Sequence[ExactCorner]
) -> Fraction:
    """Return the size of a bounded region from its exact corners."""
    vertices = t.corner_vertices[t.corner_indptr[index] : t.corner_indptr[index + 1]].tolist()
    if t.dim <= 2:
        return to_fraction(_size([corners[v][0] for v in vertices]))
    number = {v: i for i, v in enumerate(vertices)}
    bounds, on = t.facet_indptr, t.facet_vertices
    facets = [[number[v] for v in on[bounds[f] : bounds[f + 1]].tolist()] for f in t.facets_of(index).tolist()]
    return polytope_volume([corners[v][0] for v in vertices], facets)


def _size(corners: list[Vector]) -> Any:
    """Return the length of a segment or the area of a polygon, corners counter-clockwise; a point without any has 1."""
    if not corners:
        return Fraction(1)
    if len(corners[0]) == 1:
        return corners[1][0] - corners[0][0]
    x0, y0 = corners[0]
    steps = [(x - x0, y - y0) for x, y in corners[1:]]
    return sum((a * d - b * c for (a, b), (c, d) in pairwise(steps)), start=flint.fmpq(0)) / 2


def total(values: Sequence[Fraction | None]) -> Fraction | None:
    """Return the sum, None if a value is None.

    Neighbours in the order of enumeration mostly form convex unions, so sums of halves have short denominators; a
    plain running sum would carry those of everything before.
    """
    if any(value is None for value in values):
        return None
    sums = [flint.fmpq(value.numerator, value.denominator) for value in values if value is not None]
    while len(sums) > 1:
        sums = [a + b for a, b in zip(sums[::2], [*sums[1::2], flint.fmpq(0)], strict=False)]
    return to_fraction(sums[0]) if sums else Fraction(0)


def domain_area(domain: Domain) -> Fraction | None:
    """Return the exact length, area or volume of a domain, from its rows alone; None if it is unbounded."""
    shape = generators_of(domain.rows, domain.dim)
    if shape.rays or shape.lineality:
        return None
    facets = [[i for i, rows in enumerate(shape.point_rows) if row in rows] for row in range(shape.n_rows)]
    return polytope_volume(shape.points, facets)


def inner_point(tessellation: Tessellation, vertices: Sequence[int]) -> tuple[Fraction, ...] | None:
    """Return an exact point of the relative interior of the face with these vertices, None if none of them is finite.

    It is the mean of those that are, moved along the directions of those at infinity.
    """
    corners = exact_corners(tessellation, vertices)
    points = [point for point, direction in corners if direction is None]
    if not points:
        return None
    centre = [sum(column, start=flint.fmpq(0)) / len(points) for column in zip(*points, strict=True)]
    for _, direction in corners:
        if direction is not None:
            centre = [a + b for a, b in zip(centre, direction, strict=True)]
    return _fractions(tuple(centre))


def witness(tessellation: Tessellation, index: int) -> tuple[Fraction, ...]:
    """Return an exact point strictly inside a region: by its vertices, else the enumeration's if it proves right."""
    t = tessellation
    point = inner_point(t, t.corner_vertices[t.corner_indptr[index] : t.corner_indptr[index + 1]].tolist())
    if point is not None:
        return point
    region = t.region(index)
    if t.witnesses is not None and np.isfinite(t.witnesses[index]).all():
        proposed = to_fractions(t.witnesses[index].tolist())
        if all(dot(row, (*proposed, 1)) > 0 for row in region.rows if any(row[:-1])):
            return proposed
    return region.witness


def witnesses_float(tessellation: Tessellation) -> NDArray[np.float64]:
    """Return a point of each region in floats, shape (n_regions, dim): the points of `witness`, rounded on the way."""
    t = tessellation
    if t.witnesses is not None:
        return t.witnesses
    is_far = t.vertex_kind[t.corner_vertices] == AT_INFINITY
    points = t.vertices_float[t.corner_vertices]
    has_corners = np.diff(t.corner_indptr) > 0
    finite, rays = np.zeros((2, t.n_regions, t.dim))
    n_finite = np.zeros(t.n_regions, np.int64)
    if has_corners.any():
        starts = t.corner_indptr[:-1][has_corners]
        finite[has_corners] = np.add.reduceat(np.where(is_far[:, None], 0.0, points), starts, axis=0)
        rays[has_corners] = np.add.reduceat(np.where(is_far[:, None], points, 0.0), starts, axis=0)
        n_finite[has_corners] = np.add.reduceat(~is_far, starts, dtype=np.int64)
    result = finite / np.maximum(n_finite, 1)[:, None] + rays
    for index in np.flatnonzero(n_finite == 0).tolist():
        result[index] = [nearest_float(value.numerator, value.denominator) for value in witness(t, index)]
    return result


def exact_facet(tessellation: Tessellation, facet: int) -> Facet:
    """Return a facet as its first region has it, with its row and a point of its relative interior."""
    t = tessellation
    region = t.region(int(t.facet_regions[facet, 0]))
    owner, number = t.facet_rows[facet].tolist()
    row = region.rows[row_names(region).index((owner, number))]
    return next(found for found in region.facets if found.row == row)


def facet_point(tessellation: Tessellation, facet: int) -> tuple[Fraction, ...]:
    """Return an exact point of the relative interior of a facet."""
    t = tessellation
    on = t.facet_vertices[t.facet_indptr[facet] : t.facet_indptr[facet + 1]].tolist()
    return inner_point(t, on) or exact_facet(t, facet).point


def facets_of_regions(tessellation: Tessellation) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the facets of each region: those of region ``i`` are ``facets[indptr[i]:indptr[i + 1]]``."""
    t = tessellation
    owners, facets = t.facet_regions.ravel(), np.repeat(np.arange(t.n_facets), 2)
    order = np.argsort(owners, kind="stable")[np.count_nonzero(owners < 0) :]
    counts = np.bincount(owners[order], minlength=t.n_regions)
    return np.concatenate([[0], np.cumsum(counts)]), facets[order]
