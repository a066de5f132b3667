"""Regions as shapely polygons and as a graph."""

from __future__ import annotations

import pytest
import shapely

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.errors import DomainError, UnboundedError
from polyrelu.exact.domain import Domain
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import braid, gaussian, grid, telgarsky, thick_zero, xor


@pytest.mark.parametrize("method", [None, enumerate_brute])
@pytest.mark.parametrize("network", [thick_zero(), xor(), grid(3, 4), gaussian([2, 5, 5, 1])])
def test_polygons_fill_the_window(network, method):
    polygons = tessellate(network, method=method).to_shapely(window=(-8, -4, 8, 4))
    assert sum(polygon.area for polygon in polygons) == pytest.approx(128)
    assert shapely.union_all(polygons).area == pytest.approx(128)


def test_polygons_have_the_regions_areas():
    t = tessellate(gaussian([2, 16, 16, 1]), Domain.box([-1, -1], [1, 1]))
    polygons = t.to_shapely()
    assert [p.area for p in polygons] == pytest.approx([float(area) for area in t.areas()])
    assert all(p.exterior.is_ccw for p in polygons)


def test_other_dimensions_and_unbounded_regions_are_refused():
    with pytest.raises(DomainError, match="1-dimensional"):
        tessellate(telgarsky(1)).to_shapely()
    with pytest.raises(UnboundedError, match="Pass a window"):
        tessellate(grid(2, 2)).to_shapely()


def test_the_graph_is_the_adjacency():
    t = tessellate(braid(3))
    graph, matrix = t.to_networkx(), t.adjacency
    assert sorted(map(sorted, graph.edges)) == sorted(map(sorted, t.adjacent_pairs.tolist()))
    assert (matrix != matrix.T).nnz == 0 and matrix.sum() == 2 * graph.number_of_edges() == 12
    for a, b, data in graph.edges(data=True):
        left, right = graph.nodes[a]["pattern"].digits, graph.nodes[b]["pattern"].digits
        assert data["neurons"] == tuple(i for i, (x, y) in enumerate(zip(left, right, strict=True)) if x != y)
    assert all(t.region(i).contains(data["witness"]) for i, data in graph.nodes(data=True))
    assert {data["area"] for _, data in graph.nodes(data=True)} == {None}


def test_one_region_has_no_neighbours():
    t = tessellate(xor(), Domain.box([2, 2], [3, 3]))
    assert t.adjacency.shape == (1, 1) and t.adjacency.nnz == 0
    assert t.to_networkx().nodes[0]["area"] == 1
