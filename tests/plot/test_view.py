"""Windows, and regions and facets cut to them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from cases import load_cases

from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.plot.view import Window, cells_in, check_dim, facets_in, window_of
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import braid, gaussian, generic_arrangement, xor

PLANE = [case for case in load_cases() if case.dim == 2]


def area(polygon):
    x, y = polygon.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


@pytest.mark.parametrize("case", PLANE, ids=str)
def test_cells_fill_the_window(case):
    """Bounded or not, the polygons in a window add up to its area, and each lies in the window."""
    t = tessellate(case.network, case.domain)
    window = window_of(t)
    cells = cells_in(t, window)
    width, height = window.right - window.left, window.top - window.bottom
    assert sum(map(area, cells.polygons())) == pytest.approx(width * height)
    assert (cells.points >= window[:2]).all() and (cells.points <= window[2:]).all()
    assert (np.diff(cells.regions) > 0).all()
    if case.expected["bounded_cells"] == t.n_regions:
        assert len(cells.regions) == t.n_regions


@pytest.mark.parametrize(
    "window", [(-1, -1, 1, 1), (0.1, 0.2, 0.3, 0.25), (-50, -2, 70, 9), (2e3, 2e3, 2e3 + 1, 2e3 + 1)]
)
def test_cells_are_the_regions(window):
    """A point inside each cell is in its region, wherever the window is."""
    t = tessellate(gaussian([2, 6, 6, 1]))
    cells = cells_in(t, Window(*window))
    points = [shapely.Polygon(polygon).representative_point() for polygon in cells.polygons()]
    patterns = [t.network.exact.pattern_at([point.x, point.y]) for point in points]
    assert [t.pattern(region) for region in cells.regions.tolist()] == patterns
    assert sum(map(area, cells.polygons())) == pytest.approx((window[2] - window[0]) * (window[3] - window[1]))


def test_a_window_beside_the_domain_is_empty():
    t = tessellate(xor(), Domain.unit(2))
    assert len(cells_in(t, Window(2, 2, 3, 3)).regions) == 0
    assert len(facets_in(t, Window(2, 2, 3, 3))) == 0


def test_window_of_a_bounded_domain():
    assert window_of(tessellate(xor(), Domain.box([-1, 0], [2, 5]))) == (-1, 0, 2, 5)
    assert window_of(tessellate(xor(), Domain.polygon([(0, 0), (4, 0), (0, 1)]))) == (0, 0, 4, 1)


def test_window_shows_the_vertices_and_more():
    t = tessellate(generic_arrangement(2, 4))
    window = window_of(t)
    inside = t.vertices_float[t.vertex_kind == 0]
    assert (inside > window[:2]).all() and (inside < window[2:]).all()


def test_outliers_are_left_out():
    lines = [[1, 0], [1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1], [0, 1], [1, 1e-4]]
    offsets = [0, 1, 2, 3, 0, 1, 2, 3, 0.5]
    window = window_of(tessellate(Network.from_arrays([(lines, offsets), ([[1] * 9], [0])])))
    assert window.top < 50 and window.bottom > -50


@pytest.mark.parametrize("network", [braid(2), xor(), Network.from_arrays([([[1, 2]], [3])])])
def test_without_vertices_there_is_a_window(network):
    window = window_of(tessellate(network))
    assert window.left < window.right and window.bottom < window.top


def test_facets_meet_the_window():
    """Exactly those that shapely finds, the ends of half-lines far outside."""
    t = tessellate(gaussian([2, 6, 6, 1]))
    everything = facets_in(t, Window(-1e9, -1e9, 1e9, 1e9))
    for window in [(-1, -1, 1, 1), (0.1, 0.2, 0.3, 0.25), (-5, 2, 7, 9)]:
        box = shapely.box(*window)
        found = shapely.linestrings(facets_in(t, Window(*window)))
        expected = shapely.linestrings(everything)
        expected = expected[shapely.intersects(expected, box)]
        assert len(found) == len(expected)
        lengths = shapely.length(shapely.intersection(found, box))
        assert lengths.sum() == pytest.approx(shapely.length(shapely.intersection(expected, box)).sum())


def test_chosen_facets():
    t = tessellate(xor(), Domain.unit(2))
    inner = facets_in(t, window_of(t), t.inner_facets)
    assert sorted(map(sorted, inner.tolist())) == [[[0.0, 1.0], [1.0, 0.0]]]


def test_dimension():
    with pytest.raises(InputError, match=r"plot_x needs a tessellation of dimension 1 or 2 but .* of dimension 3"):
        check_dim("plot_x", tessellate(braid(3)))
