"""Stable neurons: the digits of all regions, no more and no fewer, with points that show them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import domains, flat_domains, networks, random_networks, sliced_networks

from polyrelu import testing
from polyrelu.enumeration import stability
from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.digit_bounds import possible_digits
from polyrelu.enumeration.stability import NeuronStability, check_stability, stable_neurons
from polyrelu.errors import BudgetError, DomainError, EnumerationInterrupted, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network


@st.composite
def problems(draw: st.DrawFn) -> tuple[Network, Domain]:
    dim = draw(st.integers(1, 4))
    network = draw(networks((dim,), 6) | random_networks((dim,), 6) | sliced_networks((dim,), 5))
    return network, draw(domains(dim) | flat_domains(dim))


def digits_of_regions(network: Network, domain: Domain) -> tuple[tuple[int, ...], ...]:
    patterns = [region.pattern.digits for region in enumerate_brute(network, domain)]
    return tuple(tuple(sorted(set(column))) for column in zip(*patterns, strict=True))


@pytest.mark.parametrize("with_samples", [True, False])
@given(problem=problems())
@settings(max_examples=60)
def test_digits_are_those_of_all_regions(with_samples, problem):
    network, domain = problem
    with pytest.MonkeyPatch.context() as patch:
        if not with_samples:
            patch.setattr(stability, "SAMPLES", 1)
        found = stable_neurons(network, domain)
    assert found.digits == digits_of_regions(network, domain)
    check_stability(found)
    assert found.is_decided.all() and not len(found.unknown)
    assert sorted([*found.stable, *found.changing]) == list(range(network.n_neurons))


@given(problems())
@settings(max_examples=60)
def test_bounds_exclude_no_digit_of_a_region(problem):
    network, domain = problem
    regions = enumerate_brute(network, domain)
    inner = regions[0]
    possible = possible_digits(inner.network, inner.domain)
    for region in regions:
        assert all(digit in allowed for digit, allowed in zip(region.pattern.digits, possible, strict=True))


def test_five_inputs(monkeypatch):
    monkeypatch.setattr(stability, "SAMPLES", 1)
    network, domain = testing.gaussian([5, 5, 4, 1], seed=2, bias_std=1), Domain.box(["-1/4"] * 5, ["1/4"] * 5)
    found = stable_neurons(network, domain)
    assert found.digits == digits_of_regions(network, domain)
    check_stability(found)
    assert len(found.stable) and len(found.changing)


def test_a_neuron_that_vanishes_on_a_region_is_not_stable():
    """relu(x) is >= 0 everywhere, but identically 0 for x < 0: the neuron that reads it has both digits."""
    twice = Network.from_arrays([([[1]], [0]), ([[1]], [0]), ([[1]], [0])])
    found = stable_neurons(twice, Domain.box([-1], [1]))
    assert found.digits == ((0, 1), (0, 1))
    assert stable_neurons(twice, Domain.box([0], [1])).digits == ((1,), (1,))
    assert stable_neurons(twice, Domain.box([-1], [0])).always_inactive.tolist() == [0, 1]


def test_a_neuron_whose_slab_samples_miss():
    """z = 1 - 2^40 |x - 1/3| is positive on a slab of width 2^-39 only."""
    network = Network.from_arrays(
        [([[3.0, 0.0], [-3.0, 0.0]], [-1.0, 1.0]), ([[-(2.0**40), -(2.0**40)]], [1.0]), ([[1.0]], [0.0])]
    )
    found = stable_neurons(network, Domain.unit(2))
    assert found.digits[2] == (0, 1)
    check_stability(found)


def many_regions() -> tuple[Network, Domain]:
    """Return a network with more than one chunk of regions, whose last neuron is 1 on a tiny set only."""
    random = np.random.default_rng(0)
    first = (random.standard_normal((300, 2)), random.standard_normal(300))
    late = (np.zeros((1, 300)), np.array([-1.0]))
    late[0][0, :2] = 2.0**-40, -(2.0**-40)
    return Network.from_arrays([first, late, ([[1.0]], [0.0])]), Domain.box([-1, -1], [1, 1])


def test_budgets_leave_neurons_unknown(monkeypatch):
    network, domain = many_regions()
    monkeypatch.setattr(stability, "possible_digits", lambda n, _: [{0, 1}] * n.n_neurons)
    with pytest.raises(BudgetError, match="stable_neurons: enumerate_plane reached its budget") as caught:
        stable_neurons(network, domain, max_regions=10)
    partial = caught.value.partial
    assert isinstance(partial, NeuronStability) and 300 in partial.unknown.tolist()
    assert not set(partial.unknown.tolist()) & set(partial.stable.tolist())
    check_stability(partial)
    whole = stable_neurons(network, domain)
    assert 300 in whole.always_inactive.tolist() and not len(whole.unknown)


def test_interrupts_leave_neurons_unknown(monkeypatch):
    network, domain = many_regions()
    monkeypatch.setattr(stability, "possible_digits", lambda n, _: [{0, 1}] * n.n_neurons)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(EnumerationInterrupted) as caught:
        stable_neurons(network, domain, progress=interrupt)
    assert 300 in caught.value.partial.unknown.tolist()


def test_wrong_points_are_refused():
    found = stable_neurons(testing.xor(), Domain.box([-1, -1], [1, 1]))
    check_stability(found)
    (inside, active), points = found.points
    for wrong in (
        replace(found, points=((active, inside), points)),
        replace(found, points=((inside, (Fraction(2), Fraction(2))), points)),
        replace(found, points=((inside, (Fraction(1), Fraction(1))), points)),
        replace(found, digits=((1, 0), (0, 1))),
    ):
        with pytest.raises(InputError, match="need points inside the domain"):
            check_stability(wrong)


def test_bad_input():
    with pytest.raises(DomainError, match="R\\^2"):
        stable_neurons(testing.xor(), Domain.unit(3))
    with pytest.raises(DomainError, match="non-empty"):
        stable_neurons(testing.xor(), Domain.from_halfspaces([[1, 0], [-1, 0]], [0, -1]))


def test_a_point():
    found = stable_neurons(testing.xor(), Domain.box([1, 1], [1, 1]))
    assert found.digits == ((1,), (1,)) and found.points[0] == ((1, 1),)
