"""Claims of paper 000."""

from __future__ import annotations

import cases
import pytest

from polyrelu import Domain
from polyrelu.analysis.claims.model import Subject
from polyrelu.analysis.claims.pattern_dag_paper import CLAIMS, FIGURE, FIGURE_LABELS
from polyrelu.analysis.claims.registry import claim_named, try_claim
from polyrelu.errors import CertificateError, InputError


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_verdicts_are_as_expected_and_checked(claim):
    trial = try_claim(claim)
    assert trial.refusal == ""
    assert trial.finding.outcome is claim.expected


def test_the_figure_is_the_one_of_the_reference():
    figure = cases.read("apd.json")["cases"][1]
    assert [list(patterns) for patterns in FIGURE] == [figure["patterns"][f"x{k}"] for k in range(7)]
    assert list(FIGURE_LABELS) == figure["labels"]


@pytest.mark.parametrize(
    ("name", "case", "verdict"),
    [
        ("000-definitions-1-2", "thick_zero_2d", "true"),
        ("000-definition-3", "zerobias_2_4_3_1_s0", "true"),
        ("000-definition-3", "telgarsky_L5", "false"),
    ],
)
def test_claims_about_one_network(name, case, verdict):
    network = cases.load_network(case)
    trial = try_claim(claim_named(name), Subject(network, Domain.all(network.dim)))
    assert (trial.finding.outcome.value, trial.refusal) == (verdict, "")


def test_a_claim_about_data_takes_no_network():
    network = cases.load_network("xor_01")
    with pytest.raises(InputError, match="needs no network but received one"):
        claim_named("000-figure-2").decide(Subject(network, Domain.all(2)))


def test_changed_evidence_is_refused():
    from dataclasses import replace

    evidence = claim_named("000-definition-3").decide(None).evidence
    with pytest.raises(CertificateError):
        replace(evidence, facts=(replace(evidence.facts[0], value=("10", "11")),)).check()
