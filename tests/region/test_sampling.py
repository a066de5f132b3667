"""Samples and ellipsoids: inside exactly, uniform and large as far as floats tell."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from cases import load_network
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import bounded_domains, networks, random_networks

from polyrelu import testing
from polyrelu.errors import InputError, MissingExtraError, UnboundedError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.centre import chebyshev_centre
from polyrelu.region.ellipsoid import InscribedEllipsoid, check_ellipsoid, inscribed_ellipsoid_float
from polyrelu.region.model import Region, region_at, region_of
from polyrelu.region.sampling import hit_and_run


@st.composite
def bounded_regions(draw: st.DrawFn) -> Region:
    dim = draw(st.integers(1, 4))
    network = draw(networks((dim,), max_neurons=5) | random_networks((dim,), max_neurons=6))
    nothing = Network.from_arrays([([[0] * dim], [0])])
    domain = draw(bounded_domains(dim))
    region = region_at(network, Region(nothing, nothing.pattern(()), domain).witness, domain)
    lengths = [max(column) - min(column) for column in zip(*region.vertices, strict=True)]
    assume(max(lengths) ** 2 < 2**80 * chebyshev_centre(region).squared_radius)
    return region


@given(bounded_regions())
@settings(max_examples=40)
def test_samples_lie_inside_and_repeat_with_their_seed(region):
    points = hit_and_run(region, 20, seed=3)
    assert points.shape == (20, region.network.dim) and points.dtype == np.float64
    assert all(region.contains(point) for point in points)
    assert (points == hit_and_run(region, 20, seed=3)).all()
    assert (points != hit_and_run(region, 20, seed=4)).any()


def test_samples_of_a_long_thin_triangle_are_uniform():
    """On x, y >= 0, 1000 x + y <= 1000: P(1000 x + y <= 500) = 1/4, and the means are a third of the sides."""
    nothing = Network.from_arrays([([[0, 0]], [0])])
    triangle = Domain.from_halfspaces([[-1, 0], [0, -1], [1000, 1]], [0, 0, 1000])
    points = hit_and_run(Region(nothing, nothing.pattern(()), triangle), 4000, seed=0)
    share = (points @ [1000, 1] <= 500).mean()
    assert abs(share - 1 / 4) < 0.03  # four standard deviations
    assert np.abs(points.mean(axis=0) / [1 / 3, 1000 / 3] - 1).max() < 0.05


def test_samples_of_a_cube_are_uniform():
    nothing = Network.from_arrays([([[0] * 5], [0])])
    points = hit_and_run(Region(nothing, nothing.pattern(()), Domain.unit(5)), 4000, seed=0)
    for quantile in (0.1, 0.5, 0.8):
        assert np.abs((points < quantile).mean(axis=0) - quantile).max() < 0.035


def test_thin_regions():
    """A strip of width 2^-45 holds floats; one beside 1 of width 2^-60 holds none inside."""
    strip = Network.from_arrays([([[1.0, 1.0], [1.0, 1.0]], [-1.0, -1.0 - 2.0**-45]), ([[1, 1]], [0])])
    region = region_of(strip, Pattern.parse("10"), Domain.unit(2))
    assert all(region.contains(point) for point in hit_and_run(region, 50))
    check_ellipsoid(region.rows, inscribed_ellipsoid_float(region))
    nothing = Network.from_arrays([([[0]], [0])])
    thinner = Domain.box([1 + Fraction(1, 2**60)], [1 + Fraction(1, 2**59)])
    region = Region(nothing, nothing.pattern(()), thinner)
    for ask in (lambda: hit_and_run(region, 5), lambda: inscribed_ellipsoid_float(region)):
        with pytest.raises(InputError, match="room for floats"):
            ask()


def test_regions_that_are_too_long_are_refused():
    nothing = Network.from_arrays([([[0, 0]], [0])])
    for length, is_taken in ((2**40, True), (2**52, False)):
        region = Region(nothing, nothing.pattern(()), Domain.box([0, 0], [1, length]))
        for ask in (hit_and_run, inscribed_ellipsoid_float):
            arguments = (region, 5) if ask is hit_and_run else (region,)
            if is_taken:
                assert ask(*arguments) is not None
                continue
            with pytest.raises(InputError, match="not longer than 2"):
                ask(*arguments)


def test_bad_input():
    strip = region_of(testing.xor(), Pattern.parse("10"))
    for ask in (lambda: hit_and_run(strip, 5), lambda: inscribed_ellipsoid_float(strip)):
        with pytest.raises(UnboundedError, match=r"ray \(-?1, -?1\)"):
            ask()
    with pytest.raises(InputError, match="at least 0"):
        hit_and_run(strip, -1)
    assert hit_and_run(region_of(testing.xor(), Pattern.parse("10"), Domain.unit(2)), 0).shape == (0, 2)


@given(bounded_regions())
@settings(max_examples=30)
def test_ellipsoids_lie_inside_and_are_large(region):
    """The largest ellipsoid, blown up by dim from its centre, covers the region (John 1948)."""
    ellipsoid = inscribed_ellipsoid_float(region)
    check_ellipsoid(region.rows, ellipsoid)
    vertices = np.array([[float(v) for v in vertex] for vertex in region.vertices])
    reach = np.linalg.norm(np.linalg.solve(ellipsoid.matrix, (vertices - ellipsoid.centre).T), axis=0)
    assert reach.max() < region.network.dim * 1.01 + 0.01


def test_the_ellipsoid_of_a_box_touches_all_sides():
    nothing = Network.from_arrays([([[0, 0, 0]], [0])])
    region = Region(nothing, nothing.pattern(()), Domain.box([0, 0, 0], [1, 100, 10000]))
    ellipsoid = inscribed_ellipsoid_float(region)
    assert abs(ellipsoid.volume_float / (np.pi / 6 * 1e6) - 1) < 1e-4


def test_an_ellipsoid_outside_is_refused():
    region = region_of(testing.xor(), Pattern.parse("10"), Domain.unit(2))
    good = inscribed_ellipsoid_float(region)
    check_ellipsoid(region.rows, good)
    for wrong in (
        InscribedEllipsoid(good.centre, 1.001 * good.matrix),
        InscribedEllipsoid(good.centre + 0.001, good.matrix),
        InscribedEllipsoid(good.centre + 1, good.matrix),
    ):
        with pytest.raises(InputError, match="needs to lie in its region"):
            check_ellipsoid(region.rows, wrong)


def test_without_cvxpy(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cvxpy", None)
    region = region_at(load_network("xor_01"), ["1/4", "1/4"], Domain.unit(2))
    with pytest.raises(MissingExtraError, match=r"polyrelu\[convex\]"):
        inscribed_ellipsoid_float(region)
