"""Theorem 3.3 on whole regions: proofs of random degenerate networks, and that wrong ones are refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cases
import flint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tropex_networks import case_network, classifiers, data_points

from polyrelu import Network, check_verdict
from polyrelu.analysis.tropex.summary import decide_distinct_regions
from polyrelu.analysis.tropex.theorem import decide_extraction
from polyrelu.errors import CertificateError, EnumerationInterrupted
from polyrelu.exact.matrix import RationalMatrix
from polyrelu.network.activation import IDENTITY, RELU6, Activation
from polyrelu.network.model import Layer
from polyrelu.region.model import region_of
from polyrelu.testing import gaussian

CASES = cases.read("tropex.json")["cases"]


@settings(max_examples=60)
@given(st.data())
def test_proofs_of_any_network_pass(data):
    network = data.draw(classifiers())
    points = data.draw(data_points(network.dim))
    verdict = decide_extraction(network, points)
    assert verdict.holds
    check_verdict(verdict)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_statement_holds_all_over_the_region_of_each_point(case):
    network = case_network(case)
    verdict = decide_extraction(network, case["X"])
    check_verdict(verdict)
    found = verdict.value
    for x, label, proof in zip(verdict.evidence.points, found.labels, verdict.evidence.regions, strict=True):
        other = region_of(network, proof.pattern).witness
        for t in (1, Fraction(1, 3), Fraction(1, 2)):
            p = [a + t * (b - a) for a, b in zip(x, other, strict=True)]
            truth, value = network.exact(p), found.value(p)
            assert value[label] == truth[label]
            assert all(v is None or v <= w for v, w in zip(value, truth, strict=True))


def bumped(matrix, row, column, by=1):
    numerators = flint.fmpz_mat(matrix.numerators)
    numerators[row, column] += by
    return RationalMatrix(numerators, matrix.denominator)


@pytest.fixture(scope="module")
def proof():
    return decide_extraction(case_network(CASES[1]), CASES[1]["X"]).evidence


def with_region(proof, k, **changes):
    regions = list(proof.regions)
    regions[k] = replace(regions[k], **changes)
    return replace(proof, regions=tuple(regions))


def test_one_wrong_multiplier_is_refused(proof):
    for k, region in enumerate(proof.regions):
        n_pairs, n_rows = region.multipliers.shape
        for row, column in ((0, 0), (n_pairs - 1, n_rows - 1), (n_pairs // 2, n_rows // 2)):
            wrong = with_region(proof, k, multipliers=bumped(region.multipliers, row, column))
            with pytest.raises(CertificateError, match="give all differences"):
                wrong.check()


def test_a_negative_multiplier_is_refused_even_where_the_sum_is_right():
    # |x| - |x|: two rows x >= 0 and x >= 0, so that one multiplier may move to the other.
    network = Network.from_arrays([([[1], [1]], [0, 0]), ([[1, -1], [0, 1]], [1, 0])])
    proof = decide_extraction(network, [[2], [-1]]).evidence
    proof.check()
    region = proof.regions[0]
    shifted = bumped(bumped(region.multipliers, 1, 0, 1000), 1, 1, -1000)
    with pytest.raises(CertificateError, match="nonnegative"):
        with_region(proof, 0, multipliers=shifted).check()


def test_a_wrong_term_label_pattern_or_point_is_refused(proof):
    function = proof.function
    faults = {
        "the term of point": replace(proof, function=replace(function, plus=bumped(function.plus, 0, 0))),
        "the common term": replace(proof, function=replace(function, minus=bumped(function.minus, 0, 3))),
        "network's label": replace(proof, function=replace(function, labels=(1, *function.labels[1:]))),
        "a label and a region": replace(proof, regions=proof.regions[:-1], points=proof.points[:-1]),
        "the pattern of point 0": replace(proof, points=(proof.points[1], *proof.points[1:])),
        "affine map at point 0": with_region(proof, 0, terms=bumped(proof.regions[0].terms, 1, 1)),
        "function of the network's outputs": replace(proof, function=replace(function, n_out=5)),
        "points of the network's dimension": replace(proof, points=((*proof.points[0], 1), *proof.points[1:])),
        "positive denominators": with_region(proof, 1, terms=RationalMatrix(proof.regions[1].terms.numerators, 0)),
        "multipliers of all pairs": with_region(proof, 1, multipliers=proof.regions[1].terms),
    }
    for message, fault in faults.items():
        with pytest.raises(CertificateError, match=message):
            fault.check()


def test_the_proof_of_another_network_is_refused(proof):
    other = replace(proof, network=case_network(CASES[0]))
    with pytest.raises(CertificateError):
        other.check()


def test_a_point_on_a_kink_has_a_small_region():
    # At 0 the network is max(x, 0) on one side; its pattern's region is the other side with 0.
    network = Network.from_arrays([([[1]], [0]), ([[1], [0]], [0, -1])])
    verdict = decide_extraction(network, [[0]])
    check_verdict(verdict)
    assert verdict.value.value([-5])[0] == network.exact([-5])[0] == 0
    assert (verdict.value.value([1])[0], network.exact([1])[0]) == (0, 1)


def test_several_pieces_need_a_constant():
    network = Network(
        (Layer([[1.0]], [0.0], Activation.same(RELU6, 1)),),
        Layer([[2.0], [-1.0]], [0.0, 3.0], Activation.same(IDENTITY, 2)),
    )
    verdict = decide_extraction(network, [[-1], [7], [3]])
    check_verdict(verdict)
    assert any(row[-1] for region in verdict.evidence.regions for row in region.multipliers.to_fractions())


@pytest.mark.parametrize("value", [0.5, float("nan"), "1"])
def test_points_and_labels_of_other_types_are_refused(proof, value):
    labels = tuple(map(float, proof.function.labels))
    for fault, message in (
        (replace(proof, points=((value,) * proof.network.dim, *proof.points[1:])), "Fractions that are points"),
        (replace(proof, function=replace(proof.function, labels=labels)), "whole numbers"),
    ):
        with pytest.raises(CertificateError, match=message):
            fault.check()


def test_time_and_interrupts_leave_what_was_proved():
    network, points = gaussian([2, 6, 3], seed=1), [[0.5, 1], [-1, 2], [3, -1]]
    late = decide_extraction(network, points, max_seconds=0)
    assert (late.holds, late.evidence, late.value) == (None, None, ())
    told = []
    assert decide_extraction(network, points, progress=lambda *done: told.append(done)).holds
    assert told == [(1, 3), (2, 3), (3, 3)]

    def interrupt(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(EnumerationInterrupted) as caught:
        decide_extraction(network, points, progress=interrupt)
    assert caught.value.partial.holds is None and len(caught.value.partial.value) == 2
    assert decide_distinct_regions(network, [*points, points[0]], progress=lambda *done: told.append(done)).holds
    assert told[3:] == [(k, 6) for k in range(1, 7)]
