"""One region in every respect, against the reference and against evaluation at points."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from cases import load_network
from hypothesis import given
from hypothesis import strategies as st
from strategies import domains, networks, random_networks

from polyrelu.errors import DomainError, EmptyRegionError, PatternError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.double_description import generators_of
from polyrelu.region.evidence import check_bounded, check_infeasible, check_ray
from polyrelu.region.model import Region, decide_class, decide_region, neighbour_across, region_at, region_of

CROSS = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])


@given(st.data())
def test_laws_of_a_region(data):
    """At a random point of a random network: the region around it, its facets and what is beyond them."""
    network = data.draw(st.one_of(networks(dims=(1, 2, 3), max_neurons=6), random_networks(dims=(2, 3), max_neurons=6)))
    domain = data.draw(st.one_of(st.none(), domains(network.dim)))
    corners = generators_of(domain.rows, network.dim).points if domain is not None else ()
    anywhere = st.tuples(*[st.integers(-6, 6).map(lambda k: Fraction(k, 2))] * network.dim)
    point = data.draw(st.one_of(anywhere, st.sampled_from(corners)) if corners else anywhere)
    if domain is not None and not domain.contains(point):
        with pytest.raises(DomainError, match="needs a point of the domain"):
            region_at(network, point, domain)
        return
    region = region_at(network, point, domain)
    assert region.contains(point)
    witness = region.witness
    assert network.exact.pattern_at(witness) == region.pattern
    assert region.class_contains(witness)
    assert region.affine_map(witness) == network.exact(witness)
    bounded, evidence = region.decide_bounded()
    (check_bounded if bounded else check_ray)(region.rows, evidence if bounded else evidence.direction)
    assert bounded == (not region.rays and not region.lineality)
    tight = {row: [] for row in dict.fromkeys(region.rows) if any(row[:-1])}
    for face in region.faces:
        if face.dim == network.dim - 1:
            tight[region.rows[min(face.rows)]].append(face)
    assert {facet.row for facet in region.facets} == {row for row, faces in tight.items() if faces}
    for facet in region.facets:
        values = {row: dot(row, (*facet.point, 1)) for row in region.rows if any(row[:-1])}
        assert [row for row, value in values.items() if value <= 0] == [facet.row]
        assert values[facet.row] == 0
        beyond = neighbour_across(region, facet)
        assert (beyond is None) == bool(facet.domain_rows)
        if beyond is None:
            continue
        other = region_of(network, beyond, domain)
        back = [f for f in other.facets if other.contains(facet.point) and dot(f.row, (*facet.point, 1)) == 0]
        assert len(back) == 1
        assert back[0].row == tuple(-v for v in facet.row)
        assert neighbour_across(other, back[0]) == region.pattern
        # From both sides the same neurons vanish on the common facet.
        assert {*facet.neurons, *region.zero_neurons} == {*back[0].neurons, *other.zero_neurons}
        changed = {i for i, (a, b) in enumerate(zip(region.pattern.digits, beyond.digits, strict=True)) if a != b}
        assert changed <= {*facet.neurons, *region.zero_neurons}
        assert region.affine_map(facet.point) == other.affine_map(facet.point)


@given(networks(dims=(1, 2), max_neurons=4), st.data())
def test_a_pattern_has_a_region_a_thin_class_or_nothing(network, data):
    domain = data.draw(st.one_of(st.none(), domains(network.dim)))
    pattern = network.pattern([data.draw(st.integers(0, n - 1)) for n in network.layout.n_pieces.tolist()])
    region = Region(network, pattern, domain)
    thick, evidence = decide_region(region)
    some, point = decide_class(network, pattern, domain)
    if thick:
        assert region_of(network, pattern, domain) == region
        assert some
        return
    with pytest.raises(EmptyRegionError) as caught:
        region_of(network, pattern, domain)
    assert caught.value.certificate == evidence
    strict = [*region.hrep.strict, *(False for _ in region.rows[len(region.hrep.rows) :])]
    cuts = [flag or any(row[:-1]) for flag, row in zip(strict, region.rows, strict=True)]
    check_infeasible(region.rows, cuts, evidence)
    if some:
        assert region.class_contains(point.point)
        assert network.exact.pattern_at(point.point) == pattern
    else:
        check_infeasible(region.rows, strict, point)


def test_coinciding_neurons_share_a_facet():
    # Three neurons on x = 0, two of them turned to the same side; the domain ends there as well for one box.
    network = Network.from_arrays([([[1, 0], [-2, 0], [3, 0], [0, 1]], [0, 0, 0, 0]), ([[1, 1, 1, 1]], [0])])
    region = region_of(network, Pattern.parse("1011"))
    assert [(facet.row, facet.neurons) for facet in region.facets] == [((1, 0, 0), (0, 1, 2)), ((0, 1, 0), (3,))]
    boxed = region_of(network, Pattern.parse("1011"), Domain.box([0, -1], [1, 1]))
    walls = {facet.row: (facet.neurons, facet.domain_rows) for facet in boxed.facets}
    assert walls[1, 0, 0] == ((0, 1, 2), (0,))
    assert len(boxed.neighbours) == 1


def test_a_neuron_that_vanishes_identically_is_off_and_on_no_facet():
    network = Network.from_arrays([([[1]], [0]), ([[1]], [0]), ([[1]], [0])])
    region = region_of(network, Pattern.parse("0|0"))
    assert region.zero_neurons == (1,)
    assert [facet.neurons for facet in region.facets] == [(0,)]
    assert [str(pattern) for _, pattern in region.neighbours] == ["1|1"]
    with pytest.raises(EmptyRegionError):
        region_of(network, Pattern.parse("0|1"))


def test_points_where_regions_meet():
    assert region_at(CROSS, [0]).pattern == Pattern.parse("10")
    assert region_at(CROSS, [0], Domain.box([-1], [0])).pattern == Pattern.parse("01")
    plus = Network.from_arrays([(np.eye(2), [0, 0]), ([[1, 1]], [0])])
    for corner in product((-1, 1), repeat=2):
        box = Domain.box([min(c, 0) for c in corner], [max(c, 0) for c in corner])
        region = region_at(plus, [0, 0], box)
        assert region.contains([0, 0])
        assert region.pattern.digits == tuple(int(c > 0) for c in corner)


def test_a_cone_its_rays_and_a_line():
    cone = region_of(load_network("thick_zero_2d"), Pattern.parse("110|011"))
    assert (cone.vertices, cone.is_bounded, cone.lineality) == (((0, 0),), False, ())
    assert len(cone.rays) == 2
    strip = region_of(load_network("xor_printed"), Pattern.parse("10"))
    assert (strip.vertices, strip.rays, strip.lineality) == ((), (), ((-1, 1),))


def test_refusals():
    network = load_network("hamming_1d")
    with pytest.raises(PatternError, match=r"needs 2\|1 digits"):
        region_of(network, Pattern.parse("01"))
    with pytest.raises(EmptyRegionError, match=r"'00\|0'") as caught:
        region_of(network, Pattern.parse("00|0"), Domain.box([-1], [1]))
    assert sum(caught.value.certificate.multipliers) > 0
    with pytest.raises(DomainError, match="1 inputs"):
        region_of(network, Pattern.parse("01|1"), Domain.unit(2))
    with pytest.raises(DomainError, match="holds no point"):
        region_of(network, Pattern.parse("01|1"), Domain.from_halfspaces([[1], [-1]], [0, -1]))
    flat = Domain.from_halfspaces([[1, 0], [-1, 0]], [0, 0])
    plane = load_network("xor_printed")
    with pytest.raises(DomainError, match="is flat"):
        region_at(plane, [0, 0], flat)
    with pytest.raises(DomainError, match="is flat"):
        region_of(plane, Pattern.parse("10"), flat)
    with pytest.raises(DomainError, match="1 coordinates"):
        region_at(network, [0]).contains([0, 0])


def test_equality_and_hash():
    a, b = (region_of(load_network("hamming_1d"), Pattern.parse("01|1")) for _ in range(2))
    assert a == b
    assert len({a, b, region_of(a.network, Pattern.parse("01|0"))}) == 2
    assert a != Region(a.network, a.pattern, Domain.unit(1))
