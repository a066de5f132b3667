"""What statements about all inputs stand on: the right network, the right domain, all regions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from second_opinion import first_regions
from strategies import domains, flat_domains, networks

from polyrelu.analysis.ground import find_ground
from polyrelu.errors import CertificateError, DomainError
from polyrelu.exact.domain import Domain
from polyrelu.testing import gaussian, thick_zero, xor


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_ground_checks_and_leads_back_to_the_domain(data):
    network = data.draw(networks((1, 2, 3), max_neurons=5))
    domain = data.draw(domains(network.dim) | flat_domains(network.dim))
    ground = find_ground(network, domain)
    ground.check()
    t = ground.tessellation
    for region in range(t.n_regions):
        point = t.witness(region)
        assert domain.contains(ground.to_input(point)) and ground.to_inner(ground.to_input(point)) == point
        assert network.exact(ground.to_input(point)) == t.network.exact(point)


def test_another_network_or_domain_is_refused():
    ground = find_ground(xor(), Domain.unit(2))
    for wrong in (
        replace(ground, network=thick_zero()),
        replace(ground, domain=Domain.box([0, 0], [1, 2])),
        replace(ground, domain=Domain.all(2)),
        replace(ground, domain=Domain.unit(3)),
        replace(ground, tessellation=replace(ground.tessellation, is_complete=False)),
        replace(ground, tessellation=find_ground(xor(), Domain.all(2)).tessellation),
    ):
        with pytest.raises(CertificateError, match="Evidence needs"):
            wrong.check()


def test_a_hull_that_the_rows_do_not_force_is_refused():
    flat = Domain.box([0, 1], [1, 1])
    ground = find_ground(xor(), flat)
    assert ground.flatness == (0, 0, 2, 2)
    wrong_slice = find_ground(xor(), Domain.box([0, 0], [1, 0])).tessellation
    for wrong in (
        replace(ground, flatness=(Fraction(0),) * 4),
        replace(ground, flatness=(Fraction(0), Fraction(0), Fraction(2), Fraction(3))),
        replace(ground, flatness=(Fraction(0), Fraction(0), Fraction(-1), Fraction(-1))),
        replace(ground, flatness=ground.flatness[:-1]),
        replace(ground, domain=Domain.unit(2)),
        replace(ground, tessellation=wrong_slice),
    ):
        with pytest.raises(CertificateError):
            wrong.check()


def test_a_hull_of_another_domain_is_refused():
    diagonal = find_ground(xor(), Domain.from_halfspaces([[1, -1], [-1, 1]], [0, 0]))
    diagonal.check()
    space = find_ground(gaussian([3, 2, 1]), Domain.box([0, 0, 0], [0, 1, 1])).tessellation
    for wrong in (
        replace(diagonal, domain=Domain.all(2), flatness=()),
        replace(diagonal, tessellation=replace(diagonal.tessellation, hull=space.hull)),
    ):
        with pytest.raises(CertificateError):
            wrong.check()


def test_a_budget_leaves_what_was_found():
    ground = find_ground(gaussian([2, 4, 4, 1]), Domain.box([-1, -1], [1, 1]), max_regions=5, method=first_regions)
    assert ground.tessellation.n_regions and not ground.tessellation.is_complete
    with pytest.raises(CertificateError, match="complete"):
        ground.check()


def test_an_empty_domain_is_refused():
    with pytest.raises(DomainError, match="non-empty"):
        find_ground(xor(), Domain.from_halfspaces([[1, 0], [-1, 0]], [0, -1]))
