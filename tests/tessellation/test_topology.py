"""Topology of polygon meshes, against surfaces whose topology is known and against ranks of whole matrices."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyrelu.errors import InputError
from polyrelu.tessellation.topology import Topology, topology_of

TETRAHEDRON = [(0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3)]
# The projective plane with six vertices, and Möbius' torus with seven.
PROJECTIVE_PLANE = [
    (0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5), (0, 5, 1), (1, 2, 4), (2, 3, 5), (3, 4, 1), (4, 5, 2), (5, 1, 3),
]  # fmt: skip
TORUS = [face for i in range(7) for face in ((i, (i + 1) % 7, (i + 3) % 7), (i, (i + 3) % 7, (i + 2) % 7))]
MOEBIUS = [(i % 5, (i + 1) % 5, (i + 2) % 5) for i in range(5)]


def topology(polygons) -> Topology:
    return topology_of(np.cumsum([0, *map(len, polygons)]), [v for polygon in polygons for v in polygon])


def shifted(polygons, by):
    return [tuple(v + by for v in polygon) for polygon in polygons]


def glued(polygons, **same):
    """Return polygons with some vertices replaced by others."""
    names = {int(old[1:]): new for old, new in same.items()}
    return [tuple(names.get(v, v) for v in polygon) for polygon in polygons]


def rank_mod_2(rows) -> int:
    """Return the rank of a 0-1 matrix over the field of two elements, by plain elimination."""
    matrix, rank = np.array(rows, bool), 0
    for column in range(matrix.shape[1] if matrix.size else 0):
        hits = np.flatnonzero(matrix[rank:, column]) + rank
        if len(hits):
            matrix[[rank, hits[0]]] = matrix[[hits[0], rank]]
            others = np.flatnonzero(matrix[:, column])
            matrix[others[others != rank]] ^= matrix[rank]
            rank += 1
    return rank


def betti_from_ranks(polygons):
    """Return the Betti numbers from the ranks of both boundary matrices."""
    around = [list(zip(p, p[1:] + p[:1], strict=True)) for p in polygons]
    edges = sorted({tuple(sorted(edge)) for each in around for edge in each})
    vertices = sorted({v for p in polygons for v in p})
    first = [[v in edge for v in vertices] for edge in edges]
    second = [[sum(tuple(sorted(e)) == edge for e in each) % 2 for edge in edges] for each in around]
    r1, r2 = rank_mod_2(first), rank_mod_2(second)
    return len(vertices) - r1, len(edges) - r1 - r2, len(polygons) - r2


@pytest.mark.parametrize(
    ("polygons", "name", "betti", "genus", "curves"),
    [
        (TETRAHEDRON, "sphere", (1, 0, 1), 0, 0),
        (TETRAHEDRON[1:], "disk", (1, 0, 0), 0, 1),
        (TORUS, "torus", (1, 2, 1), 1, 0),
        (TORUS[1:], "torus with 1 hole", (1, 2, 0), 1, 1),
        (PROJECTIVE_PLANE, "one-sided surface", (1, 1, 1), None, 0),
        (MOEBIUS, "one-sided surface", (1, 1, 0), None, 1),
        ([(0, 1, 2, 3)], "disk", (1, 0, 0), 0, 1),
        ([(0, 1, 4, 3), (1, 2, 5, 4), (2, 0, 3, 5)], "annulus", (1, 1, 0), 0, 2),
        (TETRAHEDRON + glued(shifted(TETRAHEDRON, 10), v10=0), "branching surface", (1, 0, 2), None, 0),
        (TETRAHEDRON + glued(shifted(TETRAHEDRON, 10), v10=0, v11=1), "branching surface", (1, 0, 2), None, 0),
        ([(0, 1, 2), (0, 1, 3), (0, 1, 4)], "branching surface", (1, 0, 0), None, 1),
        ([*TETRAHEDRON, (0, 1, 4), (1, 2, 4), (2, 0, 4)], "branching surface", (1, 0, 2), None, 1),
    ],
)
def test_known_surfaces(polygons, name, betti, genus, curves):
    found = topology(polygons)
    [component] = found.components
    assert component.name == name
    assert component.betti == found.betti == betti_from_ranks(polygons) == betti
    assert component.genus == genus
    assert component.n_boundary_curves == curves
    assert component.is_closed == found.is_closed == (curves == 0)
    assert component.euler_characteristic == found.euler_characteristic == betti[0] - betti[1] + betti[2]
    assert component.is_orientable == found.is_orientable == ("one-sided" not in name)
    assert component.is_manifold == found.is_manifold == ("branching" not in name)


def test_where_a_surface_branches():
    found = topology(TETRAHEDRON + glued(shifted(TETRAHEDRON, 10), v10=0))
    assert (found.singular_vertices.tolist(), found.singular_edges.tolist()) == ([0], [])
    found = topology(TETRAHEDRON + glued(shifted(TETRAHEDRON, 10), v10=0, v11=1))
    assert (found.singular_vertices.tolist(), found.singular_edges.tolist()) == ([0, 1], [[0, 1]])
    found = topology([(7, 8, 9), (7, 8, 5)])
    assert sorted(map(tuple, found.boundary_edges.tolist())) == [(5, 7), (5, 8), (7, 9), (8, 9)]


def test_components_are_told_apart():
    found = topology([*shifted(TORUS, 20), *TETRAHEDRON, (50, 51, 52)])
    assert [component.name for component in found.components] == ["sphere", "torus", "disk"]
    assert found.labels.tolist() == [1] * 14 + [0] * 4 + [2]
    assert found.betti == (3, 2, 2)
    assert not found.is_closed


def test_orders_that_do_not_fit_are_noticed():
    assert topology(TETRAHEDRON).is_oriented and topology(TORUS).is_oriented
    turned = [TETRAHEDRON[0][::-1], *TETRAHEDRON[1:]]
    assert not topology(turned).is_oriented
    assert topology(turned).is_orientable
    assert not topology(PROJECTIVE_PLANE).is_oriented


def test_no_polygons():
    found = topology([])
    assert (found.betti, found.components, found.is_closed, found.is_manifold) == ((0, 0, 0), (), True, True)


def test_polygons_that_are_none_are_refused():
    with pytest.raises(InputError, match="received polygon 1 with vertices"):
        topology([(0, 1, 2), (3, 4)])
    with pytest.raises(InputError, match="received polygon 0 with vertices"):
        topology([(0, 1, 2, 1)])


@given(st.data())
def test_betti_numbers_are_those_of_the_matrices(data):
    """Any triangles on few vertices: most of these complexes branch everywhere."""
    triangles = st.lists(st.integers(0, 6), min_size=3, max_size=3, unique=True).map(lambda v: tuple(sorted(v)))
    polygons = data.draw(st.lists(triangles, min_size=1, max_size=25, unique=True))
    found = topology(polygons)
    assert found.betti == betti_from_ranks(polygons)
    assert sum(component.n_polygons for component in found.components) == len(polygons)


def test_many_polygons():
    n = 60
    corners = [(i * (n + 1) + j, (i + 1) * (n + 1) + j) for i, j in product(range(n), repeat=2)]
    square = [(a, b, b + 1, a + 1) for a, b in corners]
    assert topology(square).components[0].name == "disk"
    checkered = topology([polygon for k, polygon in enumerate(square) if (k // n + k) % 2 == 0])
    # No edge is shared, and two corners of the square are in no black field.
    euler = (n + 1) ** 2 - 2 - 4 * n**2 // 2 + n**2 // 2
    assert checkered.betti == (1, 1 - euler, 0)
    assert len(checkered.singular_vertices) == (n - 1) ** 2
