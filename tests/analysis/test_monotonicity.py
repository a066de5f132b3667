"""Whether an output is monotone in an input."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from second_opinion import brute_regions, first_regions, mutations, with_outputs
from strategies import domains, flat_domains, networks

from polyrelu.analysis.ground import find_ground
from polyrelu.analysis.monotonicity import Monotone, Monotonicity, NotMonotone, decide_monotone
from polyrelu.analysis.polyhedra import Polyhedron
from polyrelu.certificate.verdict import check_verdict
from polyrelu.errors import CertificateError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.testing import gaussian, telgarsky, xor

STAIRS = Network.from_arrays([([[1, 0], [1, 0], [0, 1]], [0, -1, 0]), ([[1, -1, -2], [0, 0, 0]], [0, 0])])
"""Output 0 rises in input 0 and falls in input 1; output 1 is constant."""


def test_stairs():
    kinds = [[decide_monotone(STAIRS, output, input).value.value for input in (0, 1)] for output in (0, 1)]
    assert kinds == [["nondecreasing", "nonincreasing"], ["constant", "constant"]]


def test_a_tooth_rises_and_falls():
    verdict = decide_monotone(telgarsky(1), 0, 0, Domain.unit(1))
    assert verdict.holds is False and isinstance(verdict.evidence, NotMonotone)
    check_verdict(verdict)
    assert decide_monotone(telgarsky(1), 0, 0, Domain.box([0], ["1/2"])).value is Monotonicity.NONDECREASING
    assert decide_monotone(telgarsky(1), 0, 0, Domain.box(["1/2"], [1])).value is Monotonicity.NONINCREASING


def test_an_input_that_the_domain_fixes_changes_nothing():
    verdict = decide_monotone(telgarsky(1), 0, 0, Domain.box(["1/3"], ["1/3"]))
    assert verdict.value is Monotonicity.CONSTANT
    check_verdict(verdict)
    diagonal = Domain.from_halfspaces([[1, -1], [-1, 1]], [0, 0])
    assert decide_monotone(xor(), 0, 0, diagonal).value is Monotonicity.CONSTANT
    face = Domain.box([0, 0], [1, 0])
    assert decide_monotone(xor(), 0, 0, face).value is Monotonicity.NONDECREASING
    assert decide_monotone(xor(), 0, 1, face).value is Monotonicity.CONSTANT


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_monotonicity_agrees_with_all_patterns(data):
    network = with_outputs(data.draw(networks((1, 2, 3), max_neurons=4)), [[1, -1, 2], [0, 3, -1]])
    domain = data.draw(domains(network.dim))
    output, input = data.draw(st.integers(0, 1)), data.draw(st.integers(0, network.dim - 1))
    verdict = decide_monotone(network, output, input, domain)
    check_verdict(verdict)
    slopes = [region.affine_map.matrix[output][input] for region in brute_regions(network, domain)]
    rises, falls = max(slopes) > 0, min(slopes) < 0
    expected = {
        (False, False): Monotonicity.CONSTANT,
        (True, False): Monotonicity.NONDECREASING,
        (False, True): Monotonicity.NONINCREASING,
        (True, True): Monotonicity.NEITHER,
    }[rises, falls]
    assert verdict.value is expected and verdict.holds is (expected is not Monotonicity.NEITHER)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_flat_domains(data):
    network = data.draw(networks((2, 3), max_neurons=4))
    domain, input = data.draw(flat_domains(network.dim)), data.draw(st.integers(0, network.dim - 1))
    verdict = decide_monotone(network, 0, input, domain)
    check_verdict(verdict)
    corners = Polyhedron(domain.dim, domain.rows).vertices
    for a, b in ((a, b) for a in corners for b in corners):
        step = [y - x for x, y in zip(a, b, strict=True)]
        if step[input] > 0 and sum(map(bool, step)) == 1 and verdict.holds:
            values = [
                network.exact([x + Fraction(t, 4) * s for x, s in zip(a, step, strict=True)])[0] for t in range(5)
            ]
            signs = {(y > x) - (y < x) for x, y in pairwise(values)}
            allowed = {"constant": {0}, "nondecreasing": {0, 1}, "nonincreasing": {0, -1}}[verdict.value.value]
            assert signs <= allowed


def test_turning_the_outputs_turns_the_kind():
    turned = replace(STAIRS, output=replace(STAIRS.output, weight=-STAIRS.output.weight))
    assert decide_monotone(turned, 0, 0).value is Monotonicity.NONINCREASING


def test_a_changed_number_is_refused():
    domain, tried = Domain.box([-2, -2], [2, 2]), 0
    for network, output, input in ((STAIRS, 0, 0), (STAIRS, 0, 1), (xor(), 0, 0)):
        evidence = decide_monotone(network, output, input, domain).evidence
        evidence.check()
        for wrong in mutations(evidence):
            tried += 1
            with pytest.raises(CertificateError):
                wrong.check()
    assert tried >= 30


def test_a_proof_for_another_input_is_refused():
    evidence = decide_monotone(STAIRS, 0, 0).evidence
    for wrong in (
        replace(evidence, input=1),
        replace(evidence, output=1),
        replace(evidence, ground=find_ground(xor())),
        Monotone(evidence.ground, 0, 0, Monotonicity.NEITHER),
        Monotone(evidence.ground, 0, -1, Monotonicity.NONINCREASING),
    ):
        with pytest.raises(CertificateError):
            wrong.check()


def test_budgets():
    network, domain = gaussian([2, 4, 4, 1]), Domain.box([-1, -1], [1, 1])
    part = decide_monotone(STAIRS, 0, 0, domain, max_regions=2, method=first_regions)
    assert part.holds is None and isinstance(part.value, Monotonicity)
    whole = decide_monotone(network, 0, 0, domain)
    assert decide_monotone(network, 0, 0, domain, max_regions=3, method=first_regions).holds in (None, whole.holds)


@pytest.mark.parametrize("output, input", [(1, 0), (0, 2), (-1, 0)])
def test_an_output_or_input_that_does_not_exist_is_refused(output, input):
    with pytest.raises(InputError, match="one of 1 outputs and one of 2 inputs"):
        decide_monotone(xor(), output, input)
