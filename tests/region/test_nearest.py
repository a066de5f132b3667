"""The nearest point: evidence for every answer, and the laws of projections."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import domains, networks, random_networks, rationals

from polyrelu import testing
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region import nearest
from polyrelu.region.model import Region, decide_region, region_at, region_of
from polyrelu.region.nearest import check_nearest, nearest_point

NORMS = [1, 2, math.inf]


@st.composite
def problems(draw: st.DrawFn) -> tuple[Region, list[Fraction]]:
    """Draw a region and a point that is often outside."""
    dim = draw(st.integers(1, 4))
    network = draw(networks((dim,), max_neurons=6) | random_networks((dim,), max_neurons=8))
    points = st.lists(rationals(), min_size=dim, max_size=dim)
    region = region_at(network, draw(points))
    domain = draw(domains(dim))
    inside = Region(network, region.pattern, domain)
    return (inside if decide_region(inside)[0] else region), draw(points)


@pytest.mark.parametrize("norm", NORMS)
@given(problem=problems())
@settings(max_examples=60)
def test_every_answer_has_evidence(norm, problem):
    region, x = problem
    found = nearest_point(region, x, norm)
    check_nearest(region.rows, x, norm, found)
    assert (found.squared_distance == 0) == region.contains(x)
    assert region.contains(found.point)


@given(problems())
@settings(max_examples=60)
def test_rationals_alone_find_what_floats_propose(problem):
    region, x = problem
    found = nearest_point(region, x)
    n_rows = len({row for row in region.rows if any(row[:-1])})
    with pytest.MonkeyPatch.context() as patch:
        for proposal in ([], list(range(n_rows))):
            patch.setattr(nearest, "_proposed_rows", lambda *_, proposal=proposal: proposal)
            again = nearest_point(region, x)
            check_nearest(region.rows, x, 2, again)
            assert again.point == found.point


@given(problems())
@settings(max_examples=40)
def test_norms_compare_as_they_must(problem):
    region, x = problem
    dim = len(x)
    one, two, top = (nearest_point(region, x, norm).squared_distance for norm in NORMS)
    assert top <= two <= one <= dim * two and two <= dim * top


def test_boxes_in_all_norms():
    nothing = Network.from_arrays([([[0] * 3], [0])])
    cube = Region(nothing, nothing.pattern(()), Domain.unit(3))
    for x in product([-2, Fraction(1, 3), 5], repeat=3):
        steps = [max(-v, v - 1, 0) for v in x]
        expected = {1: sum(steps) ** 2, 2: sum(s * s for s in steps), math.inf: max(steps) ** 2}
        for norm in NORMS:
            assert nearest_point(cube, x, norm).squared_distance == expected[norm]


def test_a_region_that_contains_lines():
    plane = region_of(testing.braid(3), Pattern.parse("111"))
    found = nearest_point(plane, [0, 1, 2])
    assert found.point == (1, 1, 1) and found.squared_distance == 2
    assert found.distance_float == math.sqrt(2)


def test_the_whole_space():
    network = Network.from_arrays([([[0, 0]], [1]), ([[1]], [0])])
    region = region_at(network, [0, 0])
    for norm in NORMS:
        assert nearest_point(region, ["1/3", 7], norm).point == (Fraction(1, 3), 7)


def test_many_dimensions():
    network = testing.gaussian([60, 40, 1], seed=5)
    region = region_at(network, [0] * 60)
    x = [Fraction((-1) ** i * (i % 7), 3) for i in range(60)]
    found = nearest_point(region, x)
    check_nearest(region.rows, x, 2, found)
    assert not region.contains(x) and found.squared_distance > 0


def test_wrong_answers_are_refused():
    region, x = region_of(testing.xor(), Pattern.parse("10")), (Fraction(2), Fraction(1))
    for norm in NORMS:
        found = nearest_point(region, x, norm)
        check_nearest(region.rows, x, norm, found)
        farther = (found.point[0] - Fraction(1, 2), found.point[1])
        for wrong in (
            replace(found, point=x),
            replace(found, point=farther),
            replace(found, squared_distance=found.squared_distance / 2),
            replace(found, multipliers=tuple(2 * y for y in found.multipliers)),
            replace(found, multipliers=tuple(y / 2 for y in found.multipliers)),
            replace(found, multipliers=tuple(-y for y in found.multipliers)),
            replace(found, multipliers=found.multipliers[:1]),
        ):
            with pytest.raises(InputError, match="A nearest point needs"):
                check_nearest(region.rows, x, norm, wrong)


@pytest.mark.parametrize(
    ("x", "norm", "complaint"), [([1], 2, "2 coordinates"), ([1, 2], 0, "norm 1, 2"), (["a", 1], 2, "'a'")]
)
def test_bad_input(x, norm, complaint):
    with pytest.raises(InputError, match=complaint):
        nearest_point(region_of(testing.xor(), Pattern.parse("10")), x, norm)
