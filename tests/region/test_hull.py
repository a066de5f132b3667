"""Domains: empty ones are refused with a proof, flat ones get their affine hull."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import domains, flat_domains

from polyrelu.errors import DomainError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot, rank
from polyrelu.region.evidence import check_infeasible
from polyrelu.region.hull import decide_domain


@given(st.integers(1, 3).flatmap(domains))
def test_full_dimensional_domains(domain):
    hull = decide_domain(domain)
    assert hull.is_full_dimensional
    assert (hull.inner, hull.equalities, hull.inner_point) == (domain, (), hull.point)
    assert all(dot(row, (*hull.point, 1)) > 0 for row in domain.rows if any(row[:-1]))


@given(st.integers(1, 3).flatmap(flat_domains), st.data())
def test_flat_domains(domain, data):
    answer = decide_domain(domain)
    assert not answer.is_full_dimensional
    assert answer.hull.dim == answer.inner.dim == domain.dim - rank([domain.rows[i][:-1] for i in answer.equalities])
    values = [dot(row, (*answer.point, 1)) for row in domain.rows]
    assert [i for i, value in enumerate(values) if value == 0] == list(answer.equalities)
    assert min(values) >= 0
    assert answer.hull.point(answer.inner_point) == answer.point
    assert all(dot(row, (*answer.inner_point, 1)) > 0 for row in answer.inner.rows)
    coordinates = [Fraction(data.draw(st.integers(-6, 6)), 2) for _ in range(answer.hull.dim)]
    assert answer.inner.contains(coordinates) == domain.contains(answer.hull.point(coordinates))


def test_equalities_that_only_a_second_look_finds():
    # x <= 0 and x >= 0 first; only on x = 0 do the other two rows pin y as well.
    rows = [([1, 0, 0], 0), ([-1, 0, 0], 0), ([3, 1, 0], 2), ([5, -1, 0], -2), ([0, 0, 1], 7)]
    answer = decide_domain(Domain.from_halfspaces(*zip(*rows, strict=True)))
    assert answer.equalities == (0, 1, 2, 3)
    assert answer.hull.point([5]) == (0, 2, 5)
    assert answer.inner.rows == ((-1, 7),)


def test_skew_plane():
    plane = Domain.from_halfspaces([[2, 3, 0], [-2, -3, 0], [-1, 0, 0]], [1, -1, 0])
    answer = decide_domain(plane)
    assert answer.hull.point([0, 4]) == (Fraction(1, 2), 0, 4)
    assert answer.inner.rows == ((-3, 0, 1),)


def test_empty_domains_are_refused_with_a_proof():
    for normals, offsets in (
        ([[1, 1], [-1, 0], [0, -1]], [-1, 0, 0]),
        ([[0, 0]], [-1]),
        ([[1, 0], [-1, 0], [0, 1]], [0, -1, 3]),
    ):
        domain = Domain.from_halfspaces(normals, offsets)
        with pytest.raises(DomainError, match="holds no point") as caught:
            decide_domain(domain)
        check_infeasible(domain.rows, [False] * len(domain.rows), caught.value.certificate)


def test_a_point_is_flat_of_dimension_zero():
    answer = decide_domain(Domain.box([1, "1/2"], [1, "1/2"]))
    assert answer.hull.dim == answer.inner.dim == 0 and answer.inner_point == ()
    assert answer.hull.point(()) == answer.point == (1, Fraction(1, 2))


def test_rows_with_zero_normal_do_not_matter():
    assert decide_domain(Domain.from_halfspaces([[0, 0], [0, 0]], [0, 3])).is_full_dimensional
