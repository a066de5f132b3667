"""Exact coordinates, areas and interior points of a tessellation, worked out when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import flint
import numpy as np
from numpy.typing import NDArray

from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import nearest_float, to_fraction
from polyrelu.region.double_description import Generators, generators_of
from polyrelu.region.facets import Facet
from polyrelu.tessellation.exact_corners import row_names
from polyrelu.tessellation.marks import AT_INFINITY, BORDER
from polyrelu.tessellation.region_forms import RegionForms

if TYPE_CHECKING:
    from polyrelu.tessellation.model import Tessellation

__all__ = [
    "area",
    "areas",
    "domain_area",
    "exact_corners",
    "exact_facet",
    "facet_point",
    "total",
    "vertices_exact",
    "witness",
    "witnesses_float",
]

Vector = tuple[Any, ...]
"""Coordinates as flint.fmpq."""
ExactCorner = tuple[Vector, Vector | None]
"""(coordinates, None) of a vertex; (point, direction) of one at infinity."""


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
    if t.dim > 2:
        return _volume(t.region(index).generators)
    return to_fraction(_size([point for point, _ in exact_corners(t, t.corners(index).tolist())]))


def areas(tessellation: Tessellation) -> list[Fraction | None]:
    """Return the exact lengths, areas or volumes of all regions, None for unbounded ones."""
    t = tessellation
    if t.dim > 2:
        return [area(t, index) for index in range(t.n_regions)]
    points = [point for point, _ in t._exact_corners]
    corners, bounds = t.corner_vertices.tolist(), t.corner_indptr.tolist()
    return [
        to_fraction(_size([points[v] for v in corners[bounds[i] : bounds[i + 1]]])) if is_bounded else None
        for i, is_bounded in enumerate(t.bounded.tolist())
    ]


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
    return _volume(shape)


def _volume(shape: Generators) -> Fraction:
    """Return the volume of a polytope, cut into simplices."""
    result = Fraction(0)
    for simplex in _simplices(frozenset(range(len(shape.points))), shape):
        apex, *others = (shape.points[i] for i in simplex)
        steps = [[_rational(b - a) for a, b in zip(apex, other, strict=True)] for other in others]
        result += abs(to_fraction(flint.fmpq_mat(steps).det()))
    return result / math.factorial(shape.dim)


def _simplices(face: frozenset[int], shape: Generators) -> Iterator[tuple[int, ...]]:
    """Yield simplices that fill a face: its first point joined to those of the facets that do not contain it."""
    if len(face) == 1:
        yield tuple(face)
        return
    apex = min(face)
    parts = {frozenset(i for i in face if row in shape.point_rows[i]) for row in range(shape.n_rows)} - {face}
    for part in parts:
        if part and apex not in part and not any(part < other for other in parts):
            for simplex in _simplices(part, shape):
                yield apex, *simplex


def _rational(value: Fraction) -> Any:
    return flint.fmpq(value.numerator, value.denominator)


def witness(tessellation: Tessellation, index: int) -> tuple[Fraction, ...]:
    """Return an exact point strictly inside a region: the mean of its vertices, moved along all its rays."""
    t = tessellation
    corners = exact_corners(t, t.corners(index).tolist())
    points = [point for point, direction in corners if direction is None]
    if not points:
        return t.region(index).witness
    centre = [sum(column, start=flint.fmpq(0)) / len(points) for column in zip(*points, strict=True)]
    for _, direction in corners:
        if direction is not None:
            centre = [a + b for a, b in zip(centre, direction, strict=True)]
    return _fractions(tuple(centre))


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
    """Return an exact point of the relative interior of a facet of the plane or line."""
    t = tessellation
    ends = t.facet_vertices[t.facet_indptr[facet] : t.facet_indptr[facet + 1]].tolist()
    corners = exact_corners(t, ends)
    points = [point for point, direction in corners if direction is None]
    if not points:
        return _fractions(corners[0][0])
    centre = [sum(column, start=flint.fmpq(0)) / len(points) for column in zip(*points, strict=True)]
    for _, direction in corners:
        if direction is not None:
            centre = [a + b for a, b in zip(centre, direction, strict=True)]
    return _fractions(tuple(centre))
