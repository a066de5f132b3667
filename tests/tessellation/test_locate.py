"""Points get a region that contains them: their own class where it has one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import domains, networks, random_networks, sliced_networks

from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.kernels.evaluation import certain_digits, certain_sides
from polyrelu.network.model import Network
from polyrelu.region.model import region_at
from polyrelu.tessellation.build import tessellate
from polyrelu.testing import gaussian, generic_arrangement, thick_zero

coordinates = st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, -0.25]) | st.floats(-3, 3)


@given(st.data())
@settings(max_examples=150)
def test_floats_and_rationals_agree_with_one_region(data):
    network = data.draw(networks((1, 2)) | random_networks((1, 2)) | sliced_networks())
    domain = data.draw(domains(network.dim))
    t = tessellate(network, domain)
    points = data.draw(st.lists(st.lists(coordinates, min_size=t.dim, max_size=t.dim), min_size=1, max_size=6))
    found = t.locate(points).tolist()
    assert found == t.locate([[Fraction(x) for x in point] for point in points]).tolist()
    for point, index in zip(points, found, strict=True):
        assert (index == -1) == (not domain.contains(point))
        if index >= 0:
            assert t.pattern(index) == region_at(network, point, domain).pattern
            assert t.region(index).contains(point)


@given(st.data())
@settings(max_examples=100)
def test_certain_digits_are_the_exact_ones(data):
    network = data.draw(networks((1, 2, 3)) | random_networks((1, 2, 3)) | sliced_networks())
    points = np.array(
        data.draw(st.lists(st.lists(coordinates, min_size=network.dim, max_size=network.dim), min_size=1))
    )
    digits, certain = certain_digits(network, points)
    for point, row in zip(points[certain].tolist(), digits[certain].tolist(), strict=True):
        assert tuple(row) == network.exact.pattern_at(point).digits
        steps = [[int(i == j) for j in range(network.dim)] for i in range(network.dim)]
        for sign in (1, -1):  # no neuron is at its breakpoint: every direction has the same pattern
            directions = [[sign * value for value in step] for step in steps]
            assert tuple(row) == network.exact.pattern_at(point, directions).digits


@given(st.data())
def test_certain_sides_are_right(data):
    dim = data.draw(st.sampled_from([1, 2]))
    domain = data.draw(domains(dim))
    points = np.array(data.draw(st.lists(st.lists(coordinates, min_size=dim, max_size=dim), min_size=1)))
    inside, outside = certain_sides(domain, points)
    exact = [domain.contains(point) for point in points.tolist()]
    assert not (inside & ~np.array(exact)).any() and not (outside & np.array(exact)).any()


def test_most_points_are_certain():
    network = gaussian([2, 32, 32, 32, 1])
    points = np.random.default_rng(0).uniform(-1, 1, (1000, 2))
    assert certain_digits(network, points)[1].mean() > 0.99
    on_line = np.array([[0.0, 0.25], [0.5, 0.0]])
    assert not certain_digits(generic_arrangement(2, 4), on_line)[1].all()


def test_ties_go_to_the_class_of_the_point():
    t = tessellate(thick_zero())
    assert str(t.pattern(t.locate([[-1.0, 0.0]])[0])) == "001|001"
    apex = t.locate([[0.0, 0.0]])[0]
    assert t.pattern(apex) == region_at(t.network, [0, 0]).pattern
    fold = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    assert str(tessellate(fold).pattern(tessellate(fold).locate([[0]])[0])) == "10"
    left = tessellate(fold, Domain.box([-1], [0]))
    assert str(left.pattern(left.locate([[0]])[0])) == "01"


def test_many_points_in_many_forms():
    t = tessellate(gaussian([2, 16, 16, 1]), Domain.box([-1, -1], [1, 1]))
    assert t.locate(t.witnesses_float).tolist() == list(range(t.n_regions))
    assert t.locate(np.zeros((0, 2))).tolist() == []
    assert t.locate([]).tolist() == []
    assert t.locate([[2.0, 0.0], [1.0, 1.0]]).tolist()[0] == -1
    half = [[0.5, 0.25]]
    expected = t.locate(half).tolist()
    for same in (np.array(half, np.float32), [["1/2", "0.25"]], [[Fraction(1, 2), Fraction(1, 4)]]):
        assert t.locate(same).tolist() == expected
    assert t.locate([[0, 1]]).tolist() == t.locate([[0.0, 1.0]]).tolist() == t.locate([[0, Fraction(1)]]).tolist()
    assert t.locate([[2**60 + 1, 0]]).tolist() == [-1]


@pytest.mark.parametrize(
    "points", [[[1.0]], [1.0, 2.0], [[1.0, 2.0, 3.0]], [[float("nan"), 0.0]], [[0.0, float("inf")]], [[0, 1], [2]],
               [["1/2"]], [["x", "y"]]],
)  # fmt: skip
def test_wrong_points_are_refused(points):
    t = tessellate(thick_zero())
    with pytest.raises(InputError):
        t.locate(points)
