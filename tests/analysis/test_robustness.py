"""Distances to the nearest change of class: known answers, a slow second opinion, and refusal of changed evidence."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import domains, flat_domains, networks, random_networks, rationals, sliced_networks

from polyrelu.analysis.robustness import decide_robustness
from polyrelu.certificate.answer_rows import LayerForms
from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import primitive_row
from polyrelu.network.activation import IDENTITY, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.hull import decide_domain
from polyrelu.region.lp import Witness, find_point
from polyrelu.region.model import Region
from polyrelu.region.nearest import nearest_point

NORMS = (1, 2, math.inf)


def slow_squared_distance(network: Network, point, label: int, norm: float, domain: Domain) -> Fraction | None:
    """Return the squared distance by trying all regions, each as a polyhedron with the row of another class."""
    hull = decide_domain(domain)
    cut = network if hull.hull is None else network.restrict(hull.hull)
    best = None
    for pattern in patterns_of(cut, hull.inner):
        forms, left = LayerForms.of(network), list(pattern.digits)
        while not forms.is_output:
            digits, left = left[: len(forms.units)], left[len(forms.units) :]
            forms = forms.behind(digits)
        for other in range(network.n_out):
            if other == label:
                continue
            with_goal = Domain(network.dim, (*domain.rows, forms.difference(other, label)))
            region = Region(network, pattern, with_goal)
            if not isinstance(find_point(region.rows, [False] * len(region.rows), network.dim), Witness):
                continue
            square = nearest_point(region, point, norm).squared_distance
            best = square if best is None else min(best, square)
    return best


def patterns_of(network: Network, domain: Domain) -> list[Pattern]:
    if network.dim == 0:
        return [network.exact.pattern_at([])]
    return [region.pattern for region in enumerate_brute(network, domain)]


@st.composite
def questions(draw, dims=(1, 2), flat=False):
    """Draw a classifier, a domain, a point of it and a norm."""
    network = draw(networks(dims, 5) | random_networks(dims, 6) | sliced_networks(dims, 5))
    n_in, n_out = network.output.n_inputs, draw(st.integers(2, 3))
    numbers = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
    weight = np.array(draw(st.lists(numbers, min_size=n_in * n_out, max_size=n_in * n_out))).reshape(n_out, n_in)
    bias = np.array(draw(st.lists(numbers, min_size=n_out, max_size=n_out)))
    network = replace(network, output=Layer(weight, bias, Activation.same(IDENTITY, n_out)))
    domain = draw(flat_domains(network.dim) if flat else domains(network.dim))
    start = tuple(draw(st.lists(rationals(), min_size=network.dim, max_size=network.dim)))
    if not domain.contains(start):
        rows = tuple(primitive_row(row) for row in domain.rows)
        affine = Network.from_arrays([(np.zeros((1, network.dim)), [0])])
        start = nearest_point(Region(affine, Pattern(()), Domain(network.dim, rows)), start, 2).point
    return network, start, draw(st.sampled_from(NORMS)), domain


def assert_agrees(question) -> None:
    network, point, norm, domain = question
    verdict = decide_robustness(network, point, None, norm, domain)
    verdict.evidence.check()
    value = verdict.value
    slow = slow_squared_distance(network, point, value.label, norm, domain)
    assert value.squared_distance == slow == value.squared_bound
    assert verdict.holds == (slow is None)
    if slow is None:
        return
    radius = Fraction(math.isqrt(int(slow * 10**6)), 1000)
    for r in (radius, radius + Fraction(1, 999), value.distance):
        if r is not None:
            inside = decide_robustness(network, point, r, norm, domain)
            inside.evidence.check()
            assert inside.holds == (r * r < slow)


@settings(max_examples=120, deadline=None)
@given(questions())
def test_all_regions_agree(question):
    assert_agrees(question)


@settings(max_examples=40, deadline=None)
@given(questions((3, 4)))
def test_all_regions_agree_in_more_dimensions(question):
    assert_agrees(question)


@settings(max_examples=60, deadline=None)
@given(questions((1, 2, 3), flat=True))
def test_all_regions_agree_on_flat_domains(question):
    assert_agrees(question)
