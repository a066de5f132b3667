"""Exact volumes of polytopes: of regions, and of anything that is given by its vertices and facets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import flint

from polyrelu.errors import InputError, UnboundedError
from polyrelu.exact.linalg import rank
from polyrelu.exact.rational import to_fraction

if TYPE_CHECKING:
    from polyrelu.region.model import Region

__all__ = ["check_bounded_region", "exact_volume", "polytope_volume"]


def exact_volume(region: Region) -> Fraction:
    """Return the volume of a bounded region (its length or area with one or two inputs).

    Raises
    ------
    UnboundedError
        If the region is unbounded; the message names a ray.

    Notes
    -----
    The number of faces, and with it the time, grows quickly with the dimension: a region of 3 inputs takes well under a
    millisecond once its vertices are known, one of 6 inputs up to seconds.

    Examples
    --------
    >>> from polyrelu.exact.domain import Domain
    >>> from polyrelu.network.pattern import Pattern
    >>> from polyrelu.region.model import region_of
    >>> from polyrelu.testing import braid
    >>> exact_volume(region_of(braid(4), Pattern.parse("111111"), Domain.unit(4)))
    Fraction(1, 24)
    >>> exact_volume(region_of(braid(2), Pattern.parse("1")))
    Traceback (most recent call last):
    ...
    polyrelu.errors.UnboundedError: exact_volume needs a bounded region but received one with ray (1, 1) \
(pattern '1'). Intersect it with a domain first.
    """
    shape = region.generators
    if shape.rays or shape.lineality:
        check_bounded_region("exact_volume", region)
    facets = [[i for i, rows in enumerate(shape.point_rows) if row in rows] for row in range(shape.n_rows)]
    return polytope_volume(shape.points, facets)


def check_bounded_region(who: str, region: Region) -> None:
    """Raise `UnboundedError` if a region is unbounded, with a ray of it in the message."""
    if not region.is_bounded:
        ray = region.decide_bounded()[1].direction  # type: ignore[union-attr]
        raise UnboundedError(
            f"{who} needs a bounded region but received one with ray ({', '.join(map(str, ray))}) "
            f"(pattern {str(region.pattern)!r}). Intersect it with a domain first."
        )


def polytope_volume(points: Sequence[Sequence[Any]], facets: Iterable[Iterable[int]]) -> Fraction:
    """Return the volume of a polytope that is given by its vertices and facets.

    Parameters
    ----------
    points : sequence of n_points vertices, each of dim rationals (int, Fraction or flint.fmpq)
        All vertices, each once.
    facets : iterable of iterables of int
        For each facet the positions of the vertices on it. Lists may repeat, and lists of the vertices on smaller faces
        do no harm, so that the vertices on any valid inequality will do.

    Notes
    -----
    Every face is filled with pyramids over its facets from one of its vertices (Cohen and Hickey 1979), and worked out
    once, however many faces it belongs to (Büeler, Enge and Fukuda 2000). Only ratios of volumes of parallel sets
    enter, so that all numbers stay rational in the smaller faces too.

    Examples
    --------
    >>> polytope_volume([(0, 0), (2, 0), (2, 1), (0, 1)], [[0, 1], [1, 2], [2, 3], [3, 0]])
    Fraction(2, 1)
    >>> polytope_volume([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, "1")], [])
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: polytope_volume needs the facets of a polytope of dimension 3 but received lists that \
form none. Give for each facet all vertices on it.
    """
    if not points:
        return Fraction(0)
    rows = [_homogeneous(point) for point in points]
    dim = len(rows[0]) - 1
    if rank(rows) <= dim:
        return Fraction(0)
    masks = {sum(1 << i for i in set(facet)) for facet in facets}
    whole = _part_of((1 << len(rows)) - 1, dim, rows, tuple(masks), {})
    return abs(to_fraction(whole.quotient * whole.determinant)) / math.factorial(dim)


class _Part(NamedTuple):
    """A face of dimension k, measured in k of the coordinates.

    Attributes
    ----------
    quotient : flint.fmpq
        ``k! volume / determinant`` of the face's projection to the coordinates.
    vertices : list of int
        Of a simplex in the face.
    columns : list of int
        The coordinates, and last the one of the denominators.
    determinant : int
        Positive; that of the simplex's homogeneous vertices in these columns.
    """

    quotient: Any
    vertices: list[int]
    columns: list[int]
    determinant: int


def _part_of(face: int, k: int, rows: list[list[int]], masks: tuple[int, ...], known: dict[int, _Part]) -> _Part:
    """Return the measure of a face of dimension k; `face` and `masks` are sets of vertices as bits."""
    if face in known:
        return known[face]
    first = (face & -face).bit_length() - 1
    last = len(rows[0]) - 1
    if k == 0:
        part = _Part(flint.fmpq(1, rows[first][last]), [first], [last], rows[first][last])
    else:
        bases = [
            _part_of(facet, k - 1, rows, masks, known)
            for facet in _facets_of(face, k, masks)
            if not facet >> first & 1
        ]
        if not bases:
            raise InputError(
                f"polytope_volume needs the facets of a polytope of dimension {last} but received lists that form "
                "none. Give for each facet all vertices on it."
            )
        part = _pyramids(first, bases, rows)
    known[face] = part
    return part


def _pyramids(apex: int, bases: list[_Part], rows: list[list[int]]) -> _Part:
    """Return the union of the pyramids over some faces from one apex."""
    start = bases[0]
    vertices = [apex, *start.vertices]
    for extra in (j for j in range(len(rows[0])) if j not in start.columns):
        columns = [extra, *start.columns]
        determinant = _determinant(vertices, columns, rows)
        if determinant:
            break
    else:
        raise InputError(
            "polytope_volume needs facets that lie in hyperplanes but received a list of vertices that do not. "
            "Give for each facet all vertices on it."
        )
    total = start.quotient
    for base in bases[1:]:
        other = _determinant([apex, *base.vertices], columns, rows)
        total += base.quotient * flint.fmpq(other, determinant)
    return _Part(total / rows[apex][-1], vertices, columns, determinant)


def _facets_of(face: int, k: int, masks: tuple[int, ...]) -> list[int]:
    """Return the facets of a face of dimension k among its intersections with all facets."""
    if k == 1:
        return [face & -face, face & (face - 1)]
    parts = {face & mask for mask in masks} - {face}
    if k == 2:
        return [part for part in parts if part.bit_count() == 2]
    large: list[int] = []
    for part in sorted(parts, key=int.bit_count, reverse=True):
        if part.bit_count() >= k and not any(part & other == part for other in large):
            large.append(part)
    return large


def _determinant(vertices: list[int], columns: list[int], rows: list[list[int]]) -> int:
    """Return the absolute determinant of some columns of homogeneous vertices."""
    matrix = [[rows[i][j] for j in columns] for i in vertices]
    if len(columns) == 2:
        (a, b), (c, d) = matrix
        return abs(a * d - b * c)
    if len(columns) == 3:
        (a, b, c), (d, e, f), (g, h, i) = matrix
        return abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))
    return abs(int(flint.fmpz_mat(matrix).det()))


def _homogeneous(point: Sequence[Any]) -> list[int]:
    """Return numerators over one positive denominator, and last the denominator."""
    pairs = [(int(v.p), int(v.q)) if isinstance(v, flint.fmpq) else to_fraction(v).as_integer_ratio() for v in point]
    denominator = math.lcm(*(q for _, q in pairs))
    return [*(p * (denominator // q) for p, q in pairs), denominator]
