"""Faces of all dimensions: from the arrays and region by region, against known numbers, and Euler's formula."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from math import comb, isqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import domains, networks, random_networks, relu_networks

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.vertices import enumerate_vertices
from polyrelu.errors import InputError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.kernels.faces import BITS
from polyrelu.network.activation import HARD_TANH, IDENTITY, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.region.double_description import generators_of
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.faces import count_faces, count_partial_regions, euler_characteristic, faces_of, is_quick
from polyrelu.tessellation.geometry import inner_point
from polyrelu.tessellation.model import Tessellation
from polyrelu.testing import braid, coxeter, gaussian, generic_arrangement, grid, thick_zero, xor


def spaces() -> st.SearchStrategy:
    return networks((3,), 5) | relu_networks((3, 4), 6) | random_networks((3, 4), 6)


def contents(t: Tessellation) -> list[Counter]:
    """Return for each dimension what is known of the faces, but for their numbers and regions."""
    return [
        Counter((tuple(faces.neurons(i).tolist()), bool(faces.is_inner[i])) for i in range(len(faces)))
        for faces in (faces_of(t, dim) for dim in range(t.dim + 1))
    ]


@given(st.data())
@settings(max_examples=60)
def test_faces_from_arrays_are_those_of_the_regions_one_by_one(data):
    network = data.draw(spaces())
    t = tessellate(network, data.draw(domains(network.dim)))
    slow = replace(t, has_vertices=False)
    assert contents(t) == contents(slow)
    assert count_faces(t) == tuple(sum(each.values()) for each in contents(slow))
    t.check_euler()


@given(st.data())
@settings(max_examples=30)
def test_faces_have_the_points_and_neurons_that_they_name(data):
    t = tessellate(data.draw(random_networks((3,), 8)), data.draw(domains(3)))
    if not is_quick(t):
        return
    for dim in range(t.dim):
        faces = faces_of(t, dim)
        for face in range(len(faces)):
            on = faces.vertices[faces.vertex_indptr[face] : faces.vertex_indptr[face + 1]].tolist()
            point, region = inner_point(t, on), t.region(int(faces.regions[face]))
            assert region.contains(point)
            rows = [row for row in t.domain.rows if any(row[:-1]) and dot(row, (*point, 1)) == 0]
            assert bool(faces.is_inner[face]) == (not rows)
            form = region.hrep
            zeros = {n for n, row in zip(form.neuron, form.rows, strict=True) if dot(row, (*point, 1)) == 0}
            assert faces.neurons(face).tolist() == sorted(zeros)


@pytest.mark.parametrize(("dim", "n"), [(3, 5), (3, 9), (4, 7)])
def test_arrangements_in_general_position(dim, n):
    """Zaslavsky 1975: faces of dimension k are the regions that comb(n, dim - k) sections of dimension k have."""
    t = tessellate(generic_arrangement(dim, n))
    sections = [comb(n, dim - k) * sum(comb(n - dim + k, i) for i in range(k + 1)) for k in range(dim + 1)]
    assert list(t.f_vector()) == sections
    assert [t.count_partial_regions(k) for k in range(dim + 2)] == [*sections[::-1], 0]


def test_known_numbers_of_faces():
    assert count_faces(tessellate(grid(1, 1, 1))) == (1, 6, 12, 8)
    assert count_faces(tessellate(grid(2, 1, 1), Domain.box([-1] * 3, [2] * 3))) == (36, 75, 52, 12)
    assert count_faces(tessellate(grid(1, 1, 1, 1))) == (1, 8, 24, 32, 16)
    assert count_faces(tessellate(braid(4))) == (0, 1, 14, 36, 24)  # ordered partitions of 4
    assert count_faces(tessellate(coxeter("B", 3))) == (1, 26, 72, 48)
    assert count_faces(tessellate(grid(2, 0, 0))) == (0, 0, 2, 3)


def test_vanishing_neurons_are_counted():
    assert [count_partial_regions(tessellate(xor(), Domain.unit(2)), k) for k in range(3)] == [2, 1, 0]
    assert sum(count_partial_regions(tessellate(thick_zero()), k) for k in range(7)) == 17
    cross = tessellate(grid(1, 1, 1), Domain.box([0, -1, -1], [1, 1, 1]))
    assert [cross.count_partial_regions(k) for k in range(4)] == [4, 4, 1, 0]  # x = 0 is on the border
    with pytest.raises(InputError, match="Count from 0"):
        cross.count_partial_regions(-1)
    with pytest.raises(InputError, match="0 to 3"):
        cross.faces(4)


def test_a_neuron_that_vanishes_at_two_breakpoints_vanishes_on_no_edge_between():
    layer = Layer(np.array([[1.0, 0, 0]]), np.zeros(1), Activation.same(HARD_TANH, 1))
    network = Network((layer,), Layer(np.eye(1), np.zeros(1), Activation.same(IDENTITY, 1)))
    t = tessellate(network, Domain.box([-2, 0, 0], [2, 1, 1]))
    edges = t.faces(1)
    assert Counter(len(edges.neurons(i)) for i in range(len(edges))) == {0: 20, 1: 8}


def test_faces_of_many_vertices():
    """Masks of several words."""
    normals = np.random.default_rng(0).integers(-9, 10, (70, 3))
    domain = Domain.from_halfspaces(normals.tolist(), [isqrt(10_000 * int(n @ n)) for n in normals])
    t = tessellate(gaussian([3, 1, 1]), domain)
    assert np.diff(t.corner_indptr).max() > BITS
    t.check_euler()
    assert contents(t) == contents(replace(t, has_vertices=False))


@given(st.data())
@settings(max_examples=60)
def test_characteristics_of_domains(data):
    domain = data.draw(domains(data.draw(st.sampled_from([1, 2, 3, 4]))))
    shape = generators_of(domain.rows, domain.dim)
    assert euler_characteristic(domain) == (0 if shape.rays else (-1) ** len(shape.lineality))


def test_characteristics_of_large_domains_take_no_time():
    assert euler_characteristic(Domain.unit(60)) == 1
    assert euler_characteristic(Domain.from_halfspaces([[1] + [0] * 59], [1])) == 0
    assert euler_characteristic(Domain.from_halfspaces([[1, 0, 0], [-1, 0, 0]], [1, 1])) == 1
    assert euler_characteristic(Domain.all(7)) == -1


def test_a_wrong_number_of_faces_is_refused():
    t = tessellate(gaussian([3, 4, 1]), Domain.unit(3))
    t.check_euler()
    with pytest.raises(InternalError, match="alternating sum"):
        replace(t, vertex_kind=np.where(np.arange(len(t.vertex_kind)) == 0, 2, t.vertex_kind)).check_euler()
    with pytest.raises(InternalError, match="alternating sum"):
        replace(t, domain=Domain.all(3)).check_euler()


@given(st.data())
@settings(max_examples=40)
def test_volumes_add_up_in_three_and_four_dimensions(data):
    network = data.draw(random_networks((3, 4), 6) | relu_networks((3, 4), 6))
    low = Fraction(data.draw(st.integers(-3, 3)), 2)
    t = tessellate(network, Domain.box([low] * network.dim, [low + 2] * network.dim))
    areas = t.areas()
    assert sum(areas) == t.total_area() == 2**network.dim and min(areas) > 0
    for index in range(0, t.n_regions, 5):
        slow = tessellate(network, t.domain, method=enumerate_brute)
        other = slow.pattern_texts().index(t.pattern_texts()[index])
        assert slow.area(other) == replace(t, has_vertices=False).area(index) == areas[index] == t.area(index)


def test_vertices_and_brute_have_equal_f_vectors():
    for network in (gaussian([3, 5, 4, 1]), gaussian([4, 4, 3, 1])):
        for domain in (Domain.all(network.dim), Domain.unit(network.dim)):
            both = [tessellate(network, domain, method=method) for method in (enumerate_vertices, enumerate_brute)]
            assert both[0].f_vector() == both[1].f_vector()
            assert [both[0].count_partial_regions(k) for k in range(5)] == [
                both[1].count_partial_regions(k) for k in range(5)
            ]
