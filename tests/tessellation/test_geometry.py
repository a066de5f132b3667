"""Exact coordinates, areas and witnesses, and Euler's formula."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import bounded_domains, domains, networks, random_networks, sliced_networks

from polyrelu.errors import InputError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.faces import count_faces, euler_characteristic
from polyrelu.tessellation.geometry import exact_corners, exact_facet, facet_point
from polyrelu.tessellation.marks import AT_INFINITY
from polyrelu.testing import braid, gaussian, generic_arrangement, grid, thick_zero, xor


@given(st.data())
@settings(max_examples=100)
def test_witnesses_are_strictly_inside(data):
    network = data.draw(networks((1, 2, 3), max_neurons=5) | random_networks((1, 2)) | sliced_networks())
    t = tessellate(network, data.draw(domains(network.dim)))
    assert t.witnesses_float.shape == (t.n_regions, t.dim)
    for index in range(t.n_regions):
        rows = [row for row in t.region(index).rows if any(row[:-1])]
        assert min((dot(row, (*t.witness(index), 1)) for row in rows), default=1) > 0
    assert t.locate([t.witness(i) for i in range(t.n_regions)]).tolist() == list(range(t.n_regions))


@given(st.data())
def test_areas_add_up(data):
    network = data.draw(networks((1, 2, 3), max_neurons=5) | random_networks((2,), max_neurons=12))
    domain = data.draw(bounded_domains(network.dim))
    t = tessellate(network, domain)
    areas = t.areas()
    assert sum(areas) == t.total_area() == t.domain_area()
    assert min(areas) > 0
    assert t.area(0) == areas[0]


def test_vertices_one_by_one_are_the_vertices_all_together():
    t = tessellate(gaussian([2, 10, 10, 1]), Domain.all(2))
    alone = [t.vertex_exact(v) for v in range(len(t.vertex_kind))]
    assert alone == t.vertices_exact()
    assert t.vertex_exact(3) == alone[3]
    for v, point in enumerate(alone):
        if t.vertex_kind[v] == AT_INFINITY:
            assert max(map(abs, point)) == 1
            continue
        form = t.region(int(t.vertex_region[v])).hrep
        zeros = [n for n, row in zip(form.neuron, form.rows, strict=True) if dot(row, (*point, 1)) == 0]
        assert zeros == t.vertex_neurons(v).tolist()


def test_numbers_of_regions_count_from_either_end():
    t = tessellate(grid(1, 1), Domain.box([-1, -2], [1, 2]))
    assert t.area(-1) == t.area(3) == 2
    assert t.vertex_neurons(-1).tolist() == t.vertex_neurons(8).tolist()
    assert t.facet_neurons(-1).tolist() == t.facet_neurons(11).tolist()
    for call, number in ((t.area, 4), (t.vertex_neurons, 9), (t.facet_neurons, 12), (t.vertex_exact, -10)):
        with pytest.raises(InputError, match=f"but received {number}"):
            call(number)


def test_unbounded_regions_have_no_area():
    t = tessellate(grid(2, 2))
    assert [area for area in t.areas() if area is not None] == [1]
    assert (t.area(int(np.flatnonzero(~t.bounded)[0])), t.total_area(), t.domain_area()) == (None, None, None)


def test_volumes_in_space():
    t = tessellate(grid(2, 2, 1), Domain.box([-1, -1, -1], [2, 2, 3]))
    assert sorted(t.areas()) == [1] * 9 + [3] * 9
    tetrahedron = Domain.from_halfspaces([[-1, 0, 0], [0, -1, 0], [0, 0, -1], [1, 1, 1]], [0, 0, 0, 1])
    assert tessellate(generic_arrangement(3, 3), tetrahedron).total_area() == Fraction(1, 6)


def test_faces_are_counted():
    assert count_faces(tessellate(thick_zero())) == (1, 8, 8)
    assert count_faces(tessellate(xor(), Domain.unit(2))) == (4, 5, 2)
    assert count_faces(tessellate(grid(2))) == (2, 3)
    assert count_faces(tessellate(braid(3))) == (0, 1, 6, 6)
    assert euler_characteristic(Domain.from_halfspaces([[1, 0, 0], [-1, 0, 0]], [1, 1])) == 1


def test_a_wrong_number_of_faces_is_refused():
    t = tessellate(xor(), Domain.unit(2))
    t.check_euler()
    with pytest.raises(InternalError, match="alternating sum"):
        replace(t, vertex_kind=np.where(np.arange(len(t.vertex_kind)) == 0, 2, t.vertex_kind)).check_euler()


def test_points_of_facets():
    for t in (tessellate(thick_zero()), tessellate(xor()), tessellate(grid(3))):
        for facet in range(t.n_facets):
            point = facet_point(t, facet)
            for region in t.facet_regions[facet].tolist():
                assert t.region(region).contains(point)
            form = t.region(int(t.facet_regions[facet, 0])).hrep
            zeros = {n for n, row in zip(form.neuron, form.rows, strict=True) if dot(row, (*point, 1)) == 0}
            assert zeros == set(t.facet_neurons(facet).tolist())


@given(st.data())
@settings(max_examples=60)
def test_rows_of_facets_are_those_of_their_regions(data):
    network = data.draw(networks((1, 2, 3), max_neurons=5))
    t = tessellate(network, data.draw(domains(network.dim)))
    for facet, (region, other) in enumerate(t.facet_regions.tolist()):
        exact = exact_facet(t, facet)
        across = {each.row: pattern for each, pattern in t.region(region).neighbours}
        assert across.get(exact.row) == (None if other == -1 else t.pattern(other))
        assert sorted({*exact.neurons, *t.zero_neurons(region)}) == t.facet_neurons(facet).tolist()
        corners = exact_corners(t, t.facet_vertices[t.facet_indptr[facet] : t.facet_indptr[facet + 1]])
        for point, direction in corners:
            assert sum(a * b for a, b in zip(exact.row, (*point, 1), strict=True)) == 0
            assert direction is None or sum(a * b for a, b in zip(exact.row, direction, strict=False)) == 0
