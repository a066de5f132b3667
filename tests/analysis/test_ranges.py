"""Exact ranges of outputs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from cases import load_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from second_opinion import brute_maximum, first_regions, grid_points, mutations, with_outputs
from strategies import domains, flat_domains, networks

from polyrelu.analysis.ground import find_ground
from polyrelu.analysis.maximum import OutputMaximum, maximize_outputs
from polyrelu.analysis.ranges import output_range
from polyrelu.certificate.verdict import check_verdict
from polyrelu.enumeration.split import enumerate_split
from polyrelu.errors import CertificateError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.testing import gaussian, telgarsky, thick_zero, xor


def test_a_sawtooth_has_the_range_of_its_teeth():
    verdict = output_range(telgarsky(4), Domain.unit(1))
    [found] = verdict.value
    assert (found.lower, found.upper, str(found)) == (0, 1, "[0, 1]")
    assert telgarsky(4).exact(found.upper_point) == (1,)
    assert verdict.holds
    check_verdict(verdict)


def test_a_network_without_hidden_layers_has_the_range_of_its_map():
    affine = Network.from_arrays([([[1, -2], [0, 0]], [3, 4])])
    found = output_range(affine, Domain.box([0, 0], [1, "1/3"])).value
    assert [(r.lower, r.upper) for r in found] == [(Fraction(7, 3), 4), (4, 4)]


def test_without_bounds_a_ray_proves_it():
    verdict = output_range(xor())
    [found] = verdict.value
    assert (found.lower, found.upper) == (None, 1)
    near, far = ([x + t * r for x, r in zip(found.lower_point, found.lower_ray, strict=True)] for t in (1, 5))
    assert xor().exact(far)[0] < xor().exact(near)[0]
    check_verdict(verdict)


def test_a_point_has_one_value():
    verdict = output_range(xor(), Domain.box(["1/2", "1/4"], ["1/2", "1/4"]))
    assert (verdict.value[0].lower, verdict.value[0].upper) == (Fraction(3, 4), Fraction(3, 4))
    check_verdict(verdict)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_ranges_agree_with_all_vertices_of_all_patterns(data):
    network = with_outputs(data.draw(networks((1, 2, 3), max_neurons=4)), [[1, -1, 2], [0, 3, -1]])
    domain = data.draw(domains(network.dim))
    method = data.draw(st.sampled_from([None, enumerate_split]))
    verdict = output_range(network, domain, method=method)
    check_verdict(verdict)
    for found, unit in zip(verdict.value, ([1, 0], [0, 1]), strict=True):
        largest, smallest = (brute_maximum(network, domain, [s * u for u in unit]) for s in (1, -1))
        assert found.upper == largest
        assert found.lower == (None if smallest is None else -smallest)
        values = [network.exact(point)[found.output] for point in grid_points(domain, 2)]
        assert found.upper is None or max(values) <= found.upper
        assert found.lower is None or min(values) >= found.lower


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_flat_domains(data):
    network = data.draw(networks((2, 3), max_neurons=4))
    domain = data.draw(flat_domains(network.dim))
    verdict = output_range(network, domain)
    check_verdict(verdict)
    [found] = verdict.value
    for point in grid_points(domain, 3):
        [value] = network.exact(point)
        assert (found.upper is None or value <= found.upper) and (found.lower is None or value >= found.lower)


@pytest.mark.parametrize("case", [c for c in load_cases() if c.network.n_neurons <= 8 and c.dim <= 3], ids=str)
def test_shared_cases_agree_with_all_patterns(case):
    weights = [1] * case.network.n_out
    [found] = maximize_outputs(find_ground(case.network, case.domain), [weights])
    found.check()
    expected = brute_maximum(case.network, case.domain, weights)
    assert (found.value if isinstance(found, OutputMaximum) else None) == expected


def test_turning_the_outputs_turns_the_range():
    network = gaussian([3, 8, 8, 2], seed=3)
    turned = replace(network, output=replace(network.output, weight=-network.output.weight, bias=-network.output.bias))
    domain = Domain.box([-1] * 3, [1] * 3)
    both = [output_range(n, domain).value for n in (network, turned)]
    assert [(r.lower, r.upper) for r in both[0]] == [(-r.upper, -r.lower) for r in both[1]]


def test_a_part_of_a_domain_has_a_part_of_the_range():
    network = gaussian([2, 12, 12, 1], seed=4)
    [whole], [left], [right] = (
        output_range(network, Domain.box([low, -1], [high, 1])).value for low, high in ((-1, 1), (-1, 0), (0, 1))
    )
    assert whole.upper == max(left.upper, right.upper) and whole.lower == min(left.lower, right.lower)


def test_a_budget_says_what_was_found():
    network = gaussian([2, 4, 4, 1])
    domain = Domain.box([-1, -1], [1, 1])
    verdict = output_range(network, domain, max_regions=5, method=first_regions)
    [part], [whole] = verdict.value, output_range(network, domain).value
    assert verdict.holds is None and verdict.evidence is None
    assert whole.lower <= part.lower <= part.upper <= whole.upper


@pytest.mark.parametrize("network", [thick_zero(), xor()])
@pytest.mark.parametrize("domain", [Domain.box([-1, -1], [1, 2]), Domain.box([0, 1], [1, 1])])
def test_a_changed_number_is_refused(network, domain):
    evidence = output_range(network, domain).evidence
    evidence.check()
    tried = 0
    for wrong in mutations(evidence):
        tried += 1
        with pytest.raises(CertificateError):
            wrong.check()
    assert tried > 40


def test_a_changed_ray_is_refused():
    evidence = output_range(xor(), Domain.from_halfspaces([[0, 1], [0, -1]], [1, 0])).evidence
    evidence.check()
    ray = evidence.lower[0]
    for wrong in (
        replace(ray, ray=tuple(-v for v in ray.ray)),
        replace(ray, ray=(Fraction(0), Fraction(1))),
        replace(ray, point=(Fraction(0), Fraction(5))),
        replace(ray, weights=(Fraction(1),)),
        replace(ray, domain=Domain.unit(2)),
        replace(ray, point=ray.point[:1]),
    ):
        with pytest.raises(CertificateError):
            wrong.check()
        with pytest.raises(CertificateError):
            replace(evidence, lower=(wrong,)).check()


def test_a_proof_about_another_network_is_refused():
    ours, others = (output_range(n, Domain.unit(2)).evidence for n in (xor(), thick_zero()))
    with pytest.raises(CertificateError, match="this network"):
        replace(ours, upper=others.upper).check()


def test_an_output_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="one of the network's 1 outputs but received 1"):
        output_range(xor(), Domain.unit(2), [1])
