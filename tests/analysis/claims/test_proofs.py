"""Verdicts that rest on proofs notice a counterexample, and searches say no more than they found."""

from __future__ import annotations

import pytest

from polyrelu import Domain, Network
from polyrelu.analysis.claims import registry
from polyrelu.analysis.claims.evidence import Computation, Examined, search
from polyrelu.analysis.claims.model import Outcome, Subject
from polyrelu.analysis.claims.proofs import n_cases, proved, searched
from polyrelu.analysis.claims.subjects import refuse, tessellated_subject
from polyrelu.errors import BudgetError, InputError, InternalError


def examine(seed):
    wrong = Computation("seed 5", divmod, (5, 2), (2, 1)) if seed == 5 else None
    return Examined(2, wrong)


def test_a_proof_without_contradiction():
    fine = search("numbers", examine, range(5))
    assert n_cases(fine) == 10
    verdict = proved("a", [fine], "proof")
    assert (verdict.holds, verdict.value.outcome, verdict.evidence) == (True, Outcome.TRUE, fine)
    verdict = proved("a", [fine, fine], "proof", ("b",))
    assert (verdict.value.outcome, verdict.value.hypotheses) == (Outcome.TRUE_UNDER, ("b",))
    verdict.evidence.check()


def test_a_proof_with_a_contradiction_is_false():
    wrong = search("numbers", examine, range(9))
    assert n_cases(wrong) == 0
    verdict = proved("a", [search("numbers", examine, range(5)), wrong], "proof")
    assert (verdict.holds, verdict.evidence) == (False, wrong)
    assert verdict.value.description.startswith("a counterexample, against this")


def test_a_search_proves_nothing():
    verdict = searched("a", search("numbers", examine, range(5)), "5 numbers")
    assert (verdict.holds, verdict.value.outcome) == (None, Outcome.NOT_REFUTED)
    assert searched("a", search("numbers", examine, range(9)), "9 numbers").holds is False


def test_claims_with_one_id_are_a_bug(monkeypatch):
    registry.all_claims.cache_clear()
    monkeypatch.setattr(registry, "MODULES", ("cross_paper", "cross_paper"))
    with pytest.raises(InternalError, match="names of their own"):
        registry.all_claims()
    monkeypatch.undo()
    registry.all_claims.cache_clear()
    assert {claim.id[:3] for claim in registry.all_claims()} >= {"000", "001", "002", "003", "004"}


def test_subjects_are_refused_with_the_reason():
    network = Network.from_arrays([([[1], [1], [1]], [0, -1, -2]), ([[1, 1, 1]], [0])])
    subject = Subject(network, Domain.all(1))
    with pytest.raises(InputError, match="because it is about two figures"):
        refuse(subject, "c", "two figures")
    assert tessellated_subject(subject, "c").n_regions == 4
    with pytest.raises(BudgetError):
        tessellated_subject(subject, "c", most=2)
