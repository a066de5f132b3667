"""Counting regions: all kinds at once against known numbers, bounds against exact counts, densities and sizes."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from math import comb, prod

import numpy as np
import pytest
from cases import load_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import networks, random_networks

from polyrelu.analysis.bounds import (
    hanin_rolnick_bound,
    hanin_rolnick_density,
    montufar_lower_bound,
    montufar_upper_bound,
    pattern_upper_bound,
    raghu_upper_bound,
    serra_upper_bound,
    zaslavsky_count,
)
from polyrelu.analysis.counting import count_all, count_tessellation
from polyrelu.analysis.counting_locally import count_in_ball, density_along, region_sizes
from polyrelu.enumeration.count import count_regions
from polyrelu.enumeration.march import enumerate_march
from polyrelu.errors import BudgetError, DomainError, InputError, UnboundedError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import (
    braid,
    central_arrangement,
    gaussian,
    generic_arrangement,
    generic_counts,
    grid,
    grid_counts,
    montufar,
    montufar_counts,
    shi,
    shi_counts,
    thick_zero,
    xor,
)

SMALL = [case for case in load_cases() if case.dim <= 4 and case.expected["cells"] <= 800]


def widths_of(network: Network) -> list[int]:
    return [layer.n_outputs for layer in network.hidden]


# Counts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_counts_agree_with_the_reference(case):
    found = count_all(case.network, case.domain, partial=case.dim <= 2)
    names = {
        "cells": found.regions,
        "bounded_cells": found.bounded_regions,
        "strict_regions": found.strict_regions,
        "linear_regions": found.linear_regions,
        "distinct_affine_maps": found.affine_maps,
    }
    assert {name: case.expected[name] for name in names if name in case.expected} == {
        name: count for name, count in names.items() if name in case.expected
    }
    if found.partial_regions is not None:
        assert found.partial_regions[0] == found.strict_regions


@pytest.mark.parametrize(("dim", "n"), [(1, 5), (2, 6), (3, 5), (4, 6)])
def test_partial_regions_of_general_position_are_faces(dim, n):
    """On the intersection of k of the hyperplanes the others cut R^(dim - k)."""
    found = count_all(generic_arrangement(dim, n))
    expected = tuple(comb(n, k) * zaslavsky_count(dim - k, n - k) for k in range(dim + 1))
    assert found.partial_regions == expected
    assert found.regions == found.strict_regions == expected[0]
    assert found.bounded_regions == generic_counts(dim, n).bounded


def test_regions_linear_regions_and_maps_are_three_numbers():
    """Two flat parts of a tent are one map but no neighbours; a dead layer joins regions; a neuron vanishes."""
    tent = Network.from_arrays([([[1], [1], [1]], [0, -1, -2]), ([[1, -2, 1]], [0])])
    found = count_all(tent)
    assert (found.regions, found.linear_regions, found.affine_maps) == (4, 4, 3)
    off = Network.from_arrays([([[1], [1]], [0, -1]), ([[-1, -1]], [-1]), ([[1]], [0])])
    found = count_all(off)
    assert (found.regions, found.strict_regions, found.linear_regions, found.affine_maps) == (3, 3, 1, 1)
    twice = Network.from_arrays([([[1]], [0]), ([[1]], [0]), ([[1]], [0])])
    found = count_all(twice)
    assert (found.regions, found.strict_regions, found.linear_regions) == (2, 1, 2)
    assert found.partial_regions == (1, 1, 1)


@settings(max_examples=40)
@given(networks((1, 2), 6))
def test_kinds_are_ordered_and_add_up(network):
    domain = Domain.box([-2] * network.dim, [2] * network.dim)
    found = count_all(network, domain)
    assert found.affine_maps <= found.linear_regions <= found.regions
    assert found.strict_regions <= found.regions
    assert found.bounded_regions == found.regions == count_regions(network, domain)
    assert found.partial_regions is not None and found.partial_regions[0] == found.strict_regions


def test_incomplete_tessellations_are_refused():
    with pytest.raises(BudgetError) as reached:
        tessellate(braid(4), method=enumerate_march, max_regions=5)
    with pytest.raises(InputError, match="needs a complete tessellation but received"):
        count_tessellation(reached.value.partial)


# Bounds -------------------------------------------------------------------------------------------------------


def test_zaslavsky_is_met_in_general_position_only():
    for dim, n in ((1, 4), (2, 7), (3, 6), (5, 3)):
        assert count_regions(generic_arrangement(dim, n)) == zaslavsky_count(dim, n) == generic_counts(dim, n).regions
    for network, counts in ((grid(2, 3), grid_counts(2, 3)), (shi(3), shi_counts(3))):
        n, dim = network.n_neurons, network.dim
        assert count_regions(network) == counts.regions < zaslavsky_count(dim, n)


@pytest.mark.parametrize(("dim", "folds", "layers"), [(1, 2, 3), (2, 2, 2), (2, 3, 1), (3, 2, 1)])
def test_the_lower_bound_is_reached_by_folding(dim, folds, layers):
    network = montufar(dim, folds, layers)
    bound = montufar_lower_bound(dim, widths_of(network))
    found = count_regions(network, Domain.unit(dim))
    assert found == montufar_counts(dim, folds, layers).regions == bound
    assert count_regions(network) <= serra_upper_bound(dim, widths_of(network))


def serra_by_brute_force(dim: int, widths: list[int]) -> int:
    """Return the sum over all tuples, as the theorem states it."""
    total = 0
    for js in product(*(range(width + 1) for width in widths)):
        left = [n - j for n, j in zip(widths, js, strict=True)]
        if all(j <= min([dim, *left[:i], widths[i]]) for i, j in enumerate(js)):
            total += prod(comb(n, j) for n, j in zip(widths, js, strict=True))
    return total


@settings(max_examples=60)
@given(st.integers(1, 5), st.lists(st.integers(0, 5), max_size=4))
def test_bounds_are_ordered(dim, widths):
    serra, montufar_bound = serra_upper_bound(dim, widths), montufar_upper_bound(dim, widths)
    assert serra == serra_by_brute_force(dim, widths)
    assert serra <= montufar_bound <= raghu_upper_bound(dim, widths) <= pattern_upper_bound(widths)
    if widths and min(widths) >= dim:
        assert montufar_lower_bound(dim, widths) <= serra
    if len(widths) == 1:
        assert serra == zaslavsky_count(dim, widths[0])


@settings(max_examples=60)
@given(networks((1, 2, 3), 7, only_relu=True) | random_networks((1, 2), 9))
def test_no_network_has_more_regions_than_the_bounds_say(network):
    if network.is_relu and network.n_neurons == sum(widths_of(network)):
        assert count_regions(network) <= serra_upper_bound(network.dim, widths_of(network))


def test_expected_numbers_are_below_the_bound_from_the_proof():
    """Unit weights: C_grad = 1; biases uniform on [-1, 1]: C_bias = 1/2. In one dimension the mean is known."""
    random, side, n = np.random.default_rng(0), 1, 12
    counts = []
    for _ in range(200):
        signs, biases = random.choice([-1, 1], (n, 1)), random.uniform(-1, 1, n)
        network = Network.from_arrays([(signs, biases), (np.ones((1, n)), [0])])
        counts.append(count_regions(network, Domain.box([0], [side])))
    # Each neuron vanishes in the interval with probability 1/2; the bound counts each region from both ends.
    assert abs(np.mean(counts) - (1 + n / 2)) < 0.5
    assert np.mean(counts) <= hanin_rolnick_bound(n, 1, side, 1, "1/2") == 2 * (1 + Fraction(n, 2))


def test_the_bound_from_the_proof_covers_partial_regions_in_the_plane():
    random, n = np.random.default_rng(1), 8
    found = []
    for _ in range(20):
        angles, biases = random.uniform(0, 2 * np.pi, n), random.uniform(-1, 1, n)
        weight = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        network = Network.from_arrays([(weight, biases), (np.ones((1, n)), [0])])
        partial = count_all(network, Domain.unit(2)).partial_regions
        assert partial is not None
        found.append([*partial, 0, 0][:3])
    for k in range(3):
        assert np.mean(found, axis=0)[k] <= hanin_rolnick_bound(n, 2, 1, 1, "1/2", k=k)
    # On the vertices the sum has one term, which is close to exact: C(8, 2) (1/2)^2.
    assert hanin_rolnick_bound(n, 2, 1, 1, "1/2", k=2) == Fraction(28, 4)


def test_densities_of_the_theorem():
    assert hanin_rolnick_density(10, 2, "1/2") == Fraction(25, 2)
    assert hanin_rolnick_density(10, 2, 1, k=2) == Fraction(100, 8)
    assert hanin_rolnick_density(2, 4, 5) == 4 and hanin_rolnick_density(2, 4, 5, k=3) == 0
    # For cubes of side 1 / (C_grad C_bias) the sum from the proof grows with the same power of the neurons.
    ratio = hanin_rolnick_bound(10**6, 3, 1, 1, 1) / hanin_rolnick_density(10**6, 3, 2)
    assert abs(ratio - 1) < Fraction(1, 1000)


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (lambda: zaslavsky_count(-1, 2), "numbers of at least 0"),
        (lambda: serra_upper_bound(2, [3, -1]), "numbers of at least 0"),
        (lambda: montufar_lower_bound(2, [2, 1]), "layers at least as wide"),
        (lambda: hanin_rolnick_bound(3, 2, -1, 1, 1), "constants of at least 0"),
        (lambda: hanin_rolnick_bound(3, 2, 1, 1, 1, k=3), "from 0 to 2 vanishing neurons"),
        (lambda: hanin_rolnick_density(3, 2, 1, k=-1), "from 0 to 2 vanishing neurons"),
    ],
)
def test_sizes_that_do_not_exist_are_refused(ask, what):
    with pytest.raises(InputError, match=what):
        ask()


# Lines, planes and balls --------------------------------------------------------------------------------------


def test_densities_along_lines_and_in_planes():
    corner, edge = [-1, 0, 2], ["1/3", 1, 0]
    network = generic_arrangement(3, 9)
    line = density_along(network, corner, edge)
    layer = network.hidden[0]
    left, right = (layer.weight @ np.array([float(Fraction(c)) for c in p]) + layer.bias for p in (corner, edge))
    assert line.n_regions == 1 + int((left * right < 0).sum()) > 1
    assert line.squared_size == Fraction(16, 9) + 1 + 4
    assert line.density_float == line.n_regions / line.size_float
    plane = density_along(network, corner, edge, [0, 0, 0])
    # The cross product of the edges (4/3, 1, -2) and (1, 0, -2).
    assert plane.squared_size == 4 + Fraction(4, 9) + 1
    assert plane.per_neuron_float(9) == 2 * plane.density_float / 81
    assert density_along(gaussian([2, 8, 1]), [0, 0], [1, 0], [0, 1]).n_regions == count_regions(
        gaussian([2, 8, 1]), Domain.unit(2)
    )
    with pytest.raises(InputError, match="a slice of R\\^3"):
        density_along(network, [0, 0], [1, 1])


@pytest.mark.parametrize("norm", [1, "inf"])
def test_balls_add_up(norm):
    network, radius = gaussian([2, 8, 8, 1]), Fraction(1, 2)
    ball = count_in_ball(network, ["1/10", "1/5"], radius, norm)
    assert ball.sizes.total == (2 if norm == 1 else 4) * radius**2
    assert ball.counts.regions == len(ball.sizes.sizes) == ball.counts.bounded_regions > 1
    assert all(a <= b for a, b in pairwise(ball.sizes.sizes)) and ball.sizes.smallest > 0
    assert ball.own_size in ball.sizes.sizes
    assert ball.sizes.smallest <= ball.sizes.quantile("1/2") <= ball.sizes.largest
    assert ball.sizes.mean * ball.counts.regions == ball.sizes.total


def test_balls_around_a_vertex_and_of_few_regions():
    ball = count_in_ball(thick_zero(), [0, 0], 1)
    assert ball.counts.regions == 8 and ball.counts.strict_regions == 6 and ball.sizes.total == 4
    one = count_in_ball(xor(), [-5, -5], "1/4")
    assert one.sizes.sizes == (one.own_size,) == (Fraction(1, 4),)
    space = count_in_ball(central_arrangement(5, 2), [0] * 5, 1)
    assert space.counts.regions == 4 and space.sizes.total == 32
    with pytest.raises(InputError, match="a radius larger than 0"):
        count_in_ball(xor(), [0, 0], 0)
    with pytest.raises(DomainError):
        count_in_ball(xor(), [0, 0, 0], 1)
    with pytest.raises(UnboundedError, match="3 unbounded ones"):
        region_sizes(tessellate(xor()))
    with pytest.raises(InputError, match="a fraction from 0 to 1"):
        one.sizes.quantile(2)
