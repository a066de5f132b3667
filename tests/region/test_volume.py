"""Exact volumes: polytopes with known volumes, and laws that any volume obeys."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations, product
from math import comb, factorial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import bounded_domains, networks, random_networks

from polyrelu import testing
from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.errors import InputError, UnboundedError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.double_description import generators_of
from polyrelu.region.model import Region, region_of
from polyrelu.region.volume import exact_volume, polytope_volume


def volume_of(domain: Domain) -> Fraction:
    """Return the volume of a domain, as that of the one region of a network without neurons."""
    nothing = Network.from_arrays([([[0] * domain.dim], [0])])
    return exact_volume(Region(nothing, nothing.pattern(()), domain))


@pytest.mark.parametrize("dim", range(1, 7))
def test_cubes_simplices_and_cross_polytopes(dim):
    sides = [Fraction(k + 1, 3) for k in range(dim)]
    assert volume_of(Domain.box([-1] * dim, [side - 1 for side in sides])) == Fraction(factorial(dim), 3**dim)
    corner = [[-int(i == j) for j in range(dim)] for i in range(dim)]
    assert volume_of(Domain.from_halfspaces([*corner, [1] * dim], [0] * dim + [1])) == Fraction(1, factorial(dim))
    signs = list(product([-1, 1], repeat=dim))
    cross = Domain.from_halfspaces(signs, [Fraction(1, 2)] * len(signs))
    assert volume_of(cross) == Fraction(1, factorial(dim))


@pytest.mark.parametrize("dim", range(2, 7))
def test_slabs_of_the_cube_have_eulerian_volumes(dim):
    """Slab k <= sum x <= k + 1 of the unit cube has volume A(dim, k) / dim! (Laplace)."""
    cube = Domain.unit(dim)
    for k in range(dim):
        eulerian = sum((-1) ** j * comb(dim + 1, j) * (k + 1 - j) ** dim for j in range(k + 1))
        slab = Domain(dim, (*cube.rows, (*[1] * dim, -k), (*[-1] * dim, k + 1)))
        assert volume_of(slab) == Fraction(eulerian, factorial(dim))


@pytest.mark.parametrize("n", [3, 4, 5])
def test_the_permutohedron_has_one_unit_for_each_tree(n):
    """Its projection along a coordinate has volume n^(n-2) (Stanley)."""
    points = [p[:-1] for p in permutations(range(n))]
    subsets = [s for s in product([0, 1], repeat=n) if 0 < sum(s) < n]
    facets = [
        [i for i, p in enumerate(permutations(range(n))) if sum(v for v, s in zip(p, each, strict=True) if s) == least]
        for each in subsets
        for least in [sum(range(sum(each)))]
    ]
    assert polytope_volume(points, facets) == n ** (n - 2)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Network, Domain]:
    dim = draw(st.integers(1, 5))
    n = {1: 7, 2: 7, 3: 6, 4: 5, 5: 4}[dim]
    network = draw(networks((dim,), max_neurons=n) | random_networks((dim,), max_neurons=n))
    return network, draw(bounded_domains(dim))


@given(problems())
@settings(max_examples=60)
def test_regions_fill_their_domain(problem):
    network, domain = problem
    volumes = [exact_volume(region) for region in enumerate_brute(network, domain)]
    assert min(volumes) > 0
    assert sum(volumes) == volume_of(domain)


@given(st.data())
@settings(max_examples=60)
def test_affine_maps_multiply_volumes_by_their_determinant(data):
    dim = data.draw(st.integers(1, 4))
    shape = generators_of(data.draw(bounded_domains(dim)).rows, dim)
    facets = [[i for i, rows in enumerate(shape.point_rows) if row in rows] for row in range(shape.n_rows)]
    numbers = st.fractions(-3, 3, max_denominator=5)
    stretch = data.draw(st.lists(numbers, min_size=dim, max_size=dim))
    shears = data.draw(st.lists(numbers, min_size=dim, max_size=dim))
    moved = []
    for point in shape.points:
        x = [a * v + shears[0] for a, v in zip(stretch, point, strict=True)]
        for j in range(1, dim):  # each coordinate is sheared along the one before: determinant 1
            x[j] += shears[j] * x[j - 1]
        moved.append(x)
    factor = Fraction(1)
    for value in stretch:
        factor *= abs(value)
    assert polytope_volume(moved, facets) == factor * polytope_volume(shape.points, facets)


def test_lists_may_repeat_and_hold_lower_faces():
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    assert polytope_volume(square, [[0, 1], [1, 2], [2, 3], [3, 0], [1, 0], [2], []]) == 1


def test_flat_and_small_sets():
    assert polytope_volume([], []) == 0
    assert polytope_volume([(0, 0), (1, 1)], [[0], [1]]) == 0
    assert polytope_volume([(0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0)], [[0, 1], [0, 2], [1, 3], [2, 3]]) == 0
    assert polytope_volume([()], []) == 1
    assert polytope_volume([(1,), (3,)], [[0], [1]]) == 2


def test_wrong_facets_are_refused():
    tetrahedron = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    faces = [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]
    assert polytope_volume(tetrahedron, faces) == Fraction(1, 6)
    for wrong in ([], faces[:3], [[0, 1], [1, 2]]):
        with pytest.raises(InputError, match="needs the facets"):
            polytope_volume(tetrahedron, wrong)


def test_unbounded_regions_name_a_ray():
    with pytest.raises(UnboundedError, match=r"ray \(.*\) \(pattern '1'\)"):
        exact_volume(region_of(testing.braid(2), Pattern.parse("1"), Domain.from_halfspaces([[1, 0]], [1])))
