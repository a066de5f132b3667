"""Cross-sections: restricting the network and cutting its polytopes must give the same polygons."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import bounded_domains, networks, random_networks

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.errors import DomainError, InputError, UnboundedError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.network.slices import Slice
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.polytopes import polytopes
from polyrelu.tessellation.sections import cut_regions, plane_of, section
from polyrelu.testing import coxeter, gaussian, grid

CUBE = Domain.box([-1] * 3, [1] * 3)
METHODS = st.sampled_from([None, enumerate_brute])


@given(st.data())
@settings(max_examples=60)
def test_both_ways_agree(data):
    network = data.draw(networks((3,), max_neurons=5) | random_networks((3,), max_neurons=6))
    t = tessellate(network, data.draw(bounded_domains(3)), method=data.draw(METHODS))
    normal = data.draw(st.lists(st.integers(-2, 2), min_size=3, max_size=3).filter(any))
    # Through a point of the domain, often a vertex: then the plane meets edges and facets in many ways.
    points = [t.witness(0), *t.vertices_exact()]
    offset = dot(normal, data.draw(st.sampled_from(points)))
    cut = {}
    for region, polygon in cut_regions(polytopes(t), normal, offset):
        assert all(dot(normal, point) == offset and t.region(region).contains(point) for point in polygon.points)
        cut.setdefault(frozenset(polygon.points), set()).add(region)
    try:
        found = section(t, plane_of(normal, offset))
    except DomainError:
        assert cut == {}
        return
    assert {frozenset(found.polygon(i).points) for i in range(len(found))} == set(cut)
    for i, region in enumerate(found.regions.tolist()):
        assert region in cut[frozenset(found.polygon(i).points)]


def test_polygons_are_counter_clockwise_from_above():
    t = tessellate(coxeter("B", 3), CUBE)
    for normal, offset in (([0, 0, 1], "1/3"), ([1, 2, 3], "-1/7"), ([1, 1, 0], 0)):
        for _, polygon in cut_regions(polytopes(t), normal, offset):
            points = polygon.points
            for p, q, r in zip(points, points[1:] + points[:1], points[2:] + points[:2], strict=True):
                a, b = ([y - x for x, y in zip(s, u, strict=True)] for s, u in ((p, q), (q, r)))
                turn = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
                assert dot(turn, normal) > 0


def test_areas_of_a_section_add_up():
    """Each part is as large as the flat region whose picture it is: the plane z = 1/2 keeps lengths."""
    t = tessellate(gaussian([3, 6, 1], seed=2), CUBE)
    found = section(t, plane_of([0, 0, 1], "1/2"))
    assert found.tessellation.total_area() == 4
    assert set(found.regions.tolist()) == {region for region, _ in cut_regions(polytopes(t), [0, 0, 1], "1/2")}


def test_any_dimension():
    t = tessellate(grid(1, 1, 1, 1), Domain.box([-1] * 4, [1] * 4))
    found = section(t, Slice.along(["1/2", "1/3", 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]))
    assert (len(found), len(set(found.regions.tolist()))) == (4, 4)
    assert all(point[:2] == (Fraction(1, 2), Fraction(1, 3)) for i in range(4) for point in found.polygon(i).points)
    space = section(t, plane_of([1, 0, 0, 0], "1/2"))
    assert (space.tessellation.dim, len(space)) == (3, 8)
    with pytest.raises(DomainError, match="by a plane but received one of dimension 3"):
        space.polygon(0)


def test_unbounded_sections():
    found = section(tessellate(grid(1, 1, 1)), plane_of([0, 0, 1], 5))
    [corner] = {found.polygon(i).points for i in range(4)}
    assert corner == ((Fraction(0), Fraction(0), Fraction(5)),)
    for i in range(4):
        rays = found.polygon(i).rays
        assert all(ray[2] == 0 and any(ray) for ray in rays) and len(rays) >= 2


def test_along_a_common_facet():
    t = tessellate(grid(1, 1, 1), CUBE)
    found = section(t, plane_of([1, 0, 0], 0))
    digits = {t.pattern(region).digits[0] for region in found.regions.tolist()}
    assert digits == {0}  # the side on which the neuron is not active
    assert len(cut_regions(polytopes(t), [1, 0, 0], 0)) == 2 * len(found) == 8


def test_refusals():
    t = tessellate(grid(1, 1, 1))
    with pytest.raises(UnboundedError, match="8 unbounded ones"):
        cut_regions(polytopes(t), [0, 0, 1], 5)
    bounded = tessellate(grid(1, 1, 1), CUBE)
    with pytest.raises(DomainError, match="a set of dimension 2 but received one of dimension 0"):
        section(bounded, plane_of([1, 1, 1], 3))
    for normal in ([1, 1, 1], [0, 0, 1]):
        with pytest.raises(DomainError, match="misses it") as caught:
            section(bounded, plane_of(normal, 4))
        assert caught.value.certificate is not None
    with pytest.raises(InputError, match="three numbers"):
        cut_regions(polytopes(bounded), [0, 0, 0], 1)
    with pytest.raises(InputError, match="three numbers"):
        cut_regions(polytopes(bounded), [1, 0], 1)
    with pytest.raises(InputError, match=r"slice of R\^3"):
        section(bounded, plane_of([1, 0], 1))
