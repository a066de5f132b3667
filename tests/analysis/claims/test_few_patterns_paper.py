"""Claims about numbers of regions: each is decided as expected, its evidence checked, and what is wrong refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from polyrelu.analysis.bounds import zaslavsky_count
from polyrelu.analysis.claims.evidence import AllOf, Computation, Counterexample, Search
from polyrelu.analysis.claims.few_patterns_expected import equal_gradients, joined_regions, means_and_bounds
from polyrelu.analysis.claims.few_patterns_networks import (
    NoStrictPoint,
    StrictPoint,
    VanishesOn,
    degenerate_network,
    drawn_network,
    preactivations_at,
    prove_region_number,
    prove_strict_number,
    small_networks,
)
from polyrelu.analysis.claims.few_patterns_paper import CLAIMS
from polyrelu.analysis.claims.few_patterns_partial import (
    misjudged_cuts,
    odd_faces,
    odd_vertices,
    split_partial_regions,
    too_many_partial,
)
from polyrelu.analysis.claims.few_patterns_regions import TWICE, is_general_position, numbers_of
from polyrelu.analysis.claims.few_patterns_scaling import ScalingChangesNumber, more_without_biases
from polyrelu.analysis.claims.model import Claim, Outcome, Subject
from polyrelu.errors import CertificateError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.activation import HARD_TANH
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import adjacency_counterexample, central_arrangement, generic_arrangement, pencil, thick_zero, xor

BY_ID = {claim.id: claim for claim in CLAIMS}
DOUBLED = Network.from_arrays([([[1, 1]] * 10, [k / 4 for k in range(-2, 3)] * 2), ([[1] * 10], [0])])
"""Five parallel lines, each twice: no vertex has as many neurons as its face of the square has dimensions."""

SQUARE = Domain.box([-1, -1], ["3/2", "3/2"])

FALSE = {"002-lemma-3", "002-lemma-3-closure", "002-lemma-6-sign", "002-lemma-8-all", "002-theorem-5-small"}
TRUE_UNDER = {"002-lemma-4", "002-lemma-9", "002-appendix-a"}
DEFINITIONS = {"002-definition-1", "002-definition-2", "002-definition-4", "002-equation-2"}
SEARCHED = {
    "002-lemma-1", "002-lemma-7", "002-lemma-2", "002-equation-7", "002-equation-4", "002-theorem-5", "002-lemma-12",
    "002-lemma-6", "002-weight-scaling", "002-lemma-8", "002-theorem-10", "002-lemma-11", "002-lemma-13",
    "002-lemma-15", "002-proposition-14", "002-section-3-3",
}  # fmt: skip
ABOUT_NO_NETWORK = DEFINITIONS | {
    "002-theorem-5", "002-theorem-5-small", "002-theorem-10", "002-lemma-6-sign", "002-section-3-3",
}  # fmt: skip


def test_claims_and_their_ids():
    assert len(BY_ID) == len(CLAIMS)
    expected = {
        Outcome.FALSE: FALSE, Outcome.TRUE_UNDER: TRUE_UNDER, Outcome.DEFINITION: DEFINITIONS,
        Outcome.NOT_REFUTED: SEARCHED,
    }  # fmt: skip
    assert {o: {c.id for c in CLAIMS if c.expected is o} for o in expected} == expected


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_each_claim_is_decided_as_expected_with_evidence(claim):
    verdict = claim.decide(None)
    assert verdict.value.outcome is claim.expected and verdict.statement == claim.statement
    assert verdict.evidence is not None
    verdict.evidence.check()
    if claim.id in SEARCHED:
        assert isinstance(verdict.evidence, Search) and verdict.holds is None
        assert min(verdict.evidence.n_networks, sum(verdict.evidence.n_cases)) >= 15
    if claim.id in TRUE_UNDER:
        assert verdict.value.hypotheses
    if claim.id in FALSE:
        assert isinstance(verdict.evidence, Counterexample | AllOf | Computation)


# One network ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", [c for c in CLAIMS if c.id not in ABOUT_NO_NETWORK], ids=lambda claim: claim.id)
def test_claims_about_a_drawn_network_hold(claim):
    is_flat = claim.id in ("002-equation-4", "002-lemma-8-all")
    network, domain = generic_arrangement(2, 4) if is_flat else drawn_network(3, 2, (3, 3)), Domain.all(2)
    if claim.id in ("002-appendix-a", "002-lemma-12", "002-lemma-13"):
        domain = SQUARE
    verdict = claim.decide(Subject(network, domain))
    assert verdict.value.outcome in (Outcome.TRUE, Outcome.NOT_REFUTED)
    verdict.evidence.check()


@pytest.mark.parametrize(
    ("name", "network", "domain"),
    [
        ("002-lemma-3", TWICE, Domain.all(1)),
        ("002-lemma-3", thick_zero(), Domain.all(2)),
        ("002-lemma-3-closure", TWICE, Domain.all(1)),
        ("002-lemma-4", TWICE, Domain.all(1)),
        ("002-lemma-11", central_arrangement(2, 3), Domain.all(2)),
        ("002-lemma-12", DOUBLED, SQUARE),
        ("002-lemma-13", pencil(2, 3), SQUARE),
        ("002-lemma-8", Network.from_arrays([([[1], [-1]], [0, 5]), ([[0, 0]], [0])]), Domain.all(1)),
        ("002-lemma-8-all", drawn_network(1, 2, (4, 4)), Domain.all(2)),
    ],
)
def test_claims_about_a_degenerate_network_fail_with_evidence(name, network, domain):
    verdict = BY_ID[name].decide(Subject(network, domain))
    assert verdict.value.outcome is Outcome.FALSE and verdict.holds is False
    verdict.evidence.check()
    broken = replace(verdict.evidence, value=(verdict.evidence.value[0] + 1, 0))
    with pytest.raises(CertificateError):
        broken.check()


@pytest.mark.parametrize("name", sorted(ABOUT_NO_NETWORK))
def test_claims_about_no_network_refuse_one(name):
    with pytest.raises(InputError, match="needs no network but received one"):
        BY_ID[name].decide(Subject(xor(), Domain.all(2)))


def test_what_a_claim_does_not_speak_of_is_refused():
    other = Network.from_arrays([([[1]], [0]), ([[1]], [0])], HARD_TANH)
    with pytest.raises(InputError, match="hidden neurons all have a ReLU"):
        BY_ID["002-lemma-1"].decide(Subject(other, Domain.all(1)))
    with pytest.raises(InputError, match="needs one hidden layer but received 2"):
        BY_ID["002-equation-4"].decide(Subject(adjacency_counterexample(), Domain.all(1)))
    with pytest.raises(InputError, match="a case to examine"):
        BY_ID["002-equation-4"].decide(Subject(central_arrangement(2, 3), Domain.all(2)))
    with pytest.raises(InputError, match="a full-dimensional domain"):
        BY_ID["002-lemma-2"].decide(Subject(xor(), Domain.box([0, 1], [1, 1])))
    with pytest.raises(InputError, match="a bounded domain"):
        BY_ID["002-lemma-12"].decide(Subject(xor(), Domain.all(2)))


# Counting exceptions -------------------------------------------------------------------------------------------


def test_exceptions_are_counted():
    plane = Domain.all(2)
    assert odd_faces(generic_arrangement(2, 3), plane) == (7 + 9 + 3, 0)
    # Three lines through a point: 6 regions, 6 half-lines, and one vertex where 3 neurons vanish.
    assert odd_faces(central_arrangement(2, 3), plane) == (13, 1)
    assert split_partial_regions(thick_zero(), plane) == (8 + 8 + 1, 0)
    assert too_many_partial(DOUBLED, SQUARE)[1] == 2
    assert odd_vertices(generic_arrangement(2, 3), Domain.box(["-7/5"] * 2, ["8/5"] * 2))[1] == 0
    assert equal_gradients(Network.from_arrays([([[1], [1]], [0, 5]), ([[1, 0]], [0])]), Domain.all(1))[0] == 2
    assert equal_gradients(Network.from_arrays([([[1], [-1]], [0, 5]), ([[0, 0]], [0])]), Domain.all(1)) == (3, 2)
    assert joined_regions(Network.from_arrays([([[1]], [0]), ([[0]], [1])]), Domain.all(1)) == (2, 1)
    assert numbers_of(thick_zero(), plane) == (8, 6, 8)
    assert misjudged_cuts(generic_arrangement(2, 4), SQUARE)[1] == 0


def test_zero_biases_never_have_more_regions():
    for seed in range(20):
        assert more_without_biases(degenerate_network(seed, 2, (3, 2)), Domain.all(2))[1] == 0


def test_means_stay_below_the_bound_and_are_not_trivial():
    pairs = means_and_bounds(2)
    assert all(0 < mean <= bound for mean, bound in pairs[:2]) and pairs[0][0] > 1


def test_general_position():
    assert is_general_position(generic_arrangement(3, 5)) and is_general_position(generic_arrangement(4, 2))
    for network in (central_arrangement(2, 3), xor(), pencil(3, 3)):
        assert not is_general_position(network)
    assert is_general_position(central_arrangement(2, 2))
    zero = Network.from_arrays([([[0, 0]], [1]), ([[1]], [0])])
    assert not is_general_position(zero)


# Evidence ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", [TWICE, adjacency_counterexample(), xor(), pencil(2, 3)])
def test_proved_numbers_are_those_of_the_tessellation(network):
    t = tessellate(network)
    regions, strict = prove_region_number(network), prove_strict_number(network)
    for proof, number in ((regions, t.n_regions), (strict, int(t.is_strict.sum()))):
        proof.check()
        assert proof.number == number
        for broken in (
            replace(proof, number=number + 1),
            replace(proof, parts=proof.parts[1:]),
            replace(proof, parts=proof.parts[:1] * len(proof.parts)),
        ):
            with pytest.raises(CertificateError):
                broken.check()
    with pytest.raises(CertificateError):
        replace(regions, parts=(strict.parts[0], *regions.parts[1:])).check()


def test_small_proofs_are_refused_when_changed():
    on, off = Pattern.parse("1|1"), Pattern.parse("0|1")
    StrictPoint(TWICE, on, (Fraction(1),)).check()
    NoStrictPoint(TWICE, off, (Fraction(0), Fraction(1))).check()
    VanishesOn(TWICE, Pattern.parse("0|0"), 1, 0).check()
    for broken in (
        StrictPoint(TWICE, on, (Fraction(0),)),
        StrictPoint(TWICE, on, (Fraction(1), Fraction(1))),
        NoStrictPoint(TWICE, on, (Fraction(0), Fraction(1))),
        NoStrictPoint(TWICE, off, (Fraction(0), Fraction(0))),
        NoStrictPoint(TWICE, off, (Fraction(-1), Fraction(1))),
        NoStrictPoint(TWICE, off, (Fraction(1),)),
        VanishesOn(TWICE, Pattern.parse("0|0"), 1, 1),
        VanishesOn(TWICE, on, 1, 0),
    ):
        with pytest.raises(CertificateError):
            broken.check()


def test_scaling_evidence_is_refused_when_changed():
    evidence = BY_ID["002-lemma-6-sign"].decide(None).evidence
    for part in evidence.parts:
        part.check()
        for broken in (
            replace(part, factor=Fraction(2)),
            replace(part, after=part.before),
            ScalingChangesNumber(part.before, part.before, Fraction(1)),
        ):
            with pytest.raises(CertificateError):
                broken.check()


def test_networks_are_reproducible_and_small_ones_are_all_there():
    assert drawn_network(5, 2, (3,)).hash == drawn_network(5, 2, (3,)).hash != drawn_network(6, 2, (3,)).hash
    assert len({n.hash for n in small_networks(1, [2])}) == 3**4
    assert all(bias for layer in drawn_network(1, 2, (5, 5)).hidden for bias in layer.bias.tolist())
    assert preactivations_at(adjacency_counterexample(), [1]) == (1, 9, 0)
    assert all(isinstance(claim, Claim) for claim in CLAIMS) and zaslavsky_count(2, 3) == 7
