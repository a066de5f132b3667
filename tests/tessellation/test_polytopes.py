"""Regions of space as polytopes, against the faces and volumes of single regions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import bounded_domains, domains, networks, random_networks

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.split import enumerate_split
from polyrelu.errors import DomainError, InputError, InternalError, UnboundedError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.faces import count_faces
from polyrelu.tessellation.marks import AT_INFINITY
from polyrelu.tessellation.polygons import facet_polygon, ordered_facets
from polyrelu.tessellation.polytopes import check_polytopes, polytopes
from polyrelu.testing import braid, coxeter, gaussian, generic_arrangement, grid, montufar, xor

CUBE = Domain.box([-1] * 3, [1] * 3)
METHODS = st.sampled_from([None, enumerate_brute])


def spaces():
    """Draw small networks with three inputs."""
    return networks((3,), max_neurons=5) | random_networks((3,), max_neurons=6)


def cross(a, b):
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def minus(a, b):
    return tuple(x - y for x, y in zip(a, b, strict=True))


def is_convex_and_outward(points, region) -> bool:
    """Return whether a polygon turns left at every corner, seen from outside its plane's side of a region."""
    outward = minus(points[0], region.witness)
    turns = [
        dot(cross(minus(q, p), minus(r, q)), outward)
        for p, q, r in zip(points, points[1:] + points[:1], points[2:] + points[:2], strict=True)
    ]
    return min(turns) > 0


@given(st.data())
@settings(max_examples=60)
def test_volumes_and_edges_are_those_of_the_regions_one_by_one(data):
    t = tessellate(data.draw(spaces()), data.draw(bounded_domains(3)), method=data.draw(METHODS))
    p = polytopes(t)
    assert p.volumes == t.areas()
    assert p.total_volume() == t.domain_area()
    assert (t.n_vertices, len(p.edges), t.n_facets, t.n_regions) == count_faces(t)
    check_polytopes(p)


@given(st.data())
@settings(max_examples=40)
def test_facets_are_convex_polygons_counter_clockwise_from_outside(data):
    t = tessellate(data.draw(spaces()), data.draw(domains(3)), method=data.draw(METHODS))
    p = polytopes(t)
    for index in range(t.n_regions):
        region = t.region(index)
        own = slice(p.region_indptr[index], p.region_indptr[index + 1])
        facets = p.region_facets[own].tolist()
        assert len(facets) == len(region.facets)
        if not t.bounded[index]:
            with pytest.raises(UnboundedError, match="with ray"):
                p.faces(index)
            assert p.volume(index) is None
            continue
        for facet, on in zip(facets, p.faces(index), strict=True):
            assert sorted(on.tolist()) == sorted(t.facet_vertices[t.facet_indptr[facet] : t.facet_indptr[facet + 1]])
            assert is_convex_and_outward([t.vertex_exact(v) for v in on.tolist()], region)


@given(st.data())
@settings(max_examples=60)
def test_every_facet_is_the_hull_of_its_points_and_rays(data):
    """They satisfy all rows, and span the facet: as many dimensions, and no row of the region cuts anything off."""
    t = tessellate(data.draw(spaces()), data.draw(domains(3)), method=data.draw(METHODS))
    for facet in range(t.n_facets):
        polygon = facet_polygon(t, facet)
        region = t.region(int(t.facet_regions[facet, 0]))
        vectors = [(*point, 1) for point in polygon.points] + [(*ray, 0) for ray in polygon.rays]
        tight = [row for row in region.rows if all(dot(row, v) == 0 for v in vectors) and any(row[:-1])]
        assert len(set(tight)) == 1
        assert all(dot(row, v) >= 0 for row in region.rows for v in vectors)
        exact = [face for face in region.faces if face.dim == 2 and region.rows.index(tight[0]) in face.rows]
        shape = region.generators
        assert len(exact) == 1
        assert set(polygon.points) == {shape.points[i] for i in exact[0].points}
        lines = [tuple(sign * x for x in line) for line in shape.lineality for sign in (1, -1)]
        expected = [*(shape.rays[i] for i in exact[0].rays), *lines]
        assert {normalised(ray) for ray in expected} == {normalised(ray) for ray in polygon.rays}
        if not shape.lineality:
            ends = zip((polygon.points[0], polygon.points[-1]), polygon.rays, strict=False)
            assert all(len(rows_on(region, point, ray)) >= 2 for point, ray in ends)
            assert all(len(rows_on(region, p, minus(q, p))) >= 2 for p, q in pairwise(polygon.points))


