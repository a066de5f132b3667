"""Vertices, rays, lines and faces, against the enumeration of all bases."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import comb

from hypothesis import given
from hypothesis import strategies as st

from polyrelu.exact.linalg import dot, null_space, rank
from polyrelu.exact.rational import primitive_row
from polyrelu.region.double_description import face_lattice, generators_of


@st.composite
def polyhedra(draw):
    """Draw rows in dimension 1 to 4; a box around them or not."""
    dim = draw(st.integers(1, 4))
    rows = draw(st.lists(st.tuples(*[st.integers(-2, 2)] * (dim + 1)), max_size=8 - dim))
    if draw(st.booleans()):
        rows += box_rows(dim, -2, 2)
    return dim, rows


def box_rows(dim, low, high):
    rows = []
    for i in range(dim):
        unit = tuple(int(i == j) for j in range(dim))
        rows += [(*unit, -low), (*(-v for v in unit), high)]
    return rows


def basic_solutions(rows, dim):
    """Return the points where dim independent rows meet that satisfy all rows."""
    found = set()
    for chosen in combinations(rows, dim):
        kernel = null_space(chosen, dim + 1)
        if len(kernel) == 1 and kernel[0][-1]:
            point = tuple(Fraction(v, kernel[0][-1]) for v in kernel[0][:-1])
            if all(dot(row, (*point, 1)) >= 0 for row in rows):
                found.add(point)
    return found


def basic_rays(rows, dim):
    """Return the directions on dim - 1 independent rows that leave no row, for rows of full rank."""
    found = set()
    for chosen in combinations([row[:-1] for row in rows], dim - 1):
        kernel = null_space(chosen, dim)
        for ray in [*kernel, *(tuple(-v for v in vector) for vector in kernel)] if len(kernel) == 1 else []:
            if all(dot(row[:-1], ray) >= 0 for row in rows):
                found.add(primitive_row(ray))
    return found


@given(polyhedra())
def test_generators_are_the_basic_solutions(polyhedron):
    dim, rows = polyhedron
    answer = generators_of(rows, dim)
    normals = [row[:-1] for row in rows]
    assert answer.lineality == null_space(normals, dim) or not answer.points
    for points, tight in ((answer.points, answer.point_rows), (answer.rays, answer.ray_rows)):
        homogeneous = 1 if points is answer.points else 0
        for vector, on in zip(points, tight, strict=True):
            values = [dot(row, (*vector, homogeneous)) for row in rows]
            assert min(values, default=0) >= 0
            assert {i for i, value in enumerate(values) if value == 0 and any(rows[i])} == on
    if rank(normals) == dim:
        vertices = basic_solutions(rows, dim)
        assert set(answer.points) == vertices and len(answer.points) == len(vertices)
        assert set(answer.rays) == (basic_rays(rows, dim) if vertices else set())


@given(polyhedra())
def test_faces_are_closed_and_graded(polyhedron):
    dim, rows = polyhedron
    generators = generators_of(rows, dim)
    faces = face_lattice(generators)
    assert len({(face.points, face.rays) for face in faces}) == len(faces)
    for face in faces:
        point = face.relative_interior_point(generators)
        values = [dot(row, (*point, 1)) for row in rows]
        # The rows that vanish at a relative interior point are those that vanish on the face.
        assert {i for i, value in enumerate(values) if value == 0 and any(rows[i])} == face.rows - zero_rows(rows)
        assert face.dim == dim - rank([rows[i][:-1] for i in face.rows])
    if faces:
        euler = sum((-1) ** face.dim for face in faces)
        # Euler-Poincaré: a polytope has 1; an unbounded polyhedron 0, times the lines; a flat of dimension k (-1)^k.
        affine = not generators.rays and len(generators.points) == 1
        bounded = not generators.rays and not generators.lineality
        sign = (-1) ** len(generators.lineality)
        assert euler == (1 if bounded else sign if affine or not generators.rays else 0)


def zero_rows(rows):
    return {i for i, row in enumerate(rows) if not any(row)}


def test_cube_cross_polytope_and_orthant():
    cube = face_lattice(generators_of(box_rows(4, 0, 1), 4))
    assert [sum(face.dim == k for face in cube) for k in range(5)] == [comb(4, k) * 2 ** (4 - k) for k in range(5)]
    cross = generators_of([(*signs, 1) for signs in product((-1, 1), repeat=4)], 4)
    assert len(cross.points) == 8
    faces = face_lattice(cross)
    assert [sum(face.dim == k for face in faces) for k in range(5)] == [8, 24, 32, 16, 1]
    orthant = face_lattice(generators_of([(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)], 3))
    assert [face.dim for face in orthant] == [0, 1, 1, 1, 2, 2, 2, 3]


def test_empty_flat_and_whole_space():
    assert generators_of([(0, -1)], 1).points == ()
    assert face_lattice(generators_of([(1, -1), (-1, 0)], 1)) == ()
    line = generators_of([(1, 1, -1), (-1, -1, 1)], 2)
    assert (line.points, line.rays, line.lineality) == (((1, 0),), (), ((-1, 1),))
    assert [face.dim for face in face_lattice(line)] == [1]
    whole = generators_of([], 2)
    assert (whole.points, whole.lineality) == (((0, 0),), ((1, 0), (0, 1)))
