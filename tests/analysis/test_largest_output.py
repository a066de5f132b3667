"""The largest output, against the ranges that all regions give."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import networks

from polyrelu import Domain, load
from polyrelu.analysis.largest_output import largest_output
from polyrelu.analysis.ranges import output_range
from polyrelu.errors import CertificateError, InputError, UnboundedError
from polyrelu.testing import gaussian, thick_zero, xor

MODELS = Path(__file__).resolve().parents[3] / "shared" / "models"


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_it_is_the_upper_end_of_the_range(data):
    network = data.draw(networks((1, 2, 3), max_neurons=6))
    bounds = [sorted(data.draw(st.tuples(st.integers(-3, 3), st.integers(-3, 3)))) for _ in range(network.dim)]
    domain = Domain.box(*zip(*bounds, strict=True))
    [expected, *_] = output_range(network, domain, [0]).value
    largest = largest_output(network, domain, 0)
    least = largest_output(network, domain, [-1, *[0] * (network.n_out - 1)])
    assert (-least.value, largest.value) == (expected.lower, expected.upper)
    assert network.exact(largest.evidence.point)[0] == largest.value
    largest.evidence.check()
    least.evidence.check()


@pytest.mark.parametrize(
    "domain",
    [
        Domain.polygon([(0, 0), (2, 0), (0, 3)]),
        Domain.box([1, -1], [1, 1]),
        Domain.box([1, 1], [1, 1]),
        Domain.from_halfspaces([[1, 1], [-1, -1], [1, 0], [-1, 0]], [1, -1, 2, 2]),
    ],
    ids=["triangle", "segment", "point", "slanted segment"],
)
def test_polyhedra_and_flat_domains(domain):
    for network in (xor(), thick_zero(), gaussian([2, 6, 6, 2])):
        [expected] = output_range(network, domain, [0]).value
        verdict = largest_output(network, domain, 0)
        assert verdict.holds and verdict.value == expected.upper
        verdict.evidence.check()


def test_weights_are_taken_exactly():
    network, domain = gaussian([2, 6, 6, 2]), Domain.unit(2)
    verdict = largest_output(network, domain, ["1/3", -2])
    first, second = network.exact(verdict.evidence.point)
    assert verdict.value == first / 3 - 2 * second
    samples = network(np.random.default_rng(0).random((2000, 2))) @ [1 / 3, -2]
    assert samples.max() <= float(verdict.value) < samples.max() + 0.1


def test_changed_evidence_is_refused():
    verdict = largest_output(xor(), Domain.unit(2), 0)
    evidence = verdict.evidence
    other = largest_output(xor(), Domain.unit(2), [-1]).evidence
    for changed in (
        replace(evidence, value=evidence.value + 1),
        replace(evidence, value=evidence.value - Fraction(1, 10**9)),
        replace(evidence, point=(Fraction(1, 2), Fraction(1, 3))),
        replace(evidence, point=(Fraction(1), Fraction(0), Fraction(0))),
        replace(evidence, domain=Domain.box([0, 0], [2, 2])),
        replace(evidence, weights=(Fraction(2),)),
        replace(evidence, proof=other.proof),
        replace(evidence, network=thick_zero()),
    ):
        with pytest.raises(CertificateError):
            changed.check()


def test_a_budget_leaves_a_lower_bound():
    verdict = largest_output(gaussian([5, 12, 12, 1]), Domain.box([-1] * 5, [1] * 5), 0, max_seconds=1e-9)
    assert verdict.holds is None and verdict.evidence is None
    assert isinstance(verdict.value, Fraction)


def test_refusals():
    with pytest.raises(UnboundedError, match="bounded domain"):
        largest_output(xor(), Domain.from_halfspaces([[1, 0]], [1]), 0)
    for weights in (1, -1, [1, 2], []):
        with pytest.raises(InputError, match="one of 1 outputs"):
            largest_output(xor(), Domain.unit(2), weights)


@pytest.mark.skipif(not MODELS.is_dir(), reason="the trained networks are not here")
def test_a_controller_on_a_box():
    network = load(MODELS / "ACASXU_run2a_2_3_batch_2000.onnx")
    domain = Domain.box(["-0.3", "0", "0.4934", "0.4", "0.4"], ["-0.2986", "0.0095", "0.5", "0.5", "0.5"])
    verdict = largest_output(network, domain, 0)
    assert verdict.holds
    samples = np.random.default_rng(0).uniform(
        [-0.3, 0, 0.4934, 0.4, 0.4], [-0.2986, 0.0095, 0.5, 0.5, 0.5], (5000, 5)
    )
    assert network(samples)[:, 0].max() <= float(verdict.value)