def normalised(ray):
    largest = max(map(abs, ray))
    return tuple(Fraction(x) / largest for x in ray)


def rows_on(region, point, direction) -> set:
    """Return the rows that vanish at a point and in a direction."""
    return {r for r in region.rows if any(r[:-1]) and dot(r, (*point, 1)) == dot(r[:-1], direction) == 0}


@pytest.mark.parametrize(
    ("network", "domain", "n_regions"),
    [
        (coxeter("B", 3), CUBE, 48),
        (grid(3, 2, 1), Domain.box([-1] * 3, [3] * 3), 24),
        (montufar(3, 2), Domain.unit(3), 64),
        (generic_arrangement(3, 5), Domain.box([-100] * 3, [100] * 3), 26),
    ],
)
def test_known_arrangements(network, domain, n_regions):
    t = tessellate(network, domain)
    p = polytopes(t)
    check_polytopes(p)
    assert t.n_regions == n_regions
    assert t.n_vertices - len(p.edges) + t.n_facets - t.n_regions == 1


def test_equal_shapes_have_equal_volumes():
    p = polytopes(tessellate(coxeter("B", 3), CUBE))
    assert p.volumes == [Fraction(8, 48)] * 48
    assert {len(face) for region in range(48) for face in p.faces(region)} == {3}


def test_bounded_edges_of_unbounded_regions():
    p = polytopes(tessellate(generic_arrangement(3, 6)))
    assert len(p.edges) == 15 * 3  # six planes: fifteen lines with four vertices each
    assert sum(volume is not None for volume in p.volumes) == 10
    assert p.total_volume() is None
    check_polytopes(p)


def test_order_of_some_facets_is_their_order_among_all():
    t = tessellate(gaussian([3, 4, 3, 1]), CUBE)
    p = polytopes(t)
    some = np.arange(0, t.n_facets, 3)
    cycles = ordered_facets(t, some[::-1])
    for place, facet in enumerate(some[::-1].tolist()):
        assert cycles.of(place).tolist() == p.cycles.of(facet).tolist()


def test_damaged_arrays_are_noticed():
    t = tessellate(grid(1, 1, 1), CUBE)
    p = polytopes(t)
    turned = p.region_sides.copy()
    turned[0] = -turned[0]
    with pytest.raises(InternalError, match="gap"):
        check_polytopes(replace(p, region_sides=turned))
    with pytest.raises(InternalError, match="positive volumes"):
        check_polytopes(replace(p, region_sides=-p.region_sides))
    corner_cut = Domain(3, (*CUBE.rows, (-1, -1, -1, 2)))
    with pytest.raises(InternalError, match="add up"):
        check_polytopes(replace(p, tessellation=replace(t, domain=corner_cut)))
    vertices = t.facet_vertices.copy()
    vertices[0] = next(v for v in range(27) if v not in vertices[:4])
    with pytest.raises(InternalError, match="two edges at each vertex"):
        polytopes(replace(t, facet_vertices=vertices))


def test_other_dimensions_are_refused():
    for network in (xor(), braid(4)):
        with pytest.raises(DomainError, match=f"three dimensions but received one of {network.dim}"):
            polytopes(tessellate(network))
    with pytest.raises(DomainError, match="facet_polygon needs"):
        facet_polygon(tessellate(xor()), 0)


def test_a_flat_domain_of_four_inputs():
    t = tessellate(gaussian([4, 5, 1], seed=1), Domain.box([0, 0, 0, 1], [1, 2, 3, 1]))
    p = polytopes(t)
    check_polytopes(p)
    assert (t.hull is not None, p.total_volume()) == (True, 6)


def test_without_vertices_there_are_no_polygons():
    t = tessellate(grid(1, 1, 1), CUBE, method=enumerate_split)
    with pytest.raises(InputError, match="method=enumerate_vertices"):
        polytopes(t)


def test_a_line_ends_at_infinity():
    t = tessellate(grid(1, 1, 0))
    assert (t.vertex_kind == AT_INFINITY).all()
    assert len(polytopes(t).edges) == 0
