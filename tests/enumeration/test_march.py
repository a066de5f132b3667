"""Marching across facets: regions, neighbours and distances of small networks, budgets, networks with many inputs."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import text
from strategies import domains, networks, random_networks, relu_networks

from polyrelu.enumeration.across import digits_across
from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.march import enumerate_march
from polyrelu.enumeration.region_finder import find_region
from polyrelu.errors import BudgetError, DomainError, EmptyRegionError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.model import region_at, region_of
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import adjacency_counterexample, braid, gaussian


@st.composite
def problems(draw: st.DrawFn) -> tuple[Network, Domain]:
    """Draw a network with 1 to 4 inputs and a full-dimensional domain."""
    kinds = networks((1, 2, 3), 6) | relu_networks((1, 2, 3, 4), 6) | random_networks((2, 3, 4), 6)
    network = draw(kinds)
    return network, draw(domains(network.dim))


@given(problems())
@settings(max_examples=100)
def test_a_march_finds_all_regions_of_a_domain_and_their_walking_distances(problem):
    network, domain = problem
    regions = enumerate_brute(network, domain)
    found = enumerate_march(network, domain)
    patterns = [text(digits) for digits in network.layout.unpack(found.words).tolist()]
    assert sorted(patterns) == sorted(text(region.pattern.digits) for region in regions)
    assert found.is_complete
    neighbours = {text(r.pattern.digits): [text(p.digits) for _, p in r.neighbours] for r in regions}
    distances = {patterns[0]: 0}
    waiting = deque(patterns[:1])
    while waiting:
        pattern = waiting.popleft()
        for other in neighbours[pattern]:
            if other not in distances:
                distances[other] = distances[pattern] + 1
                waiting.append(other)
    assert dict(zip(patterns, found.distances.tolist(), strict=True)) == distances


@given(problems())
@settings(max_examples=60)
def test_the_region_at_a_point_has_the_facets_and_neighbours_that_rationals_give(problem):
    network, domain = problem
    for region in enumerate_brute(network, domain)[:5]:
        found = find_region(network, region.pattern, domain)
        expected = {(f.neurons, None) for f in region.facets if f.domain_rows}
        expected |= {(facet.neurons, pattern) for facet, pattern in region.neighbours}
        assert {(facet.neurons, facet.neighbour) for facet in found.facets} == expected
        assert len(found.facets) == len(region.facets)
        assert found.is_bounded == region.is_bounded
        assert find_region(network, region.witness, domain).pattern == region.pattern


@given(problems())
@settings(max_examples=60)
def test_digits_across_a_facet_follow_from_exact_forms(problem):
    """For ReLUs: all neurons that vanish on the facet, and on the region, border on both digits."""
    network, domain = problem
    if not all(layer.activation.is_relu for layer in network.hidden):
        return
    for region in enumerate_brute(network, domain)[:8]:
        digits = [layer.tolist() for layer in network.unit_digits(region.pattern)]
        for facet, pattern in region.neighbours:
            places = [network.neurons[n].tolist() for n in (*facet.neurons, *region.zero_neurons)]
            found = digits_across(network, digits, [(layer, unit, 0, 1) for layer, unit in places])
            assert found == [layer.tolist() for layer in network.unit_digits(pattern)]


def test_a_march_that_may_not_go_far_says_that_it_is_incomplete():
    network, box = gaussian([3, 8, 8, 1]), Domain.box([-1] * 3, [1] * 3)
    everything = enumerate_march(network, box)
    near = enumerate_march(network, box, max_distance=2)
    assert not near.is_complete and near.n_regions == int((everything.distances <= 2).sum())
    assert near.distances.tolist() == everything.distances[: near.n_regions].tolist()
    far = enumerate_march(network, box, max_distance=int(everything.distances.max()))
    assert far.is_complete and far.n_regions == everything.n_regions


def test_a_budget_keeps_what_was_proved():
    network, box = gaussian([5, *[50] * 6, 1]), Domain.box([-1] * 5, [1] * 5)
    with pytest.raises(BudgetError) as caught:
        enumerate_march(network, box, max_regions=300)
    partial = caught.value.partial
    assert partial.n_regions > 300 and not partial.is_complete
    assert len(np.unique(partial.words, axis=0)) == partial.n_regions == len(partial.distances)


def test_many_inputs_and_few_neurons():
    network = gaussian([784, 16, 16, 3])
    region = find_region(network, [0.1] * 784)
    assert region.pattern == network.exact.pattern_at([0.1] * 784)
    assert network.exact.pattern_at(region.witness.tolist()) == region.pattern
    assert not region.is_bounded
    for facet in region.facets:
        [neuron] = facet.neurons
        differing = np.flatnonzero(np.array(region.pattern.digits) != facet.neighbour.digits)
        assert differing.tolist() == [neuron]
        assert network.exact.pattern_at(find_region(network, facet.neighbour).witness.tolist()) == facet.neighbour


def test_few_inputs_the_same_by_rationals():
    network = gaussian([12, 4, 4, 1])
    region = region_at(network, [0] * 12)
    found = find_region(network, [0] * 12)
    assert {(f.neurons, f.neighbour) for f in found.facets} == {(f.neurons, p) for f, p in region.neighbours}


def test_regions_with_lines_are_found_in_fewer_coordinates():
    t = tessellate(braid(5), method=enumerate_march)
    assert t.n_regions == 120 and len(t.adjacent_pairs) == 240


def test_a_pattern_that_no_input_has_is_refused():
    with pytest.raises(EmptyRegionError, match="00"):
        find_region(adjacency_counterexample(), Pattern.parse("00|0"))
    assert region_of(adjacency_counterexample(), Pattern.parse("11|0")).is_bounded


def test_a_point_outside_the_domain_is_refused():
    with pytest.raises(DomainError, match="point of the domain"):
        enumerate_march(gaussian([3, 4, 1]), Domain.box([0] * 3, [1] * 3), start=[2, 0, 0])
