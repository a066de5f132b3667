"""Claims of paper 003: each is decided as expected, its evidence is accepted, and a forged one is refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from cases import load_case
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import domains, relu_networks

from polyrelu.analysis.claims.adjacency import apart_pair, generic_network, is_generic, joined_pair, sample_network
from polyrelu.analysis.claims.code_space_classes import preactivations_at, recursion_at
from polyrelu.analysis.claims.code_space_paper import CLAIMS, count_violations
from polyrelu.analysis.claims.evidence import (
    AllOf,
    Computation,
    Counterexample,
    Examined,
    Exhaustive,
    HasOutputs,
    HasPattern,
    Search,
    search,
)
from polyrelu.analysis.claims.model import Outcome, Subject
from polyrelu.analysis.codes import CodeSpace, code_space_of
from polyrelu.analysis.hamming import hamming_adjacency
from polyrelu.certificate.answers import PairNotAdjacent
from polyrelu.errors import CertificateError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.activation import HARD_TANH
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import adjacency_counterexample, gaussian, grid, thick_zero, xor

BY_ID = {claim.id: claim for claim in CLAIMS}
TRUE_OF_ALL = ("theorem-1-1", "theorem-1-2", "eq-15-16", "eq-17", "theorem-1-3", "lemma-2", "flipped", "last")


def decide(name, network, domain=None):
    verdict = BY_ID[f"003-{name}"].decide(Subject(network, domain or Domain.all(network.dim)))
    verdict.evidence.check()
    return verdict.value


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_claims_are_decided_as_expected(claim):
    verdict = claim.decide(None)
    assert verdict.value.outcome is claim.expected
    assert verdict.holds == {"true": True, "true-under": True, "false": False}.get(claim.expected.value)
    assert bool(verdict.value.hypotheses) == (claim.expected is Outcome.TRUE_UNDER)
    assert verdict.statement == claim.statement
    verdict.evidence.check()


def test_ids_are_unique_and_of_the_paper():
    assert len(BY_ID) == len(CLAIMS)
    assert all(name.startswith("003-") for name in BY_ID)


# One network ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TRUE_OF_ALL)
@pytest.mark.parametrize("network", [thick_zero(), adjacency_counterexample(), sample_network(8)], ids=("t", "a", "s"))
def test_theorems_hold_on_degenerate_networks(name, network):
    assert decide(name, network).outcome is Outcome.TRUE


@given(relu_networks(max_neurons=6), st.data())
@settings(max_examples=8)
def test_theorems_hold_in_domains(network, data):
    domain = data.draw(domains(network.dim))
    for name in (*TRUE_OF_ALL, "flip"):
        assert decide(name, network, domain).outcome is Outcome.TRUE


def test_the_adjacency_lemma_depends_on_the_network():
    assert decide("lemma-1-if", adjacency_counterexample()).outcome is Outcome.FALSE
    assert decide("lemma-1-if", xor()).outcome is Outcome.TRUE
    assert decide("lemma-1-if", adjacency_counterexample(), Domain.box(["-1/2"], [5])).outcome is Outcome.TRUE
    assert decide("lemma-1-only-if", adjacency_counterexample()).outcome is Outcome.TRUE
    assert decide("lemma-1-only-if", load_case("dup_lines_2d").network).outcome is Outcome.FALSE
    assert decide("theorem-2", grid(1, 2)).outcome is Outcome.TRUE
    assert decide("theorem-2", load_case("dup_lines_2d").network).outcome is Outcome.FALSE
    assert decide("eq-5", grid(1, 2)).outcome is Outcome.DEFINITION


def test_other_statements_depend_on_the_network():
    assert decide("eq-18", thick_zero()).outcome is Outcome.FALSE
    assert decide("eq-18", grid(1, 1)).outcome is Outcome.TRUE
    assert decide("after-eq-18", grid(1)).outcome is Outcome.FALSE
    assert decide("after-eq-18", Network.from_arrays([([[0]], [1]), ([[1]], [0])])).outcome is Outcome.TRUE
    assert decide("same-map", load_case("dead_layer_2d").network).outcome is Outcome.FALSE
    assert decide("same-map", grid(1, 1)).outcome is Outcome.TRUE
    assert decide("theorem-1-3-lattice", Network.from_arrays([([[-1], [1]], [0, -1]), ([[1, 1]], [0])])).outcome is (
        Outcome.FALSE
    )
    assert decide("zero-bias", load_case("thick_zero_2d").network).outcome is Outcome.FALSE
    assert decide("def-1", load_case("dup_lines_2d").network).description == "14 patterns, 7 of them with a region"
    assert decide("def-1-metric", thick_zero()).outcome is Outcome.TRUE


def test_true_statements_on_one_network():
    assert decide("shallow", grid(2, 2)).outcome is Outcome.TRUE
    assert decide("walk", grid(2, 2)).outcome is Outcome.TRUE
    assert decide("shallow-both", grid(2, 2)).outcome is Outcome.TRUE
    repeated, far_away = load_case("dup_lines_2d").network, Domain.box([90, 90], [91, 91])
    assert decide("shallow-both", repeated).outcome is Outcome.TRUE
    assert decide("shallow-both", repeated, far_away).outcome is Outcome.TRUE
    assert decide("walk", load_case("dup_lines_2d").network).outcome is Outcome.FALSE
    assert decide("deep-walk", adjacency_counterexample()).outcome is Outcome.TRUE
    assert decide("deep-walk", load_case("dup_lines_2d").network).outcome is Outcome.FALSE
    assert decide("narrow", load_case("rint_2_1_4_1_s12").network).outcome is Outcome.TRUE
    assert decide("narrow", adjacency_counterexample()).outcome is Outcome.FALSE
    assert decide("flip", thick_zero()).outcome is Outcome.TRUE


def test_refusals_of_subjects():
    big, square = gaussian([2, 64, 64, 1]), Domain.box([-1, -1], [1, 1])
    with pytest.raises(InputError, match="at most 3000 pairs"):
        BY_ID["003-lemma-1-only-if"].decide(Subject(big, square))
    with pytest.raises(InputError, match="at most 3000 classes"):
        BY_ID["003-theorem-1-2"].decide(Subject(big, square))
    with pytest.raises(InputError, match="1 hidden layers but received one with 2"):
        BY_ID["003-walk"].decide(Subject(thick_zero(), Domain.all(2)))
    with pytest.raises(InputError, match="needs biases of 0"):
        BY_ID["003-zero-bias"].decide(Subject(adjacency_counterexample(), Domain.all(1)))
    for name in ("eq-8", "lemma-1-open", "lemma-1-smallest", "same-code", "def-3", "frequency-2-3-3"):
        with pytest.raises(InputError, match="Leave the network out"):
            BY_ID[f"003-{name}"].decide(Subject(xor(), Domain.all(2)))
    bent = Network.from_arrays([([[1]], [0]), ([[1]], [0])], HARD_TANH)
    with pytest.raises(InputError):
        BY_ID["003-eq-17"].decide(Subject(bent, Domain.all(1)))


# Evidence -------------------------------------------------------------------------------------------------------


def test_a_pair_that_is_apart_comes_with_points_and_a_certificate():
    found = apart_pair(adjacency_counterexample())
    assert isinstance(found.facts[-1], PairNotAdjacent)
    found.check()
    with pytest.raises(CertificateError):
        replace(found, points=found.points[::-1]).check()
    with pytest.raises(CertificateError):
        replace(found, network=xor()).check()
    with pytest.raises(CertificateError, match="a fact"):
        replace(found, facts=()).check()
    with pytest.raises(CertificateError, match="a pattern for each point"):
        replace(found, patterns=found.patterns[:1]).check()


def test_pairs_that_do_not_exist():
    assert apart_pair(grid(1, 2)) is None
    assert joined_pair(grid(1, 2)) is None


def test_small_facts_are_checked():
    half = (Fraction(1, 2), Fraction(0))
    HasOutputs(xor(), half, (Fraction(1, 2),)).check()
    with pytest.raises(CertificateError, match="outputs"):
        HasOutputs(xor(), half, (Fraction(1),)).check()
    HasPattern(xor(), half, Pattern.parse("10"), Domain.unit(2)).check()
    with pytest.raises(CertificateError, match="a point with the pattern 10"):
        HasPattern(xor(), half, Pattern.parse("10"), Domain.box([1, 0], [2, 1])).check()
    with pytest.raises(CertificateError, match="dimension"):
        HasPattern(xor(), half[:1], Pattern.parse("10")).check()
    fact = Computation("a sum", sum, ((1, 2),), 3)
    fact.check()
    with pytest.raises(CertificateError, match="a sum"):
        replace(fact, value=4).check()
    with pytest.raises(CertificateError, match="a sum"):
        AllOf((fact, replace(fact, value=4))).check()
    with pytest.raises(CertificateError, match="a part"):
        AllOf(()).check()
    with pytest.raises(CertificateError, match="each case"):
        Exhaustive("sums", 2, (fact,)).check()
    with pytest.raises(CertificateError, match="a sum"):
        Exhaustive("sums", 1, (replace(fact, value=4),)).check()


def test_a_search_is_repeated():
    def examine(seed):
        return Examined(seed + 1, Computation("seven", int, ("7",), 7) if seed == 7 else None)

    found = search("below seven", examine, range(7), sample=7)
    assert isinstance(found, Search)
    assert (found.n_networks, sum(found.n_cases)) == (7, 28)
    found.check()
    assert isinstance(search("all", examine, range(10)), Computation)
    with pytest.raises(CertificateError, match="as many cases"):
        replace(found, n_cases=(1,) * 7).check()
    with pytest.raises(CertificateError, match="without counterexample"):
        replace(found, seeds=(7,), n_cases=(8,)).check()
    with pytest.raises(CertificateError, match="each network"):
        replace(found, n_cases=(1, 2)).check()


# The checkers can fail ------------------------------------------------------------------------------------------


def test_a_matrix_that_is_no_metric_is_noticed():
    space = code_space_of(grid(1, 1))
    assert count_violations(space, 2) == 0
    twice = CodeSpace(space.network, space.words[[0, 0, 1]], space.has_region[[0, 0, 1]])
    assert count_violations(twice, 2) == 2


def test_the_recursion_is_compared_at_points_of_other_classes_too():
    network, pattern = adjacency_counterexample(), Pattern.parse("11|0")
    inside, outside = (Fraction(1, 2),), (Fraction(-5),)
    assert recursion_at(network, pattern, inside) == preactivations_at(network, pattern, inside)
    assert recursion_at(network, pattern, outside) != preactivations_at(network, pattern, outside)


def test_general_networks_are_told_from_degenerate_ones():
    assert is_generic(tessellate(generic_network(3)))
    assert not is_generic(tessellate(load_case("dup_lines_2d").network))
    assert len(hamming_adjacency(generic_network(3)).joined) == 0


def test_a_counterexample_needs_its_network():
    found = joined_pair(Network.from_arrays([([[1], [2]], [0, 0]), ([[1, 1]], [0])]))
    assert isinstance(found, Counterexample)
    found.check()
    other = Network.from_arrays([([[1], [2]], [0, 1]), ([[1, 1]], [0])])
    with pytest.raises(CertificateError):
        replace(found.facts[-1], network=other).check()
