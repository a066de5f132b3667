"""Whether two networks agree, and how far apart they are."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from second_opinion import first_regions, grid_points, mutations, with_outputs
from strategies import domains, flat_domains, networks, sliced_networks

from polyrelu.analysis.equivalence import Agree, Differ, decide_equivalent, max_difference
from polyrelu.analysis.ranges import output_range
from polyrelu.analysis.side_by_side import difference, side_by_side
from polyrelu.certificate.verdict import check_verdict
from polyrelu.errors import CertificateError, NetworkError
from polyrelu.exact.domain import Domain
from polyrelu.network.activation import ABS, MAX_UNIT, RELU, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.testing import gaussian, telgarsky, xor

HAT = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
ABSOLUTE = Network.from_arrays([([[1]], [0]), ([[1]], [0])], activation=ABS)
ZERO = Network.from_arrays([([[0]], [0])])
LINE = Domain.box([-2], [3])


def test_three_ways_to_write_an_absolute_value():
    pooled = Network(
        (Layer([[1], [-1]], [0, 0], Activation((), np.array([MAX_UNIT]), np.array([0, 2]))),), ABSOLUTE.output
    )
    for first in (HAT, ABSOLUTE, pooled):
        for second in (HAT, ABSOLUTE, pooled):
            verdict = decide_equivalent(first, second)
            assert verdict.holds and isinstance(verdict.evidence, Agree)
            check_verdict(verdict)
            assert max_difference(first, second).value.value == 0


def test_networks_that_agree_on_a_half_line_only():
    half = Network.from_arrays([([[1]], [0]), ([[1]], [0])])
    assert decide_equivalent(HAT, half, Domain.from_halfspaces([[-1]], [0]))
    verdict = decide_equivalent(HAT, half)
    assert not verdict and HAT.exact(verdict.value) != half.exact(verdict.value)
    check_verdict(verdict)
    found = max_difference(HAT, half, LINE).value
    assert (found.value, found.point) == (2, (-2,))
    assert max_difference(HAT, half).value.ray == (-1,)


def test_a_difference_that_vanishes_where_one_looks_first():
    """The difference x - y is 0 at the middle of the square."""
    sum_, twice = (Network.from_arrays([([row], [0])]) for row in ([1, 1], [2, 0]))
    verdict = decide_equivalent(sum_, twice, Domain.box([-1, -1], [1, 1]))
    assert verdict.holds is False
    check_verdict(verdict)


def test_a_deep_and_a_shallow_sawtooth():
    verdict = max_difference(telgarsky(1), telgarsky(2), Domain.unit(1))
    check_verdict(verdict)
    points = [Fraction(i, 64) for i in range(65)]
    largest = max(abs(telgarsky(1).exact([x])[0] - telgarsky(2).exact([x])[0]) for x in points)
    assert verdict.value.value == largest == 1


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_differences_agree_with_evaluation(data):
    dim = data.draw(st.sampled_from([1, 2, 3]))
    kinds = networks((dim,), max_neurons=4) | sliced_networks((dim,), max_neurons=4)
    first, second = (data.draw(kinds) for _ in range(2))
    domain = data.draw(domains(dim) | flat_domains(dim))
    network, both = difference(first, second), side_by_side(first, second)
    verdict, equal = max_difference(first, second, domain), decide_equivalent(first, second, domain)
    check_verdict(verdict)
    check_verdict(equal)
    assert equal.holds == (verdict.value.value == 0)
    for point in grid_points(domain, 2):
        values = first.exact(point) + second.exact(point)
        assert both.exact(point) == values and network.exact(point) == (values[0] - values[1],)
        assert verdict.value.value is None or abs(values[0] - values[1]) <= verdict.value.value


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_network_agrees_with_itself_written_otherwise(data):
    """Neurons permuted, and rescaled by powers of two from layer to layer."""
    network = data.draw(networks((1, 2), max_neurons=5, only_relu=True))
    domain = data.draw(domains(network.dim))
    layer = network.hidden[0]
    n = layer.n_outputs
    order, scale = np.array(data.draw(st.permutations(range(n)))), 2.0 ** data.draw(st.integers(-3, 3))
    first = Layer(layer.weight[order] * scale, layer.bias[order] * scale, layer.activation)
    following = network.layers[1]
    second = replace(following, weight=following.weight[:, order] / scale)
    layers = (first, second, *network.layers[2:])
    other = Network(layers[:-1], layers[-1])
    verdict = decide_equivalent(network, other, domain)
    assert verdict.holds
    check_verdict(verdict)


def test_several_outputs():
    first = with_outputs(HAT, [[1, 1], [2, 0]])
    second = with_outputs(HAT, [[1, 1], [2, 1]])
    verdict = max_difference(first, second, LINE)
    assert (verdict.value.value, verdict.value.output, verdict.value.point) == (2, 1, (-2,))
    assert [(r.lower, r.upper) for r in verdict.value.ranges] == [(0, 0), (-2, 0)]


def test_sparse_layers_and_depths():
    from scipy.sparse import csr_array

    sparse = replace(HAT, hidden=(replace(HAT.hidden[0], weight=csr_array(HAT.hidden[0].weight)),))
    deep = Network((*HAT.hidden, Layer(np.eye(2), [0, 0], Activation.same(RELU, 2))), HAT.output)
    for first, second in ((sparse, HAT), (HAT, sparse), (deep, sparse), (sparse, deep), (deep, ZERO)):
        verdict = decide_equivalent(first, second, LINE)
        assert verdict.holds is (second is not ZERO)
        check_verdict(verdict)


def test_the_largest_difference_from_zero_is_the_largest_value():
    network = gaussian([2, 8, 8, 1], seed=9)
    zero = Network.from_arrays([([[0, 0]], [0])])
    domain = Domain.box([-1, -1], [1, 1])
    [found] = output_range(network, domain).value
    assert max_difference(network, zero, domain).value.value == max(abs(found.lower), abs(found.upper))


def test_a_changed_number_is_refused():
    for verdict in (max_difference(HAT, telgarsky(1), LINE), decide_equivalent(HAT, telgarsky(1), LINE)):
        check_verdict(verdict)
        for wrong in mutations(verdict.evidence):
            with pytest.raises(CertificateError):
                wrong.check()


def test_proofs_about_other_networks_are_refused():
    same = decide_equivalent(HAT, ABSOLUTE, LINE).evidence
    with pytest.raises(CertificateError, match="regions of the difference"):
        replace(same, second=telgarsky(1)).check()
    with pytest.raises(CertificateError, match="regions of the difference"):
        replace(max_difference(HAT, ABSOLUTE, LINE).evidence, first=telgarsky(1)).check()
    differ = decide_equivalent(HAT, ZERO, LINE).evidence
    with pytest.raises(CertificateError, match="outputs differ"):
        Differ(HAT, ABSOLUTE, LINE, differ.point).check()
    other = decide_equivalent(HAT, ABSOLUTE, LINE).evidence.ground
    with pytest.raises(CertificateError, match="maps that agree"):
        Agree(HAT, ZERO, replace(other, **_ground_of(HAT, ZERO))).check()


def _ground_of(first, second):
    ground = max_difference(first, second, LINE).evidence.proof.ground
    return {"network": ground.network, "tessellation": ground.tessellation}


def test_budgets():
    first, second = gaussian([2, 3, 3, 1], seed=1), gaussian([2, 2, 1], seed=2)
    domain = Domain.box([-1, -1], [1, 1])
    assert decide_equivalent(first, first, domain, max_regions=3, method=first_regions).holds is None
    assert decide_equivalent(first, second, domain, max_regions=3, method=first_regions).holds is False
    part = max_difference(first, second, domain, max_regions=3, method=first_regions)
    assert part.holds is None and part.value.value <= max_difference(first, second, domain).value.value


def test_networks_that_cannot_be_compared_are_refused():
    with pytest.raises(NetworkError, match="one input dimension but received 1 and 2"):
        decide_equivalent(HAT, xor())
    with pytest.raises(NetworkError, match="equally many outputs but received 1 and 2"):
        max_difference(HAT, with_outputs(HAT, [[1, 1], [2, 0]]))
