"""Evidence and certificate together: nothing is taken for granted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import domains, networks

from polyrelu.analysis.cover import check_cover
from polyrelu.analysis.ground import find_ground
from polyrelu.analysis.ranges import output_range
from polyrelu.errors import CertificateError
from polyrelu.exact.domain import Domain
from polyrelu.tessellation.certify import certify
from polyrelu.testing import gaussian, thick_zero, xor

SQUARE = Domain.box([-1, -1], [1, 1])


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_certificate_covers_its_ground(data):
    network = data.draw(networks((1, 2, 3), max_neurons=4))
    ground = find_ground(network, data.draw(domains(network.dim)))
    check_cover(ground, certify(ground.tessellation))


def test_flat_domains():
    ground = find_ground(gaussian([3, 4, 4, 1]), Domain.box([-1, 0, -1], [1, 0, 1]))
    check_cover(ground, certify(ground.tessellation))


def test_a_missing_or_doubled_region_is_noticed_although_the_evidence_holds():
    verdict = output_range(gaussian([2, 4, 4, 1]), SQUARE)
    evidence = verdict.evidence
    t = evidence.ground.tessellation
    certificate = certify(t)
    check_cover(evidence.ground, certificate)
    for words in (t.words[:-1], t.words[[0, *range(1, t.n_regions - 1), 0]]):
        less = replace(evidence.ground, tessellation=replace(t, words=words))
        n = len(words)
        proofs = (evidence.lower[0], evidence.upper[0])
        lower, upper = (replace(proof, ground=less, multipliers=proof.multipliers[:n]) for proof in proofs)
        if len(words) < t.n_regions:
            replace(evidence, ground=less, lower=(lower,), upper=(upper,)).check()
        with pytest.raises(CertificateError, match="the regions of the certificate"):
            check_cover(less, certificate)


def test_a_certificate_of_something_else_is_refused():
    ground = find_ground(xor(), SQUARE)
    with pytest.raises(CertificateError, match="another network"):
        check_cover(ground, certify(find_ground(thick_zero(), SQUARE).tessellation))
    with pytest.raises(CertificateError, match="for its domain"):
        check_cover(ground, certify(find_ground(xor(), Domain.unit(2)).tessellation))
