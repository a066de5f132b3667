"""Claims between the papers."""

from __future__ import annotations

import cases
import pytest

from polyrelu import Domain
from polyrelu.analysis.claims.cross_paper import CLAIMS
from polyrelu.analysis.claims.model import Subject
from polyrelu.analysis.claims.registry import claim_named, try_claim
from polyrelu.analysis.claims.sample_networks import folding_network, zero_bias_network
from polyrelu.errors import InputError
from polyrelu.testing import montufar, thick_zero


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_verdicts_are_as_expected_and_checked(claim):
    trial = try_claim(claim)
    assert trial.refusal == ""
    assert trial.finding.outcome is claim.expected


def test_constructions_are_those_with_known_answers():
    assert zero_bias_network().hash == thick_zero().hash
    assert folding_network().hash == montufar(2, 2, layers=2).hash


@pytest.mark.parametrize(
    ("name", "case", "verdict"),
    [
        ("x-strictness", "thick_zero_2d", "false"),
        ("x-strictness", "rint_2_6_6_1_s6", "true"),
        ("x-linear-regions", "xor_printed", "true"),
        ("x-linear-regions", "dead_layer_2d", "false"),
    ],
)
def test_claims_about_one_network(name, case, verdict):
    network = cases.load_network(case)
    trial = try_claim(claim_named(name), Subject(network, Domain.all(network.dim)))
    assert (trial.finding.outcome.value, trial.refusal) == (verdict, "")


def test_a_box_is_needed_to_cut_facets_away():
    network = cases.load_network("hamming_1d")
    with pytest.raises(InputError, match="needs a domain with borders"):
        claim_named("x-box-adjacency").decide(Subject(network, Domain.all(1)))
