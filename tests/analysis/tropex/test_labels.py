"""Labels of extracted functions as in exact arithmetic, and the quotient that the paper prints."""

from __future__ import annotations

import warnings
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tropex_networks import classifiers, data_points

from polyrelu import Network, check_verdict
from polyrelu.analysis.data.patterns import exact_label
from polyrelu.analysis.tropex.exact import extract_exactly
from polyrelu.analysis.tropex.extract import extract_terms
from polyrelu.analysis.tropex.labels import extracted_labels
from polyrelu.analysis.tropex.quotient import decide_printed_quotient
from polyrelu.errors import CertificateError, InputError

GAP = Network.from_arrays([([[2], [2], [-5]], [4, -1, -3]), ([[2, -3, -5], [1, 0, -5]], [3, 5])])
"""Equation (2) gives 15/7 another label than the network, with the points that follow."""
POINTS = [["15/7"], ["-6/7"], ["2/7"], ["33/7"]]


@settings(max_examples=60)
@given(st.data())
def test_labels_are_those_of_the_exact_function(data):
    network = data.draw(classifiers())
    points = np.array(data.draw(data_points(network.dim)), dtype=np.float64)
    probes = np.array(data.draw(data_points(network.dim)), dtype=np.float64)
    try:
        found = extract_terms(network, points)
    except InputError as error:
        assert "range of floats" in str(error)
        return
    rational = extract_exactly(network, points.tolist())
    with np.errstate(all="ignore"):
        at_data, elsewhere = (extracted_labels(network, points, found, x) for x in (points, probes))
    assert at_data.labels.tolist() == [exact_label(network.exact(x)) for x in points.tolist()]
    assert elsewhere.labels.tolist() == [rational.label_of(x) for x in probes.tolist()]


def test_ties_to_the_last_bit_are_open_to_floats_and_decided():
    # 0.3 x against 0.1 x + 0.2 x, which is larger by less than floats see.
    layers = [([[0.1], [0.2], [0.3]], [0, 0, 0]), ([[0, 0, 1], [1, 1, 0], [0, 0, 0]], [0, 0, 0.0625])]
    network = Network.from_arrays(layers)
    data = np.array([[1.0], [-1.0]])
    found = extract_terms(network, data)
    assert found.labels.tolist() == [1, 2]
    probes = np.array([[0.7], [-2.0], [3.0], [1.0]])
    assert extracted_labels(network, data, found, probes).labels.tolist() == [1, 2, 1, 1]
    wide = Network.from_arrays([([[1.0], [-1.0]], [0, 2]), ([[1, 0], [0, 1]], [0, 0])])
    data = np.array([[3.0], [-1.0]])
    answer = extracted_labels(wide, data, extract_terms(wide, data), [[1.0], [1 + 2.0**-50], [1 - 2.0**-50], [5.0]])
    assert (answer.labels.tolist(), answer.n_decided_exactly) == ([0, 0, 1, 0], 3)


def test_what_exceeds_the_range_of_floats_is_decided_in_silence():
    # Values, and sizes that bound their errors, are infinite or nan.
    network = Network.from_arrays([([[2.0**600], [-(2.0**600)]], [0, 1]), ([[1, 0], [0, 1]], [0, 0])])
    data, probes = np.array([[1.0], [-1.0]]), np.array([[2.0**500], [-(2.0**500)], [0.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = extract_terms(network, data)
        assert not np.isfinite(found.errors(probes)[:2]).any() and not np.isfinite(found.values(probes)[:2]).any()
        answer = extracted_labels(network, data, found, probes)
    rational = extract_exactly(network, data.tolist())
    assert answer.labels.tolist() == [rational.label_of(x) for x in probes.tolist()] == [0, 1, 1]


def test_terms_that_are_rounded_as_badly_as_they_may_be_are_decided_all_the_same():
    network = Network.from_arrays([([[1.0], [-1.0]], [0, 2]), ([[1, 0], [0, 1]], [0, 0])])
    data, probes = np.array([[3.0], [-1.0]]), np.array([[1 - 2.0**-52], [1 + 2.0**-51]])
    found = extract_terms(network, data)
    for label in (0, 1):
        shift = np.where(found.labels == label, found.rounding * found.constant_bound, 0.0)
        worst = replace(found, plus_constants=found.plus_constants + shift)
        assert worst.labels_of(probes).tolist() == [label, label]
        assert extracted_labels(network, data, worst, probes).labels.tolist() == [1, 0]


def test_labels_need_the_data_that_the_function_came_from():
    found = extract_terms(GAP, [[1.0], [2.0]])
    with pytest.raises(InputError, match="Extract it again"):
        extracted_labels(GAP, [[1.0]], found, [[1.0]])


def test_the_printed_quotient_loses_a_label_and_the_algorithm_does_not():
    verdict = decide_printed_quotient(GAP, POINTS)
    assert verdict.holds is False and verdict.value == 0
    check_verdict(verdict)
    network, quotient = verdict.evidence.values(0)
    assert network == (Fraction(68, 7), Fraction(93, 7)) and quotient == (Fraction(137, 7), Fraction(93, 7))
    assert [verdict.evidence.function.label_of(x) for x in POINTS] == [exact_label(GAP.exact(x)) for x in POINTS]
    kept = decide_printed_quotient(GAP, POINTS[:1])
    assert kept.holds and kept.value is None
    check_verdict(kept)


def test_wrong_evidence_about_the_quotient_is_refused():
    evidence = decide_printed_quotient(GAP, POINTS).evidence
    other = decide_printed_quotient(GAP, POINTS[:3]).evidence
    for wrong, message in (
        (replace(evidence, points=()), "Fractions that are points"),
        (replace(evidence, points=((float("nan"),), *evidence.points[1:])), "Fractions that are points"),
        (replace(evidence, failing=()), "where labels differ"),
        (replace(evidence, failing=(0, 1)), "where labels differ"),
        (replace(evidence, function=other.function), "the terms of this network"),
        (replace(evidence, function=replace(evidence.function, minus=evidence.function.plus)), "the terms"),
    ):
        with pytest.raises(CertificateError, match=message):
            wrong.check()
