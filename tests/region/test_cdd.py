"""The double description method against cddlib's, in the exact arithmetic of both.

cddlib is the optional extra ``cdd``; continuous integration installs it (``make test EXTRAS=all,cdd``).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyrelu.region.double_description import generators_of
from polyrelu.testing import gaussian

cdd = pytest.importorskip("cdd", reason="needs the extra cdd: pip install 'polyrelu[cdd]'")
gmp = pytest.importorskip("cdd.gmp")

Rows = list[tuple[int, ...]]


def tight(rows: Rows, generator: Sequence[Fraction]) -> frozenset[int]:
    """Return the rows with a normal that vanish at a point (1, x) or along a ray (0, x)."""
    first, *x = generator
    return frozenset(
        i
        for i, (*normal, constant) in enumerate(rows)
        if any(normal) and sum(a * v for a, v in zip(normal, x, strict=True)) + constant * first == 0
    )


def cdd_generators(rows: Rows) -> tuple[set[frozenset[int]], set[frozenset[int]], int]:
    """Return the tight rows of points and of rays, and the dimension of the lineality space."""
    matrix = gmp.matrix_from_array([(row[-1], *row[:-1]) for row in rows], rep_type=cdd.RepType.INEQUALITY)
    found = gmp.copy_generators(gmp.polyhedron_from_matrix(matrix))
    lines = set(found.lin_set)
    kept = [generator for i, generator in enumerate(found.array) if i not in lines]
    points = {tight(rows, g) for g in kept if g[0]}
    if found.array and not points:  # a cone whose only minimal face contains the origin: cddlib leaves the point out
        points = {tight(rows, [Fraction(1)] + [Fraction(0)] * (len(rows[0]) - 1))}
    return points, {tight(rows, g) for g in kept if not g[0]}, len(lines)


@st.composite
def polyhedra(draw: st.DrawFn) -> tuple[int, Rows]:
    dim = draw(st.integers(1, 4))
    rows = draw(st.lists(st.tuples(*[st.integers(-3, 3)] * (dim + 1)), min_size=1, max_size=9))
    return dim, rows


@settings(max_examples=300)
@given(polyhedra())
def test_generators_are_those_of_cddlib(problem: tuple[int, Rows]) -> None:
    dim, rows = problem
    ours = generators_of(rows, dim)
    points, rays, lineality = cdd_generators(rows)
    assert {frozenset(i for i in at if any(rows[i][:-1])) for at in ours.point_rows} == points
    if points:
        assert {frozenset(i for i in along if any(rows[i][:-1])) for along in ours.ray_rows} == rays
        assert len(ours.lineality) == lineality


def test_vertices_of_a_region_are_those_of_cddlib() -> None:
    """A generic region in R^3: the same vertices, coordinate by coordinate."""
    from polyrelu import Domain, region_at

    region = region_at(gaussian([3, 8, 8, 1]), [0, 0, 0], Domain.box([-1] * 3, [1] * 3))
    matrix = gmp.matrix_from_array([(r[-1], *r[:-1]) for r in region.rows], rep_type=cdd.RepType.INEQUALITY)
    found = gmp.copy_generators(gmp.polyhedron_from_matrix(matrix)).array
    assert sorted(region.vertices) == sorted(tuple(map(Fraction, g[1:])) for g in found)
