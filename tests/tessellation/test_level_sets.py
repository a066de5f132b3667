"""Level sets and decision boundaries, against values of the network."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import bounded_domains, domains, networks, random_networks

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.errors import DomainError, InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.level_sets import decision_boundary, level_set
from polyrelu.testing import gaussian, grid, xor


def inside_of(segment) -> tuple[Fraction, ...]:
    """Return a point in the relative interior of a segment or polygon."""
    centre = [sum(column) / len(segment.points) for column in zip(*segment.points, strict=True)]
    for ray in segment.rays:
        centre = [a + b for a, b in zip(centre, ray, strict=True)]
    return tuple(centre)


@given(st.data())
@settings(max_examples=80)
def test_the_output_is_on_the_level(data):
    network = data.draw(networks() | random_networks())
    t = tessellate(network, data.draw(domains(network.dim)))
    level = data.draw(st.sampled_from([0, 1, "1/3", -2, 0.5]))
    found = level_set(t, level=level)
    for index, regions in enumerate(found.regions.tolist()):
        segment = found.segment(index)
        for point in (*segment.points, inside_of(segment)):
            assert network.exact(point) == (Fraction(level),)
            for region in regions:
                assert region == -1 or t.region(region).contains(point)
    for region in found.flat_regions.tolist():
        assert network.exact(t.witness(region)) == (Fraction(level),)


@given(st.data())
def test_nothing_is_missing(data):
    """Regions of the refinement that meet in another facet are on one side, or one of them is on the level."""
    network = data.draw(networks((2,)) | random_networks((2,)))
    t = tessellate(network, data.draw(bounded_domains(2)))
    found = t.level_set()
    refined = found.tessellation
    on_level = set(found.facets.tolist())
    for facet, (a, b) in enumerate(refined.facet_regions.tolist()):
        if b < 0 or facet in on_level:
            continue
        signs = {network.exact(refined.witness(i))[0] > 0 for i in (a, b)}
        values = {network.exact(refined.witness(i))[0] for i in (a, b)}
        assert len(signs) == 1 or 0 in values
    assert refined.total_area() == t.total_area()


def test_classes_meet_on_the_decision_boundary():
    t = tessellate(gaussian([2, 10, 10, 3], seed=5), Domain.box([-2, -2], [2, 2]))
    found = decision_boundary(t)
    assert len(found) > 0
    for index in range(len(found)):
        values = t.network.exact(inside_of(found.segment(index)))
        assert sorted(values)[-1] == sorted(values)[-2]
        assert {i for i, value in enumerate(values) if value == max(values)} == set(found.digits[index].tolist())
    classes = t.network(t.witnesses_float).argmax(axis=1)
    changes = {i for pair in t.adjacent_pairs.tolist() if classes[pair[0]] != classes[pair[1]] for i in pair}
    assert changes


def test_a_flat_part_is_reported_apart():
    relu = Network.from_arrays([([[1, 0]], [0]), ([[1]], [0])])
    t = tessellate(relu, Domain.box([-1, -1], [1, 1]))
    found = t.level_set()
    assert (len(found), [str(t.pattern(i)) for i in found.flat_regions]) == (0, ["0"])
    crossing = t.level_set(level="1/2")
    assert crossing.segment(0).points in (
        ((Fraction(1, 2), 1), (Fraction(1, 2), -1)),
        ((Fraction(1, 2), -1), (Fraction(1, 2), 1)),
    )
    assert crossing.digits.tolist() in ([[1, 0]], [[0, 1]])
    tie = Network.from_arrays([([[1, 0], [1, 0], [0, 0]], [0, 0, 0])])
    assert decision_boundary(tessellate(tie)).flat_regions.tolist() == [0]


def test_touching_and_the_border_count():
    absolute = Network.from_arrays([([[1, 0], [-1, 0]], [0, 0]), ([[1, 1]], [0])])
    found = tessellate(absolute, Domain.box([-1, 0], [1, 1])).level_set()
    assert found.digits.tolist() == [[1, 1]]
    on_border = tessellate(absolute, Domain.box([0, 0], [1, 1])).level_set()
    assert on_border.regions.tolist() == [[0, -1]]
    assert on_border.digits.tolist() == [[1, -1]]


def test_rays_and_lines():
    found = tessellate(xor()).level_set(level="1/2")
    assert found.is_ray.all() and len(found) == 2
    assert all(len(found.segment(i).points) == 1 and len(found.segment(i).rays) == 2 for i in range(2))
    for (a, b), segment in zip(found.ends_float, map(found.segment, range(2)), strict=True):
        assert {a.sum(), b.sum()} == {float(sum(segment.points[0]))} and (a != b).any()
    ramp = Network.from_arrays([([[1, 0], [0, 1]], [0, 0]), ([[1, -1]], [0])])
    rays = tessellate(ramp).level_set(level=1)
    assert rays.is_ray.sum(axis=1).tolist() == [1, 1]
    for index in np.flatnonzero(rays.is_ray.any(axis=1)).tolist():
        near = rays.ends_float[index][~rays.is_ray[index]]
        assert near.tolist() == [[float(x) for x in p] for p in rays.segment(index).points][: len(near)]


def test_points_of_a_line():
    t = tessellate(Network.from_arrays([([[1], [1]], [0, -1]), ([[1, -2]], [0])]))
    found = t.level_set(level="1/2")
    assert sorted(found.segment(i).points[0][0] for i in range(2)) == [Fraction(1, 2), Fraction(3, 2)]
    assert sorted(found.ends_float.ravel().tolist()) == [0.5, 1.5]


@given(st.data())
@settings(max_examples=30)
def test_polygons_of_space_are_on_the_level(data):
    network = data.draw(networks((3,), max_neurons=4) | random_networks((3,), max_neurons=5))
    t = tessellate(network, data.draw(domains(3)), method=enumerate_brute)
    level = data.draw(st.sampled_from([0, 1, "1/3"]))
    found = level_set(t, level=level, method=enumerate_brute)
    for index, regions in enumerate(found.regions.tolist()):
        polygon = found.polygon(index)
        for point in (*polygon.points, inside_of(polygon)):
            assert network.exact(point) == (Fraction(level),)
            assert all(region == -1 or t.region(region).contains(point) for region in regions)
    for refined, region in enumerate(found.origins.tolist()):
        assert t.region(region).contains(found.tessellation.witness(refined))


def test_a_plane_through_the_cube():
    found = tessellate(grid(1, 1, 1), Domain.box([-1] * 3, [1] * 3)).level_set(level=1)
    # x + 2 y + 3 z = 1 where all three are positive: a triangle; and on the sides where some are not, parts of planes.
    corners = {(Fraction(1), 0, 0), (0, Fraction(1, 2), 0), (0, 0, Fraction(1, 3))}
    assert corners in [set(found.polygon(i).points) for i in range(len(found))]
    assert all(len(found.polygon(i).points) in (3, 4) and not found.polygon(i).rays for i in range(len(found)))


def test_shapes_of_another_dimension_are_refused():
    with pytest.raises(DomainError, match="plane"):
        tessellate(grid(1, 1, 1), Domain.box([-1] * 3, [1] * 3)).level_set(level=1).segment(0)
    with pytest.raises(DomainError, match=r"LevelSet\.polygon needs a tessellation of three dimensions"):
        tessellate(xor()).level_set(level="1/2").polygon(0)


def test_wrong_outputs_and_levels_are_refused():
    t = tessellate(xor())
    with pytest.raises(InputError, match="1 outputs but received 2"):
        t.level_set(output=2)
    with pytest.raises(InputError, match="finite"):
        t.level_set(level=float("nan"))
