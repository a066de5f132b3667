"""From halfspaces to vertices, rays and lines, exactly: the double description method in integers.

A polyhedron is treated as the slice ``x_0 = 1`` of a cone, so that vertices and rays are one notion: the
extreme rays of the cone. Halfspaces are added one by one; two extreme rays on different sides of the new
one give a new ray iff they are adjacent (Motzkin et al. 1953; adjacency test of Fukuda and Prodon 1996).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint

from polyrelu.exact.linalg import dot, null_space, rank, row_reduce
from polyrelu.exact.rational import primitive_row, to_fraction

__all__ = ["Face", "Generators", "face_lattice", "generators_of"]


@dataclass(frozen=True, slots=True)
class Generators:
    """Vertices, extreme rays and lineality space of ``{x : every row >= 0}``.

    Attributes
    ----------
    dim : int
    n_rows : int
    points : tuple of tuple of Fraction
        One point of each minimal face, sorted: the vertices, if there is no lineality. None if the
        polyhedron is empty.
    rays : tuple of tuple of int
        Extreme rays modulo the lineality space, coprime, sorted.
    lineality : tuple of tuple of int
        A basis of the lines in the polyhedron. Points and rays are 0 in the coordinate in which a basis
        vector is the only one that is not 0.
    point_rows, ray_rows : tuple of frozenset of int
        The rows that vanish at each point, and whose normals vanish on each ray.

    Examples
    --------
    >>> wedge = generators_of([(1, 0, 0), (0, 1, 0), (1, 1, -1)], 2)
    >>> [tuple(map(str, point)) for point in wedge.points], wedge.rays
    ([('0', '1'), ('1', '0')], ((0, 1), (1, 0)))
    >>> [sorted(rows) for rows in wedge.point_rows]
    [[0, 2], [1, 2]]
    >>> generators_of([(1, 1, 0)], 2).lineality
    ((-1, 1),)
    >>> generators_of([(1, -1), (-1, 0)], 1).points
    ()
    """

    dim: int
    n_rows: int
    points: tuple[tuple[Fraction, ...], ...]
    rays: tuple[tuple[int, ...], ...]
    lineality: tuple[tuple[int, ...], ...]
    point_rows: tuple[frozenset[int], ...]
    ray_rows: tuple[frozenset[int], ...]


def generators_of(rows: Sequence[Sequence[int]], dim: int) -> Generators:
    """Return the vertices, extreme rays and lineality space of ``{x : a · x + c >= 0 for every row (a, c)}``.

    Parameters
    ----------
    rows : sequence of integer rows, each of length dim + 1
        May repeat and be redundant; rows that are all zeros are never reported as tight.
    dim : int
    """
    m = len(rows)
    cone = [*(tuple(row) for row in rows), (0,) * dim + (1,)]
    lineality = null_space(cone, dim + 1)
    points, rays = [], []
    for vector, mask in _extreme_rays(cone, dim + 1):
        tight = frozenset(i for i in range(m) if mask >> i & 1)
        if vector[-1]:
            points.append((tuple(Fraction(value, vector[-1]) for value in vector[:-1]), tight))
        else:
            rays.append((vector[:-1], tight))
    points.sort(key=lambda pair: pair[0])
    rays.sort(key=lambda pair: pair[0])
    if not points:
        rays = []
    return Generators(
        dim,
        m,
        tuple(point for point, _ in points),
        tuple(ray for ray, _ in rays),
        tuple(vector[:-1] for vector in lineality),
        tuple(tight for _, tight in points),
        tuple(tight for _, tight in rays),
    )


def _extreme_rays(rows: Sequence[tuple[int, ...]], n: int) -> list[tuple[tuple[int, ...], int]]:
    """Return the extreme rays of ``{y : row · y >= 0}`` modulo its lines, each with the bit mask of its tight rows."""
    start, columns = _independent(rows, n)
    rays = _simplicial_rays(rows, start, columns, n)
    for index in sorted((i for i in range(len(rows)) if i not in start and any(rows[i])), key=lambda i: rows[i]):
        rays = _cut(rays, rows[index], index, len(start))
    return rays


def _independent(rows: Sequence[tuple[int, ...]], n: int) -> tuple[list[int], list[int]]:
    """Return a maximal set of independent rows, and of columns in which they stay so."""
    columns = row_reduce(rows, n)[1]
    return row_reduce(list(zip(*rows, strict=True)), len(rows))[1], columns


def _simplicial_rays(
    rows: Sequence[tuple[int, ...]], start: Sequence[int], columns: Sequence[int], n: int
) -> list[tuple[tuple[int, ...], int]]:
    """Return the extreme rays of the cone of independent rows: each leaves one row and stays on the others."""
    inverse = flint.fmpq_mat([[rows[i][j] for j in columns] for i in start]).inv().tolist()
    every = sum(1 << i for i in start)
    result = []
    for k, index in enumerate(start):
        vector = [Fraction(0)] * n
        for j, line in zip(columns, inverse, strict=True):
            vector[j] = to_fraction(line[k])
        result.append((primitive_row(vector), every & ~(1 << index)))
    return result


def _cut(
    rays: Sequence[tuple[tuple[int, ...], int]], row: tuple[int, ...], index: int, cone_rank: int
) -> list[tuple[tuple[int, ...], int]]:
    """Return the extreme rays of a cone, given by its own, cut with one more halfspace."""
    bit = 1 << index
    kept, positive, negative = [], [], []
    for vector, mask in rays:
        value = dot(row, vector)
        if value < 0:
            negative.append((vector, mask, value))
            continue
        kept.append((vector, mask if value else mask | bit))
        if value > 0:
            positive.append((vector, mask, value))
    masks = [mask for _, mask in rays]
    for above, above_mask, above_value in positive:
        for below, below_mask, below_value in negative:
            common = above_mask & below_mask
            if common.bit_count() >= cone_rank - 2 and _only_two(masks, common):
                new = [above_value * b - below_value * a for a, b in zip(above, below, strict=True)]
                kept.append((primitive_row(new), common | bit))
    return kept


def _only_two(masks: Iterable[int], common: int) -> bool:
    """Return whether exactly two rays lie on all the common rows: then they span a face of dimension two."""
    found = 0
    for mask in masks:
        if mask & common == common:
            found += 1
            if found > 2:
                return False
    return True


@dataclass(frozen=True, slots=True)
class Face:
    """A non-empty face of a polyhedron.

    Attributes
    ----------
    dim : int
        Dimension of its affine hull.
    rows : frozenset of int
        The rows that vanish on the whole face.
    points, rays : tuple of int
        Positions of its generators in `Generators`.
    """

    dim: int
    rows: frozenset[int]
    points: tuple[int, ...]
    rays: tuple[int, ...]

    def relative_interior_point(self, generators: Generators) -> tuple[Fraction, ...]:
        """Return a point of the face that lies in none of its proper faces."""
        total = [sum(column, Fraction(0)) for column in zip(*(generators.points[i] for i in self.points), strict=True)]
        centre = [value / len(self.points) for value in total]
        for i in self.rays:
            centre = [a + b for a, b in zip(centre, generators.rays[i], strict=True)]
        return tuple(centre)


def face_lattice(generators: Generators) -> tuple[Face, ...]:
    """Return all non-empty faces of a polyhedron, the polyhedron itself included, by dimension.

    Examples
    --------
    >>> square = generators_of([(1, 0, 0), (-1, 0, 1), (0, 1, 0), (0, -1, 1)], 2)
    >>> [face.dim for face in face_lattice(square)]
    [0, 0, 0, 0, 1, 1, 1, 1, 2]
    """
    n_points = len(generators.points)
    if not n_points:
        return ()
    incidence = (*generators.point_rows, *generators.ray_rows)
    on_row = [sum(1 << g for g, tight in enumerate(incidence) if i in tight) for i in range(generators.n_rows)]
    some_point = (1 << n_points) - 1
    everything = (1 << len(incidence)) - 1
    found, waiting = {everything}, [everything]
    while waiting:
        face = waiting.pop()
        for smaller in {face & mask for mask in on_row}:
            if smaller & some_point and smaller not in found:
                found.add(smaller)
                waiting.append(smaller)
    faces = [_face_of(mask, generators, on_row) for mask in found]
    return tuple(sorted(faces, key=lambda face: (face.dim, sorted(face.rows), face.points)))


def _face_of(mask: int, generators: Generators, on_row: Sequence[int]) -> Face:
    n_points = len(generators.points)
    points = tuple(i for i in range(n_points) if mask >> i & 1)
    rays = tuple(i for i in range(len(generators.rays)) if mask >> (n_points + i) & 1)
    homogeneous = [primitive_row([*generators.points[i], Fraction(1)]) for i in points]
    homogeneous += [(*generators.rays[i], 0) for i in rays]
    dim = rank(homogeneous) - 1 + len(generators.lineality)
    return Face(dim, frozenset(i for i, on in enumerate(on_row) if mask & on == mask), points, rays)
