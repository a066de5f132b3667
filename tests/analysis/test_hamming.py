"""Hamming distance 1 against adjacency: pairs, proofs, walking distances, frequencies."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from cases import load_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import find_regions
from strategies import domains, networks, random_networks, relu_networks

from polyrelu.analysis.frequencies import adjacency_frequencies, integer_network
from polyrelu.analysis.hamming import hamming_adjacency, is_flip_adjacent, shortest_walk, walking_distances
from polyrelu.errors import BudgetError, CertificateError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import adjacency_counterexample, generic_arrangement, grid, thick_zero

CASES = [case for case in load_cases() if "hamming1_pairs" in case.expected and case.dim <= 4]


def test_the_counterexample_has_one_pair_apart():
    found = hamming_adjacency(adjacency_counterexample())
    [pair] = found.apart_pairs
    assert {str(pair.pattern), str(pair.other)} == {"01|1", "11|1"}
    assert pair.neuron == 0
    pair.evidence.check()
    with pytest.raises(CertificateError):
        replace(pair.evidence, multipliers=tuple(0 * y for y in pair.evidence.multipliers)).check()
    assert found.joined_pairs == ()


def test_neighbours_that_differ_in_two_neurons_have_their_facet_and_its_neurons():
    twice = Network.from_arrays([([[1], [2], [1]], [0, 0, -1]), ([[1, 1, 1]], [0])])
    found = hamming_adjacency(twice)
    [pair] = found.joined_pairs
    assert (pair.neurons, pair.point) == ((0, 1), (0,))
    pair.evidence.check()
    with pytest.raises(CertificateError):
        replace(pair.evidence, point=(1,)).check()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_counts_of_the_cases(case):
    found = hamming_adjacency(case.network, case.domain)
    counts = {"hamming1_pairs": len(found.hamming1), "hamming1_not_adjacent": len(found.apart)}
    counts |= {"adjacent_not_hamming1": len(found.joined), "adjacency_edges": len(found.adjacent)}
    assert counts == {name: case.expected[name] for name in counts}
    for pair in (*found.apart_pairs[:5], *found.joined_pairs[:5]):
        pair.evidence.check()


@given(networks(max_neurons=6) | random_networks(), st.data())
@settings(max_examples=40)
def test_pairs_and_proofs_agree_with_the_oracle(network, data):
    domain = data.draw(domains(network.dim))
    found = hamming_adjacency(network, domain)
    texts = found.tessellation.pattern_texts()
    expected = find_regions(network, domain.rows)
    names = expected.patterns

    def named(pairs, labels):
        return {frozenset((labels[i], labels[j])) for i, j in pairs}

    assert named(found.apart.tolist(), texts) == named(expected.hamming1 - expected.adjacent, names)
    assert named(found.joined.tolist(), texts) == named(expected.adjacent - expected.hamming1, names)
    for pair in (*found.apart_pairs, *found.joined_pairs):
        pair.evidence.check()
    for pair in found.joined_pairs:
        assert len(pair.neurons) > 1


@given(relu_networks())
@settings(max_examples=40)
def test_one_linear_program_decides_a_flip(network):
    found = hamming_adjacency(network)
    t = found.tessellation
    adjacent = {tuple(pair) for pair in found.adjacent.tolist()}
    for a, b in found.hamming1.tolist():
        [neuron] = found.flipped(a, b)
        assert is_flip_adjacent(network, t.pattern(a), neuron) == ((a, b) in adjacent)
        assert is_flip_adjacent(network, t.pattern(b), neuron) == ((a, b) in adjacent)


def test_a_flip_next_to_a_neuron_that_only_touches_zero():
    network = Network.from_arrays([([[1]], [0]), ([[-1]], [0]), ([[1]], [0])])
    found = hamming_adjacency(network)
    assert (len(found.hamming1), len(found.adjacent), len(found.apart)) == (1, 1, 0)
    assert all(is_flip_adjacent(network, found.tessellation.pattern(i), 0) for i in range(2))


def test_a_domain_that_misses_a_facet_parts_its_pair():
    network = adjacency_counterexample()
    assert len(hamming_adjacency(network, Domain.box([-5], [5])).apart) == 1
    assert len(hamming_adjacency(network, Domain.box(["-1/2"], [5])).apart) == 0


def test_a_box_parts_pairs_whose_facet_lies_outside():
    network = integer_network([2, 3, 2], 3, 3)
    assert len(hamming_adjacency(network).apart) == 0
    assert len(hamming_adjacency(network, Domain.box([-1, -1], [1, 1])).apart) > 0


def test_in_one_hidden_layer_walking_and_hamming_distances_are_equal():
    for network in (grid(2, 3), generic_arrangement(3, 5)):
        assert walking_distances(tessellate(network)).is_isometric


def test_walking_distances_agree_with_a_search_breadth_first():
    t = tessellate(integer_network([2, 4, 4], 3))
    graph, found = t.adjacency.toarray(), {}
    digits = t.network.layout.unpack(t.words)
    for start in range(t.n_regions):
        steps, edge = {start: 0}, [start]
        while edge:
            edge = _next(graph, steps, edge)
        for end in range(start + 1, t.n_regions):
            more = steps[end] - int((digits[start] != digits[end]).sum())
            found[more] = found.get(more, 0) + 1
    distances = walking_distances(t)
    assert distances.excess == dict(sorted(found.items()))
    a, b, walking, hamming = distances.longest
    assert walking - hamming == max(found)
    assert hamming == (digits[a] != digits[b]).sum()


def _next(graph, steps, edge):
    reached = []
    for i in edge:
        for j in np.flatnonzero(graph[i]).tolist():
            if j not in steps:
                steps[j] = steps[i] + 1
                reached.append(j)
    return reached


def test_blocks_make_no_difference(monkeypatch):
    t = tessellate(integer_network([2, 4, 4], 3))
    whole = walking_distances(t)
    monkeypatch.setattr("polyrelu.analysis.hamming.DISTANCES_AT_ONCE", 3 * t.n_regions + 1)
    assert walking_distances(t) == whole


def test_sources_are_a_sample():
    t = tessellate(integer_network([2, 3, 3], 1))
    found = walking_distances(t, [0, 2])
    assert found.n_pairs == 2 * (t.n_regions - 1)
    assert sum(walking_distances(t, range(t.n_regions)).excess.values()) == 2 * walking_distances(t).n_pairs


def test_one_region_has_no_pairs():
    constant = Network.from_arrays([([[0]], [1]), ([[1]], [0])])
    found = walking_distances(tessellate(constant))
    assert (found.n_pairs, found.excess, found.longest, found.is_isometric) == (0, {}, None, True)
    assert len(hamming_adjacency(constant).hamming1) == 0


@pytest.mark.parametrize("architecture", [(1, 5), (2, 4), (3, 4), (2, 2, 4), (3, 3, 3)])
def test_frequencies_that_are_exactly_zero(architecture):
    found = adjacency_frequencies(architecture, 8, seed=5)
    assert (found.n_violating, found.n_apart, found.n_joined) == (0, 0, 0)
    assert found.n_hamming1 > 0


@pytest.mark.parametrize(("architecture", "low", "high"), [((2, 4, 4), 20, 40), ((2, 4, 4, 4), 35, 58)])
def test_frequencies_of_the_published_size(architecture, low, high):
    found = adjacency_frequencies(architecture, 60, seed=1)
    assert low <= found.n_violating <= high
    assert (found.n_joined, found.n_apart_in_last) == (0, 0)


def test_zero_biases_join_pairs_that_differ_in_several_neurons():
    networks = [integer_network([2, 2, 2], (7, index), zero_bias=True) for index in range(10)]
    assert sum(len(hamming_adjacency(network).joined) > 0 for network in networks) > 5


def test_walks_are_shortest_and_cross_facets():
    found = hamming_adjacency(integer_network([2, 4, 4], 3))
    t = found.tessellation
    adjacent = {tuple(pair) for pair in found.adjacent.tolist()}
    distances = walking_distances(t)
    a, b, walking, _ = distances.longest
    walk = shortest_walk(t, a, b)
    assert (walk[0], walk[-1], len(walk) - 1) == (a, b, walking)
    assert all(tuple(sorted(step)) in adjacent for step in pairwise(walk))
    assert shortest_walk(t, a, a) == [a]


def test_refusals():
    t = tessellate(thick_zero())
    with pytest.raises(InputError, match="Tessellate the whole domain first"):
        hamming_adjacency(t, Domain.unit(2))
    with pytest.raises(BudgetError) as ended:
        tessellate(integer_network([2, 8, 8], 0), max_regions=10)
    with pytest.raises(InputError, match="one that ended at"):
        hamming_adjacency(ended.value.partial)
    with pytest.raises(InputError, match="no walk leads"):
        shortest_walk(replace(t, facet_regions=np.full_like(t.facet_regions, -1)), 0, 1)
    with pytest.raises(InputError, match="Count neurons from 0"):
        is_flip_adjacent(thick_zero(), t.pattern(0), 6)
    with pytest.raises(InputError, match="all positive"):
        integer_network([2], 0)
