"""Determinants of homogeneous points, against fractions."""

from __future__ import annotations

from fractions import Fraction

import flint
from hypothesis import given
from hypothesis import strategies as st
from strategies import rationals

from polyrelu.exact.rational import to_fraction
from polyrelu.tessellation.homogeneous import determinant, homogeneous, plane_through, value_at

POINTS = st.lists(rationals(), min_size=3, max_size=3)


def rows_of(points):
    return homogeneous([(tuple(flint.fmpq(x.numerator, x.denominator) for x in point), None) for point in points])


def volume(p, q, r, s):
    """Return the determinant of the edges of a tetrahedron from its first corner."""
    a, b, c = ([y - x for x, y in zip(p, other, strict=True)] for other in (q, r, s))
    return sum(a[i] * (b[i - 2] * c[i - 1] - b[i - 1] * c[i - 2]) for i in range(3))


@given(st.lists(POINTS, min_size=4, max_size=4))
def test_points_and_planes(points):
    rows = rows_of(points)
    for point, (x, y, z, w) in zip(points, rows, strict=True):
        assert w > 0 and [Fraction(int(v), int(w)) for v in (x, y, z)] == point
    p, q, r, s = rows
    weight = int(p[3] * q[3] * r[3])
    assert Fraction(int(determinant(p, q, r)), weight) == volume((0, 0, 0), *points[:3])
    plane = plane_through(p, q, r)
    assert [value_at(plane, point) for point in (p, q, r)] == [0, 0, 0]
    exact = volume(*points)
    value = to_fraction(value_at(plane, s))
    assert (value > 0) - (value < 0) == (exact > 0) - (exact < 0)


def test_directions():
    up = (flint.fmpq(0), flint.fmpq(0), flint.fmpq(1, 2))
    [row] = homogeneous([((flint.fmpq(5), flint.fmpq(5), flint.fmpq(5)), up)])
    assert row == (0, 0, 1, 0)
    floor = plane_through(*rows_of([[Fraction(x), Fraction(y), Fraction(0)] for x, y in ((0, 0), (1, 0), (0, 1))]))
    assert value_at(floor, row) > 0
