"""The slow reference enumeration against the reference of the cases and against the oracle."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from cases import hash_lines, hash_pairs, load_case, load_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import find_regions
from strategies import domains, networks

from polyrelu.enumeration import brute
from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.errors import DomainError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.activation import ABS, IDENTITY, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.region.hull import decide_domain
from polyrelu.testing import braid

SMALL = [case for case in load_cases() if case.network.n_neurons <= 16]
GLUED = ("dup_lines_2d", "hamming_1d", "kpartial_1d", "pencil_3d", "rint_4_5_4_1_s18@box", "zerobias_2_5_5_1_s1")


def text(pattern):
    return "".join(map(str, pattern.digits))


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_patterns_of_the_reference(case):
    regions = enumerate_brute(case.network, case.domain)
    assert len(regions) == case.expected["cells"]
    patterns = [text(region.pattern) for region in regions]
    if "code_set_sha256" in case.expected:
        assert hash_lines(patterns) == case.expected["code_set_sha256"]
    assert patterns == sorted(set(patterns))


@pytest.mark.parametrize("name", GLUED)
def test_how_regions_meet_in_the_reference(name):
    case = load_case(name)
    regions = enumerate_brute(case.network, case.domain)
    pairs = {tuple(sorted((text(r.pattern), text(p)))) for r in regions for _, p in r.neighbours}
    assert len(pairs) == case.expected["adjacency_edges"]
    assert hash_pairs(pairs) == case.expected["edge_set_sha256"]
    assert sum(region.is_bounded for region in regions) == case.expected["bounded_cells"]
    assert len({region.affine_map for region in regions}) == case.expected["distinct_affine_maps"]
    assert sum(not region.zero_neurons for region in regions) == case.expected.get("strict_regions", len(regions))
    points = {face.relative_interior_point(r.generators) for r in regions for face in r.faces}
    if "codes_total_003" in case.expected:
        assert len({case.network.exact.pattern_at(p) for p in points}) == case.expected["codes_total_003"]
    if "vertices" in case.expected:
        assert len({vertex for region in regions for vertex in region.vertices}) == case.expected["vertices"]


@given(networks(dims=(1, 2), max_neurons=5), st.data())
@settings(max_examples=60)
def test_agrees_with_the_oracle(network, data):
    domain = data.draw(domains(network.dim))
    there = find_regions(network, domain.rows)
    here = enumerate_brute(network, domain)
    assert sorted(text(region.pattern) for region in here) == sorted(there.patterns)
    index = {pattern: i for i, pattern in enumerate(there.patterns)}
    corners = {vertex for region in here for vertex in region.vertices}
    if not any(region.lineality for region in here):
        assert corners == {tuple(p) for p in there.vertices}
    assert {
        tuple(sorted((index[text(r.pattern)], index[text(p)]))) for r in here for _, p in r.neighbours
    } == there.adjacent


def test_flat_domains_are_enumerated_in_their_hull():
    square = Network.from_arrays([(np.eye(2), [0, 0]), ([[1, 1]], [0])])
    diagonal = Domain.from_halfspaces([[1, -1], [-1, 1], [1, 0], [-1, 0]], [0, 0, 1, 1])
    regions = enumerate_brute(square, diagonal)
    assert [str(region.pattern) for region in regions] == ["00", "11"]
    assert [region.vertices for region in regions] == [((-1,), (0,)), ((0,), (1,))]
    assert regions[1].affine_map.matrix == ((2,),)
    assert regions[0].network.input_map == decide_domain(diagonal).hull.matrix


def test_max_units_and_three_breakpoints():
    pool = Layer(np.array([[1.0], [-1.0], [0.0], [1.0]]), np.array([0, 0, 1.0, 0]), Activation.max_units([3, 1]))
    last = Layer(np.array([[1.0, 0], [0, 1.0]]), np.zeros(2), Activation.of([ABS, IDENTITY]))
    network = Network((pool, last), Layer(np.ones((1, 2)), np.zeros(1), Activation.same(IDENTITY, 1)))
    # max(x, -x, 1): the pool wins by input; its value is at least 1, so that abs is on its upper piece.
    regions = enumerate_brute(network)
    assert [str(region.pattern) for region in regions] == ["0|1", "1|1", "2|1"]
    assert [region.vertices for region in regions] == [((1,),), ((-1,),), ((-1,), (1,))]


def test_no_neuron_and_constant_neurons():
    affine = Network.from_arrays([([[1, 2]], [3])])
    (whole,) = enumerate_brute(affine, Domain.unit(2))
    assert len(whole.vertices) == 4
    constant = Network.from_arrays([([[0], [0], [0]], [-1, 0, 1]), ([[1, 1, 1]], [0])])
    assert [str(region.pattern) for region in enumerate_brute(constant)] == ["001"]


def test_witnesses_of_the_braid_arrangement():
    regions = enumerate_brute(braid(4))
    assert len(regions) == 24
    assert len({tuple(sorted(range(4), key=lambda i: region.witness[i])) for region in regions}) == 24
    assert all(type(x) is Fraction for region in regions for x in region.witness)


def test_refusals():
    network = braid(4)
    with pytest.raises(InputError, match="at most 5 neurons but received one of 6"):
        enumerate_brute(network, max_neurons=5)
    with pytest.raises(DomainError, match="4 inputs"):
        enumerate_brute(network, Domain.unit(2))
    with pytest.raises(DomainError, match="holds no point"):
        enumerate_brute(network, Domain.from_halfspaces([[0, 0, 0, 0]], [-1]))


def test_a_point_has_the_pattern_at_it():
    [region] = enumerate_brute(braid(4), Domain.box([1, 2, 3, 3], [1, 2, 3, 3]))
    assert region.pattern == braid(4).exact.pattern_at([1, 2, 3, 3])


def test_an_interrupt_stops_it(monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(brute, "find_point", interrupt)
    with pytest.raises(KeyboardInterrupt):
        enumerate_brute(braid(3))
