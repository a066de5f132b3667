"""The Chebyshev centre: known balls, and evidence that proves radius and bound."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from cases import load_network
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import bounded_domains, domains, networks, random_networks

from polyrelu import testing
from polyrelu.errors import InputError, UnboundedError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.centre import InscribedBall, chebyshev_centre, check_ball
from polyrelu.region.lp import Witness, find_point
from polyrelu.region.model import Region, region_at, region_of

NEARLY = Fraction(999_999, 1_000_000)


def region_like(domain: Domain) -> Region:
    """Return a domain as the one region of a network without neurons."""
    nothing = Network.from_arrays([([[0] * domain.dim], [0])])
    return Region(nothing, nothing.pattern(()), domain)


@st.composite
def regions(draw: st.DrawFn, are_bounded: bool = False) -> Region:
    dim = draw(st.integers(1, 4))
    network = draw(networks((dim,), max_neurons=5) | random_networks((dim,), max_neurons=6))
    domain = draw(bounded_domains(dim) if are_bounded else domains(dim))
    corner = find_point(domain.rows, [any(row[:-1]) for row in domain.rows], dim)
    assert isinstance(corner, Witness)
    return region_at(network, corner.point, domain)


@given(regions())
@settings(max_examples=100)
def test_a_ball_or_a_ray_along_which_balls_grow(region):
    rows = [row for row in region.rows if any(row[:-1])]
    ray = find_point([(*row[:-1], 0) for row in rows], [True] * len(rows), region.network.dim)
    if isinstance(ray, Witness):
        with pytest.raises(UnboundedError, match="grow along the ray"):
            chebyshev_centre(region)
        return
    ball = chebyshev_centre(region)
    check_ball(region.rows, ball)
    assert ball.squared_radius >= NEARLY * ball.squared_bound
    assert region.class_contains(ball.centre)


@pytest.mark.parametrize("dim", [1, 2, 3, 5])
def test_known_balls(dim):
    cube = chebyshev_centre(region_like(Domain.unit(dim)))
    assert (cube.squared_radius, cube.squared_bound) == (Fraction(1, 4), Fraction(1, 4))
    assert cube.centre == (Fraction(1, 2),) * dim
    corner = [[-int(i == j) for j in range(dim)] for i in range(dim)]
    simplex = chebyshev_centre(region_like(Domain.from_halfspaces([*corner, [1] * dim], [0] * dim + [1])))
    radius = 1 / (dim + dim**0.5)
    assert abs(simplex.radius_float - radius) < 1e-6 * radius


def test_an_unbounded_region_may_have_a_largest_ball():
    strip = chebyshev_centre(region_of(testing.xor(), Pattern.parse("10")))
    assert (strip.squared_radius, strip.squared_bound) == (Fraction(1, 8), Fraction(1, 8))


def test_a_region_of_size_2_to_the_minus_50():
    network = load_network("tiny_margin_2d")
    tiny = []
    for digits in range(16):
        pattern = network.pattern([digits >> i & 1 for i in range(4)])
        try:
            ball = chebyshev_centre(region_of(network, pattern))
        except (InputError, UnboundedError):
            continue
        check_ball(region_of(network, pattern).rows, ball)
        assert ball.squared_radius >= NEARLY * ball.squared_bound
        tiny.append(ball.squared_bound < Fraction(1, 2**98))
    assert sum(tiny) == 4  # two parts of the triangle, and two strips between its lines


def test_many_dimensions_in_a_box():
    network = testing.gaussian([80, 30, 1], seed=3)
    region = region_at(network, [0] * 80, Domain.box([-1] * 80, [1] * 80))
    ball = chebyshev_centre(region)
    check_ball(region.rows, ball)
    assert ball.squared_radius >= NEARLY * ball.squared_bound


def test_wrong_balls_are_refused():
    region = region_like(Domain.from_halfspaces([[-1, 0], [0, -1], [3, 4]], [0, 0, 12]))
    ball = chebyshev_centre(region)
    check_ball(region.rows, ball)
    x, y = ball.centre
    wrong: list[InscribedBall] = [
        replace(ball, centre=(x + Fraction(1, 1000), y)),
        replace(ball, centre=(-x, y)),
        replace(ball, squared_radius=ball.squared_radius * NEARLY),
        replace(ball, squared_bound=ball.squared_radius * NEARLY),
        replace(ball, multipliers=(ball.multipliers[0] * 2, *ball.multipliers[1:])),
        replace(ball, multipliers=(Fraction(0),) * 3),
        replace(ball, multipliers=tuple(-y for y in ball.multipliers)),
        replace(ball, multipliers=ball.multipliers[:2]),
    ]
    for each in wrong:
        with pytest.raises(InputError, match="An inscribed ball needs"):
            check_ball(region.rows, each)


def test_no_rows_at_all():
    with pytest.raises(UnboundedError, match=r"ray \(1, 0\)"):
        chebyshev_centre(region_like(Domain.all(2)))
