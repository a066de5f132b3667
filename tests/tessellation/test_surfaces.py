"""Decision surfaces: known shapes, exact volumes, and the number of parts into which they cut space."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import bounded_domains, networks, random_networks

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.errors import DomainError, InputError, InternalError, UnboundedError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.graph import components
from polyrelu.tessellation.level_sets import decision_boundary, level_set
from polyrelu.tessellation.surfaces import check_watertight, decision_surface, level_surface, surface_of
from polyrelu.testing import gaussian, grid, xor

BOX = Domain.box([-4] * 3, [4] * 3)
METHODS = st.sampled_from([None, enumerate_brute])
EYE = np.eye(3)
BOTH_SIGNS = np.concatenate([EYE, -EYE])


def absolutes(*then) -> Network:
    """Return a network whose first layer gives x, y, z, -x, -y, -z, each cut off at 0."""
    return Network.from_arrays([(BOTH_SIGNS, np.zeros(6)), *then])


BALL = absolutes(([[-1] * 6], [1]))  # 1 - |x| - |y| - |z|
DENT = absolutes(([[1] * 6], [-1]), ([[1]], [0]))  # relu(|x| + |y| + |z| - 1)
SHELL = absolutes(([[1] * 6, [-1] * 6], [-2, 2]), ([[-1, -1]], [1]))  # 1 - ||x| + |y| + |z| - 2|
TORUS = absolutes(  # 1 - ||x| + |y| - 2| - |z|
    ([[1, 1, 0, 1, 1, 0], [-1, -1, 0, -1, -1, 0], [0, 0, 1, 0, 0, 1]], [-2, 2, 0]), ([[-1, -1, -1]], [1])
)
CONES = absolutes(([[-1, -1, 1, -1, -1, 1]], [0]))  # |z| - |x| - |y|
POINT = absolutes(([[-1] * 6], [0]))
SHEET = absolutes(([[-1, 0, 0, -1, 0, 0]], [0]))  # -|x|
CROSS = Network.from_arrays(  # |x + y| - |x - y|, positive where x y is
    [([[1, 1, 0], [-1, -1, 0], [1, -1, 0], [-1, 1, 0]], [0] * 4), ([[1, 1, -1, -1]], [0])]
)


@pytest.mark.parametrize(
    ("network", "names", "betti", "volume"),
    [
        (BALL, ["sphere"], (1, 0, 1), Fraction(4, 3)),
        (SHELL, ["sphere", "sphere"], (2, 0, 2), Fraction(4 * 27, 3) - Fraction(4, 3)),
        # With r = |x| + |y| the integral of 4 r, the area 2 r^2 differentiated, times the height 2 - 2 |r - 2|.
        (TORUS, ["torus"], (1, 2, 1), Fraction(16)),
        (POINT, [], (0, 0, 0), Fraction(0)),
        (SHEET, [], (0, 0, 0), Fraction(0)),
    ],
)
def test_closed_surfaces(network, names, betti, volume):
    surface = level_surface(tessellate(network, BOX))
    assert [component.name for component in surface.topology.components] == names
    assert surface.topology.betti == betti
    assert surface.topology.is_closed and surface.topology.is_manifold and surface.topology.is_oriented
    assert surface.volume() == volume
    assert not surface.is_cap.any()
    everywhere = level_surface(tessellate(network))
    assert everywhere.topology.betti == betti and everywhere.volume() == surface.volume()


def test_flat_regions_are_outside():
    t = tessellate(DENT, BOX)
    assert len(level_set(t).flat_regions) == 8
    surface = level_surface(t)
    assert surface.topology.components[0].name == "sphere"
    with pytest.raises(InputError, match="without 24 polygons on the border"):
        surface.volume()  # the surface is closed, but what it bounds lies around it
    capped = level_surface(t, cap=True)
    assert [component.name for component in capped.topology.components] == ["sphere", "sphere"]
    assert capped.volume() == 8**3 - Fraction(4, 3)
    assert capped.is_cap.sum() > 0 and (capped.regions[capped.is_cap, 1] == -1).all()
    assert level_surface(tessellate(DENT)).volume() is None


def test_surfaces_that_branch():
    cones = level_surface(tessellate(CONES, BOX), cap=True).topology
    assert (cones.betti, len(cones.singular_edges), len(cones.singular_vertices)) == ((1, 0, 2), 0, 1)
    cross = level_surface(tessellate(CROSS, BOX)).topology
    [component] = cross.components
    assert (component.name, component.genus) == ("branching surface", None)
    axis = level_surface(tessellate(CROSS, BOX))
    points = {axis.vertices_exact[v][:2] for edge in axis.topology.singular_edges.tolist() for v in edge}
    assert points == {(0, 0)}


def test_a_disk_ends_on_the_border():
    surface = level_surface(tessellate(grid(1, 1, 1), BOX), level=1)
    [component] = surface.topology.components
    assert (component.name, component.n_boundary_curves) == ("disk", 1)
    ends = surface.vertices[surface.topology.boundary_edges].ravel()
    assert (surface.tessellation.vertex_kind[ends] == 1).all()
    capped = level_surface(tessellate(grid(1, 1, 1), BOX), level=1, cap=True)
    assert capped.topology.components[0].name == "sphere"


def test_classes_meet_in_a_line():
    t = tessellate(Network.from_arrays([(EYE, np.zeros(3))]), BOX)
    everything = decision_surface(t)
    [edge] = everything.topology.singular_edges.tolist()
    assert {everything.vertices_exact[v] for v in edge} == {(-4, -4, -4), (4, 4, 4)}
    assert sorted(map(tuple, everything.digits.tolist())) == [(0, 1), (0, 2), (1, 2)]
    volumes = []
    for label in range(3):
        one = decision_surface(t, label, cap=True)
        assert one.topology.components[0].name == "sphere"
        assert (one.digits[:, 0] == label).all()
        volumes.append(one.volume())
    assert volumes == [Fraction(8**3, 3)] * 3


def test_at_a_tie_the_first_class_counts():
    t = tessellate(Network.from_arrays([([[1, 0, 0], [1, 0, 0], [0, 0, 0]], [0, 0, 0])]), BOX)
    assert [decision_surface(t, label, cap=True).volume() for label in range(3)] == [256, 0, 256]
    assert decision_surface(t).digits.tolist() == [[0, 2]]


def test_one_output_has_two_classes():
    t = tessellate(gaussian([3, 5, 1], seed=3), BOX)
    assert decision_surface(t, 1, cap=True).volume() + decision_surface(t, 0, cap=True).volume() == 8**3
    assert len(decision_surface(t)) == len(level_surface(t))


def test_triangles_have_the_surface_and_its_order():
    surface = level_surface(tessellate(TORUS, BOX))
    points = surface.vertices_exact
    six = np.linalg.det(surface.vertices_float[surface.triangles]).sum()
    assert six / 6 == pytest.approx(float(surface.volume()))
    assert np.bincount(surface.triangle_polygons).tolist() == (np.diff(surface.cycles.indptr) - 2).tolist()
    for i in range(len(surface)):
        own = surface.triangles[surface.triangle_polygons == i]
        assert set(own.ravel().tolist()) == set(surface.cycles.of(i).tolist())
    np.testing.assert_array_equal(surface.vertices_float, [[float(x) for x in point] for point in points])


def inside_regions(surface):
    t = surface.tessellation
    digits = t.network.layout.unpack(t.words)[:, -1]
    return np.flatnonzero(digits == surface.inside)


def count_parts(surface) -> int:
    """Return into how many parts a surface cuts space: regions of the refinement and what is beyond the domain."""
    t = surface.tessellation
    open_facets = np.setdiff1d(np.arange(t.n_facets), surface.facets)
    pairs = t.facet_regions[open_facets].copy()
    pairs[pairs < 0] = t.n_regions
    return components(np.unique(pairs, axis=0), t.n_regions + 1)[0]


@given(st.data())
@settings(max_examples=60)
def test_surfaces_bound_what_they_should(data):
    network = data.draw(networks((3,), max_neurons=4) | random_networks((3,), max_neurons=6))
    t = tessellate(network, data.draw(bounded_domains(3)), method=data.draw(METHODS))
    level = data.draw(st.sampled_from([0, 1, "1/3", -1]))
    found = level_set(t, level=level, method=data.draw(METHODS))
    inside = data.draw(st.sampled_from([0, 1]))
    capped, bare = surface_of(found, inside, cap=True), surface_of(found, inside)
    areas = found.tessellation.areas()
    assert capped.volume() == sum(areas[i] for i in inside_regions(capped))
    assert capped.topology.is_closed
    for surface in (capped, bare):
        # Alexander duality: b2 of a complex in space is one less than the number of parts of what it leaves.
        assert surface.topology.betti[2] == count_parts(surface) - 1
        assert surface.topology.is_orientable
    for i in range(len(bare)):
        points = bare.polygon(i).points
        assert {network.exact(point) for point in points} == {(Fraction(level),)}
        centre = [sum(column) / len(points) for column in zip(*points, strict=True)]
        a, b = ([y - x for x, y in zip(points[0], point, strict=True)] for point in points[1:3])
        outward = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
        home = t.region(int(bare.regions[i, 0]))
        assert home.contains(centre)
        refined = found.tessellation.facet_regions[bare.facets[i]]
        own = next(int(r) for r in refined if found.tessellation.pattern(int(r)).digits[-1] == inside)
        assert dot(outward, [x - c for x, c in zip(found.tessellation.witness(own), centre, strict=True)]) < 0


@given(st.data())
@settings(max_examples=25)
def test_the_classes_fill_the_domain(data):
    n_out = data.draw(st.integers(2, 3))
    body = data.draw(networks((3,), max_neurons=4) | random_networks((3,), max_neurons=4))
    entries = st.lists(st.integers(-2, 2), min_size=body.output.n_inputs, max_size=body.output.n_inputs)
    weight = np.array([data.draw(entries) for _ in range(n_out)], float).reshape(n_out, -1)
    output = replace(Network.from_arrays([(weight, np.arange(n_out) % 2)]).output)
    network = replace(body, output=output)
    t = tessellate(network, data.draw(bounded_domains(3)), method=data.draw(METHODS))
    found = decision_boundary(t, method=data.draw(METHODS))
    volumes = [surface_of(found, label, cap=True).volume() for label in range(n_out)]
    assert sum(volumes) == t.domain_area()
    everything = surface_of(found, None)
    assert everything.topology.betti[2] == count_parts(everything) - 1


def test_a_hole_is_noticed():
    surface = level_surface(tessellate(BALL, BOX))
    cycles = surface.cycles
    cut = cycles._replace(indptr=cycles.indptr[:-1], vertices=cycles.vertices[: cycles.indptr[-2]])
    with pytest.raises(InternalError, match="3 edges that are open"):
        check_watertight(replace(surface, cycles=cut, digits=surface.digits[:-1]))
    turned = np.arange(len(surface)) == 0
    with pytest.raises(InternalError, match="orders that do not fit"):
        check_watertight(replace(surface, cycles=cycles.turned(turned)))


def test_refusals():
    t = tessellate(grid(1, 1, 1), BOX)
    with pytest.raises(DomainError, match="level_surface needs a tessellation of three dimensions"):
        level_surface(tessellate(xor()))
    with pytest.raises(InputError, match="2 classes but received 2"):
        decision_surface(t, 2)
    with pytest.raises(InputError, match="1 outputs but received 1"):
        level_surface(t, output=1)
    with pytest.raises(InputError, match="one class but received that of all"):
        decision_surface(t, cap=True)
    with pytest.raises(InputError, match="one class but received that of all"):
        decision_surface(t).volume()
    with pytest.raises(InputError, match=r"polygons on the border of the domain\. Make it with cap=True"):
        level_surface(t, level=1).volume()
    with pytest.raises(UnboundedError, match="with ray"):
        level_surface(tessellate(grid(1, 1, 1)), level=1)
    with pytest.raises(InputError, match="ended early"):
        level_surface(replace(t, is_complete=False))
