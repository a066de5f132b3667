"""Lines, crossings and polygons with a symbolic far square, in rationals."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import domains

from polyrelu.enumeration.exact_plane import FAR_SQUARE, Line, crossing, far_polygon, sign_at_crossing
from polyrelu.exact.domain import Domain

NUMBERS = st.integers(-9, 9)
LINES = st.tuples(NUMBERS, NUMBERS, NUMBERS, st.just(0)).filter(lambda line: line[0] or line[1])
ALL_LINES = st.one_of(LINES, st.sampled_from(FAR_SQUARE))
LARGE = 10**9  # far beyond every number that lines of one-digit coefficients can make


def value_at(form: Line, i: Line, j: Line, large: int) -> Fraction:
    """Return a form at a crossing with a number in place of the symbol."""
    x0, x1, y0, y1, w = crossing(i, j)
    x, y = Fraction(x0 + x1 * large, w), Fraction(y0 + y1 * large, w)
    return form[0] * x + form[1] * y + form[2] + form[3] * large


@given(ALL_LINES, ALL_LINES, st.tuples(NUMBERS, NUMBERS, NUMBERS, st.just(0)))
def test_signs_are_those_of_a_large_number(i: Line, j: Line, form: Line) -> None:
    assume(i[0] * j[1] != i[1] * j[0])
    value = value_at(form, i, j, LARGE)
    assert sign_at_crossing(form, i, j) == (value > 0) - (value < 0)
    assert sign_at_crossing(i, i, j) == 0


@given(domains(2))
def test_polygons_are_their_domain(domain: Domain) -> None:
    """Every corner satisfies every row, corners turn left, and every dropped row is implied at all corners."""
    polygon = far_polygon(domain)
    assume(polygon is not None)
    n = len(polygon.edges)
    corners = [(polygon.lines[polygon.edges[i - 1]], polygon.lines[polygon.edges[i]]) for i in range(n)]
    for line in polygon.lines:
        assert all(sign_at_crossing(line, i, j) >= 0 for i, j in corners)
    for i, j in corners:
        assert i[0] * j[1] - i[1] * j[0] > 0


@pytest.mark.parametrize(
    ("rows", "n_edges"),
    [
        ([], 4),
        ([(1, 0, 0)], 4),
        ([(1, 0, 0), (0, 1, 0)], 4),
        ([(1, 1, 0)], 3),
        ([(1, -1, 0), (-1, 1, 1)], 4),
        ([(1, 0, 0), (0, 1, 0), (-1, -1, 1)], 3),
        ([(1, 0, 0), (2, 0, 0), (0, 0, 1)], 4),
    ],
    ids=["plane", "half-plane", "quadrant", "diagonal half-plane", "strip", "triangle", "redundant"],
)
def test_edges_of_polygons(rows: list[tuple[int, int, int]], n_edges: int) -> None:
    assert len(far_polygon(Domain(2, tuple(rows))).edges) == n_edges


@pytest.mark.parametrize(
    "rows",
    [
        [(1, 0, 0), (-1, 0, 0)],
        [(1, 0, -1), (-1, 0, 0)],
        [(0, 0, -1)],
        [(1, 0, 0), (0, 1, 0), (-1, -1, 0)],
        [(1, 0, 0), (0, 1, 0), (-1, -1, -1)],
    ],
    ids=["line", "parallel", "constant", "point", "empty triangle"],
)
def test_domains_without_interior(rows: list[tuple[int, int, int]]) -> None:
    assert far_polygon(Domain(2, tuple(rows))) is None


def test_a_line_beyond_any_box_still_cuts() -> None:
    """No box is large enough: here two lines meet beyond 10^30."""
    large = 10**30
    i, j = (1, large, 0, 0), (1, large + 1, -1, 0)
    assert sign_at_crossing((1, 0, large, 0), i, j) == 0
    assert sign_at_crossing((-1, 0, -large - 1, 0), i, j) == -1
    assert sign_at_crossing((1, 0, large * large, 0), i, j) == 1
