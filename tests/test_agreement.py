"""All enumerations and the oracle say the same of every network, degenerate or not."""

from __future__ import annotations

from functools import partial

import pytest
from cases import Case, load_cases
from facts import (
    edges_of_oracle,
    edges_of_tessellation,
    facts_of_oracle,
    facts_of_regions,
    facts_of_tessellation,
    fields_of_facts,
    fields_of_tessellation,
    patterns_of_faces,
    vertices_of_oracle,
    vertices_of_tessellation,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Complex, find_regions, text
from strategies import domains, flat_domains, networks, random_networks, sliced_networks

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.plane import enumerate_plane
from polyrelu.enumeration.split import enumerate_split
from polyrelu.enumeration.vertices import enumerate_vertices
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.region.hull import decide_domain
from polyrelu.tessellation.build import Method, tessellate
from polyrelu.tessellation.model import Tessellation

MAX_NEURONS = 20
CASES = [case for case in load_cases() if case.network.n_neurons <= MAX_NEURONS]


@st.composite
def problems(draw: st.DrawFn, dims: tuple[int, ...] = (1, 2)) -> tuple[Network, Domain]:
    """Draw a network and a full-dimensional domain."""
    network = draw(networks(dims) | random_networks(dims, max_neurons=6) | sliced_networks(dims))
    return network, draw(domains(network.dim))


@given(problems())
@settings(max_examples=150)
def test_brute_says_what_the_oracle_says(problem):
    network, domain = problem
    found = facts_of_oracle(find_regions(network, domain.rows))
    assert facts_of_regions(enumerate_brute(network, domain)) == found


@given(st.data())
def test_flat_domains_are_enumerated_in_their_affine_hull(data):
    network = data.draw(networks())
    domain = data.draw(flat_domains(network.dim))
    hull = decide_domain(domain)
    if hull.hull.dim == 0:
        [region], point = enumerate_brute(network, domain), tessellate(network, domain)
        assert str(region.pattern) == str(point.pattern(0)) == str(network.exact.pattern_at(hull.point))
        assert point.n_regions == point.total_area() == 1 and point.bounded.all()
        assert point.zero_neurons(0).tolist() == sorted(set(region.zero_neurons))
        point.check_euler()
        return
    found = find_regions(network.restrict(hull.hull), hull.inner.rows)
    assert facts_of_regions(enumerate_brute(network, domain)) == facts_of_oracle(found)


@given(problems())
@settings(max_examples=150)
def test_tessellations_say_what_the_oracle_says(problem):
    network, domain = problem
    found = find_regions(network, domain.rows)
    for method in (enumerate_plane, enumerate_brute):
        t = tessellate(network, domain, method=method)
        check_tessellation(t, found)


def check_tessellation(t: Tessellation, found: Complex) -> None:
    """Check everything that the oracle knows of a network with one or two inputs."""
    patterns = t.pattern_texts()
    assert facts_of_tessellation(t) == facts_of_oracle(found)
    assert vertices_of_tessellation(t) == vertices_of_oracle(found)
    assert edges_of_tessellation(t) == edges_of_oracle(found)
    assert (t.n_linear_regions, t.n_affine_maps) == (found.linear_regions, found.distinct_affine_maps)
    assert dict(zip(patterns, t.areas(), strict=True)) == {
        pattern: region.cell.size for pattern, region in zip(found.patterns, found.regions, strict=True)
    }
    assert {frozenset(patterns[i] for i in pair) for pair in t.hamming1_pairs.tolist()} == {
        frozenset(found.patterns[i] for i in pair) for pair in found.hamming1
    }
    assert t.count_hamming1_not_adjacent() == len(found.hamming1 - found.adjacent)
    assert t.count_adjacent_not_hamming1() == len(found.adjacent - found.hamming1)
    assert {text(digits) for digits in t.network.layout.unpack(t.code_space()).tolist()} == found.all_patterns
    assert t.total_area() == t.domain_area()
    t.check_euler()


@given(problems(dims=(3, 4)))
@settings(max_examples=60)
def test_tessellations_of_space_say_what_their_regions_say(problem):
    network, domain = problem
    regions = enumerate_brute(network, domain)
    t = tessellate(network, domain)
    assert t.has_vertices and facts_of_tessellation(t) == facts_of_regions(regions)
    assert t.total_area() == t.domain_area()
    assert t.f_vector() == tessellate(network, domain, method=enumerate_brute).f_vector()
    t.check_euler()


@given(problems(dims=(1, 2, 3, 4)))
@settings(max_examples=60)
def test_tessellations_without_vertices_say_what_their_regions_say(problem):
    network, domain = problem
    t = tessellate(network, domain, method=enumerate_split)
    assert not t.has_vertices
    assert facts_of_tessellation(t) == facts_of_regions(enumerate_brute(network, domain))
    assert t.total_area() == t.domain_area()
    other = tessellate(network, domain)
    assert (t.n_linear_regions, t.n_affine_maps) == (other.n_linear_regions, other.n_affine_maps)
    assert t.f_vector() == other.f_vector()
    assert (t.code_space() == other.code_space()).all()
    t.check_euler()


def methods_of(case: Case) -> list[Method]:
    """Return the enumerations that take a case."""
    by_brute = [partial(enumerate_brute, max_neurons=MAX_NEURONS)] if case.network.n_neurons <= MAX_NEURONS else []
    if case.dim <= 2:
        return [enumerate_plane, enumerate_split]
    return [*by_brute, *([enumerate_vertices] if case.dim <= 5 else []), enumerate_split]


@pytest.mark.parametrize("case", load_cases(), ids=str)
def test_tessellations_give_every_field_of_every_case(case: Case):
    for method in methods_of(case):
        fields = fields_of_tessellation(tessellate(case.network, case.domain, method=method))
        assert {name: fields[name] for name in case.expected} == case.expected, method


@pytest.mark.parametrize("case", [case for case in CASES if case.dim <= 2], ids=str)
def test_brute_says_what_the_oracle_says_of_every_case(case: Case):
    found = facts_of_oracle(find_regions(case.network, case.domain.rows))
    assert facts_of_regions(enumerate_brute(case.network, case.domain, MAX_NEURONS)) == found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_brute_gives_every_field_of_every_case(case: Case):
    regions = enumerate_brute(case.network, case.domain, MAX_NEURONS)
    fields = fields_of_facts(facts_of_regions(regions), case.domain)
    if "codes_total_003" in case.expected:
        fields["codes_total_003"] = len(patterns_of_faces(regions))
    fields["area_sha256"] = case.expected.get("area_sha256")  # the oracle's test compares areas
    assert {name: fields[name] for name in case.expected} == case.expected
